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

// Number asks an expression that gives one number of a moment: a scalar, or a
// vector of one series. All else is an error: several series, none at all, a
// negative number, what is not a number, and what the server calls not whole. A
// vector of none is not 0: it is also the answer while nothing could be scraped.
// https://prometheus.io/docs/prometheus/latest/querying/api/#instant-queries
func (c *Client) Number(ctx context.Context, expression string, at time.Time) (float64, error) {
	n, err := c.Value(ctx, expression, at)
	if err == nil && n < 0 {
		err = fmt.Errorf("the query at %s gives no number: its value is %s, below zero", c.base.Host, strconv.FormatFloat(n, 'g', -1, 64))
	}
	if err != nil {
		return 0, err
	}
	return n, nil
}

// Value is Number where a negative number is one, too.
func (c *Client) Value(ctx context.Context, expression string, at time.Time) (float64, error) {
	var given result
	if err := c.get(ctx, "query", url.Values{"query": {expression}, "time": {seconds(at)}}, &given); err != nil {
		return 0, fmt.Errorf("asking %s for a number: %w", c.base.Host, err)
	}
	n, err := given.number()
	if err != nil {
		return 0, fmt.Errorf("the query at %s gives no number: %w", c.base.Host, err)
	}
	return n, nil
}

// result is the data of an instant query.
type result struct {
	Type   string          `json:"resultType"`
	Result json.RawMessage `json:"result"`
}

// sample is a moment in seconds since 1970, and a number as text.
type sample [2]json.RawMessage

func (r result) number() (float64, error) {
	switch r.Type {
	case "scalar":
		var s sample
		if err := json.Unmarshal(r.Result, &s); err != nil {
			return 0, fmt.Errorf("its scalar can't be read: %w", err)
		}
		return s.number()
	case "vector":
		var series []struct {
			Value *sample `json:"value"`
		}
		if err := json.Unmarshal(r.Result, &series); err != nil {
			return 0, fmt.Errorf("its series can't be read: %w", err)
		}
		switch {
		case len(series) == 0:
			return 0, errors.New("it has no series; if that means 0, write EXPRESSION or vector(0)")
		case len(series) > 1:
			return 0, fmt.Errorf("it has %d series; put sum() around it", len(series))
		case series[0].Value == nil:
			return 0, errors.New("its series is a histogram; use histogram_count(), for instance")
		}
		return series[0].Value.number()
	}
	return 0, fmt.Errorf("it is a %q; write an expression that gives one number, such as sum(rate(...))", brief(r.Type))
}

func (s sample) number() (float64, error) {
	var text string
	if err := json.Unmarshal(s[1], &text); err != nil {
		return 0, fmt.Errorf("its value can't be read: %w", err)
	}
	n, err := strconv.ParseFloat(text, 64)
	switch {
	case err != nil:
		return 0, fmt.Errorf("its value is %q", brief(text))
	case math.IsNaN(n) || math.IsInf(n, 0):
		return 0, fmt.Errorf("its value is %s, as of a division by nothing", text)
	}
	return n, nil
}
