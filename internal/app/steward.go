package app

import (
	"context"
	"reflect"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"
	"k8s.io/client-go/rest"

	"github.com/clusterswitch/clusterswitch/config"
	"github.com/clusterswitch/clusterswitch/internal/baton"
	"github.com/clusterswitch/clusterswitch/internal/floors"
	"github.com/clusterswitch/clusterswitch/switcher"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// floorKeeper brings the autoscalers of one side to what is intended of them,
// and tells what it saw.
type floorKeeper interface {
	Tend(ctx context.Context, i shift.ClusterIntent) (floors.Seen, error)
}

// singletonKeeper brings the singletons of one side to what is intended of them,
// and tells what each is, by its key: of those that the configuration and the
// intent name. What befell one of them is in its Err.
type singletonKeeper interface {
	Tend(ctx context.Context, i shift.ClusterIntent) baton.Reading
}

// keepers tend one side. One that is nil has nothing to do there.
type keepers struct {
	floors     floorKeeper
	singletons singletonKeeper
}

// newKeepers makes those of one side of a pair. It asks nobody anything yet.
func newKeepers(reach *rest.Config, side shift.Side, c config.Pair) (k keepers, err error) {
	k.floors, err = floors.New(floors.Options{Config: reach, Pair: c.Name, Side: side, Namespaces: c.Workloads.Namespaces})
	if err != nil {
		return k, err
	}
	k.singletons, err = newBatonKeeper(reach, side, c)
	return k, err
}

// steward carries out beside the loop what the core intends for a pair's
// clusters, each side at its own pace: the traffic waits for neither. It is a
// switcher.Steward and a switcher.Reporter that never blocks; run does the work,
// and reading, singletons and notes tell of it from memory. When it stops it
// undoes nothing: only giveBack does.
type steward struct {
	log *zap.Logger
	// standing tells whether anything may be written.
	standing standing
	// changed lets the loop turn at once.
	changed func()
	sides   []*stewardSide // blue's, then green's

	mu     sync.Mutex // guards all below, and what of the sides is known
	told   bool       // whether the loop said yet what is intended
	intent shift.ClusterIntent
	needs  stewardNeeds
	config config.Pair
}

// stewardNeeds is what of the state decides what is read, and how often.
type stewardNeeds struct {
	interval time.Duration
	// active: a shift is under way.
	active bool
	// pin and held: floors are to be held, or to be given back.
	pin, held bool
	// singletons: the pair has some.
	singletons bool
}

// restEvery is how often clusters are read for which nothing is intended while no
// shift is under way.
const restEvery = time.Minute

func (a *App) newSteward(cfg config.Pair, log *zap.Logger) *steward {
	s := &steward{log: log, standing: a.ledger.standing, config: cfg}
	for _, side := range []shift.Side{shift.Blue, shift.Green} {
		name, find := a.ways.to(clusterOf(cfg, side))
		s.sides = append(s.sides, &stewardSide{side: side, name: name, way: find, make: newKeepers, log: log, wake: make(chan struct{}, 1)})
	}
	return s
}

// Intend takes over what is intended for the clusters.
func (s *steward) Intend(i shift.ClusterIntent) {
	s.mu.Lock()
	news := !s.told || !reflect.DeepEqual(i, s.intent)
	s.told, s.intent = true, i
	s.mu.Unlock()
	if news {
		s.awake()
	}
}

// Report notes what is to be read, and how often.
func (s *steward) Report(t switcher.Turn) {
	next := t.Decision.Next
	n := stewardNeeds{
		interval: t.Plan.Interval, active: next.Active(), pin: t.Plan.Capacity.Pin,
		held: next.FloorsHeld, singletons: t.Plan.Singletons.At > 0 || len(next.Baton) > 0,
	}
	s.mu.Lock()
	news := n != s.needs
	s.needs = n
	s.mu.Unlock()
	if news {
		s.awake()
	}
}

// configure takes over a changed configuration.
func (s *steward) configure(c config.Pair) {
	s.mu.Lock()
	s.config = c
	s.mu.Unlock()
	s.awake()
}

func (s *steward) awake() {
	for _, side := range s.sides {
		select {
		case side.wake <- struct{}{}:
		default: // it is awake already
		}
	}
}

// run tends both sides side by side until ctx ends.
func (s *steward) run(ctx context.Context) error {
	var tending sync.WaitGroup
	for _, side := range s.sides {
		tending.Go(func() { s.keep(ctx, side) })
	}
	tending.Wait()
	return nil
}

// keep tends one side whenever something changed, and at each interval.
func (s *steward) keep(ctx context.Context, side *stewardSide) {
	for {
		timer := time.NewTimer(s.tend(ctx, side))
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-side.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// tend makes one round of a side where there is something to do, and gives the
// time until the next.
func (s *steward) tend(ctx context.Context, side *stewardSide) time.Duration {
	o := s.orders(side)
	if ctx.Err() != nil {
		return idle
	}
	if !o.floors && !o.singletons {
		s.mu.Lock()
		side.known = stewardKnown{}
		s.mu.Unlock()
		return idle
	}
	working, done := ctx, func() {}
	if !o.intent.Leave {
		working, done = s.standing.While(ctx)
	}
	round := side.round(working, o)
	cut := working.Err() != nil
	done()
	switch { // half a round would call unreadable what nobody read
	case ctx.Err() != nil:
		return idle
	case cut: // the lease was lost: from now on it only reads
		return time.Second
	}
	s.take(side, o, round)
	if o.intent.Leave && !o.active {
		return max(o.interval, restEvery)
	}
	return o.interval
}

// stewardOrders are what one round of one side is to do.
type stewardOrders struct {
	stewardNeeds
	intent shift.ClusterIntent
	config config.Pair
	// floors and singletons tell what is tended.
	floors, singletons bool
}

// orders gives what there is to do on a side now. Until the loop has read its
// journal nobody knows what is intended: then clusters are only read, as they are
// by who stands by.
func (s *steward) orders(side *stewardSide) stewardOrders {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := stewardOrders{stewardNeeds: s.needs, intent: s.intent, config: s.config}
	if !s.told || !leads(s.standing) {
		o.intent = shift.ClusterIntent{Leave: true, Attempt: o.intent.Attempt}
	}
	o.floors = o.pin || o.held || o.intent.Hold || side.holds()
	o.singletons = o.stewardNeeds.singletons || len(o.intent.Singletons) > 0
	if o.interval <= 0 {
		o.interval = restEvery
	}
	return o
}

// take publishes what a round saw. The loop hears of it when it is something new,
// or the first answer to a new intent.
func (s *steward) take(side *stewardSide, o stewardOrders, r stewardRound) {
	s.mu.Lock()
	news := side.take(o, r)
	s.mu.Unlock()
	if news && s.changed != nil {
		s.changed()
	}
}

// reading gives what is known of the autoscalers of both sides, from memory.
func (s *steward) reading() shift.FloorsReading {
	s.mu.Lock()
	defer s.mu.Unlock()
	var r shift.FloorsReading
	for i, side := range s.sides {
		known := side.known.floors
		if i == 0 || known.At.Before(r.At) {
			r.At = known.At
		}
		if side.known.floorsErr != "" {
			r.Err = joinSentences(r.Err, string(side.side)+": "+side.known.floorsErr)
		}
		if side.side == shift.Blue {
			r.Blue = slices.Clone(known.Autoscalers)
		} else {
			r.Green = slices.Clone(known.Autoscalers)
		}
	}
	return r
}

// singletons gives what is known of the singletons of both sides, from memory,
// sorted by their keys.
func (s *steward) singletons() []shift.SingletonReading {
	s.mu.Lock()
	defer s.mu.Unlock()
	return baton.Join(batonOrder(s.config, s.intent, shift.Blue), s.sides[0].known.singletons, s.sides[1].known.singletons)
}

// notes says to those who read the journal what is odd about autoscalers.
func (s *steward) notes() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var notes []string
	for _, side := range s.sides {
		for _, n := range side.known.floors.Notes {
			notes = append(notes, string(side.side)+": "+n)
		}
	}
	return notes
}

func joinSentences(a, b string) string {
	if a == "" {
		return b
	}
	return a + "; " + b
}
