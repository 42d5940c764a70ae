package elb

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// AWS may answer what stood before a write for some time. The stories begin at
// 25 %, with a write of ours to another share that AWS took and shows at first.
func TestAnswersThatTellOfAFormerState(t *testing.T) {
	t.Parallel()
	for name, story := range map[string]func(t *testing.T, f *fakeELB, a *Adapter){
		"are asked again, and then the entrance is unknown": func(t *testing.T, f *fakeELB, a *Adapter) {
			f.stale = staleTries - 1
			if got := readWeb(t, a); got.Err != "" || got.Weights.Green != 50 {
				t.Errorf("with a better answer at last: %+v", got)
			}
			f.stale = 1000
			if got := readWeb(t, a); !strings.Contains(got.Err, "still answers what stood there before") {
				t.Errorf("without: %+v", got)
			}
		},
		"are the truth once they last": func(t *testing.T, f *fakeELB, a *Adapter) {
			f.stale = 1000
			time.Sleep(staleFor)
			if got := readWeb(t, a); got.Err != "" || got.Weights.Green != 25 {
				t.Errorf("got %+v", got)
			}
		},
		"let no rise be written on what is gone": func(t *testing.T, f *fakeELB, a *Adapter) {
			before := readWeb(t, a)
			before.Token = action{arn: ruleARN, actions: f.former[ruleARN]}.token()
			f.stale = 1000
			got := a.Commit(t.Context(), []shift.Change{wish(before, 75, shift.Rise)})[0]
			if got.Outcome != shift.Conflict || f.count("ModifyRule") != 1 {
				t.Errorf("got %+v", got)
			}
		},
		"are waited out by a rise": func(t *testing.T, f *fakeELB, a *Adapter) {
			c := wish(readWeb(t, a), 75, shift.Rise)
			f.script["ModifyRule"] = []fault{{after: func(f *fakeELB) { f.stale = 3 }}}
			if got := a.Commit(t.Context(), []shift.Change{c})[0]; got.Outcome != shift.Applied || got.Note != "" {
				t.Errorf("got %+v", got)
			}
		},
		"leave a rise unknown when they last": func(t *testing.T, f *fakeELB, a *Adapter) {
			c := wish(readWeb(t, a), 75, shift.Rise)
			f.script["ModifyRule"] = []fault{{after: func(f *fakeELB) { f.stale = 1000 }}}
			if got := a.Commit(t.Context(), []shift.Change{c})[0]; got.Outcome != shift.Unknown || !strings.Contains(got.Note, "still answers") {
				t.Errorf("got %+v", got)
			}
		},
		"don't hide from a rollback what green has": func(t *testing.T, f *fakeELB, a *Adapter) {
			setWeights(100, 0)(f) // what stood before was nothing for green
			readWeb(t, a)
			rise := a.Commit(t.Context(), []shift.Change{wish(readWeb(t, a), 50, shift.Rise)})[0]
			f.stale = 1
			got := a.Commit(t.Context(), []shift.Change{wish(shift.EntranceReading{}, 0, shift.Rollback)})[0]
			if w, _ := (action{actions: f.rules[ruleARN]}).weight(greenTG); rise.Outcome != shift.Applied || got.Outcome != shift.Applied || w != 0 {
				t.Errorf("got %+v, then %+v; green has %d", rise, got, w)
			}
		},
		"don't make a rollback write twice": func(t *testing.T, f *fakeELB, a *Adapter) {
			f.script["ModifyRule"] = []fault{{after: func(f *fakeELB) { f.stale = 2 }}}
			c := wish(readWeb(t, a), 0, shift.Rollback)
			writes := f.count("ModifyRule")
			first := a.Commit(t.Context(), []shift.Change{c})[0]
			f.stale = 1
			second := a.Commit(t.Context(), []shift.Change{wish(shift.EntranceReading{}, 0, shift.Rollback)})[0]
			if first.Outcome != shift.Applied || second.Outcome != shift.Applied || f.count("ModifyRule") != writes+1 {
				t.Errorf("got %+v and %+v with %q", first, second, f.calls)
			}
		},
		"make a rollback write again when they last": func(t *testing.T, f *fakeELB, a *Adapter) {
			c := wish(readWeb(t, a), 0, shift.Rollback)
			f.script["ModifyRule"] = []fault{{after: setWeights(50, 50)}} // set back at once by somebody
			got := a.Commit(t.Context(), []shift.Change{c})[0]
			if w, _ := (action{actions: f.rules[ruleARN]}).weight(greenTG); got.Outcome != shift.Applied || w != 0 {
				t.Errorf("got %+v; green has %d", got, w)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := webAt(25)
				a := newAdapter(f)
				if got := a.Commit(t.Context(), []shift.Change{wish(readWeb(t, a), 50, shift.Rise)})[0]; got.Outcome != shift.Applied {
					t.Fatalf("got %+v", got)
				}
				story(t, f, a)
			})
		})
	}
}

func TestAForeignEditIsSeenAtOnceAlsoAfterAWrite(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := webAt(25)
		a := newAdapter(f)
		a.Commit(t.Context(), []shift.Change{wish(readWeb(t, a), 50, shift.Rise)})
		setWeights(60, 40)(f)
		if got := readWeb(t, a); got.Err != "" || got.Weights.Green != 40 {
			t.Errorf("got %+v", got)
		}
	})
}

// Only what is at rest may be told what was read before, and never from before
// its own write.
func TestHowOldAnAnswerMayBe(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := webAt(25)
		a := newAdapter(f)
		read := func(attention shift.Attention) shift.EntranceReading {
			f.calls = nil
			return a.Read(t.Context(), []shift.Entrance{entrance()}, attention)[0]
		}
		first := read(shift.Resting)
		if first.Err != "" || first.GreenTargets.Known || f.count("DescribeTargetHealth") != 0 || f.count("DescribeTags") != 1 {
			t.Errorf("at rest: %+v by %q", first, f.calls)
		}
		if again := read(shift.Resting); !again.At.Equal(first.At) || len(f.calls) != 0 {
			t.Errorf("at rest once more: %+v by %q", again, f.calls)
		}
		time.Sleep(2 * time.Second)
		if later := read(shift.Resting); later.At.Equal(first.At) || len(f.calls) != 1 {
			t.Errorf("at rest later: %+v by %q", later, f.calls)
		}
		setWeights(60, 40)(f)
		f.tags[ruleARN]["ingress.k8s.aws/stack"] = "shop"
		time.Sleep(2 * time.Second)
		if changed := read(shift.Resting); changed.Owner == "" || f.count("DescribeTags") != 1 {
			t.Errorf("at rest after an edit: %+v by %q", changed, f.calls)
		}
		watched := read(shift.Watching)
		if !watched.At.After(first.At) || f.count("DescribeRules") != 1 || f.count("DescribeTargetHealth") != 2 {
			t.Errorf("watched: %+v by %q", watched, f.calls)
		}
		time.Sleep(time.Second)
		urgent := read(shift.Urgent)
		if urgent.At.After(watched.At) || !urgent.GreenTargets.Known || len(f.calls) != 1 {
			t.Errorf("urgent: %+v by %q", urgent, f.calls)
		}
		a.Commit(t.Context(), []shift.Change{wish(urgent, 0, shift.Rollback)})
		if back := read(shift.Resting); back.Weights.Green != 0 || back.Mark == nil || !back.Mark.Rollback {
			t.Errorf("at rest after a write: %+v by %q", back, f.calls)
		}
	})
}
