//go:build unix

package controlplane

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// CrashAPIServer ends kube-apiserver as a crash does, and waits until it is gone;
// etcd goes on. RestartAPIServer brings it back.
func (cp *ControlPlane) CrashAPIServer() error {
	pid, err := cp.apiServerPID()
	if err == nil {
		err = syscall.Kill(pid, syscall.SIGKILL)
	}
	if err != nil {
		return fmt.Errorf("killing the API server of %s: %w", cp.name, err)
	}
	// The process is waited for elsewhere, which tells nobody: it is gone when its id is.
	for end := time.Now().Add(stopTimeout); !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH); {
		if time.Now().After(end) {
			return fmt.Errorf("killing the API server of %s: it is still there after %s", cp.name, stopTimeout)
		}
		time.Sleep(readyPoll)
	}
	return nil
}

// RestartAPIServer starts a crashed kube-apiserver again, at the same address and
// with the same users, and waits until it serves.
func (cp *ControlPlane) RestartAPIServer() error {
	// Nothing runs any more; this only lets the starter forget the process.
	if err := cp.plane.APIServer.Stop(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("forgetting the crashed API server of %s: %w", cp.name, err)
	}
	if err := cp.plane.APIServer.Start(); err != nil {
		return fmt.Errorf("restarting the API server of %s: %w%s", cp.name, err, cp.lastWords())
	}
	return nil
}

// FreezeAPIServer lets kube-apiserver stand still: connections open and nothing is
// answered. ThawAPIServer lets it go on; without, Stop takes long.
func (cp *ControlPlane) FreezeAPIServer() error { return cp.signalAPIServer(syscall.SIGSTOP) }

// ThawAPIServer lets a frozen kube-apiserver go on.
func (cp *ControlPlane) ThawAPIServer() error { return cp.signalAPIServer(syscall.SIGCONT) }

func (cp *ControlPlane) signalAPIServer(s syscall.Signal) error {
	pid, err := cp.apiServerPID()
	if err == nil {
		err = syscall.Kill(pid, s)
	}
	if err != nil {
		return fmt.Errorf("sending %s to the API server of %s: %w", s, cp.name, err)
	}
	return nil
}

func (cp *ControlPlane) apiServerPID() (int, error) {
	text, err := os.ReadFile(cp.path("kube-apiserver.pid"))
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(text)))
}
