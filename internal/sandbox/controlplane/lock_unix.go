//go:build unix

package controlplane

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"
)

// lockPoll is how often a waiting process asks for the lock again.
const lockPoll = 200 * time.Millisecond

// lockFile takes an exclusive lock that the kernel drops when the process ends,
// however it ends. It waits for another holder until ctx is done.
func lockFile(ctx context.Context, path string, progress io.Writer) (unlock func(), err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("opening the build lock: %w", err)
	}
	poll := time.NewTicker(lockPoll)
	defer poll.Stop()
	for said := false; ; {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { file.Close() }, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			file.Close()
			return nil, fmt.Errorf("taking the build lock %s: %w", path, err)
		}
		if !said {
			fmt.Fprintln(progress, "waiting: another process is building the control plane binaries")
			said = true
		}
		select {
		case <-ctx.Done():
			file.Close()
			return nil, fmt.Errorf("waiting for the build lock %s: %w", path, context.Cause(ctx))
		case <-poll.C:
		}
	}
}
