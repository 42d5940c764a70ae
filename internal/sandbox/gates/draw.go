package gates

import (
	"math"
	"math/rand/v2"
)

// poisson draws a number of events of which mean are expected: for few by
// multiplying, for many by Hörmann's transformed rejection with squeeze (1993).
func poisson(r *rand.Rand, mean float64) float64 {
	switch {
	case mean <= 0:
		return 0
	case mean < 10:
		n, left := 0.0, math.Exp(-mean)
		for product := r.Float64(); product > left; product *= r.Float64() {
			n++
		}
		return n
	}
	b := 0.931 + 2.53*math.Sqrt(mean)
	a := -0.059 + 0.02483*b
	inverse := 1.1239 + 1.1328/(b-3.4)
	squeeze := 0.9277 - 3.6224/(b-2)
	for {
		u, v := r.Float64()-0.5, r.Float64()
		us := 0.5 - math.Abs(u)
		k := math.Floor((2*a/us+b)*u + mean + 0.43)
		if us >= 0.07 && v <= squeeze {
			return k
		}
		if k < 0 || us < 0.013 && v > us {
			continue
		}
		factorial, _ := math.Lgamma(k + 1)
		if math.Log(v)+math.Log(inverse)-math.Log(a/(us*us)+b) <= k*math.Log(mean)-mean-factorial {
			return k
		}
	}
}

// binomial draws how many of n happen, each with chance p. Many are drawn by the
// normal law, which is close enough where dozens are expected either way. n is whole.
func binomial(r *rand.Rand, n, p float64) float64 {
	switch {
	case n <= 0 || p <= 0:
		return 0
	case p >= 1:
		return n
	case n*p*(1-p) > 30:
		return min(n, max(0, math.Round(n*p+math.Sqrt(n*p*(1-p))*r.NormFloat64())))
	case p > 0.5:
		return n - binomial(r, n, 1-p)
	}
	// By inversion: the chances of 0, 1, 2, … are taken from one uniform draw.
	odds, chance := p/(1-p), math.Exp(n*math.Log1p(-p))
	left, hits := r.Float64(), 0.0
	for left > chance && hits < n {
		left -= chance
		hits++
		chance *= odds * (n - hits + 1) / hits
	}
	return hits
}

// gamma draws from a gamma distribution of this shape and scale 1 (Marsaglia and
// Tsang, 2000).
func gamma(r *rand.Rand, shape float64) float64 {
	if shape <= 0 {
		return 0
	}
	if shape < 1 {
		return gamma(r, shape+1) * math.Pow(r.Float64(), 1/shape)
	}
	d := shape - 1.0/3
	c := 1 / math.Sqrt(9*d)
	for {
		x := r.NormFloat64()
		v := 1 + c*x
		if v <= 0 {
			continue
		}
		v = v * v * v
		if u := r.Float64(); math.Log(u) < x*x/2+d-d*v+d*math.Log(v) {
			return d * v
		}
	}
}

// bursts draws so many bad requests as come together in n bursts of a mean size,
// each of at least one (their sizes are geometric).
func bursts(r *rand.Rand, n, mean float64) float64 {
	if n <= 0 || mean <= 1 {
		return n
	}
	return n + poisson(r, gamma(r, n)*(mean-1))
}
