package app

import (
	"context"
	"reflect"
	"sync"
	"time"

	"github.com/clusterswitch/clusterswitch/config"
	"github.com/clusterswitch/clusterswitch/switcher"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// gateMeter asks the sources of one pair's gates, beside the loop. A look takes
// what is known from memory and says what to ask about; when to ask follows from
// each gate's own interval. Each gate is asked alone, so that a source that hangs
// holds up no other.
type gateMeter struct {
	aws *aws
	now func() time.Time
	// nudged wakes run.
	nudged chan struct{}

	mu    sync.Mutex // guards all below, and what the gauges remember
	gates []*gateSlot
	look  gateLook
	// patience is how long a look speaks for: a loop that stands still asks nothing.
	patience time.Duration
}

// gateSlot is one gate with its gauge.
type gateSlot struct {
	// spec is all that the gauge was made of: one of another spec begins anew.
	spec  gateSpec
	gauge gauge
	busy  bool
}

// gateSpec is what a gate is measured by. Nothing else makes a difference to it.
type gateSpec struct {
	gate       config.Gate
	pair       string
	counted    countedAt
	staleAfter time.Duration
}

// gauge measures one gate. All but what question gives runs under the meter's lock.
type gauge interface {
	// due tells when to ask next; false: by this look there is nothing to ask.
	due(l gateLook, now time.Time) (time.Time, bool)
	// question asks, without the lock. What it gives keeps the answer.
	question(l gateLook, now time.Time) func(ctx context.Context) (keep func())
	// read adds what is known.
	read(l gateLook, now time.Time, o *shift.Observation)
}

// gateLook is what a look tells of gates.
type gateLook struct {
	// at is when it was; active: users' traffic counts, or is about to.
	at     time.Time
	active bool
	// since is from when on green has users; zero: it has none.
	since    time.Time
	asking   shift.Asking
	evidence []shift.GateEvidence
}

// of gives what a look remembers of a gate.
func (l gateLook) of(gate string) (shift.GateEvidence, bool) {
	for _, e := range l.evidence {
		if e.Gate == gate {
			return e, true
		}
	}
	return shift.GateEvidence{}, false
}

// answerWithin bounds all calls for one gate's answer together. Each has a bound of
// its own besides.
const answerWithin = 2 * time.Minute

func newGateMeter(a *aws, now func() time.Time) *gateMeter {
	return &gateMeter{aws: a, now: now, nudged: make(chan struct{}, 1)}
}

// configure takes over what to measure. A gate that is measured as before keeps
// what is known of it.
func (m *gateMeter) configure(c *config.Config, p config.Pair) {
	m.take(specsOfGates(c, p), max(2*c.Interval, time.Minute), m.gaugeOf)
}

func (m *gateMeter) take(specs []gateSpec, patience time.Duration, made func(gateSpec) gauge) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var next []*gateSlot
	for _, spec := range specs {
		slot := m.had(spec)
		if slot == nil {
			slot = &gateSlot{spec: spec, gauge: made(spec)}
		}
		next = append(next, slot)
	}
	m.gates, m.patience = next, patience
	m.wake()
}

func (m *gateMeter) had(spec gateSpec) *gateSlot {
	for _, slot := range m.gates {
		if reflect.DeepEqual(slot.spec, spec) {
			return slot
		}
	}
	return nil
}

// observe adds what is known of all gates. An urgent look asks for nothing new: a
// rollback isn't judged.
func (m *gateMeter) observe(l switcher.Look, o *shift.Observation) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.now()
	look := gateLook{at: now, since: l.MeasureFrom, asking: l.Asking, evidence: l.Evidence}
	look.active = l.Loads || !l.MeasureFrom.IsZero() || l.Asking.Step > 0
	if !look.active {
		m.look = look
		return
	}
	for _, slot := range m.gates {
		slot.gauge.read(look, now, o)
	}
	if l.Attention != shift.Urgent {
		m.look = look
		m.wake()
	}
}

func (m *gateMeter) wake() {
	select {
	case m.nudged <- struct{}{}:
	default: // it is awake already
	}
}

// run asks whatever is due, until ctx ends.
func (m *gateMeter) run(ctx context.Context) error {
	var asking sync.WaitGroup
	defer asking.Wait()
	for {
		timer := time.NewTimer(m.askDue(ctx, &asking))
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-m.nudged:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// askDue starts every question that is due, and gives the time until the next is.
func (m *gateMeter) askDue(ctx context.Context, asking *sync.WaitGroup) time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	now, next := m.now(), time.Hour
	if !m.look.active || now.Sub(m.look.at) > m.patience {
		return next
	}
	for _, slot := range m.gates {
		if slot.busy {
			continue
		}
		at, ok := slot.gauge.due(m.look, now)
		switch {
		case !ok:
		case at.After(now):
			next = min(next, at.Sub(now))
		default:
			slot.busy = true
			question := slot.gauge.question(m.look, now)
			asking.Go(func() { m.ask(ctx, slot, question) })
		}
	}
	return next
}

// ask waits for one answer. A gate that was configured otherwise meanwhile is no
// longer among those that are read.
func (m *gateMeter) ask(ctx context.Context, slot *gateSlot, question func(context.Context) func()) {
	bounded, done := context.WithTimeout(ctx, answerWithin)
	defer done()
	keep := question(bounded)
	m.mu.Lock()
	defer m.mu.Unlock()
	keep()
	slot.busy = false
	m.wake()
}
