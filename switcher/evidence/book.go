package evidence

import (
	"math"
	"slices"
	"time"
)

// Book is all that is remembered of one gate's evidence. It goes into the journal,
// so that a restart neither forgets nor counts twice.
type Book struct {
	// Last is the end of the newest interval that was counted: an interval that
	// begins before it was seen already.
	Last time.Time `json:"last,omitzero"`
	// Spent is how much of the capital was put in, 0 to 1: by Begun steps that began,
	// and Counted intervals.
	Spent   float64 `json:"spent"`
	Begun   int     `json:"begun,omitempty"`
	Counted int     `json:"counted,omitempty"`
	// Step is when the step began whose passing is judged; StepBegun: its capital
	// was put in.
	Step      time.Time `json:"step,omitzero"`
	StepBegun bool      `json:"stepBegun,omitempty"`
	// Disasters counts intervals in a row that were disasters.
	Disasters int          `json:"disasters,omitempty"`
	Metrics   []MetricBook `json:"metrics,omitempty"`
}

// MetricBook is what is remembered of one metric.
type MetricBook struct {
	// Worse bets that green is worse than blue, and Over, where a limit was given, that
	// green is over it. Where no limit was given and blue has too few requests to
	// compare with, Worse bets that green is over what blue had before the shift.
	Worse Bets `json:"worse"`
	Over  Bets `json:"over"`
	// Fine bets since the step began that green isn't twice as bad as blue, Under
	// that it is under its limit.
	Fine  Bets `json:"fine"`
	Under Bets `json:"under"`
	// Green and Blue are what was counted since the step began.
	Green Tally `json:"green"`
	Blue  Tally `json:"blue"`
	// GreenLately and BlueLately count what is long ago for less: half after 14
	// intervals.
	GreenLately Tally `json:"greenLately"`
	BlueLately  Tally `json:"blueLately"`
}

// Tally is a sum of counts: requests, and bad ones.
type Tally [2]float64

// Ratio gives the part of bad ones, 0 to 1; 0 where there were no requests.
func (t Tally) Ratio() float64 {
	if t[0] <= 0 {
		return 0
	}
	return t[1] / t[0]
}

// alone tells whether the other side has too few requests to compare with.
func (t Tally) alone(other Tally) bool {
	return other[0] <= blindShare*(t[0]+other[0])
}

func (t Tally) plus(c Count, keep float64) Tally {
	return Tally{round(t[0]*keep + c.Requests), round(t[1]*keep + c.Bad)}
}

// fading is what is kept of the recent counts from interval to interval.
const fading = 0.95

// BeginStep begins the evidence for passing anew: a step was reached. It is
// repeated without harm.
func (b Book) BeginStep(at time.Time) Book {
	if b.Step.Equal(at) {
		return b
	}
	b.Step, b.StepBegun = at, false
	b.Metrics = slices.Clone(b.Metrics)
	for i, m := range b.Metrics {
		m.Fine, m.Under, m.Green, m.Blue = newBets(nFine, 1), newBets(nPart, 1), Tally{}, Tally{}
		b.Metrics[i] = m
	}
	return b
}

// Add counts one interval. One that was counted already, or has no length, changes
// nothing; one that can't be judged only how far was looked. settled: it lies
// after the step was reached and after the time that is left for a cold start; else only a
// disaster counts.
func (b Book) Add(s Settings, p Profile, iv Interval, settled bool) Book {
	if iv.Start.Before(b.Last) || !iv.End.After(iv.Start) {
		return b
	}
	b.Last = iv.End
	if iv.fault(len(p.Metrics)) != "" {
		return b
	}
	if len(b.Metrics) != len(p.Metrics) {
		b.Metrics = newMetricBooks(len(p.Metrics))
	}
	b.Disasters = b.disasters(p, iv)
	if !settled {
		return b
	}
	var capital float64
	b, capital = b.putIn(s)
	b.Metrics = slices.Clone(b.Metrics)
	for i, m := range b.Metrics {
		b.Metrics[i] = m.add(s, p.Metrics[i], iv.Green[i], iv.Blue[i], capital, b.Spent)
	}
	return b
}

func newMetricBooks(n int) []MetricBook {
	books := make([]MetricBook, n)
	for i := range books {
		books[i] = MetricBook{
			Worse: newBets(nWorse, 0), Over: newBets(nWorse, 0),
			Fine: newBets(nFine, 1), Under: newBets(nPart, 1),
		}
	}
	return books
}

// putIn takes from what is left of the capital: half of all in equal parts when
// steps begin, half from interval to interval, ever less but never nothing, so that
// what begins after the plan's time is over is found too. Of the second half the
// planned intervals get half.
func (b Book) putIn(s Settings) (Book, float64) {
	planned, counted := float64(max(1, s.Planned)), float64(b.Counted)
	capital := 0.5 * planned / ((planned + counted) * (planned + counted + 1))
	if !b.StepBegun {
		if b.Begun < s.Steps || b.Begun == 0 {
			capital += 0.5 / float64(max(1, s.Steps))
		}
		b.StepBegun = true
		b.Begun++
	}
	b.Counted++
	capital = min(capital, 1-b.Spent)
	b.Spent = min(1, math.Round((b.Spent+capital)*1e12)/1e12)
	return b, capital
}

// add counts one interval, and puts capital in; spent is all that was put in so far.
//
// What green gained against its limit while blue was over it too is taken back once
// blue is under it again: it was won by a trouble of both, and with few requests it
// would last until long after the trouble's end, and then send users back.
func (m MetricBook) add(s Settings, of Metric, green, blue Count, capital, spent float64) MetricBook {
	limit, under, against := s.limitOf(of), s.passLimitOf(of), s.passAgainst()
	worse, fine, part, most := worse(), fine(), part(), s.mostGain()
	comparing, limiting := s.compares(), s.limits(of)
	compare := canCompare(green, blue)
	if comparing {
		m.Worse = m.Worse.add(capital, most, func(i int) float64 {
			switch {
			case compare:
				return versus(worse[i]*s.tolerate()/usualTolerance, s.tolerate(), green, blue, of.Dispersion)
			case !limiting:
				return ratios(min(worse[i]*limit, math.Sqrt(limit)), limit, green, of.Dispersion)
			}
			return 0
		})
		m.Fine = m.Fine.add(0, most, func(i int) float64 {
			return versus(fine[i]*against/twiceAsBad, against, green, blue, of.Dispersion)
		})
	}
	if limiting {
		m.Over = m.Over.add(capital, most, func(i int) float64 {
			return ratios(min(worse[i]*limit, math.Sqrt(limit)), limit, green, of.Dispersion)
		})
	}
	m.Under = m.Under.add(0, most, func(i int) float64 { return ratios(part[i]*under, under, green, of.Dispersion) })
	m.Green, m.Blue = m.Green.plus(green, 1), m.Blue.plus(blue, 1)
	shared := m.blueOver(s, of)
	m.GreenLately, m.BlueLately = m.GreenLately.plus(green, fading), m.BlueLately.plus(blue, fading)
	if shared && !m.blueOver(s, of) {
		m.Over = m.Over.atMost(spent)
	}
	return m
}

// What a disaster is: so many bad requests, and such a part of all, on green, while
// of blue's at most this part is bad; in so many intervals in a row. Where bad
// requests come in bursts it must be twice as many as scatter has it, but no more than
// so many.
const (
	disasterBad       = 20
	disasterBadMost   = 200
	disasterRatio     = 0.2
	disasterBlue      = 0.05
	disasterIntervals = 2
)

// disasters counts on. Only errors are disasters: a slow answer is an answer.
func (b Book) disasters(p Profile, iv Interval) int {
	for i, m := range p.Metrics {
		green, blue := iv.Green[i], iv.Blue[i]
		blueRatio := m.Ratio
		if canCompare(green, blue) {
			blueRatio = blue.Bad / blue.Requests
		}
		bad := max(disasterBad, min(2*m.Dispersion, disasterBadMost))
		if m.Edge == 0 && green.Bad >= bad && green.Bad >= disasterRatio*green.Requests && blueRatio < disasterBlue {
			return b.Disasters + 1
		}
	}
	return 0
}
