// Package bench measures how long a rollback takes, from the request to AWS's
// acknowledgement of the last write, beside the same raw SDK calls in the same
// run; what many pairs take that are rolled back at once; what they ask of AWS
// while nothing happens; and a preflight of large clusters beside kubectl. Ratios
// hold on a noisy machine; absolute times don't.
package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/clusterswitch/clusterswitch/internal/api/v1alpha1"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/aws"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/daemon"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/world"
)

// Options say what to measure.
type Options struct {
	// Daemon is the path of the clusterswitch binary.
	Daemon string
	// Dir takes logs and the configuration.
	Dir string
	// Pairs are shifted side by side and rolled back one at a time, Rounds times.
	Pairs, Rounds int
	// Objects are how many each of two clusters has whose preflight is measured.
	Objects int
	// Parts are what to measure, of Parts.
	Parts  []string
	Assets controlplane.Assets
	CRDs   []*apiextensionsv1.CustomResourceDefinition
	Out    io.Writer
}

const namespace = "bench"

// roundWithin bounds the way up and the way down of all pairs.
const roundWithin = 3 * time.Minute

// run is one measurement under way.
type run struct {
	options Options
	world   *world.World
	region  *world.Region
	client  *v1alpha1.Client
	floor   *floor
	pairs   []string
}

// Parts names what can be measured, in order.
func Parts() []string { return []string{"rollback", "crowds", "idle", "preflight"} }

// Run measures the parts that are asked for and prints: one rollback at a time,
// rollbacks of crowds of pairs, the calls of crowds at rest, and the preflight of
// two large clusters.
func Run(ctx context.Context, o Options) error {
	if err := os.MkdirAll(o.Dir, 0o755); err != nil {
		return fmt.Errorf("making %s: %w", o.Dir, err)
	}
	for _, part := range o.Parts {
		if !slices.Contains(Parts(), part) {
			return fmt.Errorf("there is no part %q to measure; there are %q", part, Parts())
		}
	}
	if o.Objects < leastObjects {
		return fmt.Errorf("%d objects are too few to measure a preflight of; take at least %d", o.Objects, leastObjects)
	}
	if err := inWorld(ctx, o); err != nil {
		return err
	}
	if !slices.Contains(o.Parts, "preflight") {
		return nil
	}
	return preflights(ctx, o)
}

// inWorld measures the parts that take place in one world.
func inWorld(ctx context.Context, o Options) (err error) {
	parts := map[string]func(context.Context, Options, *world.World) error{"rollback": rollbacks, "crowds": crowds, "idle": idle}
	if !slices.ContainsFunc(o.Parts, func(part string) bool { return parts[part] != nil }) {
		return nil
	}
	w, err := world.Start(ctx, world.Options{Assets: o.Assets, Dir: o.Dir, Progress: o.Out, CRDs: o.CRDs})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close(context.WithoutCancel(ctx))) }()
	for _, part := range o.Parts {
		if measure := parts[part]; measure != nil {
			if err := measure(ctx, o, w); err != nil {
				return err
			}
		}
	}
	return nil
}

// rollbacks measures one rollback at a time.
func rollbacks(ctx context.Context, o Options, w *world.World) (err error) {
	region, err := w.NewRegion(ctx, 1)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, region.Close(context.WithoutCancel(ctx))) }()
	r := &run{options: o, world: w, region: region}
	if err := r.prepare(ctx); err != nil {
		return err
	}
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	d, err := daemon.Start(daemon.Options{
		Binary: o.Daemon, Log: filepath.Join(o.Dir, "daemon.log"), Env: world.Credentials(), Died: fail,
	}, "run", "--config", filepath.Join(o.Dir, "clusterswitch.yaml"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Stop()) }()
	samples, err := r.measure(ctx)
	if err != nil {
		return err
	}
	return samples.print(o)
}

// prepare makes a record group and a rule for each pair, and one of each for
// the raw calls.
func (r *run) prepare(ctx context.Context) error {
	rest := r.world.Management.RESTConfig()
	kube, err := kubernetes.NewForConfig(rest)
	if err != nil {
		return err
	}
	object := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}
	if _, err := kube.CoreV1().Namespaces().Create(ctx, object, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("creating namespace %s: %w", namespace, err)
	}
	if r.client, err = v1alpha1.NewClient(v1alpha1.ClientOptions{Config: rest, Namespace: namespace}); err != nil {
		return err
	}
	var entrances []world.Entrances
	for i := range r.options.Pairs {
		name := fmt.Sprintf("pair-%02d", i)
		e, err := r.region.AddEntrances(ctx, name, int32(100+i))
		if err != nil {
			return err
		}
		r.pairs, entrances = append(r.pairs, name), append(entrances, e)
	}
	raw, err := r.region.AddEntrances(ctx, "raw", 99)
	if err != nil {
		return err
	}
	r.floor = &floor{region: r.region, entrances: raw}
	if r.floor.bell, err = newBell(ctx, rest, r.client); err != nil {
		return err
	}
	return r.writeConfig(entrances)
}

// measure takes all pairs up and rolls them back one at a time, again and again.
func (r *run) measure(ctx context.Context) (*samples, error) {
	samples := &samples{}
	for round := range r.options.Rounds {
		roundCtx, cancel := context.WithTimeoutCause(ctx, roundWithin, fmt.Errorf("round %d took longer than %s", round+1, roundWithin))
		err := r.round(roundCtx, round, samples)
		cancel()
		if err != nil {
			return nil, err
		}
		_, _ = fmt.Fprintf(r.options.Out, "round %d of %d: %d rollbacks measured\n", round+1, r.options.Rounds, len(samples.total))
	}
	return samples, nil
}

func (r *run) round(ctx context.Context, round int, samples *samples) error {
	up := func(t v1alpha1.TrafficSwitch) bool {
		return t.Status.Attempt > round && t.Status.Share == 100 && t.Status.Reason == "Holding"
	}
	if err := r.await(ctx, "all pairs are up", up); err != nil {
		return err
	}
	for _, pair := range r.pairs {
		if err := r.floor.measure(ctx, samples); err != nil {
			return err
		}
		if err := r.rollback(ctx, pair, samples); err != nil {
			return err
		}
	}
	down := func(t v1alpha1.TrafficSwitch) bool { return t.Status.Phase == "RolledBack" }
	if err := r.await(ctx, "all pairs are down", down); err != nil {
		return err
	}
	for _, pair := range r.pairs {
		again := v1alpha1.SpecChange{Rollback: new(false), Attempt: new(round + 2)}
		if _, err := r.client.PatchSpec(ctx, pair, again); err != nil {
			return err
		}
	}
	return nil
}

// await asks until every pair fulfils the condition.
func (r *run) await(ctx context.Context, what string, fulfils func(v1alpha1.TrafficSwitch) bool) error {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		list, err := r.client.List(ctx)
		if err != nil && ctx.Err() == nil {
			return err
		}
		n := 0
		for _, t := range list {
			if fulfils(t) {
				n++
			}
		}
		if n == len(r.pairs) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting until %s (%d of %d are): %w", what, n, len(r.pairs), context.Cause(ctx))
		case <-tick.C:
		}
	}
}

// rollback sets one pair's flag and measures until the last of its two writes
// is acknowledged.
func (r *run) rollback(ctx context.Context, pair string, samples *samples) error {
	calls := len(r.region.Cloud.Calls())
	asked := time.Now()
	if _, err := r.client.PatchSpec(ctx, pair, v1alpha1.SpecChange{Rollback: new(true)}); err != nil {
		return err
	}
	patched := time.Now()
	var last time.Time
	err := poll(ctx, func() bool {
		writes := 0
		for _, c := range r.region.Cloud.Calls()[calls:] {
			if c.Applied && (c.Operation == "ChangeResourceRecordSets" || c.Operation == "ModifyRule") {
				writes++
				last = c.Done
			}
		}
		return writes == 2
	})
	if err != nil {
		return fmt.Errorf("waiting for the writes of %s: %w", pair, err)
	}
	samples.add(asked, patched, firstAfter(r.region.Cloud.Calls()[calls:], asked), last)
	return nil
}

// firstAfter is when the daemon's first call of the rollback arrived at AWS.
func firstAfter(calls []aws.Call, asked time.Time) time.Time {
	for _, c := range calls {
		if c.At.After(asked) {
			return c.At
		}
	}
	return asked
}

// poll looks at the embedded AWS's record of calls, which lies in this process.
func poll(ctx context.Context, done func() bool) error {
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
	}
	return nil
}

// together runs all side by side and waits; the daemon works its entrances
// side by side too.
func together(calls ...func() error) error {
	errs := make([]error, len(calls))
	var running sync.WaitGroup
	for i, call := range calls {
		running.Go(func() { errs[i] = call() })
	}
	running.Wait()
	return errors.Join(errs...)
}
