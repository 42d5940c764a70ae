package realnode

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/load"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/story"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/world"
)

// stage is the world with a real node.
type stage struct {
	options Options
	began   time.Time
	node    *node
	world   *world.World
	region  *world.Region
	users   *load.Generator
	story   *story.Story
	client  kubernetes.Interface // of the management cluster
	version string

	cancel context.CancelFunc
	told   chan struct{} // closed when nobody follows the story any more
	figures
}

// figures are what the last line says.
type figures struct {
	ready    time.Duration // of helm install --wait
	memory   int64         // bytes resident, of the larger pod, at most
	image    int64         // bytes, unpacked
	steps    int
	rollback time.Duration // from helm upgrade's begin to AWS's acknowledgement
	command  time.Duration // the same from the command's begin
	deleted  int
	restarts int
}

// Play plays, inside of the namespaces.
func Play(ctx context.Context, o Options) (err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, o.Patience, fmt.Errorf("it took longer than %s", o.Patience))
	defer cancel()
	s := &stage{options: o, began: time.Now(), story: story.New(time.Now())}
	defer func() { err = errors.Join(err, s.close(context.WithoutCancel(ctx))) }()
	if err := s.raise(ctx); err != nil {
		return err
	}
	for _, act := range []struct {
		title string
		play  func(context.Context) error
	}{
		{"install", s.install},
		{"what the kernel says of the pods", s.inspect},
		{"rights, and helm test", s.examine},
		{"shift, with the leader's pod deleted", s.shift},
		{"back by the command, and a new attempt", s.back},
		{"back by the flag", s.flag},
		{"upgrade", s.upgrade},
		{"uninstall", s.uninstall},
	} {
		s.say("\n▶ %s", act.title)
		if err := errors.Join(act.play(ctx), s.note(ctx)); err != nil {
			s.say("  ✘ failed: %v", err)
			return fmt.Errorf("%s: %w", act.title, err)
		}
	}
	return s.finish()
}

// note notes after each act what the pods came to by now.
func (s *stage) note(ctx context.Context) error {
	return errors.Join(s.watchMemory(), s.countRestarts(ctx), s.node.ended())
}

func (s *stage) say(format string, args ...any) { s.options.say(format, args...) }

// raise starts the control planes, the node, AWS, the edge and the users.
func (s *stage) raise(ctx context.Context) error {
	t, err := findTools(machine{})
	if err != nil {
		return err
	}
	if s.version, err = chartVersion(s.options.Root); err != nil {
		return err
	}
	logs, err := filepath.Abs(s.options.file("logs"))
	if err != nil {
		return err
	}
	if err := os.MkdirAll(logs, 0o755); err != nil {
		return err
	}
	s.node = &node{places: places{state: state, cni: t.cni, logs: logs}, tools: t, assets: s.options.Assets}
	if err := s.node.network(ctx); err != nil {
		return err
	}
	s.say("Starting three control planes, and a real node for the first …")
	s.world, err = world.Start(ctx, world.Options{Assets: s.options.Assets, Dir: s.options.Dir, Progress: s.options.Out, Adjust: adjust, Host: nodeAddress})
	if err != nil {
		return err
	}
	if s.region, err = s.world.NewRegion(ctx, 1); err != nil {
		return err
	}
	if s.client, err = kubernetes.NewForConfig(s.world.Management.RESTConfig()); err != nil {
		return err
	}
	if err := s.node.start(ctx, s.world.Management, s.options.file(imageFile), s.options.file(pauseFile)); err != nil {
		return err
	}
	if err := s.follow(ctx); err != nil {
		return err
	}
	s.users, err = load.Start(load.Options{
		Targets:    []string{"http://" + world.WebName + "/", "http://" + world.APIName + "/"},
		DNSAddress: s.region.Edge.DNSAddress(), Network: s.world.Network, Rate: s.options.Rate,
	})
	s.say("… the node is ready after %.1f s. Users send %d requests a second.", time.Since(s.began).Seconds(), s.options.Rate)
	return err
}

// adjust lets a control plane be reached from pods, and the management cluster have
// a node.
func adjust(o *controlplane.Options) {
	o.Addresses = []string{nodeAddress}
	if o.Name != "management" {
		return
	}
	o.Addresses = append(o.Addresses, serviceAddress)
	o.EgressSocket = "" // pods are where the API server is
	o.Controllers = &controlplane.Controllers{RealNodes: true}
	o.Flags = map[string]string{
		"endpoint-reconciler-type": "lease", "authorization-mode": "Node,RBAC", "enable-admission-plugins": "NodeRestriction",
	}
}

// follow begins to follow what the daemons say.
func (s *stage) follow(ctx context.Context) error {
	watcher, err := dynamic.NewForConfig(s.world.Management.RESTConfig())
	if err != nil {
		return err
	}
	ctx, s.cancel = context.WithCancel(context.WithoutCancel(ctx))
	s.told = make(chan struct{})
	go func() {
		defer close(s.told)
		s.story.Follow(ctx, watcher, namespace, nil)
	}()
	return nil
}

// close stops everything, the users first.
func (s *stage) close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	var errs []error
	if s.users != nil {
		s.users.Stop()
	}
	if s.cancel != nil {
		s.cancel()
		<-s.told
	}
	if s.node != nil {
		errs = append(errs, s.node.close())
	}
	if s.region != nil {
		errs = append(errs, s.region.Close(ctx))
	}
	if s.world != nil {
		errs = append(errs, s.world.Close(ctx))
	}
	return errors.Join(errs...)
}
