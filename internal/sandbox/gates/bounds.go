package gates

import "math"

// upper95 bounds a share of which hits of n were seen, from above, with 95 %
// confidence (Clopper and Pearson).
func upper95(hits, n int) float64 {
	if n <= 0 || hits >= n {
		return 1
	}
	low, high := float64(hits)/float64(n), 1.0
	for range 60 {
		middle := (low + high) / 2
		if atMost(hits, n, middle) > 0.05 {
			low = middle
		} else {
			high = middle
		}
	}
	return high
}

// atMost is the chance of at most k of n, each with chance p.
func atMost(k, n int, p float64) float64 {
	sum := 0.0
	for i := range k + 1 {
		a, _ := math.Lgamma(float64(n + 1))
		b, _ := math.Lgamma(float64(i + 1))
		c, _ := math.Lgamma(float64(n - i + 1))
		sum += math.Exp(a - b - c + float64(i)*math.Log(p) + float64(n-i)*math.Log1p(-p))
	}
	return sum
}
