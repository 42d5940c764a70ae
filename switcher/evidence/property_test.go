package evidence

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// TestNobodyWinsAgainstAGreenThatIsNoWorse holds the promise of the bets: with a
// green that is just as much worse as is tolerated, looked at after every interval.
func TestNobodyWinsAgainstAGreenThatIsNoWorse(t *testing.T) {
	t.Parallel()
	const runs, intervals, alarm = 1000, 60, 0.1
	s, p := shop()
	s.Alarm, s.MinExcess, s.Planned, s.Steps = alarm, 0, intervals, 1
	r := rand.New(rand.NewPCG(5, 6))
	alarms := 0
	for range runs {
		var b Book
		for i := range intervals {
			at := p.To.Add(time.Duration(i) * s.Interval)
			b = b.Add(s, p, Interval{
				Start: at, End: at.Add(s.Interval),
				Green: []Count{{2000, poisson(r, 2000*0.001*s.Tolerate)}}, Blue: []Count{{2000, poisson(r, 2000*0.001)}},
			}, true)
			if b.Judge(s, p).Times >= 1/alarm {
				alarms++
				break
			}
		}
	}
	t.Logf("%d of %d", alarms, runs)
	if alarms == 0 || alarms > alarm*runs {
		t.Errorf("%d of %d runs were called bad, at most %g may be, and some must", alarms, runs, alarm*runs)
	}
}

func someSettings(t *rapid.T) (Settings, Profile) {
	s := Settings{
		Compare: rapid.Bool().Draw(t, "compare"), Tolerate: rapid.Float64Range(1, 10).Draw(t, "tolerate"),
		MinExcess: rapid.Float64Range(0, 0.5).Draw(t, "min excess"), Alarm: rapid.Float64Range(0.0001, 0.2).Draw(t, "alarm"),
		HasLimit: rapid.Bool().Draw(t, "has limit"), Limit: rapid.Float64Range(0.00001, 0.9).Draw(t, "limit"),
		Interval: 15 * time.Second, Planned: rapid.IntRange(0, 1000).Draw(t, "planned"), Steps: rapid.IntRange(0, 9).Draw(t, "steps"),
	}
	p := Profile{Rate: 10, To: time.Unix(1_800_000_000, 0)}
	for i := range rapid.IntRange(1, 4).Draw(t, "metrics") {
		p.Metrics = append(p.Metrics, Metric{
			Edge: time.Duration(i) * time.Second, Ratio: rapid.Float64Range(0, 1).Draw(t, "ratio"), Dispersion: rapid.Float64Range(1, 300).Draw(t, "dispersion"),
		})
	}
	return s, p
}

func someCount(t *rapid.T, name string) Count {
	n := math.Floor(rapid.SampledFrom([]float64{0, 1, 30, 1e4, 1e6, 1e15}).Draw(t, name) * rapid.Float64Range(0, 1).Draw(t, name+" part"))
	return Count{n, math.Floor(n * rapid.Float64Range(0, 1).Draw(t, name+" bad"))}
}

func someIntervals(t *rapid.T, s Settings, p Profile) []Interval {
	at := p.To
	var intervals []Interval
	for range rapid.IntRange(1, 8).Draw(t, "intervals") {
		iv := Interval{Start: at, End: at.Add(s.Interval)}
		for range p.Metrics {
			iv.Green, iv.Blue = append(iv.Green, someCount(t, "green")), append(iv.Blue, someCount(t, "blue"))
		}
		iv.Fault = rapid.SampledFrom([]string{"", "", "", "gap"}).Draw(t, "fault")
		intervals, at = append(intervals, iv), iv.End
	}
	return intervals
}

func TestReplaysChangeNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s, p := someSettings(t)
		intervals := someIntervals(t, s, p)
		var b Book
		for i, iv := range intervals {
			b = b.Add(s, p, iv, true)
			again := b
			for _, seen := range intervals[:i+1] {
				again = again.Add(s, p, seen, true)
			}
			if diff := cmp.Diff(b, again); diff != "" {
				t.Fatal(diff)
			}
		}
	})
}

func TestTheJournalForgetsNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s, p := someSettings(t)
		var kept, journaled Book
		for i, iv := range someIntervals(t, s, p) {
			if i%3 == 0 {
				kept, journaled = kept.BeginStep(iv.Start), journaled.BeginStep(iv.Start)
			}
			kept, journaled = kept.Add(s, p, iv, true), journaled.Add(s, p, iv, true)
			text, err := json.Marshal(journaled)
			if err != nil {
				t.Fatal(err)
			}
			journaled = Book{}
			if err := json.Unmarshal(text, &journaled); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(kept.Judge(s, p), journaled.Judge(s, p)); diff != "" {
				t.Fatal(diff)
			}
		}
	})
}

func TestMoreErrorsNeverSpeakForGreen(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s, p := someSettings(t)
		intervals := someIntervals(t, s, p)
		var b Book
		for _, iv := range intervals[:len(intervals)-1] {
			b = b.Add(s, p, iv, true)
		}
		last := intervals[len(intervals)-1]
		worse := last
		worse.Green = nil
		for _, c := range last.Green {
			worse.Green = append(worse.Green, Count{c.Requests, c.Bad + math.Floor((c.Requests-c.Bad)*rapid.Float64Range(0, 1).Draw(t, "more"))})
		}
		less, more := b.Add(s, p, last, true).Judge(s, p), b.Add(s, p, worse, true).Judge(s, p)
		if more.Times < less.Times || more.Passing > less.Passing || less.Disaster && !more.Disaster {
			t.Fatalf("from %+v\nto %+v", less, more)
		}
	})
}

func TestEveryNumberIsOne(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s, p := someSettings(t)
		var b Book
		for _, iv := range someIntervals(t, s, p) {
			b = b.Add(s, p, iv, true)
			v := b.Judge(s, p)
			for _, n := range []float64{v.Times, v.Needed, v.GreenRatio, v.BlueRatio, v.Green[0], v.Green[1], v.Blue[0], v.Blue[1], b.Spent} {
				if math.IsNaN(n) || math.IsInf(n, 0) || n < 0 {
					t.Fatalf("%+v", v)
				}
			}
			if v.Bad && v.BothBad || v.Bad && v.Good || v.Times > 1e9 {
				t.Fatalf("%+v", v)
			}
		}
	})
}
