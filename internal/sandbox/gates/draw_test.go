package gates

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestDrawsHaveTheirMeanAndVariance(t *testing.T) {
	t.Parallel()
	const n = 40_000
	for name, test := range map[string]struct {
		draw           func(*rand.Rand) float64
		mean, variance float64
	}{
		"few events":             {func(r *rand.Rand) float64 { return poisson(r, 0.3) }, 0.3, 0.3},
		"some events":            {func(r *rand.Rand) float64 { return poisson(r, 12) }, 12, 12},
		"many events":            {func(r *rand.Rand) float64 { return poisson(r, 15_000) }, 15_000, 15_000},
		"few of few":             {func(r *rand.Rand) float64 { return binomial(r, 10, 0.7) }, 7, 2.1},
		"few of many":            {func(r *rand.Rand) float64 { return binomial(r, 10_000, 0.002) }, 20, 19.96},
		"nearly all of many":     {func(r *rand.Rand) float64 { return binomial(r, 10_000, 0.998) }, 9980, 19.96},
		"many of many":           {func(r *rand.Rand) float64 { return binomial(r, 10_000, 0.3) }, 3000, 2100},
		"a skewed law":           {func(r *rand.Rand) float64 { return gamma(r, 0.5) }, 0.5, 0.5},
		"a law that is less so":  {func(r *rand.Rand) float64 { return gamma(r, 4) }, 4, 4},
		"bursts of five, ten":    {func(r *rand.Rand) float64 { return bursts(r, 10, 5) }, 50, 200},
		"bursts of one are none": {func(r *rand.Rand) float64 { return bursts(r, 10, 1) }, 10, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(1, 2))
			sum, squares := 0.0, 0.0
			for range n {
				x := test.draw(r) - test.mean
				sum, squares = sum+x, squares+x*x
			}
			if off := math.Abs(sum / n); off > 5*math.Sqrt(test.variance/n) {
				t.Errorf("the mean is %g off %g", off, test.mean)
			}
			if got := squares / n; math.Abs(got-test.variance) > 0.06*test.variance {
				t.Errorf("the variance is %g, want %g", got, test.variance)
			}
		})
	}
}

func TestUpperBounds(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		hits, n int
		want    float64
	}{
		"none of 400":   {0, 400, 0.00746},
		"none of 2,000": {0, 2000, 0.001497},
		"3 of 100":      {3, 100, 0.07571},
		"all":           {7, 7, 1},
		"nothing tried": {0, 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := upper95(test.hits, test.n); math.Abs(got-test.want) > 1e-4 {
				t.Errorf("got %g, want %g", got, test.want)
			}
		})
	}
}
