package app

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/clusterswitch/clusterswitch/config"
	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/internal/preflight/finding"
	"github.com/clusterswitch/clusterswitch/switcher"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// preflightsAtOnce bounds the preflights that run side by side in one daemon:
// each holds a copy of what two clusters have.
const preflightsAtOnce = 2

// reports keeps a pair's reports and gives the digest of what it kept.
type reports interface {
	Put(ctx context.Context, r finding.Report, start bool) (digest string, err error)
}

// preflightMeter measures preflights.
type preflightMeter interface {
	Preflight(pair string, began time.Time, took time.Duration)
	PreflightFindings(pair, severity string, n int)
}

// preflighter answers, for one pair, whether green is complete: by a full look
// for each attempt and brief ones during the shift. It is a switcher.Reporter
// that never blocks; run does the work, and reading and notes tell of it from
// memory.
type preflighter struct {
	look  func(ctx context.Context, p config.Pair, w wish) finding.Report
	shelf reports
	meter preflightMeter
	// standing tells whether a report may be kept.
	standing standing
	log      *zap.Logger
	// slots holds a place for each preflight that may run at a time in the daemon.
	slots chan struct{}
	wake  chan struct{}
	// finished lets the loop turn at once.
	finished func()

	// For run alone.
	kept    finding.Report // the last that was kept
	owed    bool           // the start's report is still to be kept
	triedAt time.Time      // of the last try to keep one

	mu     sync.Mutex // guards all below
	config config.Pair
	shift  journey
	// running is the look that is under way; nil: none is.
	running *running
	full    examined
	brief   examined
	triedAs wish      // the last look, whatever became of it
	began   time.Time // when it began; zero: none was begun for this attempt
	err     string    // why the last look gave no answer; empty: it gave one
	judged  finding.Report
	ends    time.Time // when the next waiver ends; zero: none does
	digest  string    // of the report that is kept
	fault   string    // why it could not be kept; empty: it was
}

func (a *App) newPreflighter(log *zap.Logger) *preflighter {
	return &preflighter{
		look: newInspector(a.ways, a.aws).look, shelf: a.ledger.preflights, meter: a.metrics, standing: a.ledger.standing, log: log,
		slots: a.preflightSlots, wake: make(chan struct{}, 1),
	}
}

// journey is what of a shift decides which look is wanted.
type journey struct {
	phase   shift.Phase
	attempt int
	// started and reached are when the attempt began and when its present share
	// was reached; reached is zero on the way to one.
	started, reached time.Time
}

// running is a look that is under way.
type running struct {
	wish
	stop context.CancelFunc
}

// examined is a finished look: its raw report, and what it was based on. A zero
// report.At: there is none.
type examined struct {
	report finding.Report
	basis  basis
}

// basis is what of a configuration the facts depend on: where it changes, the
// clusters are read again. Waivers are no part of it.
type basis struct {
	settings  facts.Settings
	preflight config.Preflight
}

func basisOf(c config.Pair) basis {
	p := c.Preflight
	p.Mode, p.Every, p.Timeout, p.Waivers = "", 0, 0, nil
	return basis{settings: settingsOf(c), preflight: p}
}

func (e examined) is() bool { return !e.report.At.IsZero() }

// wants tells whether the phase asks for looks at all.
func (j journey) wants() bool {
	return j.phase == shift.InPreflight || j.phase == shift.Shifting || j.phase == shift.OnStandby
}

// Report notes where the shift stands, and ends a look that nobody wants any
// more.
func (p *preflighter) Report(t switcher.Turn) {
	next := t.Decision.Next
	j := journey{phase: next.Phase, attempt: next.Attempt, started: next.StartedAt, reached: next.ReachedAt}
	if t.Superseded || t.Standby {
		j.phase = shift.Idle // the daemon in charge looks by itself
	}
	p.mu.Lock()
	changed := j != p.shift
	if j.attempt != p.shift.attempt {
		p.forget()
	}
	p.shift = j
	p.drop()
	p.mu.Unlock()
	if changed {
		p.awake()
	}
}

// configure takes over a changed configuration. Changed waivers count at once,
// without another look.
func (p *preflighter) configure(c config.Pair) {
	p.mu.Lock()
	p.config = c
	p.judge(time.Now())
	p.drop()
	p.mu.Unlock()
	p.awake()
}

// forget drops what is known of a former attempt.
func (p *preflighter) forget() {
	p.full, p.brief, p.judged = examined{}, examined{}, finding.Report{}
	p.began, p.err, p.digest, p.fault, p.ends = time.Time{}, "", "", "", time.Time{}
}

// drop ends a look that is no longer wanted.
func (p *preflighter) drop() {
	if p.running != nil && (!p.shift.wants() || p.running.attempt != p.shift.attempt || p.config.Preflight.Mode == "off") {
		p.running.stop()
	}
}

func (p *preflighter) awake() {
	select {
	case p.wake <- struct{}{}:
	default: // it is awake already
	}
}

// judge makes the report that counts: the full look with what later brief ones
// replaced, and the waivers that hold now.
func (p *preflighter) judge(now time.Time) {
	p.ends = time.Time{}
	if !p.full.is() {
		return
	}
	merged := p.full.report
	if p.brief.is() {
		merged = merged.With(p.brief.report)
	}
	waivers := waiversOf(p.config.Preflight)
	p.judged = merged.Judged(waivers, now)
	tally := p.judged.Tally()
	for severity, n := range map[string]int{"block": tally.Block, "warn": tally.Warn, "note": tally.Note, "waived": tally.Waived} {
		p.meter.PreflightFindings(p.config.Name, severity, n)
	}
	for _, w := range waivers {
		if w.Until.After(now) && (p.ends.IsZero() || w.Until.Before(p.ends)) {
			p.ends = w.Until
		}
	}
}

// current gives the report that counts now; a waiver may have ended since it was
// judged.
func (p *preflighter) current(now time.Time) finding.Report {
	if !p.ends.IsZero() && !now.Before(p.ends) {
		p.judge(now)
	}
	return p.judged
}

// reading gives the core what is known, from memory.
func (p *preflighter) reading(now time.Time) shift.PreflightReading {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := shift.PreflightReading{FreshFor: freshFor(p.config.Preflight), Err: p.err}
	if !p.full.is() {
		return r
	}
	report := p.current(now)
	r.At, r.FullAt, r.Attempt, r.Digest = report.At, p.full.report.At, p.full.report.Attempt, p.digest
	tally := report.Tally()
	r.Blocks, r.Warns, r.Waived = tally.Block, tally.Warn, tally.Waived
	if len(report.Findings) > 0 && tally.Block+tally.Warn > 0 {
		first := report.Findings[0]
		r.First = first.Object.String() + ": " + strings.TrimSuffix(first.Message, ".")
	}
	return r
}

// freshFor is how long a look counts: until the next one must be finished.
func freshFor(c config.Preflight) time.Duration { return c.Every + lookWithin(c) }

// lookWithin bounds one look altogether: the clusters are read side by side, and
// the rest takes less.
func lookWithin(c config.Preflight) time.Duration { return c.Timeout + 2*time.Minute }

// notes says to those who read the journal how the preflight ended.
func (p *preflighter) notes() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.shift.wants() || p.config.Preflight.Mode == "off" {
		return nil
	}
	var notes []string
	if p.full.is() {
		notes = append(notes, fmt.Sprintf("preflight: %s; `clusterswitch preflight %s --stored` prints the report",
			p.current(time.Now()).Summary(), p.config.Name))
	}
	if p.fault != "" {
		notes = append(notes, "the preflight's report could not be kept: "+p.fault)
	}
	return notes
}
