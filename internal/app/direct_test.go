package app

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// far is one kind of entrances at AWS as a person in a hurry meets it.
type far struct {
	mu       sync.Mutex // guards all below
	readings map[string]*shift.EntranceReading
	// refuses is how often a write of an entrance is refused first.
	refuses map[string]int
	commits [][]shift.Change
	reads   int
	// onRead runs before each look, with its number from 1.
	onRead func(n int)
	// onWrite runs before each Commit.
	onWrite func()
}

func (f *far) Read(_ context.Context, list []shift.Entrance, _ shift.Attention) []shift.EntranceReading {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.reads++
	if f.onRead != nil {
		f.onRead(f.reads)
	}
	readings := make([]shift.EntranceReading, len(list))
	for i, e := range list {
		readings[i] = *f.readings[e.Name]
		if readings[i].Err == "" {
			readings[i].At = time.Now()
		}
	}
	return readings
}

func (f *far) Commit(_ context.Context, changes []shift.Change) []shift.Result {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.commits = append(f.commits, changes)
	if f.onWrite != nil {
		f.onWrite()
	}
	results := make([]shift.Result, len(changes))
	for i, c := range changes {
		if f.refuses[c.Entrance.Name] > 0 {
			f.refuses[c.Entrance.Name]--
			results[i] = shift.Result{Outcome: shift.Refused, Note: "throttled"}
			continue
		}
		r := f.readings[c.Entrance.Name]
		r.Err, r.Weights, r.Mark = "", c.Wanted.Weights(), new(c.Control)
		results[i] = shift.Result{Outcome: shift.Applied, At: time.Now()}
	}
	return results
}

// Runbook is never asked for on the way back.
func (f *far) Runbook(e shift.Entrance) ([]string, error) {
	return nil, fmt.Errorf("a rollback asks for the runbook of %s", e.Name)
}

const directPairs = "shop blog"

// newFar is AWS with both pairs' entrances of one kind at 50.
func newFar(suffix string) *far {
	f := &far{readings: map[string]*shift.EntranceReading{}, refuses: map[string]int{}}
	f.readings[suffix] = &shift.EntranceReading{Name: suffix, Weights: shift.Share(50).Weights()}
	return f
}

func directOf(t *testing.T, names, rules *far) *Direct {
	t.Helper()
	ways := newAWS(adapters{
		route53: func(place) entrances { return names }, elb: func(place) entrances { return rules },
	})
	return &Direct{aws: ways, config: parsed(t, document(directPairs, ""))}
}

func daemonsMark(attempt int, version int64) *shift.Mark {
	return &shift.Mark{Attempt: attempt, Epoch: 4, Version: version, Phase: shift.Shifting, Share: 50}
}

func TestDirectRollbackEndsWithGreenAtNothing(t *testing.T) {
	zero, half := shift.Share(0), shift.Share(50)
	back := func(entrance string, was *shift.Share, note string) DirectResult {
		return DirectResult{Pair: "shop", Entrance: entrance, Was: was, Now: &zero, Back: true, Wrote: true, Marked: true, Note: note}
	}
	dead := func(r *shift.EntranceReading) {
		r.BlueTargets, r.GreenTargets = shift.Targets{Known: true, Total: 2}, shift.Targets{Known: true, Total: 2, Healthy: 2}
	}
	tests := map[string]struct {
		plan  func(names, rules *far)
		force bool
		want  []DirectResult
		mark  shift.Mark // of the last write
		says  string
	}{
		"all is written at once and read back": {
			plan: func(names, rules *far) {
				names.readings["route53-0"].Mark, rules.readings["alb-1"].Mark = daemonsMark(2, 7), daemonsMark(2, 9)
			},
			want: []DirectResult{back("route53-0", &half, ""), back("alb-1", &half, "")},
			mark: shift.Mark{Attempt: 2, Epoch: 4, Version: 10, Phase: shift.RollingBack, Rollback: true},
		},
		"without any mark it leaves the first": {
			plan: func(*far, *far) {},
			want: []DirectResult{back("route53-0", &half, ""), back("alb-1", &half, "")},
			mark: shift.Mark{Attempt: 1, Version: 1, Phase: shift.RollingBack, Rollback: true},
		},
		"what can't be read is written all the same": {
			plan: func(names, rules *far) {
				names.readings["route53-0"].Err = "access denied"
				rules.readings["alb-1"].Mark = daemonsMark(3, 5)
			},
			want: []DirectResult{back("route53-0", &zero, ""), back("alb-1", &half, "")},
			mark: shift.Mark{Attempt: 3, Epoch: 4, Version: 6, Phase: shift.RollingBack, Rollback: true},
		},
		"what is refused is tried again": {
			plan: func(_, rules *far) { rules.refuses["alb-1"] = 3 },
			want: []DirectResult{back("route53-0", &half, ""), back("alb-1", &half, "")},
			mark: shift.Mark{Attempt: 1, Version: 1, Phase: shift.RollingBack, Rollback: true},
			says: "shop, entrance alb-1: refused: throttled",
		},
		"a blue that is proven dead is waited for": {
			plan: func(_, rules *far) {
				dead(rules.readings["alb-1"])
				rules.onRead = func(n int) {
					if n == 4 {
						rules.readings["alb-1"].BlueTargets.Healthy = 1
					}
				}
			},
			want: []DirectResult{back("route53-0", &half, ""), back("alb-1", &half, "")},
			mark: shift.Mark{Attempt: 1, Version: 1, Phase: shift.RollingBack, Rollback: true},
			says: "shop, entrance alb-1: it waits: blue has no healthy target there and green has some; --force overrules that",
		},
		"a blue that stays dead gets nothing": {
			plan: func(_, rules *far) { dead(rules.readings["alb-1"]) },
			want: []DirectResult{back("route53-0", &half, ""), {
				Pair: "shop", Entrance: "alb-1", Was: &half, Now: &half,
				Note: "blue has no healthy target there and green has some, so nothing was written; --force overrules that",
			}},
			mark: shift.Mark{Attempt: 1, Version: 1, Phase: shift.RollingBack, Rollback: true},
			says: "shop, entrance alb-1: it waits: blue has no healthy target there and green has some; --force overrules that",
		},
		"force overrules a dead blue": {
			plan:  func(_, rules *far) { dead(rules.readings["alb-1"]) },
			force: true,
			want:  []DirectResult{back("route53-0", &half, ""), back("alb-1", &half, "")},
			mark:  shift.Mark{Attempt: 1, Version: 1, Phase: shift.RollingBack, Rollback: true},
		},
		"unknown health of blue refuses nothing": {
			plan: func(_, rules *far) { rules.readings["alb-1"].GreenTargets = shift.Targets{Known: true, Healthy: 2} },
			want: []DirectResult{back("route53-0", &half, ""), back("alb-1", &half, "")},
			mark: shift.Mark{Attempt: 1, Version: 1, Phase: shift.RollingBack, Rollback: true},
		},
		"a daemon that writes in between is outranked": {
			plan: func(_, rules *far) {
				rules.readings["alb-1"].Mark = daemonsMark(2, 7)
				rules.onRead = func(n int) {
					if n == 2 { // its rise was on the way
						*rules.readings["alb-1"] = shift.EntranceReading{Name: "alb-1", Weights: half.Weights(), Mark: daemonsMark(2, 8)}
					}
				}
			},
			want: []DirectResult{back("route53-0", &half, ""), back("alb-1", &half, "")},
			mark: shift.Mark{Attempt: 2, Epoch: 4, Version: 9, Phase: shift.RollingBack, Rollback: true},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			names, rules := newFar("route53-0"), newFar("alb-1")
			test.plan(names, rules)
			d := directOf(t, names, rules)
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				var said []string
				got, err := d.RollBack(ctx, DirectOptions{Pairs: []string{"shop"}, Force: test.force, Say: func(s string) { said = append(said, s) }})
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(test.want, got); diff != "" {
					t.Errorf("results (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(test.says, strings.Join(said, "\n")); diff != "" {
					t.Errorf("said (-want +got):\n%s", diff)
				}
			})
			if diff := cmp.Diff(test.mark, lastMark(names, rules)); diff != "" {
				t.Errorf("the newest mark written (-want +got):\n%s", diff)
			}
			for _, changes := range slices.Concat(names.commits, rules.commits) {
				for _, c := range changes {
					if c.Priority != shift.Rollback || c.Wanted != 0 {
						t.Errorf("it wrote %s as %s", c.Wanted, c.Priority)
					}
				}
			}
		})
	}
}

// lastMark is the newest that was written.
func lastMark(sides ...*far) shift.Mark {
	var newest shift.Mark
	for _, f := range sides {
		for _, changes := range f.commits {
			for _, c := range changes {
				if c.Control.Compare(newest) > 0 {
					newest = c.Control
				}
			}
		}
	}
	return newest
}

func TestDirectRollbackLeavesAloneWhatStandsAtBlue(t *testing.T) {
	names, rules := newFar("route53-0"), newFar("alb-1")
	names.readings["route53-0"].Weights, rules.readings["alb-1"].Weights = shift.Weights{Blue: 1}, shift.Share(0).Weights()
	got, err := directOf(t, names, rules).RollBack(t.Context(), DirectOptions{Pairs: []string{"shop"}})
	if err != nil {
		t.Fatal(err)
	}
	zero := shift.Share(0)
	want := []DirectResult{
		{Pair: "shop", Entrance: "route53-0", Was: &zero, Now: &zero, Back: true},
		{Pair: "shop", Entrance: "alb-1", Was: &zero, Now: &zero, Back: true},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("results (-want +got):\n%s", diff)
	}
	if n := len(names.commits) + len(rules.commits); n != 0 {
		t.Errorf("%d writes", n)
	}
}

// A person who gives up doesn't leave a write half done, and is told where it stands.
func TestDirectRollbackEndsWithItsContext(t *testing.T) {
	names, rules := newFar("route53-0"), newFar("alb-1")
	rules.refuses["alb-1"] = 1000
	ctx, cancel := context.WithCancel(t.Context())
	rules.onWrite = cancel
	got, err := directOf(t, names, rules).RollBack(ctx, DirectOptions{Pairs: []string{"shop"}})
	if err != nil {
		t.Fatal(err)
	}
	if !got[0].Back || got[1].Back || got[1].Note != "refused: throttled" {
		t.Errorf("results %+v", got)
	}
	if len(rules.commits) != 1 || rules.reads != 2 {
		t.Errorf("after the end of its context it wrote %d times and looked %d times", len(rules.commits), rules.reads)
	}
}

// A look that takes all the time there is doesn't keep the one write from going out.
func TestDirectRollbackWritesHoweverShortTheTime(t *testing.T) {
	names, rules := newFar("route53-0"), newFar("alb-1")
	d := directOf(t, names, rules)
	synctest.Test(t, func(t *testing.T) {
		names.onRead = func(int) { time.Sleep(3 * time.Second) }
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		got, err := d.RollBack(ctx, DirectOptions{Pairs: []string{"shop"}})
		if err != nil {
			t.Fatal(err)
		}
		if !got[0].Back || !got[1].Back {
			t.Errorf("results %+v", got)
		}
		gaveUp, giveUp := context.WithCancel(t.Context())
		giveUp()
		*names.readings["route53-0"] = shift.EntranceReading{Name: "route53-0", Weights: shift.Share(50).Weights()}
		if got, err := d.RollBack(gaveUp, DirectOptions{Pairs: []string{"shop"}}); err != nil || got[0].Back || len(names.commits) != 1 {
			t.Errorf("after the person gave up: %v, %+v, %d writes", err, got, len(names.commits))
		}
	})
}

func TestDirectRollbackOfSeveralPairsSendsAllAtOnce(t *testing.T) {
	names, rules := newFar("route53-0"), newFar("alb-1")
	got, err := directOf(t, names, rules).RollBack(t.Context(), DirectOptions{Pairs: []string{"blog", "shop"}})
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 4 || len(names.commits) != 1 || len(names.commits[0]) != 2 || len(rules.commits) != 1 || len(rules.commits[0]) != 2 {
		t.Errorf("%d results, commits %v and %v", len(got), names.commits, rules.commits)
	}
	if _, err := directOf(t, names, rules).RollBack(t.Context(), DirectOptions{Pairs: []string{"shpo"}}); err == nil || !strings.Contains(err.Error(), "no pair shpo; it has shop, blog") {
		t.Errorf("the error is %v", err)
	}
}
