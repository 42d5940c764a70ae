package sim

import (
	"iter"
	"time"
)

// event is something that happens at a time: a function is called, or a
// coroutine goes on.
type event struct {
	at     time.Duration
	seq    uint64
	do     func()
	p      *proc
	ticket uint64
}

func (a event) before(b event) bool { return a.at < b.at || a.at == b.at && a.seq < b.seq }

// agenda is a heap of events.
type agenda struct {
	events []event
	seq    uint64
}

func (a *agenda) push(e event) {
	a.seq++
	e.seq = a.seq
	a.events = append(a.events, e)
	for i := len(a.events) - 1; i > 0; {
		up := (i - 1) / 2
		if !a.events[i].before(a.events[up]) {
			break
		}
		a.events[i], a.events[up] = a.events[up], a.events[i]
		i = up
	}
}

func (a *agenda) pop() event {
	top, n := a.events[0], len(a.events)-1
	a.events[0] = a.events[n]
	a.events[n] = event{}
	a.events = a.events[:n]
	for i := 0; ; {
		least := i
		for _, down := range [2]int{2*i + 1, 2*i + 2} {
			if down < n && a.events[down].before(a.events[least]) {
				least = down
			}
		}
		if least == i {
			return top
		}
		a.events[i], a.events[least] = a.events[least], a.events[i]
		i = least
	}
}

// proc is a coroutine of a replica: its loop, or one of the writes that it makes
// side by side.
type proc struct {
	w      *world
	r      *replica
	next   func() (struct{}, bool)
	stop   func()
	yield  func(struct{}) bool
	ticket uint64 // of what it waits for
	done   bool
	parent *proc
	open   int // children that are not done
}

// killed unwinds a coroutine whose process died.
type killed struct{}

// spawn makes a coroutine that begins at once, after whatever is under way.
func (w *world) spawn(r *replica, parent *proc, body func(p *proc)) *proc {
	p := &proc{w: w, r: r, parent: parent}
	p.next, p.stop = iter.Pull(func(yield func(struct{}) bool) {
		defer func() {
			p.done = true
			if x := recover(); x != nil {
				if _, dead := x.(killed); !dead {
					panic(x)
				}
			}
		}()
		p.yield = yield
		body(p)
	})
	r.procs = append(r.procs, p)
	w.agenda.push(event{at: w.now, p: p, ticket: p.ticket})
	return p
}

// resume lets the coroutine run until it waits again.
func (p *proc) resume() {
	p.ticket++
	p.next()
	if p.done && p.parent != nil && !p.r.dying {
		if p.parent.open--; p.parent.open == 0 {
			p.parent.wake()
		}
	}
}

// wake ends whatever the coroutine waits for, after what is under way.
func (p *proc) wake() { p.w.agenda.push(event{at: p.w.now, p: p, ticket: p.ticket}) }

// until waits for a time; wake ends it sooner.
func (p *proc) until(at time.Duration) {
	p.w.agenda.push(event{at: max(at, p.w.now), p: p, ticket: p.ticket})
	p.wait()
}

func (p *proc) wait() {
	if !p.yield(struct{}{}) {
		panic(killed{})
	}
}

// each runs functions side by side and waits for all.
func (p *proc) each(n int, body func(q *proc, i int)) {
	if n == 1 {
		body(p, 0)
		return
	}
	p.open = n
	for i := range n {
		p.w.spawn(p.r, p, func(q *proc) { body(q, i) })
	}
	for p.open > 0 {
		p.wait()
	}
}

// at lets something happen at a time.
func (w *world) at(t time.Duration, do func()) { w.agenda.push(event{at: max(t, w.now), do: do}) }

func (w *world) in(d time.Duration, do func()) { w.at(w.now+d, do) }

// mostEvents is many times what a world takes.
const mostEvents = 500_000

// run lets everything happen up to a time.
func (w *world) run(until time.Duration, enough func() bool) {
	for w.result.Events <= mostEvents && len(w.agenda.events) > 0 && w.agenda.events[0].at <= until {
		e := w.agenda.pop()
		w.now = e.at
		switch {
		case e.do != nil:
			w.result.Events++
			e.do()
		case e.p.ticket == e.ticket && !e.p.done:
			w.result.Events++
			e.p.resume()
			if e.p.r.dying {
				e.p.r.bury()
			}
		}
		if w.result.Events > mostEvents {
			w.violate("S14", "there is no end of turns and calls")
			return
		}
		if enough != nil && enough() || len(w.result.Violations) > 0 && !w.o.Trace {
			return
		}
	}
	w.now = max(w.now, until)
}
