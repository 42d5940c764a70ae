package planted

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/manifests"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/prometheus"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/vnet"
)

// kubelets of the nodes: one minor version behind the API server, as in the middle
// of an upgrade.
const kubelet = "v1.36.4-eks-3cfe0ce"

// world is both clusters and the AWS in front of them.
type world struct {
	options     Options
	blue, green *cluster
	cloud       *cloud
	helm        manifests.Helm

	socketDir string
	cancel    context.CancelFunc
	serving   sync.WaitGroup
}

// clusters gives blue and green.
func (w *world) clusters() []*cluster { return []*cluster{w.blue, w.green} }

// at gives one side's cluster.
func (w *world) at(s side) *cluster {
	if s == blue {
		return w.blue
	}
	return w.green
}

// startWorld starts everything; the clusters are empty. The caller must call close.
func startWorld(ctx context.Context, o Options) (*world, error) {
	w := &world{options: o, helm: manifests.Helm{Binary: o.Helm, Dir: filepath.Join(o.Dir, "helm")}}
	if err := w.start(ctx); err != nil {
		return nil, errors.Join(err, w.close())
	}
	return w, nil
}

func (w *world) start(ctx context.Context) (err error) {
	if err := os.MkdirAll(w.helm.Dir, 0o755); err != nil {
		return fmt.Errorf("making a folder for helm: %w", err)
	}
	if w.cloud, err = startCloud(ctx); err != nil {
		return err
	}
	socket, err := w.refuseEgress(ctx)
	if err != nil {
		return err
	}
	planes, err := controlplane.StartAll(ctx, w.plane(blue, "10.10.0.1/16", socket), w.plane(green, "10.20.0.1/16", socket))
	if err != nil {
		return fmt.Errorf("starting control planes: %w", err)
	}
	binary, err := prometheus.Build(ctx, w.options.Root)
	if err != nil {
		return errors.Join(err, controlplane.StopAll(planes...))
	}
	for i, s := range []side{blue, green} {
		c, err := newCluster(s, planes[i].RESTConfig())
		if err != nil {
			return errors.Join(err, controlplane.StopAll(planes...))
		}
		c.plane, c.kubeconfig = planes[i], planes[i].Kubeconfig()
		if s == blue {
			w.blue = c
		} else {
			w.green = c
		}
		if c.metrics, err = startMetrics(ctx, s, binary, w.options.Dir); err != nil {
			return err
		}
	}
	return nil
}

func (w *world) plane(s side, cidr, socket string) controlplane.Options {
	var nodes []controlplane.Node
	for i, zone := range []string{"a", "c", "d"} {
		nodes = append(nodes, controlplane.Node{
			Name: fmt.Sprintf("ip-%s-%d.compute.internal", s, i), Kubelet: kubelet,
			Labels: map[string]string{"topology.kubernetes.io/zone": "ap-northeast-1" + zone},
		})
	}
	// Blue still serves an old version, as an older Kubernetes does.
	flags := map[string]string{}
	if s == blue {
		flags["runtime-config"] = "resource.k8s.io/v1beta1=true"
	}
	return controlplane.Options{
		Name: string(s), Assets: w.options.Assets, Progress: w.options.Out, EgressSocket: socket,
		LogDir: filepath.Join(w.options.Dir, "logs"), UnsafeNoFsync: true, Flags: flags,
		Controllers: &controlplane.Controllers{PodCIDR: cidr, Nodes: nodes},
	}
}

// refuseEgress answers the API servers at once that there is no way to any pod:
// otherwise each webhook and aggregated API would wait for its timeout.
func (w *world) refuseEgress(ctx context.Context) (socket string, err error) {
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
	w.serving.Go(func() { _ = vnet.New().ServeConnect(ctx, l) })
	return socket, nil
}

// close stops everything and waits for it.
func (w *world) close() error {
	var errs []error
	var planes []*controlplane.ControlPlane
	for _, c := range w.clusters() {
		if c != nil {
			planes = append(planes, c.plane)
			if c.metrics != nil {
				errs = append(errs, c.metrics.close())
			}
		}
	}
	errs = append(errs, controlplane.StopAll(planes...))
	if w.cloud != nil {
		errs = append(errs, w.cloud.close())
	}
	if w.cancel != nil {
		w.cancel()
	}
	w.serving.Wait()
	if w.socketDir != "" {
		errs = append(errs, os.RemoveAll(w.socketDir))
	}
	return errors.Join(errs...)
}

// say tells a person how far it is.
func (w *world) say(format string, a ...any) { fmt.Fprintf(w.options.Out, format+"\n", a...) }

// Options say where things are.
type Options struct {
	// Binary is the path of the clusterswitch binary, Helm that of helm.
	Binary, Helm string
	// Dir takes logs, configurations and reports.
	Dir    string
	Assets controlplane.Assets
	// Root is the folder of this repository's checkout.
	Root string
	// Only limits the run to rows of these checks; empty: all.
	Only []string
	// Out gets the table, and the line at the end.
	Out io.Writer
}
