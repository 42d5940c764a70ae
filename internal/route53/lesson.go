package route53

import (
	"github.com/clusterswitch/clusterswitch/internal/awsapi"
)

// lesson is what a rollback makes of a batch's answer.
type lesson int

const (
	landed  lesson = iota // AWS took it
	repeat                // the base still stands: send it again
	reread                // read again before sending anything
	over                  // there is no point in going on with this part
	tooLate               // the time is over
)

// learn takes the lesson from a batch's answer. Nothing stops a rollback that
// can be mended or waited for.
func (w *wayBack) learn(p *part, f *flight) lesson {
	switch {
	case f == nil:
		if w.last == (awsapi.Failure{}) {
			w.last = awsapi.Failure{Class: awsapi.Throttled, Message: "it waited for other rollbacks of the zone until the time was over"}
		}
		return tooLate
	case f.ok:
		w.swap.landed(p, f.at)
		return landed
	}
	w.last, w.since = f.failure, f.since
	delete(w.refused, p.key())
	delete(w.divided, p.key())
	shared := len(f.parts) > 1
	switch f.failure.Class {
	case awsapi.Conflict:
		if shared && f.others(p) {
			p.group = f.cleared()
			return repeat
		}
		w.refused[p.key()] = token(p.spots())
		if shared {
			w.divided[p.key()] = f.half(p)
		}
		return reread
	case awsapi.Unreachable:
		w.unsure = true
		return reread
	case awsapi.Throttled:
		return repeat // nothing was done; the base still stands
	case awsapi.Denied, awsapi.Invalid, awsapi.Other:
		return w.refusedRight(p, f)
	case awsapi.NotFound:
	}
	w.end(p, w.refusal(f.failure))
	return over
}

// end notes that there is no point in going on with a part.
func (w *wayBack) end(p *part, why string) {
	for _, each := range p.wanted {
		w.final[each.name] = why
	}
}

// refusedRight goes on without the marks, which a policy may forbid. If it isn't
// the marks, it may be another change in the batch: then the batch is divided,
// and the marks get another chance.
func (w *wayBack) refusedRight(p *part, f *flight) lesson {
	shared := len(f.parts) > 1
	switch {
	case w.marked(p) && (!shared || f.allMarked):
		for _, each := range p.wanted {
			if w.marks(each.name) {
				w.bare[each.name] = f.failure.String()
			}
		}
	case shared:
		for _, each := range p.wanted {
			if _, err := each.readMark(); err == nil {
				delete(w.bare, each.name)
			}
		}
		p.group = f.half(p)
	default:
		w.end(p, w.refusal(f.failure))
		return over
	}
	if err := w.replan(p); err != nil {
		w.end(p, err.Error())
		return over
	}
	return repeat
}

// escalate decides how a part goes on that AWS refused before. Where nothing of
// it changed: divided from others, then without the mark, then not at all.
func (w *wayBack) escalate(p *part) bool {
	key := p.key()
	switch refused := w.refused[key]; {
	case refused == "":
		return true
	case refused != token(p.spots()):
		w.conflicts++
		return true
	case w.divided[key] != "":
		p.group = w.divided[key]
		delete(w.divided, key)
	case w.marked(p):
		for _, each := range p.wanted {
			if w.marks(each.name) {
				w.bare[each.name] = "Route 53 refused the swap with it: " + w.last.String()
			}
		}
		if err := w.replan(p); err != nil {
			w.end(p, err.Error())
			return false
		}
	default:
		w.end(p, "Route 53 refuses the swap though nothing changed: "+w.last.String())
		return false
	}
	return true
}
