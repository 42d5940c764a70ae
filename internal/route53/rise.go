package route53

import (
	"fmt"
	"sync"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/awsapi"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// swapExpected writes rises or lowerings once, onto exactly what was expected.
func (z *zone) swapExpected(swaps []*swap) {
	parts := make([][]*part, len(swaps))
	var wg sync.WaitGroup
	for i, s := range swaps {
		wg.Go(func() { parts[i] = z.asExpected(s) })
	}
	wg.Wait()
	z.submitAll(parts)
	for i, s := range swaps {
		if len(parts[i]) > 0 {
			wg.Go(func() { z.settleParts(s, parts[i]) })
		}
	}
	wg.Wait()
}

// asExpected plans a swap from what is remembered, and answers the change if
// that isn't what was expected.
func (z *zone) asExpected(s *swap) []*part {
	e := s.entrance()
	p, ok := z.remembered(e)
	if !ok {
		var err error
		if p, err = z.fetch(s.ctx, e, z.afresh()); err != nil {
			s.answer(shift.Refused, time.Time{}, "nothing was written: %s", err)
			return nil
		}
	}
	if s.Expected.Token == "" || token(p.spots) != s.Expected.Token {
		s.answer(shift.Conflict, time.Time{}, "%s changed since it was read: %s", s.name(), found(e, p.spots))
		return nil
	}
	if err := z.mayWrite(s, p); err != nil {
		s.answer(shift.Refused, time.Time{}, "nothing was written: %s", err)
		return nil
	}
	// Only the epoch fences: within one epoch there is one daemon, whose order
	// the token keeps, and a person may let a journal of an older attempt go on.
	marks, _ := legible(p.spots)
	for _, m := range marks {
		if m.Epoch > s.Control.Epoch {
			s.answer(shift.Conflict, time.Time{}, "%s was written by a daemon that took charge later: %s", s.name(), found(e, p.spots))
			return nil
		}
	}
	wishes, high := s.wishes(p.spots)
	if s.Priority == shift.Lowering && !high {
		s.answer(shift.Applied, z.now(), "nothing to write: %s", found(e, p.spots))
		return nil
	}
	parts, err := s.plan(wishes)
	if err != nil {
		s.answer(shift.Refused, time.Time{}, "nothing was written: %s", err)
		return nil
	}
	return parts
}

// mayWrite says what forbids the swap. A rise needs to know that nobody else
// writes the records; a Read for a rollback doesn't ask for that.
func (z *zone) mayWrite(s *swap, p picture) error {
	if err := usable(s.entrance(), p.spots); err != nil {
		return err
	}
	if s.Priority != shift.Rise {
		return nil
	}
	known, err := z.registry(s.ctx, false)
	if known == nil {
		return err
	}
	if owner := known.owner(s.entrance()); owner != "" {
		return fmt.Errorf("%s is written by %s: let that go first", s.name(), owner)
	}
	return nil
}

// wishes gives every group its weights, and tells whether green has more than
// wanted in any. A lowering raises no group: one that stands lower is swapped for
// itself, so that the write is refused if it changed.
func (s *swap) wishes(spots []spot) (wishes []wished, high bool) {
	for _, each := range spots {
		w := wished{spot: each}
		for _, g := range each.groups {
			weights, _ := g.weights(s.entrance())
			over := !weights.AtMost(s.Wanted)
			high = high || over
			if over || s.Priority == shift.Rise {
				weights = s.Wanted.Weights()
			}
			w.groups = append(w.groups, planned{group: g, weights: weights})
		}
		wishes = append(wishes, w)
	}
	return wishes, high
}

// settleParts waits for the parts of a change and answers it. Once a part
// failed, what hasn't left yet stays.
func (z *zone) settleParts(s *swap, parts []*part) {
	var failed *shift.Result
	applied := 0
	for _, p := range parts {
		if failed != nil {
			if z.queue.withdraw(p) {
				continue
			}
		}
		r := z.settle(s, p)
		if r.Outcome == shift.Applied {
			applied++
			s.landed(p, r.At)
			if r.Note != "" {
				s.left = append(s.left, r.Note)
			}
			continue
		}
		if failed == nil || r.Outcome == shift.Unknown {
			failed = &r
		}
	}
	switch {
	case failed == nil:
		s.answer(shift.Applied, s.wrote, "%s", s.remarks())
	case applied > 0:
		s.answer(shift.Unknown, time.Time{}, "%d of %d batches were written: %s", applied, len(parts), failed.Note)
	default:
		s.answer(failed.Outcome, time.Time{}, "%s", failed.Note)
	}
}

// settle waits for one part. A batch that is refused for the sake of others is
// divided until it is known for whose; nothing was written then, so it may be
// sent again.
func (z *zone) settle(s *swap, p *part) shift.Result {
	for {
		f := z.await(p)
		switch {
		case f == nil:
			return shift.Result{Outcome: shift.Refused, Note: "nothing was written: it waited for other changes of the zone until the time was over"}
		case f.ok:
			return shift.Result{Outcome: shift.Applied, At: f.at}
		}
		shared := len(f.parts) > 1
		switch f.failure.Class {
		case awsapi.Unreachable:
			r, _ := z.resolve(s, p, f)
			return r
		case awsapi.Conflict:
			if shared && f.others(p) {
				p.group = f.cleared()
				break
			}
			r, unchanged := z.resolve(s, p, f)
			if !unchanged || !shared {
				return r
			}
			p.group = f.half(p)
		case awsapi.Denied, awsapi.Invalid, awsapi.Other:
			if !shared {
				return shift.Result{Outcome: shift.Refused, Note: "nothing was written: " + s.refusal(f.failure)}
			}
			p.group = f.half(p)
		case awsapi.Throttled, awsapi.NotFound:
			return shift.Result{Outcome: shift.Refused, Note: "nothing was written: " + s.refusal(f.failure)}
		}
		z.queue.submit(p)
	}
}

// resolve finds out by reading what became of a part whose answer was lost or
// a conflict, and whether it still stands as before. A conflict may be the echo
// of the same swap sent before.
func (z *zone) resolve(s *swap, p *part, flown *flight) (r shift.Result, unchanged bool) {
	f := flown.failure
	e := s.entrance()
	e.Names = nil
	for _, w := range p.wanted {
		e.Names = append(e.Names, plain(w.name))
	}
	read, err := z.fetch(s.ctx, e, flown.since)
	if err != nil {
		return shift.Result{Outcome: shift.Unknown, Note: fmt.Sprintf("%s; reading it back: %s", f, err)}, false
	}
	unchanged = token(read.spots) == token(p.spots())
	switch {
	case s.shows(p, read.spots):
		return shift.Result{Outcome: shift.Applied, At: z.now(), Note: "the answer was lost; it reads back as written"}, false
	case !unchanged && f.Class == awsapi.Unreachable && !s.surelyNot(p, read.spots):
		return shift.Result{Outcome: shift.Unknown, Note: fmt.Sprintf("%s; it was changed since, perhaps after it was written: %s", f, found(e, read.spots))}, false
	case !unchanged:
		return shift.Result{Outcome: shift.Conflict, Note: fmt.Sprintf("%s changed since it was read: %s", listed(e.Names), s.changed(read.spots))}, false
	case f.Class == awsapi.Unreachable:
		return shift.Result{Outcome: shift.Unknown, Note: fmt.Sprintf("%s; it reads back unchanged so far", f)}, true
	}
	return shift.Result{Outcome: shift.Refused, Note: fmt.Sprintf("nothing was written, though %s is as expected: %s", listed(e.Names), f)}, true
}

// surelyNot tells whether a part whose answer was lost was not written: a mark
// stands there that the part would have replaced. What was changed since is no
// longer as the part demands, so it won't be written any more either.
func (s *swap) surelyNot(p *part, spots []spot) bool {
	for i, w := range p.wanted {
		was, err := w.readMark()
		if err != nil || was == nil || !s.marks(w.name) {
			continue
		}
		if is, err := spots[i].readMark(); err == nil && is != nil && *is == *was && *was != s.Control {
			return true
		}
	}
	return false
}

// changed says what was found instead, and who it was where the mark tells.
func (s *swap) changed(spots []spot) string {
	says := found(s.entrance(), spots)
	marks, err := legible(spots)
	m := joinMarks(marks)
	switch {
	case !s.entrance().Mark || err != nil:
	case m == nil, s.Expected.Mark != nil && *m == *s.Expected.Mark:
		says += "; no write of a daemon's, since the mark is as it was"
	case m.Epoch > s.Control.Epoch:
		says += "; by a daemon that took charge later"
	case m.Epoch < s.Control.Epoch:
		says += "; by a daemon that was in charge before"
	}
	return says
}
