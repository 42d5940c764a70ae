package controlplane

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// binary is one program of the control plane, or one that stands beside it.
type binary struct {
	name    string
	pkg     string // package path of its main
	tool    string // folder of the Go module that pins it
	module  string // module whose version the pin decides
	takes   string // how long a cold build takes on two cores, for people
	ldflags func(version string) string
}

// servers are what every control plane consists of.
func servers() []binary {
	return []binary{
		{
			name: "etcd", pkg: "go.etcd.io/etcd/server/v3", tool: "controlplane", module: "go.etcd.io/etcd/server/v3",
			takes: "about 1 minute", ldflags: plainLDFlags,
		},
		{
			name: "kube-apiserver", pkg: "k8s.io/kubernetes/cmd/kube-apiserver", tool: "controlplane", module: "k8s.io/kubernetes",
			takes: "about 4 minutes", ldflags: kubernetesLDFlags,
		},
	}
}

// programs are what only some worlds need.
func programs() []binary {
	kubernetes := func(tool, name, takes string) binary {
		return binary{
			name: name, pkg: "k8s.io/kubernetes/cmd/" + name, tool: tool, module: "k8s.io/kubernetes",
			takes: takes, ldflags: kubernetesLDFlags,
		}
	}
	return []binary{
		kubernetes("controllers", "kube-controller-manager", "about 2 minutes"),
		kubernetes("controllers", "kube-scheduler", "less than a minute"),
		kubernetes("controllers", "kubectl", "less than a minute"),
		kubernetes("node", "kubelet", "about 3 minutes"),
		kubernetes("node", "kube-proxy", "less than a minute"),
		{
			name: "kwok", pkg: "sigs.k8s.io/kwok/cmd/kwok", tool: "kwok", module: "sigs.k8s.io/kwok",
			takes: "about 4 minutes", ldflags: plainLDFlags,
		},
	}
}

func plainLDFlags(string) string { return "-s -w" }

// kubernetesLDFlags stamps the version that /version reports. Kubernetes' own
// build does the same; without it the server calls itself v0.0.0-master.
func kubernetesLDFlags(version string) string {
	const into = " -X k8s.io/component-base/version."
	flags := "-s -w" + into + "gitVersion=" + version
	if major, rest, ok := strings.Cut(strings.TrimPrefix(version, "v"), "."); ok {
		minor, _, _ := strings.Cut(rest, ".")
		flags += into + "gitMajor=" + major + into + "gitMinor=" + minor
	}
	return flags
}

// stamp is what a finished build leaves beside the binary: it changes with the
// pinned versions and with the way we build, so that an old binary is noticed.
func (a Assets) stamp(b binary) (string, error) {
	sum := sha256.New()
	fmt.Fprintln(sum, runtime.GOOS, runtime.GOARCH, b.pkg, b.ldflags("VERSION"))
	for _, name := range []string{"go.mod", "go.sum"} {
		content, err := os.ReadFile(filepath.Join(a.Tools, b.tool, name))
		if err != nil {
			return "", fmt.Errorf("reading the pinned version of %s: %w", b.name, err)
		}
		fmt.Fprintln(sum, name, len(content))
		sum.Write(content)
	}
	return hex.EncodeToString(sum.Sum(nil)) + "\n", nil
}

func (a Assets) stampPath(b binary) string { return filepath.Join(a.Dir, b.name+".stamp") }

// build compiles b into a new file, moves it into place in one step (a running
// process keeps the old one) and stamps it. The stamp goes first and comes last,
// so that a build that was cut short is done again.
func (a Assets) build(ctx context.Context, b binary, progress io.Writer) error {
	start := time.Now()
	fmt.Fprintf(progress, "building %s (once, %s)\n", b.name, b.takes)
	stamp, err := a.stamp(b)
	if err != nil {
		return err
	}
	version, err := a.goCommand(ctx, b, "list", "-m", "-f", "{{.Version}}", b.module)
	if err != nil {
		return fmt.Errorf("reading the pinned version of %s: %w", b.name, err)
	}
	if err := os.RemoveAll(a.stampPath(b)); err != nil {
		return fmt.Errorf("building %s: %w", b.name, err)
	}
	// The tool runs in the module's folder, so the path must not be relative.
	target, err := filepath.Abs(filepath.Join(a.Dir, b.name))
	if err != nil {
		return fmt.Errorf("building %s: %w", b.name, err)
	}
	fresh := target + ".new"
	defer os.Remove(fresh)
	if _, err := a.goCommand(ctx, b, "build", "-ldflags", b.ldflags(version), "-o", fresh, b.pkg); err != nil {
		return fmt.Errorf("building %s: %w", b.name, err)
	}
	if err := os.Rename(fresh, target); err != nil {
		return fmt.Errorf("building %s: %w", b.name, err)
	}
	if err := os.WriteFile(a.stampPath(b), []byte(stamp), 0o644); err != nil {
		return fmt.Errorf("stamping %s: %w", b.name, err)
	}
	fmt.Fprintf(progress, "built %s %s in %s\n", b.name, version, time.Since(start).Round(time.Second))
	return nil
}

// goCommand runs the go tool in the binary's nested module. The caller's flags, workspace
// and target platform are meant for its own build, not for this one.
func (a Assets) goCommand(ctx context.Context, b binary, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = filepath.Join(a.Tools, b.tool)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off",
		"GOOS="+runtime.GOOS, "GOARCH="+runtime.GOARCH)
	var out, complaint strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &complaint
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("running go %s: %w: %s", args[0], err, strings.TrimSpace(complaint.String()))
	}
	return strings.TrimSpace(out.String()), nil
}
