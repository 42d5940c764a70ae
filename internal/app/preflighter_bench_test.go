package app

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	zapobserver "go.uber.org/zap/zaptest/observer"

	"github.com/clusterswitch/clusterswitch/config"
	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/internal/preflight/finding"
	"github.com/clusterswitch/clusterswitch/switcher"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// Each look of the tests takes a while, as real ones do.
const lookTakes = 3 * time.Second

// looked is one look that was made.
type looked struct {
	wish
	after time.Duration // since the story began
}

// bench is a preflighter at work, with clusters that have the findings which the
// story gives them.
type bench struct {
	*testing.T
	preflighter *preflighter
	config      config.Pair
	began       time.Time
	logs        *zapobserver.ObservedLogs

	mu sync.Mutex // guards all below
	// full and brief are what looks find; fault makes them panic, hangs makes them
	// last until their context ends.
	full, brief []finding.Finding
	fault       any
	hangs       bool
	looks       []looked
	ended       int // looks that ended by their context

	put    []finding.Report
	starts []bool
	putErr error
	wakes  int
	counts map[string]int
}

func (b *bench) look(ctx context.Context, p config.Pair, w wish) finding.Report {
	r := finding.Report{Schema: finding.Schema, Pair: p.Name, Attempt: w.attempt, Scope: w.scope, At: time.Now()}
	takes := lookTakes
	b.with(func() {
		b.looks = append(b.looks, looked{w, time.Since(b.began)})
		if b.fault != nil {
			panic(b.fault)
		}
		if b.hangs {
			takes = 1000 * time.Hour
		}
	})
	select {
	case <-ctx.Done():
		b.with(func() { b.ended++ })
		return r
	case <-time.After(takes):
	}
	b.with(func() {
		r.Findings, r.Checks = b.full, []finding.Ran{{Check: "deep"}, {Check: "quick"}}
		if w.scope == facts.Brief {
			r.Findings, r.Checks = b.brief, []finding.Ran{{Check: "quick"}}
		}
	})
	return r
}

// with lets the story and the preflighter take turns.
func (b *bench) with(do func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	do()
}

func (b *bench) Put(_ context.Context, r finding.Report, start bool) (string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.putErr != nil {
		return "", b.putErr
	}
	b.put, b.starts = append(b.put, r), append(b.starts, start)
	return fmt.Sprintf("digest-%d", len(b.put)), nil
}

func (b *bench) Preflight(string, time.Time, time.Duration) {}

func (b *bench) PreflightFindings(_, severity string, n int) {
	b.with(func() { b.counts[severity] = n })
}

func atBench(t *testing.T, story func(b *bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, make(chan struct{}, 1))
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- b.preflighter.run(ctx) }()
		story(b)
		stop()
		synctest.Wait()
		select {
		case err := <-ended:
			if err != nil {
				t.Error(err)
			}
		default:
			t.Error("it goes on after its end")
		}
	})
}

func newBench(t *testing.T, slots chan struct{}) *bench {
	t.Helper()
	core, logs := zapobserver.New(zapcore.InfoLevel)
	b := &bench{T: t, began: time.Now(), logs: logs, counts: map[string]int{}}
	b.config = config.Pair{Name: "shop", Preflight: config.Preflight{Mode: "block", Every: 10 * time.Minute, Timeout: time.Minute}}
	b.preflighter = &preflighter{
		standing: alone{},
		look:     b.look, shelf: b, meter: b, log: zap.New(core), slots: slots,
		wake: make(chan struct{}, 1), finished: func() { b.with(func() { b.wakes++ }) },
	}
	b.preflighter.configure(b.config)
	return b
}

// turn reports one turn, which waits for nothing.
func (b *bench) turn(phase shift.Phase, attempt int, reached time.Time) {
	b.Helper()
	before := time.Now()
	next := shift.State{Phase: phase, Attempt: attempt, StartedAt: b.began, ReachedAt: reached}
	b.preflighter.Report(switcher.Turn{Now: before, Decision: shift.Decision{Next: next}})
	if took := time.Since(before); took != 0 {
		b.Errorf("the loop waited %s for the preflight", took)
	}
	synctest.Wait()
}

// pass lets time pass.
func (b *bench) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (b *bench) expectLooks(when string, want ...looked) {
	b.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if diff := cmp.Diff(want, b.looks, cmp.AllowUnexported(looked{}, wish{})); diff != "" {
		b.Errorf("%s, the looks (-want +got):\n%s", when, diff)
	}
}

func (b *bench) expectReading(when string, want shift.PreflightReading) {
	b.Helper()
	want.FreshFor = 13 * time.Minute
	if diff := cmp.Diff(want, b.preflighter.reading(time.Now())); diff != "" {
		b.Errorf("%s, the core is told (-want +got):\n%s", when, diff)
	}
}

// expectStarts tells of each report that was kept whether it is the start's.
func (b *bench) expectStarts(when string, want ...bool) {
	b.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if diff := cmp.Diff(want, b.starts); diff != "" {
		b.Errorf("%s (-want +got):\n%s", when, diff)
	}
}

func found(check, name string, s finding.Severity) finding.Finding {
	f := finding.New(finding.Code(check+"Fault"), s, finding.Object{Kind: "ConfigMap", Namespace: "shop", Name: name}, "")
	f.Check, f.Message, f.Do = check, "blue has it, green doesn't", "Create it."
	return f
}

func full(attempt int, after time.Duration) looked {
	return looked{wish{scope: facts.Full, attempt: attempt}, after}
}

func brief(attempt int, after time.Duration) looked {
	return looked{wish{scope: facts.Brief, attempt: attempt, begun: true}, after}
}
