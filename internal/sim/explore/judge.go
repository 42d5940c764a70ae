package explore

import (
	"fmt"
	"time"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// judge remembers what the rules are judged by. It knows what landed at AWS and
// in the journal, and nothing of what the core thinks.
type judge struct {
	back    int       // the newest attempt whose rollback is written down, in the journal or in the mark
	over    int       // the newest attempt that ended
	epoch   int64     // the newest that was written down
	changed time.Time // when the weights last changed
	proven  bool      // users' traffic was measured from after that
	// rises has the marks of the rises that landed, the newest last.
	rises [4]shift.Mark
	// owners has the process that wrote by each epoch first.
	owners [8]owner
}

type owner struct {
	epoch   int64
	replica int
	life    int
}

// way is how things stood when the writing of a turn began.
type way struct {
	began bool
	back  int
	over  int
	epoch int64
	// green is green's share then; proven: users' traffic was measured at it.
	green  int
	proven bool
}

// lost forgets what was written down in the journal only: marks tell the rest.
func (j *judge) lost() { j.epoch, j.owners = 0, [8]owner{} }

func (j *judge) measured(from time.Time) {
	if !from.Before(j.changed) {
		j.proven = true
	}
}

// onItsWay notes how things stand when a replica begins to write.
func (w *world) onItsWay(r int) {
	if p := &w.replicas[r]; !p.sent.began {
		p.sent = way{began: true, back: w.judge.back, over: w.judge.over, epoch: w.judge.epoch, green: w.entrance.weights.Green, proven: w.judge.proven}
	}
}

func (x *explorer) broken(rule, format string, args ...any) {
	x.faults = append(x.faults, Violation{Rule: rule, Text: fmt.Sprintf(format, args...)})
}

// judgeJournal judges what is written into the journal, when it is.
func (x *explorer) judgeJournal(w *world, l late) {
	j, s := &w.judge, l.call.state
	if w.journal.state != nil {
		was := w.journal.state
		switch {
		case was.Attempt == s.Attempt && was.Rollback != nil && s.Rollback == nil:
			x.broken("S5", "the journal forgets the rollback of attempt %d", s.Attempt)
		case was.Attempt == s.Attempt && was.Phase.Terminal() && s.Phase != was.Phase && s.Phase != shift.RollingBack:
			x.broken("S6", "attempt %d ended as %s and is in %s again", s.Attempt, was.Phase, s.Phase)
		case s.Epoch < was.Epoch:
			x.broken("S7", "epoch %d is written over epoch %d", s.Epoch, was.Epoch)
		}
	}
	x.owns(w, s.Epoch, l.life, l.replica)
	j.epoch = max(j.epoch, s.Epoch)
	if s.Rollback != nil {
		j.back = max(j.back, s.Attempt)
	}
	if s.Phase.Terminal() {
		j.over = max(j.over, s.Attempt)
	}
}

// owns holds that an epoch belongs to one process.
func (x *explorer) owns(w *world, epoch int64, life, r int) {
	me := owner{epoch, r, life}
	for i, o := range w.judge.owners {
		switch {
		case o == me:
			return
		case o.epoch == epoch:
			x.broken("S8", "%c%d and %c%d write by the same epoch %d", 'A'+rune(o.replica), o.life+1, 'A'+rune(r), life+1, epoch)
			return
		case o.epoch == 0:
			w.judge.owners[i] = me
			return
		}
	}
	panic("more epochs than the judge reckons with")
}

// judgeWrite judges weights as they land.
func (x *explorer) judgeWrite(w *world, l late) {
	j, c := &w.judge, l.call.change
	to := c.Wanted.Weights()
	if to.Blue+to.Green == 0 {
		x.broken("S1", "all weights are 0")
	}
	x.owns(w, c.Control.Epoch, l.life, l.replica)
	before := w.entrance.weights
	if to.Green > before.Green {
		x.judgeRise(w, l)
	}
	if to != before {
		j.changed, j.proven = w.now, false
	}
	j.epoch = max(j.epoch, c.Control.Epoch)
	j.back = max(j.back, backOf(c.Control))
}

// backOf is the attempt whose rollback a mark tells of; 0: of none.
func backOf(m shift.Mark) int {
	if m.Rollback {
		return m.Attempt
	}
	return 0
}

func (x *explorer) judgeRise(w *world, l late) {
	j, c := &w.judge, l.call.change
	at, from, proven := c.Control.Attempt, shift.Share(w.entrance.weights.Green), j.proven
	if x.o.Kind == Balancer { // what stands there may have changed while it was on its way
		from, proven = shift.Share(l.sent.green), l.sent.proven
	}
	if next := x.nextShare(from); c.Wanted != next {
		x.broken("S3", "green rises from %s to %s, the next step is %s", from, c.Wanted, next)
	}
	if from > 0 && !proven {
		x.broken("S2", "green rises to %s, and users' traffic was not measured since it rose to %s", c.Wanted, from)
	}
	for _, m := range j.rises {
		if m == c.Control {
			x.broken("S4", "the rise of epoch %d, version %d to %s takes effect a second time", m.Epoch, m.Version, c.Wanted)
		}
	}
	copy(j.rises[:], j.rises[1:])
	j.rises[len(j.rises)-1] = c.Control
	if l.heard {
		x.broken("S5", "green rises to %s by a turn that knew of the rollback before it looked", c.Wanted)
	}
	x.bound("S5", j.back >= at, l.sent.back >= at, "green rises to %s although a rollback of attempt %d is written down", c.Wanted, at)
	x.bound("S6", j.over >= at, l.sent.over >= at, "green rises to %s although attempt %d is over", c.Wanted, at)
	// Who took charge took over what was on its way, where that is what it wants too.
	s := w.journal.state
	inherited := s != nil && s.Attempt == at && s.Version == c.Control.Version && s.Rollback == nil
	x.bound("S7", j.epoch > c.Control.Epoch && !inherited, l.sent.epoch > c.Control.Epoch, "green rises to %s by epoch %d although epoch %d is written down", c.Wanted, c.Control.Epoch, j.epoch)
}

// bound judges what a load balancer can't refuse: there, a rise that was on its
// way before counts apart.
func (x *explorer) bound(rule string, now, before bool, format string, args ...any) {
	switch {
	case !now:
	case x.o.Kind == Balancer && !before:
		x.boundary = true
	default:
		x.broken(rule, format, args...)
	}
}

func (x *explorer) nextShare(from shift.Share) shift.Share {
	for _, s := range x.o.Shares {
		if s > from {
			return s
		}
	}
	return from
}

// ended tells whether the shift is over as people asked, and nothing is under way.
func (w *world) ended() bool {
	for _, r := range w.replicas {
		if r.turn != nil && r.turn.call.kind.writes() {
			return false
		}
	}
	phase := shift.Idle
	if w.journal.state != nil {
		phase = w.journal.state.Phase
	}
	switch {
	case w.late.call != nil:
		return false
	case w.flag && (phase == shift.RolledBack || phase == shift.Idle):
		return w.entrance.weights.Green == 0
	case !w.flag && phase == shift.Completed:
		return w.entrance.weights.Blue == 0
	}
	return false
}
