// Package demo plays the scenarios: the real daemon as a process of its own,
// real control planes, and users who notice every failed request.
package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/load"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/world"
)

// Options say what to play.
type Options struct {
	// Daemon is the path of the clusterswitch binary.
	Daemon string
	// Dir takes the report, logs and configurations.
	Dir string
	// Only names the scenarios to play; empty: all.
	Only []string
	// Rate is the users' requests per second.
	Rate int
	// Seed decides every weighted choice of the edge.
	Seed uint64
	// Patience bounds one scenario.
	Patience time.Duration
	Assets   controlplane.Assets
	CRDs     []*apiextensionsv1.CustomResourceDefinition
	Out      io.Writer
	// Width is the columns of the terminal that Out is, which then takes cursor
	// movements and colours; 0: it is no terminal.
	Width int
}

// Names lists the scenarios in the order of playing.
func Names() []string {
	var names []string
	for _, s := range scenarios() {
		names = append(names, s.name)
	}
	return names
}

// Play plays the scenarios and writes the report. The error says why the demo
// could not be played; a scenario that fails is in the report.
func Play(ctx context.Context, o Options) (Report, error) {
	report := Report{SchemaVersion: 1}
	chosen, err := choose(o.Only)
	if err != nil {
		return report, err
	}
	if err := os.MkdirAll(o.Dir, 0o755); err != nil {
		return report, fmt.Errorf("making %s: %w", o.Dir, err)
	}
	screen := newScreen(o.Out, o.Width)
	screen.say("Starting three Kubernetes control planes (management, blue, green) …")
	began := time.Now()
	w, err := world.Start(ctx, world.Options{Assets: o.Assets, Dir: o.Dir, Progress: o.Out, CRDs: o.CRDs})
	if err != nil {
		return report, err
	}
	screen.say(fmt.Sprintf("… ready after %.1f s. Users send %d requests a second.", time.Since(began).Seconds(), o.Rate))
	for _, sc := range chosen {
		result := play(ctx, w, o, sc, screen)
		report.Scenarios = append(report.Scenarios, result)
		if ctx.Err() != nil {
			break
		}
	}
	screen.table(report)
	return report, errors.Join(report.Write(o.Dir), w.Close(context.WithoutCancel(ctx)))
}

func choose(only []string) ([]scenario, error) {
	all := scenarios()
	if len(only) == 0 {
		return all, nil
	}
	var chosen []scenario
	for _, name := range only {
		i := slices.IndexFunc(all, func(s scenario) bool { return s.name == name })
		if i < 0 {
			return nil, fmt.Errorf("there is no scenario %q; there are %s", name, strings.Join(Names(), ", "))
		}
		chosen = append(chosen, all[i])
	}
	return chosen, nil
}

// play plays one scenario on a stage of its own.
func play(ctx context.Context, w *world.World, o Options, sc scenario, screen *screen) Result {
	result := Result{Name: sc.name, Result: Passed, FailedByCause: map[load.Cause]int64{}}
	began := time.Now()
	err := func() error {
		ctx, cancel := context.WithTimeoutCause(ctx, o.Patience, fmt.Errorf("the scenario took longer than %s", o.Patience))
		defer cancel()
		ctx, fail := context.WithCancelCause(ctx)
		defer fail(nil)
		s, err := raise(ctx, fail, w, o, sc.name)
		if err != nil {
			return err
		}
		shown := screen.show(sc, s)
		rollback, err := sc.play(ctx, s)
		counts := s.users.Stop()
		shown()
		result.take(s, counts, rollback)
		return errors.Join(err, unexpected(counts, sc.allowed), s.strike(ctx))
	}()
	result.Seconds = time.Since(began).Seconds()
	if err != nil {
		result.Result, result.Why = Failed, err.Error()
	}
	screen.ended(result)
	return result
}

func (r *Result) take(s *stage, counts load.Snapshot, rollback time.Duration) {
	r.Requests, r.Failed, r.FailedByCause = counts.Requests, counts.Failed, counts.FailedByCause
	r.P99Ms = float64(counts.P99.Microseconds()) / 1000
	r.Timeline, _ = s.Story.All()
	if rollback > 0 {
		r.RollbackMs = new(float64(rollback.Microseconds()) / 1000)
	}
}

// unexpected complains about each failure of a user's request that the
// scenario doesn't allow.
func unexpected(counts load.Snapshot, allowed []load.Cause) error {
	var errs []error
	for cause, n := range counts.FailedByCause {
		if n > 0 && !slices.Contains(allowed, cause) {
			errs = append(errs, fmt.Errorf("%d requests failed by %s", n, cause))
		}
	}
	return errors.Join(errs...)
}
