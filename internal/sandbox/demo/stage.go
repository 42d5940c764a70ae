package demo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"text/template"
	"time"

	_ "embed"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/daemon"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/load"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/story"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/world"
)

// pairName is the pair that every scenario shifts.
const pairName = "shop"

//go:embed config.yaml.tmpl
var configTemplate string

// stage is one scenario's own region, daemon and users in the shared world.
type stage struct {
	world  *world.World
	region *world.Region
	users  *load.Generator
	story  *story.Story
	daemon *daemon.Daemon

	binary string
	dir    string
	env    []string
	began  time.Time

	// fail ends the scenario with a cause.
	fail context.CancelCauseFunc

	followers sync.WaitGroup
	cancel    context.CancelFunc
}

// raise makes a fresh region, starts the users, and writes the daemon's
// configuration. The daemon itself is the scenario's to start.
func raise(ctx context.Context, fail context.CancelCauseFunc, w *world.World, o Options, name string) (*stage, error) {
	s := &stage{fail: fail, world: w, binary: o.Daemon, dir: filepath.Join(o.Dir, name), env: world.Credentials(), began: time.Now()}
	s.story = story.New(s.began)
	if err := s.raise(ctx, o, name); err != nil {
		return nil, errors.Join(fmt.Errorf("raising the stage: %w", err), s.strike(ctx))
	}
	return s, nil
}

func (s *stage) raise(ctx context.Context, o Options, name string) (err error) {
	if err := os.MkdirAll(s.dir, 0o755); err != nil {
		return err
	}
	if err := s.world.Heal(); err != nil {
		return err
	}
	if s.region, err = s.world.NewRegion(ctx, o.Seed); err != nil {
		return err
	}
	namespace := "demo-" + name
	if err := s.openNamespace(ctx, namespace); err != nil {
		return err
	}
	if err := s.writeConfig(namespace); err != nil {
		return err
	}
	s.users, err = load.Start(load.Options{
		Targets:    []string{"http://" + world.WebName + "/", "http://" + world.APIName + "/"},
		DNSAddress: s.region.Edge.DNSAddress(), Network: s.world.Network, Rate: o.Rate,
	})
	return err
}

func (s *stage) openNamespace(ctx context.Context, namespace string) error {
	rest := s.world.Management.RESTConfig()
	client, err := kubernetes.NewForConfig(rest)
	if err != nil {
		return err
	}
	if _, err := client.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("creating namespace %s: %w", namespace, err)
	}
	watcher, err := dynamic.NewForConfig(rest)
	if err != nil {
		return err
	}
	ctx, s.cancel = context.WithCancel(context.WithoutCancel(ctx))
	s.followers.Go(func() { s.story.Follow(ctx, watcher, namespace) })
	return nil
}

func (s *stage) configFile() string { return filepath.Join(s.dir, "clusterswitch.yaml") }

func (s *stage) writeConfig(namespace string) error {
	t, err := template.New("config").Funcs(template.FuncMap{"dimension": dimension}).Parse(configTemplate)
	if err != nil {
		return fmt.Errorf("reading the configuration's template: %w", err)
	}
	var text strings.Builder
	err = t.Execute(&text, map[string]any{
		"Region": s.region, "Namespace": namespace, "WebName": world.WebName, "PodPort": world.PodPort,
		"Management": s.world.Management.Kubeconfig(), "Blue": s.world.Blue.Kubeconfig(), "Green": s.world.Green.Kubeconfig(),
	})
	if err != nil {
		return fmt.Errorf("filling in the configuration: %w", err)
	}
	return os.WriteFile(s.configFile(), []byte(text.String()), 0o600)
}

// dimension is what CloudWatch calls a load balancer or target group: the end
// of its ARN.
func dimension(arn string) string {
	resource := arn[strings.LastIndex(arn, ":")+1:]
	return strings.TrimPrefix(resource, "loadbalancer/")
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
	if err := s.startDaemon(); err != nil {
		return 0, err
	}
	from, err = s.story.Await(ctx, 0, "the preflight finds what green lacks", func(m story.Moment) bool { return m.Reason == "PreflightBlocks" })
	if err != nil {
		return 0, err
	}
	s.story.Tell("somebody brings the ConfigMap shop/prices to green, too; the next look comes within 10 s")
	if err := put(s.world.Green); err != nil {
		return 0, fmt.Errorf("creating a ConfigMap in green: %w", err)
	}
	return from, nil
}

// startDaemon starts the real daemon.
func (s *stage) startDaemon() (err error) {
	s.daemon, err = daemon.Start(daemon.Options{
		Binary: s.binary, Log: filepath.Join(s.dir, "daemon.log"), Env: s.env, Died: s.fail,
	}, "run", "--config", s.configFile())
	return err
}

// command runs the tool in the hand on this stage.
func (s *stage) command(ctx context.Context, args ...string) error {
	_, err := daemon.Command(ctx, s.binary, s.env, append(args, "--config", s.configFile())...)
	return err
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
	if s.daemon != nil {
		errs = append(errs, s.daemon.Stop())
	}
	if s.cancel != nil {
		s.cancel()
	}
	s.followers.Wait()
	if s.region != nil {
		errs = append(errs, s.region.Close(ctx))
	}
	return errors.Join(errs...)
}
