//go:build unix

package controlplane

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// guard is a small shell process that outlives ours just long enough to clean
// up. The servers run in process groups of their own, so a test binary that
// panics, times out or is killed would leave them running for ever.
type guard struct {
	cmd      *exec.Cmd
	lifeline io.Closer // our end of the guard's standard input; the kernel closes it for us
}

// guardScript waits for the end of its input and then ends the servers whose
// process ids are in the folder's *.pid files, hard: nobody wants their data.
const guardScript = `read -r _
for f in "$1"/*.pid; do [ -e "$f" ] && kill -9 "$(cat "$f")"; done
rm -rf "$1"`

func startGuard(dir string) (*guard, error) {
	cmd := exec.Command("sh", "-c", guardScript, "guard", dir)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = ownGroup()
	lifeline, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting the guard of %s: %w", dir, err)
	}
	return &guard{cmd: cmd, lifeline: lifeline}, nil
}

// ownGroup puts a process into a group of its own: a Ctrl-C in the terminal goes
// to our process group, and we stop the servers then.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// dismiss lets the guard go and waits for it. The servers must have ended: what
// is left of the folder is removed.
func (g *guard) dismiss() error {
	return errors.Join(g.lifeline.Close(), g.cmd.Wait())
}

// guarded returns a command that writes its process id for the guard and then
// becomes the server, so that signals reach the server itself.
func guarded(dir, server string) (string, error) {
	name := filepath.Base(server)
	pid := filepath.Join(dir, name+".pid")
	script := fmt.Sprintf("#!/bin/sh\necho $$ >%s\nexec %s \"$@\"\n", quote(pid), quote(server))
	path := filepath.Join(dir, name)
	return path, os.WriteFile(path, []byte(script), 0o700)
}

func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
