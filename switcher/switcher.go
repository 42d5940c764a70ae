// Package switcher is the loop: observe, decide, journal, act, read back. It
// carries out what package shift decides and chooses nothing itself.
package switcher

import (
	"context"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/clusterswitch/clusterswitch/internal/logkey"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// Timeouts bound each part of a turn.
type Timeouts struct {
	Observe time.Duration // looking at the world
	Urgent  time.Duration // looking at the entrances before a rollback
	Journal time.Duration // journaling a rise, which waits for it
	// JournalLowering bounds journaling when green is lowered: that goes out
	// whether or not it could be journaled.
	JournalLowering time.Duration
	Write           time.Duration // writing to AWS, also while the daemon stops
}

// DefaultTimeouts are the bounds of a daemon in production.
func DefaultTimeouts() Timeouts {
	return Timeouts{
		Observe: 10 * time.Second, Urgent: 2 * time.Second,
		Journal: 10 * time.Second, JournalLowering: time.Second,
		Write: 10 * time.Second,
	}
}

// Options are what a Switcher is made of.
type Options struct {
	Plan      shift.Plan
	Observer  Observer
	Journal   Journal
	Committer Committer
	// Steward tends the clusters; nil: nobody does.
	Steward  Steward
	Reporter Reporter
	// Lease says whether this process may write; nil: it always may.
	Lease    Lease
	Logger   *zap.Logger
	Timeouts Timeouts // zero: DefaultTimeouts
	// Within bounds what is done by a time from now; nil: context.WithTimeout. A
	// simulation has a clock of its own.
	Within func(ctx context.Context, bound time.Duration) (context.Context, context.CancelFunc)
}

// Switcher runs one pair. Step is for one goroutine; SetPlan and Wake may be
// called from any.
type Switcher struct {
	observer  Observer
	journal   Journal
	committer Committer
	steward   Steward
	reporter  Reporter
	lease     Lease
	log       turnLog
	timeouts  Timeouts
	within    func(context.Context, time.Duration) (context.Context, context.CancelFunc)

	plan atomic.Pointer[shift.Plan]
	wake chan struct{}
	cut  atomic.Pointer[context.CancelFunc] // ends the look that is under way

	cutShort   bool  // the last look was ended early
	loaded     bool  // the journal was read and joined with the marks
	unjoined   error // why not, while loaded is false
	superseded bool  // a newer daemon took charge
	state      shift.State
	saved      shift.State // what the journal is known to hold
	said       shift.Said  // what was last journaled beside the state, and when
	saidAt     time.Time
	charged    bool          // this daemon is in the journal
	asked      bool          // the last try to load the journal had an answer
	tried      []shift.State // saves since saved whose answer is not known
	epoch      int64         // of its last save, or try
	again      time.Duration // distance to the next try of a write
	failure    string        // what kept the last write from landing; empty: nothing
	blind      int           // urgent looks in a row that couldn't read an entrance
	unheeded   time.Time     // since when the successor leaves a rollback undone
	term       int64         // of the lease that the last turn held
	away       bool          // this turn doesn't hold the lease
	heard      bool          // the journal could be asked once
	rooted     bool          // the state follows from one that the journal held
}

// New makes the loop of one pair. It touches nothing yet.
func New(o Options) *Switcher {
	if o.Timeouts == (Timeouts{}) {
		o.Timeouts = DefaultTimeouts()
	}
	if o.Within == nil {
		o.Within = context.WithTimeout
	}
	s := &Switcher{
		observer: o.Observer, journal: o.Journal, committer: o.Committer, steward: o.Steward, reporter: o.Reporter,
		lease: o.Lease, timeouts: o.Timeouts, within: o.Within,
		log:  turnLog{logger: o.Logger.With(logkey.Pair(o.Plan.Pair)), failing: map[string]failedWrite{}},
		wake: make(chan struct{}, 1), state: shift.NewState(),
	}
	s.plan.Store(&o.Plan)
	return s
}

// SetPlan takes over a changed configuration from the next turn on.
func (s *Switcher) SetPlan(p shift.Plan) {
	s.plan.Store(&p)
	s.Wake()
}

// Wake asks for a turn at once; where a rollback is asked for, a look that is
// under way ends for it.
func (s *Switcher) Wake() {
	select {
	case s.wake <- struct{}{}:
	default: // a turn is due already
	}
	cut := s.cut.Load()
	if cut != nil && len(s.observer.Request(shift.State{}, false).RollbackBy) > 0 {
		(*cut)()
	}
}

// Run takes turns until ctx ends. Stopping rolls nothing back and loses
// nothing: the next daemon goes on from the journal.
func (s *Switcher) Run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.wake:
		case <-timer.C:
		}
		if ctx.Err() != nil {
			return // both were ready, and select took the other
		}
		now := time.Now()
		// The journal keeps times to the second's fraction, not to this
		// process's monotonic clock.
		wakeAt := s.Step(ctx, now.UTC().Round(0))
		if s.again == 0 { // nothing is to be tried again, which keeps its own distance
			wakeAt = together(wakeAt, now, s.plan.Load().Interval)
		}
		timer.Reset(wakeAt.Sub(now))
	}
}

// together brings a regular look forward to the next multiple of the interval:
// all pairs of a daemon then look at the same instants, so that one listing of
// what they share serves them all. Any other look keeps its time.
func together(wakeAt, now time.Time, interval time.Duration) time.Time {
	if interval <= 0 || wakeAt.Sub(now) < interval {
		return wakeAt
	}
	if grid := wakeAt.Truncate(interval); grid.After(now) {
		return grid
	}
	return wakeAt
}
