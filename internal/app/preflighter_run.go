package app

import (
	"context"
	"fmt"
	"reflect"
	"runtime/debug"
	"time"

	"go.uber.org/zap"

	"github.com/clusterswitch/clusterswitch/config"
	"github.com/clusterswitch/clusterswitch/internal/logkey"
	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/internal/preflight/finding"
	"github.com/clusterswitch/clusterswitch/internal/preflight/gather"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// due gives the look that is wanted next, and when. wanted is false while none
// is.
func (p *preflighter) due() (w wish, at time.Time, wanted bool) {
	j, every := p.shift, p.config.Preflight.Every
	if !j.wants() || p.config.Preflight.Mode == "off" {
		return wish{}, time.Time{}, false
	}
	w = wish{scope: facts.Brief, attempt: j.attempt, begun: j.phase != shift.InPreflight, standby: j.phase == shift.OnStandby}
	settled := p.full.is() && !p.full.report.At.Before(j.started) && reflect.DeepEqual(p.full.basis, basisOf(p.config))
	// What a brief look doesn't see again can only be mended by a full one. In
	// standby nothing waits for that.
	beyond := j.phase == shift.Shifting && settled && p.current(time.Now()).BlocksBeyond(p.brief.report)
	if !settled || j.phase == shift.InPreflight || beyond {
		w.scope = facts.Full
	}
	news := !settled || p.began.Before(j.reached) || p.triedAs.standby != w.standby
	switch {
	case p.began.IsZero():
		return w, time.Time{}, true
	case p.err == "" && news:
		return w, p.began.Add(min(every, apart(w.scope))), true
	}
	return w, p.began.Add(every), true
}

// apart is the least time between the beginnings of two looks of one attempt. A
// brief one costs little, and the next step waits for it.
func apart(scope facts.Scope) time.Duration {
	if scope == facts.Brief {
		return time.Second
	}
	return 10 * time.Second
}

func (p *preflighter) run(ctx context.Context) error {
	for {
		timer := time.NewTimer(p.step(ctx))
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-p.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// idle is how long run waits when nothing is due: it is woken when that changes.
const idle = time.Hour

// step does what is due, and gives the time until the next step.
func (p *preflighter) step(ctx context.Context) time.Duration {
	if ctx.Err() != nil {
		return idle
	}
	p.mu.Lock()
	w, at, wanted := p.due()
	p.mu.Unlock()
	look := wanted && !at.After(time.Now())
	if look {
		p.examine(ctx, w)
	}
	p.keep(ctx)
	if look && ctx.Err() == nil {
		p.finished()
	}
	return p.untilNext(time.Now())
}

// untilNext is the time until the next look, the end of a waiver or the next try
// to keep a report.
func (p *preflighter) untilNext(now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	wait := idle
	if _, at, wanted := p.due(); wanted {
		wait = min(wait, at.Sub(now))
	}
	if !p.ends.IsZero() {
		wait = min(wait, p.ends.Sub(now))
	}
	if p.fault != "" && p.shift.wants() {
		wait = min(wait, p.triedAt.Add(putAgain).Sub(now))
	}
	return max(wait, 0)
}

// examine makes one look, unless it is no longer wanted when its turn comes.
func (p *preflighter) examine(ctx context.Context, w wish) {
	select {
	case <-ctx.Done():
		return
	case p.slots <- struct{}{}:
	}
	defer func() { <-p.slots }()
	p.mu.Lock()
	still, _, wanted := p.due()
	if !wanted || still != w {
		p.mu.Unlock()
		p.awake()
		return
	}
	c := p.config
	looking, stop := context.WithCancel(ctx)
	defer stop()
	p.running = &running{wish: w, stop: stop}
	p.triedAs, p.began = w, time.Now()
	p.mu.Unlock()
	bounded, done := context.WithTimeout(looking, lookWithin(c.Preflight))
	defer done()
	report, err := p.safely(bounded, c, w)
	p.mu.Lock()
	p.running = nil
	if looking.Err() != nil { // half a look would call unreadable what nobody read
		p.began = time.Time{}
		p.mu.Unlock()
		return
	}
	p.take(c, w, report, err)
	p.mu.Unlock()
}

// safely makes one look. A panic in it becomes an error, against the habit of
// letting a daemon with a fault end: reading two clusters full of strangers'
// objects is the part most likely to meet what nobody thought of, nothing of it
// outlives the look, and the process that would die has to be there for the
// rollback of every pair.
func (p *preflighter) safely(ctx context.Context, c config.Pair, w wish) (r finding.Report, err error) {
	defer func() {
		fault := recover()
		if fault == nil {
			return
		}
		stack := debug.Stack()
		if crash, is := fault.(*gather.Crash); is {
			fault, stack = crash.Value, crash.Stack
		}
		err = fmt.Errorf("a fault in the preflight itself: %v; please report it with the daemon's log", fault)
		p.log.Error("preflight panicked, nothing rises until one succeeds", logkey.Attempt(w.attempt), zap.Error(err), logkey.Stack(stack))
	}()
	return p.look(ctx, c, w), nil
}

// take takes over what became of a look.
func (p *preflighter) take(c config.Pair, w wish, report finding.Report, err error) {
	if err != nil {
		p.err = err.Error()
		return
	}
	p.err = ""
	if w.scope == facts.Full {
		p.full, p.brief = examined{report, basisOf(c)}, examined{}
	} else {
		p.brief = examined{report, basisOf(c)}
	}
	before := p.judged
	p.judge(time.Now())
	p.meter.Preflight(c.Name, report.At, report.Took)
	if before.Same(p.judged) {
		return
	}
	say := p.log.Info
	if !p.judged.Clear() {
		say = p.log.Warn
	}
	say("preflight says something new", logkey.Attempt(w.attempt), logkey.Duration(report.Took), logkey.Explanation(p.judged.Summary()))
}

// keep keeps the report that counts, where that says something new.
func (p *preflighter) keep(ctx context.Context) {
	now := time.Now()
	p.mu.Lock()
	report, phase, wants, failing := p.current(now), p.shift.phase, p.shift.wants(), p.fault != ""
	p.mu.Unlock()
	switch {
	case report.At.IsZero() || !wants:
		return
	case report.Same(p.kept) && !failing:
		return
	case failing && now.Sub(p.triedAt) < putAgain:
		return
	}
	p.triedAt = now
	ctx, done := p.standing.While(ctx)
	defer done()
	if ctx.Err() != nil {
		return // the daemon stops, or lost its lease
	}
	// A start's report that could not be kept in time is still the start's.
	p.owed = p.owed || phase == shift.InPreflight
	bounded, cancel := context.WithTimeout(ctx, putWithin)
	defer cancel()
	digest, err := p.shelf.Put(bounded, report, p.owed)
	if ctx.Err() != nil {
		return // the daemon stops, or lost its lease
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch current := report.Attempt == p.shift.attempt; {
	case err != nil && !current:
		return // the next attempt began, and there is nothing of this one to keep any more
	case err != nil:
		if p.fault != err.Error() {
			p.log.Warn("the preflight's report is not kept, the shift goes on without", logkey.Attempt(report.Attempt), zap.Error(err))
		}
		p.fault = err.Error()
		return
	case current:
		p.digest = digest
	}
	p.kept, p.owed, p.fault = report, false, ""
}
