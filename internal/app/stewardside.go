package app

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"
	"k8s.io/client-go/rest"

	"github.com/clusterswitch/clusterswitch/config"
	"github.com/clusterswitch/clusterswitch/internal/baton"
	"github.com/clusterswitch/clusterswitch/internal/floors"
	"github.com/clusterswitch/clusterswitch/internal/kube"
	"github.com/clusterswitch/clusterswitch/internal/logkey"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// roundWithin bounds one round of one side: hundreds of writes at the client's
// rate. What is not done by then is done by the next.
const roundWithin = 30 * time.Second

// giveBackWithin bounds how long a pair that leaves gives back what it holds.
const giveBackWithin = 10 * time.Second

// stewardSide is one cluster that a steward tends.
type stewardSide struct {
	side shift.Side
	name string // for people
	way  way
	make func(reach *rest.Config, side shift.Side, c config.Pair) (keepers, error)
	log  *zap.Logger
	wake chan struct{}

	// For the side's rounds alone.
	keepers keepers
	made    time.Time // when the way was last looked up; zero: never
	digest  string
	basis   config.Pair // the keepers were made for
	failed  bool        // the last round did not go through
	said    string      // the trouble that was logged last

	// known is guarded by the steward's mutex.
	known stewardKnown
}

// stewardKnown is what is known of one side.
type stewardKnown struct {
	intent     shift.ClusterIntent // of the last round
	floors     floors.Seen
	floorsErr  string // why the last round failed; empty: it didn't
	singletons baton.Reading
}

// stewardRound is what came of one round.
type stewardRound struct {
	floors     floors.Seen
	floorsErr  error
	singletons baton.Reading // nil: there was no way to read any
}

// round tends what the orders name, floors and singletons side by side.
func (d *stewardSide) round(ctx context.Context, o stewardOrders) stewardRound {
	ctx, cancel := context.WithTimeout(ctx, roundWithin)
	defer cancel()
	r := stewardRound{}
	if err := d.reach(ctx, o.config); err != nil {
		r.floorsErr = err
	} else {
		var tending sync.WaitGroup
		if o.floors && d.keepers.floors != nil {
			tending.Go(func() { r.floors, r.floorsErr = d.keepers.floors.Tend(ctx, o.intent) })
		}
		if o.singletons {
			tending.Go(func() { r.singletons = d.keepers.singletons.Tend(ctx, o.intent) })
		}
		tending.Wait()
	}
	d.failed = r.floorsErr != nil || r.singletons.Trouble() != nil
	d.tell(r)
	return r
}

// reach makes the keepers anew where they are missing or the configuration
// changed, and after a failure where the way to the cluster did.
func (d *stewardSide) reach(ctx context.Context, c config.Pair) error {
	same := !d.made.IsZero() && reflect.DeepEqual(d.basis, c)
	if same && (!d.failed || time.Since(d.made) < defaultRelink) && d.digest != "" {
		return nil
	}
	d.made = time.Now()
	access, digest, err := d.way(ctx)
	if err != nil {
		return err
	}
	if same && digest == d.digest {
		return nil
	}
	rest, err := kube.Connect(access)
	if err != nil {
		return err
	}
	made, err := d.make(rest, d.side, c)
	if err != nil {
		return err
	}
	d.keepers, d.digest, d.basis = made, digest, c
	return nil
}

// tell logs what was written, and what could not be, each trouble once.
func (d *stewardSide) tell(r stewardRound) {
	if n := len(r.floors.Done); n > 0 {
		const most = 5
		done := strings.Join(r.floors.Done[:min(n, most)], "; ")
		if n > most {
			done += fmt.Sprintf("; and %d more", n-most)
		}
		d.log.Info("floors of autoscalers written", logkey.Cluster(string(d.side)), logkey.Explanation(done))
	}
	err := r.floorsErr
	if err == nil {
		err = r.singletons.Trouble()
	}
	switch {
	case err == nil:
		d.said = ""
	case d.said != err.Error():
		d.said = err.Error()
		d.log.Warn("what is intended for the cluster is not done, it will be tried again",
			logkey.Cluster(string(d.side)), zap.Error(err))
	}
}

// take takes over what a round saw, and tells whether that is news. What could not
// be read keeps its former time.
func (d *stewardSide) take(o stewardOrders, r stewardRound) (news bool) {
	before := d.known
	next := stewardKnown{intent: o.intent}
	if o.floors {
		next.floors = before.floors
		if !r.floors.At.IsZero() {
			next.floors = r.floors
		}
		next.floorsErr = errorText(r.floorsErr)
	}
	if o.singletons {
		next.singletons = r.singletons
		if r.singletons == nil {
			next.singletons = baton.Unread(batonOrder(o.config, o.intent, d.side), before.singletons, errorText(r.floorsErr))
		}
	}
	d.known = next
	return !sameSeen(before, next)
}

// sameSeen tells whether two say the same of the same intent, however old they
// are.
func sameSeen(a, b stewardKnown) bool {
	return reflect.DeepEqual(a.intent, b.intent) && slices.Equal(a.floors.Autoscalers, b.floors.Autoscalers) &&
		slices.Equal(a.floors.Notes, b.floors.Notes) && a.floorsErr == b.floorsErr &&
		a.floors.At.IsZero() == b.floors.At.IsZero() && maps.EqualFunc(a.singletons, b.singletons, sameSingleton)
}

func sameSingleton(a, b shift.SingletonSide) bool {
	a.At, b.At = time.Time{}, time.Time{}
	return a == b
}

// holds tells whether this pair holds a floor on the side, as far as is known.
func (d *stewardSide) holds() bool {
	return slices.ContainsFunc(d.known.floors.Autoscalers, func(a shift.Autoscaler) bool { return a.Held > 0 })
}

// giveBack gives back the floors that are held on the given sides, for a pair that
// no longer tends these clusters. run must have ended. Singletons stay where they
// are, as the weights do.
func (s *steward) giveBack(ctx context.Context, sides ...shift.Side) {
	ctx, cancel := context.WithTimeout(ctx, giveBackWithin)
	defer cancel()
	var giving sync.WaitGroup
	for _, side := range s.sides {
		if slices.Contains(sides, side.side) {
			giving.Go(func() { s.giveBackOf(ctx, side) })
		}
	}
	giving.Wait()
}

func (s *steward) giveBackOf(ctx context.Context, side *stewardSide) {
	if !leads(s.standing) {
		return // the daemon that holds the lease gives them back
	}
	o := s.orders(side)
	if !o.intent.Hold && !s.mayHold(side, o) {
		return
	}
	log := s.log.With(logkey.Cluster(string(side.side)), logkey.Note(byHand))
	if o.intent.Leave {
		log.Error("floors of autoscalers may stay held, the daemon was not to touch them")
		return
	}
	o.intent = shift.ClusterIntent{Attempt: o.intent.Attempt}
	o.floors, o.singletons = true, false
	r := side.round(ctx, o)
	left := slices.ContainsFunc(r.floors.Autoscalers, func(a shift.Autoscaler) bool { return a.Held > 0 })
	if r.floorsErr != nil || left {
		log.Error("floors of autoscalers stay held, they could not be given back", zap.Error(r.floorsErr))
		return
	}
	s.log.Info("floors of autoscalers given back, the pair no longer tends the cluster", logkey.Cluster(string(side.side)))
}

// mayHold tells whether floors are held on a side, or may be for all that is known.
func (s *steward) mayHold(side *stewardSide, o stewardOrders) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	read := !side.known.floors.At.IsZero() && side.known.floorsErr == ""
	return side.holds() || o.held && !read
}

// byHand says what a person does about floors that stay held.
const byHand = "each such autoscaler has the annotation " + floors.Annotation + ", which says what it was: set that again and remove the annotation, " +
	"as docs/readiness.md shows, or put the pair back into the configuration"

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
