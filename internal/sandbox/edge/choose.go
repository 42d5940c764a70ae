package edge

import (
	"math/rand/v2"
	"sync"
)

// dice makes the weighted choices of the whole edge, one at a time, because a
// rand.Rand serves one goroutine.
type dice struct {
	mu   sync.Mutex
	rand *rand.Rand
}

// below returns a number from 0 to n-1.
func (d *dice) below(n int64) int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.rand.Int64N(n)
}

// pick returns an index, each with a chance in proportion to its weight, or -1
// when no weight is above 0.
func (d *dice) pick(weights []int64) int {
	var sum int64
	for _, weight := range weights {
		sum += max(weight, 0)
	}
	if sum == 0 {
		return -1
	}
	drawn := d.below(sum)
	for i, weight := range weights {
		if drawn -= max(weight, 0); drawn < 0 {
			return i
		}
	}
	return -1
}
