package ready

import (
	"context"
	"sync"
	"time"
)

const (
	// meterStep and meterWindow: what a pod uses is the mean of the last second and
	// a half, looked at each quarter of a second. A real metrics-server has one
	// reading in fifteen seconds.
	meterStep   = 250 * time.Millisecond
	meterWindow = 1500 * time.Millisecond
)

// meter tells how many requests a second each address served lately.
type meter struct {
	served func() map[string]int64

	mu       sync.Mutex
	readings []reading
}

// reading is all counts at one moment.
type reading struct {
	at     time.Time
	served map[string]int64
}

func newMeter(served func() map[string]int64) *meter { return &meter{served: served} }

// run reads the counts until ctx ends.
func (m *meter) run(ctx context.Context) {
	tick := time.NewTicker(meterStep)
	defer tick.Stop()
	for {
		m.read(time.Now())
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (m *meter) read(now time.Time) {
	served := m.served()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.readings = append(m.readings, reading{now, served})
	for len(m.readings) > 2 && now.Sub(m.readings[1].at) >= meterWindow {
		m.readings = m.readings[1:]
	}
}

// rate is the requests a second that were served at the address over the window,
// or since it began to serve.
func (m *meter) rate(address string) float64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	last := len(m.readings) - 1
	for i, first := range m.readings {
		before, known := first.served[address]
		after, still := m.readings[max(last, 0)].served[address]
		if known && still && i < last {
			return float64(after-before) / m.readings[last].at.Sub(first.at).Seconds()
		}
	}
	return 0
}
