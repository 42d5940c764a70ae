package evidence

import (
	"math"
	"slices"
	"time"
)

// Verdict is what the evidence says.
type Verdict struct {
	// Bad: it is proven that users suffer on green, and that blue is better.
	Bad bool
	// Disaster: so many of green's answers are errors that nothing need be proven.
	Disaster bool
	// BothBad: green is proven bad by its limit, but blue is over it as well: to go
	// back would help nobody.
	BothBad bool
	// Good: it is proven that green is fine, since the step began.
	Good bool
	// Leaning: the evidence speaks for a bad green, without proving it.
	Leaning bool
	// Blind: blue had no requests since the step began, so that only the limit judges.
	Blind bool
	// Metric is the index of the metric that says most against green, and the
	// numbers are its own.
	Metric int
	// Green and Blue are what was counted since the step began.
	Green, Blue Tally
	// GreenRatio and BlueRatio are of late, 0 to 1. BlueRatio is that of before the
	// shift where blue had no requests of late.
	GreenRatio, BlueRatio float64
	// Times is how many times the wager on a bad green has grown, at most 1e9: the chance that
	// a green which is no worse looks so bad is at most one in so many. At Needed it
	// is proven.
	Times, Needed float64
	// Passing is how many of the metrics are proven fine, of Metrics.
	Passing, Metrics int
}

// Judge says what was proven.
func (b Book) Judge(s Settings, p Profile) Verdict {
	v := Verdict{Needed: 1 / s.Alarm, Metrics: len(p.Metrics)}
	if len(b.Metrics) != len(p.Metrics) || len(p.Metrics) == 0 {
		return v // nothing was counted yet
	}
	capital, most := 0.0, math.Inf(-1)
	for i, m := range b.Metrics {
		worst := max(m.Worse.log(), m.Over.log())
		capital += math.Exp(min(m.Worse.log(), 50)) + math.Exp(min(m.Over.log(), 50))
		if worst > most {
			most, v.Metric = worst, i
		}
		if b.passes(s, p, i) {
			v.Passing++
		}
	}
	v.Times = min(1-b.Spent+capital/float64(2*len(b.Metrics)), 1e9)
	m := b.Metrics[v.Metric]
	v.Green, v.Blue, v.Blind = m.Green, m.Blue, m.Blue[0] <= 0
	v.GreenRatio, v.BlueRatio = m.GreenLately.Ratio(), m.BlueLately.Ratio()
	if m.BlueLately[0] <= 0 {
		v.BlueRatio = p.Metrics[v.Metric].Ratio
	}
	proven, excess := v.Times >= v.Needed, v.GreenRatio-v.BlueRatio
	byLimit, limit := m.Over.log() > m.Worse.log(), s.limitOf(p.Metrics[v.Metric])
	v.BothBad = proven && byLimit && !v.Blind && v.BlueRatio >= limit
	// What was over the limit together with blue, and is so no more, is no reason.
	v.Bad = proven && !v.BothBad && excess > 0 && excess >= s.MinExcess && !(byLimit && v.GreenRatio < limit)
	v.Disaster = b.Disasters >= disasterIntervals
	v.Leaning = v.Times > 1
	v.Good = v.Passing == v.Metrics && !v.Leaning && !v.Bad && !v.Disaster
	return v
}

// passes tells whether a metric is proven fine, either way.
func (b Book) passes(s Settings, p Profile, i int) bool {
	m, at := b.Metrics[i], math.Log(passAt)
	return s.Compare && m.Fine.log() >= at || m.Under.log() >= at
}

// Expected says how long it takes, by what is expected of counts, until green is
// proven bad when its ratio is what it is given as, or proven fine.
type Expected struct {
	// Found: it is proven within the intervals that were looked at.
	Found bool
	// After is how long it takes, and Requests how many requests green has until
	// then.
	After    time.Duration
	Requests float64
}

// Expect feeds a step with what is expected of it: green has a share of all
// requests, 0 to 1, and its ratio of bad ones follows from blue's. It uses the very
// arithmetic of the gate, so that it can't promise what the gate doesn't hold.
func Expect(s Settings, p Profile, share float64, ratio func(Metric) float64, within time.Duration, proven func(Verdict) bool) Expected {
	var b Book
	at := p.To
	b = b.BeginStep(at)
	e := Expected{}
	for range max(1, int(within/max(s.Interval, time.Second))) {
		iv := p.Expected(at, s.Interval, share, ratio)
		b, at = b.Add(s, p, iv, true), iv.End
		e.After, e.Requests = e.After+s.Interval, e.Requests+p.Rate*s.Interval.Seconds()*share
		if proven(b.Judge(s, p)) {
			e.Found = true
			return e
		}
	}
	return e
}

// Expected gives the interval that is expected at a share of green, 0 to 1: users ask
// as often as before the shift, and green's ratio of bad requests is as given.
func (p Profile) Expected(at time.Time, length time.Duration, share float64, ratio func(Metric) float64) Interval {
	iv, all := Interval{Start: at, End: at.Add(length)}, p.Rate*length.Seconds()
	for _, m := range p.Metrics {
		iv.Green = append(iv.Green, Count{all * share, all * share * min(1, ratio(m))})
		iv.Blue = append(iv.Blue, Count{all * (1 - share), all * (1 - share) * m.Ratio})
	}
	return iv
}

// Edges chooses up to three edges of a histogram of blue's answers, where one in
// ten, one in a hundred and one in five hundred are slower. upper has the buckets'
// bounds, rising, without the one that has no bound; within, how many answers each
// and all below it had.
func Edges(upper []time.Duration, within []float64, all float64) []time.Duration {
	var edges []time.Duration
	if all <= 0 || len(upper) != len(within) {
		return nil
	}
	for _, part := range []float64{0.9, 0.99, 0.998} {
		i := slices.IndexFunc(within, func(n float64) bool { return n >= part*all })
		if i >= 0 && !slices.Contains(edges, upper[i]) {
			edges = append(edges, upper[i])
		}
	}
	return edges
}
