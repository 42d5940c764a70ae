package prometheus

import (
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

// Histogram gives the buckets of all series together, over the time before at:
// their upper bounds, rising and without the one that has no bound; how many
// answers took no longer than each; and how many there were. No series at all, or
// none with two samples yet, is an error: the metric may have another name.
//
// The bounds are seconds, as Prometheus recommends, unless the names of the metrics
// say otherwise: Istio's ..._milliseconds_bucket, linkerd's ..._ms_bucket, and
// Envoy's ..._rq_time_bucket are milliseconds.
func (c *Client) Histogram(ctx context.Context, buckets string, over time.Duration, at time.Time) (upper []time.Duration, within []float64, all float64, err error) {
	bounds, err := c.buckets(ctx, buckets, over, at)
	if err != nil {
		return nil, nil, 0, fmt.Errorf("asking %s for a histogram: %w", c.base.Host, err)
	}
	most := 0.0
	for _, bound := range slices.Sorted(maps.Keys(bounds)) {
		// What several series lost or got in between may let a larger bucket have less.
		most = max(most, bounds[bound])
		if math.IsInf(bound, 1) {
			return upper, within, most, nil
		}
		upper = append(upper, durationOf(bound, unitOf(buckets)))
		within = append(within, most)
	}
	err = errNoInf()
	if len(bounds) == 0 {
		err = errors.New("buckets has no series yet; check the name of its metric and its labels, or set latency.off")
	}
	return nil, nil, 0, fmt.Errorf("asking %s for a histogram: %w", c.base.Host, err)
}

func errNoInf() error {
	return errors.New(`it has no bucket with the label le="+Inf"; keep le in it, such as sum by (pod, le) (...)`)
}

// buckets gives what was added to each bucket, by its bound.
func (c *Client) buckets(ctx context.Context, expression string, over time.Duration, at time.Time) (map[float64]float64, error) {
	var data struct {
		ResultType string          `json:"resultType"`
		Result     json.RawMessage `json:"result"`
	}
	// 240 looks are plenty: only the shape counts.
	step := max(over/240, time.Second)
	query := fmt.Sprintf("sum by (le) (increase((%s\n)[%dms:%dms]))", expression, over.Milliseconds(), step.Milliseconds())
	if err := c.get(ctx, "query", url.Values{"query": {query}, "time": {seconds(at)}}, &data); err != nil {
		return nil, err
	}
	if data.ResultType != "vector" {
		return nil, fmt.Errorf("its answer is a %q and no vector", brief(data.ResultType))
	}
	var vector []struct {
		Metric map[string]string `json:"metric"`
		Value  point             `json:"value"`
	}
	if err := json.Unmarshal(data.Result, &vector); err != nil {
		return nil, fmt.Errorf("its answer has other data than asked for: %w", err)
	}
	bounds := map[float64]float64{}
	for _, s := range vector {
		bound, err := strconv.ParseFloat(s.Metric["le"], 64)
		if err != nil || math.IsNaN(bound) {
			return nil, errNoInf()
		}
		if v := s.Value.value; math.IsNaN(v) || math.IsInf(v, 0) || v < 0 {
			return nil, fmt.Errorf("its bucket of %s is %v", brief(s.Metric["le"]), v)
		}
		bounds[bound] += s.Value.value
	}
	return bounds, nil
}

// bucketsBySource gives the lines of the edges' buckets, in their order, and at the
// end those of all answers.
func bucketsBySource(all []series, span timeline, edges []time.Duration, unit time.Duration) ([]map[string]*line, error) {
	byBound := map[time.Duration][]series{}
	const unbounded = time.Duration(math.MaxInt64)
	for _, s := range all {
		bound, err := strconv.ParseFloat(s.Metric["le"], 64)
		if err != nil || math.IsNaN(bound) {
			return nil, errNoInf()
		}
		at := unbounded
		if !math.IsInf(bound, 1) {
			at = durationOf(bound, unit)
		}
		byBound[at] = append(byBound[at], s)
	}
	var sides []map[string]*line
	for _, edge := range append(slices.Clone(edges), unbounded) {
		switch {
		case len(all) == 0 || len(byBound[edge]) > 0:
		case edge == unbounded:
			return nil, errNoInf()
		default:
			return nil, fmt.Errorf("the histogram has no bucket up to %s; it has %s", edge, listed(byBound))
		}
		lines, err := bySource(byBound[edge], span)
		if err != nil {
			return nil, err
		}
		sides = append(sides, lines)
	}
	return sides, nil
}

func listed(byBound map[time.Duration][]series) string {
	var texts []string
	for _, bound := range slices.Sorted(maps.Keys(byBound)) {
		if bound != math.MaxInt64 {
			texts = append(texts, bound.String())
		}
	}
	if len(texts) > 30 {
		texts = append(texts[:30], "…")
	}
	return strings.Join(texts, ", ")
}

// durationOf gives a bound as a time, to the microsecond: 0.3 s is not quite 300 ms
// in floating point. A bound that no time can be is the longest one, or the shortest.
func durationOf(bound float64, unit time.Duration) time.Duration {
	const longest = 100 * 365 * 24 * time.Hour
	micros := math.Round(bound * float64(unit) / float64(time.Microsecond))
	return time.Duration(max(-float64(longest/time.Microsecond), min(micros, float64(longest/time.Microsecond)))) * time.Microsecond
}

// unitOf tells by the names of its metrics what a histogram counts. An expression
// can't say it in another way: PromQL can't calculate with the value of le.
func unitOf(buckets string) time.Duration {
	for name := range strings.FieldsFuncSeq(buckets, func(r rune) bool {
		return r != '_' && r != ':' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	}) {
		name = strings.TrimSuffix(name, "_bucket")
		envoy := strings.HasPrefix(name, "envoy_") && strings.HasSuffix(name, "_rq_time")
		if envoy || strings.HasSuffix(name, "_milliseconds") || strings.HasSuffix(name, "_ms") {
			return time.Millisecond
		}
	}
	return time.Second
}
