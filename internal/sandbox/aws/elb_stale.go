package aws

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// staleReads lets Describe calls answer what was true before the newest writes,
// as an eventually consistent service does. What it keeps, it keeps only while
// a fault of the kind StaleReads is switched on.
type staleReads struct {
	armed  []*staleFault
	past   []pastState // oldest first
	writes int         // that were noted
}

type staleFault struct {
	fault Fault
	from  int // the first write that it hides
	left  int // stale answers still to give; 0 with Times 0 means no limit
}

// pastState is what an account had just before a write.
type pastState struct {
	write   int
	written time.Time
	state   *elbAccount
}

// validateStale refuses a fault of the kind StaleReads that can't be.
func (f Fault) validateStale(operations map[string]operation) error {
	switch {
	case f.Service != ELB:
		return fmt.Errorf("fault StaleReads for the service %q: only ELB's reads are known to lag here", f.Service)
	case f.Resource != "" || f.RecordType != "":
		return errors.New("fault StaleReads: reads lag for all resources alike")
	case operations[f.Operation].write:
		return fmt.Errorf("fault StaleReads for %s: it isn't a read", f.Operation)
	case f.Delay < 0 || f.Times < 0 || f.Delay+time.Duration(f.Times) == 0:
		return errors.New("fault StaleReads: it needs a delay or a count, and neither can be negative")
	}
	return nil
}

// injectStale switches stale reads on and returns what switches them off.
func (s *elbStore) injectStale(f Fault) func() {
	s.mu.Lock()
	defer s.mu.Unlock()
	armed := &staleFault{fault: f, from: s.stale.writes, left: f.Times}
	s.stale.armed = append(s.stale.armed, armed)
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.stale.disarm(armed)
	}
}

func (s *elbStore) clearStale() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stale = staleReads{}
}

func (r *staleReads) disarm(gone *staleFault) {
	r.armed = slices.DeleteFunc(r.armed, func(f *staleFault) bool { return f == gone })
	if len(r.armed) == 0 {
		r.past = nil
	}
}

// before keeps what an account has in front of a write, nil while nobody asks for it.
func (r *staleReads) before(a *elbAccount) *elbAccount {
	if len(r.armed) == 0 {
		return nil
	}
	return a.clone()
}

// wrote notes a write that was carried out, and forgets what no read can ask for
// any more.
func (r *staleReads) wrote(before *elbAccount, now time.Time) {
	if before == nil {
		return
	}
	r.past = append(r.past, pastState{write: r.writes, written: now, state: before})
	r.writes++
	r.past = slices.DeleteFunc(r.past, func(p pastState) bool {
		return !slices.ContainsFunc(r.armed, func(f *staleFault) bool { return f.hides(p, now) })
	})
}

// hides tells whether a read of now doesn't see a write yet.
func (f *staleFault) hides(p pastState, now time.Time) bool {
	return p.write >= f.from && (f.fault.Delay == 0 || p.written.After(now.Add(-f.fault.Delay)))
}

// asRead returns what a read of an account sees: a former state, or the account itself.
func (r *staleReads) asRead(a *elbAccount, operation string, now time.Time) *elbAccount {
	for _, f := range r.armed {
		if f.fault.Operation != "" && f.fault.Operation != operation {
			continue
		}
		i := slices.IndexFunc(r.past, func(p pastState) bool { return p.state.id == a.id && f.hides(p, now) })
		if i < 0 {
			continue
		}
		seen := r.past[i].state
		if f.left--; f.fault.Times > 0 && f.left == 0 {
			r.disarm(f)
		}
		return seen
	}
	return a
}
