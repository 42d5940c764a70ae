package soak

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/load"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/played"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/world"
)

// pair is the pair's name in every run.
const pair = "shop"

//go:embed config.yaml.tmpl
var configTemplate string

// settings are what the configuration's template is filled in with.
type settings struct {
	Region *world.Region
	// AWS is the URL of the APIs, the others are paths of kubeconfigs.
	AWS, Management, Blue, Green string
	Namespace                    string
	Steps                        []int
	Term                         term
	Rollback                     bool
}

// WebName is the name whose records are switched.
func (settings) WebName() string { return world.WebName }

// PodPort is where pods listen.
func (settings) PodPort() int { return world.PodPort }

// stage is one run's own region, users, daemons and lines.
type stage struct {
	*played.Scene
	options   Options
	world     *world.World
	plan      plan
	namespace string
	dir       string
	region    *world.Region
	judge     *judge
	charge    *charge
	terms     *terms
	users     *load.Generator
	replicas  []*replica
	hand      *front // where AWS answers a person
	api       sync.Mutex

	mu       sync.Mutex // guards all below
	triggers []*trigger
	phase    string
	news     chan struct{} // closed when the phase changes
}

// raise makes everything but the daemons' processes, and lets users in.
func raise(ctx context.Context, w *world.World, o Options, p plan) (*stage, error) {
	name := fmt.Sprintf("soak-%d", p.seed)
	st := &stage{
		options: o, world: w, plan: p, namespace: name, dir: filepath.Join(o.Dir, name),
		charge: &charge{}, news: make(chan struct{}),
	}
	st.judge = newJudge(steps(), st)
	if err := st.raise(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("raising the stage of run %d: %w", p.seed, err), st.strike(ctx))
	}
	return st, nil
}

func (st *stage) raise(ctx context.Context) (err error) {
	if err := st.world.Heal(); err != nil {
		return err
	}
	st.Scene, err = played.Open(ctx, played.Options{
		Management: st.world.Management, Namespace: st.namespace, Binary: st.options.Daemon, Dir: st.dir, Died: st.died, Heed: st.heed,
	})
	if err != nil {
		return err
	}
	if st.terms, err = followTerms(ctx, st.world.Management.RESTConfig(), st.namespace); err != nil {
		return err
	}
	if st.region, err = st.world.NewRegionWith(ctx, world.RegionOptions{Seed: st.plan.seed, Applied: st.judge.applied}); err != nil {
		return err
	}
	if err := st.judge.begin(ctx, openEye(st.region).look); err != nil {
		return err
	}
	if st.hand, err = newFront(ctx, person, st); err != nil {
		return err
	}
	for _, name := range []string{"one", "two"} {
		r, err := newReplica(ctx, name, st)
		st.replicas = append(st.replicas, r)
		if err != nil {
			return err
		}
		if err := r.configure(st, false); err != nil {
			return err
		}
	}
	err = st.Configure(configTemplate, settings{
		Region: st.region, AWS: "http://" + st.hand.address, Namespace: st.namespace, Steps: steps(), Term: st.plan.term,
		Management: st.world.Management.Kubeconfig(), Blue: st.world.Blue.Kubeconfig(), Green: st.world.Green.Kubeconfig(),
	})
	if err != nil {
		return err
	}
	st.users, err = load.Start(load.Options{
		Targets:    []string{"http://" + world.WebName + "/", "http://" + world.APIName + "/"},
		DNSAddress: st.region.Edge.DNSAddress(), Network: st.world.Network, Rate: st.options.Rate,
	})
	return err
}

// died is called when a process ends that nobody ended.
func (st *stage) died(err error) { st.judge.accuse("a daemon went away: %v", err) }

// heed follows the journal.
func (st *stage) heed(object *unstructured.Unstructured) {
	phase, _, _ := unstructured.NestedString(object.Object, "status", "phase")
	epoch, _, _ := unstructured.NestedInt64(object.Object, "status", "journal", "epoch")
	if phase == "" {
		return
	}
	st.judge.journaled(phase, epoch, time.Now())
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.phase != phase {
		st.phase = phase
		close(st.news)
		st.news = make(chan struct{})
	}
}

// now gives the journal's phase, and a channel that closes when it changes.
func (st *stage) now() (string, <-chan struct{}) {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.phase, st.news
}

// held is what the judge asks.
func (st *stage) held(name string, arrived time.Time) bool {
	for _, r := range st.replicas {
		if r.name == name {
			return r.held(arrived)
		}
	}
	return false
}

// successor is what the judge asks.
func (st *stage) successor(name string, at time.Time) string {
	holder := st.terms.holder(at)
	for _, r := range st.replicas {
		if r.name != name && holder != "" && r.isNamed(holder) {
			return r.name
		}
	}
	return ""
}

// strike stops everything of the stage, the users first.
func (st *stage) strike(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	var errs []error
	if st.users != nil {
		st.users.Stop()
	}
	for _, r := range st.replicas {
		errs = append(errs, r.stop(ctx))
	}
	if st.hand != nil {
		errs = append(errs, st.hand.close(ctx))
	}
	if st.Scene != nil {
		errs = append(errs, st.Close())
	}
	if st.terms != nil {
		st.terms.close()
	}
	if st.region != nil {
		errs = append(errs, st.region.Close(ctx))
	}
	return errors.Join(errs...)
}
