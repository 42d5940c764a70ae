// Package daemon runs the real clusterswitch binary as a process of its own: as
// the daemon, and as the tool in the hand.
package daemon

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// stopWithin is how long a daemon may take to stop when asked to.
const stopWithin = 15 * time.Second

// Options say how to run the binary.
type Options struct {
	Binary string
	// Log is the file that what it says is appended to.
	Log string
	Env []string
	// Died is called when the daemon ends although nobody asked it to.
	Died func(error)
}

// Daemon is a running daemon.
type Daemon struct {
	cmd  *exec.Cmd
	log  *os.File
	done chan struct{} // closed when the process is gone
	err  error         // how it ended; read after done

	expected atomic.Bool // the scenario ends it
}

// Start runs the binary with the arguments.
func Start(o Options, args ...string) (*Daemon, error) {
	log, err := os.OpenFile(o.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("opening the daemon's log: %w", err)
	}
	// Not bound to a context: the scenario decides how the daemon ends.
	cmd := exec.Command(o.Binary, args...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Env = append(os.Environ(), o.Env...)
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("starting %s: %w", o.Binary, err), log.Close())
	}
	d := &Daemon{cmd: cmd, log: log, done: make(chan struct{})}
	go func() {
		defer close(d.done)
		d.err = errors.Join(cmd.Wait(), log.Close())
		if !d.expected.Load() {
			o.Died(fmt.Errorf("the daemon ended by itself (%w); its last words: %s", d.err, lastWords(o.Log)))
		}
	}()
	return d, nil
}

// PID is the process's id.
func (d *Daemon) PID() int { return d.cmd.Process.Pid }

// Kill ends the process as a crash would: nothing of it gets to say a word.
func (d *Daemon) Kill() error {
	d.expected.Store(true)
	if err := d.cmd.Process.Kill(); err != nil {
		return fmt.Errorf("killing the daemon: %w", err)
	}
	<-d.done
	return nil
}

// Freeze lets the process stand still, as a machine that is paused does; Thaw lets
// it go on from there.
func (d *Daemon) Freeze() error { return d.signal(syscall.SIGSTOP) }

// Thaw lets a frozen process go on.
func (d *Daemon) Thaw() error { return d.signal(syscall.SIGCONT) }

func (d *Daemon) signal(s syscall.Signal) error {
	if err := d.cmd.Process.Signal(s); err != nil {
		return fmt.Errorf("sending %s to the daemon: %w", s, err)
	}
	return nil
}

// Stop asks the daemon to end and waits for it.
func (d *Daemon) Stop() error {
	select {
	case <-d.done:
		return nil
	default:
	}
	d.expected.Store(true)
	if err := d.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stopping the daemon: %w", err)
	}
	select {
	case <-d.done:
	case <-time.After(stopWithin):
		return errors.Join(fmt.Errorf("the daemon did not stop within %s", stopWithin), d.Kill())
	}
	if d.err != nil {
		return fmt.Errorf("the daemon ended badly: %w", d.err)
	}
	return nil
}

// lastWords gives the end of a log.
func lastWords(file string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(string(text[max(0, len(text)-1000):]))
}

// Command runs the binary as the tool in the hand and gives what it printed.
func Command(ctx context.Context, binary string, env []string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("running clusterswitch %s: %w: %s", strings.Join(args, " "), err, out)
	}
	return string(out), nil
}
