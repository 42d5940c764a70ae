package ready

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/vnet"
)

// ground is what all scenes are played in, one after the other.
type ground struct {
	options     Options
	network     *vnet.Network
	management  *controlplane.ControlPlane
	blue, green *cluster

	planes    []*controlplane.ControlPlane
	socketDir string
	cancel    context.CancelFunc
	serving   sync.WaitGroup
}

// startGround starts everything; the clusters are empty. The caller must call close.
func startGround(ctx context.Context, o Options) (*ground, error) {
	g := &ground{options: o, network: vnet.New()}
	if err := g.start(ctx); err != nil {
		return nil, errors.Join(err, g.close(context.WithoutCancel(ctx)))
	}
	return g, nil
}

func (g *ground) start(ctx context.Context) error {
	socket, err := g.serveEgress(ctx)
	if err != nil {
		return err
	}
	management := controlplane.Options{
		Name: "management", Assets: g.options.Assets, Progress: g.options.Out, CRDs: g.options.CRDs,
		LogDir: filepath.Join(g.options.Dir, "logs"), UnsafeNoFsync: true,
	}
	g.planes, err = controlplane.StartAll(ctx, management, g.plane("blue", "10.10.0.1/16", socket), g.plane("green", "10.20.0.1/16", socket))
	if err != nil {
		return fmt.Errorf("starting control planes: %w", err)
	}
	g.management = g.planes[0]
	if g.blue, err = startCluster(ctx, "blue", "10.11.0.1", g.planes[1], g.network); err != nil {
		return err
	}
	g.green, err = startCluster(ctx, "green", "10.21.0.1", g.planes[2], g.network)
	return err
}

// plane is a cluster whose autoscalers take seconds for what takes minutes in life.
func (g *ground) plane(name, cidr, socket string) controlplane.Options {
	nodes := make([]controlplane.Node, 3)
	for i, zone := range []string{"a", "c", "d"} {
		nodes[i] = controlplane.Node{
			Name: fmt.Sprintf("ip-%s-%d.compute.internal", name, i), Kubelet: "v1.36.4-eks-3cfe0ce",
			Labels: map[string]string{"topology.kubernetes.io/zone": "ap-northeast-1" + zone},
		}
	}
	return controlplane.Options{
		Name: name, Assets: g.options.Assets, Progress: g.options.Out, EgressSocket: socket,
		LogDir: filepath.Join(g.options.Dir, "logs"), UnsafeNoFsync: true,
		// The metrics API stands where pods stand; the aggregator goes to its
		// endpoint itself, for nobody plays kube-proxy.
		Flags: map[string]string{"enable-aggregator-routing": "true"},
		Controllers: &controlplane.Controllers{PodCIDR: cidr, Nodes: nodes, ManagerFlags: map[string]string{
			"horizontal-pod-autoscaler-sync-period":               "1s",
			"horizontal-pod-autoscaler-cpu-initialization-period": "1s",
			"horizontal-pod-autoscaler-initial-readiness-delay":   "1s",
		}},
	}
}

// serveEgress gives the API servers their way to pods and to the metrics API.
func (g *ground) serveEgress(ctx context.Context) (socket string, err error) {
	// A unix socket's path must be short.
	if g.socketDir, err = os.MkdirTemp("", "csw"); err != nil {
		return "", fmt.Errorf("making a folder for the egress socket: %w", err)
	}
	socket = filepath.Join(g.socketDir, "egress")
	l, err := (&net.ListenConfig{}).Listen(ctx, "unix", socket)
	if err != nil {
		return "", fmt.Errorf("listening for the API servers' egress: %w", err)
	}
	ctx, g.cancel = context.WithCancel(context.WithoutCancel(ctx))
	g.serving.Go(func() { _ = g.network.ServeConnect(ctx, l) })
	return socket, nil
}

// close stops everything and waits for it.
func (g *ground) close(ctx context.Context) error {
	var errs []error
	for _, c := range []*cluster{g.blue, g.green} {
		if c != nil {
			errs = append(errs, c.close(ctx))
		}
	}
	errs = append(errs, controlplane.StopAll(g.planes...))
	if g.cancel != nil {
		g.cancel()
	}
	g.serving.Wait()
	if g.socketDir != "" {
		errs = append(errs, os.RemoveAll(g.socketDir))
	}
	return errors.Join(errs...)
}

// say tells a person how far it is.
func (g *ground) say(format string, a ...any) { fmt.Fprintf(g.options.Out, format+"\n", a...) }
