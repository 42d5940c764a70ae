package explore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/clusterswitch/clusterswitch/switcher"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

type callKind int

// What a replica can ask the world. Each takes effect at one moment.
const (
	noCall   callKind = iota
	callLoad          // read the journal
	callSave          // write the journal
	callLook          // observe
	callSwap          // Route 53: compare and write weights and mark
	callRead          // a load balancer's rule, before a write
	callSet           // its weights, which compares nothing
	callMark          // its tag
)

func (k callKind) String() string {
	return [...]string{"nothing", "load", "save", "look", "swap", "read", "set", "mark"}[k]
}

// writes tells whether it changes AWS.
func (k callKind) writes() bool { return k == callSwap || k == callSet || k == callMark }

// call is a question that a replica waits to have answered.
type call struct {
	kind     callKind
	deadline time.Time // from which on it isn't sent any more
	measure  time.Time // look: since when users' traffic is to be measured
	state    *shift.State
	change   shift.Change
}

// blocked ends the run of a turn at a call that has no answer yet.
type blocked struct{ call call }

// turn is a turn under way, up to the call that it waits for; or a turn that is
// over, with what the loop remembers after it. The loop can't be copied in the
// middle of a turn, so it takes the turn anew for each answer. The same turn is
// never taken twice.
type turn struct {
	memory  *switcher.Memory
	began   sight
	answers []answer
	call    call
	after   *switcher.Memory // nil: it is under way
	wakeAt  time.Time
	written written
}

// opening and next name turns.
type opening struct {
	memory *switcher.Memory
	began  sight
}
type next struct {
	turn   *turn
	answer answer
}

// seat runs the turns of all replicas in all worlds, one after the other. It
// implements all ports of the loop.
type seat struct {
	loop *switcher.Switcher
	born *switcher.Memory
	kind Kind
	pool *pool

	opened map[opening]*turn
	known  map[next]*turn

	// Of the turn that is run.
	turn *turn
	at   int
	sees sight
}

func newSeat(o Options) *seat {
	s := &seat{kind: o.Kind, pool: newPool(), opened: map[opening]*turn{}, known: map[next]*turn{}}
	s.loop = switcher.New(switcher.Options{
		Plan: o.plan(), Observer: s, Journal: s, Committer: s, Reporter: s, Lease: s,
		Logger: zap.NewNop(), Within: s.within,
	})
	s.born = s.pool.memory(s.loop.Memory())
	return s
}

// open begins a turn.
func (s *seat) open(memory *switcher.Memory, began sight) *turn {
	key := opening{memory, began}
	t := s.opened[key]
	if t == nil {
		t = &turn{memory: memory, began: began}
		s.run(t)
		s.opened[key] = t
	}
	return t
}

// tell goes on with a turn after an answer.
func (s *seat) tell(t *turn, a answer) *turn {
	key := next{t, a}
	n := s.known[key]
	if n == nil {
		n = &turn{memory: t.memory, began: t.began, answers: append(slices.Clip(t.answers), a)}
		s.run(n)
		s.known[key] = n
	}
	return n
}

// run takes the turn anew, with the answers that it got so far. It ends at the
// next call, or with the memory after the turn.
func (s *seat) run(t *turn) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case blocked:
			t.call = r.call
		default:
			panic(r)
		}
		t.written = s.pool.turn(t)
	}()
	s.loop.Recall(*t.memory)
	s.turn, s.at, s.sees = t, 0, t.began
	t.wakeAt = s.loop.Step(context.Background(), t.began.at) //nolint:forbidigo // a world of its own, in which nobody cancels
	t.after = s.pool.memory(s.loop.Memory())
}

func (s *seat) ask(c call) reply {
	if s.at == len(s.turn.answers) {
		panic(blocked{c})
	}
	a := s.turn.answers[s.at]
	s.at++
	s.sees = a.sight
	if a.woken {
		s.loop.Wake()
	}
	return a.reply
}

// Term is a port of the loop.
func (s *seat) Term() (int64, time.Duration) {
	if s.sees.until.IsZero() {
		return s.sees.term, 0
	}
	return s.sees.term, s.sees.until.Sub(s.sees.at)
}

// Request is a port of the loop.
func (s *seat) Request(shift.State, bool) shift.Request {
	r := shift.Request{Serve: shift.Green, Attempt: 1}
	if s.sees.flag {
		r.RollbackBy = []string{"kubectl"}
	}
	return r
}

// Observe is a port of the loop.
func (s *seat) Observe(ctx context.Context, look switcher.Look) shift.Observation {
	r := s.ask(call{kind: callLook, deadline: deadlineOf(ctx), measure: look.MeasureFrom})
	at := s.sees.at
	web := shift.Workload{Kind: "Deployment", Namespace: "shop", Name: "web", Wanted: 4, Ready: 4}
	side := shift.ClusterReading{At: at, Nodes: 1, NodesReady: 1, Workloads: []shift.Workload{web}}
	reading := r.stands.reading(s.kind, at)
	if r.err != "" {
		reading = shift.EntranceReading{Name: entranceName, Err: r.err}
	}
	o := shift.Observation{Entrances: []shift.EntranceReading{reading}, Blue: side, Green: side}
	if !r.from.IsZero() {
		o.Traffic = []shift.TrafficReading{{Gate: "errors", At: at, FreshFor: time.Minute, From: r.from, To: at, Requests: 1000}}
	}
	return o
}

// Load is a port of the loop.
func (s *seat) Load(ctx context.Context, _ string) (shift.Found, error) {
	r := s.ask(call{kind: callLoad, deadline: deadlineOf(ctx)})
	if r.err != "" {
		return shift.Found{}, errors.New(r.err)
	}
	if r.state == nil {
		return shift.Found{}, nil
	}
	return shift.Found{Present: true, State: *r.state}, nil
}

// Save is a port of the loop.
func (s *seat) Save(ctx context.Context, _ string, state shift.State, said shift.Said) error {
	if said.Beside { // it changes nothing that the explorer tells apart
		return nil
	}
	switch r := s.ask(call{kind: callSave, deadline: deadlineOf(ctx), state: s.pool.state(state)}); {
	case r.clash:
		return fmt.Errorf("saving: %w", switcher.ErrConflict)
	case r.err != "":
		return errors.New(r.err)
	}
	return nil
}

// Commit is a port of the loop.
func (s *seat) Commit(ctx context.Context, changes []shift.Change) []shift.Result {
	results := make([]shift.Result, len(changes))
	for i, c := range changes {
		if s.kind == Balancer {
			results[i] = s.commitBalancer(ctx, c)
		} else {
			r := s.ask(call{kind: callSwap, deadline: deadlineOf(ctx), change: c})
			results[i] = shift.Result{Outcome: r.outcome, Note: r.err, At: s.sees.at}
		}
		results[i].Entrance = c.Entrance.Name
	}
	return results
}

// commitBalancer keeps the contract of the load balancers' adapter: a rise goes
// onto what was expected, a rollback onto what was read; weights go before the mark.
func (s *seat) commitBalancer(ctx context.Context, c shift.Change) shift.Result {
	known := c.Priority == shift.Rollback && c.Expected.Token != "" && !c.Expected.Weights.AtMost(c.Wanted)
	if !known {
		r := s.ask(call{kind: callRead, deadline: deadlineOf(ctx)})
		stands := r.stands.reading(s.kind, s.sees.at)
		switch {
		case r.err != "":
			return shift.Result{Outcome: shift.Refused, Note: r.err}
		case c.Priority != shift.Rise && stands.Weights.AtMost(c.Wanted):
			return shift.Result{Outcome: shift.Applied, At: s.sees.at}
		case c.Priority == shift.Rollback:
		case stands.Token != c.Expected.Token:
			return shift.Result{Outcome: shift.Conflict, Note: "it changed"}
		case stands.Mark != nil && stands.Mark.Epoch > c.Control.Epoch:
			return shift.Result{Outcome: shift.Conflict, Note: "a daemon took charge later"}
		}
	}
	set := s.ask(call{kind: callSet, deadline: deadlineOf(ctx), change: c})
	if set.outcome == shift.Applied {
		s.ask(call{kind: callMark, deadline: deadlineOf(ctx), change: c})
	}
	return shift.Result{Outcome: set.outcome, Note: set.err, At: s.sees.at}
}

// Report is a port of the loop.
func (s *seat) Report(switcher.Turn) {}

// bounded is a context that ends by the world's clock.
type bounded struct {
	context.Context
	seat *seat
	end  time.Time
}

func (s *seat) within(ctx context.Context, bound time.Duration) (context.Context, context.CancelFunc) {
	b := bounded{ctx, s, s.sees.at.Add(bound)}
	if end, ok := ctx.Deadline(); ok && end.Before(b.end) {
		b.end = end
	}
	return b, func() {}
}

func (b bounded) Deadline() (time.Time, bool) { return b.end, true }

func (b bounded) Err() error {
	if err := b.Context.Err(); err != nil || b.seat.sees.at.Before(b.end) {
		return err
	}
	return context.DeadlineExceeded
}

func deadlineOf(ctx context.Context) time.Time {
	end, _ := ctx.Deadline()
	return end
}
