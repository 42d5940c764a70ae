package controlplane

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// EnvAssets is the variable of kubebuilder and setup-envtest that names a folder
// with ready-made etcd and kube-apiserver binaries. Its binaries are taken as
// they are, whatever their version.
const EnvAssets = "KUBEBUILDER_ASSETS"

const modulePath = "github.com/clusterswitch/clusterswitch"

// Assets says where the control plane's binaries are kept and what they are
// built from.
type Assets struct {
	// Dir holds the binaries, each with a stamp file beside it.
	Dir string
	// Tools is the folder of the Go modules that pin their versions.
	Tools string
}

// RepositoryAssets returns the places used by a checkout of this repository.
func RepositoryAssets(root string) Assets {
	return Assets{
		Dir:   filepath.Join(root, ".cache", "bin"),
		Tools: filepath.Join(root, "internal", "tools"),
	}
}

// FindRepository walks up from dir to the root of this repository's checkout.
// Go runs tests in their package's folder, so "." finds it from any of them.
func FindRepository(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("finding the repository: %w", err)
	}
	declaration := []byte("module " + modulePath + "\n")
	for at := dir; ; at = filepath.Dir(at) {
		content, err := os.ReadFile(filepath.Join(at, "go.mod"))
		if err == nil && bytes.HasPrefix(content, declaration) {
			return at, nil
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("finding the repository: %w", err)
		}
		if at == filepath.Dir(at) {
			return "", fmt.Errorf("finding the repository: %s is not inside a checkout of %s", dir, modulePath)
		}
	}
}

// Ensure returns the folder that holds etcd and kube-apiserver. It builds what is
// missing, and what was built from other pinned versions than today's, and says
// on progress what it builds; when there's nothing to build it says nothing and
// takes about a millisecond. Processes and goroutines that call it at the same
// time build once: the others wait.
func (a Assets) Ensure(ctx context.Context, progress io.Writer) (string, error) {
	if dir := os.Getenv(EnvAssets); dir != "" {
		return dir, checkProvided(dir)
	}
	return a.Dir, a.ensure(ctx, progress, servers())
}

// Program returns the path of a program that stands beside a control plane:
// kube-controller-manager, kube-scheduler, kwok or kubectl, kubelet or kube-proxy. It builds it as Ensure
// does. KUBEBUILDER_ASSETS doesn't hold them all, so it is not looked at.
func (a Assets) Program(ctx context.Context, progress io.Writer, name string) (string, error) {
	all := programs()
	at := slices.IndexFunc(all, func(b binary) bool { return b.name == name })
	if at < 0 {
		return "", fmt.Errorf("control plane binaries: there is no program %q", name)
	}
	return filepath.Join(a.Dir, name), a.ensure(ctx, progress, all[at:at+1])
}

// ensure builds what of the binaries is missing or stale.
func (a Assets) ensure(ctx context.Context, progress io.Writer, all []binary) error {
	if a.Dir == "" || a.Tools == "" {
		return errors.New("control plane binaries: neither " + EnvAssets + " nor Options.Assets says where they are")
	}
	wanted, err := a.stale(all)
	if err != nil || len(wanted) == 0 {
		return err
	}
	if err := os.MkdirAll(a.Dir, 0o755); err != nil {
		return fmt.Errorf("making the folder for the control plane binaries: %w", err)
	}
	unlock, err := lockFile(ctx, filepath.Join(a.Dir, ".lock"), progress)
	if err != nil {
		return err
	}
	defer unlock()
	// Whoever held the lock before may have built them.
	if wanted, err = a.stale(all); err != nil {
		return err
	}
	for _, b := range wanted {
		if err := a.build(ctx, b, progress); err != nil {
			return err
		}
	}
	return nil
}

func checkProvided(dir string) error {
	for _, b := range servers() {
		if _, err := os.Stat(filepath.Join(dir, b.name)); err != nil {
			return fmt.Errorf("control plane binaries: %s is set to %s: %w", EnvAssets, dir, err)
		}
	}
	return nil
}

// stale returns the binaries that are missing or whose stamp isn't today's.
func (a Assets) stale(all []binary) ([]binary, error) {
	var stale []binary
	for _, b := range all {
		stamp, err := a.stamp(b)
		if err != nil {
			return nil, err
		}
		built, err := os.ReadFile(a.stampPath(b))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("reading the stamp of %s: %w", b.name, err)
		}
		if _, err := os.Stat(filepath.Join(a.Dir, b.name)); err != nil || string(built) != stamp {
			stale = append(stale, b)
		}
	}
	return stale, nil
}
