package app

import (
	"sync"

	"github.com/clusterswitch/clusterswitch/config"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// requests joins what people ask for one pair from all sources: configuration,
// custom resource or request file, and the command line's flag.
type requests struct {
	specs specs

	mu       sync.Mutex // guards all below
	pair     config.Pair
	handsOff bool // of the whole configuration
	flag     *flagged
}

// flagged is `run --rollback PAIR`; nil: it wasn't given. It is bound to the
// attempt that the daemon found when it started: it can't leak into a later one,
// not even when the pair is stopped and started anew. Nor does it stand in the
// way of one: at rest it gives way to an attempt that was asked for since.
type flagged struct {
	bound   bool
	attempt int
	// asked is the attempt that people had asked for by then.
	asked int
}

func newRequests(s specs, flag *flagged) *requests {
	return &requests{specs: s, flag: flag}
}

// configure takes over a changed configuration.
func (r *requests) configure(c *config.Config, pair config.Pair) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.pair, r.handsOff = pair, c.HandsOff
}

// request is the sum of all sources: rollback and stops are OR-ed, the higher
// attempt wins. joined is as in switcher.Observer.
func (r *requests) request(s shift.State, joined bool) shift.Request {
	r.mu.Lock()
	defer r.mu.Unlock()
	spec, unknown := r.specs.Request(r.pair.Name)
	q := shift.Request{
		Unknown:       unknown,
		Serve:         shift.Side(r.pair.Serve),
		Attempt:       max(r.pair.Attempt, spec.Attempt),
		RollbackForce: r.pair.RollbackForce || spec.RollbackForce,
		Paused:        r.pair.Paused || spec.Paused,
		HandsOff:      r.handsOff || r.pair.HandsOff || spec.HandsOff,
		Approved:      shift.Approval(spec.Approved),
		Resolve:       shift.Resolution{ID: spec.Resolve.ID, How: shift.ResolveHow(spec.Resolve.How)},
		Vouch:         shift.Vouch{Attempt: spec.Vouch.Attempt, Take: shift.Side(spec.Vouch.Take)},
	}
	if q.Serve == shift.Green {
		q.Attempt = max(1, q.Attempt) // asking for green is asking for a first attempt
	}
	if r.pair.Rollback {
		q.RollbackBy = append(q.RollbackBy, "the configuration")
	}
	if spec.Rollback {
		q.RollbackBy = append(q.RollbackBy, r.specs.Place())
	}
	if r.flag.asks(s, q.Attempt, joined) {
		q.RollbackBy = append(q.RollbackBy, "run --rollback")
	}
	return q
}

// asks tells whether the flag asks now. Until the attempt under way is known it
// does: a rollback doesn't wait for the journal.
func (f *flagged) asks(s shift.State, asked int, joined bool) bool {
	switch {
	case f == nil:
		return false
	case f.bound && !s.Active() && asked > f.asked:
		return false
	case f.bound:
		return s.Attempt == f.attempt
	case joined:
		f.bound, f.attempt, f.asked = true, s.Attempt, max(asked, s.Attempt)
	}
	return true
}
