package demo

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	_ "embed"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/load"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/played"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/story"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/world"
)

// pairName is the pair that every scenario shifts.
const pairName = "shop"

//go:embed config.yaml.tmpl
var configTemplate string

// stage is one scenario's own region, daemon and users in the shared world.
type stage struct {
	*played.Scene
	world  *world.World
	region *world.Region
	users  *load.Generator
}

// raise makes a fresh region, starts the users, and writes the daemon's
// configuration. The daemon itself is the scenario's to start.
func raise(ctx context.Context, fail context.CancelCauseFunc, w *world.World, o Options, name string) (*stage, error) {
	s := &stage{world: w}
	if err := s.raise(ctx, fail, o, name); err != nil {
		return nil, errors.Join(fmt.Errorf("raising the stage: %w", err), s.strike(ctx))
	}
	return s, nil
}

func (s *stage) raise(ctx context.Context, fail context.CancelCauseFunc, o Options, name string) (err error) {
	if err := s.world.Heal(); err != nil {
		return err
	}
	namespace := "demo-" + name
	s.Scene, err = played.Open(ctx, played.Options{
		Management: s.world.Management, Namespace: namespace, Binary: o.Daemon, Dir: filepath.Join(o.Dir, name), Died: fail,
	})
	if err != nil {
		return err
	}
	if s.region, err = s.world.NewRegion(ctx, o.Seed); err != nil {
		return err
	}
	err = s.Configure(configTemplate, map[string]any{
		"Region": s.region, "Namespace": namespace, "WebName": world.WebName, "PodPort": world.PodPort,
		"Management": s.world.Management.Kubeconfig(), "Blue": s.world.Blue.Kubeconfig(), "Green": s.world.Green.Kubeconfig(),
	})
	if err != nil {
		return err
	}
	s.users, err = load.Start(load.Options{
		Targets:    []string{"http://" + world.WebName + "/", "http://" + world.APIName + "/"},
		DNSAddress: s.region.Edge.DNSAddress(), Network: s.world.Network, Rate: o.Rate,
	})
	if err != nil {
		return err
	}
	return s.usersFlow(ctx, int64(o.Rate)*int64(fullWindow/time.Second))
}

// fullWindow is longer than the window in which the daemon measures the load. In life
// users came long before; a load that had only begun would count as less than it is,
// and blue as too weak for it a moment later.
const fullWindow = 6 * time.Second

// usersFlow waits until users have sent so many requests.
func (s *stage) usersFlow(ctx context.Context, requests int64) error {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for s.users.Snapshot().Requests < requests {
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for the users' first %d requests: %w", requests, context.Cause(ctx))
		case <-tick.C:
		}
	}
	return nil
}

// incomplete starts the daemon while green lacks what blue has, and mends it
// once the daemon said so.
func (s *stage) incomplete(ctx context.Context) (from int, err error) {
	prices := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "prices"}, Data: map[string]string{"currency": "EUR"}}
	put := func(c *world.Cluster) error {
		client, err := kubernetes.NewForConfig(c.RESTConfig())
		if err != nil {
			return err
		}
		_, err = client.CoreV1().ConfigMaps(prices.Namespace).Create(ctx, prices, metav1.CreateOptions{})
		return err
	}
	if err := put(s.world.Blue); err != nil {
		return 0, fmt.Errorf("creating a ConfigMap in blue: %w", err)
	}
	if err := s.Start(); err != nil {
		return 0, err
	}
	from, err = s.Story.Await(ctx, 0, "the preflight finds what green lacks", func(m story.Moment) bool { return m.Reason == "PreflightBlocks" })
	if err != nil {
		return 0, err
	}
	s.Story.Tell("somebody brings the ConfigMap shop/prices to green, too; the next look comes within 10 s")
	if err := put(s.world.Green); err != nil {
		return 0, fmt.Errorf("creating a ConfigMap in green: %w", err)
	}
	return from, nil
}

// strike stops everything of the stage, the users first, so that none of them
// meets a closed door.
func (s *stage) strike(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	var errs []error
	if s.users != nil {
		s.users.Stop()
	}
	if s.Scene != nil {
		errs = append(errs, s.Close())
	}
	if s.region != nil {
		errs = append(errs, s.region.Close(ctx))
	}
	return errors.Join(errs...)
}
