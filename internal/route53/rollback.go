package route53

import (
	"context"
	"errors"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/awsapi"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// rollbackTries bounds how often one rollback is written in one Commit; the
// next tick of the loop goes on. Two lost races and one refused mark fit in.
const rollbackTries = 4

// rollBack writes a batch until it stands. What is already low enough isn't
// written; a conflict is read again; a mark that AWS refuses is left out. When
// one record spoils the batch, the others go alone.
func (a *Adapter) rollBack(ctx context.Context, zone string, swaps []*swap) {
	var last awsapi.Failure
	tries := 0
	for try := range rollbackTries {
		if try > 0 && last.Passing() && !awsapi.Pause(ctx, try) {
			break
		}
		tries++
		ready, unread := a.rebase(ctx, swaps, &last)
		swaps = unread
		if len(ready) > 0 {
			swaps = append(swaps, a.tryBack(ctx, zone, ready, &last)...)
		}
		if len(swaps) == 0 {
			return
		}
	}
	for _, s := range swaps {
		s.giveUp(tries, last)
	}
}

// tryBack writes once and returns the swaps that are worth another try.
func (a *Adapter) tryBack(ctx context.Context, zone string, ready []*swap, last *awsapi.Failure) (again []*swap) {
	f, ok := a.write(ctx, zone, ready)
	if ok {
		return nil
	}
	*last = f
	if len(ready) > 1 && spoils(f, ready) {
		for _, s := range ready {
			s.base, s.outdated = nil, true
			a.rollBack(ctx, zone, []*swap{s})
		}
		return nil
	}
	for _, s := range ready {
		if s.learn(f, zone) {
			again = append(again, s)
		}
	}
	return again
}

// spoils tells whether a refused batch may hold records that would be accepted
// alone. A refused right is first tried without the marks.
func spoils(f awsapi.Failure, swaps []*swap) bool {
	switch f.Class {
	case awsapi.Conflict:
		return true
	case awsapi.Denied, awsapi.Invalid, awsapi.Other:
		for _, s := range swaps {
			if s.marked() {
				return false
			}
		}
		return true
	case awsapi.Throttled, awsapi.Unreachable, awsapi.NotFound:
	}
	return false
}

// rebase finds what each rollback is made from and answers those that need no
// write. Those that couldn't be read for now come back as unread.
func (a *Adapter) rebase(ctx context.Context, swaps []*swap, last *awsapi.Failure) (ready, unread []*swap) {
	for _, s := range swaps {
		if s.base == nil && !s.outdated {
			s.useRemembered(a)
		}
		if s.base != nil {
			ready = append(ready, s)
			continue
		}
		g, err := a.fetch(ctx, s.entrance())
		if err != nil {
			f, ok := errors.AsType[*awsapi.Error](err)
			if ok && f.Passing() {
				*last = f.Failure
				unread = append(unread, s)
				continue
			}
			s.answer(s.lost(), time.Time{}, "%s", err)
			continue
		}
		if a.judge(s, g) {
			ready = append(ready, s)
		}
	}
	return ready, unread
}

// useRemembered saves a read: what the last tick read serves as the base if it
// shows that a write is needed. Should it be outdated, the swap is refused and
// read again.
func (s *swap) useRemembered(a *Adapter) {
	g, ok := a.remembered(s.key())
	if !ok || g.declared(s.entrance()) != nil {
		return
	}
	if w, _ := g.weights(s.entrance()); !w.AtMost(s.Wanted) {
		s.startFrom(g)
	}
}

// judge looks at a fresh reading: it answers the change, or makes the reading
// its base.
func (a *Adapter) judge(s *swap, g group) bool {
	if err := g.declared(s.entrance()); err != nil {
		s.answer(shift.Refused, time.Time{}, "%s", err)
		return false
	}
	w, _ := g.weights(s.entrance())
	switch {
	case w.AtMost(s.Wanted):
		note := "nothing to write: " + g.found(s.entrance())
		if s.unsure {
			note = "the answer was lost; it reads back as written"
		}
		s.answer(shift.Applied, a.now(), "%s", note)
		return false
	case g.token() == s.refused && s.marked():
		// Nobody changed anything, so AWS refuses something else of the batch.
		s.withoutMark = "Route 53 refused the swap with it"
	case g.token() == s.refused:
		s.answer(shift.Refused, time.Time{}, "Route 53 refuses the swap though nothing changed: %s", s.result.Note)
		return false
	}
	s.startFrom(g)
	return true
}

// startFrom makes a reading the base. A mark that can't be read isn't ours to
// overwrite.
func (s *swap) startFrom(g group) {
	s.base = &g
	if _, err := g.readMark(); err != nil {
		s.withoutMark = "it was left as it is, " + err.Error()
	}
}

// learn takes a lesson from a refused write; false: there is no point in
// another try, and the change is answered.
func (s *swap) learn(f awsapi.Failure, zone string) bool {
	switch f.Class {
	case awsapi.Conflict:
		s.refused, s.base, s.outdated = s.base.token(), nil, true
		s.result.Note = f.String()
		return true
	case awsapi.Unreachable:
		s.base, s.outdated, s.unsure = nil, true, true
		return true
	case awsapi.Throttled:
		return true // nothing was done; the base still stands
	case awsapi.Denied, awsapi.Invalid, awsapi.Other:
		if s.marked() {
			s.withoutMark = f.String()
			return true
		}
	case awsapi.NotFound:
	}
	s.answer(s.lost(), time.Time{}, "%s", refusal(f, zone))
	return false
}

// lost is the answer for a change that can't go on: AWS refused it, unless an
// earlier try was lost on the way and may have been carried out.
func (s *swap) lost() shift.Outcome {
	if s.unsure {
		return shift.Unknown
	}
	return shift.Refused
}

func (s *swap) giveUp(tries int, last awsapi.Failure) {
	outcome := s.lost()
	switch {
	case last.Class == awsapi.Unreachable:
		outcome = shift.Unknown
	case last.Class == awsapi.Conflict && !s.unsure:
		outcome = shift.Conflict
	}
	s.answer(outcome, time.Time{}, "gave up for now after %d tries: %s", tries, last)
}
