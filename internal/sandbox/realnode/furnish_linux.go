package realnode

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// Where the node's programs keep what they have: in memory, and in the namespace alone.
const (
	state     = "/run/node"
	temporary = state + "/tmp"
)

// covered are folders of the machine that node programs write to, whatever they are
// told. An empty file system is mounted on each, inside.
func covered() []string { return []string{"/run", "/var/lib/cni", "/var/log/containers"} }

// makeMissing makes the folders that aren't there, and says which.
func makeMissing(dirs []string) (made []string, err error) {
	for _, dir := range dirs {
		switch err := os.Mkdir(dir, 0o755); {
		case err == nil:
			made = append(made, dir)
		case !errors.Is(err, fs.ErrExist):
			return made, fmt.Errorf("making %s: %w", dir, err)
		}
	}
	return made, nil
}

func removeEmpty(dirs []string) error {
	var errs []error
	for _, dir := range dirs {
		errs = append(errs, os.Remove(dir))
	}
	return errors.Join(errs...)
}

// furnish makes a machine out of fresh namespaces: nothing that is mounted here is seen
// outside.
func furnish() error {
	own, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return fmt.Errorf("reading cgroups: %w", err)
	}
	if err := mount("", "/", "", syscall.MS_REC|syscall.MS_SLAVE, ""); err != nil {
		return err
	}
	for _, m := range [][2]string{{"proc", "/proc"}, {"sysfs", "/sys"}} {
		if err := mount(m[0], m[1], m[0], syscall.MS_NOSUID|syscall.MS_NODEV|syscall.MS_NOEXEC, ""); err != nil {
			return err
		}
	}
	for _, dir := range covered() {
		if err := mount("tmpfs", dir, "tmpfs", syscall.MS_NOSUID|syscall.MS_NODEV, "mode=0755"); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(temporary, 0o755); err != nil {
		return err
	}
	if err := mountGroups(hierarchiesIn(string(own))); err != nil {
		return err
	}
	return keepTunables()
}

func mount(source, target, kind string, flags uintptr, options string) error {
	if err := syscall.Mount(source, target, kind, flags, options); err != nil {
		return fmt.Errorf("mounting %s at %s: %w", kind, target, err)
	}
	return nil
}

// mountGroups mounts the trees of cgroups, each from this namespace's root on.
func mountGroups(all []hierarchy) error {
	const top, flags = "/sys/fs/cgroup", syscall.MS_NOSUID | syscall.MS_NODEV | syscall.MS_NOEXEC
	if len(all) == 1 && all[0].controllers == "" {
		if err := mount("cgroup2", top, "cgroup2", flags, ""); err != nil {
			return err
		}
		return delegate(top)
	}
	if err := mount("tmpfs", top, "tmpfs", flags, "mode=0755"); err != nil {
		return err
	}
	for _, h := range all {
		dir, options := filepath.Join(top, h.controllers), h.controllers
		if name, named := strings.CutPrefix(h.controllers, "name="); named {
			dir, options = filepath.Join(top, name), "none,"+h.controllers
		}
		if err := os.Mkdir(dir, 0o755); err != nil {
			return err
		}
		if err := mount("cgroup", dir, "cgroup", flags, options); err != nil {
			return err
		}
	}
	return nil
}

// delegate lets the cgroups below top, of version 2, have limits: for that no process
// may be in top itself. See "No internal processes rule" in cgroups(7).
func delegate(top string) error {
	leaf := filepath.Join(top, "first")
	if err := os.Mkdir(leaf, 0o755); err != nil {
		return fmt.Errorf("making a cgroup: %w", err)
	}
	if err := os.WriteFile(filepath.Join(leaf, "cgroup.procs"), []byte("0"), 0o644); err != nil {
		return fmt.Errorf("entering a cgroup: %w", err)
	}
	return enableLimits(top)
}

// keepTunables puts files in front of the kernel's settings that kubelet would change for
// the whole machine, with what it wants in them.
func keepTunables() error {
	for name, value := range map[string]string{
		"vm/overcommit_memory": "1", "vm/panic_on_oom": "0", "kernel/panic": "10", "kernel/panic_on_oops": "1",
		"kernel/keys/root_maxkeys": "1000000", "kernel/keys/root_maxbytes": "25000000",
	} {
		target := filepath.Join("/proc/sys", name)
		if _, err := os.Stat(target); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		file := filepath.Join(state, "tunables", name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(file, []byte(value+"\n"), 0o644); err != nil {
			return err
		}
		if err := mount(file, target, "", syscall.MS_BIND, ""); err != nil {
			return err
		}
	}
	return nil
}
