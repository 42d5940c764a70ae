package sim

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/clusterswitch/clusterswitch/switcher"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// replica is one process of the daemon: what survives its death is its clock and
// its place in the network only.
type replica struct {
	w    *world
	id   int
	name string
	// Its clock shows offset + true time * rate/256.
	offset              time.Duration
	rate                int64
	monoBase, monoSince time.Duration
	// older: it runs the binary before, which writes the schema before.
	older bool

	cutOut, cutIn [toMetrics + 1]time.Duration // until when what it sends, or is sent, gets lost
	pausedUntil   time.Duration

	life           int
	alive          bool
	dying          bool
	sw             *switcher.Switcher
	loop           *proc
	elector        *elector // nil: the replica has no lease
	spoken         spoken
	procs          []*proc
	resting, woken bool
	superseded     bool // as its last turn told

	held       held             // the custom resource as its journal saw it last
	cache      spec             // what its watch told last
	config     config           // as it read it last
	seen       [2]sight         // the entrances as it read or wrote them last
	wrote      [2]int           // the life that last wrote each
	readAt     [2]time.Duration // when this life last read each
	rec        record           // what its last look was made of
	sore       soreness         // how long it was told that users suffer
	turnAt     time.Duration
	garbled    bool          // the last load gave an unreadable journal
	probesFrom time.Duration // its probes run since then
}

func newReplica(w *world, i int) *replica {
	r := &replica{w: w, id: i, name: fmt.Sprintf("r%d", i+1), rate: 256}
	if w.o.Calm {
		return r
	}
	switch w.rng.IntN(8) { // most clocks are good
	case 0:
		w.count(ClockOff)
		r.offset = time.Duration(w.rng.Int64N(int64(20*time.Minute))) - 10*time.Minute
	case 1:
		r.offset = time.Duration(w.rng.Int64N(int64(2*time.Second))) - time.Second
	}
	if i == 0 && w.rng.IntN(8) == 0 { // until the faults end it is the one before
		w.count(OlderBinary)
		r.older = true
	}
	if w.rng.IntN(10) == 0 {
		w.count(ClockRate)
		r.rate = 128 + w.rng.Int64N(385)
	}
	return r
}

// clock is what the replica takes for the time.
func (r *replica) clock() time.Time { return r.clockAt(r.w.now) }

func (r *replica) clockAt(at time.Duration) time.Time {
	return began().Add(r.offset + at/256*time.Duration(r.rate))
}

// mono is the replica's monotonic clock: nobody sets it, but its rate is the same.
func (r *replica) mono() time.Duration {
	return r.monoBase + (r.w.now-r.monoSince)/256*time.Duration(r.rate)
}

// lasts is how much true time passes while the replica's clock counts so much.
func (r *replica) lasts(own time.Duration) time.Duration { return own * 256 / time.Duration(r.rate) }

// truly is the true time at which the replica's clock shows, or showed, a time.
func (r *replica) truly(own time.Time) time.Duration {
	return r.lasts(own.Sub(began()) - r.offset)
}

func (r *replica) say(format string, args ...any) {
	if r.w.o.Trace {
		r.w.say(r.name, format, args...)
	}
}

// start begins a life: nothing is in memory.
func (r *replica) start() {
	if r.alive {
		return
	}
	w := r.w
	r.alive, r.dying, r.life = true, false, r.life+1
	r.held, r.seen, r.readAt, r.rec = held{}, [2]sight{}, [2]time.Duration{}, record{}
	r.sore = soreness{}
	r.resting, r.woken, r.garbled, r.pausedUntil, r.probesFrom = false, false, false, 0, w.now
	r.config, r.cache = w.people.config, spec{}
	r.say("starts (life %d, its clock shows %s)", r.life, r.clock().Format(time.TimeOnly))
	o := switcher.Options{
		Plan: r.config.plan, Observer: r, Journal: r, Committer: r, Reporter: r, Logger: w.quiet, Within: r.within,
	}
	if w.leased {
		r.elector = &elector{r: r, life: r.life}
		o.Lease = r.elector
		r.elector.try()
	}
	r.sw = switcher.New(o)
	r.watch()
	r.loop = w.spawn(r, nil, r.live)
}

// live is what switcher.Run does, by the simulated clock.
func (r *replica) live(p *proc) {
	for {
		r.turnAt = r.w.now
		now := r.clock()
		wakeAt := r.sw.Step(context.Background(), now) //nolint:forbidigo // a process of the simulation begins here, as main does
		r.w.result.Turns++
		if r.woken {
			r.woken = false
			continue
		}
		r.resting = true
		p.until(max(r.turnAt+r.lasts(wakeAt.Sub(now)), r.w.now+time.Millisecond))
		r.resting, r.woken = false, false
		r.stand(p)
	}
}

// wake tells the loop of news, as the watch of a custom resource does.
func (r *replica) wake() {
	if !r.alive || r.sw == nil {
		return
	}
	r.sw.Wake()
	r.woken = true
	if r.resting || r.rec.looking {
		r.loop.wake()
	}
}

// die ends the process from within.
func (r *replica) die(k Kind) {
	r.w.count(k)
	r.say("dies (%s)", k)
	r.dying = true
	panic(killed{})
}

// bury ends what is left of a process that died; it is started again.
func (r *replica) bury() {
	r.kill()
	again := time.Duration(0)
	if !r.w.o.Calm {
		again = time.Duration(r.w.rng.Int64N(int64(40 * time.Second)))
	}
	r.w.in(again, r.start)
}

func (r *replica) kill() {
	r.alive, r.dying = false, true
	for _, p := range r.procs {
		p.stop()
		p.done = true
	}
	r.procs = nil
	r.dying = false
}

func (r *replica) heal() {
	r.monoBase, r.monoSince = r.mono(), r.w.now
	r.offset, r.rate = 0, 256
	r.cutOut, r.cutIn = [toMetrics + 1]time.Duration{}, [toMetrics + 1]time.Duration{}
	r.pausedUntil = min(r.pausedUntil, r.w.now)
	if r.older && r.alive { // the new version is rolled out everywhere
		r.kill()
	}
	r.older = false
	if !r.alive {
		r.start()
		return
	}
	r.watch()
	if r.resting {
		r.loop.wake()
	}
}

// bounded is a context with a deadline in true time.
type bounded struct {
	context.Context
	r   *replica
	end time.Duration
}

func (b bounded) Deadline() (time.Time, bool) { return began().Add(b.end), true }

func (b bounded) Err() error {
	if err := b.Context.Err(); err != nil {
		return err
	}
	if b.r.w.now >= b.end {
		return context.DeadlineExceeded
	}
	return nil
}

// within bounds by the replica's own clock.
func (r *replica) within(ctx context.Context, bound time.Duration) (context.Context, context.CancelFunc) {
	end := r.w.now + r.lasts(bound)
	if sooner, ok := deadline(ctx); ok {
		end = min(end, sooner)
	}
	return bounded{Context: ctx, r: r, end: end}, func() {}
}

// deadline gives the true time at which a context of within ends.
func deadline(ctx context.Context) (time.Duration, bool) {
	at, ok := ctx.Deadline()
	return at.Sub(began()), ok
}

// Request is a port of the loop.
func (r *replica) Request(shift.State, bool) shift.Request { return r.config.join(r.cache) }

// spoken is what a replica said last in the trace: the same again is left out.
type spoken struct {
	phase   shift.Phase
	version int64
	reason  shift.Reason
	failed  bool
}

// Report is a port of the loop.
func (r *replica) Report(t switcher.Turn) {
	r.w.judge.turn(r, t)
	if r.w.o.Trace {
		d := t.Decision
		var said strings.Builder
		now := spoken{d.Next.Phase, d.Next.Version, d.Reason, t.JournalErr != nil}
		if now == r.spoken && len(t.Results) == 0 {
			return
		}
		r.spoken = now
		for _, each := range t.Results {
			said.WriteString(fmt.Sprintf(" [%s %s %s]", each.Entrance, each.Outcome, each.Note))
		}
		if t.JournalErr != nil {
			said.WriteString(" (journal: " + t.JournalErr.Error() + ")")
		}
		r.say("%s %d/%d.%d at %d %%: %s: %s%s", d.Next.Phase, d.Next.Attempt, d.Next.Epoch, d.Next.Version, d.Next.Share, d.Reason, d.Message, said.String())
	}
}
