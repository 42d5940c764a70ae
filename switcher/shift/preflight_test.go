package shift

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Every answer that a preflight can give, and what it does to a rise.
func TestWhatAPreflightDoesToARise(t *testing.T) {
	now := time.Date(2026, 11, 2, 10, 0, 0, 0, time.UTC)
	started, reached := now.Add(-time.Hour), now.Add(-10*time.Minute)
	good := PreflightReading{At: now.Add(-time.Minute), FullAt: started.Add(time.Minute), Attempt: 2, FreshFor: 20 * time.Minute, Warns: 3, Waived: 1}
	for name, c := range map[string]struct {
		mode   PreflightMode
		change func(*PreflightReading)
		phase  Phase
		want   Judgement
		still  Judgement // for the other entrances of a step that was granted
	}{
		"nothing blocks": {phase: Shifting, want: Pass, still: Pass},
		"something blocks": {
			phase: Shifting, change: func(r *PreflightReading) { r.Blocks = 1 }, want: Fail, still: Fail,
		},
		"something blocks, as an old look says": {
			phase: Shifting, change: func(r *PreflightReading) { r.Blocks, r.At = 1, now.Add(-24*time.Hour) }, want: Fail, still: Fail,
		},
		"no look since the share was reached": {
			phase: Shifting, change: func(r *PreflightReading) { r.At = reached.Add(-time.Second) }, want: Wait, still: Pass,
		},
		"a look from before the share, before the first step": {
			phase: InPreflight, change: func(r *PreflightReading) { r.At = reached.Add(-time.Second) }, want: Pass, still: Pass,
		},
		"the newest look is too old": {
			phase: Shifting, change: func(r *PreflightReading) { r.FreshFor = 30 * time.Second }, want: Unmeasured, still: Unmeasured,
		},
		"the newest look is from the future": {
			phase: Shifting, change: func(r *PreflightReading) { r.At = now.Add(time.Hour) }, want: Unmeasured, still: Unmeasured,
		},
		"no look was finished yet": {
			phase: InPreflight, change: func(r *PreflightReading) { *r = PreflightReading{} }, want: Wait, still: Wait,
		},
		"only a brief look was finished": {
			phase: InPreflight, change: func(r *PreflightReading) { r.FullAt = time.Time{} }, want: Wait, still: Wait,
		},
		"the full look is of the attempt before": {
			phase: InPreflight, change: func(r *PreflightReading) { r.Attempt = 1 }, want: Wait, still: Wait,
		},
		"the full look began before the attempt": {
			phase: InPreflight, change: func(r *PreflightReading) { r.FullAt = started.Add(-time.Second) }, want: Wait, still: Wait,
		},
		"it can't be made": {
			phase: InPreflight, change: func(r *PreflightReading) { r.Err = "it panicked" }, want: Unmeasured, still: Unmeasured,
		},
		"it only warns, and something blocks": {
			mode: PreflightWarn, phase: InPreflight, change: func(r *PreflightReading) { r.Blocks = 1 }, want: Pass, still: Pass,
		},
		"it only warns, and can't be made": {
			mode: PreflightWarn, phase: InPreflight, change: func(r *PreflightReading) { *r = PreflightReading{Err: "it panicked"} }, want: Pass, still: Pass,
		},
		"it only warns, and no look was finished yet": {
			mode: PreflightWarn, phase: InPreflight, change: func(r *PreflightReading) { *r = PreflightReading{} }, want: Wait, still: Wait,
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := good
			if c.change != nil {
				c.change(&r)
			}
			if c.mode == "" {
				c.mode = PreflightBlock
			}
			s := State{Schema: Schema, Attempt: 2, Phase: c.phase, StartedAt: started, ReachedAt: reached}
			if c.phase == Shifting {
				s.Step = 1
			}
			turn := newTurn(Plan{Preflight: c.mode}, s, Observation{Preflight: r}, now)
			got := []Judgement{worst(greenComplete(turn, 50)).Judgement, worst(greenStillComplete(turn, 50)).Judgement}
			if diff := cmp.Diff([]Judgement{c.want, c.still}, got); diff != "" {
				t.Errorf("judged of a new step, and of a granted one (-want +got):\n%s", diff)
			}
		})
	}
}

// A pair without a preflight is judged as ever.
func TestAPreflightThatIsOffSaysNothing(t *testing.T) {
	turn := newTurn(Plan{}, NewState(), Observation{Preflight: PreflightReading{Blocks: 3}}, time.Now())
	if verdicts := greenComplete(turn, 10); verdicts != nil {
		t.Errorf("judged %v", verdicts)
	}
}

// The journal is not written anew for a look that says what the one before said.
func TestTheJournalKeepsAnOutcomeOnce(t *testing.T) {
	w := newWorld()
	w.plan.Preflight, w.preflight.blocks = PreflightBlock, 2
	w.ask = Request{Serve: Green, Attempt: 1}
	w.tick(10 * time.Second)
	first := w.tick(10 * time.Second).Next.Preflight
	second := w.tick(10 * time.Second).Next.Preflight
	if first == nil || first.Blocks != 2 {
		t.Fatalf("the journal has %+v", first)
	}
	if diff := cmp.Diff(first, second); diff != "" {
		t.Errorf("a second look without news is written down (-first +second):\n%s", diff)
	}
}
