package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/clusterswitch/clusterswitch/internal/logkey"
	"github.com/clusterswitch/clusterswitch/internal/preflight/finding"
	"github.com/clusterswitch/clusterswitch/internal/record"
	"github.com/clusterswitch/clusterswitch/internal/record/archive"
	"github.com/clusterswitch/clusterswitch/switcher"
)

// records keeps the records of attempts.
type records interface {
	// Find finds the place of an attempt, and what is recorded of it already; nil:
	// nothing is.
	Find(ctx context.Context, pair string, attempt int, started time.Time) (*archive.Volume, *record.Record, error)
	// Put wraps archive.ErrConflict where another daemon wrote since.
	Put(ctx context.Context, v *archive.Volume, r record.Record) error
}

const (
	// recordApart is the least time between two writes of a pair's record, and
	// recordPulse the longest while an attempt is under way: what is known to be
	// recorded ends there when the daemon is killed.
	recordApart = 2 * time.Second
	recordPulse = time.Minute
	// recordAtEnd bounds the last write of a daemon that stops.
	recordAtEnd = 2 * time.Second
	// maxUnkept bounds the former attempts whose records could not be kept yet.
	maxUnkept = 3
)

// recorder keeps the record of each attempt of a pair. It is a switcher.Reporter that
// never blocks; run does the work. No decision looks at what it does.
type recorder struct {
	pair     string
	options  record.Options
	shelf    records
	standing standing
	log      *zap.Logger
	// asked says who asks for an attempt, report gives the preflight's newest.
	asked  func(attempt int) []string
	report func() finding.Report
	calls  callCount
	wake   chan struct{}

	mu     sync.Mutex // guards all below, and what the volumes record
	digest string     // of the configuration
	// open are the attempts whose records aren't kept whole, the present one last.
	open  []*volume
	fault string // why the last try to keep one failed; empty: it didn't
}

// volume is the record of one attempt.
type volume struct {
	*record.Recorder
	attempt int
	started time.Time
	// place is known once it was found, with what was recorded before.
	place *archive.Volume
	// unkept: it holds what isn't kept. closed: another attempt began.
	unkept, closed bool
}

func (a *App) newRecorder(pair string, p *pair, log *zap.Logger) *recorder {
	return &recorder{
		pair: pair, options: record.Options{Identity: identity(), Version: a.version}, shelf: a.ledger.records, standing: a.ledger.standing, log: log,
		asked: p.requests.whoAsked, report: p.preflight.newest, wake: make(chan struct{}, 1),
	}
}

// configure takes over the digest of a changed configuration.
func (r *recorder) configure(digest string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.digest = digest
}

// Report takes over a turn.
func (r *recorder) Report(t switcher.Turn) {
	next := t.Decision.Next
	if t.Superseded || t.Standby || next.Attempt == 0 {
		r.calls.take()
		r.mu.Lock()
		r.open = nil // another daemon records
		r.mu.Unlock()
		return
	}
	beside := record.Beside{AskedBy: r.asked(next.Attempt), Report: r.report(), Calls: r.calls.take()}
	r.mu.Lock()
	defer r.mu.Unlock()
	beside.Configuration = r.digest
	now := r.present()
	if now != nil && !now.Is(t) {
		now.closed = true
		now = nil
	}
	if now == nil {
		now = &volume{Recorder: record.New(r.options), attempt: next.Attempt, started: next.StartedAt}
		r.open = append(r.open, now)
		r.open = r.open[max(0, len(r.open)-1-maxUnkept):]
	}
	if now.See(t, beside) {
		now.unkept = true
		select {
		case r.wake <- struct{}{}:
		default: // it is awake already
		}
	}
}

// present is the attempt that is under way, or was last; nil: none was seen. The
// caller holds mu.
func (r *recorder) present() *volume {
	if len(r.open) == 0 {
		return nil
	}
	return r.open[len(r.open)-1]
}

func (r *recorder) run(ctx context.Context) error {
	pulse := time.NewTicker(recordPulse)
	defer pulse.Stop()
	for {
		select {
		case <-ctx.Done():
			r.last(ctx)
			return nil
		case <-r.wake:
		case <-pulse.C:
			r.beat()
		}
		r.write(ctx)
		select {
		case <-ctx.Done():
		case <-time.After(recordApart):
		}
	}
}

// last keeps what the daemon saw before it stops.
func (r *recorder) last(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordAtEnd)
	defer cancel()
	r.beat()
	r.write(ctx)
}

// beat lets the record of an attempt that is under way be kept although nothing
// happened: until when it tells is part of it.
func (r *recorder) beat() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now := r.present(); now != nil && !now.Ended() {
		now.unkept = true
	}
}

// write keeps what isn't kept.
func (r *recorder) write(ctx context.Context) {
	ctx, done := r.standing.While(ctx)
	defer done()
	r.mu.Lock()
	open := slices.Clone(r.open)
	r.mu.Unlock()
	var failed error // the first
	attempt := 0     // whose that is
	for _, v := range open {
		if ctx.Err() != nil {
			return // the daemon stops, or lost its lease
		}
		bounded, cancel := context.WithTimeout(ctx, putWithin)
		err := r.keep(bounded, v)
		cancel()
		switch {
		case errors.Is(err, archive.ErrConflict):
			r.forget(v)
		case err != nil && ctx.Err() != nil:
			return
		}
		if err != nil && failed == nil {
			failed, attempt = err, v.attempt
		}
	}
	r.say(attempt, failed)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.open = slices.DeleteFunc(r.open, func(v *volume) bool { return v.closed && !v.unkept })
}

// keep keeps one attempt's record.
func (r *recorder) keep(ctx context.Context, v *volume) error {
	if v.place == nil {
		place, old, err := r.shelf.Find(ctx, r.pair, v.attempt, v.started)
		if err != nil {
			return err
		}
		r.mu.Lock()
		v.place, v.unkept = place, v.Continue(old)
		r.mu.Unlock()
	}
	r.mu.Lock()
	unkept, snapshot := v.unkept, record.Record{}
	if unkept {
		snapshot = v.Record()
	}
	v.unkept = false
	r.mu.Unlock()
	if !unkept {
		return nil
	}
	err := r.shelf.Put(ctx, v.place, snapshot.Fit(record.MaxSize))
	if err != nil {
		r.mu.Lock()
		v.unkept = true
		r.mu.Unlock()
	}
	return err
}

// forget drops what is recorded of an attempt that another daemon wrote of. The next
// turn begins anew, reads what is kept, and says what lies between.
func (r *recorder) forget(v *volume) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.open = slices.DeleteFunc(r.open, func(o *volume) bool { return o == v })
}

// say logs once why a record isn't kept, for as long as nothing changes.
func (r *recorder) say(attempt int, err error) {
	fault := ""
	if err != nil {
		fault = err.Error()
	}
	r.mu.Lock()
	before := r.fault
	r.fault = fault
	r.mu.Unlock()
	if fault != "" && fault != before {
		r.log.Warn("record of the attempt not kept, the shift goes on without", logkey.Attempt(attempt), zap.Error(err))
	}
}

// callCount counts calls to AWS until they are taken.
type callCount struct {
	mu    sync.Mutex // guards calls
	calls map[record.Call]int
}

// Called counts one try.
func (c *callCount) Called(service, operation, outcome string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.calls == nil {
		c.calls = map[record.Call]int{}
	}
	c.calls[record.Call{Service: service, Operation: operation, Outcome: outcome}]++
}

// take gives what was counted since the last time.
func (c *callCount) take() []record.Call {
	c.mu.Lock()
	defer c.mu.Unlock()
	var taken []record.Call
	for call, n := range c.calls {
		call.Count = n
		taken = append(taken, call)
	}
	c.calls = nil
	return taken
}

// whoAsked says which sources ask for an attempt.
func (r *requests) whoAsked(attempt int) (by []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	spec, _ := r.specs.Request(r.pair.Name)
	if spec.Attempt >= attempt {
		by = append(by, fmt.Sprintf("%s (attempt: %d)", r.specs.Place(), spec.Attempt))
	}
	if r.pair.Attempt >= attempt || r.pair.Serve == "green" && attempt == 1 {
		by = append(by, fmt.Sprintf("the configuration (serve: %s, attempt: %d)", r.pair.Serve, max(1, r.pair.Attempt)))
	}
	return by
}

// newest gives the newest report, as the waivers that hold now judge it.
func (p *preflighter) newest() finding.Report {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.current(time.Now())
}
