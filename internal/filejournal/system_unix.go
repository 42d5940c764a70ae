//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package filejournal

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// exclusive locks a file for this process, or answers errTaken. The lock ends
// with the process.
func exclusive(f *os.File) error {
	for {
		switch err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); {
		case errors.Is(err, syscall.EWOULDBLOCK):
			return errTaken
		case !errors.Is(err, syscall.EINTR):
			return err
		}
	}
}

// give makes a file that one user makes readable for the one whose directory it
// is: a rollback that root asked for must not be hidden from the daemon.
func (f *folder) give(made *os.File) error {
	owner, group, known := f.owner()
	if !known || owner == os.Geteuid() {
		return nil
	}
	if os.Geteuid() != 0 {
		return fmt.Errorf("the directory is that of the user with the id %d: be that user, or root", owner)
	}
	return made.Chown(owner, group)
}

// owner is the user whose daemon uses the directory: the one who made the lock,
// or else the directory.
func (f *folder) owner() (user, group int, known bool) {
	for _, name := range []string{lockName, "."} {
		about, err := f.root.Stat(name)
		if err != nil {
			continue
		}
		if of, is := about.Sys().(*syscall.Stat_t); is {
			return int(of.Uid), int(of.Gid), true
		}
	}
	return 0, 0, false
}
