package route53

import (
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/awsapi"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// patientConflicts is how many edits by somebody else a rollback answers at once;
// after more it pauses before each try, since somebody writes as fast as it does.
const patientConflicts = 3

// wayBack is a rollback on its way: it goes on until it stands, or AWS refuses
// what can't be mended, or the time is over.
type wayBack struct {
	*swap
	zone *zone

	// What was learned, by the key of a part.
	refused map[string]string // the token of what AWS refused to swap
	divided map[string]string // the group in which it goes on if nothing changed

	final     map[string]string // by name: why there is no point in going on with it
	faults    []string          // why some groups can't be swapped at all
	since     want              // the listings that are new enough to go on with
	last      awsapi.Failure
	tries     int
	conflicts int // how often somebody else had changed what was to be swapped
	unread    int
}

// rollBack writes rollbacks until they stand. What is already low enough isn't
// written; a conflict is read again; a mark that AWS refuses is left out.
func (z *zone) rollBack(swaps []*swap) {
	z.queue.announce(len(swaps))
	parts := make([][]*part, len(swaps))
	ways := make([]*wayBack, len(swaps))
	for i, s := range swaps {
		ways[i] = &wayBack{swap: s, zone: z, since: z.afresh(), refused: map[string]string{}, divided: map[string]string{}, final: map[string]string{}}
		parts[i] = ways[i].fromMemory()
	}
	z.submitAll(parts)
	var wg sync.WaitGroup
	for i, w := range ways {
		wg.Go(func() {
			defer z.queue.announce(-1)
			w.goOn(parts[i])
		})
	}
	wg.Wait()
}

// fromMemory saves a read: what was last read serves as the base if it shows
// that a write is needed. Should it be outdated, AWS refuses the swap, and it is
// read again.
func (w *wayBack) fromMemory() []*part {
	p, ok := w.zone.remembered(w.entrance())
	if !ok {
		return nil
	}
	for _, s := range p.spots {
		if _, faults := s.shiftable(w.entrance()); len(faults) > 0 {
			return nil
		}
	}
	wishes, high := w.needs(p.spots)
	if !high && !w.fences(wishes) {
		return nil
	}
	parts, err := w.plan(wishes)
	if err != nil {
		return nil
	}
	return parts
}

// goOn carries the rollback on until it is answered. The parts are those that
// wait already; none: it must be read.
func (w *wayBack) goOn(parts []*part) {
	for {
		if len(parts) == 0 {
			var done bool
			if parts, done = w.rebase(); done {
				return
			}
			w.zone.queue.submit(parts...)
		}
		w.tries++
		var again []*part
		outdated, late := false, false
		for _, p := range parts {
			switch w.learn(p, w.zone.await(p)) {
			case landed, over:
			case repeat:
				again = append(again, p)
			case reread:
				outdated = true
			case tooLate:
				late = true
			}
		}
		if late {
			w.giveUp()
			return
		}
		parts = again
		if outdated {
			parts = nil
			if n := w.conflicts - patientConflicts; n > 0 && !awsapi.Pause(w.ctx, n) {
				w.giveUp()
				return
			}
			continue
		}
		if len(parts) == 0 {
			w.conclude()
			return
		}
		w.zone.queue.submit(parts...)
	}
}

// rebase reads and plans anew, for as long as reading fails for now; done: the
// change is answered.
func (w *wayBack) rebase() (parts []*part, done bool) {
	for {
		p, err := w.zone.fetch(w.ctx, w.entrance(), w.since)
		if err == nil {
			return w.judge(p.spots)
		}
		f, ok := errors.AsType[*awsapi.Error](err)
		if !ok || !f.Passing() {
			w.answer(w.lost(), time.Time{}, "%s", err)
			return nil, true
		}
		w.last = f.Failure
		w.tries++
		w.unread++
		if !awsapi.Pause(w.ctx, w.unread) {
			w.giveUp()
			return nil, true
		}
	}
}

// judge looks at a fresh reading: it answers the change, or plans what is left
// to write.
func (w *wayBack) judge(spots []spot) (parts []*part, done bool) {
	wishes, high := w.needs(spots)
	if !high && !w.fences(wishes) {
		w.conclude()
		if w.result.Outcome == shift.Applied && w.wrote.IsZero() {
			note := "nothing to write: " + found(w.entrance(), spots)
			if w.unsure {
				note = "the answer was lost; it reads back as written"
			}
			w.answer(shift.Applied, w.zone.now(), "%s", note)
		}
		return nil, true
	}
	planned, err := w.plan(wishes)
	if err != nil {
		w.answer(w.lost(), time.Time{}, "%s", err)
		return nil, true
	}
	for _, p := range planned {
		if w.escalate(p) {
			parts = append(parts, p)
		}
	}
	if len(parts) == 0 {
		w.conclude()
		return nil, true
	}
	return parts, false
}

// fences tells whether marks are to be written although green has no more than is
// wanted. One that can't be written is left out, as with any rollback.
func (w *wayBack) fences(wishes []wished) bool { return w.Fence && len(wishes) > 0 }

// needs gives what is to be written: groups where green has too much, and the
// mark of every name, so that an older daemon's write to a name that stands low
// already is refused too. It tells whether any group is too high.
func (w *wayBack) needs(spots []spot) (wishes []wished, high bool) {
	w.faults = nil
	for _, s := range spots {
		if w.final[s.name] != "" {
			continue
		}
		groups, faults := s.shiftable(w.entrance())
		for _, err := range faults {
			w.faults = append(w.faults, err.Error())
		}
		each := wished{spot: s}
		for _, g := range groups {
			if weights, _ := g.weights(w.entrance()); !weights.AtMost(w.Wanted) {
				each.groups = append(each.groups, planned{group: g, weights: w.Wanted.Weights()})
			}
		}
		high = high || len(each.groups) > 0
		m, err := s.readMark()
		switch {
		case err != nil: // what can't be read isn't ours to overwrite
			w.bare[s.name] = "it was left as it is, " + err.Error()
		case len(each.groups) == 0 && m != nil && *m == w.Control:
			continue
		}
		if len(each.groups) > 0 || w.marks(s.name) {
			wishes = append(wishes, each)
		}
	}
	return wishes, high
}

// conclude answers when there is nothing left to try.
func (w *wayBack) conclude() {
	why := slices.Sorted(maps.Values(w.final))
	why = append(slices.Compact(why), w.faults...)
	switch {
	case len(why) == 0:
		w.answer(shift.Applied, w.wrote, "%s", w.remarks())
	case w.wrote.IsZero():
		w.answer(w.lost(), time.Time{}, "%s", listed(why))
	default:
		w.answer(shift.Unknown, time.Time{}, "all that can be written was written, but not all: %s", listed(why))
	}
}

// lost is the answer for a change that can't go on: AWS refused it, unless an
// earlier try was lost on the way or a part of it was written.
func (w *wayBack) lost() shift.Outcome {
	if w.unsure || !w.wrote.IsZero() {
		return shift.Unknown
	}
	return shift.Refused
}

func (w *wayBack) giveUp() {
	outcome := w.lost()
	switch {
	case w.last.Class == awsapi.Unreachable && w.tries > 0:
		outcome = shift.Unknown
	case w.last.Class == awsapi.Conflict && outcome == shift.Refused:
		outcome = shift.Conflict
	}
	w.answer(outcome, time.Time{}, "gave up for now after %d tries: %s", w.tries, w.last)
}
