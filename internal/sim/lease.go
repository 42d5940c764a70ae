package sim

import (
	"slices"
	"time"
)

// What client-go's leader election does by default, and what internal/lease counts
// as sure of it.
const (
	leaseDuration = 15 * time.Second
	leaseSure     = leaseDuration - leaseDuration/10
	leaseRetry    = 2 * time.Second
	leaseTimeout  = 5 * time.Second
)

// leaseObject is the Lease in the management cluster; version 0: it isn't there.
type leaseObject struct {
	version int
	holder  string
}

// elector campaigns for the lease as client-go does: a record that doesn't change
// for leaseDuration, by the own clock, is anybody's, and the resource version
// decides between those who take it.
type elector struct {
	r    *replica
	life int

	term     int64
	sent     time.Duration // by the own monotonic clock, before the renewal that counts left
	sure     time.Duration
	seen     leaseObject
	seenAt   time.Duration
	everSeen bool
}

// identity names a life of a replica: one that was started anew is another.
func (e *elector) identity() string { return e.r.name + string(rune('a'+e.life%26)) }

// Term is a port of the loop.
func (e *elector) Term() (term int64, left time.Duration) {
	return e.term, max(0, e.sure-(e.r.mono()-e.sent))
}

// try asks for the lease, or renews it, and tries again after a while.
func (e *elector) try() {
	r, w := e.r, e.r.w
	if !r.alive || r.life != e.life {
		return
	}
	if r.pausedUntil > w.now {
		w.at(min(r.pausedUntil, w.now+leaseRetry), e.try) // the end of all faults may come before
		return
	}
	if _, left := e.Term(); left > 0 {
		e.update(e.seen.version, false)
		return
	}
	e.get()
}

func (e *elector) again(after time.Duration) {
	if e.r.rate != 256 {
		after = e.r.lasts(after)
	}
	e.r.w.in(after, e.try)
}

// request sends one request; do happens there, and back is told the answer.
func (e *elector) request(do func(), back func()) {
	r, w := e.r, e.r.w
	t := r.befalls(toAPI, true)
	takes := 3*time.Millisecond + t.delay
	if t.kind != LostRequest && t.kind != ServerError && t.kind != Throttled {
		w.in(takes, do)
	}
	switch {
	case t.kind == LostRequest || t.kind == LostReply || takes > leaseTimeout:
		e.again(leaseTimeout)
	case t.kind == ServerError || t.kind == Throttled:
		e.again(leaseRetry)
	default:
		w.in(takes, func() {
			if r.alive && r.life == e.life {
				back()
			}
		})
	}
}

func (e *elector) get() {
	w := e.r.w
	var read leaseObject
	e.request(func() { read = w.api.lease }, func() {
		now := e.r.mono()
		if !e.everSeen || read != e.seen {
			e.seen, e.seenAt, e.everSeen = read, now, true
		}
		mine := read.holder == e.identity()
		if !mine {
			e.sure = 0
		}
		if read.version > 0 && read.holder != "" && !mine && now-e.seenAt < leaseDuration {
			e.again(leaseRetry + time.Duration(w.rng.Int64N(int64(400*time.Millisecond))))
			return
		}
		e.update(read.version, !mine)
	})
}

func (e *elector) update(version int, fresh bool) {
	w, sent := e.r.w, e.r.mono()
	sentAt, took := w.now, -1
	e.request(func() {
		if w.api.lease.version == version {
			w.api.leases++
			w.api.lease = leaseObject{version: w.api.leases, holder: e.identity()}
			took = w.api.lease.version
			if w.now-sentAt > leaseTimeout {
				// Its sender gave it up, or is dead, and all others see a lease just renewed: a
				// fault is over when the last request that it kept on its way has landed.
				w.ledAt = w.now
			}
		}
	}, func() {
		if took < 0 {
			w.count(Conflicted)
			e.sure = 0
			e.again(leaseRetry)
			return
		}
		e.seen, e.seenAt, e.everSeen = leaseObject{took, e.identity()}, e.r.mono(), true
		e.renewed(sent, fresh)
		e.again(leaseRetry)
	})
}

func (e *elector) renewed(sent time.Duration, fresh bool) {
	_, left := e.Term()
	e.sent, e.sure = sent, leaseSure
	if left > 0 && !fresh {
		return
	}
	e.term++
	e.r.say("holds the lease, term %d", e.term)
	e.r.wake()
}

// leads tells whether any replica holds the lease for sure.
func (w *world) leads() bool {
	for _, r := range w.replicas {
		if r.alive && r.elector != nil && r.pausedUntil <= w.now {
			if _, left := r.elector.Term(); left > 0 {
				return true
			}
		}
	}
	return false
}

// listen measures for how long nobody leads: L4.
func (w *world) listen() {
	// While all stand still there is nobody to take over.
	awake := func(r *replica) bool { return r.alive && r.pausedUntil <= w.now }
	if w.leads() || !slices.ContainsFunc(w.replicas, awake) {
		w.ledAt = w.now
	}
	gap := w.now - w.ledAt
	w.result.Leaderless = max(w.result.Leaderless, gap)
	if gap > 30*time.Second {
		w.violate("L4", "nobody holds the lease since %s though no fault is left", stamp(w.ledAt))
		return
	}
	w.in(time.Second, w.listen)
}
