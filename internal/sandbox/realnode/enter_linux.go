package realnode

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// groupsVariable hands the cgroups to the next part, as their paths with colons between.
const groupsVariable = "CLUSTERSWITCH_NODE_CGROUPS"

// leaveWithin is how long a play that was told to end may take to clean up.
const leaveWithin = 90 * time.Second

// enter starts this program as the first process of namespaces of its own, waits for
// it, and removes what no namespace takes along.
func enter(ctx context.Context, o Options) (err error) {
	// The kernel ends the child when the thread that made it ends.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	made, err := makeMissing(covered())
	defer func() { err = errors.Join(err, removeEmpty(made)) }()
	if err != nil {
		return err
	}
	g, err := makeGroups(fmt.Sprintf("%s%d", groupPrefix, os.Getpid()))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, g.remove()) }()
	cmd := exec.Command("/proc/self/exe", append(o.Args, "--part", PartHost)...)
	cmd.Env = append(os.Environ(), groupsVariable+"="+strings.Join(g.dirs, ":"))
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWNET | syscall.CLONE_NEWIPC,
		Pdeathsig:  syscall.SIGKILL,
		Setpgid:    true, // a Ctrl-C in the terminal is ours to pass on
	}
	return supervise(ctx, cmd)
}

// apart lets a command have its mounts for itself: they go away with it.
func apart(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS} }

// supervise runs a part to its end. When ctx ends the part is told so.
func supervise(ctx context.Context, cmd *exec.Cmd) error {
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting in namespaces of its own: %w", err)
	}
	ended := make(chan struct{})
	watching := make(chan struct{})
	go func() {
		defer close(watching)
		select {
		case <-ended:
			return
		case <-ctx.Done():
		}
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended just now
		select {
		case <-ended:
		case <-time.After(leaveWithin):
			_ = cmd.Process.Kill() // and with it all others of its namespace
		}
	}()
	err := cmd.Wait()
	close(ended)
	<-watching
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.As(err, &exit):
		return ErrFailed // it said itself why
	}
	return err
}

// Host is the first process: it makes a machine out of the namespaces, starts the one
// that plays, and collects every process that ends, until that one does.
func Host(ctx context.Context, o Options) error {
	// The namespace of cgroups is that of this thread and of what it starts.
	runtime.LockOSThread()
	if err := joinGroups(strings.Split(os.Getenv(groupsVariable), ":")); err != nil {
		return err
	}
	if err := furnish(); err != nil {
		return err
	}
	process, err := os.StartProcess("/proc/self/exe", append([]string{os.Args[0]}, append(o.Args, "--part", PartPlay)...), &os.ProcAttr{
		Env: append(os.Environ(), "TMPDIR="+temporary), Files: []*os.File{nil, os.Stdout, os.Stderr},
	})
	if err != nil {
		return fmt.Errorf("starting the play: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { _ = syscall.Kill(process.Pid, syscall.SIGTERM) })
	defer stop()
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, 0, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
		case err != nil:
			return fmt.Errorf("waiting for the play: %w", err)
		case pid == process.Pid && status.Exited() && status.ExitStatus() == 0:
			return nil
		case pid == process.Pid:
			return ErrFailed
		}
	}
}

// joinGroups moves this process into the cgroups, and makes them the roots of all that
// it sees of cgroups from now on.
func joinGroups(dirs []string) error {
	for _, dir := range dirs {
		if err := os.WriteFile(filepath.Join(dir, "cgroup.procs"), []byte("0"), 0o644); err != nil {
			return fmt.Errorf("entering a cgroup: %w", err)
		}
	}
	if err := syscall.Unshare(syscall.CLONE_NEWCGROUP); err != nil {
		return fmt.Errorf("entering a namespace of cgroups: %w", err)
	}
	return nil
}
