package ready

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/load"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/played"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/world"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// pair is the pair's name in every scene.
const pair = "shop"

//go:embed config.yaml.tmpl
var configTemplate string

// setting is what scenes have of their own.
type setting struct {
	// blueLeast is the least of blue's autoscaler; green begins with greenReplicas,
	// and with greenLeast as the least.
	blueLeast, greenReplicas, greenLeast int32
	// others adds applications that no users move.
	others bool
	policy policy
}

// steady is how long users must have been there until the load's whole window, with
// its time to settle, is full.
const steady = 7 * time.Second

// policy is what the configuration has of its own.
type policy struct {
	Steps    []step
	Standby  time.Duration
	AtLeast  int
	OnBreach string
	Pin      bool
	// Failing is the error ratio at which the gate on users' traffic fails.
	Failing string
	Attempt int
}

// step is one planned share.
type step struct {
	Share int
	Hold  time.Duration
}

// stage is one scene's own namespace, region, users and daemon.
type stage struct {
	*ground
	*played.Scene
	namespace string
	setting   setting
	region    *world.Region
	balancers map[string]*balancer // by the cluster's name
	users     *load.Generator
	look      *look

	followers sync.WaitGroup
	cancel    context.CancelFunc
}

// raise brings the scene's applications to both clusters and users to blue, and
// waits until blue's autoscaler has found its rest. The daemon is the scene's to
// start.
func (g *ground) raise(ctx context.Context, fail context.CancelCauseFunc, namespace string, s setting) (*stage, error) {
	st := &stage{ground: g, namespace: namespace, setting: s, balancers: map[string]*balancer{}}
	if err := st.raise(ctx, fail); err != nil {
		return nil, errors.Join(fmt.Errorf("raising the stage: %w", err), st.strike(ctx))
	}
	return st, nil
}

func (st *stage) raise(ctx context.Context, fail context.CancelCauseFunc) (err error) {
	st.Scene, err = played.Open(ctx, played.Options{
		Management: st.management, Namespace: st.namespace, Binary: st.options.Daemon, Dir: filepath.Join(st.options.Dir, st.namespace), Died: fail,
	})
	if err != nil {
		return err
	}
	here := &world.World{Network: st.network, Blue: &world.Cluster{}, Green: &world.Cluster{}}
	if st.region, err = here.NewRegion(ctx, st.options.Seed); err != nil {
		return err
	}
	blue, green := []application{web(st.blueReplicas(), st.setting.blueLeast)}, []application{web(st.setting.greenReplicas, st.setting.greenLeast)}
	if st.setting.others {
		blue, green = append(blue, others()...), append(green, others()...)
	}
	for c, applications := range map[*cluster][]application{st.blue: blue, st.green: green} {
		if err := c.deploy(ctx, st.namespace, applications...); err != nil {
			return err
		}
		if st.balancers[c.name], err = startBalancer(ctx, c, st.namespace, st.region); err != nil {
			return err
		}
	}
	for c, applications := range map[*cluster][]application{st.blue: blue, st.green: green} {
		for _, a := range applications {
			if err := c.awaitReady(ctx, st.namespace, a.name, a.replicas); err != nil {
				return err
			}
		}
	}
	if err := st.awaitTargets(ctx); err != nil {
		return err
	}
	if err := st.letIn(ctx); err != nil {
		return err
	}
	for c, applications := range map[*cluster][]application{st.blue: blue, st.green: green} {
		if err := c.autoscale(ctx, st.namespace, applications...); err != nil {
			return err
		}
	}
	if err := st.blue.awaitScaling(ctx, st.namespace, "web", st.blueReplicas()); err != nil {
		return err
	}
	if err := st.green.awaitScaling(ctx, st.namespace, "web", st.setting.greenReplicas); err != nil {
		return err
	}
	// What the daemon first sees of the load must be all of it.
	return played.Sleep(ctx, steady-st.users.Snapshot().Elapsed)
}

// letIn lets the users in, and those who watch.
func (st *stage) letIn(ctx context.Context) (err error) {
	st.users, err = load.Start(load.Options{
		Targets: []string{"http://" + world.APIName + "/"}, DNSAddress: st.region.Edge.DNSAddress(), Network: st.network, Rate: st.options.Rate,
	})
	if err != nil {
		return err
	}
	life, cancel := context.WithCancel(context.WithoutCancel(ctx))
	st.cancel = cancel
	st.look = newLook(st)
	st.followers.Go(func() { st.look.run(life) })
	st.followers.Go(func() { st.tell(life) })
	// The meter must have seen a while of them before autoscalers may judge.
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(meterWindow + meterStep):
		return nil
	}
}

// blueReplicas are what blue's autoscaler comes to with all users: so many that each
// serves the part of what it can that the autoscaler aims at.
func (st *stage) blueReplicas() int32 {
	return int32((st.options.Rate*100 + perPod*utilization - 1) / (perPod * utilization))
}

// awaitTargets waits until each pod that carries users is a healthy target.
func (st *stage) awaitTargets(ctx context.Context) error {
	want := int(st.blueReplicas() + st.setting.greenReplicas)
	return eventually(ctx, func() (string, error) {
		blue, green := st.targets("blue"), st.targets("green")
		if blue+green == want {
			return "", nil
		}
		trouble := errors.Join(st.balancers["blue"].trouble(), st.balancers["green"].trouble())
		return fmt.Sprintf("%d healthy targets; blue has %d, green %d (%v)", want, blue, green, trouble), nil
	})
}

// configure writes the configuration; the daemon takes a change over while it runs.
func (st *stage) configure(p policy) error {
	return st.Configure(configTemplate, map[string]any{
		"Region": st.region, "Namespace": st.namespace, "Port": port, "Pair": pair, "Policy": p,
		"Management": st.management.Kubeconfig(), "Blue": st.blue.Kubeconfig(), "Green": st.green.Kubeconfig(),
	})
}

// strike stops everything of the stage, the users first, and takes its pods away.
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
	st.followers.Wait()
	for _, b := range st.balancers {
		errs = append(errs, b.close(ctx))
	}
	if st.region != nil {
		errs = append(errs, st.region.Close(ctx))
	}
	for _, c := range []*cluster{st.blue, st.green} {
		errs = append(errs, c.clear(ctx, st.namespace))
	}
	return errors.Join(errs...)
}

// clear takes away what scales and runs, so that it costs the next scene nothing.
func (c *cluster) clear(ctx context.Context, namespace string) error {
	if err := c.client.AutoscalingV2().HorizontalPodAutoscalers(namespace).DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{}); err != nil {
		return fmt.Errorf("deleting autoscalers of %s: %w", c.name, err)
	}
	if err := c.client.AppsV1().Deployments(namespace).DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{}); err != nil {
		return fmt.Errorf("deleting deployments of %s: %w", c.name, err)
	}
	return nil
}
