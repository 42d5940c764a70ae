package prometheus

import (
	"context"
	"fmt"
	"math"
	"time"
)

// Numbers asks for the one number that an expression gives at each of some moments:
// at the first, and one step later each. As with Number all else is an error, also
// where only one of the moments has none.
// https://prometheus.io/docs/prometheus/latest/querying/api/#range-queries
func (c *Client) Numbers(ctx context.Context, expression string, first time.Time, step time.Duration, moments int) ([]float64, error) {
	span := timeline{start: first, step: step, points: moments}
	all, err := c.series(ctx, expression, span)
	if err != nil {
		return nil, fmt.Errorf("asking %s for numbers: %w", c.base.Host, err)
	}
	numbers := make([]float64, moments)
	for i := range numbers {
		numbers[i] = math.NaN()
	}
	for _, s := range all {
		l, err := s.line(keyOf(s.Metric), span)
		if err != nil {
			return nil, fmt.Errorf("the query at %s gives no numbers: %w", c.base.Host, err)
		}
		for i, n := range l.values {
			switch {
			case l.wrong[i] != "":
				return nil, fmt.Errorf("the query at %s gives no number of %s: %s", c.base.Host, clock(span, i), l.wrong[i])
			case math.IsNaN(n):
			case !math.IsNaN(numbers[i]):
				return nil, fmt.Errorf("the query at %s gives several series at %s; put sum() around it", c.base.Host, clock(span, i))
			default:
				numbers[i] = n
			}
		}
	}
	for i, n := range numbers {
		if math.IsNaN(n) {
			return nil, fmt.Errorf("the query at %s has no series at %s", c.base.Host, clock(span, i))
		}
	}
	return numbers, nil
}

// clock says which moment of a span it is.
func clock(span timeline, i int) string {
	return span.start.Add(time.Duration(i)*span.step).UTC().Format(time.TimeOnly) + " UTC"
}
