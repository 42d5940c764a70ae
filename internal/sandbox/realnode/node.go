package realnode

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane"
)

const (
	// nodeReadyWithin bounds the wait for the node, and stopWithin that for a program
	// that was told to end.
	nodeReadyWithin = 2 * time.Minute
	stopWithin      = 15 * time.Second
	lookEvery       = 100 * time.Millisecond
)

// node is the running node.
type node struct {
	places   places
	tools    tools
	assets   controlplane.Assets
	programs []*program
}

// program is one program of the node.
type program struct {
	name string
	cmd  *exec.Cmd
	log  string
	done chan struct{}
}

// network gives the namespace its loopback, and the node its address.
func (n *node) network(ctx context.Context) error {
	for _, words := range []string{
		"link set lo up", "link add node0 type bridge", "address add " + nodeAddress + "/32 dev node0", "link set node0 up",
	} {
		if err := command(ctx, n.tools.programs["ip"], strings.Fields(words)...); err != nil {
			return err
		}
	}
	return nil
}

// start starts the node's programs and waits until the node is ready.
func (n *node) start(ctx context.Context, management *controlplane.ControlPlane, images ...string) error {
	network, err := n.places.networkConfig()
	if err != nil {
		return err
	}
	kubelet, err := n.places.kubeletConfig()
	if err != nil {
		return err
	}
	identity, err := management.UserKubeconfig("system:node:"+nodeName, "system:nodes")
	if err != nil {
		return err
	}
	proxyIdentity, err := management.UserKubeconfig("system:kube-proxy")
	if err != nil {
		return err
	}
	proxy, err := n.places.proxyConfig(proxyIdentity)
	if err != nil {
		return err
	}
	for name, content := range map[string][]byte{
		"cni/10-pods.conflist": network, "kubelet.yaml": kubelet, "kube-proxy.yaml": proxy, "resolv.conf": nil,
		"containerd.toml": []byte(n.places.containerdConfig()),
	} {
		path := n.places.path(name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, content, 0o600); err != nil {
			return err
		}
	}
	if err := n.run(n.tools.programs["containerd"], "--config", n.places.path("containerd.toml")); err != nil {
		return err
	}
	if err := n.load(ctx, images); err != nil {
		return err
	}
	err = n.run(filepath.Join(n.assets.Dir, "kubelet"), "--config="+n.places.path("kubelet.yaml"), "--kubeconfig="+identity,
		"--hostname-override="+nodeName, "--node-ip="+nodeAddress, "--root-dir="+n.places.path("kubelet"), "--cert-dir="+n.places.path("kubelet-certificates"), "--v=2")
	if err != nil {
		return err
	}
	if err := n.run(filepath.Join(n.assets.Dir, "kube-proxy"), "--config="+n.places.path("kube-proxy.yaml")); err != nil {
		return err
	}
	return n.ready(ctx, management)
}

// load waits until containerd answers, and puts the images of the archives where
// kubelet finds them.
func (n *node) load(ctx context.Context, images []string) error {
	ctr := func(args ...string) error {
		return command(ctx, n.tools.programs["ctr"], append([]string{"--address", n.places.socket(), "--namespace", "k8s.io"}, args...)...)
	}
	err := n.until(ctx, "containerd answers", func() error { return ctr("version") })
	if err != nil {
		return err
	}
	for _, image := range images {
		if err := ctr("images", "import", image); err != nil {
			return err
		}
	}
	return nil
}

// ready waits until the node is ready, as the scheduler sees it.
func (n *node) ready(ctx context.Context, management *controlplane.ControlPlane) error {
	client, err := kubernetes.NewForConfig(management.RESTConfig())
	if err != nil {
		return err
	}
	return n.until(ctx, "the node is ready", func() error {
		node, err := client.CoreV1().Nodes().Get(ctx, nodeName, metav1.GetOptions{})
		if err != nil {
			return err
		}
		for _, c := range node.Status.Conditions {
			if c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue && len(node.Spec.Taints) == 0 {
				return nil
			}
		}
		return fmt.Errorf("it is not: %v, taints %v", node.Status.Conditions, node.Spec.Taints)
	})
}

// until asks again and again, and fails when a program of the node ends.
func (n *node) until(ctx context.Context, what string, ask func() error) error {
	ctx, cancel := context.WithTimeout(ctx, nodeReadyWithin)
	defer cancel()
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		last := ask()
		if last == nil {
			return nil
		}
		if err := n.ended(); err != nil {
			return fmt.Errorf("waiting until %s: %w", what, err)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting until %s: %w; last: %w", what, context.Cause(ctx), last)
		case <-tick.C:
		}
	}
}

// run starts one program.
func (n *node) run(path string, args ...string) error {
	p := &program{name: filepath.Base(path), done: make(chan struct{}), log: filepath.Join(n.places.logs, filepath.Base(path)+".log")}
	log, err := os.Create(p.log)
	if err != nil {
		return err
	}
	defer log.Close() // the program has its own
	p.cmd = exec.Command(path, args...)
	p.cmd.Stdout, p.cmd.Stderr = log, log
	if err := p.cmd.Start(); err != nil {
		return fmt.Errorf("starting %s: %w", p.name, err)
	}
	n.programs = append(n.programs, p)
	go func() {
		defer close(p.done)
		_ = p.cmd.Wait() // its state tells how it ended
	}()
	return nil
}

// ended says which program ended although nobody asked it to.
func (n *node) ended() error {
	var errs []error
	for _, p := range n.programs {
		select {
		case <-p.done:
			errs = append(errs, fmt.Errorf("%s ended by itself: %s; its last words: %s", p.name, p.cmd.ProcessState, tail(p.log)))
		default:
		}
	}
	return errors.Join(errs...)
}

// close ends the programs, the last one first. Pods that still run end with the
// namespace.
func (n *node) close() error {
	var errs []error
	for _, p := range slices.Backward(n.programs) {
		_ = p.cmd.Process.Signal(syscall.SIGTERM) // one that has ended is waited for all the same
		select {
		case <-p.done:
		case <-time.After(stopWithin):
			errs = append(errs, fmt.Errorf("%s did not stop within %s", p.name, stopWithin), p.cmd.Process.Kill())
			<-p.done
		}
	}
	return errors.Join(errs...)
}

func tail(file string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return err.Error()
	}
	return lastOf(string(text), 2000)
}

// command runs a program to its end.
func command(ctx context.Context, name string, args ...string) error {
	out, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("running %s %s: %w: %s", filepath.Base(name), strings.Join(args, " "), err, lastOf(string(out), 1500))
	}
	return nil
}
