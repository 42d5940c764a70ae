//go:build unix

package controlplane

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// CrashAPIServer ends kube-apiserver as a crash does, and waits until it is gone;
// etcd goes on. RestartAPIServer brings it back.
func (cp *ControlPlane) CrashAPIServer() error {
	pid, err := cp.signalAPIServer("killing", syscall.SIGKILL)
	if err != nil {
		return err
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
	// Nothing runs any more; this only lets the starter forget the process. Where it
	// didn't hear of the end yet, it finds nobody to stop.
	if err := cp.plane.APIServer.Stop(); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("forgetting the crashed API server of %s: %w", cp.name, err)
	}
	serving := cp.plane.APIServer.SecureServing
	awaitFree(net.JoinHostPort(serving.Address, serving.Port), stopTimeout)
	if err := cp.plane.APIServer.Start(); err != nil {
		return fmt.Errorf("restarting the API server of %s: %w%s", cp.name, err, cp.lastWords())
	}
	return nil
}

// awaitFree waits until one can listen at an address: while nobody did, it may have
// become the near end of somebody's connection. If it stays so, who listens next says it.
func awaitFree(address string, patience time.Duration) {
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(readyPoll) {
		listener, err := net.Listen("tcp", address)
		if err == nil {
			_ = listener.Close() // nobody came
			return
		}
	}
}

// FreezeAPIServer lets kube-apiserver stand still, and waits until it does: connections
// open and nothing is answered. ThawAPIServer lets it go on; without, Stop takes long.
func (cp *ControlPlane) FreezeAPIServer() error {
	pid, err := cp.signalAPIServer("freezing", syscall.SIGSTOP)
	if err != nil {
		return err
	}
	// Its threads go on until the one that takes the signal runs, which may take long on
	// a busy machine. The parent is told when all of them stand.
	for end := time.Now().Add(stopTimeout); time.Now().Before(end); time.Sleep(readyPoll) {
		var status syscall.WaitStatus
		switch _, err := syscall.Wait4(pid, &status, syscall.WUNTRACED|syscall.WNOHANG, nil); {
		case err != nil && !errors.Is(err, syscall.EINTR):
			return fmt.Errorf("freezing the API server of %s: %w", cp.name, err)
		case err == nil && status.Stopped():
			return nil
		}
	}
	return fmt.Errorf("freezing the API server of %s: it still runs after %s", cp.name, stopTimeout)
}

// ThawAPIServer lets a frozen kube-apiserver go on.
func (cp *ControlPlane) ThawAPIServer() error {
	_, err := cp.signalAPIServer("thawing", syscall.SIGCONT)
	return err
}

// signalAPIServer sends kube-apiserver a signal, and gives its process id.
func (cp *ControlPlane) signalAPIServer(doing string, signal syscall.Signal) (pid int, err error) {
	text, err := os.ReadFile(cp.path("kube-apiserver.pid"))
	if err == nil {
		pid, err = strconv.Atoi(strings.TrimSpace(string(text)))
	}
	if err == nil {
		err = syscall.Kill(pid, signal)
	}
	if err != nil {
		return 0, fmt.Errorf("%s the API server of %s: %w", doing, cp.name, err)
	}
	return pid, nil
}
