package evidence

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// past makes a history of blue, 15,000 requests an interval, of which bad gives how
// many are bad in the i-th.
func past(intervals int, bad func(r *rand.Rand, i int) float64) []Interval {
	r := rand.New(rand.NewPCG(1, 2))
	var history []Interval
	for i := range intervals {
		at := time.Unix(1_800_000_000, 0).Add(time.Duration(i) * 15 * time.Second)
		history = append(history, Interval{Start: at, End: at.Add(15 * time.Second), Blue: []Count{{15000, bad(r, i)}}})
	}
	return history
}

// poisson draws from a Poisson distribution with a mean that isn't large.
func poisson(r *rand.Rand, mean float64) float64 {
	n, left := 0.0, math.Exp(-mean)
	for product := r.Float64(); product > left; product *= r.Float64() {
		n++
	}
	return n
}

func TestScatterOfThePast(t *testing.T) {
	t.Parallel()
	chance := func(r *rand.Rand, _ int) float64 { return poisson(r, 15) }
	for name, test := range map[string]struct {
		history     []Interval
		least, most float64
		short       bool
	}{
		"chance alone":                            {past(1440, chance), 1, 2, false},
		"a drift to four times is no scatter":     {past(1440, func(r *rand.Rand, i int) float64 { return poisson(r, 15+45*float64(i)/1440) }), 1, 2, false},
		"bursts of five":                          {past(1440, func(r *rand.Rand, _ int) float64 { return 5 * poisson(r, 3) }), 5, 10, false},
		"waves by the minute show in the minutes": {past(1440, func(r *rand.Rand, i int) float64 { return poisson(r, 10+10*float64(i/4%2)) }), 3, 40, false},
		"waves of a quarter of an hour show": {past(1440, func(r *rand.Rand, i int) float64 {
			return poisson(r, 10+10*float64(i/60*7919%5)/4)
		}), 10, 1000, false},
		"an outage of three minutes isn't what blue is like": {past(1440, func(r *rand.Rand, i int) float64 {
			if i >= 700 && i < 712 {
				return 300
			}
			return poisson(r, 15)
		}), 1, 3, false},
		"short history: much is assumed":               {past(240, chance), AssumedDispersion, AssumedDispersion, true},
		"short history with more than what is assumed": {past(240, func(r *rand.Rand, _ int) float64 { return 40 * poisson(r, 1) }), 20, 200, true},
		"no history at all":                            {nil, AssumedDispersion, AssumedDispersion, true},
		"hardly a bad request":                         {past(1440, func(_ *rand.Rand, i int) float64 { return float64(i / 1439) }), fewDispersion, fewDispersion, false},
		"one interval of five lost":                    {dropped(past(1440, chance)), 1, 2.5, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := Measure([]Metric{{Name: "errors"}}, test.history)
			if d := p.Metrics[0].Dispersion; d < test.least || d > test.most || (p.Short != "") != test.short {
				t.Errorf("got %g (%q), want %g to %g", d, p.Short, test.least, test.most)
			}
		})
	}
}

func dropped(history []Interval) []Interval {
	for i := range history {
		if i%5 == 3 {
			history[i].Fault = "gap"
		}
	}
	return history
}

func TestMeasureCountsWhatIsSound(t *testing.T) {
	t.Parallel()
	history := past(1440, func(*rand.Rand, int) float64 { return 15 })
	history[3].Blue = []Count{{math.NaN(), 0}}
	history[4].Blue = []Count{{1, 2}}
	history[5].Blue = nil
	history[6].Fault = "gap"
	history[7].End = history[7].Start
	history = append(history, history[100]) // once more
	got := Measure([]Metric{{Name: "errors"}}, history)
	want := Profile{Metrics: []Metric{{Name: "errors", Ratio: 0.001, Dispersion: 1}}, Rate: 1000, From: history[0].Start, To: history[1439].End}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAProfileOfMinutesIsMeasuredByMinutes(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	var history []Interval
	for i := range 360 {
		at := time.Unix(1_800_000_000, 0).Add(time.Duration(i) * time.Minute)
		history = append(history, Interval{Start: at, End: at.Add(time.Minute), Blue: []Count{{60000, 5 * poisson(r, 12)}}})
	}
	if p := Measure([]Metric{{}}, history); p.Metrics[0].Dispersion < 5 || p.Metrics[0].Dispersion > 12 || p.Rate != 1000 {
		t.Errorf("got %+v", p)
	}
}

func TestEdges(t *testing.T) {
	t.Parallel()
	upper := []time.Duration{100 * time.Millisecond, 250 * time.Millisecond, 500 * time.Millisecond, time.Second, 2500 * time.Millisecond}
	for name, test := range map[string]struct {
		within []float64
		all    float64
		want   []time.Duration
	}{
		"those nearest to one in ten, in a hundred, in five hundred": {[]float64{500, 874, 978, 998, 999}, 1000, []time.Duration{250 * time.Millisecond, 500 * time.Millisecond, time.Second}},
		"one that serves twice is taken once":                        {[]float64{1000, 1000, 1000, 1000, 1000}, 1010, []time.Duration{100 * time.Millisecond}},
		"nothing is ever slow: none":                                 {[]float64{1000, 1000, 1000, 1000, 1000}, 1000, nil},
		"all is slower than the last bound: none":                    {[]float64{0, 0, 0, 0, 0}, 1000, nil},
		"no answers: none":                                           {[]float64{0, 0, 0, 0, 0}, 0, nil},
		"answers that are no number: none":                           {[]float64{0, 0, 0, 0, 0}, math.NaN(), nil},
		"buckets that don't fit: none":                               {[]float64{1}, 1, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(test.want, Edges(upper, test.within, test.all)); diff != "" {
				t.Error(diff)
			}
		})
	}
}
