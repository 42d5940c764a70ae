package manifests

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Helm runs the real helm, with nobody's settings.
type Helm struct {
	// Binary is helm's path, and Dir a folder for its files.
	Binary, Dir string
}

// Release is a chart to install.
type Release struct {
	Name, Namespace string
	// Chart is the path of a chart's folder or archive.
	Chart string
	// Values are as on helm's command line: image.tag=v1.
	Values []string
}

// Chart returns what helm can install of a bundle's chart. One that gets its
// version when it is released is packed with that version first.
func (h Helm) Chart(ctx context.Context, b Bundle) (path string, err error) {
	dir, err := b.Module.Fetch(ctx)
	if err != nil {
		return "", err
	}
	path = filepath.Join(dir, b.Chart)
	if b.ChartVersion == "" {
		return path, nil
	}
	if err := h.run(ctx, "package", path, "--version", b.ChartVersion, "--app-version", b.ChartVersion, "--destination", h.Dir); err != nil {
		return "", err
	}
	return filepath.Join(h.Dir, filepath.Base(b.Chart)+"-"+b.ChartVersion+".tgz"), nil
}

// Install installs a release into the cluster of a kubeconfig file, and makes its
// namespace where need be. It waits for nothing to become ready.
func (h Helm) Install(ctx context.Context, kubeconfig string, r Release) error {
	args := []string{"install", r.Name, r.Chart, "--namespace", r.Namespace, "--create-namespace", "--kubeconfig", kubeconfig}
	for _, v := range r.Values {
		args = append(args, "--set", v)
	}
	return h.run(ctx, args...)
}

func (h Helm) run(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, h.Binary, args...)
	cmd.Env = append(os.Environ(),
		"HELM_CACHE_HOME="+filepath.Join(h.Dir, "cache"), "HELM_CONFIG_HOME="+filepath.Join(h.Dir, "config"), "HELM_DATA_HOME="+filepath.Join(h.Dir, "data"))
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("running helm %s: %w: %s", strings.Join(args[:2], " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}
