package load

import (
	"math"
	"math/bits"
	"time"
)

const (
	// windowStep and windowSteps make the sliding window: the last full
	// second in steps of a tenth, and the tenth that is running.
	windowStep  = 100 * time.Millisecond
	windowSteps = 11
)

// window counts the outcomes of the last second.
type window struct {
	ring [windowSteps]tenth
}

// tenth is the outcomes of one step of time, by host.
type tenth struct {
	number int64 // of the step since the start
	hosts  map[string]Count
}

// add counts an outcome at the given time since the start.
func (w *window) add(at time.Duration, o outcome) {
	number := int64(at / windowStep)
	t := &w.ring[number%windowSteps]
	if t.hosts == nil || t.number != number {
		*t = tenth{number: number, hosts: map[string]Count{}}
	}
	addTo(t.hosts, o)
}

// last sums up what was counted in the second before the given time.
func (w *window) last(at time.Duration) (Count, map[string]Count) {
	now := int64(at / windowStep)
	sum, byHost := newCount(), map[string]Count{}
	for _, t := range w.ring {
		if t.number > now-windowSteps && t.number <= now {
			for host, count := range t.hosts {
				if _, ok := byHost[host]; !ok {
					byHost[host] = newCount()
				}
				known := byHost[host]
				known.merge(count)
				byHost[host] = known
				sum.merge(count)
			}
		}
	}
	return sum, byHost
}

const (
	// octaves of the histogram from 1 µs on: the last ends after 19 hours.
	octaves = 36
	// eighths is the number of steps in an octave, as a power of two.
	eighths = 3
)

// histogram counts durations in steps of an eighth of an octave's base.
type histogram struct {
	total  int64
	counts [octaves << eighths]int64
}

// add counts one duration; those below 1 µs and above the end count as the
// first and the last step.
func (h *histogram) add(d time.Duration) {
	h.total++
	h.counts[step(d)]++
}

// step finds the step of a duration: its octave is the position of the highest
// bit of its microseconds, its eighth the three bits below.
func step(d time.Duration) int {
	micros := uint64(max(d/time.Microsecond, 1))
	octave := bits.Len64(micros) - 1
	eighth := (micros << eighths >> octave) & (1<<eighths - 1)
	return min(octave<<eighths+int(eighth), octaves<<eighths-1)
}

// quantile returns the upper end of the step in which the given part, 0 to 1,
// of all durations is reached; 0 when there are none.
func (h *histogram) quantile(part float64) time.Duration {
	wanted := int64(math.Ceil(part * float64(h.total)))
	var seen int64
	for i, n := range h.counts {
		if seen += n; n > 0 && seen >= wanted {
			octave, eighth := i>>eighths, i&(1<<eighths-1)
			return time.Duration(float64(time.Microsecond) * math.Ldexp(1+float64(eighth+1)/(1<<eighths), octave))
		}
	}
	return 0
}
