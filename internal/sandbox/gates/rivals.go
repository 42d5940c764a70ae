package gates

import (
	"math"
	"slices"
)

// rival is a way to judge that others use. It is shown each interval, and says
// when it would go back.
type rival interface {
	alarm(at int, seen pair) bool
}

const (
	perMinute    = 4 // intervals
	failedChecks = 5
)

// threshold counts checks, one a minute, of green's ratio against a fixed limit, and
// goes back at the fifth that failed; a good check in between forgives nothing.
type threshold struct {
	limit   float64
	failed  int
	current count
}

func (t *threshold) alarm(at int, seen pair) bool {
	t.current = t.current.plus(seen.green)
	if (at+1)%perMinute != 0 {
		return false
	}
	if t.current.requests > 0 && t.current.bad[0]/t.current.requests > t.limit {
		t.failed++
	}
	t.current = count{}
	return t.failed >= failedChecks
}

// slowest is the same for the 99th percentile, read from the buckets of a histogram.
type slowest struct {
	limit   float64 // seconds
	failed  int
	current count
}

func (t *slowest) alarm(at int, seen pair) bool {
	t.current = t.current.plus(seen.green)
	if (at+1)%perMinute != 0 {
		return false
	}
	if percentile99(t.current) > t.limit {
		t.failed++
	}
	t.current = count{}
	return t.failed >= failedChecks
}

// percentile99 interpolates between the bounds of buckets, as histogram_quantile does.
func percentile99(c count) float64 {
	bounds := slowerThan()
	allowed := c.requests / 100
	for i, edge := range bounds {
		slower := c.bad[1+i]
		if slower > allowed {
			continue
		}
		before, begin := c.requests, 0.0
		if i > 0 {
			before, begin = c.bad[i], bounds[i-1]
		}
		if before <= slower {
			return edge
		}
		return begin + (edge-begin)*(before-allowed)/(before-slower)
	}
	return bounds[len(bounds)-1]
}

// repeated is the test of two ratios by the normal law on all counts so far, once
// an interval, as if each look were the only one.
type repeated struct {
	kind        int
	green, blue count
}

func (z *repeated) alarm(_ int, seen pair) bool {
	z.green, z.blue = z.green.plus(seen.green), z.blue.plus(seen.blue)
	n, m, x, y := z.green.requests, z.blue.requests, z.green.bad[z.kind], z.blue.bad[z.kind]
	if n <= 0 || m <= 0 || x+y <= 0 {
		return false
	}
	p := (x + y) / (n + m)
	return (x/n-y/m)/math.Sqrt(p*(1-p)*(1/n+1/m)) > 2.326 // one side, 1 %
}

// ranks compares the ratios of green's minutes with blue's by Mann and Whitney, as
// Kayenta's judge does: every 5 minutes from minute 10, over all so far, at 98 %.
// It goes back when the least shift lies above a quarter of the estimated one.
type ranks struct {
	ratio         func(count) float64
	current       pair
	greens, blues []float64
	differences   []float64
}

func (k *ranks) alarm(at int, seen pair) bool {
	k.current.green, k.current.blue = k.current.green.plus(seen.green), k.current.blue.plus(seen.blue)
	if (at+1)%perMinute != 0 {
		return false
	}
	k.greens, k.blues = append(k.greens, k.ratio(k.current.green)), append(k.blues, k.ratio(k.current.blue))
	k.current = pair{}
	minutes := (at + 1) / perMinute
	return minutes >= 10 && minutes%5 == 0 && k.high()
}

func (k *ranks) high() bool {
	n, m := float64(len(k.greens)), float64(len(k.blues))
	lowest := int(n*m/2 - 2.326*math.Sqrt(n*m*(n+m+1)/12))
	if lowest < 0 || k.notPositive() > lowest {
		return false // the least shift isn't above zero
	}
	k.differences = k.differences[:0]
	for _, g := range k.greens {
		for _, b := range k.blues {
			k.differences = append(k.differences, g-b)
		}
	}
	slices.Sort(k.differences)
	return k.differences[lowest] > 0.25*math.Abs(k.differences[len(k.differences)/2])
}

// notPositive counts the differences that aren't above zero.
func (k *ranks) notPositive() int {
	greens, blues := slices.Sorted(slices.Values(k.greens)), slices.Sorted(slices.Values(k.blues))
	count, below := 0, 0
	for _, b := range blues {
		for below < len(greens) && greens[below] <= b {
			below++
		}
		count += below
	}
	return count
}

func badRatio(c count) float64 {
	if c.requests <= 0 {
		return 0
	}
	return c.bad[0] / c.requests
}
