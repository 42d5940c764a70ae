package shift

import (
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/switcher/evidence"
)

// bench is a shift at 25 % (or another share) whose request gate is given intervals
// of 15 s, one a turn: blue has had 1,000 requests a second of which 0.1 % failed.
type bench struct {
	p   Plan
	s   State
	o   Observation
	now time.Time
	t   *turn // the last
}

const benchEvery = 15 * time.Second

func newBench(share Share) *bench {
	w := newWorld()
	now := time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)
	p := w.plan
	p.Steps = []Step{{Share: 10, Hold: 10 * time.Minute}, {Share: 25, Hold: 10 * time.Minute}, {Share: 50, Hold: 10 * time.Minute}, {Share: 100, Hold: 10 * time.Minute}}
	p.Gates.Traffic = nil
	p.Gates.Requests = []RequestGate{{Name: "requests", Compare: true, Tolerate: 1.25, MinExcess: 0.0005, FalseAlarms: 0.01, Interval: benchEvery}}
	s := State{
		Schema: Schema, Attempt: 1, Phase: Shifting, Steps: p.Steps, Step: stepAt(p.Steps, share), Share: share, Baseline: Baseline{Ready: 10},
		Entrances: freeze(p.Entrances, share), StartedAt: now.Add(-time.Hour), ChangedAt: now, ShownAt: now, ReachedAt: now,
	}
	b := &bench{p: p, s: s, now: now}
	b.o.Requests = []RequestReading{{
		Gate: "requests", At: now, FreshFor: time.Minute,
		Profile: &evidence.Profile{Metrics: []evidence.Metric{{Name: "errors", Ratio: 0.001, Dispersion: 1}}, Rate: 1000, From: now.Add(-2 * time.Hour), To: now},
	}}
	b.turn()
	return b
}

// turn is a turn of the daemon as far as users are judged in it.
func (b *bench) turn() requestVerdict {
	b.t = newTurn(b.p, b.s, b.o, b.now)
	b.t.gatherEvidence()
	b.t.countBreaches()
	b.s = b.t.next
	return b.t.requests(b.p.Gates.Requests[0])
}

// interval is the next, in which each side had requests of which so many were bad.
func (b *bench) interval(green, greenBad, blue, blueBad float64) evidence.Interval {
	return evidence.Interval{
		Start: b.now, End: b.now.Add(benchEvery),
		Green: []evidence.Count{{Requests: green, Bad: greenBad}}, Blue: []evidence.Count{{Requests: blue, Bad: blueBad}},
	}
}

// see lets an interval pass and gives the gate what was counted in it.
func (b *bench) see(iv evidence.Interval) requestVerdict {
	b.now = iv.End
	b.o.Requests[0].At, b.o.Requests[0].Intervals = b.now, []evidence.Interval{iv}
	return b.turn()
}

// served lets intervals pass with the share's part of 1,000 requests a second, and
// these ratios of bad ones.
func (b *bench) served(intervals int, green, blue float64) requestVerdict {
	var v requestVerdict
	for range intervals {
		part := float64(b.s.Share) / 100
		n, m := 15000*part, 15000*(1-part)
		v = b.see(b.interval(n, n*green, m, m*blue))
	}
	return v
}

// nothing lets time pass in which the source gives nothing new.
func (b *bench) nothing(d time.Duration) requestVerdict {
	b.now = b.now.Add(d)
	b.o.Requests[0].At, b.o.Requests[0].Intervals = b.now, nil
	return b.turn()
}

func (b *bench) fault(why string) requestVerdict {
	iv := b.interval(0, 0, 0, 0)
	iv.Fault = why
	return b.see(iv)
}

// edgeCase is a row of the table of edge cases in docs/gates.md.
type edgeCase struct {
	Case string
	// Does is what follows, for people.
	Does string

	share   Share
	happens func(b *bench) requestVerdict
	want    Judgement
	suffer  bool // it goes back by itself
	says    string
}

func edgeCases() []edgeCase {
	return []edgeCase{
		{
			"Green is as good as blue", "passes when that is proven, not before",
			25, func(b *bench) requestVerdict { return b.served(30, 0.001, 0.001) }, Pass, false, "proven fine: green 0.10 % of 112,500 requests failed, blue 0.10 % of 337,500",
		},
		{
			"Too little was seen to prove anything", "waits",
			25, func(b *bench) requestVerdict { return b.served(2, 0.001, 0.001) }, Wait, false, "it isn't proven yet that green is fine",
		},
		{
			"Green is five times as bad as blue", "goes back",
			25, func(b *bench) requestVerdict { return b.served(12, 0.005, 0.001) }, Fail, true, "1:100 proves it",
		},
		{
			"Green looks worse, which may be chance", "waits, also where a pass was near",
			25, func(b *bench) requestVerdict { b.served(2, 0.001, 0.001); return b.served(3, 0.005, 0.001) }, Wait, false, "green looks worse, which may be chance",
		},
		{
			"Green gets no requests although it should have had 50 or more in two intervals", "unknown, holds",
			25, func(b *bench) requestVerdict {
				b.see(b.interval(0, 0, 15000, 15))
				return b.see(b.interval(0, 0, 15000, 15))
			}, Unmeasured, false, "green gets no requests: none in 2 intervals, its share of 25 % would be 7,500",
		},
		{
			"Green gets no requests, and few are expected", "waits",
			25, func(b *bench) requestVerdict {
				b.see(b.interval(0, 0, 60, 0))
				return b.see(b.interval(0, 0, 60, 0))
			}, Wait, false, "no request to green counts yet",
		},
		{
			"Blue has no requests, at 100 %: nothing can be compared", "the limit judges: here it passes",
			100, func(b *bench) requestVerdict { return b.served(10, 0.001, 0) }, Pass, false, "blue has too few requests to compare with, and had 0.10 % before the shift",
		},
		{
			"At 100 % green is over the limit", "goes back (in standby with `autoRollback` only)",
			100, func(b *bench) requestVerdict { return b.served(12, 0.02, 0) }, Fail, true, "users suffer on green",
		},
		{
			"Errors are not counted, though requests are", "the source calls the interval faulty unless it was told that none means none: unknown",
			25, func(b *bench) requestVerdict {
				b.served(4, 0.001, 0.001)
				return b.fault("green: errors has no series")
			}, Unmeasured, false, "green: errors has no series",
		},
		{
			"The source can't be asked", "unknown at once, holds; after 10 minutes `GateUnmeasured`; never a rollback",
			25, func(b *bench) requestVerdict {
				b.served(30, 0.001, 0.001)
				b.o.Requests[0].Err = "connection refused"
				return b.nothing(time.Second)
			}, Unmeasured, false, "it can't be measured: connection refused",
		},
		{
			"A daemon has just started, and has asked for nothing yet", "unknown until it has, whatever the one before had found",
			25, func(b *bench) requestVerdict {
				b.served(30, 0.001, 0.001)
				b.o.Requests = nil
				return b.turn()
			}, Unmeasured, false, "it was not measured",
		},
		{
			"A query begins to give nothing, as after a metric was renamed", "unknown when two intervals are missing",
			25, func(b *bench) requestVerdict { b.served(30, 0.001, 0.001); return b.nothing(61 * time.Second) }, Unmeasured, false, "no new interval came",
		},
		{
			"A counter is set back on more than half of the pods", "that interval is unknown, the next one counts again",
			25, func(b *bench) requestVerdict {
				b.served(30, 0.001, 0.001)
				b.fault("green: 3 of 4 counters were set back at once")
				return b.served(1, 0.001, 0.001)
			}, Pass, false, "proven fine: green",
		},
		{
			"A fault follows an interval that proved that users suffer", "goes back all the same",
			25, func(b *bench) requestVerdict {
				b.served(12, 0.005, 0.001)
				return b.fault("green: counters were set back")
			}, Fail, true, "1:100 proves it",
		},
		{
			"Points come late", "an interval counts when it comes, once; until then what was counted stands",
			25, func(b *bench) requestVerdict {
				b.served(29, 0.001, 0.001)
				late := b.interval(3750, 3.75, 11250, 11.25)
				b.nothing(40 * time.Second)
				b.o.Requests[0].Intervals = []evidence.Interval{late}
				return b.turn()
			}, Pass, false, "of 112,500 requests failed",
		},
		{
			"The same intervals come again, as after a restart", "counted once",
			25, func(b *bench) requestVerdict {
				v := b.served(29, 0.001, 0.001)
				for range 100 {
					v = b.turn()
				}
				return v
			}, Pass, false, "of 108,750 requests failed",
		},
		{
			"Blue fails as well, both over the limit that was given", "holds (`BothSuffer`), never goes back",
			25, func(b *bench) requestVerdict {
				b.p.Gates.Requests[0].MaxErrorRatio, b.p.Gates.Requests[0].HasLimit = 0.005, true
				return b.served(12, 0.05, 0.05)
			}, Fail, false, "both sides suffer, going back helps nobody",
		},
		{
			"Both failed, over the limit that was given, and are well again", "passes when that is proven; what both suffered sends nobody back",
			25, func(b *bench) requestVerdict {
				b.p.Gates.Requests[0].MaxErrorRatio, b.p.Gates.Requests[0].HasLimit = 0.005, true
				b.served(12, 0.05, 0.05)
				return b.served(40, 0.001, 0.001)
			}, Pass, false, "proven fine: green",
		},
		{
			"Green is slightly worse for long, by less than `minExcess`", "waits, and says so",
			25, func(b *bench) requestVerdict { return b.served(400, 0.0006, 0.0002) }, Wait, false, "green is worse, but by less than the 0.05 % above blue",
		},
		{
			"Both fail, and green is far worse", "goes back",
			25, func(b *bench) requestVerdict { return b.served(12, 0.1, 0.02) }, Fail, true, "users suffer on green, and not on blue",
		},
		{
			"Both have the same trouble for some minutes", "waits, and passes when it is over",
			25, func(b *bench) requestVerdict { b.served(8, 0.02, 0.02); return b.served(20, 0.001, 0.001) }, Pass, false, "proven fine: green",
		},
		{
			"Counts that are no numbers", "that interval is unknown",
			25, func(b *bench) requestVerdict { return b.see(b.interval(math.NaN(), 0, 100, 0)) }, Unmeasured, false, "counts can't be",
		},
		{
			"Negative counts", "that interval is unknown",
			25, func(b *bench) requestVerdict { return b.see(b.interval(-1, 0, 100, 0)) }, Unmeasured, false, "counts can't be",
		},
		{
			"More bad requests than requests", "that interval is unknown",
			25, func(b *bench) requestVerdict { return b.see(b.interval(10, 11, 100, 0)) }, Unmeasured, false, "counts can't be",
		},
		{
			"A cold start within `skipFirst`", "doesn't count",
			25, func(b *bench) requestVerdict {
				b.p.Gates.Requests[0].SkipFirst = 2 * time.Minute
				return b.served(8, 0.01, 0.001)
			}, Wait, false, "no request to green counts yet",
		},
		{
			"A disaster: 20 errors and 20 % or more in two intervals in a row, blue below 5 %", "goes back at once, within `skipFirst` too",
			25, func(b *bench) requestVerdict {
				b.p.Gates.Requests[0].SkipFirst = 2 * time.Minute
				return b.served(2, 0.3, 0.001)
			}, Fail, true, "green fails users in great numbers, in two intervals in a row: in the newest green 30.00 % of 3,750 requests failed, blue 0.10 % of 11,250",
		},
		{
			"One interval of a disaster", "isn't one yet",
			25, func(b *bench) requestVerdict { return b.served(1, 0.3, 0.001) }, Wait, false, "green looks worse",
		},
		{
			"Errors are rare: five in a million instead of one", "less than `minExcess`: doesn't go back",
			25, func(b *bench) requestVerdict { return b.served(400, 0.000005, 0.000001) }, Wait, false, "",
		},
		{
			"The sides are swapped: green gets what blue is to get", "unknown, holds: every comparison would speak of the wrong side",
			25, func(b *bench) requestVerdict {
				v := requestVerdict{}
				for range 4 {
					v = b.see(b.interval(11250, 60, 3750, 4))
				}
				return v
			}, Unmeasured, false, "the sides seem to be swapped: green has 75.00 % of 60,000 requests, 25 % was intended",
		},
		{
			"The daemon's clock is behind: an interval ends in the future", "doesn't count",
			25, func(b *bench) requestVerdict {
				iv := b.interval(3750, 3750, 11250, 0)
				b.o.Requests[0].Intervals = []evidence.Interval{iv, iv}
				return b.turn()
			}, Wait, false, "no interval of 15s is over and settled yet",
		},
		{
			"Right after the share was reached", "waits for the first interval",
			25, func(b *bench) requestVerdict { return b.nothing(59 * time.Second) }, Wait, false, "no interval of 15s is over and settled yet",
		},
		{
			"No interval comes after the share was reached", "unknown",
			25, func(b *bench) requestVerdict { return b.nothing(61 * time.Second) }, Unmeasured, false, "nothing could be counted yet: no new interval came",
		},
	}
}

// TestEdgeCasesOfRequestGates plays each row of docs/gates.md.
func TestEdgeCasesOfRequestGates(t *testing.T) {
	for _, c := range edgeCases() {
		t.Run(c.Case, func(t *testing.T) {
			b := newBench(c.share)
			got := c.happens(b)
			if got.Judgement != c.want || got.suffer != c.suffer || !strings.Contains(got.Message, c.says) {
				t.Errorf("got %+v, want %s (goes back: %t): …%s…", got, c.want, c.suffer, c.says)
			}
			if _, back := b.t.usersSuffer(); back != c.suffer {
				t.Errorf("it goes back: %t, want %t", back, c.suffer)
			}
		})
	}
}

func TestGreensFirstUsersNeedBluesPast(t *testing.T) {
	for name, test := range map[string]struct {
		spoil func(r *RequestReading)
		want  Judgement
		says  string
	}{
		"blue's past is known":          {func(*RequestReading) {}, Pass, "1,000 requests a second, errors 0.10 %"},
		"it is short, which is enough":  {func(r *RequestReading) { r.Profile.Short = "blue's history is 5m0s long" }, Pass, "so much scatter is assumed"},
		"it was not measured yet":       {func(r *RequestReading) { r.Profile = nil }, Unmeasured, "it was not measured yet"},
		"it can't be measured":          {func(r *RequestReading) { r.Profile, r.Err = nil, "connection refused" }, Unmeasured, "connection refused"},
		"blue had no requests":          {func(r *RequestReading) { r.Profile.Rate = 0 }, Unmeasured, "no request to blue was counted"},
		"it has more than fits":         {func(r *RequestReading) { r.Profile.Metrics = make([]evidence.Metric, 5) }, Unmeasured, "isn't what the gate looks at"},
		"the last try failed, one held": {func(r *RequestReading) { r.Err = "timeout" }, Pass, "blue's past is known"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(25)
			b.s.Share, b.s.Step, b.s.Evidence = 0, 0, nil
			test.spoil(&b.o.Requests[0])
			b.turn()
			got := worst(usersServed(b.t, 10))
			if verdicts := usersServed(b.t, 10); got.Judgement == Pass {
				got = verdicts[0]
			}
			if got.Judgement != test.want || !strings.Contains(got.Message, test.says) {
				t.Errorf("got %+v, want %s: …%s…", got, test.want, test.says)
			}
		})
	}
}

// edgeCasesTable is the part of docs/gates.md that is made from edgeCases.
func edgeCasesTable() string {
	var b strings.Builder
	b.WriteString("| Case | Answer | What follows | What it says |\n|---|---|---|---|\n")
	for _, c := range edgeCases() {
		v := c.happens(newBench(c.share))
		fmt.Fprintf(&b, "| %s | `%s` | %s | %s |\n", c.Case, v.Judgement, c.Does, v.Message)
	}
	return b.String()
}

func TestTheDocsHaveEveryEdgeCase(t *testing.T) {
	const file, end = "../../docs/gates.md", "<!-- end of edge cases -->"
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, begun := strings.Cut(string(page), "-args -update -->\n")
	_, after, ended := strings.Cut(rest, end)
	if !begun || !ended {
		t.Fatalf("%s has no place for the table", file)
	}
	want := before + "-args -update -->\n" + edgeCasesTable() + end + after
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(string(page), want); diff != "" {
		t.Errorf("%s is out of date (go test ./switcher/shift -args -update rewrites it):\n%s", file, diff)
	}
}
