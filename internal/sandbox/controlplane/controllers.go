package controlplane

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"k8s.io/client-go/kubernetes"
)

// Controllers bring a cluster to life: kube-controller-manager and kube-scheduler
// are the real ones, and kwok plays the kubelets. Pods become Running and Ready
// although nothing runs in them, Jobs complete, and service accounts have to exist
// before their pods. A pod with the annotation WaitingAnnotation never becomes
// ready; StartingAnnotation, WorkingAnnotation and LeavingAnnotation let pods take
// their time.
type Controllers struct {
	// RealNodes: kwok isn't run. Nodes are whoever's kubelets register, after Start.
	RealNodes bool
	// Nodes are registered, and Ready, before Start returns; at least one, unless
	// RealNodes.
	Nodes []Node
	// PodCIDR is where pods get their addresses from, such as 10.10.0.1/16. None of
	// them leads anywhere by itself. Empty: 10.0.0.1/24, kwok's own.
	PodCIDR string
	// ManagerFlags are more flags of kube-controller-manager: name without dashes,
	// and value.
	ManagerFlags map[string]string
}

// WaitingAnnotation keeps a pod from becoming ready; its value is the reason that
// its containers wait, such as ImagePullBackOff. With CrashLoopBackOff they were
// restarted seven times.
const WaitingAnnotation = "sandbox.clusterswitch.io/waiting"

// These say how long a pod takes until it is ready, how long a Job's pod works, and
// how long a pod is there after somebody deleted it. Values are durations such as
// 1500ms; without them nothing takes any time.
const (
	StartingAnnotation = "sandbox.clusterswitch.io/starting"
	WorkingAnnotation  = "sandbox.clusterswitch.io/working"
	LeavingAnnotation  = "sandbox.clusterswitch.io/leaving"
)

//go:embed stages.yaml
var stages []byte

// process is one program beside the API server.
type process struct {
	name string
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
}

// program is one of the controllers with its flags.
type program struct {
	name  string
	flags []string
}

// ensureControllers builds what is missing, before any server waits for it.
func (a Assets) ensureControllers(ctx context.Context, progress io.Writer, o *Controllers) error {
	names := []string{"kube-controller-manager", "kube-scheduler"}
	if !o.RealNodes {
		names = append(names, "kwok")
	}
	for _, name := range names {
		if _, err := a.Program(ctx, progress, name); err != nil {
			return err
		}
	}
	return nil
}

// startControllers starts the programs and waits until the nodes are ready and
// the first service account is there.
func (cp *ControlPlane) startControllers(ctx context.Context, o Options) error {
	client, err := kubernetes.NewForConfig(cp.admin)
	if err != nil {
		return err
	}
	for _, n := range o.Controllers.Nodes {
		if err := AddNode(ctx, client, n); err != nil {
			return err
		}
	}
	if err := cp.writeControllersFiles(); err != nil {
		return err
	}
	for _, p := range cp.controllers(o.Controllers) {
		if err := cp.startProgram(filepath.Join(o.Assets.Dir, p.name), o.LogDir, p.flags); err != nil {
			return fmt.Errorf("starting %s: %w", p.name, err)
		}
	}
	if err := cp.waitForLife(ctx, len(o.Controllers.Nodes)); err != nil {
		return fmt.Errorf("%w%s", err, cp.lastWords())
	}
	return nil
}

// controllers gives each program its flags. None of them listens anywhere, and
// none asks for leadership: each is alone.
func (cp *ControlPlane) controllers(o *Controllers) []program {
	kubernetes := []string{
		"--kubeconfig=" + cp.kubeconfig, "--leader-elect=false", "--secure-port=0", "--profiling=false",
		"--kube-api-qps=500", "--kube-api-burst=1000",
	}
	kwok := []string{
		"--kubeconfig=" + cp.kubeconfig, "--config=" + cp.path("stages.yaml"), "--manage-all-nodes=true",
		"--node-ip=127.0.0.1", "--node-lease-duration-seconds=40",
	}
	if o.PodCIDR != "" {
		kwok = append(kwok, "--cidr="+o.PodCIDR)
	}
	manager := append(slices.Clone(kubernetes),
		// kwok speaks for the nodes from this very machine: where it is starved for
		// a while, all pods of a cluster would lose their readiness at once.
		"--node-monitor-grace-period=10m",
		"--root-ca-file="+cp.path("root-ca.crt"),
		"--service-account-private-key-file="+filepath.Join(cp.plane.APIServer.CertDir, "sa-signer.key"))
	for _, name := range slices.Sorted(maps.Keys(o.ManagerFlags)) {
		manager = append(manager, "--"+name+"="+o.ManagerFlags[name])
	}
	all := []program{{"kube-controller-manager", manager}, {"kube-scheduler", kubernetes}}
	if o.RealNodes {
		return all
	}
	return append(all, program{"kwok", kwok})
}

func (cp *ControlPlane) writeControllersFiles() error {
	if err := os.WriteFile(cp.path("stages.yaml"), stages, 0o600); err != nil {
		return err
	}
	return os.WriteFile(cp.path("root-ca.crt"), cp.plane.APIServer.CA, 0o600)
}

// startProgram starts one program in a process group of its own, as the servers
// are, so that a Ctrl-C in the terminal goes to us alone.
func (cp *ControlPlane) startProgram(path, logDir string, args []string) error {
	name := filepath.Base(path)
	log, err := cp.openLog(logDir, name)
	if err != nil {
		return err
	}
	script, err := guarded(cp.dir, path)
	if err != nil {
		return err
	}
	cmd := exec.Command(script, args...)
	cmd.Stdout, cmd.Stderr = log, log
	// kwok would look for settings in the home of whoever runs it.
	cmd.Env = append(os.Environ(), "HOME="+cp.dir, "KWOK_WORKDIR="+cp.path("kwok"))
	cmd.SysProcAttr = ownGroup()
	if err := cmd.Start(); err != nil {
		return err
	}
	p := &process{name: name, cmd: cmd, done: make(chan struct{})}
	go func() {
		defer close(p.done)
		_ = cmd.Wait() // the process's state tells how it ended
	}()
	cp.programs = append(cp.programs, p)
	return nil
}

// ended says which program ended although nobody asked it to.
func (cp *ControlPlane) ended() error {
	var errs []error
	for _, p := range cp.programs {
		select {
		case <-p.done:
			errs = append(errs, fmt.Errorf("%s ended by itself: %s", p.name, p.cmd.ProcessState))
		default:
		}
	}
	return errors.Join(errs...)
}

// stop asks the program to end and waits for it.
func (p *process) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stopping %s: %w", p.name, err)
	}
	select {
	case <-p.done: // how a program ends that was told to is its own affair
		return nil
	case <-time.After(stopTimeout):
		err := p.cmd.Process.Kill()
		<-p.done
		return errors.Join(fmt.Errorf("%s did not stop within %s", p.name, stopTimeout), err)
	}
}
