package shift

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// pinned is loaded with floors held for the next share, 50 %, for five minutes.
func pinned(spoil func(t *turn)) *turn {
	return loaded(func(t *turn) {
		t.p.Capacity.Pin = true
		t.next.FloorsHeld, t.next.Floors = true, &FloorsState{Since: t.next.ReachedAt, Share: 50}
		hpa := func(name string, least, was int) Autoscaler {
			return Autoscaler{Kind: "HorizontalPodAutoscaler", Namespace: "shop", Name: name, Workload: "Deployment shop/" + name, Min: least, Max: 50, Held: least, Was: was}
		}
		t.o.Floors = FloorsReading{
			At: t.now, Blue: []Autoscaler{hpa("web", 10, 2), hpa("api", 4, 1)}, Green: []Autoscaler{hpa("web", 5, 2), hpa("api", 2, 1)},
		}
		if spoil != nil {
			spoil(t)
		}
	})
}

func TestGateOnFloors(t *testing.T) {
	for name, test := range map[string]struct {
		spoil func(t *turn)
		want  Verdict
	}{
		"all are held":               {nil, Verdict{floorsGate, Pass, "the floors of 4 autoscalers are held"}},
		"there are no autoscalers":   {func(t *turn) { t.o.Floors.Blue, t.o.Floors.Green = nil, nil }, Verdict{floorsGate, Pass, "the floors of 0 autoscalers are held"}},
		"blue's isn't raised yet":    {func(t *turn) { t.o.Floors.Blue[0].Min = 9 }, Verdict{floorsGate, Wait, "HorizontalPodAutoscaler shop/web of blue is at 9, 10 is to be held"}},
		"green's isn't raised yet":   {func(t *turn) { t.o.Floors.Green[1].Min = 1 }, Verdict{floorsGate, Wait, "HorizontalPodAutoscaler shop/api of green is at 1, 2 is to be held"}},
		"somebody's own is higher":   {func(t *turn) { t.o.Floors.Blue[0].Min, t.o.Floors.Blue[0].Held = 30, 0 }, Verdict{floorsGate, Pass, "the floors of 4 autoscalers are held"}},
		"its maximum is less":        {func(t *turn) { t.o.Floors.Blue[0].Min, t.o.Floors.Blue[0].Max = 8, 8 }, Verdict{floorsGate, Pass, "the floors of 4 autoscalers are held"}},
		"it scales what isn't known": {func(t *turn) { t.o.Floors.Blue[0].Workload, t.o.Floors.Blue[0].Min = "Deployment shop/new", 1 }, Verdict{floorsGate, Pass, "the floors of 3 autoscalers are held"}},
		"a GitOps tool fights back": {
			func(t *turn) { t.o.Floors.Blue[0].Min, t.o.Floors.Blue[0].RevertedBy = 2, "argocd-controller" },
			Verdict{floorsGate, Fail, "argocd-controller set HorizontalPodAutoscaler shop/web of blue back to 2, 10 is to be held"},
		},
		"another pair holds it lower": {
			func(t *turn) { t.o.Floors.Green[0].Min, t.o.Floors.Green[0].HeldBy = 3, "pair api" },
			Verdict{floorsGate, Fail, "HorizontalPodAutoscaler shop/web of green is held by pair api at 3, 5 is to be held"},
		},
		"another pair holds it high enough": {
			func(t *turn) { t.o.Floors.Green[0].Min, t.o.Floors.Green[0].HeldBy = 6, "pair api" },
			Verdict{floorsGate, Pass, "the floors of 4 autoscalers are held"},
		},
		"the load doubled since": {
			func(t *turn) {
				t.next.Floors.Peaks = []LoadBaseline{{"alb", 200}}
			}, Verdict{floorsGate, Wait, "HorizontalPodAutoscaler shop/web of blue is at 10, 20 is to be held"},
		},
		"they were read before they were raised": {
			func(t *turn) { t.next.Floors.Since = t.now.Add(time.Second) }, Verdict{floorsGate, Wait, "floors are being raised"},
		},
		"nothing was told to hold them yet": {
			func(t *turn) { t.next.FloorsHeld, t.next.Floors = false, nil }, Verdict{floorsGate, Wait, "floors are being raised"},
		},
		"a side can't be written": {
			func(t *turn) { t.o.Floors.Err = "green: forbidden" }, Verdict{floorsGate, Unmeasured, "whether floors are held is unknown: green: forbidden"},
		},
		"they were never read": {
			func(t *turn) { t.o.Floors = FloorsReading{} }, Verdict{floorsGate, Unmeasured, "whether floors are held is unknown: autoscalers were not read yet"},
		},
		"they were read long ago": {
			func(t *turn) { t.o.Floors.At = t.now.Add(-time.Minute) }, Verdict{floorsGate, Unmeasured, "whether floors are held is unknown: autoscalers were not read within 30s"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff([]Verdict{test.want}, floorsHeld(pinned(test.spoil), 50)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	if got := floorsHeld(loaded(nil), 50); got != nil {
		t.Errorf("a pair that doesn't hold floors is judged by them: %v", got)
	}
}

// What is intended follows from where the pair stands.
func TestFloorsThatFollowFromTheState(t *testing.T) {
	floors := func(web, api int) []Floor {
		return []Floor{{"Deployment shop/web", web}, {"Deployment shop/api", api}}
	}
	hold := func(blue, green []Floor) ClusterIntent {
		return ClusterIntent{Attempt: 1, Hold: true, Blue: blue, Green: green}
	}
	back, leave := ClusterIntent{Attempt: 1}, ClusterIntent{Attempt: 1, Leave: true}
	phase := func(p Phase) func(t *turn) {
		return func(t *turn) { t.next.Phase = p }
	}
	for name, test := range map[string]struct {
		spoil func(t *turn)
		want  ClusterIntent
	}{
		"green gets ready for its next share": {nil, hold(floors(10, 4), floors(5, 2))},
		"the last share is next":              {func(t *turn) { t.next.Step, t.next.Share = 2, 50 }, hold(floors(10, 4), floors(10, 4))},
		"standby":                             {func(t *turn) { phase(OnStandby)(t); t.next.Share = 100 }, hold(floors(10, 4), floors(10, 4))},
		"a lower share was adopted: green's don't fall": {
			func(t *turn) { t.next.Step, t.next.Share, t.next.Floors.Share = 0, 0, 100 }, hold(floors(10, 4), floors(10, 4)),
		},
		"the load doubled": {
			func(t *turn) { t.o.Loads[0] = t.loadReading("alb", 100, 100) }, hold(floors(20, 8), floors(10, 4)),
		},
		"it fell again: nobody is let go": {
			func(t *turn) {
				t.next.Floors.Peaks = []LoadBaseline{{"alb", 200}}
				t.o.Loads[0] = t.loadReading("alb", 10, 0)
			},
			hold(floors(20, 8), floors(10, 4)),
		},
		"blue and load shrank: blue keeps what carried everything": {
			func(t *turn) { t.o.Blue.Workloads[0].Ready = 3; t.o.Loads[0] = t.loadReading("alb", 10, 0) }, hold(floors(10, 4), floors(5, 2)),
		},
		"the planned way back": {func(t *turn) { phase(Returning)(t); t.next.Share, t.next.Floors.Share = 25, 100 }, hold(floors(10, 4), floors(10, 4))},
		"the fast way back":    {phase(RollingBack), hold(floors(10, 4), floors(5, 2))},
		"back on blue":         {phase(RolledBack), back},
		"completed":            {phase(Completed), back},
		"completed, and all was given back": {
			func(t *turn) {
				phase(Completed)(t)
				t.next.Floors = &FloorsState{Since: t.now.Add(-time.Minute)}
				t.o.Floors.Blue, t.o.Floors.Green = nil, nil
			}, leave,
		},
		"completed, and it was read before that was told": {
			func(t *turn) {
				phase(Completed)(t)
				t.next.Floors = &FloorsState{Since: t.now}
				t.o.Floors.Blue, t.o.Floors.Green = nil, nil
			}, back,
		},
		"completed, and what was seen is old": {
			func(t *turn) {
				phase(Completed)(t)
				t.next.Floors = &FloorsState{Since: t.now.Add(-2 * time.Hour)}
				t.o.Floors = FloorsReading{At: t.now.Add(-time.Hour)}
			}, back,
		},
		"completed, and one side can't be read": {
			func(t *turn) {
				phase(Completed)(t)
				t.next.Floors = &FloorsState{Since: t.now.Add(-time.Minute)}
				t.o.Floors = FloorsReading{At: t.now, Err: "blue: timeout"}
			}, back,
		},
		"a person went back after completion: they are held again": {
			func(t *turn) { phase(RollingBack)(t); t.next.FloorsHeld, t.next.Floors = false, nil }, hold(floors(10, 4), floors(3, 1)),
		},
		"the configuration no longer asks for it": {func(t *turn) { t.p.Capacity.Pin = false }, back},
		"it never did": {
			func(t *turn) {
				t.p.Capacity.Pin = false
				t.next.FloorsHeld, t.next.Floors, t.o.Floors = false, nil, FloorsReading{}
			}, leave,
		},
		"the preflight still runs": {func(t *turn) {
			phase(InPreflight)(t)
			t.next.FloorsHeld, t.next.Floors, t.o.Floors = false, nil, FloorsReading{}
		}, leave},
		"a lost journal: what is held is found and given back": {
			func(t *turn) { phase(RolledBack)(t); t.next.FloorsHeld, t.next.Floors = false, nil }, back,
		},
		"a lost journal, and a person must say how to go on": {
			func(t *turn) {
				phase(Idle)(t)
				t.next.FloorsHeld, t.next.Floors, t.next.Question = false, nil, &Question{Reason: JournalMissing}
			}, leave,
		},
	} {
		t.Run(name, func(t *testing.T) {
			turn := pinned(test.spoil)
			turn.keepFloors()
			got := turn.clusterIntent()
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			before := turn.next.clone()
			turn.keepFloors()
			if diff := cmp.Diff(before, turn.next); diff != "" {
				t.Errorf("the same look changes the state again (-once +twice):\n%s", diff)
			}
		})
	}
}

// The floors of the attempt before are given back although a new one begins.
func TestANewAttemptRemembersWhatIsToBeGivenBack(t *testing.T) {
	w := newWorld()
	w.plan.Preflight, w.preflight.blocks = PreflightBlock, 1
	w.ask = Request{Serve: Green, Attempt: 1}
	w.demand.noFloors = "timeout"
	w.mind.FloorsHeld = true
	w.mind.Floors = &FloorsState{Since: w.now}
	w.awake = true
	if d := w.tick(10 * time.Second); d.Reason != ShiftStarted || !d.Next.FloorsHeld || d.Clusters.Leave || d.Clusters.Hold {
		t.Errorf("%s: held %t, intent %+v", d.Reason, d.Next.FloorsHeld, d.Clusters)
	}
}
