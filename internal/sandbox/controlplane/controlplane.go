package controlplane

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"golang.org/x/sync/errgroup"
)

const (
	// startTimeout is for one process; a busy machine with the race detector
	// running needs far more than the usual three seconds.
	startTimeout = 90 * time.Second
	stopTimeout  = 30 * time.Second
	// startAttempts: ports are chosen by opening and closing them, so that any
	// other program may take one before the server listens on it.
	startAttempts = 3
)

// Options describe one control plane.
type Options struct {
	// Name appears in errors, in file names and as the kubeconfig's folder:
	// "blue", "green", "management".
	Name string
	// Assets says where the binaries are; not needed when KUBEBUILDER_ASSETS is set.
	Assets Assets
	// Progress receives sentences about a build of the binaries; nil discards them.
	Progress io.Writer
	// EgressSocket is the path of a unix socket where an HTTP CONNECT proxy
	// listens. When set, kube-apiserver reaches pods through it (service proxy,
	// pod proxy, webhooks, aggregated APIs), so that pod addresses need to exist
	// behind that proxy only. Empty: the API server dials pods itself.
	EgressSocket string
	// Addresses are IP addresses at which others reach kube-apiserver, such as pods
	// do; its certificate names them. It then listens at all addresses of the
	// machine, and its own kubeconfigs still say 127.0.0.1. The first one is what the
	// Service kubernetes leads to, with the flag endpoint-reconciler-type=lease. Empty:
	// it listens at 127.0.0.1 only.
	Addresses []string
	// CRDs are created and served before Start returns.
	CRDs []*apiextensionsv1.CustomResourceDefinition
	// LogDir keeps the servers' logs after Stop, as NAME-etcd.log and
	// NAME-kube-apiserver.log. Empty: they go away with the control plane.
	LogDir string
	// Controllers are run beside the API server; nil: none are, and nothing happens
	// in the cluster but what clients do.
	Controllers *Controllers
	// Flags are more flags of kube-apiserver: name without dashes, and value.
	Flags map[string]string
	// Audit writes down the requests of some users; nil: of nobody.
	Audit *Audit
	// UnsafeNoFsync lets etcd skip fsync: much faster on slow disks, and the data
	// may be lost or broken if the machine (not only the process) crashes. Right
	// for tests and the demo, whose data is thrown away anyway.
	UnsafeNoFsync bool
}

// ControlPlane is a running etcd with its kube-apiserver. Its methods may be used
// by several goroutines.
type ControlPlane struct {
	name       string
	dir        string
	guard      *guard
	plane      *envtest.ControlPlane
	logs       []*os.File
	admin      *rest.Config
	kubeconfig string
	programs   []*process

	users    sync.Mutex // provisioning a user writes into the plane
	stopping sync.Once
	stopErr  error
}

// Start starts a control plane and waits until it serves and has its CRDs. When
// binaries are missing they are built first (see Assets.Ensure). A cancelled ctx
// is noticed between two stages, not within one. The caller must call Stop; if its
// process ends without, the servers are killed a moment later.
func Start(ctx context.Context, o Options) (*ControlPlane, error) {
	if o.Name == "" {
		return nil, errors.New("starting a control plane: Options.Name is empty")
	}
	if o.Progress == nil {
		o.Progress = io.Discard
	}
	bin, err := o.Assets.Ensure(ctx, o.Progress)
	if err != nil {
		return nil, err
	}
	if o.Controllers != nil {
		if err := o.Assets.ensureControllers(ctx, o.Progress, o.Controllers); err != nil {
			return nil, err
		}
	}
	for attempt := 1; ; attempt++ {
		cp, err := startOnce(ctx, bin, o)
		if err == nil {
			return cp, nil
		}
		err = fmt.Errorf("starting control plane %s: %w", o.Name, err)
		if attempt == startAttempts || !errors.Is(err, errNotServing) || ctx.Err() != nil {
			return nil, err
		}
	}
}

// StartAll starts several control planes at the same time and returns them in
// the order of the options. If one doesn't start, none is left running.
func StartAll(ctx context.Context, options ...Options) ([]*ControlPlane, error) {
	started := make([]*ControlPlane, len(options))
	group, groupCtx := errgroup.WithContext(ctx)
	for i, o := range options {
		group.Go(func() (err error) {
			started[i], err = Start(groupCtx, o)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, errors.Join(err, StopAll(started...))
	}
	return started, nil
}

// StopAll stops several control planes at the same time; nil ones are passed over.
func StopAll(planes ...*ControlPlane) error {
	errs := make([]error, len(planes))
	var stopping sync.WaitGroup
	for i, cp := range planes {
		if cp != nil {
			stopping.Go(func() { errs[i] = cp.Stop() })
		}
	}
	stopping.Wait()
	return errors.Join(errs...)
}

// errNotServing marks an attempt whose servers didn't come up, which another
// attempt with other ports may heal.
var errNotServing = errors.New("the servers did not come up")

func startOnce(ctx context.Context, bin string, o Options) (_ *ControlPlane, err error) {
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}
	dir, err := os.MkdirTemp("", "clusterswitch-"+o.Name+"-")
	if err != nil {
		return nil, err
	}
	cp := &ControlPlane{name: o.Name, dir: dir}
	defer func() {
		if err != nil {
			err = errors.Join(err, cp.Stop())
		}
	}()
	if cp.guard, err = startGuard(dir); err != nil {
		return nil, err
	}
	if cp.plane, err = cp.configure(bin, o); err != nil {
		return nil, err
	}
	if err := cp.plane.Start(); err != nil {
		return nil, fmt.Errorf("%w: %w%s", errNotServing, err, cp.lastWords())
	}
	if cp.admin, cp.kubeconfig, err = cp.addUser("admin", []string{"system:masters"}); err != nil {
		return nil, err
	}
	if err := waitForNamespace(ctx, cp.admin, "default"); err != nil {
		return nil, err
	}
	if err := installCRDs(ctx, cp.admin, o.CRDs); err != nil || o.Controllers == nil {
		return cp, err
	}
	return cp, cp.startControllers(ctx, o)
}

// Name returns the name given in the options.
func (cp *ControlPlane) Name() string { return cp.name }

// RESTConfig returns a new client configuration for a cluster administrator,
// without client-side rate limit.
func (cp *ControlPlane) RESTConfig() *rest.Config { return rest.CopyConfig(cp.admin) }

// Kubeconfig returns the path of a kubeconfig file for a cluster administrator.
// Its only context is the current one. The file lives until Stop.
func (cp *ControlPlane) Kubeconfig() string { return cp.kubeconfig }

// UserKubeconfig writes a kubeconfig file for a user with a client certificate
// and returns its path. The user may do what RBAC grants to the name and the
// groups, which is next to nothing until somebody binds a role to them. The file
// lives until Stop.
func (cp *ControlPlane) UserKubeconfig(user string, groups ...string) (string, error) {
	_, path, err := cp.addUser(user, groups)
	if err != nil {
		return "", fmt.Errorf("adding user %s to control plane %s: %w", user, cp.name, err)
	}
	return path, nil
}

func (cp *ControlPlane) addUser(name string, groups []string) (*rest.Config, string, error) {
	cp.users.Lock()
	defer cp.users.Unlock()
	// A negative QPS switches the client's own rate limit off.
	user, err := cp.plane.AddUser(envtest.User{Name: name, Groups: groups}, &rest.Config{QPS: -1})
	if err != nil {
		return nil, "", err
	}
	content, err := user.KubeConfig()
	if err != nil {
		return nil, "", err
	}
	file, err := os.CreateTemp(cp.dir, "*.kubeconfig") // readable by its owner only
	if err != nil {
		return nil, "", err
	}
	_, err = file.Write(content)
	return user.Config(), file.Name(), errors.Join(err, file.Close())
}

// Stop ends the controllers, kube-apiserver and then etcd, waits for them and
// removes their data.
// A second call returns what the first one returned.
func (cp *ControlPlane) Stop() error {
	cp.stopping.Do(func() {
		errs := []error{cp.ended()}
		for _, p := range cp.programs {
			errs = append(errs, p.stop())
		}
		if cp.plane != nil {
			errs = append(errs, cp.plane.Stop())
		}
		for _, log := range cp.logs {
			errs = append(errs, log.Close())
		}
		// The folder goes first: without process ids in it the guard kills nobody.
		errs = append(errs, os.RemoveAll(cp.dir))
		if cp.guard != nil {
			errs = append(errs, cp.guard.dismiss())
		}
		if err := errors.Join(errs...); err != nil {
			cp.stopErr = fmt.Errorf("stopping control plane %s: %w", cp.name, err)
		}
	})
	return cp.stopErr
}

// path returns the path of a file or folder of this control plane.
func (cp *ControlPlane) path(name string) string { return filepath.Join(cp.dir, name) }
