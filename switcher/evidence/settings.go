package evidence

import (
	"math"
	"time"
)

// Settings are what a gate asks of the counts.
type Settings struct {
	// Compare: green is compared with blue.
	Compare bool
	// Tolerate is how many times blue's ratio of bad requests green's may be, at
	// least 1.
	Tolerate float64
	// MinExcess is by how much green's ratio must lie above blue's before users are
	// said to suffer, 0 to 1: five in a million instead of one is no reason to go
	// back.
	MinExcess float64
	// Alarm is the chance that a green which is no worse is called bad, over the
	// whole shift and for this gate, above 0 and below 1.
	Alarm float64
	// Limit is green's highest good ratio of errors, 0 to 1, where HasLimit.
	Limit    float64
	HasLimit bool
	// Interval is the length of the intervals; Planned is over how many of them
	// capital is put in, and Steps how many steps do so at once. All of it follows
	// from the plan, never from the counts.
	Interval time.Duration
	Planned  int
	Steps    int
}

// compares tells whether green is compared with blue, and limits whether a limit of
// its own is held against a metric: one that was given, or the only thing there is.
func (s Settings) compares() bool        { return s.Compare }
func (s Settings) limits(of Metric) bool { return !s.Compare || s.HasLimit && of.Edge == 0 }

func (s Settings) tolerate() float64 { return max(1, s.Tolerate) }

// mostGain is what one interval can gain at most, in nats.
func (s Settings) mostGain() float64 {
	return min(greatestClip, leastClip*math.Sqrt(max(1, float64(s.Interval)/float64(clipFor))))
}

// passAgainst is how many times as bad as blue green must be proven not to be.
func (s Settings) passAgainst() float64 { return twiceAsBad * max(1, s.tolerate()/usualTolerance) }

// limitOf gives the limit beyond which a metric is bad: the one that was given, for
// errors; else twice what blue had, and at least half a percent.
func (s Settings) limitOf(m Metric) float64 {
	if s.HasLimit && m.Edge == 0 {
		return within(s.Limit)
	}
	return within(max(s.passAgainst()*m.Ratio, leastLimit))
}

// passLimitOf gives the limit below which a metric is fine: the one that was given,
// for errors; else twice what blue had, or what is no excess. It is stricter than
// limitOf, so that what lies between is neither.
func (s Settings) passLimitOf(m Metric) float64 {
	if s.HasLimit && m.Edge == 0 {
		return within(s.Limit)
	}
	return within(max(s.passAgainst()*m.Ratio, m.Ratio+s.MinExcess, leastPassLimit))
}

// within keeps a limit where logarithms of it, and of what is not bad, are numbers.
func within(limit float64) float64 { return min(max(limit, 1e-9), greatestLimit) }

const (
	leastLimit    = 0.005
	greatestLimit = 0.9
	// leastPassLimit keeps a pass within reach where blue had no bad request at all
	// and any excess counts: it takes 34,500 good ones.
	leastPassLimit = 0.0001
	// leastClip bounds what an interval of clipFor or less can gain, in nats: no single
	// burst proves anything. What a longer one can gain grows with the root of its
	// length, up to greatestClip.
	leastClip    = 1.5
	greatestClip = 3.0
	clipFor      = 15 * time.Second
	// passAt is the capital that proves that green is fine: the chance to call fine
	// what is twice as bad is 1/passAt.
	passAt = 20.0
	// twiceAsBad is what a pass by comparison speaks against.
	twiceAsBad = 2.0
)

// How many factors are bet on, for each claim.
const (
	nWorse = 7
	nFine  = 4
	nPart  = 3
)

// usualTolerance is the tolerated factor that the bets below are made for; with
// another one they move along.
const usualTolerance = 1.25

// worse are the factors that are bet on: how many times as bad as blue green may
// be, or its limit. The least isn't nearer to what is tolerated, so that a green which is a
// little worse than that seldom wins.
func worse() [nWorse]float64 { return [...]float64{1.6, 2, 3, 5, 10, 30, 100} }

// fine are the factors that are bet on for passing.
func fine() [nFine]float64 { return [...]float64{1.25, 1, 0.7, 0.01} }

// part are the parts of the limit that are bet on for passing.
func part() [nPart]float64 { return [...]float64{1e-9, 0.1, 0.4} }
