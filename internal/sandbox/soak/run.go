package soak

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/load"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/world"
)

// ErrViolations says that rules were broken; what was printed says which.
var ErrViolations = errors.New("rules were broken")

// Options say what to run.
type Options struct {
	// Daemon is the path of the clusterswitch binary.
	Daemon string
	// Dir keeps the results of all runs, and the logs of those that broke a rule.
	Dir string
	// Runs is how many seeds are run, from From on. Those that Dir has are not run again.
	Runs int
	From uint64
	// Rate is the users' requests per second.
	Rate int
	// Patience bounds one run.
	Patience time.Duration
	// Keep keeps the logs of every run.
	Keep   bool
	Assets controlplane.Assets
	CRDs   []*apiextensionsv1.CustomResourceDefinition
	// Out gets what happens, and the line of figures at the end.
	Out io.Writer
}

// Run plays the runs that are still to be played, and ends with a line that adds up
// all of the folder. ErrViolations says that rules were broken in one of them, now or
// earlier.
func Run(ctx context.Context, o Options) error {
	results, err := openLedger(o.Dir)
	if err != nil {
		return err
	}
	digest, err := digestOf(o.Daemon)
	if err != nil {
		return err
	}
	var left []uint64
	for seed := o.From; seed < o.From+uint64(o.Runs); seed++ {
		if !results.has(seed) {
			left = append(left, seed)
		}
	}
	fmt.Fprintf(o.Out, "%d runs, %d of them done before.\n", o.Runs, o.Runs-len(left))
	if len(left) > 0 {
		err = playAll(ctx, o, left, func(r Result) error {
			r.Daemon = digest
			return results.add(r)
		})
	}
	s := results.sum()
	if s.binaries > 1 {
		fmt.Fprintf(o.Out, "The runs below were made with %d different daemons.\n", s.binaries)
	}
	fmt.Fprintf(o.Out, "%s\n", s)
	if err == nil && s.violations > 0 {
		err = ErrViolations
	}
	return err
}

// digestOf gives the beginning of a binary's digest.
func digestOf(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("reading the daemon: %w", err)
	}
	defer file.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, file); err != nil {
		return "", fmt.Errorf("reading the daemon: %w", err)
	}
	return hex.EncodeToString(hash.Sum(nil))[:12], nil
}

// playAll plays seeds one after the other in one world.
func playAll(ctx context.Context, o Options, seeds []uint64, add func(Result) error) (err error) {
	began := time.Now()
	fmt.Fprintln(o.Out, "Starting three Kubernetes control planes (management, blue, green) …")
	w, err := world.Start(ctx, world.Options{Assets: o.Assets, Dir: o.Dir, Progress: o.Out, CRDs: o.CRDs})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close(context.WithoutCancel(ctx))) }()
	// A machine that is busy for a moment makes nobody ill.
	w.HealthChecks = 500 * time.Millisecond
	fmt.Fprintf(o.Out, "… ready after %.1f s. Users send %d requests a second.\n", time.Since(began).Seconds(), o.Rate)
	for _, seed := range seeds {
		r, err := play(ctx, w, o, draw(seed))
		if err != nil {
			return fmt.Errorf("run %d: %w", seed, err)
		}
		if err := add(r); err != nil {
			return err
		}
	}
	return nil
}

// play plays one run on a stage of its own.
func play(ctx context.Context, w *world.World, o Options, p plan) (Result, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, o.Patience, fmt.Errorf("the run took longer than %s", o.Patience))
	defer cancel()
	st, err := raise(ctx, w, o, p)
	if err != nil {
		return Result{}, err
	}
	r, err := st.run(ctx)
	err = errors.Join(err, st.strike(ctx))
	st.tell(r, err)
	if err == nil && len(r.Violations) == 0 && !o.Keep {
		err = os.RemoveAll(st.dir)
	}
	return r, err
}

// conclude adds the figures to a result.
func (st *stage) conclude(r *Result, d *deed) {
	counts := st.users.Stop()
	r.Requests, r.Failed, r.LateMs = counts.Requests, counts.FailedByCause, milliseconds(counts.MaxLate)
	if st.plan.story == byUsers {
		r.GreenErrors = r.Failed[load.GreenError]
		delete(r.Failed, load.GreenError)
	}
	if d.took > 0 {
		took := milliseconds(d.took)
		if st.plan.story == byUsers {
			r.ByItselfMs = &took
		} else {
			r.RollbackMs = &took
		}
	}
	r.TakeoverMs, r.HinderedMs = st.charge.figures()
	for _, ms := range r.TakeoverMs {
		if ms > leaderless {
			st.judge.accuse("L4: nobody was in charge for %s", inWords(ms))
		}
	}
	st.judge.mu.Lock()
	defer st.judge.mu.Unlock()
	r.Boundary = st.judge.boundary
	r.Violations = append(r.Violations, st.judge.violations...)
}

// leaderless is how long nobody may be in charge, in milliseconds.
const leaderless = 30_000

// tell says how a run went: in a line, or with its whole story where something was
// not as it must be.
func (st *stage) tell(r Result, err error) {
	out := st.options.Out
	fmt.Fprintf(out, "run %d: %s, lease %s, %d faults: %s after %.0f s; %d requests, %d failed%s%s; takeovers %v; elbBoundary %d; %d violations\n",
		r.Seed, r.Story, r.Lease, len(r.Faults), r.End, r.Seconds, r.Requests, r.failed(), named("back in", r.RollbackMs), named("back by itself in", r.ByItselfMs),
		r.TakeoverMs, r.Boundary, len(r.Violations))
	if len(r.Violations) == 0 && err == nil && !st.options.Keep {
		return
	}
	for _, l := range st.Story.Told() {
		if l.Deed != "" {
			fmt.Fprintf(out, "  %6.2fs  » %s\n", l.Moment.T, l.Deed)
			continue
		}
		fmt.Fprintf(out, "  %6.2fs  %-11s %3d %%  %-16s %s\n", l.Moment.T, l.Moment.Phase, l.Moment.Share, l.Moment.Reason, l.Moment.Message)
	}
	for _, line := range st.judge.told(st.Began()) {
		fmt.Fprintf(out, "  AWS: %s\n", line)
	}
	for _, v := range r.Violations {
		fmt.Fprintf(out, "  ✘ %s\n", v)
	}
	if len(r.Failed) > 0 {
		fmt.Fprintf(out, "  failed requests: %v\n", r.Failed)
	}
	fmt.Fprintf(out, "  logs: %s; again, in a folder of its own: sandbox soak --from %d --runs 1 --dir DIR\n", st.dir, st.plan.seed)
}

func named(what string, ms *float64) string {
	if ms == nil {
		return ""
	}
	return fmt.Sprintf(", %s %s", what, inWords(*ms))
}
