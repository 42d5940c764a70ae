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

type entry struct {
	newest action
	token  string
	at     time.Time // the newest state stood there then
	// doubtful: a write has been sent since whose fate isn't known.
	doubtful bool
	replaced map[string]time.Time // tokens of former states, and when they were written over
}

// seen takes in an answer to a call that began at a time. changed tells that the
// answer has news.
func (l *ledger) seen(a action, began time.Time) (s sighting, changed bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now, token := l.now(), a.token()
	e := l.entries[a.arn]
	if e == nil {
		l.entries[a.arn] = &entry{newest: a, token: token, at: began, replaced: map[string]time.Time{}}
		return sighting{action: a, replaced: -1}, true
	}
	for old, when := range e.replaced {
		if now.Sub(when) >= staleFor {
			delete(e.replaced, old)
		}
	}
	when, former := e.replaced[token]
	switch {
	case token == e.token:
		e.newest, e.doubtful = a, e.doubtful && began.Before(e.at)
		if began.After(e.at) {
			e.at = began
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
	e.at, e.doubtful = now, false
}

func (e *entry) replaces(a action, token string, at, now time.Time) {
	if e.token != "" {
		e.replaced[e.token] = now
	}
	delete(e.replaced, token)
	e.newest, e.token, e.at, e.doubtful = a, token, at, false
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
func (l *ledger) newest(arn string) (a action, at time.Time, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.entries[arn]
	if e == nil || e.doubtful {
		return action{}, time.Time{}, false
	}
	return e.newest, e.at, true
}

// last gives the newest state, be it in doubt; false: nothing was ever seen.
func (l *ledger) last(arn string) (a action, at time.Time, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.entries[arn]
	if e == nil {
		return action{}, time.Time{}, false
	}
	return e.newest, e.at, true
}
