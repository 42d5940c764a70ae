package prometheus

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// timeline is moments at equal distances.
type timeline struct {
	start  time.Time
	step   time.Duration
	points int
}

func (t timeline) end() time.Time { return t.start.Add(time.Duration(t.points-1) * t.step) }

// line is one series along a timeline.
type line struct {
	// values has NaN where there is no sample, or none that can be.
	values []float64
	// wrong says of moments what is wrong with the sample.
	wrong map[int]string
}

// series is one series of an answer.
type series struct {
	Metric     map[string]string `json:"metric"`
	Values     []point           `json:"values"`
	Histograms json.RawMessage   `json:"histograms"`
}

// point is a moment in seconds since 1970 and the value at it.
type point struct{ at, value float64 }

// UnmarshalJSON reads [1435781430.781,"1"].
func (p *point) UnmarshalJSON(text []byte) error {
	at, value, two := bytes.Cut(bytes.Trim(text, "[] \n\t"), []byte(","))
	var err, also error
	p.at, err = strconv.ParseFloat(string(bytes.TrimSpace(at)), 64)
	p.value, also = strconv.ParseFloat(string(bytes.Trim(value, "\" ")), 64)
	if err != nil || also != nil || !two {
		return fmt.Errorf("a sample is %s", brief(string(text)))
	}
	return nil
}

// series evaluates an expression at each moment.
// https://prometheus.io/docs/prometheus/latest/querying/api/#range-queries
func (c *Client) series(ctx context.Context, expression string, span timeline) ([]series, error) {
	var data struct {
		ResultType string   `json:"resultType"`
		Result     []series `json:"result"`
	}
	query := url.Values{
		"query": {expression}, "start": {seconds(span.start)}, "end": {seconds(span.end())},
		"step": {strconv.FormatFloat(span.step.Seconds(), 'f', -1, 64)},
	}
	if err := c.get(ctx, "query_range", query, &data); err != nil {
		return nil, err
	}
	if data.ResultType != "matrix" {
		return nil, fmt.Errorf("its answer is a %q and no matrix", brief(data.ResultType))
	}
	return data.Result, nil
}

// bySource brings series into lines, by the labels that tell their sources apart.
func bySource(all []series, span timeline) (map[string]*line, error) {
	lines := map[string]*line{}
	for _, s := range all {
		key := keyOf(s.Metric)
		if lines[key] != nil {
			return nil, fmt.Errorf("several series have the labels %s; put sum by (pod) (...) around them", brief(key))
		}
		l, err := s.line(key, span)
		if err != nil {
			return nil, err
		}
		lines[key] = l
	}
	return lines, nil
}

// keyOf writes labels in one order, without the name of the metric and without le.
func keyOf(labels map[string]string) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		if name != "__name__" && name != "le" {
			parts = append(parts, name+"="+strconv.Quote(labels[name]))
		}
	}
	return "{" + strings.Join(parts, ",") + "}"
}

func (s series) line(key string, span timeline) (*line, error) {
	if len(s.Histograms) > 0 && string(s.Histograms) != "null" {
		return nil, fmt.Errorf("%s is a native histogram; write histogram_count() of it for requests, and have classic buckets scraped for buckets", brief(key))
	}
	l := &line{values: make([]float64, span.points), wrong: map[int]string{}}
	for i := range l.values {
		l.values[i] = math.NaN()
	}
	from := float64(span.start.UnixMilli()) / 1e3
	for _, p := range s.Values {
		place := (p.at - from) / span.step.Seconds()
		i := int(math.Round(place))
		if i < 0 || i >= span.points || math.Abs(place-math.Round(place))*span.step.Seconds() > 0.002 {
			return nil, errors.New("its answer is of other moments than asked for; is there a cache before it that shifts them?")
		}
		if math.IsNaN(p.value) || math.IsInf(p.value, 0) || p.value < 0 {
			l.wrong[i] = fmt.Sprintf("%s is %s, which no counter can be", brief(key), strconv.FormatFloat(p.value, 'g', -1, 64))
			continue
		}
		l.values[i] = p.value
	}
	return l, nil
}

// earlier gives the last value that each source had in the day before a moment.
// https://prometheus.io/docs/prometheus/latest/querying/functions/#aggregation_over_time
func (c *Client) earlier(ctx context.Context, expression string, at time.Time) (map[string]float64, error) {
	var data struct {
		ResultType string `json:"resultType"`
		Result     []struct {
			Metric map[string]string `json:"metric"`
			Value  point             `json:"value"`
		} `json:"result"`
	}
	query := fmt.Sprintf("last_over_time((%s\n)[%ds:1m])", expression, int(errorsWithin/time.Second))
	if err := c.get(ctx, "query", url.Values{"query": {query}, "time": {seconds(at)}}, &data); err != nil {
		return nil, fmt.Errorf("looking for errors of the day before: %w", err)
	}
	if data.ResultType != "vector" {
		return nil, fmt.Errorf("looking for errors of the day before: its answer is a %q and no vector", brief(data.ResultType))
	}
	values := map[string]float64{}
	for _, s := range data.Result {
		if v := s.Value.value; v >= 0 && !math.IsInf(v, 0) {
			values[keyOf(s.Metric)] = v
		}
	}
	return values, nil
}
