package app

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	zapobserver "go.uber.org/zap/zaptest/observer"

	"github.com/clusterswitch/clusterswitch/internal/runbook"
	"github.com/clusterswitch/clusterswitch/switcher"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// knowing is an adapter that knows commands from its newest reading.
type knowing struct {
	*far
	commands []string
	err      error
}

func (k *knowing) Runbook(shift.Entrance) ([]string, error) { return k.commands, k.err }

// books is a shelf.
type books struct {
	put []runbook.Book
	err error
	// hangs: a Put ends with its context only.
	hangs bool
}

func (b *books) Put(ctx context.Context, book runbook.Book) error {
	if b.hangs {
		<-ctx.Done()
		return ctx.Err()
	}
	if b.err == nil {
		b.put = append(b.put, book)
	}
	return b.err
}

// desk is a scribe at work.
type desk struct {
	*testing.T
	scribe  *scribe
	adapter *knowing
	shelf   *books
	logs    *zapobserver.ObservedLogs
}

func atDesk(t *testing.T, story func(d *desk)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		core, logs := zapobserver.New(zapcore.InfoLevel)
		d := &desk{T: t, adapter: &knowing{far: newFar("api"), commands: []string{"aws one"}}, shelf: &books{}, logs: logs}
		ways := newAWS(adapters{route53: func(place) entrances { return d.adapter }})
		d.scribe = &scribe{pair: "shop", version: "v1", aws: ways, shelf: d.shelf, standing: alone{}, log: zap.New(core), wake: make(chan struct{}, 1)}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- d.scribe.run(ctx) }()
		story(d)
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// turn reports one turn and lets the scribe do what it does about it.
func (d *desk) turn(phase shift.Phase, attempt int, reason shift.Reason) {
	d.Helper()
	entrance := shift.Entrance{Name: "api", Route53: &shift.Route53Entrance{HostedZoneID: "Z1", Names: []string{"api.example.com"}, RoleARN: "arn:role"}}
	next := shift.State{Phase: phase, Attempt: attempt, Entrances: []shift.EntranceState{{Entrance: entrance}}}
	began := time.Now()
	d.scribe.Report(switcher.Turn{Now: began, Decision: shift.Decision{Next: next, Reason: reason}})
	if took := time.Since(began); took != 0 {
		d.Errorf("the loop waited %s for the runbook", took)
	}
	synctest.Wait()
}

func (d *desk) expect(when string, books int, notes ...string) {
	d.Helper()
	if len(d.shelf.put) != books {
		d.Fatalf("%s: %d books were written, want %d", when, len(d.shelf.put), books)
	}
	if diff := cmp.Diff(notes, d.scribe.notes()); diff != "" {
		d.Errorf("%s: notes (-want +got):\n%s", when, diff)
	}
}

func TestRunbookIsWrittenWhenAShiftStartsOrIsFound(t *testing.T) {
	atDesk(t, func(d *desk) {
		for _, phase := range []shift.Phase{shift.Idle, shift.RolledBack} {
			d.turn(phase, 0, shift.NothingToDo)
		}
		d.expect("at rest", 0)
		d.turn(shift.Shifting, 1, shift.ShiftStarted)
		d.expect("at the start", 1)
		want := runbook.Book{Pair: "shop", Attempt: 1, At: time.Now(), Version: "v1", Entrances: []runbook.Entrance{
			{Name: "api", What: "records of api.example.com in hosted zone Z1", RoleARN: "arn:role", Commands: []string{"aws one"}},
		}}
		if diff := cmp.Diff(want, d.shelf.put[0]); diff != "" {
			t.Errorf("the book (-want +got):\n%s", diff)
		}
		d.turn(shift.Shifting, 1, shift.Holding)
		d.expect("one turn later", 1)
		d.turn(shift.Shifting, 2, shift.ShiftStarted)
		d.expect("at the start of the next attempt", 2)
	})
	atDesk(t, func(d *desk) {
		d.turn(shift.Completed, 1, shift.ShiftCompleted)
		d.expect("of a shift that another daemon led", 1)
	})
}

// What could not be written for an attempt that is over is nobody's trouble any more.
func TestWhatKeptARunbookFromBeingWrittenEndsWithItsAttempt(t *testing.T) {
	for name, over := range map[string]func(d *desk){
		"rolled back": func(d *desk) { d.turn(shift.RolledBack, 1, shift.NothingToDo) },
		"standing by": func(d *desk) {
			d.scribe.Report(switcher.Turn{Standby: true, Decision: shift.Decision{Next: shift.State{Phase: shift.Shifting, Attempt: 1}}})
		},
	} {
		t.Run(name, func(t *testing.T) {
			atDesk(t, func(d *desk) {
				d.shelf.err = errors.New("forbidden")
				d.turn(shift.Shifting, 1, shift.ShiftStarted)
				d.expect("while it can't be written", 0, "the runbook of this attempt could not be written: forbidden")
				over(d)
				d.expect("afterwards", 0)
				d.turn(shift.Shifting, 2, shift.ShiftStarted)
				d.expect("in the next attempt", 0, "the runbook of this attempt could not be written: forbidden")
			})
		})
	}
}

func TestRunbookFollowsWhatAWSShows(t *testing.T) {
	atDesk(t, func(d *desk) {
		d.turn(shift.Shifting, 1, shift.ShiftStarted)
		d.adapter.commands = []string{"aws other"} // somebody changed a record's address
		d.turn(shift.Shifting, 1, shift.Holding)
		d.expect("at once", 1)
		time.Sleep(putAgain)
		d.turn(shift.Shifting, 1, shift.Holding)
		d.expect("a while later", 2)
		d.adapter.err = errors.New("not read since the last write")
		time.Sleep(putAgain)
		d.turn(shift.Shifting, 1, shift.Holding)
		d.expect("while nothing is known the former one stays", 2)
	})
}

func TestRunbookThatCannotBeWrittenIsToldAndTriedAgain(t *testing.T) {
	const note = "the runbook of this attempt could not be written: "
	tests := map[string]struct {
		broken func(d *desk)
		mended func(d *desk)
		note   string
	}{
		"the shelf refuses": {
			broken: func(d *desk) { d.shelf.err = errors.New("forbidden") },
			mended: func(d *desk) { d.shelf.err = nil },
			note:   "forbidden",
		},
		"an entrance wasn't read": {
			broken: func(d *desk) { d.adapter.err = errors.New("it was not read yet") },
			mended: func(d *desk) { d.adapter.err = nil },
			note:   "entrance api: it was not read yet",
		},
		"an adapter knows no command": {
			broken: func(d *desk) { d.adapter.commands = nil },
			mended: func(d *desk) { d.adapter.commands = []string{"aws one"} },
			note:   "entrance api: none is known",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			atDesk(t, func(d *desk) {
				test.broken(d)
				for range 3 {
					d.turn(shift.Shifting, 1, shift.ShiftStarted)
					time.Sleep(putAgain)
				}
				d.expect("broken", 0, note+test.note)
				lines := d.logs.FilterLevelExact(zapcore.WarnLevel).All()
				if len(lines) != 1 || !strings.Contains(lines[0].Message, "goes on without") {
					t.Errorf("the log warns with %v", lines)
				}
				test.mended(d)
				d.turn(shift.Shifting, 1, shift.Holding)
				d.expect("mended", 1)
			})
		})
	}
}

// The management cluster hangs: the loop doesn't notice, and the daemon stops.
func TestRunbookHoldsNothingUp(t *testing.T) {
	atDesk(t, func(d *desk) {
		d.shelf.hangs = true
		for range 5 {
			d.turn(shift.Shifting, 1, shift.ShiftStarted)
		}
		d.expect("while it hangs", 0)
	})
}

func TestSupersededDaemonWritesNoRunbook(t *testing.T) {
	atDesk(t, func(d *desk) {
		d.scribe.Report(switcher.Turn{Superseded: true, Decision: shift.Decision{Next: shift.State{Phase: shift.Shifting, Attempt: 1}}})
		synctest.Wait()
		d.expect("superseded", 0)
	})
}
