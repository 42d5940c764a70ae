package probes

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/clusterswitch/clusterswitch/internal/logkey"
)

// spread is how far an interval is stretched or shortened, so that probes of one interval do not fall into step.
const spread = 0.1

// maxErrorText bounds what is kept of an error, in bytes.
const maxErrorText = 1024

// Options are what a Runner needs from outside.
type Options struct {
	// Logger hears of each change of a probe's state, and of each run at debug level. Nil logs nothing.
	Logger *zap.Logger

	// Random gives numbers from 0 up to but without 1, which spread the runs. It is never called by two goroutines at a
	// time. Nil spreads nothing: each probe first runs after half its interval.
	Random func() float64
}

// Runner runs a set of probes, which may be replaced at any time.
type Runner struct {
	log *zap.Logger
	// changed holds a value when Run has to look at probes again.
	changed chan struct{}

	// mu guards everything below, and the insides of the probes.
	mu     sync.Mutex
	random func() float64
	probes []*probe
}

// probe is one probe of a set with all that is known of it.
type probe struct {
	spec   Spec
	window window
	// stop ends the probe's goroutine; nil means that it has none.
	stop context.CancelFunc
	// dropped probes are no longer part of the set.
	dropped bool
}

// New returns a Runner without any probe. It does nothing before Run.
func New(opts Options) *Runner {
	r := &Runner{log: opts.Logger, random: opts.Random, changed: make(chan struct{}, 1)}
	if r.log == nil {
		r.log = zap.NewNop()
	}
	if r.random == nil {
		r.random = func() float64 { return 0.5 }
	}
	return r
}

// Set replaces the set of probes. A probe whose spec did not change keeps its history and its rhythm, and goes on with
// the new spec's Func; any other begins anew, as unknown. A bad spec or a name used twice is refused, and the old set
// goes on.
func (r *Runner) Set(specs []Spec) error {
	if err := validSet(specs); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()

	old := r.probes
	r.probes = make([]*probe, 0, len(specs))
	for _, spec := range specs {
		i := slices.IndexFunc(old, func(p *probe) bool { return p.spec.same(spec) })
		if i < 0 {
			r.probes = append(r.probes, &probe{
				spec:   spec,
				window: window{successes: spec.Successes, failures: spec.Failures},
			})
			continue
		}
		old[i].spec.Check = spec.Check
		r.probes = append(r.probes, old[i])
	}
	for _, p := range old {
		if !slices.Contains(r.probes, p) {
			p.dropped = true
			if p.stop != nil {
				p.stop()
			}
		}
	}
	select {
	case r.changed <- struct{}{}:
	default:
		// Run has not yet looked since the last change, and will see this one too.
	}
	return nil
}

func validSet(specs []Spec) error {
	var faults []error
	seen := map[string]bool{}
	for _, spec := range specs {
		if err := spec.valid(); err != nil {
			faults = append(faults, err)
		}
		if seen[spec.Name] {
			faults = append(faults, fmt.Errorf("probe %q: the name is used twice", spec.Name))
		}
		seen[spec.Name] = true
	}
	return errors.Join(faults...)
}

// Snapshot returns what is known of each probe, in the order of the set.
func (r *Runner) Snapshot() []Reading {
	r.mu.Lock()
	defer r.mu.Unlock()
	readings := make([]Reading, len(r.probes))
	for i, p := range r.probes {
		readings[i] = p.window.reading()
		readings[i].Name, readings[i].FreshFor = p.spec.Name, p.spec.freshFor()
	}
	return readings
}

// Run runs the probes until ctx ends, and returns when the last of them has come to its end. It is called once.
func (r *Runner) Run(ctx context.Context) {
	var running sync.WaitGroup
	defer running.Wait()
	for {
		r.start(ctx, &running)
		select {
		case <-ctx.Done():
			return
		case <-r.changed:
		}
	}
}

// start gives a goroutine to each probe that has none.
func (r *Runner) start(ctx context.Context, running *sync.WaitGroup) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range r.probes {
		if p.stop != nil {
			continue
		}
		own, stop := context.WithCancel(ctx)
		p.stop = stop
		running.Go(func() {
			defer stop()
			r.repeat(own, p)
		})
	}
}

// repeat runs one probe again and again. The first run comes after a random share of the interval: a restarted daemon
// doesn't ask everything at once.
func (r *Runner) repeat(ctx context.Context, p *probe) {
	timer := time.NewTimer(r.firstDelay(p))
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		if ctx.Err() != nil {
			// Both were ready, and select took the timer.
			return
		}
		started := time.Now()
		r.once(ctx, p, started)
		timer.Reset(max(0, r.pause(p)-time.Since(started)))
	}
}

func (r *Runner) firstDelay(p *probe) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return time.Duration(r.random() * float64(p.spec.Interval))
}

// pause is the time from the start of one run to the start of the next.
func (r *Runner) pause(p *probe) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	factor := 1 - spread + 2*spread*r.random()
	return time.Duration(factor * float64(p.spec.Interval))
}

// once runs a probe and takes in its result. A run that was cut off by the end of ctx says nothing about the probe.
func (r *Runner) once(ctx context.Context, p *probe, started time.Time) {
	r.mu.Lock()
	spec := p.spec
	r.mu.Unlock()

	err := r.guarded(ctx, spec)
	result := Result{At: started, Duration: time.Since(started)}
	if err != nil {
		result.Err = errorText(err)
	}

	r.mu.Lock()
	if ctx.Err() != nil || p.dropped {
		r.mu.Unlock()
		return
	}
	changed := p.window.add(result)
	state := p.window.state
	r.mu.Unlock()

	fields := []zap.Field{
		logkey.Probe(spec.Name), logkey.Duration(result.Duration), zap.Error(err),
	}
	switch {
	case changed && state == Failing:
		r.log.Warn("probe is failing", fields...)
	case changed:
		r.log.Info("probe is passing", fields...)
	default:
		r.log.Debug("probe ran", fields...)
	}
}

// guarded runs the spec's Func within its timeout. A panic is a failure like any other.
func (r *Runner) guarded(ctx context.Context, spec Spec) (err error) {
	ctx, cancel := context.WithTimeout(ctx, spec.Timeout)
	defer cancel()
	defer func() {
		if thrown := recover(); thrown != nil {
			r.log.Error("probe panicked", logkey.Probe(spec.Name), zap.ByteString("stack", debug.Stack()))
			err = fmt.Errorf("panic: %v", thrown)
		}
	}()
	err = spec.Check.run(ctx)
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		// Also when the Func says that all is good: too late is not good.
		return fmt.Errorf("no answer within %s", spec.Timeout)
	}
	return err
}

// errorText never gives the empty text, which stands for success, nor more than a screen can show: a server's words may
// stand in it.
func errorText(err error) string {
	text := strings.ToValidUTF8(err.Error(), "�")
	switch {
	case text == "":
		return "failed without a message"
	case len(text) > maxErrorText:
		return strings.ToValidUTF8(text[:maxErrorText], "") + "…"
	default:
		return text
	}
}
