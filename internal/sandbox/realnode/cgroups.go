package realnode

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// hierarchy is one tree of cgroups of version 1: memory, or cpu,cpuacct, or
// name=systemd. The one of version 2 has no name.
type hierarchy struct {
	controllers string
	// path is where this process is in it, from its root.
	path string
}

// hierarchiesIn reads /proc/self/cgroup: the trees of version 1, or, where there are
// none, that of version 2. See cgroups(7).
func hierarchiesIn(own string) []hierarchy {
	var first, second []hierarchy
	for line := range strings.Lines(own) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		switch {
		case len(parts) != 3:
		case parts[1] == "":
			second = append(second, hierarchy{path: parts[2]})
		default:
			first = append(first, hierarchy{controllers: parts[1], path: parts[2]})
		}
	}
	if len(first) > 0 {
		return first
	}
	return second
}

// mountOf finds where a tree is mounted in /proc/self/mountinfo, and which cgroup of it is
// the root there. See proc_pid_mountinfo(5).
func (h hierarchy) mountOf(mounts string) (point, root string, ok bool) {
	for line := range strings.Lines(mounts) {
		before, after, found := strings.Cut(line, " - ")
		fields, kind := strings.Fields(before), strings.Fields(after)
		if !found || len(fields) < 5 || len(kind) < 3 {
			continue
		}
		options := strings.Split(kind[2], ",")
		missing := func(controller string) bool { return !slices.Contains(options, controller) }
		if h.controllers == "" && kind[0] == "cgroup2" ||
			h.controllers != "" && kind[0] == "cgroup" && !slices.ContainsFunc(strings.Split(h.controllers, ","), missing) {
			return fields[4], fields[3], true
		}
	}
	return "", "", false
}

// groups are this play's cgroups, one in each tree, below the one that this process is
// in, so that its limits hold.
type groups struct {
	hierarchies []hierarchy
	dirs        []string
}

// makeGroups makes a cgroup in each tree.
func makeGroups(name string) (g groups, err error) {
	own, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return g, fmt.Errorf("reading cgroups: %w", err)
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return g, fmt.Errorf("reading mounts: %w", err)
	}
	for _, h := range hierarchiesIn(string(own)) {
		point, root, ok := h.mountOf(string(mounts))
		if !ok {
			continue // a tree that is mounted nowhere is nobody's
		}
		below, err := filepath.Rel(root, h.path)
		if err != nil {
			return g, fmt.Errorf("finding the cgroup of %s: %w", h.controllers, err)
		}
		parent := filepath.Join(point, below)
		if h.controllers == "" {
			// In version 2 what has processes can't have children with limits.
			if parent = point; enableLimits(point) != nil {
				return g, fmt.Errorf("making a cgroup: %s doesn't let its children have limits", point)
			}
		}
		sweep(parent)
		dir := filepath.Join(parent, name)
		if err := os.Mkdir(dir, 0o755); err != nil {
			return g, errors.Join(fmt.Errorf("making a cgroup: %w", err), g.remove())
		}
		g.hierarchies, g.dirs = append(g.hierarchies, h), append(g.dirs, dir)
		if err := inheritSet(parent, dir); err != nil {
			return g, errors.Join(err, g.remove())
		}
	}
	return g, nil
}

// groupPrefix begins the names of our cgroups; the number of the process that made them
// follows.
const groupPrefix = "clusterswitch-node-"

// sweep removes what a run left behind that was killed. The kernel keeps what still has
// a process.
func sweep(parent string) {
	left, err := filepath.Glob(filepath.Join(parent, groupPrefix+"*"))
	if err != nil {
		return // it has no pattern that could be wrong
	}
	for _, dir := range left {
		pid := strings.TrimPrefix(filepath.Base(dir), groupPrefix)
		if _, err := os.Stat("/proc/" + pid); errors.Is(err, fs.ErrNotExist) {
			_ = removeTree(dir) // the next run tries again
		}
	}
}

// enableLimits lets the children of a cgroup of version 2 be limited in all that it
// knows.
func enableLimits(dir string) error {
	known, err := os.ReadFile(filepath.Join(dir, "cgroup.controllers"))
	if err != nil {
		return fmt.Errorf("reading what cgroups can limit: %w", err)
	}
	for controller := range strings.FieldsSeq(string(known)) {
		if err := os.WriteFile(filepath.Join(dir, "cgroup.subtree_control"), []byte("+"+controller), 0o644); err != nil {
			return fmt.Errorf("letting cgroups limit %s: %w", controller, err)
		}
	}
	return nil
}

// inheritSet gives a cgroup of the controller cpuset the processors and memory of its
// parent: until then it takes no process.
func inheritSet(parent, dir string) error {
	for _, name := range []string{"cpuset.cpus", "cpuset.mems"} {
		value, err := os.ReadFile(filepath.Join(parent, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), value, 0o644)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("making a cgroup: %w", err)
		}
	}
	return nil
}

// removeWithin is how long cgroups may stay busy after their last process ended.
const removeWithin = 10 * time.Second

// remove removes the cgroups and all below them. Their processes must have ended: the
// kernel removes none that has one.
func (g groups) remove() error {
	var errs []error
	for _, dir := range g.dirs {
		err := removeTree(dir)
		for end := time.Now().Add(removeWithin); errors.Is(err, syscall.EBUSY) && time.Now().Before(end); err = removeTree(dir) {
			time.Sleep(50 * time.Millisecond)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("removing a cgroup: %w", err))
		}
	}
	return errors.Join(errs...)
}

// removeTree removes folders from the bottom up. The files in them are the kernel's.
func removeTree(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if entry.IsDir() {
			if err := removeTree(filepath.Join(dir, entry.Name())); err != nil {
				return err
			}
		}
	}
	if err := syscall.Rmdir(dir); err != nil {
		return &fs.PathError{Op: "rmdir", Path: dir, Err: err}
	}
	return nil
}
