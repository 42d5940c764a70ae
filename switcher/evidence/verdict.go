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
	// Blind: blue had next to no requests since the step began, so that only a limit
	// judges.
	Blind bool
	// Metric is the index of the metric that says most against green, and the
	// numbers are its own.
	Metric int
	// Green and Blue are what was counted since the step began.
	Green, Blue Tally
	// GreenRatio and BlueRatio are of late, 0 to 1. BlueRatio is that of before the
	// shift where blue had next to no requests of late.
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
	sums := b.sums(s, p)
	v.Metric, v.Passing = sums.most, sums.passing
	unspent, all, felt := 1-b.Spent, sums.all, sums.felt
	v.Times = min(unspent+all.sum(), 1e9)
	m, of := b.Metrics[v.Metric], p.Metrics[v.Metric]
	v.Green, v.Blue, v.Blind = m.Green, m.Blue, m.Green.alone(m.Blue)
	v.GreenRatio, v.BlueRatio = m.GreenLately.Ratio(), m.blueLately(of)
	v.BothBad = unspent+all.over >= v.Needed && sums.bothOver && unspent+felt.worse < v.Needed
	v.Bad = unspent+felt.sum() >= v.Needed && !v.BothBad
	v.Disaster = b.Disasters >= disasterIntervals
	v.Leaning = v.Times > 1
	v.Good = v.Passing == v.Metrics && !v.Leaning && !v.Bad && !v.Disaster
	return v
}

// sums is what all metrics together say.
type sums struct {
	// all is what the bets of all metrics are worth, felt of those whose excess users
	// feel.
	all, felt gains
	// most is the metric that says most against green, passing how many are fine.
	most, passing int
	// bothOver: where green is over its limit most clearly, blue is as well.
	bothOver bool
}

func (b Book) sums(s Settings, p Profile) sums {
	var r sums
	var most gains
	mostOver, mostFelt := 0.0, false
	for i, m := range b.Metrics {
		mine, felt := m.gains(s, p.Metrics[i], len(b.Metrics)), m.felt(s, p.Metrics[i])
		r.all = r.all.plus(mine)
		if felt {
			r.felt = r.felt.plus(mine)
		}
		if mine.over > mostOver {
			mostOver, r.bothOver = mine.over, m.blueOver(s, p.Metrics[i])
		}
		// What users feel goes before what they don't, however well that is proven.
		if i == 0 || felt && !mostFelt || felt == mostFelt && mine.sum() > most.sum() {
			r.most, most, mostFelt = i, mine, felt
		}
		if b.passes(s, i) {
			r.passing++
		}
	}
	return r
}

// gains is what the bets on a bad green are worth: by comparison, and by the limit.
type gains struct{ worse, over float64 }

func (g gains) plus(h gains) gains { return gains{g.worse + h.worse, g.over + h.over} }
func (g gains) sum() float64       { return g.worse + g.over }

// gains gives the metric's part of all, of which there are so many metrics.
func (m MetricBook) gains(s Settings, of Metric, metrics int) gains {
	var g gains
	pools := 0.0
	if s.compares() {
		g.worse, pools = math.Exp(min(m.Worse.log(), 50)), pools+1
	}
	if s.limits(of) {
		g.over, pools = math.Exp(min(m.Over.log(), 50)), pools+1
	}
	parts := pools * float64(metrics)
	return gains{g.worse / parts, g.over / parts}
}

// felt tells whether green is of late so much worse than blue that users feel it.
func (m MetricBook) felt(s Settings, of Metric) bool {
	excess := m.GreenLately.Ratio() - m.blueLately(of)
	return excess > 0 && excess >= s.MinExcess
}

// blueOver tells whether blue is over green's limit as well.
func (m MetricBook) blueOver(s Settings, of Metric) bool {
	return !m.GreenLately.alone(m.BlueLately) && m.BlueLately.Ratio() >= s.limitOf(of)
}

// blueLately gives blue's ratio of late, or that of before the shift where blue has
// next to no requests.
func (m MetricBook) blueLately(of Metric) float64 {
	if m.GreenLately.alone(m.BlueLately) {
		return of.Ratio
	}
	return m.BlueLately.Ratio()
}

// passes tells whether a metric is proven fine: by what the two claims are worth
// together, so that the chance of a wrong pass is that of one.
func (b Book) passes(s Settings, i int) bool {
	m := b.Metrics[i]
	under := math.Exp(min(m.Under.log(), 50))
	if !s.compares() {
		return under >= passAt
	}
	return (math.Exp(min(m.Fine.log(), 50))+under)/2 >= passAt
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

// Edges chooses up to three edges of a histogram of blue's answers: those bounds
// beyond which the part of the answers is nearest, by its factor, to one in ten, one in a
// hundred and one in five hundred. upper has the buckets' bounds, rising, without the
// one that has no bound; within, how many answers each and all below it had.
func Edges(upper []time.Duration, within []float64, all float64) []time.Duration {
	var edges []time.Duration
	if !(all > 0) || math.IsInf(all, 0) || len(upper) != len(within) {
		return nil
	}
	for _, wanted := range []float64{0.1, 0.01, 0.002} {
		nearest, at := math.Inf(1), -1
		for i, n := range within {
			slower := 1 - n/all
			if off := math.Abs(math.Log(slower / wanted)); slower > 0 && slower <= 0.5 && off < nearest {
				nearest, at = off, i
			}
		}
		if at >= 0 && !slices.Contains(edges, upper[at]) {
			edges = append(edges, upper[at])
		}
	}
	return edges
}
