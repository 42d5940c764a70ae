package realnode

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// ErrMissing says that this machine lacks what a node is made of.
var ErrMissing = errors.New("this machine can't be a node yet")

// tools are the paths of the machine's programs by name, and the folder of its CNI
// plugins.
type tools struct {
	programs map[string]string
	cni      string
}

// packages are Debian's, by the program that is looked for.
func packages() map[string]string {
	return map[string]string{
		"containerd": "containerd", "containerd-shim-runc-v2": "containerd", "ctr": "containerd", "runc": "runc",
		"buildah": "buildah", "busybox": "busybox-static", "iptables": "iptables", "ip": "iproute2", "go": "golang",
	}
}

// plugins are the CNI plugins that a pod's network is made by.
func plugins() []string { return []string{"bridge", "host-local", "loopback"} }

// machine is what can be asked of a machine.
type machine struct {
	system string // empty: this one's
	user   func() int
	look   func(program string) (string, error)
	read   func(path string) ([]byte, error)
	exists func(path string) bool
}

func (m machine) orThis() machine {
	if m.system != "" {
		return m
	}
	return machine{
		system: runtime.GOOS, user: os.Geteuid, look: exec.LookPath, read: os.ReadFile,
		exists: func(path string) bool { _, err := os.Stat(path); return err == nil },
	}
}

// findTools finds the machine's programs. ErrMissing names all that is missing, and
// what installs it.
func findTools(m machine) (tools, error) {
	m = m.orThis()
	t := tools{programs: map[string]string{}}
	if m.system != "linux" {
		return t, fmt.Errorf("%w: a real node needs Linux, this is %s", ErrMissing, m.system)
	}
	var lacks, install []string
	if m.user() != 0 {
		lacks = append(lacks, "it must be run by root, for namespaces, mounts and cgroups (sudo make real-node)")
	}
	for program, name := range packages() {
		path, err := m.look(program)
		if err != nil {
			lacks, install = append(lacks, "there is no "+program), append(install, name)
			continue
		}
		t.programs[program] = path
	}
	complete := func(dir string) bool {
		return !slices.ContainsFunc(plugins(), func(p string) bool { return !m.exists(filepath.Join(dir, p)) })
	}
	dirs := []string{"/opt/cni/bin", "/usr/lib/cni", "/usr/libexec/cni"}
	if at := slices.IndexFunc(dirs, complete); at >= 0 {
		t.cni = dirs[at]
	} else {
		lacks = append(lacks, fmt.Sprintf("there are no CNI plugins %s in %s", strings.Join(plugins(), ", "), strings.Join(dirs, " or ")))
		install = append(install, "containernetworking-plugins")
	}
	if known, err := m.read("/proc/filesystems"); err != nil || !strings.Contains(string(known), "\toverlay\n") {
		lacks = append(lacks, "the kernel has no overlay file system (modprobe overlay)")
	}
	if own, err := m.read("/proc/self/cgroup"); err != nil || len(hierarchiesIn(string(own))) == 0 {
		lacks = append(lacks, "there are no cgroups in /proc/self/cgroup")
	}
	if len(lacks) == 0 {
		return t, nil
	}
	slices.Sort(lacks)
	slices.Sort(install)
	hint := ""
	if install = slices.Compact(install); len(install) > 0 {
		hint = "\nOn Debian: apt install " + strings.Join(install, " ")
	}
	return t, fmt.Errorf("%w:\n  - %s%s", ErrMissing, strings.Join(lacks, "\n  - "), hint)
}
