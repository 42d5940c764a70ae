package explore

import (
	"fmt"
	"time"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// moveKind is what can happen next.
type moveKind uint8

const (
	moveStart   moveKind = iota // a replica's next turn begins
	moveAnswer                  // what a replica asks takes effect and is answered
	moveSilence                 // its write gets no answer, and may land later
	moveLand                    // that write lands
	moveDie                     // a replica dies and starts anew
	moveHear                    // a replica hears of a rollback, which a person asked for
	moveCut                     // the leader can't renew its lease
	moveLose                    // the journal gets lost
	moveTake                    // a replica takes the lease, which has run out
)

// move is one thing that happens, to one replica where it is about one.
type move struct {
	kind    moveKind
	replica uint8
}

// moves lists all that can happen.
func (w *world) moves(o Options, buffer []move) []move {
	m := buffer[:0]
	for r := range w.replicas {
		m = w.movesOf(o, r, m)
	}
	if w.late.call != nil {
		m = append(m, move{kind: moveLand})
	}
	if w.losses > 0 && w.journal.state != nil {
		m = append(m, move{kind: moveLose})
	}
	if w.cuts > 0 && w.lease.holder >= 0 && !w.lease.cut {
		m = append(m, move{kind: moveCut})
	}
	return m
}

// movesOf adds what can happen to one replica.
func (w *world) movesOf(o Options, r int, m []move) []move {
	p, id := &w.replicas[r], uint8(r)
	switch {
	case p.turn != nil:
		m = append(m, move{moveAnswer, id})
		if w.maySilence(p.turn.call.kind) {
			m = append(m, move{moveSilence, id})
		}
	case w.mayPass(o, r):
		m = append(m, move{moveStart, id})
	}
	if w.crashes > 0 {
		m = append(m, move{moveDie, id})
	}
	if o.Rollback && !p.flag {
		m = append(m, move{moveHear, id})
	}
	if w.lease.holder != r && !w.lease.until.After(w.now) {
		m = append(m, move{moveTake, id})
	}
	return m
}

// maySilence tells whether such a call may go without an answer.
func (w *world) maySilence(k callKind) bool {
	return w.late.call == nil && (w.delays > 0 && k.writes() || w.saves > 0 && k == callSave)
}

// after gives the world after a move, and judges what it did to AWS.
func (x *explorer) after(w world, m move) world {
	p := &w.replicas[m.replica]
	switch m.kind {
	case moveStart:
		to := x.o.on(p.wakeAt)
		if to.After(w.now) && w.waits(x.o, to) {
			w.pauses -= x.o.strides(to.Sub(w.now))
		}
		w.pass(to)
		p.heard, p.sent = false, way{}
		x.goOn(&w, int(m.replica), x.seat.open(p.memory, w.sight(int(m.replica))))
	case moveAnswer:
		r := x.answer(&w, int(m.replica))
		x.told(&w, int(m.replica), r)
	case moveSilence:
		if p.turn.call.kind == callSave {
			w.saves--
		} else {
			w.delays--
		}
		w.late = late{call: &p.turn.call, until: w.now.Add(x.o.Late), life: p.life, replica: int(m.replica), seen: p.seen, before: w.entrance, sent: p.sent, heard: p.heard}
		x.told(&w, int(m.replica), reply{outcome: shift.Unknown, err: "no answer"})
	case moveLand:
		l := w.late
		w.late = late{}
		x.land(&w, l)
	case moveDie:
		w.crashes--
		life := p.life + 1
		*p = replica{life: life, memory: x.seat.born, wakeAt: w.now, flag: p.flag}
		if w.lease.holder == int(m.replica) {
			w.lease.cut = true
		}
	case moveHear:
		w.flag, p.flag = true, true
		if p.turn == nil {
			p.wakeAt = w.now
		} else {
			p.woken = true
		}
	case moveCut:
		w.cuts--
		w.lease.cut = true
	case moveLose:
		w.losses--
		w.journal = journal{version: w.journal.version + 1}
		w.judge.lost(w.entrance)
		w.flag, w.replicas[0].flag, w.replicas[1].flag = false, false, false // it was asked for there
	case moveTake:
		w.lease.holder, w.lease.cut, w.lease.until = int(m.replica), false, w.now.Add(leaseLasts)
		w.lease.terms[m.replica]++
	}
	return w
}

// told hands an answer to a replica, which goes on to its next call.
func (x *explorer) told(w *world, r int, said reply) {
	p := &w.replicas[r]
	a := answer{sight: w.sight(r), woken: p.woken, reply: said}
	p.woken = false
	x.goOn(w, r, x.seat.tell(p.turn, a))
}

func (x *explorer) goOn(w *world, r int, t *turn) {
	p := &w.replicas[r]
	x.result.Executions++
	if t.after == nil {
		if p.turn = t; t.call.kind.writes() || t.call.kind == callRead {
			w.onItsWay(r)
		}
		return
	}
	woken := p.flag && !t.began.flag // it heard of the rollback in this turn
	p.memory, p.turn, p.woken, p.heard, p.sent = t.after, nil, false, false, way{}
	if p.wakeAt = t.wakeAt; woken || p.wakeAt.Before(w.now) {
		p.wakeAt = w.now
	}
}

// answer lets what the replica asks take effect, and says what it is told.
func (x *explorer) answer(w *world, r int) reply {
	p := &w.replicas[r]
	c := &p.turn.call
	if !c.deadline.IsZero() && !w.now.Before(c.deadline) {
		return reply{err: "no answer in time", outcome: shift.Unknown}
	}
	l := late{call: c, life: p.life, replica: r, seen: p.seen, before: w.entrance, sent: p.sent, heard: p.heard}
	switch c.kind {
	case callLoad:
		p.seen = w.journal.version
		if x.o.plant == amnesia {
			return reply{}
		}
		return reply{state: w.journal.state}
	case callSave:
		a := x.save(w, l)
		if !a.clash {
			p.seen = w.journal.version
		}
		return a
	case callLook:
		p.heard = p.flag
		a := reply{stands: w.entrance}
		if !c.measure.IsZero() && c.measure.Before(w.now) {
			a.from = c.measure
			w.judge.measured(c.measure)
		}
		return a
	case callRead:
		return reply{stands: w.entrance}
	case callSwap:
		return x.swap(w, l)
	case callSet, callMark:
		x.land(w, l)
		return reply{outcome: shift.Applied}
	case noCall:
	}
	panic("a replica waits for nothing")
}

// land lets a write land.
func (x *explorer) land(w *world, l late) {
	switch l.call.kind {
	case callSave:
		x.save(w, l)
	case callSwap:
		x.swap(w, l)
	case callSet:
		x.write(w, l)
	case callMark:
		w.entrance.mark, w.entrance.marked = l.call.change.Control, true
	case noCall, callLoad, callLook, callRead:
	}
}

func (x *explorer) save(w *world, l late) reply {
	if l.seen != w.journal.version {
		return reply{clash: true}
	}
	x.judgeJournal(w, l)
	w.journal = journal{state: l.call.state, version: w.journal.version + 1}
	return reply{}
}

// swap keeps the contract of Route 53's adapter: a rise or planned lowering is
// written onto exactly what was expected, a rollback onto what stands there.
func (x *explorer) swap(w *world, l late) reply {
	c := l.call.change
	stands := w.entrance.reading(x.o.Kind, w.now)
	switch {
	case c.Priority == shift.Rollback && w.entrance != l.before:
		return reply{outcome: shift.Conflict, err: "it changed"} // of a write that comes late
	case c.Priority != shift.Rise && stands.Weights.AtMost(c.Wanted) && !c.Fence:
		return reply{outcome: shift.Applied}
	case c.Priority == shift.Rollback, x.o.plant == upsert:
	case stands.Token != c.Expected.Token:
		return reply{outcome: shift.Conflict, err: "it changed"}
	case w.entrance.marked && w.entrance.mark.Epoch > c.Control.Epoch:
		return reply{outcome: shift.Conflict, err: "a daemon took charge later"}
	}
	if c.Priority == shift.Rise || !stands.Weights.AtMost(c.Wanted) {
		x.write(w, l)
	}
	w.entrance.mark, w.entrance.marked = c.Control, true
	w.judge.back = max(w.judge.back, backOf(c.Control))
	return reply{outcome: shift.Applied}
}

// write sets the weights.
func (x *explorer) write(w *world, l late) {
	x.judgeWrite(w, l)
	w.entrance.weights = l.call.change.Wanted.Weights()
}

func (e entrance) reading(kind Kind, at time.Time) shift.EntranceReading {
	r := shift.EntranceReading{Name: entranceName, At: at, Weights: e.weights, InSync: true, Token: fmt.Sprint(e.weights.Green)}
	if e.marked {
		r.Mark = new(e.mark)
	}
	if kind == Balancer {
		r.BlueTargets = shift.Targets{Known: true, Healthy: 2, Total: 2}
		r.GreenTargets = r.BlueTargets
	} else if e.marked {
		r.Token += " " + e.mark.String()
	}
	return r
}

// tell says a move as a person would.
func (w *world) tell(o Options, m move) string {
	p := w.replicas[m.replica]
	at := w.now.Sub(epoch())
	if m.kind == moveStart {
		at = max(at, o.on(p.wakeAt).Sub(epoch()))
	}
	who := fmt.Sprintf("%4ds  %c%d", int(at/time.Second), 'A'+rune(m.replica), p.life+1)
	switch m.kind {
	case moveStart:
		return who + " begins a turn"
	case moveAnswer:
		return fmt.Sprintf("%s %s", who, p.turn.call)
	case moveSilence:
		return fmt.Sprintf("%s %s: no answer", who, p.turn.call)
	case moveLand:
		return fmt.Sprintf("%4ds  what %c%d sent without an answer lands: %s", int(at/time.Second), 'A'+rune(w.late.replica), w.late.life+1, *w.late.call)
	case moveDie:
		return who + " dies"
	case moveHear:
		return who + " hears that a person asks for a rollback"
	case moveCut:
		return fmt.Sprintf("%4ds  the lease can't be renewed any more", int(at/time.Second))
	case moveLose:
		return fmt.Sprintf("%4ds  the journal gets lost", int(at/time.Second))
	case moveTake:
		return who + " takes the lease"
	}
	return who
}

// String says a call as a person would.
func (c call) String() string {
	switch c.kind {
	case callSave:
		return fmt.Sprintf("saves attempt %d, epoch %d, version %d: %s at %s", c.state.Attempt, c.state.Epoch, c.state.Version, c.state.Phase, c.state.Share)
	case callSwap, callSet, callMark:
		m := c.change.Control
		return fmt.Sprintf("%s (%s) green to %s, epoch %d, version %d", map[callKind]string{callSwap: "swaps", callSet: "sets", callMark: "marks"}[c.kind], c.change.Priority, c.change.Wanted, m.Epoch, m.Version)
	case callLoad:
		return "loads the journal"
	case callLook:
		return "looks"
	case callRead:
		return "reads the rule before it writes"
	case noCall:
	}
	return "waits for nothing"
}
