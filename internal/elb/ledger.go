package elb

import (
	"sync"
	"time"
)

// staleFor is how long an answer that tells of a former state is taken for a
// late one rather than for somebody's edit. AWS gives no bound for the lag of
// ELBv2's readings; what stands longer is the truth. An edit that restores
// exactly what stood before is therefore seen so much later; until then the
// entrance is unknown, and nothing rises.
const staleFor = 10 * time.Second

// staleForRollback is the same for who is about to send users back to blue: to
// write once more than needed does no harm then.
const staleForRollback = 3 * time.Second

// sighting is an action as one answer of AWS tells it.
type sighting struct {
	action
	// replaced is how long ago this state was written over, as far as is known;
	// negative: it wasn't.
	replaced time.Duration
}

func (s sighting) stale() bool { return s.replaced >= 0 }

// ledger remembers the newest state of each action, whether it was read or
// written, and for a while the states that it replaced.
type ledger struct {
	now func() time.Time

	mu      sync.Mutex
	entries map[string]*entry // by ARN
}

// state is how an action stood at a time.
type state struct {
	action
	at      time.Time
	written bool // it is what we wrote, and nobody has read it since
}

type entry struct {
	state
	token string
	// doubtful: a write has been sent since whose fate isn't known.
	doubtful bool
	replaced map[string]time.Time // tokens of former states, and when they were written over
}

// seen takes in an answer to a call that began at a time. changed tells that it
// differs from what was known.
func (l *ledger) seen(a action, began time.Time) (s sighting, changed bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now, token := l.now(), a.token()
	e := l.entries[a.arn]
	if e == nil {
		l.entries[a.arn] = &entry{state: state{action: a, at: began}, token: token, replaced: map[string]time.Time{}}
		return sighting{action: a, replaced: -1}, false
	}
	for old, when := range e.replaced {
		if now.Sub(when) >= staleFor {
			delete(e.replaced, old)
		}
	}
	when, former := e.replaced[token]
	switch {
	case token == e.token:
		e.action, e.doubtful = a, e.doubtful && began.Before(e.at)
		if !began.Before(e.at) {
			e.at, e.written = began, false
		}
		return sighting{action: a, replaced: -1}, false
	case former:
		return sighting{action: a, replaced: now.Sub(when)}, false
	case began.Before(e.at):
		return sighting{action: a, replaced: now.Sub(e.at)}, false
	}
	e.replaces(a, token, began, now)
	return sighting{action: a, replaced: -1}, true
}

// wrote takes in a write that AWS acknowledged.
func (l *ledger) wrote(a action) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	e := l.entries[a.arn]
	if e == nil {
		e = &entry{replaced: map[string]time.Time{}}
		l.entries[a.arn] = e
	}
	if token := a.token(); token != e.token {
		e.replaces(a, token, now, now)
	}
	e.at, e.doubtful, e.written = now, false, true
}

func (e *entry) replaces(a action, token string, at, now time.Time) {
	if e.token != "" {
		e.replaced[e.token] = now
	}
	delete(e.replaced, token)
	e.state, e.token, e.doubtful = state{action: a, at: at}, token, false
}

// sent notes that a write is on its way: until it is known what became of it,
// what is remembered may no longer stand. It gives what refused takes back.
func (l *ledger) sent(arn string) (doubtful bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.entries[arn]
	if e == nil {
		return false
	}
	doubtful = e.doubtful
	e.doubtful, e.at = true, l.now()
	return doubtful
}

// refused takes sent back: AWS said that it did nothing.
func (l *ledger) refused(arn string, doubtful bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e := l.entries[arn]; e != nil {
		e.doubtful = doubtful
	}
}

// newest gives the newest state; false: there is none, or it is in doubt.
func (l *ledger) newest(arn string) (s state, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.entries[arn]
	if e == nil || e.doubtful {
		return state{}, false
	}
	return e.state, true
}

// last gives the newest state, be it in doubt; false: nothing was ever seen.
func (l *ledger) last(arn string) (s state, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.entries[arn]
	if e == nil {
		return state{}, false
	}
	return e.state, true
}
