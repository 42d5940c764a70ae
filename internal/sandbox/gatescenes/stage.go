package gatescenes

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/aws"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/backend"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/load"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/played"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/prometheus"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/story"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/world"
)

// pair is the pair's name in every scene.
const pair = "shop"

// cloudPast is how long users were there before a daemon looks at CloudWatch.
const cloudPast = 5 * time.Second

//go:embed config.yaml.tmpl
var configTemplate string

// policy is what the configuration of a scene has of its own.
type policy struct {
	// Steps are the shares, in percent; each is held for Hold.
	Steps []int
	Hold  time.Duration
	// CloudWatch counts instead of Prometheus.
	CloudWatch bool
	// Swapped asks for blue where green is, and the other way round.
	Swapped bool
	// Approval: the first step waits for a person.
	Approval bool
	// History is how far back blue's requests are looked at.
	History time.Duration
}

// usual is what both sides are like at all times: one answer in a hundred fails, and
// one in ten takes longer than the edge of 50 ms.
func usual() backend.Faults {
	return backend.Faults{ErrorRatio: 0.01, ByChance: true, SlowRatio: 0.1, Slow: 60 * time.Millisecond}
}

// stage is one scene's own region, users, Prometheus and daemon.
type stage struct {
	*ground
	*played.Scene
	policy     policy
	namespace  string
	region     *world.Region
	users      *load.Generator
	prometheus *prometheus.Server
	scraping   prometheus.Options

	telling sync.WaitGroup
	cancel  context.CancelFunc
}

// raise lets users in, and makes the past that blue had. The daemon is the scene's to
// start.
func (g *ground) raise(ctx context.Context, fail context.CancelCauseFunc, name string, p policy) (*stage, error) {
	st := &stage{ground: g, policy: p, namespace: "gates-" + name}
	if err := st.raise(ctx, fail, name); err != nil {
		return nil, errors.Join(fmt.Errorf("raising the stage: %w", err), st.strike(ctx))
	}
	return st, nil
}

func (st *stage) raise(ctx context.Context, fail context.CancelCauseFunc, name string) (err error) {
	if err := errors.Join(st.sides(usual()), st.green(usual())); err != nil {
		return err
	}
	st.Scene, err = played.Open(ctx, played.Options{
		Management: st.world.Management, Namespace: st.namespace, Binary: st.options.Daemon, Dir: filepath.Join(st.options.Dir, name), Died: fail,
	})
	if err != nil {
		return err
	}
	if st.region, err = st.world.NewRegion(ctx, st.options.Seed); err != nil {
		return err
	}
	if !st.policy.CloudWatch {
		if err := st.scrape(ctx); err != nil {
			return err
		}
	}
	st.users, err = load.Start(load.Options{
		Targets: []string{"http://" + world.APIName + "/"}, DNSAddress: st.region.Edge.DNSAddress(), Network: st.world.Network, Rate: st.options.Rate,
	})
	if err != nil {
		return err
	}
	life, cancel := context.WithCancel(context.WithoutCancel(ctx))
	st.cancel = cancel
	st.telling.Go(func() { st.tell(life) })
	if st.policy.CloudWatch {
		// It has no past but this.
		if err := played.Sleep(ctx, cloudPast); err != nil {
			return err
		}
	}
	return st.configure(st.policy)
}

// scrape starts a Prometheus of the scene's own, that knows blue's past.
func (st *stage) scrape(ctx context.Context) (err error) {
	st.scraping = prometheus.Options{
		Binary: st.options.Prometheus, Dir: filepath.Join(st.Dir(), "prometheus"), Interval: time.Second, Past: 2 * past,
	}
	// What an earlier run left behind is not of this world.
	if err := errors.Join(os.RemoveAll(st.scraping.Dir), os.MkdirAll(st.scraping.Dir, 0o755)); err != nil {
		return err
	}
	for side, c := range map[string]*world.Cluster{"blue": st.world.Blue, "green": st.world.Green} {
		for _, address := range c.Addresses {
			c.Pods.SetCounts(at(address), backend.Counts{})
		}
		st.scraping.Jobs = append(st.scraping.Jobs, prometheus.Job{
			Name: side, Targets: c.Pods.Addresses(), Labels: map[string]string{"cluster": side}, Proxy: st.proxy,
		})
	}
	made := st.makePast(time.Now())
	if st.prometheus, err = prometheus.Start(ctx, st.scraping); err != nil {
		return err
	}
	for _, pod := range made {
		if err := st.prometheus.Write(ctx, pod.series()); err != nil {
			return err
		}
	}
	return nil
}

// configure writes the configuration; the daemon takes a change over while it runs.
func (st *stage) configure(p policy) error {
	values := map[string]any{
		"Region": st.region, "Namespace": st.namespace, "Pair": pair, "Policy": p,
		"Management": st.world.Management.Kubeconfig(), "Blue": st.world.Blue.Kubeconfig(), "Green": st.world.Green.Kubeconfig(),
	}
	if st.prometheus != nil {
		values["Prometheus"] = st.prometheus.URL
	}
	return st.Configure(configTemplate, values)
}

// sides changes what both sides are like, green what green is like.
func (st *stage) sides(f backend.Faults) error {
	return errors.Join(st.world.Blue.Pods.SetFaults(f), st.green(f))
}

func (st *stage) green(f backend.Faults) error { return st.world.Green.Pods.SetFaults(f) }

// written gives the writes that moved traffic after a time.
func (st *stage) written(after time.Time) (calls []aws.Call) {
	for _, c := range st.region.Cloud.Calls() {
		if c.Applied && c.Operation == "ModifyRule" && c.Done.After(after) {
			calls = append(calls, c)
		}
	}
	return calls
}

// held waits until a share is reached, whatever keeps the next step.
func (st *stage) held(ctx context.Context, from, share int) (int, error) {
	return st.Await(ctx, from, fmt.Sprintf("%d %% is reached", share), func(m story.Moment) bool {
		return m.Phase == "Shifting" && m.Share == share && m.Reason != "Rising" && m.Reason != "AwaitingReadBack" && m.Reason != "Settling"
	})
}

// strike stops everything of the stage, the users first.
func (st *stage) strike(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	var errs []error
	if st.users != nil {
		st.users.Stop()
	}
	if st.Scene != nil {
		errs = append(errs, st.Close())
	}
	if st.cancel != nil {
		st.cancel()
	}
	st.telling.Wait()
	if st.prometheus != nil {
		errs = append(errs, st.prometheus.Stop())
	}
	if st.region != nil {
		errs = append(errs, st.region.Close(ctx))
	}
	return errors.Join(errs...)
}

// tell prints the story as it goes on, with what users feel.
func (st *stage) tell(ctx context.Context) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for told := 0; ; {
		lines := st.Story.Told()
		for ; told < len(lines); told++ {
			line, counts := lines[told], st.users.Snapshot()
			if line.Deed != "" {
				st.say("  %5.1fs  » %s", line.Moment.T, line.Deed)
				continue
			}
			m := line.Moment
			st.say("  %5.1fs  %-11s %3d %%  %-16s %s  [%s]", m.T, m.Phase, m.Share, m.Reason, m.Message, strings.Join([]string{
				fmt.Sprintf("users on green %.0f %%", counts.Recent.Share("green")), fmt.Sprintf("%d failed", counts.Failed),
			}, ", "))
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// startPrometheus starts the Prometheus that was killed, where and with what it had.
func startPrometheus(ctx context.Context, st *stage) (err error) {
	again := st.scraping
	again.Address = st.prometheus.Address()
	st.prometheus, err = prometheus.Start(ctx, again)
	return err
}
