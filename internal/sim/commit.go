package sim

import (
	"context"
	"time"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// The replicas' committer follows the contract of internal/route53 and
// internal/elb, which internal/awscontract holds the real ones to.

// sight is an entrance as a replica read or wrote it last.
type sight struct {
	known bool
	c     content
}

// class is how a call to AWS ended.
type class int

const (
	fine class = iota
	unreachable
	throttled
	denied
	clash
	missing
	outdated // a load balancer's answer of before the newest change
)

func (c class) String() string {
	return [...]string{"fine", "no answer", "throttled", "access denied: the token has expired", "it changed", "it isn't there", "AWS still answers what stood there before"}[c]
}

// call is what a request to AWS is for.
type call int

const (
	reading call = iota
	writing
	detained // a write that is on its way for long
)

// callAWS is one request; do happens there, if it gets there.
func (r *replica) callAWS(p *proc, end time.Duration, what call, do func() answer) class {
	w := r.w
	r.boundary(p, false)
	if w.now >= end {
		return unreachable
	}
	t := r.befalls(toAWS, what != reading)
	if t.kind < 0 && what == detained {
		w.count(Late)
		t = trouble{Late, time.Duration(w.rng.Int64N(int64(time.Minute)))}
	}
	takes := 20*time.Millisecond + t.delay
	got := answer(-1)
	switch t.kind {
	case LostRequest:
		p.until(end)
		return unreachable
	case Throttled, PriorRequest, Expired:
		p.until(w.now + takes)
		r.boundary(p, true)
		return map[Kind]class{Throttled: throttled, PriorRequest: throttled, Expired: denied}[t.kind]
	case ServerError: // whether it was done, nobody knows
		if w.rng.IntN(2) == 0 {
			w.at(w.now+takes, func() { do() })
		}
		p.until(w.now + takes)
		r.boundary(p, true)
		return unreachable
	}
	w.at(w.now+takes, func() { got = do() })
	if t.kind == LostReply {
		p.until(end)
		return unreachable
	}
	p.until(min(w.now+takes+10*time.Millisecond, end))
	r.boundary(p, true)
	switch got {
	case applied:
		return fine
	case conflict:
		return clash
	case notFound:
		return missing
	}
	return unreachable
}

// send sends a write; part says what of the wanted content it sets.
func (r *replica) send(p *proc, end time.Duration, x write) class {
	g := x.g
	g.sent++
	r.wrote[r.w.aws.index(g.e.Name)] = r.life
	x.r, x.life, x.number, x.sentAt = r, r.life, g.sent, r.w.now
	if x.change.Priority == shift.Rise {
		x.evidence = new(r.rec)
	}
	what := writing
	if r.w.worstMoment(r, x.change.Priority) {
		what = detained
	}
	return r.callAWS(p, end, what, x.arrive)
}

// read reads one entrance as it stands at AWS.
func (r *replica) read(p *proc, end time.Duration, g *group) (c content, how class) {
	how = r.callAWS(p, end, reading, func() answer {
		if g.gone {
			return notFound
		}
		c = g.now
		return applied
	})
	if how == fine {
		i := r.w.aws.index(g.e.Name)
		r.seen[i], r.readAt[i] = sight{true, c}, r.w.now
	}
	return c, how
}

const commitBudget = 9 * time.Second

// Commit is a port of the loop: all changes go side by side.
func (r *replica) Commit(ctx context.Context, changes []shift.Change) []shift.Result {
	w := r.w
	end := w.now + r.lasts(commitBudget)
	if sooner, ok := deadline(ctx); ok {
		end = min(end, sooner)
	}
	w.judge.sent(r, changes, end)
	results := make([]shift.Result, len(changes))
	r.loop.each(len(changes), func(p *proc, i int) {
		c := changes[i]
		x := swap{r: r, p: p, end: end, c: c, g: w.aws.groups[w.aws.index(c.Entrance.Name)]}
		x.seen = &r.seen[w.aws.index(c.Entrance.Name)]
		switch {
		case c.Priority == shift.Rollback:
			results[i] = x.rollBack()
		case x.g.dns:
			results[i] = x.swapExpected()
		default:
			results[i] = x.writeExpected()
		}
		results[i].Entrance = c.Entrance.Name
		if results[i].Outcome == shift.Applied {
			results[i].At = r.clock()
		}
	})
	r.prune()
	return results
}

// prune forgets the coroutines that are done.
func (r *replica) prune() {
	kept := r.procs[:0]
	for _, p := range r.procs {
		if !p.done {
			kept = append(kept, p)
		}
	}
	clear(r.procs[len(kept):])
	r.procs = kept
}

// swap is one change on its way.
type swap struct {
	r    *replica
	p    *proc
	end  time.Duration
	c    shift.Change
	g    *group
	seen *sight
}

func answered(o shift.Outcome, note string) shift.Result { return shift.Result{Outcome: o, Note: note} }

func (x *swap) wanted() content {
	return content{w: x.c.Wanted.Weights(), mark: x.c.Control, marked: true}
}

// swapExpected writes once at Route 53, onto exactly what was expected.
func (x *swap) swapExpected() shift.Result {
	if !x.seen.known {
		if _, how := x.r.read(x.p, x.end, x.g); how != fine {
			return answered(shift.Refused, "nothing was written: "+how.String())
		}
	}
	base := x.seen.c
	switch {
	case x.c.Expected.Token == "" || base.token() != x.c.Expected.Token:
		return answered(shift.Conflict, "it changed since it was read")
	case base.marked && base.mark.Epoch > x.c.Control.Epoch:
		return answered(shift.Conflict, "it was written by a daemon that took charge later")
	case x.c.Priority == shift.Lowering && base.w.AtMost(x.c.Wanted):
		return answered(shift.Applied, "nothing to write")
	}
	how := x.r.send(x.p, x.end, write{g: x.g, change: x.c, expected: base, wanted: x.wanted()})
	switch how {
	case fine:
		*x.seen = sight{true, x.wanted()}
		return answered(shift.Applied, "")
	case clash, unreachable:
		return x.resolve(base, how)
	}
	return answered(shift.Refused, "nothing was written: "+how.String())
}

// resolve looks what became of a swap.
func (x *swap) resolve(base content, how class) shift.Result {
	x.seen.known = false
	c, read := x.r.read(x.p, x.end, x.g)
	switch {
	case read != fine:
		return answered(shift.Unknown, how.String()+"; reading it back: "+read.String())
	case c == x.wanted():
		return answered(shift.Applied, "the answer was lost; it reads back as written")
	case c != base && (how == clash || c.mark == base.mark):
		return answered(shift.Conflict, "it changed since it was read")
	case c != base:
		return answered(shift.Unknown, "it was changed since, perhaps after it was written")
	case how == unreachable:
		return answered(shift.Unknown, "it reads back unchanged so far")
	}
	return answered(shift.Refused, "nothing was written")
}

// writeExpected writes the weights of a load balancer once, onto what it was
// expected to be when it was read last; then the mark.
func (x *swap) writeExpected() shift.Result {
	base, how := x.r.read(x.p, x.end, x.g)
	switch {
	case how != fine:
		return answered(shift.Refused, "nothing was written: "+how.String())
	case x.c.Expected.Token == "" || base.token() != x.c.Expected.Token:
		return answered(shift.Conflict, "it changed since it was read")
	case base.marked && base.mark.Epoch > x.c.Control.Epoch:
		return answered(shift.Conflict, "it was written by a daemon that took charge later")
	case x.c.Priority == shift.Rise && x.g.greenTargets == 0:
		return answered(shift.Conflict, "green has no healthy target")
	case x.c.Priority == shift.Lowering && base.w.AtMost(x.c.Wanted):
		return answered(shift.Applied, "nothing to write")
	}
	how = x.r.send(x.p, x.end, write{g: x.g, change: x.c, wanted: x.wanted(), part: weightsOnly})
	if how != fine && how != unreachable {
		return answered(shift.Refused, "nothing was written: "+how.String())
	}
	if how == unreachable {
		back, read := x.r.read(x.p, x.end, x.g)
		if read != fine || back.w != x.c.Wanted.Weights() {
			return answered(shift.Unknown, how.String())
		}
	}
	x.r.send(x.p, x.end, write{g: x.g, change: x.c, wanted: x.wanted(), part: markOnly})
	switch back, read := x.r.read(x.p, x.end, x.g); {
	case read == fine && back.w != x.c.Wanted.Weights():
		return answered(shift.Unknown, "AWS took the write, but somebody changed it since")
	}
	return answered(shift.Applied, "")
}

// rollBack reads and writes until green has no more than wanted.
func (x *swap) rollBack() shift.Result {
	unsure, tries := false, 0
	last := unreachable
	based := x.seen.known && !x.seen.c.w.AtMost(x.c.Wanted)
	for ; x.r.w.now < x.end && tries < 40; tries++ {
		if !based {
			c, how := x.r.read(x.p, x.end, x.g)
			switch {
			case how == missing || how == denied:
				return x.gaveUp(unsure, shift.Refused, how)
			case how != fine:
				last = how
				x.pause(tries)
				continue
			case c.w.AtMost(x.c.Wanted) && (!x.c.Fence || c.marked && c.mark == x.c.Control):
				return answered(shift.Applied, "nothing to write")
			}
		}
		base, wanted := x.seen.c, x.wanted()
		if base.w.AtMost(x.c.Wanted) {
			wanted.w = base.w // a fence
		}
		part := weightsOnly
		if x.g.dns {
			part = whole
		}
		last = x.r.send(x.p, x.end, write{g: x.g, change: x.c, expected: base, wanted: wanted, part: part})
		switch last {
		case fine:
			*x.seen = sight{true, wanted}
			if !x.g.dns {
				x.seen.c.mark, x.seen.c.marked = base.mark, base.marked
				return x.afterwards()
			}
			return answered(shift.Applied, "")
		case denied, missing:
			return x.gaveUp(unsure, shift.Refused, last)
		case unreachable:
			unsure = true
			based, x.seen.known = false, false
		case clash:
			based = false
		default:
			based = true
		}
		x.pause(tries)
	}
	return x.gaveUp(unsure || last == unreachable, shift.Refused, last)
}

func (x *swap) gaveUp(unsure bool, o shift.Outcome, last class) shift.Result {
	if unsure {
		o = shift.Unknown
	}
	return answered(o, "gave up for now: "+last.String())
}

func (x *swap) pause(tries int) {
	x.p.until(min(x.end, x.r.w.now+min(100*time.Millisecond<<min(tries, 5), 2*time.Second)))
}

// afterwards writes the mark of a rollback at a load balancer, and looks back.
func (x *swap) afterwards() shift.Result {
	if x.r.send(x.p, x.end, write{g: x.g, change: x.c, wanted: x.wanted(), part: markOnly}) == fine {
		x.seen.c.mark, x.seen.c.marked = x.c.Control, true
	}
	if back, how := x.r.read(x.p, x.end, x.g); how == fine && !back.w.AtMost(x.c.Wanted) {
		return answered(shift.Unknown, "it doesn't stay as it was written")
	}
	return answered(shift.Applied, "")
}
