package app

import (
	"context"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/clusterswitch/clusterswitch/config"
	"github.com/clusterswitch/clusterswitch/internal/logkey"
	"github.com/clusterswitch/clusterswitch/internal/preflight/gather"
	"github.com/clusterswitch/clusterswitch/internal/retire"
	"github.com/clusterswitch/clusterswitch/switcher"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// retireBusy bounds how much of the time looks take: the next one begins no sooner
// than so many times as long as the last one took.
const retireBusy = 20

// retirer judges, for all pairs of the daemon, whether their blue clusters may be
// deleted: each cluster once, while one of its pairs is Completed. It is a
// switcher.Reporter that never blocks; run does the work, and reading tells of it
// from memory.
type retirer struct {
	look func(ctx context.Context, c *config.Config, r retiree) retire.Report
	log  *zap.Logger
	// slots holds a place for each look that may run at a time in the daemon, those of
	// preflights too.
	slots chan struct{}
	wake  chan struct{}
	// finished lets a pair's loop turn at once.
	finished func(pair string)

	mu     sync.Mutex // guards all below
	config *config.Config
	phases map[string]shift.Phase // by pair
	known  map[string]retireKnown // by the cluster's key
}

// retireKnown is the newest look at one cluster.
type retireKnown struct {
	reading shift.RetireReading
	// at is when the look began, took how long it lasted.
	at   time.Time
	took time.Duration
}

func newRetirer(look func(context.Context, *config.Config, retiree) retire.Report, slots chan struct{}, log *zap.Logger) *retirer {
	return &retirer{
		look: look, log: log, slots: slots, wake: make(chan struct{}, 1), finished: func(string) {},
		phases: map[string]shift.Phase{}, known: map[string]retireKnown{},
	}
}

// Report notes where a pair stands. What is known of its cluster falls with its
// phase.
func (r *retirer) Report(t switcher.Turn) {
	pair, phase := t.Plan.Pair, t.Decision.Next.Phase
	if t.Superseded || t.Standby {
		phase = shift.Idle // the daemon in charge looks by itself
	}
	r.mu.Lock()
	was := r.phases[pair]
	r.phases[pair] = phase
	if was != phase {
		if p := r.pair(pair); p != nil {
			delete(r.known, clusterKey(p.Blue))
		}
	}
	r.mu.Unlock()
	if was != phase && phase == shift.Completed {
		r.awake()
	}
}

// configure takes over a changed configuration; everything is looked at anew.
func (r *retirer) configure(c *config.Config) {
	r.mu.Lock()
	r.config, r.known = c, map[string]retireKnown{}
	r.mu.Unlock()
	r.awake()
}

func (r *retirer) awake() {
	select {
	case r.wake <- struct{}{}:
	default: // it is awake already
	}
}

// pair finds a pair of the configuration; nil: there is none.
func (r *retirer) pair(name string) *config.Pair {
	if r.config == nil {
		return nil
	}
	i := slices.IndexFunc(r.config.Pairs, func(p config.Pair) bool { return p.Name == name })
	if i < 0 {
		return nil
	}
	return &r.config.Pairs[i]
}

// reading gives what is known of a pair's blue, from memory. Only a pair that is
// Completed has one.
func (r *retirer) reading(pair string) shift.RetireReading {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.pair(pair)
	if p == nil || r.phases[pair] != shift.Completed {
		return shift.RetireReading{}
	}
	return r.known[clusterKey(p.Blue)].reading
}

// due gives the cluster whose look is wanted next, and when; nil: none is wanted.
// Where the preflight is off the daemon has no rights to read all of a cluster.
func (r *retirer) due() (c *config.Config, cluster *config.Cluster, at time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.config == nil {
		return nil, nil, time.Time{}
	}
	every := map[string]time.Duration{}
	clusters := map[string]config.Cluster{}
	for _, p := range r.config.Pairs {
		if key := clusterKey(p.Blue); r.phases[p.Name] == shift.Completed && p.Preflight.Mode != "off" {
			every[key], clusters[key] = max(every[key], p.Preflight.Every), p.Blue
		}
	}
	for _, key := range slices.Sorted(maps.Keys(clusters)) {
		next := time.Time{}
		if known := r.known[key]; !known.at.IsZero() {
			next = known.at.Add(max(every[key], retireBusy*known.took))
		}
		if cluster == nil || next.Before(at) {
			cluster, at = new(clusters[key]), next
		}
	}
	return r.config, cluster, at
}

// run looks at one cluster after the other, whenever one is due.
func (r *retirer) run(ctx context.Context) error {
	for {
		timer := time.NewTimer(r.step(ctx))
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-r.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// step does what is due, and gives the time until the next step.
func (r *retirer) step(ctx context.Context) time.Duration {
	c, cluster, at := r.due()
	switch wait := time.Until(at); {
	case ctx.Err() != nil || cluster == nil:
		return idle
	case wait > 0:
		return wait
	}
	select {
	case <-ctx.Done():
		return idle
	case r.slots <- struct{}{}:
	}
	defer func() { <-r.slots }()
	began, of := time.Now(), retireeOf(c, *cluster)
	reading := r.safely(ctx, c, of)
	if ctx.Err() != nil {
		return idle // half a look says "can't be read" of what can be
	}
	r.take(c, *cluster, retireKnown{reading: reading, at: began, took: time.Since(began)})
	for _, p := range of.pairs {
		r.finished(p.Name)
	}
	return 0
}

// take keeps a look, unless another configuration holds by now.
func (r *retirer) take(c *config.Config, cluster config.Cluster, known retireKnown) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.config == c {
		r.known[clusterKey(cluster)] = known
	}
}

// safely makes one look. A panic in it is unknown, for the reason that
// preflighter.safely gives.
func (r *retirer) safely(ctx context.Context, c *config.Config, of retiree) (reading shift.RetireReading) {
	began := time.Now().UTC()
	defer func() {
		fault := recover()
		if fault == nil {
			return
		}
		stack := debug.Stack()
		if crash, is := fault.(*gather.Crash); is {
			fault, stack = crash.Value, crash.Stack
		}
		reading = shift.RetireReading{At: began, Unknown: true, Message: fmt.Sprintf("a fault in the check itself: %v; please report it with the daemon's log", fault)}
		r.log.Error("the look whether blue may be deleted panicked", logkey.Stack(stack), logkey.Explanation(reading.Message))
	}()
	report := r.look(ctx, c, of)
	return shift.RetireReading{
		At: report.At, Safe: report.Verdict == retire.Safe, Unknown: report.Verdict == retire.Unknown,
		Message: fmt.Sprintf("%s: %s", report.Cluster, report.Summary()),
	}
}
