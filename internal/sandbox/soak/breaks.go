package soak

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/line"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/played"
)

// trigger waits for a write of weights of whoever is in charge.
type trigger struct {
	left  int // writes still to come, with the one that fires it
	after bool
	// hit is called with the writer; it returns whether the write is lost.
	hit   func(writer string) (lost bool)
	fired chan struct{}
}

// meet is called before and after each write of weights is carried out. It returns
// whether the write never arrived.
func (st *stage) meet(writer string, after bool) (lost bool) {
	if writer == person {
		return false
	}
	var due []*trigger
	st.mu.Lock()
	for _, t := range st.triggers {
		if t.after != after || t.left == 0 {
			continue
		}
		if t.left--; t.left == 0 {
			due = append(due, t)
		}
	}
	st.mu.Unlock()
	for _, t := range due {
		lost = t.hit(writer) || lost
		close(t.fired)
	}
	return lost
}

// breakThings lets all of the plan's faults happen, and returns when each is over.
func (st *stage) breakThings(ctx context.Context) error {
	began := time.Now()
	var mu sync.Mutex
	var errs []error
	var all sync.WaitGroup
	for _, f := range st.plan.faults {
		all.Go(func() {
			if err := played.Sleep(ctx, f.At-time.Since(began)); err != nil {
				return // the run is over, and says why
			}
			if err := st.inflict(ctx, f); err != nil && ctx.Err() == nil {
				mu.Lock()
				defer mu.Unlock()
				errs = append(errs, fmt.Errorf("%s: %w", f, err))
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// inflict lets one fault happen, from its beginning to its end.
func (st *stage) inflict(ctx context.Context, f fault) error {
	if f.OnWrite > 0 {
		return st.inflictOnWrite(ctx, f)
	}
	st.Story.Tell(f.String())
	switch f.Kind {
	case crash, freeze:
		return st.hurt(ctx, f, st.charge.who(f.Who, st.replicas))
	case apiCrash, apiFreeze:
		return st.withoutAPI(f.Kind, func() error { return played.Sleep(ctx, f.For) })
	case lineFault:
		return st.disturb(ctx, f)
	case awsFault:
		end, err := st.region.Cloud.Inject(f.AWS)
		if err != nil {
			return err
		}
		defer end()
		defer st.charge.hinder()()
		_ = played.Sleep(ctx, f.For)
		return nil
	}
	return fmt.Errorf("there is no fault %q", f.Kind)
}

// hurt kills or freezes processes, and lets them live again.
func (st *stage) hurt(ctx context.Context, f fault, hit []*replica) error {
	var errs []error
	for _, r := range hit {
		errs = append(errs, st.strikeDown(f.Kind, r))
	}
	_ = played.Sleep(ctx, f.For)
	for _, r := range hit {
		errs = append(errs, st.raiseUp(f.Kind, r))
	}
	return errors.Join(errs...)
}

func (st *stage) strikeDown(k kind, r *replica) error {
	at := time.Now()
	var did bool
	var err error
	if k == crash {
		did, err = r.crash()
	} else {
		did, err = r.freeze()
	}
	if did {
		st.charge.gone(r.name, k == freeze, at)
	}
	return err
}

func (st *stage) raiseUp(k kind, r *replica) error {
	var err error
	if k == crash {
		err = r.start()
	} else {
		err = r.thaw()
	}
	if r.runs() {
		st.charge.here(r.name)
	}
	return err
}

// lostWrite is how long a fault waits for its write: no longer than faults may go on.
const lostWrite = 10 * time.Second

// inflictOnWrite hits the writer of a write that is under way.
func (st *stage) inflictOnWrite(ctx context.Context, f fault) error {
	var writer *replica
	var failed error
	t := &trigger{left: f.OnWrite, after: f.After, fired: make(chan struct{}), hit: func(name string) bool {
		for _, r := range st.replicas {
			if r.name == name {
				writer = r
			}
		}
		st.Story.Tell(f.String() + ", by " + name)
		failed = st.strikeDown(f.Kind, writer)
		return f.Kind == crash && !f.After
	}}
	st.mu.Lock()
	st.triggers = append(st.triggers, t)
	st.mu.Unlock()
	wait, cancel := context.WithTimeout(ctx, lostWrite)
	defer cancel()
	select {
	case <-t.fired:
	case <-wait.Done():
		st.mu.Lock()
		t.left = 0 // no write came
		st.mu.Unlock()
		return nil
	}
	_ = played.Sleep(ctx, f.For)
	return errors.Join(failed, st.raiseUp(f.Kind, writer))
}

// withoutAPI takes the management API away for as long as something lasts. Faults of
// the same kind wait for each other.
func (st *stage) withoutAPI(k kind, lasts func() error) error {
	st.api.Lock()
	defer st.api.Unlock()
	defer st.charge.hinder()()
	management := st.world.Management
	gone, back := management.CrashAPIServer, management.RestartAPIServer
	if k == apiFreeze {
		gone, back = management.FreezeAPIServer, management.ThawAPIServer
	}
	if err := gone(); err != nil {
		return err
	}
	err := lasts()
	return errors.Join(err, back())
}

// disturb cuts lines of daemons, or lets them fall silent.
func (st *stage) disturb(ctx context.Context, f fault) error {
	defer st.charge.hinder()()
	hit := st.charge.who(f.Who, st.replicas)
	for _, r := range hit {
		r.set(f.To, f.State)
	}
	_ = played.Sleep(ctx, f.For)
	for _, r := range hit {
		r.set(f.To, line.Open)
	}
	return nil
}

// mend ends whatever is left of faults.
func (st *stage) mend() error {
	st.region.Cloud.ClearFaults()
	var errs []error
	for _, r := range st.replicas {
		for _, to := range []string{toManagement, toBlue, toGreen, toAWS} {
			r.set(to, line.Open)
		}
		errs = append(errs, r.thaw(), r.start())
		st.charge.here(r.name)
	}
	return errors.Join(errs...)
}
