package filejournal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

const (
	// lockName is the file whose lock stands for the directory.
	lockName = "lock"
	// requestLockName is the file whose lock those hold who change a request.
	requestLockName = ".requests.lock"
)

// ErrHeld is what Open wraps while another process has the directory.
var ErrHeld = errors.New("the directory is another process's")

// errTaken: somebody else has the lock.
var errTaken = errors.New("somebody else has the lock")

// Holder is who has a directory.
type Holder struct {
	PID  int    `json:"pid"`
	Host string `json:"host"`
	// Since is when it took the directory, by its own clock.
	Since time.Time `json:"since"`
}

// String names the holder for people.
func (h Holder) String() string {
	if h.PID == 0 {
		return "another process"
	}
	return fmt.Sprintf("process %d on %s, since %s", h.PID, h.Host, h.Since.UTC().Format(time.RFC3339))
}

// lock is held for as long as the process lives, whatever ends it.
type lock struct {
	folder *folder
	name   string
	held   *os.File
}

// take gets a lock, or answers errTaken at once.
func take(f *folder, name string) (*lock, error) {
	held, err := f.root.OpenFile(name, os.O_RDWR|os.O_CREATE, fileMode)
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", f.full(name), bare(err))
	}
	l := &lock{folder: f, name: name, held: held}
	err = exclusive(held)
	if err == nil {
		err = l.check()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("locking %s: %w", f.full(name), err), held.Close())
	}
	return l, nil
}

// await tries to get a lock until ctx ends.
func await(ctx context.Context, f *folder, name string) (*lock, error) {
	for {
		l, err := take(f, name)
		if !errors.Is(err, errTaken) {
			return l, err
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// sign writes down who has the lock, for who doesn't get it.
func (l *lock) sign() error {
	host, err := os.Hostname()
	if err != nil {
		host = "a host without a name"
	}
	content, err := json.Marshal(Holder{PID: os.Getpid(), Host: host, Since: time.Now().UTC()})
	if err == nil {
		err = errors.Join(l.held.Truncate(0), l.held.Chmod(fileMode))
	}
	if err == nil {
		_, err = l.held.WriteAt(append(content, '\n'), 0)
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", l.folder.full(l.name), bare(err))
	}
	return nil
}

// holderOf reads who has a directory; the zero Holder: it didn't say.
func holderOf(f *folder) Holder {
	in, err := f.root.Open(lockName)
	if err != nil {
		return Holder{}
	}
	defer in.Close()
	var h Holder
	if json.NewDecoder(io.LimitReader(in, 4096)).Decode(&h) != nil {
		return Holder{}
	}
	return h
}

// check finds out whether the locked file still stands for the directory: who
// takes it away, or mounts something over it, opens the way to another daemon.
func (l *lock) check() error {
	own, err := l.held.Stat()
	if err != nil {
		return fmt.Errorf("looking at the lock %s: %w", l.folder.full(l.name), bare(err))
	}
	there, err := os.Stat(l.folder.full(l.name)) // by the path that another process would go
	switch {
	case err != nil:
		return fmt.Errorf("looking at the lock %s: %w; restart the daemon when the directory is back", l.folder.full(l.name), bare(err))
	case !os.SameFile(own, there):
		return fmt.Errorf("the lock %s is no longer the one that this process has: another daemon may use the directory; restart this one", l.folder.full(l.name))
	}
	return nil
}

func (l *lock) release() error { return l.held.Close() }
