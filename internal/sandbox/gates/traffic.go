package gates

import (
	"math"
	"math/rand/v2"
)

// kinds of bad requests: errors, and slower than each bound of the histogram.
const kinds = 7

// slowerThan are the bounds of the histogram's buckets, in seconds.
func slowerThan() [kinds - 1]float64 { return [...]float64{0.25, 0.5, 1, 2.5, 5, 10} }

// count is what one side had within an interval.
type count struct {
	requests float64
	bad      [kinds]float64
}

func (c count) plus(d count) count {
	c.requests += d.requests
	for i := range c.bad {
		c.bad[i] += d.bad[i]
	}
	return c
}

// pair is what both sides had. lost: it could not be counted.
type pair struct {
	green, blue count
	lost        bool
}

func (p pair) plus(q pair) pair {
	return pair{p.green.plus(q.green), p.blue.plus(q.blue), p.lost || q.lost}
}

// seconds is the length of an interval.
const seconds = 15.0

// traffic says what users and servers are like. Times are intervals since the
// shift began; below zero lies the history, in which all requests are blue's.
type traffic struct {
	rps  float64
	base float64 // chance of an error on a healthy side
	// green gives by how much green's chance of an error is multiplied, and what is
	// added to it; nil: it is healthy.
	green func(at int) (times, more float64)
	// both multiplies the chance on both sides, load the number of requests.
	both, load func(at int) float64
	// noise is the coefficient of variation of each side's own chance, drawn anew
	// every noiseFor intervals.
	noise    float64
	noiseFor int
	// burst is the mean number of errors that come together.
	burst float64
	// retry is the chance that a request which failed fails again when its client
	// tries it up to three times more.
	retry float64
	// sessions is how long a client stays, in intervals. One in twenty of them has
	// all the errors.
	sessions float64
	// gaps is the share of intervals that are lost.
	gaps float64
	// slow gives how long answers take on healthy sides and on green.
	slow *slowness
}

// life is one run of a traffic.
type life struct {
	traffic
	r           *rand.Rand
	green, blue side
	share       float64
	clients     float64           // that met errors in the beginning
	history     [2][kinds]float64 // of slow answers: the chances of both sides
}

type side struct {
	noise    float64
	troubled float64 // sessions that meet errors
	begun    bool
}

func (t traffic) begin(r *rand.Rand) *life {
	l := &life{traffic: t, r: r}
	if t.slow != nil {
		l.history = [2][kinds]float64{t.slow.chances(true), t.slow.chances(false)}
	}
	return l
}

// next draws an interval in which green has a share of all requests.
func (l *life) next(at int, share float64) pair {
	chance, rate := l.base, l.rps*seconds
	if l.both != nil {
		chance *= l.both(at)
	}
	if l.load != nil {
		rate *= l.load(at)
	}
	times, more := 1.0, 0.0
	if l.traffic.green != nil && at >= 0 {
		times, more = l.traffic.green(at)
	}
	l.divide(share)
	p := pair{
		green: l.side(&l.green, at, rate*share, min(0.9, chance*times+more), 0),
		blue:  l.side(&l.blue, at, rate*(1-share), min(0.9, chance), 1),
	}
	p.lost = l.gaps > 0 && l.r.Float64() < l.gaps
	return p
}

func (l *life) side(s *side, at int, requests, chance float64, which int) count {
	if l.noise > 0 && (!s.begun || at%l.noiseFor == 0) {
		s.noise = gamma(l.r, 1/(l.noise*l.noise)) * l.noise * l.noise
	}
	if l.noise > 0 {
		chance = min(0.9, chance*s.noise)
	}
	if l.sessions > 0 {
		chance = min(0.9, chance*l.troubles(s, requests))
	}
	s.begun = true
	if requests <= 0 {
		return count{}
	}
	var c count
	bad := l.errors(requests * chance)
	c.bad[0] = bad
	c.requests = bad + poisson(l.r, requests*(1-chance))
	for try, nth := bad, 0; l.retry > 0 && nth < retries; nth++ {
		again := binomial(l.r, try, l.retry)
		c.requests, c.bad[0] = c.requests+try, c.bad[0]+again
		try = again
	}
	if l.slow != nil {
		l.slowOnes(&c, which, at)
	}
	return c
}

// retries is how often a client tries again.
const retries = 3

// errors draws the errors of which mean are expected.
func (l *life) errors(mean float64) float64 {
	if l.burst > 1 {
		return bursts(l.r, poisson(l.r, mean/l.burst), l.burst)
	}
	return poisson(l.r, mean)
}

// A client asks once in five seconds, and one in twenty meets errors.
const (
	asks     = 0.2
	troubled = 0.05
)

// troubles follows the clients of a side that meet errors. It gives by how many more
// or fewer of them than usual there are.
func (l *life) troubles(s *side, requests float64) float64 {
	usual := requests / seconds / asks * troubled
	if usual <= 0 {
		return 0
	}
	if l.clients == 0 {
		l.clients = max(1, poisson(l.r, l.rps/asks*troubled))
		s.troubled = l.clients
	}
	ends := 1 - math.Exp(-1/l.sessions)
	s.troubled += poisson(l.r, usual*ends) - binomial(l.r, s.troubled, ends)
	return s.troubled / usual
}

// divide gives each side its part of the clients that meet errors, whenever the
// weights have changed.
func (l *life) divide(share float64) {
	if share == l.share {
		return
	}
	l.share = share
	all := l.green.troubled + l.blue.troubled
	l.green.troubled = binomial(l.r, all, share)
	l.blue.troubled = all - l.green.troubled
}

// slowness says how long answers take: lognormal around a tenth of a second.
type slowness struct {
	// longer multiplies green's times; some of green's requests take extra seconds more.
	longer, some, extra float64
}

func (f slowness) chances(green bool) [kinds]float64 {
	longer, some, extra := 1.0, 0.0, 0.0
	if green {
		longer, some, extra = max(1, f.longer), f.some, f.extra
	}
	beyond := func(t float64) float64 {
		if t <= 0 {
			return 1
		}
		return math.Erfc(math.Log(t/0.1/longer)/0.8/math.Sqrt2) / 2
	}
	var p [kinds]float64
	for i, edge := range slowerThan() {
		p[1+i] = (1-some)*beyond(edge) + some*beyond(edge-extra)
	}
	return p
}

// slowOnes draws how many of the requests were slower than each bound.
func (l *life) slowOnes(c *count, which, at int) {
	p := l.history[which]
	if at < 0 {
		p = l.history[1]
	}
	left, chance := c.requests, 1.0
	for i := 1; i < kinds; i++ {
		left = binomial(l.r, left, p[i]/chance)
		c.bad[i], chance = left, max(p[i], 1e-300)
	}
}
