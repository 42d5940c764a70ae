package app

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap/zapcore"

	"github.com/clusterswitch/clusterswitch/config"
	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/internal/preflight/finding"
	"github.com/clusterswitch/clusterswitch/internal/preflight/gather"
	"github.com/clusterswitch/clusterswitch/switcher"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

func TestPreflightLooksInFullUntilNothingBlocksAndBrieflyAtEachStep(t *testing.T) {
	atBench(t, func(b *bench) {
		b.turn(shift.Idle, 0, time.Time{})
		b.expectLooks("at rest")
		b.with(func() {
			b.full = []finding.Finding{found("deep", "web", finding.Block), found("quick", "api", finding.Warn)}
		})
		b.turn(shift.InPreflight, 1, time.Time{})
		b.expectReading("while it is looked", shift.PreflightReading{})
		b.pass(lookTakes)
		looks := []looked{full(1, 0)}
		b.expectLooks("at the start", looks...)
		b.expectReading("after a full look", shift.PreflightReading{
			At: b.began, FullAt: b.began, Attempt: 1, Blocks: 1, Warns: 1,
			First: "ConfigMap shop/web: blue has it, green doesn't", Digest: "digest-1",
		})
		b.with(func() {
			if b.wakes != 1 {
				t.Errorf("the loop was woken %d times", b.wakes)
			}
			b.full = b.full[1:]
		})
		b.pass(10 * time.Minute)
		looks = append(looks, full(1, 10*time.Minute))
		b.expectLooks("while it blocks", looks...)
		second := b.began.Add(10 * time.Minute)
		b.expectReading("mended", shift.PreflightReading{
			At: second, FullAt: second, Attempt: 1, Warns: 1, First: "ConfigMap shop/api: blue has it, green doesn't", Digest: "digest-2",
		})

		b.turn(shift.Shifting, 1, second)
		b.turn(shift.Shifting, 1, time.Time{}) // on the way to a step
		b.expectLooks("while the share isn't reached", looks...)
		b.pass(time.Minute)
		reached := time.Now()
		b.turn(shift.Shifting, 1, reached)
		b.pass(lookTakes)
		looks = append(looks, brief(1, reached.Sub(b.began)))
		b.expectLooks("after the step was reached", looks...)
		b.expectReading("after a brief look that found nothing", shift.PreflightReading{At: reached, FullAt: second, Attempt: 1, Digest: "digest-3"})
		b.pass(10 * time.Minute)
		looks = append(looks, brief(1, reached.Sub(b.began)+10*time.Minute))
		b.expectLooks("during a long hold", looks...)

		b.turn(shift.OnStandby, 1, reached)
		looks = append(looks, looked{wish{scope: facts.Brief, attempt: 1, begun: true, standby: true}, time.Since(b.began)})
		b.pass(time.Minute)
		b.expectLooks("in standby", looks...)
		for _, phase := range []shift.Phase{shift.Completed, shift.RolledBack, shift.RollingBack, shift.Returning} {
			b.turn(phase, 1, reached)
			b.pass(time.Hour)
		}
		b.expectLooks("after it", looks...)
		b.expectStarts("in the end", true, true, false)
	})
}

func TestPreflightOfTheNextAttemptBeginsAnew(t *testing.T) {
	atBench(t, func(b *bench) {
		b.turn(shift.InPreflight, 1, time.Time{})
		b.pass(time.Minute)
		b.turn(shift.InPreflight, 2, time.Time{})
		b.expectReading("before the new attempt's look", shift.PreflightReading{})
		b.pass(lookTakes)
		b.expectLooks("in the next attempt", full(1, 0), full(2, time.Minute))
	})
}

// A daemon that finds a shift under way looks in full before it looks briefly:
// what another daemon saw isn't in its memory.
func TestPreflightOfAShiftThatIsFoundBeginsInFull(t *testing.T) {
	atBench(t, func(b *bench) {
		b.turn(shift.Shifting, 1, b.began.Add(-time.Hour))
		b.pass(lookTakes)
		b.expectLooks("found", underWay(full(1, 0)))
		b.expectStarts("found, the start's report is not its to write", false)
	})
}

func TestChangedWaiversCountAtOnceAndEndByThemselves(t *testing.T) {
	atBench(t, func(b *bench) {
		old := found("deep", "web", finding.Block)
		b.with(func() { b.full = []finding.Finding{old} })
		b.pass(time.Minute) // no look begins in the moment in which the waiver ends
		looked := time.Now()
		b.turn(shift.InPreflight, 1, time.Time{})
		b.pass(lookTakes)
		ends := time.Date(2000, 1, 2, 0, 0, 0, 0, time.UTC) // bubbles begin a day before
		b.config.Preflight.Waivers = []config.Waiver{{ID: old.ID, Reason: "it is old", Until: "2000-01-02"}}
		b.preflighter.configure(b.config)
		b.expectReading("waived", shift.PreflightReading{At: looked, FullAt: looked, Attempt: 1, Waived: 1, Digest: "digest-1"})
		synctest.Wait()
		b.expectLooks("waived", full(1, time.Minute))
		b.with(func() {
			if last := b.put[len(b.put)-1]; last.Waived() != 1 {
				t.Errorf("what is kept doesn't tell of the waiver: %+v", last.Findings)
			}
		})
		b.turn(shift.Shifting, 1, b.began)
		b.pass(time.Until(ends) - time.Nanosecond)
		if got := b.preflighter.reading(time.Now()); got.Blocks != 0 {
			t.Errorf("it ended early: %+v", got)
		}
		b.pass(time.Nanosecond)
		if got := b.preflighter.reading(time.Now()); got.Blocks != 1 || got.Waived != 0 || got.Warns != 1 {
			t.Errorf("it doesn't end: %+v", got)
		}
		b.with(func() {
			if b.counts["block"] != 1 || b.counts["waived"] != 0 {
				t.Errorf("the metrics are %v", b.counts)
			}
			b.looks, b.full = nil, nil
		})
		b.pass(10 * time.Minute)
		b.with(func() {
			if len(b.looks) == 0 || b.looks[len(b.looks)-1].scope != facts.Full {
				t.Errorf("what only a full look sees is not looked for again: %+v", b.looks)
			}
		})
		if got := b.preflighter.reading(time.Now()); got.Blocks != 0 {
			t.Errorf("mended, it still blocks: %+v", got)
		}
	})
}

func TestAChangedComparisonReadsTheClustersAgain(t *testing.T) {
	atBench(t, func(b *bench) {
		b.turn(shift.Shifting, 1, b.began)
		b.pass(time.Minute)
		b.config.Preflight.Ignore = []config.PreflightIgnore{{Kind: "ConfigMap"}}
		b.preflighter.configure(b.config)
		b.pass(lookTakes)
		b.expectLooks("after a changed pattern", underWay(full(1, 0)), underWay(full(1, time.Minute)))
	})
}

func TestAFaultOfThePreflightIsSaidAndEndsNothing(t *testing.T) {
	for name, fault := range map[string]any{
		"where it is asked for": "index out of range",
		"in one of its parts":   &gather.Crash{Value: "index out of range", Stack: []byte("goroutine 7")},
	} {
		t.Run(name, func(t *testing.T) {
			atBench(t, func(b *bench) {
				b.with(func() { b.fault = fault })
				b.turn(shift.InPreflight, 1, time.Time{})
				b.pass(time.Minute)
				b.expectReading("after a panic", shift.PreflightReading{
					Err: "a fault in the preflight itself: index out of range; please report it with the daemon's log",
				})
				lines := b.logs.FilterLevelExact(zapcore.ErrorLevel).All()
				if len(lines) != 1 || !strings.Contains(fmt.Sprint(lines[0].ContextMap()["stack"]), "goroutine") {
					t.Errorf("the log says %v", lines)
				}
				b.with(func() { b.fault = nil })
				b.pass(10 * time.Minute)
				b.expectLooks("later", full(1, 0), full(1, 10*time.Minute))
				if got := b.preflighter.reading(time.Now()); got.Err != "" || got.Attempt != 1 {
					t.Errorf("it is not taken back: %+v", got)
				}
			})
		})
	}
}

func TestALookThatNobodyWantsAnyMoreEnds(t *testing.T) {
	tests := map[string]func(b *bench){
		"rolled back":  func(b *bench) { b.turn(shift.RollingBack, 1, time.Time{}) },
		"switched off": func(b *bench) { b.config.Preflight.Mode = "off"; b.preflighter.configure(b.config) },
		"superseded": func(b *bench) {
			b.preflighter.Report(switcher.Turn{Superseded: true, Decision: shift.Decision{Next: shift.State{Phase: shift.InPreflight, Attempt: 1}}})
		},
		"standing by": func(b *bench) {
			b.preflighter.Report(switcher.Turn{Standby: true, Decision: shift.Decision{Next: shift.State{Phase: shift.InPreflight, Attempt: 1}}})
		},
		"the next attempt began": func(b *bench) { b.with(func() { b.hangs = false }); b.turn(shift.InPreflight, 2, time.Time{}) },
		"it takes far too long":  func(b *bench) { time.Sleep(lookWithin(b.config.Preflight)) },
	}
	for name, end := range tests {
		t.Run(name, func(t *testing.T) {
			atBench(t, func(b *bench) {
				b.with(func() { b.hangs = true })
				b.turn(shift.InPreflight, 1, time.Time{})
				end(b)
				synctest.Wait()
				b.with(func() {
					if b.ended != 1 {
						t.Errorf("%d looks ended", b.ended)
					}
				})
			})
		})
	}
}

// The daemon stops while a look hangs: atBench sees that run ends.
func TestStoppingEndsALook(t *testing.T) {
	atBench(t, func(b *bench) {
		b.with(func() { b.hangs = true })
		b.turn(shift.InPreflight, 1, time.Time{})
	})
}

func TestAReportThatCannotBeKeptIsToldAndTriedAgain(t *testing.T) {
	atBench(t, func(b *bench) {
		b.with(func() { b.putErr = errors.New("forbidden") })
		b.turn(shift.InPreflight, 1, time.Time{})
		b.pass(lookTakes)
		b.turn(shift.Shifting, 1, b.began)
		b.pass(2 * putAgain)
		want := []string{
			"preflight: nothing blocks; `clusterswitch preflight shop --stored` prints the report",
			"the preflight's report could not be kept: forbidden",
		}
		if diff := cmp.Diff(want, b.preflighter.notes()); diff != "" {
			t.Errorf("notes (-want +got):\n%s", diff)
		}
		if lines := b.logs.FilterLevelExact(zapcore.WarnLevel).All(); len(lines) != 1 || !strings.Contains(lines[0].Message, "goes on without") {
			t.Errorf("the log warns with %v", lines)
		}
		b.with(func() { b.putErr = nil })
		b.pass(putAgain)
		b.expectStarts("kept late", true)
		if notes := b.preflighter.notes(); len(notes) != 1 {
			t.Errorf("kept, the notes are %q", notes)
		}
	})
}

// A report that could not be kept is no longer owed when its attempt is over: with
// nothing to keep the preflighter must sleep, not ask itself again and again.
func TestAReportOfAFormerAttemptIsNoLongerToBeKept(t *testing.T) {
	for name, late := range map[string]bool{"that failed before": false, "that fails as the next begins": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, make(chan struct{}, 1))
				next := func() {
					b.config.Preflight.Mode = "off"
					b.preflighter.configure(b.config)
					b.turn(shift.Shifting, 2, time.Time{})
				}
				b.with(func() { b.putErr = errors.New("forbidden") })
				if late {
					b.preflighter.shelf = endingShelf{b, next}
				}
				b.turn(shift.InPreflight, 1, time.Time{})
				b.preflighter.step(t.Context())
				if !late {
					next()
				}
				time.Sleep(2 * putAgain)
				if wait := b.preflighter.step(t.Context()); wait != idle {
					t.Errorf("with nothing to do it comes again in %s", wait)
				}
			})
		})
	}
}

// endingShelf keeps nothing, and the attempt ends while it tries.
type endingShelf struct {
	*bench
	end func()
}

func (s endingShelf) Put(ctx context.Context, r finding.Report, start bool) (string, error) {
	s.end()
	return s.bench.Put(ctx, r, start)
}

func TestFewPreflightsRunAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slots := make(chan struct{}, 2)
		ctx, stop := context.WithCancel(t.Context())
		var benches []*bench
		for range 5 {
			b := newBench(t, slots)
			benches = append(benches, b)
			go func() { _ = b.preflighter.run(ctx) }() // it returns nil only
			b.turn(shift.InPreflight, 1, time.Time{})
		}
		for n, want := range []int{2, 4, 5} {
			begun := 0
			for _, b := range benches {
				b.with(func() { begun += len(b.looks) })
			}
			if begun != want {
				t.Errorf("after %d looks each, %d were begun, want %d", n, begun, want)
			}
			time.Sleep(lookTakes)
			synctest.Wait()
		}
		stop()
		synctest.Wait()
	})
}
