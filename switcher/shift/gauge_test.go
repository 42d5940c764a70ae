package shift

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// loaded is judged with two workloads, one load, and a policy: blue carried 100
// requests a second on 10 replicas of web and 4 of api.
func loaded(spoil func(t *turn)) *turn {
	return judged(func(t *turn) {
		web := func(ready int) Workload {
			return Workload{Kind: "Deployment", Namespace: "shop", Name: "web", Ready: ready}
		}
		api := func(ready int) Workload {
			return Workload{Kind: "Deployment", Namespace: "shop", Name: "api", Ready: ready}
		}
		t.next.Baseline = Baseline{
			At: t.next.StartedAt, Ready: 14,
			Workloads: []WorkloadBaseline{{"Deployment shop/web", 10}, {"Deployment shop/api", 4}},
			Loads:     []LoadBaseline{{"alb", 100}},
		}
		t.p.Capacity = CapacityPolicy{AtLeast: 90, Loads: []LoadSource{{Name: "alb"}}}
		t.o.Loads = []LoadReading{t.loadReading("alb", 70, 30)}
		t.o.Blue.Workloads = []Workload{web(10), api(4)}
		t.o.Green.Workloads = []Workload{web(10), api(4)}
		if spoil != nil {
			spoil(t)
		}
	})
}

func (t *turn) loadReading(name string, blue, green float64) LoadReading {
	return LoadReading{
		Name: name, From: t.now.Add(-5 * time.Minute), To: t.now, At: t.now, FreshFor: time.Minute, Blue: blue, Green: green,
		Past: LoadPast{Windows: 4, Least: blue, Most: blue},
	}
}

// The capacity of blue for all of the load, whatever is wrong with what is known.
func TestHowMuchOfTheLoadBlueCanCarry(t *testing.T) {
	const web, api = "Deployment shop/web", "Deployment shop/api"
	load := func(blue, green float64) func(t *turn) {
		return func(t *turn) { t.o.Loads[0] = t.loadReading("alb", blue, green) }
	}
	ready := func(t *turn, web, api int) { t.o.Blue.Workloads[0].Ready, t.o.Blue.Workloads[1].Ready = web, api }
	for name, test := range map[string]struct {
		spoil func(t *turn)
		want  SideCapacity
	}{
		"all is as it was": {nil, SideCapacity{Known: true, Percent: 100, Weakest: web, Ready: 10, Need: 10, ByLoad: true}},
		"an autoscaler took six of ten": {
			func(t *turn) { ready(t, 4, 4) }, SideCapacity{Known: true, Percent: 40, Weakest: web, Ready: 4, Need: 10, ByLoad: true},
		},
		"the small one is the weakest": {
			func(t *turn) { ready(t, 10, 1) }, SideCapacity{Known: true, Percent: 25, Weakest: api, Ready: 1, Need: 4, ByLoad: true},
		},
		"the load doubled": {load(100, 100), SideCapacity{Known: true, Percent: 50, Weakest: web, Ready: 10, Need: 20, ByLoad: true}},
		"the load fell to a half, and so did blue": {
			func(t *turn) { load(20, 30)(t); ready(t, 5, 2) }, SideCapacity{Known: true, Percent: 100, Weakest: web, Ready: 5, Need: 5, ByLoad: true},
		},
		"the load grew by what a rate over minutes doesn't show": {
			load(100, 5), SideCapacity{Known: true, Percent: 100, Weakest: web, Ready: 10, Need: 10, ByLoad: true},
		},
		"a part of a replica is needed whole, but counts as what it is": {
			load(100, 11), SideCapacity{Known: true, Percent: 90, Weakest: web, Ready: 10, Need: 12, ByLoad: true},
		},
		"nobody asks for anything: one replica of each all the same": {
			func(t *turn) { load(0, 0)(t); ready(t, 1, 0) }, SideCapacity{Known: true, Weakest: api, Need: 1, ByLoad: true},
		},
		"blue was scaled to nothing": {
			func(t *turn) { ready(t, 0, 0) }, SideCapacity{Known: true, Weakest: web, Need: 10, ByLoad: true},
		},
		"blue is far bigger than it needs": {
			func(t *turn) { ready(t, 10_000, 4_000) }, SideCapacity{Known: true, Percent: 999, Weakest: web, Ready: 10_000, Need: 10, ByLoad: true},
		},
		"the load is not to be believed": {
			load(math.MaxFloat64, 0), SideCapacity{Known: true, Weakest: web, Ready: 10, Need: 1 << 30, ByLoad: true},
		},
		"the load is no number: replicas count": {
			func(t *turn) { load(math.NaN(), 0)(t); ready(t, 6, 4) }, SideCapacity{Known: true, Percent: 60, Weakest: web, Ready: 6, Need: 10},
		},
		"the load is below nothing":  {func(t *turn) { load(-1, 0)(t); ready(t, 6, 4) }, SideCapacity{Known: true, Percent: 60, Weakest: web, Ready: 6, Need: 10}},
		"the load is without bounds": {func(t *turn) { load(math.Inf(1), 0)(t); ready(t, 6, 4) }, SideCapacity{Known: true, Percent: 60, Weakest: web, Ready: 6, Need: 10}},
		"the load is of long ago, when it was small": {
			func(t *turn) { load(10, 0)(t); t.o.Loads[0].To = t.now.Add(-2 * time.Minute); ready(t, 6, 4) },
			SideCapacity{Known: true, Percent: 60, Weakest: web, Ready: 6, Need: 10},
		},
		"the load can't be measured": {
			func(t *turn) { t.o.Loads[0].Err = "throttled"; ready(t, 6, 4) }, SideCapacity{Known: true, Percent: 60, Weakest: web, Ready: 6, Need: 10},
		},
		"the source of the load is gone from the configuration": {
			func(t *turn) { t.p.Capacity.Loads = nil; load(400, 0)(t); ready(t, 6, 4) }, SideCapacity{Known: true, Percent: 60, Weakest: web, Ready: 6, Need: 10},
		},
		"a source came that blue's measure knows nothing of: replicas count beside it": {
			func(t *turn) {
				t.p.Capacity.Loads = append(t.p.Capacity.Loads, LoadSource{Name: "new"})
				t.o.Loads = append(t.o.Loads, t.loadReading("new", 1000, 0))
				load(50, 0)(t)
				ready(t, 6, 4)
			}, SideCapacity{Known: true, Percent: 60, Weakest: web, Ready: 6, Need: 10},
		},
		"blue was idle when it was measured: that says nothing of a replica": {
			func(t *turn) { t.next.Baseline.Loads[0].Rate = 0.2; ready(t, 6, 4) }, SideCapacity{Known: true, Percent: 60, Weakest: web, Ready: 6, Need: 10},
		},
		"only one workload carries the load": {
			func(t *turn) { t.p.Capacity.Loads[0].Workloads = []string{api}; load(200, 0)(t) },
			SideCapacity{Known: true, Percent: 50, Weakest: api, Ready: 4, Need: 8, ByLoad: true},
		},
		"a replica is known to carry more than blue was seen to": {
			func(t *turn) {
				t.p.Capacity.Loads[0] = LoadSource{Name: "alb", Workloads: []string{web}, PerReplica: 50}
				load(300, 0)(t)
			}, SideCapacity{Known: true, Percent: 100, Weakest: api, Ready: 4, Need: 4},
		},
		"a replica is thought to carry less than blue was seen to": {
			func(t *turn) {
				t.p.Capacity.Loads[0] = LoadSource{Name: "alb", Workloads: []string{web}, PerReplica: 1}
			},
			SideCapacity{Known: true, Percent: 100, Weakest: web, Ready: 10, Need: 10, ByLoad: true},
		},
		"blue was idle when it was measured, but a replica's load is known": {
			func(t *turn) {
				t.next.Baseline.Loads = nil
				t.p.Capacity.Loads[0] = LoadSource{Name: "alb", Workloads: []string{web}, PerReplica: 5}
			}, SideCapacity{Known: true, Percent: 50, Weakest: web, Ready: 10, Need: 20, ByLoad: true},
		},
		"of two loads the heavier counts": {
			func(t *turn) {
				t.p.Capacity.Loads = append(t.p.Capacity.Loads, LoadSource{Name: "other", Workloads: []string{api}})
				t.next.Baseline.Loads = append(t.next.Baseline.Loads, LoadBaseline{"other", 10})
				t.o.Loads = append(t.o.Loads, t.loadReading("other", 40, 0))
			}, SideCapacity{Known: true, Percent: 25, Weakest: api, Ready: 4, Need: 16, ByLoad: true},
		},
		"a workload vanished from blue": {
			func(t *turn) { t.o.Blue.Workloads = t.o.Blue.Workloads[:1] }, SideCapacity{Known: true, Weakest: api, Need: 4, ByLoad: true},
		},
		"a release took it away on both sides": {
			func(t *turn) {
				t.o.Blue.Workloads, t.o.Green.Workloads = t.o.Blue.Workloads[:1], t.o.Green.Workloads[:1]
			},
			SideCapacity{Known: true, Percent: 100, Weakest: web, Ready: 10, Need: 10, ByLoad: true},
		},
		"it vanished from blue, and green can't be read": {
			func(t *turn) {
				t.o.Blue.Workloads, t.o.Green.Workloads, t.o.Green.Err = t.o.Blue.Workloads[:1], t.o.Green.Workloads[:1], "timeout"
			}, SideCapacity{Known: true, Weakest: api, Need: 4, ByLoad: true},
		},
		"those without a place in the journal count together": {
			func(t *turn) { t.next.Baseline.Workloads, t.next.Baseline.Ready = t.next.Baseline.Workloads[:1], 30 },
			SideCapacity{Known: true, Percent: 46, Ready: 14, Need: 30, ByLoad: true},
		},
		"one that may run in one cluster only counts for nothing": {
			func(t *turn) { t.o.Blue.Workloads[1].Single = true }, SideCapacity{Known: true, Weakest: api, Need: 4, ByLoad: true},
		},
		"blue can't be read":     {func(t *turn) { t.o.Blue.Err = "timeout" }, SideCapacity{Why: "blue can't be read: timeout"}},
		"blue was read long ago": {func(t *turn) { t.o.Blue.At = t.now.Add(-time.Hour) }, SideCapacity{Why: "blue was not read within 30s"}},
		"there is no measure":    {func(t *turn) { t.next.Baseline = Baseline{} }, SideCapacity{Why: "what blue carried everything with was not measured"}},
		"nothing is left of what it was": {
			func(t *turn) { t.o.Blue.Workloads, t.o.Green.Workloads = nil, nil },
			SideCapacity{Why: "none of the workloads that carried everything is there any more"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			turn := loaded(test.spoil)
			if diff := cmp.Diff(test.want, CapacityOf(turn.p, turn.next, turn.o, Blue, Full, turn.now)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// A cold green isn't given a share that it cannot carry.
func TestGreenNeedsWhatTheNextShareOfTheLoadOfNowNeeds(t *testing.T) {
	green := func(web, api int) func(t *turn) {
		return func(t *turn) {
			t.p.Gates.ReplicasAtLeast = 0
			t.o.Green.Workloads[0].Ready, t.o.Green.Workloads[1].Ready = web, api
		}
	}
	for name, test := range map[string]struct {
		spoil func(t *turn)
		want  Verdict
	}{
		"half of the load on half of the replicas": {green(5, 2), Verdict{"replicas", Pass, "green has 7 ready replicas, 7 are needed for 50 %"}},
		"one workload of green is cold": {
			green(10, 1), Verdict{"replicas", Fail, "green's Deployment shop/api has 1 ready replicas; 50 % of the load needs 2, as blue carried everything on 4 and by the load of now"},
		},
		"an autoscaler whose floor follows the share has no need to be as large as blue's": {
			func(t *turn) {
				green(5, 4)(t)
				t.p.Gates.ReplicasAtLeast, t.p.Capacity.Pin = 100, true
				t.o.Floors.Green = []Autoscaler{{Workload: "Deployment shop/web", Min: 5, Max: 20}}
			},
			Verdict{"replicas", Pass, "green has 9 ready replicas, 7 are needed for 50 %"},
		},
		"one without an autoscaler has": {
			func(t *turn) {
				green(5, 2)(t)
				t.p.Gates.ReplicasAtLeast, t.p.Capacity.Pin = 100, true
				t.o.Floors.Green = []Autoscaler{{Workload: "Deployment shop/web", Min: 5, Max: 20}}
			},
			Verdict{"replicas", Fail, "green's Deployment shop/api has 2 ready replicas, blue's has 4; at least 4 are needed"},
		},
		"the load doubled in mid shift": {
			func(t *turn) { green(5, 2)(t); t.o.Loads[0] = t.loadReading("alb", 140, 60) },
			Verdict{"replicas", Fail, "green's Deployment shop/web has 5 ready replicas; 50 % of the load needs 10, as blue carried everything on 10 and by the load of now"},
		},
		"the load fell": {
			func(t *turn) { green(2, 1)(t); t.o.Loads[0] = t.loadReading("alb", 20, 10) },
			Verdict{"replicas", Pass, "green has 3 ready replicas, 3 are needed for 50 %"},
		},
		"the load isn't known": {
			func(t *turn) { green(4, 2)(t); t.o.Loads = nil },
			Verdict{"replicas", Fail, "green's Deployment shop/web has 4 ready replicas; 50 % of the load needs 5, as blue carried everything on 10"},
		},
		"blue was never measured": {
			func(t *turn) { green(5, 2)(t); t.next.Baseline = Baseline{} },
			Verdict{"replicas", Unmeasured, "what green can carry is unknown: what blue carried everything with was not measured"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff([]Verdict{test.want}, replicasSuffice(loaded(test.spoil), 50)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestGateOnBluesCapacity(t *testing.T) {
	shrunk := func(t *turn) { t.o.Blue.Workloads[0].Ready = 8 }
	for name, test := range map[string]struct {
		spoil func(t *turn)
		want  Judgement
	}{
		"blue has what it needs":           {nil, Pass},
		"blue has less than the policy":    {shrunk, Fail},
		"blue has just what the policy is": {func(t *turn) { shrunk(t); t.p.Capacity.AtLeast = 80 }, Pass},
		"the policy only warns":            {func(t *turn) { shrunk(t); t.p.Capacity.Warn = true }, Pass},
		"there is no policy":               {func(t *turn) { shrunk(t); t.p.Capacity.AtLeast = 0 }, Pass},
		"blue is unknown":                  {func(t *turn) { t.o.Blue.Err = "timeout" }, Unmeasured},
		"blue is unknown, and the policy only warns": {
			func(t *turn) { t.o.Blue.Err = "timeout"; t.p.Capacity.Warn = true }, Unmeasured,
		},
		"blue is unknown, and there is no policy": {func(t *turn) { t.o.Blue.Err = "timeout"; t.p.Capacity.AtLeast = 0 }, Pass},
	} {
		t.Run(name, func(t *testing.T) {
			if got := worst(blueCanTakeAll(loaded(test.spoil), 50)); got.Judgement != test.want {
				t.Errorf("got %+v, want %s", got, test.want)
			}
		})
	}
}

// What the journal holds is bounded, however large blue is.
func TestTheBaselineFitsIntoTheJournal(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		turn := judged(nil)
		n, size := rapid.IntRange(0, 5000).Draw(rt, "workloads"), rapid.IntRange(1, 253).Draw(rt, "size")
		turn.o.Blue.Workloads, turn.o.Loads, turn.p.Capacity.Loads = nil, nil, nil
		for i := range n {
			turn.o.Blue.Workloads = append(turn.o.Blue.Workloads, Workload{
				Kind: "StatefulSet", Namespace: strings.Repeat("n", min(size, 63)), Name: fmt.Sprintf("%s%d", strings.Repeat("w", size), i),
				Ready: rapid.IntRange(0, 1_000_000).Draw(rt, "ready"), Single: i%7 == 0,
			})
		}
		for i := range rapid.IntRange(0, 100).Draw(rt, "loads") {
			name := fmt.Sprintf("%s%d", strings.Repeat("l", 60), i)
			turn.p.Capacity.Loads = append(turn.p.Capacity.Loads, LoadSource{Name: name})
			turn.o.Loads = append(turn.o.Loads, turn.loadReading(name, 1.0/3+float64(i), 0))
		}
		turn.p.Capacity.Pin = true
		turn.next.Baseline = turn.takeBaseline()
		for i := range turn.o.Loads {
			turn.o.Loads[i].Blue *= 7.0 / 3
		}
		turn.keepFloors()
		if b := turn.next.Baseline; b.Ready != turn.o.Blue.Ready() || len(b.Workloads) > 200 {
			rt.Fatalf("%d workloads of %d replicas are kept as %d of %d", n, turn.o.Blue.Ready(), len(b.Workloads), b.Ready)
		}
		text, err := json.Marshal(turn.next)
		if err != nil || len(text) > 32<<10 {
			rt.Fatalf("%d workloads take %d bytes (%v)", n, len(text), err)
		}
		for i, w := range turn.next.Baseline.Workloads { // the largest are kept
			if i > 0 && w.Ready > turn.next.Baseline.Workloads[i-1].Ready {
				rt.Fatalf("%v comes after %v", w, turn.next.Baseline.Workloads[i-1])
			}
		}
	})
}

// Capacity is honest, whatever is thrown at it: never more than the replicas
// that are there could carry, by the load or by what blue was.
func TestCapacityIsNeverAboveWhatEachWorkloadHas(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		share := Share(rapid.IntRange(1, 100).Draw(rt, "share"))
		load := rapid.Float64Range(0, 1e9).Draw(rt, "load")
		turn := loaded(func(t *turn) {
			t.o.Loads[0] = t.loadReading("alb", load, 0)
			t.o.Green.Workloads[0].Ready = rapid.IntRange(0, 1000).Draw(rt, "web")
			t.o.Green.Workloads[1].Ready = rapid.IntRange(0, 1000).Draw(rt, "api")
		})
		c := turn.capacity(Green, share)
		for i, n := range []float64{10, 4} {
			have := float64(turn.o.Green.Workloads[i].Ready)
			if asks := n * load / 105 * float64(share) / 100; c.Percent > 100 && have < math.Floor(asks) || c.Percent < 0 || c.Percent > 999 {
				rt.Fatalf("%+v, but workload %d has %v, %v are needed", c, i, have, asks)
			}
			if c.Percent >= 100 && have == 0 {
				rt.Fatalf("%+v, but workload %d has nothing", c, i)
			}
		}
	})
}

// At rest nobody asks for loads: those that come before the first step still
// tell what blue's replicas carry, those that come later don't.
func TestLoadsAreMeasuredWhileBlueCarriesEverything(t *testing.T) {
	for name, test := range map[string]struct {
		spoil func(w *world)
		late  func(w *world)
		want  []LoadBaseline
	}{
		"known from the start":           {func(*world) {}, func(*world) {}, []LoadBaseline{{"shop", 100}}},
		"it comes before the first step": {func(w *world) { w.demand.absent = true }, func(w *world) { w.demand.absent = false }, []LoadBaseline{{"shop", 100}}},
		"it changes meanwhile":           {func(*world) {}, func(w *world) { w.demand.perSecond = 500 }, []LoadBaseline{{"shop", 100}}},
		"it can't be measured":           {func(w *world) { w.demand.err = "throttled" }, func(*world) {}, nil},
		"its source has counted for half a minute": {
			func(w *world) { w.demand.since = w.now.Add(-30 * time.Second) }, func(*world) {}, []LoadBaseline{{"shop", 100}},
		},
		"its source begins anew while it is waited for": {
			func(w *world) { w.demand.since = w.now.Add(-30 * time.Second) }, func(w *world) { w.demand.since = w.now }, []LoadBaseline{{"shop", 100}},
		},
		"users come before the first step": {
			func(w *world) { w.demand.perSecond = 0.1 }, func(w *world) { w.demand.perSecond = 100 }, []LoadBaseline{{"shop", 100}},
		},
		"it comes when green has users": {func(w *world) { w.demand.absent = true }, func(w *world) {
			for w.mind.Share == 0 {
				w.tick(10 * time.Second)
			}
			w.demand.absent = false
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			w.measured(100)
			w.ask = Request{Serve: Green, Attempt: 1}
			test.spoil(w)
			w.tick(10 * time.Second)
			test.late(w)
			for range 20 {
				w.tick(10 * time.Second)
			}
			if diff := cmp.Diff(test.want, w.mind.Baseline.Loads); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
