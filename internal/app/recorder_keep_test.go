package app

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	zapobserver "go.uber.org/zap/zaptest/observer"

	"github.com/clusterswitch/clusterswitch/internal/preflight/finding"
	"github.com/clusterswitch/clusterswitch/internal/record"
	"github.com/clusterswitch/clusterswitch/internal/record/archive"
	"github.com/clusterswitch/clusterswitch/switcher"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// drawer keeps records in memory.
type drawer struct {
	mu    sync.Mutex // guards all below
	kept  map[int]record.Record
	puts  int
	finds int
	err   error
	// hangs: what is asked ends with its context only.
	hangs bool
	// refuses is the attempt whose record it doesn't take; 0: it takes all.
	refuses int
}

func (d *drawer) Find(ctx context.Context, _ string, attempt int, _ time.Time) (*archive.Volume, *record.Record, error) {
	if err := d.answer(ctx); err != nil {
		return nil, nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.finds++
	if had, ok := d.kept[attempt]; ok {
		return &archive.Volume{}, &had, nil
	}
	return &archive.Volume{}, nil, nil
}

func (d *drawer) Put(ctx context.Context, _ *archive.Volume, r record.Record) error {
	if err := d.answer(ctx); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if r.Attempt == d.refuses {
		return errors.New("somebody else's ConfigMap has its name")
	}
	d.kept[r.Attempt] = r
	d.puts++
	return nil
}

func (d *drawer) answer(ctx context.Context) error {
	d.mu.Lock()
	hangs, err := d.hangs, d.err
	d.mu.Unlock()
	if hangs {
		<-ctx.Done()
		return ctx.Err()
	}
	return err
}

// office is where a daemon records.
type office struct {
	*testing.T
	drawer   *drawer
	lent     *lentStanding
	recorder *recorder
	logs     *zapobserver.ObservedLogs
	before   shift.State
	stop     func()
}

func inOffice(t *testing.T, story func(o *office)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		o := &office{T: t, drawer: &drawer{kept: map[int]record.Record{}}, before: shift.NewState()}
		o.starts("one")
		story(o)
		o.stop()
	})
}

// starts lets a daemon begin.
func (o *office) starts(identity string) {
	core, logs := zapobserver.New(zapcore.InfoLevel)
	o.lent, o.logs = &lentStanding{}, logs
	o.recorder = &recorder{
		pair: "shop", options: record.Options{Identity: identity, Version: "v1"}, shelf: o.drawer, standing: o.lent, log: zap.New(core),
		asked: func(int) []string { return nil }, report: func() finding.Report { return finding.Report{} }, wake: make(chan struct{}, 1),
	}
	ctx, cancel := context.WithCancel(o.Context())
	ended := make(chan error, 1)
	go func() { ended <- o.recorder.run(ctx) }()
	o.stop = func() {
		o.Helper()
		cancel()
		if err := <-ended; err != nil {
			o.Error(err)
		}
	}
}

// turn reports where the pair stands, and lets the recorder do what it does about it
// in the next seconds.
func (o *office) turn(attempt int, phase shift.Phase, share shift.Share, edits ...func(*switcher.Turn)) {
	o.Helper()
	next := shift.State{Schema: shift.Schema, Attempt: attempt, Phase: phase, Share: share, Steps: []shift.Step{{Share: 50}, {Share: 100}}}
	if share > 0 {
		next.Step = 1
	}
	if next.ChangedAt = o.before.ChangedAt; share != o.before.Share {
		next.ChangedAt = time.Now()
	}
	t := switcher.Turn{Now: time.Now(), Plan: shift.Plan{Pair: "shop"}, Before: o.before, Decision: shift.Decision{Next: next, Reason: shift.Holding}}
	for _, edit := range edits {
		edit(&t)
	}
	o.recorder.Report(t)
	o.before = t.Decision.Next
	time.Sleep(3 * time.Second)
	synctest.Wait()
}

// keeps checks what is kept of each attempt: its phase, its events, its gaps.
func (o *office) keeps(when string, want map[int]string) {
	o.Helper()
	o.drawer.mu.Lock()
	defer o.drawer.mu.Unlock()
	got := map[int]string{}
	for attempt, r := range o.drawer.kept {
		got[attempt] = r.Phase
		for _, kind := range []string{"rise", "rollback", "gap"} {
			if slices.ContainsFunc(r.Timeline, func(e record.Event) bool { return e.Kind == kind }) {
				got[attempt] += " " + kind
			}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		o.Errorf("%s (-want +got):\n%s", when, diff)
	}
}

func (o *office) with(change func(d *drawer)) {
	o.drawer.mu.Lock()
	defer o.drawer.mu.Unlock()
	change(o.drawer)
}

// puts counts the writes, finds the looks for what is kept.
func (o *office) puts() (n int)  { o.with(func(d *drawer) { n = d.puts }); return n }
func (o *office) finds() (n int) { o.with(func(d *drawer) { n = d.finds }); return n }

// seen is until when the record of the first attempt tells.
func (o *office) seen() (at time.Time) { o.with(func(d *drawer) { at = d.kept[1].SeenAt }); return at }

func sentBack(t *switcher.Turn) {
	t.Decision.Next.Rollback = &shift.RollbackRecord{By: "a person", Why: "it was asked for", At: t.Now}
}

func TestARecordIsKeptAsThingsHappen(t *testing.T) {
	t.Parallel()
	inOffice(t, func(o *office) {
		o.turn(0, shift.Idle, 0)
		o.keeps("before the first attempt", map[int]string{})
		o.turn(1, shift.Shifting, 0)
		o.turn(1, shift.Shifting, 50)
		o.keeps("after a rise", map[int]string{1: "Shifting rise"})
		for range 10 {
			o.turn(1, shift.Shifting, 50)
		}
		puts := o.puts()
		time.Sleep(10 * time.Minute)
		if now := o.puts(); now < puts+9 || now > puts+11 {
			t.Errorf("in ten minutes without news it was written %d times, want once a minute", now-puts)
		}
		o.turn(1, shift.RollingBack, 0, sentBack)
		o.turn(1, shift.RolledBack, 0, sentBack)
		o.turn(2, shift.Shifting, 0)
		o.turn(2, shift.Shifting, 50)
		o.keeps("in the next attempt", map[int]string{1: "RolledBack rise rollback", 2: "Shifting rise"})
		o.turn(2, shift.RolledBack, 0, sentBack)
		puts = o.puts()
		time.Sleep(time.Hour)
		if o.puts() != puts {
			t.Errorf("it was written %d times after the end", o.puts()-puts)
		}
	})
}

// The API server that hangs or refuses holds up no turn, and what was seen meanwhile is
// kept once it answers, that of a former attempt too.
func TestARecordThatCannotBeKeptHoldsNothingUp(t *testing.T) {
	t.Parallel()
	inOffice(t, func(o *office) {
		o.with(func(d *drawer) { d.hangs = true })
		o.turn(1, shift.Shifting, 50)
		time.Sleep(putWithin)
		o.with(func(d *drawer) { d.hangs, d.err = false, errors.New("it is away") })
		o.turn(1, shift.RollingBack, 0, sentBack)
		o.turn(1, shift.RolledBack, 0, sentBack)
		o.turn(2, shift.Shifting, 0)
		time.Sleep(5 * time.Minute)
		if said := o.logs.FilterMessage("record of the attempt not kept, the shift goes on without").Len(); said != 2 { // each trouble once
			t.Errorf("it was said %d times", said)
		}
		o.keeps("while it is away", map[int]string{})
		o.with(func(d *drawer) { d.err = nil })
		time.Sleep(2 * time.Minute)
		o.keeps("when it is back", map[int]string{1: "RolledBack rise rollback", 2: "Shifting"})
	})
}

// One of two records that can't be kept is told of once, though the other can.
func TestARecordThatCannotBeKeptBesideAnotherIsToldOnce(t *testing.T) {
	t.Parallel()
	inOffice(t, func(o *office) {
		o.with(func(d *drawer) { d.refuses = 1 })
		o.turn(1, shift.RolledBack, 0, sentBack)
		o.turn(2, shift.Shifting, 0)
		time.Sleep(10 * time.Minute)
		if said := o.logs.FilterMessage("record of the attempt not kept, the shift goes on without").Len(); said != 1 {
			t.Errorf("it was said %d times", said)
		}
	})
}

// Who lost the lease writes nothing any more; who leads next goes on with the record,
// and a daemon that stops in order has kept all that it saw.
func TestTheRecordBelongsToTheLeader(t *testing.T) {
	t.Parallel()
	standby := func(t *switcher.Turn) { t.Standby = true }
	inOffice(t, func(o *office) {
		o.turn(1, shift.Shifting, 0)
		o.turn(1, shift.Shifting, 50)
		o.lent.lose()
		o.turn(1, shift.RollingBack, 0, sentBack)
		o.turn(1, shift.Shifting, 50, standby)
		o.keeps("without the lease", map[int]string{1: "Shifting rise"})
		o.stop()
		o.starts("two")
		o.turn(1, shift.Shifting, 50)
		o.keeps("by the next leader", map[int]string{1: "Shifting rise gap"})
		seen := o.seen()
		o.turn(1, shift.Shifting, 50)
		o.turn(1, shift.Shifting, 50)
		last := time.Now().Add(-3 * time.Second)
		o.stop()
		if got := o.seen(); !got.After(seen) || !got.Equal(last.UTC()) {
			t.Errorf("the record tells until %s, and the last turn was at %s", got, last)
		}
		o.starts("three")
		o.with(func(d *drawer) { d.hangs = true })
		o.turn(1, shift.Shifting, 50)
		began := time.Now()
		o.stop()
		if took := time.Since(began); took > recordAtEnd {
			t.Errorf("an API server that hangs kept the daemon from stopping for %s", took)
		}
		o.with(func(d *drawer) { d.hangs = false })
		o.starts("four")
	})
}

// Where another daemon wrote in between, its word stands, and this one goes on after a
// gap.
func TestARecordThatAnotherDaemonWroteIsReadAgain(t *testing.T) {
	t.Parallel()
	inOffice(t, func(o *office) {
		o.turn(1, shift.Shifting, 0)
		o.with(func(d *drawer) { d.err = archive.ErrConflict })
		o.turn(1, shift.Shifting, 50)
		o.with(func(d *drawer) { d.err = nil })
		o.turn(1, shift.Shifting, 50)
		o.keeps("after the conflict", map[int]string{1: "Shifting rise gap"})
		if finds := o.finds(); finds != 2 {
			t.Errorf("it was looked for %d times, want twice", finds)
		}
	})
}
