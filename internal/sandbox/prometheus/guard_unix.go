//go:build unix

package prometheus

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"syscall"
)

// guard is a small shell process that ends Prometheus when ours is gone: a test
// that panics, times out or is killed would leave it running for ever.
type guard struct {
	cmd      *exec.Cmd
	lifeline io.WriteCloser
}

// guardScript ends the process at the end of its input, and leaves it alone after
// a line.
const guardScript = `read -r _ || kill -9 "$1"`

func startGuard(pid int) (*guard, error) {
	cmd := exec.Command("sh", "-c", guardScript, "guard", strconv.Itoa(pid))
	cmd.Stderr = os.Stderr
	// A Ctrl-C in the terminal must not end it before us.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	lifeline, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("guarding prometheus: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("guarding prometheus: %w", err)
	}
	return &guard{cmd: cmd, lifeline: lifeline}, nil
}

// dismiss lets the guard go: what it guards has ended, and its process id may
// soon be another's.
func (g *guard) dismiss() error {
	_, err := io.WriteString(g.lifeline, "\n")
	return errors.Join(err, g.lifeline.Close(), g.cmd.Wait())
}
