// Package world puts the demo's parts together: three real Kubernetes control
// planes, the pods of blue and green, and for each scenario a fresh AWS region
// with the edge that routes by it.
package world

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/backend"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/fleet"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/vnet"
)

// PodPort is where every pod listens.
const PodPort = 8080

// Options are what a World is made of.
type Options struct {
	Assets controlplane.Assets
	// Dir keeps the servers' logs.
	Dir string
	// Progress receives sentences about what takes long.
	Progress io.Writer
	// CRDs are installed in the management cluster.
	CRDs []*apiextensionsv1.CustomResourceDefinition
	// Adjust changes how a control plane is started: management, blue or green. nil:
	// nothing is changed.
	Adjust func(*controlplane.Options)
	// Host is the IP address at which regions serve the AWS APIs. Empty: 127.0.0.1.
	Host string
}

// World is the running demo world.
type World struct {
	Network    *vnet.Network
	Management *controlplane.ControlPlane
	Blue       *Cluster
	Green      *Cluster
	// HealthChecks is how often a region looks at each target; 0: 200 ms. An answer may
	// take two fifths of it.
	HealthChecks time.Duration

	host      string
	planes    []*controlplane.ControlPlane
	socketDir string
	cancel    context.CancelFunc
	serving   sync.WaitGroup
}

// Cluster is one of the two clusters: its API server, what stands in it, and
// the pods that answer.
type Cluster struct {
	*controlplane.ControlPlane
	Fleet *fleet.Fleet
	Pods  *backend.Cluster
	// Addresses are the pods' IP addresses.
	Addresses []string
}

// Start starts the world. The caller must call Close, also after an error of
// its own.
func Start(ctx context.Context, o Options) (*World, error) {
	w := &World{Network: vnet.New(), host: cmp.Or(o.Host, "127.0.0.1")}
	if err := w.start(ctx, o); err != nil {
		return nil, errors.Join(err, w.Close(context.WithoutCancel(ctx)))
	}
	return w, nil
}

func (w *World) start(ctx context.Context, o Options) error {
	socket, err := w.serveEgress(ctx)
	if err != nil {
		return err
	}
	plane := func(name string, crds []*apiextensionsv1.CustomResourceDefinition) controlplane.Options {
		p := controlplane.Options{
			Name: name, Assets: o.Assets, Progress: o.Progress, EgressSocket: socket,
			CRDs: crds, LogDir: filepath.Join(o.Dir, "logs"), UnsafeNoFsync: true,
		}
		if o.Adjust != nil {
			o.Adjust(&p)
		}
		return p
	}
	w.planes, err = controlplane.StartAll(ctx, plane("management", o.CRDs), plane("blue", nil), plane("green", nil))
	if err != nil {
		return fmt.Errorf("starting control planes: %w", err)
	}
	w.Management = w.planes[0]
	if w.Blue, err = w.cluster(ctx, "blue", w.planes[1], "10.10.0.%d"); err != nil {
		return err
	}
	w.Green, err = w.cluster(ctx, "green", w.planes[2], "10.20.0.%d")
	return err
}

// serveEgress gives the API servers their way to the pods, as konnectivity
// does in clusters whose control plane stands apart from the nodes.
func (w *World) serveEgress(ctx context.Context) (socket string, err error) {
	// A unix socket's path must be short.
	if w.socketDir, err = os.MkdirTemp("", "csw"); err != nil {
		return "", fmt.Errorf("making a folder for the egress socket: %w", err)
	}
	socket = filepath.Join(w.socketDir, "egress")
	l, err := (&net.ListenConfig{}).Listen(ctx, "unix", socket)
	if err != nil {
		return "", fmt.Errorf("listening for the API servers' egress: %w", err)
	}
	ctx, w.cancel = context.WithCancel(context.WithoutCancel(ctx))
	w.serving.Go(func() { _ = w.Network.ServeConnect(ctx, l) })
	return socket, nil
}

func (w *World) cluster(ctx context.Context, name string, plane *controlplane.ControlPlane, addresses string) (*Cluster, error) {
	c := &Cluster{ControlPlane: plane, Pods: backend.NewCluster(name, w.Network)}
	for i := range 3 {
		address := fmt.Sprintf(addresses, i+1)
		c.Addresses = append(c.Addresses, address)
		if err := c.Pods.Add(fmt.Sprintf("web-%d", i), fmt.Sprintf("%s:%d", address, PodPort)); err != nil {
			return nil, err
		}
	}
	client, err := kubernetes.NewForConfig(plane.RESTConfig())
	if err != nil {
		return nil, fmt.Errorf("making a client for %s: %w", name, err)
	}
	c.Fleet, err = fleet.Apply(ctx, client, fleet.Spec{Nodes: 3, Workloads: []fleet.Workload{
		{Kind: fleet.Deployment, Namespace: "shop", Name: "web", Replicas: 3, Ready: 3, PodAddresses: c.Addresses, Port: PodPort},
		{Kind: fleet.StatefulSet, Namespace: "shop", Name: "cart", Replicas: 2, Ready: 2, PodAddresses: podAddresses(addresses, 11, 2)},
		{Kind: fleet.DaemonSet, Namespace: "platform", Name: "log-agent", Replicas: 3, Ready: 3, PodAddresses: podAddresses(addresses, 21, 3)},
	}})
	if err != nil {
		return nil, fmt.Errorf("filling %s: %w", name, err)
	}
	return c, nil
}

func podAddresses(format string, first, n int) []string {
	addresses := make([]string, n)
	for i := range n {
		addresses[i] = fmt.Sprintf(format, first+i)
	}
	return addresses
}

// Heal takes every fault away that a scenario switched on.
func (w *World) Heal() error {
	return errors.Join(w.Blue.Pods.SetFaults(backend.Faults{}), w.Green.Pods.SetFaults(backend.Faults{}))
}

// Close stops everything and waits for it.
func (w *World) Close(ctx context.Context) error {
	var errs []error
	for _, c := range []*Cluster{w.Blue, w.Green} {
		if c != nil {
			errs = append(errs, c.Pods.Close(ctx))
		}
	}
	errs = append(errs, controlplane.StopAll(w.planes...))
	if w.cancel != nil {
		w.cancel()
	}
	w.serving.Wait()
	if w.socketDir != "" {
		errs = append(errs, os.RemoveAll(w.socketDir))
	}
	return errors.Join(errs...)
}
