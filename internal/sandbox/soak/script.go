package soak

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/backend"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/line"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/played"
)

// deed is what a person did, or what happened to green, and what came of it.
type deed struct {
	asked time.Time
	had   bool          // green had users then
	took  time.Duration // to green's 0 at AWS; 0: green had no users
	// done is called once everything is over.
	done func() error
}

const (
	// tryFor is how long a person waits for a command before trying again.
	tryFor = 5 * time.Second
	// withoutAPIWithin is how long Route 53 may take to go back without the management
	// API: a look that hangs on the journal, a write, and one more of each for a fault
	// of AWS.
	withoutAPIWithin = 25 * time.Second
)

// play plays the plan's story; the daemons run.
func (st *stage) play(ctx context.Context) (*deed, error) {
	switch st.plan.story {
	case toTheEnd:
		return &deed{}, nil
	case byFlag:
		if err := st.when(ctx); err != nil {
			return nil, err
		}
		return st.askByFlag(ctx)
	case apiAway:
		if err := st.when(ctx); err != nil {
			return nil, err
		}
		return st.askWithoutAPI(ctx)
	case byUsers:
		if err := st.when(ctx); err != nil {
			return nil, err
		}
		return st.failGreen()
	}
	return nil, fmt.Errorf("there is no story %q", st.plan.story)
}

// when waits for the moment at which the story goes on.
func (st *stage) when(ctx context.Context) error {
	bounded, cancel := context.WithTimeout(ctx, stormy+calm+st.plan.term.Lease)
	defer cancel()
	err := st.judge.await(bounded, fmt.Sprintf("green has %d %%", st.plan.share), func(shares map[string]int) bool {
		return max(shares[www], shares[api]) >= st.plan.share
	})
	if err != nil && ctx.Err() == nil {
		st.judge.accuse("L1: %v", err)
	}
	return played.Sleep(ctx, st.plan.later)
}

func (st *stage) onGreen() bool {
	shares, _ := st.judge.stands()
	return shares[www]+shares[api] > 0
}

// askByFlag runs the rollback command, again and again where the API is away. The
// request counts from the start of the try that went through.
func (st *stage) askByFlag(ctx context.Context) (*deed, error) {
	had := st.onGreen()
	st.judge.allow(time.Now())
	for {
		try := time.Now()
		bounded, cancel := context.WithTimeout(ctx, tryFor)
		err := st.Command(bounded, "rollback", pair)
		cancel()
		if err == nil {
			return &deed{asked: try, had: had}, nil
		}
		if err := played.Sleep(ctx, 200*time.Millisecond); err != nil {
			return nil, err
		}
	}
}

// askWithoutAPI takes the management API away, sets the flag in the configuration,
// and takes what the daemons may not write back by hand.
func (st *stage) askWithoutAPI(ctx context.Context) (*deed, error) {
	d := &deed{}
	back := func() error {
		if err := played.Sleep(ctx, st.plan.lapse); err != nil {
			return err
		}
		d.asked, d.had = time.Now(), st.onGreen()
		st.judge.allow(d.asked)
		st.Story.Tell("the management API is away; a person sets rollback: true in the configuration")
		for _, r := range st.replicas {
			if err := r.configure(st, true); err != nil {
				return err
			}
		}
		bounded, cancel := context.WithTimeout(ctx, withoutAPIWithin)
		defer cancel()
		err := st.judge.await(bounded, "Route 53 goes back without the management API", func(shares map[string]int) bool { return shares[www] == 0 })
		if err != nil && ctx.Err() == nil {
			st.judge.accuse("S10: %v", err)
		}
		if err := st.Command(ctx, "rollback", "--direct", pair); err != nil {
			return err
		}
		return st.judge.await(ctx, "rollback --direct has brought all back", nobodyOnGreen)
	}
	if st.plan.seed%2 == 0 {
		return d, st.withoutAPI(apiCrash, back)
	}
	st.api.Lock()
	defer st.api.Unlock()
	defer st.charge.hinder()()
	for _, r := range st.replicas {
		r.set(toManagement, line.Silent)
		defer r.set(toManagement, line.Cut) // what was held is lost
	}
	return d, back()
}

func nobodyOnGreen(shares map[string]int) bool { return shares[www] == 0 && shares[api] == 0 }

// failGreen lets half of green's answers be errors.
func (st *stage) failGreen() (*deed, error) {
	d := &deed{asked: time.Now(), had: st.onGreen(), done: func() error { return st.world.Green.Pods.SetFaults(backend.Faults{}) }}
	st.judge.allow(d.asked)
	st.Story.Tell("half of green's answers are errors from now on")
	return d, st.world.Green.Pods.SetFaults(backend.Faults{ErrorRatio: 0.5})
}

// measure waits until green has nobody, and says how long that took.
func (st *stage) measure(ctx context.Context, d *deed) error {
	if d.asked.IsZero() || !d.had {
		return nil
	}
	err := st.judge.await(ctx, "green has nobody", func(shares map[string]int) bool {
		return nobodyOnGreen(shares) || st.plan.story == byUsers && shares[www] == 100 && shares[api] == 100
	})
	if err != nil {
		return err
	}
	if shares, _ := st.judge.stands(); nobodyOnGreen(shares) {
		d.took = max(st.judge.lastEffect().Sub(d.asked), time.Millisecond)
	}
	return nil
}

const (
	// calm is how long the end may take once all faults are over, beside a lease: a
	// whole shift, and 2 minutes for a change of Route 53 whose answer was lost. Nobody
	// can ask whether that is on all servers, so that much time stands for it.
	calm = 3 * time.Minute
	// quiet is how long nothing may move in the end.
	quiet = 2 * time.Second
)

// arrive waits for the end, and that it stays.
func (st *stage) arrive(ctx context.Context, asked bool) (phase string, err error) {
	bounded, cancel := context.WithTimeout(ctx, calm+st.plan.term.Lease)
	defer cancel()
	for {
		var news, moves <-chan struct{}
		var shares map[string]int
		phase, news = st.now()
		shares, moves = st.judge.stands()
		if arrived(phase, shares, asked) {
			break
		}
		select {
		case <-bounded.Done():
			if ctx.Err() != nil {
				return phase, context.Cause(ctx)
			}
			last := st.Story.Last()
			st.judge.accuse("L1: %s after the last fault it is %s, www at %d %%, api at %d %%: %s: %s", calm, phase, shares[www], shares[api], last.Reason, last.Message)
			return phase, nil
		case <-news:
		case <-moves:
		}
	}
	before := st.judge.lastEffect()
	if err := played.Sleep(ctx, quiet); err != nil {
		return phase, err
	}
	if st.judge.lastEffect() != before {
		st.judge.accuse("S6: something moved after the end")
	}
	return phase, nil
}

func arrived(phase string, shares map[string]int, asked bool) bool {
	if !asked {
		return phase == "Completed" && shares[www] == 100 && shares[api] == 100
	}
	// Who asks before anything began, has nothing to go back from.
	return (phase == "RolledBack" || phase == "Idle") && nobodyOnGreen(shares)
}

// run plays one run and gives what came of it. An error says that it could not be
// played; what must not be is in the result.
func (st *stage) run(ctx context.Context) (r Result, err error) {
	began := time.Now()
	r = Result{Seed: st.plan.seed, Story: string(st.plan.story), Lease: st.plan.term.Lease.String(), Violations: []string{}}
	for _, f := range st.plan.faults {
		r.Faults = append(r.Faults, f.String())
	}
	for _, one := range st.replicas {
		if err := one.start(); err != nil {
			return r, err
		}
	}
	broken := make(chan error, 1)
	go func() { broken <- st.breakThings(ctx) }()
	d, err := st.play(ctx)
	if err == nil {
		err = st.measure(ctx, d)
	}
	err = errors.Join(err, <-broken, st.mend())
	if err != nil {
		return r, err
	}
	if r.End, err = st.arrive(ctx, !d.asked.IsZero()); err != nil {
		return r, err
	}
	if d.done != nil {
		err = d.done()
	}
	st.conclude(&r, d)
	r.Seconds = time.Since(began).Seconds()
	return r, err
}
