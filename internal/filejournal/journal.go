package filejournal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/clusterswitch/clusterswitch/internal/api/v1alpha1"
	"github.com/clusterswitch/clusterswitch/internal/journal/status"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// What callers branch on.
var (
	// ErrConflict: somebody else wrote the journal, or it is gone. Load again.
	ErrConflict = errors.New("somebody else wrote the journal")
	// ErrUnreadable: what is stored can't be read, so it isn't overwritten.
	ErrUnreadable = errors.New("the stored journal can't be read")
)

const (
	// defaultEvery is how often the request files are looked at: a person's rollback
	// waits no longer, and it works where the kernel tells of no changes, as on
	// network file systems.
	defaultEvery = 500 * time.Millisecond
	// closeWithin bounds the wait for a disk that hangs.
	closeWithin = 5 * time.Second
)

// Options say where the journal is kept.
type Options struct {
	// Directory holds the files of all pairs. It is made when it isn't there; the
	// one above it must be.
	Directory string
	// Every is how often request files are looked at; zero: twice a second.
	Every  time.Duration
	Logger *zap.Logger
}

// Journal keeps states in files. Its methods may be called by many goroutines,
// but each pair's Load and Save by one at a time.
type Journal struct {
	folder *folder
	lock   *lock
	every  time.Duration
	log    *zap.Logger
	// working are the goroutines that use the disk.
	working sync.WaitGroup

	mu    sync.Mutex // guards all below
	known map[string]*held
	asked map[string]request
}

// held is a pair's file as Load or Save saw it last.
type held struct {
	// busy holds a place for the one who uses the pair's files.
	busy chan struct{}
	// loaded: the rest is known.
	loaded bool
	// content is that of the file; nil: there is none.
	content []byte
	status  v1alpha1.TrafficSwitchStatus
	// unreadable: the journal in content couldn't be read.
	unreadable bool
}

// Open takes the directory for this process, until Close or the process's end.
// While another one has it the error wraps ErrHeld and names it.
func Open(o Options) (*Journal, error) {
	if err := os.Mkdir(o.Directory, dirMode); err != nil && !errors.Is(err, os.ErrExist) {
		return nil, fmt.Errorf("making the journal's directory: %w", err)
	}
	f, err := open(o.Directory)
	if err != nil {
		return nil, err
	}
	j := &Journal{folder: f, every: o.Every, log: o.Logger, known: map[string]*held{}, asked: map[string]request{}}
	if j.every == 0 {
		j.every = defaultEvery
	}
	if err := j.begin(); err != nil {
		return nil, errors.Join(err, j.Close())
	}
	return j, nil
}

func (j *Journal) begin() error {
	about, err := j.folder.root.Stat(".")
	switch {
	case err != nil:
		return fmt.Errorf("looking at %s: %w", j.folder.path, bare(err))
	case about.Mode().Perm()&0o002 != 0:
		return fmt.Errorf("everybody may write into %s, and so move users' traffic: chmod o-w %s", j.folder.path, j.folder.path)
	}
	j.lock, err = take(j.folder, lockName)
	if errors.Is(err, errTaken) {
		return fmt.Errorf("%w: %s is in use by %s; two daemons must not share it", ErrHeld, j.folder.path, holderOf(j.folder))
	}
	if err != nil {
		return err
	}
	if err := j.lock.sign(); err != nil {
		return err
	}
	// People's commands lock it. It is made here, so that it belongs to the daemon's user.
	requests, err := j.folder.root.OpenFile(requestLockName, os.O_RDWR|os.O_CREATE, fileMode)
	if err != nil {
		return fmt.Errorf("opening %s: %w", j.folder.full(requestLockName), bare(err))
	}
	j.look(func(string) {})
	return requests.Close()
}

// Close gives the directory back. Nothing may be called afterwards.
func (j *Journal) Close() error {
	done := make(chan struct{})
	go func() {
		defer close(done)
		j.working.Wait()
	}()
	select {
	case <-done:
	case <-time.After(closeWithin): // the disk hangs; the process's end gives the lock back
		return fmt.Errorf("closing %s: the disk doesn't answer", j.folder.path)
	}
	var err error
	if j.lock != nil {
		err = j.lock.release()
	}
	return errors.Join(err, j.folder.root.Close())
}

// Load reads the state of a pair. Where neither a journal nor a request is there
// an empty request file is made, so that people have something to edit. An error
// says that the disk could not be asked, or refused.
func (j *Journal) Load(ctx context.Context, pair string) (shift.Found, error) {
	var state shift.Found
	err := j.use(ctx, pair, func(held) (*held, error) {
		content, err := j.folder.read(pair + journalEnding)
		if err != nil {
			return nil, err
		}
		if content == nil {
			if err := j.makeRequest(pair); err != nil {
				return nil, err
			}
		}
		read, stored := found(pair, content)
		state = read
		return &held{loaded: true, content: content, status: stored, unreadable: read.Unreadable != ""}, nil
	})
	if err != nil {
		return shift.Found{}, fmt.Errorf("loading the journal of %s: %w", pair, err)
	}
	if state.Unreadable != "" {
		state.Unreadable = j.folder.full(pair+journalEnding) + ": " + state.Unreadable
	}
	return state, nil
}

// makeRequest makes a pair's first request file.
func (j *Journal) makeRequest(pair string) error {
	there, err := j.folder.read(pair + requestEnding)
	if err != nil || there != nil {
		return err
	}
	return j.folder.put(pair+requestEnding, []byte("{}\n"))
}

// Look reads the state of a pair and leaves everything as it is: nothing is made,
// and Save isn't prepared. A pair without a file has no state.
func (j *Journal) Look(_ context.Context, pair string) (shift.Found, error) {
	return j.folder.look(pair)
}

func (f *folder) look(pair string) (shift.Found, error) {
	if !validPair(pair) {
		return shift.Found{}, fmt.Errorf("reading the journal of %q: that is no pair's name", pair)
	}
	content, err := f.read(pair + journalEnding)
	if err != nil {
		return shift.Found{}, fmt.Errorf("reading the journal of %s: %w", pair, err)
	}
	state, _ := found(pair, content)
	return state, nil
}

// Save writes the state of a pair, and what the daemon says of it. It needs a
// Load before. It answers ErrConflict when the journal is no longer what Load
// or Save saw last: then nothing was written. After any other error it may or
// may not have been written; if it was, the next Save answers ErrConflict.
// status.ErrTooLarge also means that nothing was written. Where the stored
// journal can't be read it stays as it is, whatever the answer: only what people
// read beside it is written, and the answer is ErrUnreadable. Said.Beside asks for
// just that, also where there is no journal.
func (j *Journal) Save(ctx context.Context, pair string, s shift.State, said shift.Said) error {
	err := j.use(ctx, pair, func(last held) (*held, error) { return j.save(pair, last, s, said) })
	if err != nil {
		return fmt.Errorf("saving the journal of %s: %w", pair, err)
	}
	return nil
}

func (j *Journal) save(pair string, last held, s shift.State, said shift.Said) (*held, error) {
	if !last.loaded {
		return nil, errors.New("it was not loaded")
	}
	if err := j.lock.check(); err != nil {
		return nil, err
	}
	there, err := j.folder.read(pair + journalEnding)
	switch {
	case err != nil:
		return nil, err
	case there == nil && last.content != nil:
		return nil, fmt.Errorf("%w: %s is gone", ErrConflict, j.folder.full(pair+journalEnding))
	case !bytes.Equal(there, last.content) || (there == nil) != (last.content == nil):
		return nil, ErrConflict
	}
	next, err := status.New(s, said, time.Now())
	if err != nil {
		return nil, err
	}
	next.ObservedGeneration = j.observed(pair)
	next.Conditions = status.Conditions(last.status.Conditions, next.ObservedGeneration, s, said, time.Now())
	switch beside := status.Beside(last.status, next); {
	case last.unreadable:
		return nil, errors.Join(ErrUnreadable, j.saveBeside(pair, beside))
	case said.Beside:
		return nil, j.saveBeside(pair, beside)
	}
	content, err := encode(pair, next)
	if err != nil {
		return nil, err
	}
	if err := j.folder.put(pair+journalEnding, content); err != nil {
		return nil, err
	}
	// What was said beside an unreadable journal is over.
	if err := j.folder.remove(pair + besideEnding); err != nil {
		j.log.Warn("what was said beside a former journal could not be removed", zap.Error(err))
	}
	return &held{loaded: true, content: content, status: next}, nil
}

// saveBeside tells people what the daemon does while a journal can't be read, or
// can't be begun yet.
func (j *Journal) saveBeside(pair string, said v1alpha1.TrafficSwitchStatus) error {
	said.Journal = nil
	content, err := encode(pair, said)
	if err != nil {
		return err
	}
	return j.folder.put(pair+besideEnding, content)
}

// use lets one goroutine use a pair's files, and takes what it knows of them
// afterwards. It doesn't wait for a disk that hangs: what is done after ctx ended
// counts as somebody else's.
func (j *Journal) use(ctx context.Context, pair string, do func(last held) (*held, error)) error {
	if !validPair(pair) {
		return fmt.Errorf("%q is no pair's name", pair)
	}
	h := j.held(pair)
	select {
	case h.busy <- struct{}{}:
	case <-ctx.Done():
		return fmt.Errorf("the disk of %s doesn't answer: %w", j.folder.path, context.Cause(ctx))
	}
	type outcome struct {
		next *held
		err  error
	}
	done := make(chan outcome, 1)
	last := *j.held(pair)
	j.working.Go(func() {
		defer func() { <-h.busy }()
		next, err := do(last)
		done <- outcome{next, err}
	})
	select {
	case o := <-done:
		if o.next != nil {
			j.hold(pair, *o.next)
		}
		return o.err
	case <-ctx.Done():
		return fmt.Errorf("the disk of %s doesn't answer: %w", j.folder.path, context.Cause(ctx))
	}
}

// held gives what is known of a pair's files.
func (j *Journal) held(pair string) *held {
	j.mu.Lock()
	defer j.mu.Unlock()
	h, ok := j.known[pair]
	if !ok {
		h = &held{busy: make(chan struct{}, 1)}
		j.known[pair] = h
	}
	return h
}

func (j *Journal) hold(pair string, next held) {
	j.mu.Lock()
	defer j.mu.Unlock()
	next.busy = j.known[pair].busy
	j.known[pair] = &next
}
