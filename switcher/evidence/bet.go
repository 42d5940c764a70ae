package evidence

import "math"

// Bets is the capital of one bet on each of several alternatives, as logarithms.
type Bets []float64

// nothing is the logarithm of no capital. It is a number, because JSON knows no
// infinity, and too small to count.
const nothing = -1000.0

func newBets(n int, capital float64) Bets {
	b := make(Bets, n)
	for i := range b {
		b[i] = nothing
		if capital > 0 {
			b[i] = round(math.Log(capital / float64(n)))
		}
	}
	return b
}

// add puts capital in, in equal parts, and lets each part gain, but no more than most.
func (b Bets) add(capital, most float64, gain func(alternative int) float64) Bets {
	next := make(Bets, len(b))
	for i, had := range b {
		if capital > 0 {
			had = logSum(had, math.Log(capital/float64(len(b))))
		}
		next[i] = round(max(nothing, had+min(most, gain(i))))
	}
	return next
}

// atMost takes back what was won, down to the capital that was put in.
func (b Bets) atMost(capital float64) Bets {
	next := make(Bets, len(b))
	for i, had := range b {
		next[i] = max(nothing, min(had, round(math.Log(capital/float64(len(b))))))
	}
	return next
}

// log gives the logarithm of all capital.
func (b Bets) log() float64 {
	sum := nothing
	for _, one := range b {
		sum = logSum(sum, one)
	}
	return sum
}

func logSum(a, b float64) float64 {
	if a < b {
		a, b = b, a
	}
	return a + math.Log1p(math.Exp(b-a))
}

// round keeps what is journaled short, and the same before and after.
func round(x float64) float64 { return math.Round(x*1e6) / 1e6 }

// blindShare is the part of all requests below which blue's are too few to compare
// green with: stragglers whose resolvers still know the old address.
const blindShare = 0.005

// canCompare tells whether both sides have enough requests to be compared.
func canCompare(green, blue Count) bool {
	return green.Requests > 0 && blue.Requests > blindShare*(green.Requests+blue.Requests)
}

// versus is the gain of "green is a times as bad as blue" over "b times".
func versus(a, b float64, green, blue Count, dispersion float64) float64 {
	if green.Requests <= 0 || blue.Requests <= 0 {
		return 0 // there is nothing to compare
	}
	total := green.Bad + blue.Bad
	log := green.Bad*math.Log(a/b) - total*math.Log((a*green.Requests+blue.Requests)/(b*green.Requests+blue.Requests))
	return log / max(1, dispersion)
}

// ratios is the gain of "a of all requests are bad" over "b are".
func ratios(a, b float64, green Count, dispersion float64) float64 {
	log := green.Bad*math.Log(a/b) + (green.Requests-green.Bad)*math.Log((1-a)/(1-b))
	return log / max(1, dispersion)
}
