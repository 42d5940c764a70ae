package prometheus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/url"
	"strconv"
	"time"
)

// Most is the largest value of an expression over a time.
type Most struct {
	// Value is the largest of all its series.
	Value float64
	// Series is how many it has; 0: it gave nothing at all.
	Series int
	// Steps is at how many of Asked instants it gave anything.
	Steps, Asked int
}

// Most asks for the largest value that an expression had over the time before an
// instant, looked at every step: by a subquery, so that nothing of the expression
// need be known.
// https://prometheus.io/docs/prometheus/latest/querying/basics/#subquery
func (c *Client) Most(ctx context.Context, expression string, over, step time.Duration, at time.Time) (Most, error) {
	window := fmt.Sprintf("[%ds:%ds]", int64(over/time.Second), int64(step/time.Second))
	m := Most{Asked: int(over / step)}
	peak, err := c.instant(ctx, "max(max_over_time(("+expression+"\n)"+window+"))", at)
	if err != nil {
		return Most{}, fmt.Errorf("asking %s: %w", c.base.Host, err)
	}
	if peak.series == 0 {
		return m, nil
	}
	steps, err := c.instant(ctx, "max(count_over_time(("+expression+"\n)"+window+"))", at)
	if err != nil {
		return Most{}, fmt.Errorf("asking %s: %w", c.base.Host, err)
	}
	m.Value, m.Series, m.Steps = peak.value, peak.series, int(steps.value)
	return m, nil
}

// sampled is the answer to an instant query that gives one number or none.
type sampled struct {
	value  float64
	series int
}

// instant evaluates an expression at one instant.
// https://prometheus.io/docs/prometheus/latest/querying/api/#instant-queries
func (c *Client) instant(ctx context.Context, expression string, at time.Time) (sampled, error) {
	var data struct {
		ResultType string          `json:"resultType"`
		Result     json.RawMessage `json:"result"`
	}
	if err := c.get(ctx, "query", url.Values{"query": {expression}, "time": {seconds(at)}}, &data); err != nil {
		return sampled{}, err
	}
	if data.ResultType != "vector" {
		return sampled{}, fmt.Errorf("its answer is a %s and no vector", brief(data.ResultType))
	}
	var vector []struct {
		Value [2]any `json:"value"`
	}
	if err := json.Unmarshal(data.Result, &vector); err != nil {
		return sampled{}, fmt.Errorf("its answer has other data than asked for: %w", err)
	}
	if len(vector) == 0 {
		return sampled{}, nil
	}
	text, _ := vector[0].Value[1].(string)
	value, err := strconv.ParseFloat(text, 64)
	switch {
	case err != nil:
		return sampled{}, errors.New("its answer holds what is no number")
	case math.IsNaN(value):
		return sampled{}, errors.New("its answer is NaN: no number at all")
	}
	return sampled{value: value, series: len(vector)}, nil
}
