package measure

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// told answers GetMetricData with what it is told.
type told []types.MetricDataResult

func (r told) GetMetricData(context.Context, *cloudwatch.GetMetricDataInput, ...func(*cloudwatch.Options)) (*cloudwatch.GetMetricDataOutput, error) {
	return &cloudwatch.GetMetricDataOutput{MetricDataResults: r}, nil
}

// complete tells whether the last word about each series is that it is complete.
func (r told) complete(ids ...string) bool {
	last := map[string]types.StatusCode{}
	for _, one := range r {
		last[aws.ToString(one.Id)] = one.StatusCode
	}
	for _, id := range ids {
		if last[id] != types.StatusCodeComplete {
			return false
		}
	}
	return true
}

// FuzzMetricData: whatever CloudWatch answers, what is measured of it is within
// bounds, and nothing is measured unless every series is called complete. special
// stands for numbers that JSON can't write.
func FuzzMetricData(f *testing.F) {
	whole := `[{"Id":"q0m0","StatusCode":"Complete","Timestamps":["2026-01-01T11:55:00Z","2026-01-01T11:56:00Z"],"Values":[100,50]},
		{"Id":"q0m1","StatusCode":"Complete","Timestamps":["2026-01-01T11:55:00Z"],"Values":[7]},
		{"Id":"q1m0","StatusCode":"Complete","Timestamps":["2026-01-01T11:50:00Z","2026-01-01T11:56:00Z"],"Values":[70,140]},{"Id":"q1m1","StatusCode":"Complete"},
		{"Id":"q0m2","StatusCode":"Complete","Timestamps":[],"Values":[]},{"Id":"q0m3","StatusCode":"Complete","Timestamps":["2026-01-01T11:55:00Z"],"Values":[99]}]`
	f.Add([]byte(whole), 0.0, 0)
	f.Add([]byte(whole), 1e300, 1)
	f.Add([]byte(whole), -1.0, 2)
	f.Add([]byte(strings.Replace(whole, `"Values":[100,50]`, `"Values":[0,50]`, 1)), 0.0, 0)
	f.Add([]byte(strings.NewReplacer(`"Values":[100,50]`, `"Values":[]`, `"Values":[99]`, `"Values":[1]`).Replace(whole)), 0.0, 0) // errors that no request had
	f.Add([]byte(`[{"Id":"q0m0","StatusCode":"PartialData","Values":[1]},{"Id":"q0m0"}]`), 1.0, 0)
	f.Add([]byte(`[]`), 1.0, 0)
	f.Fuzz(func(t *testing.T, body []byte, special float64, place int) {
		var results told
		if json.Unmarshal(body, &results) != nil {
			return
		}
		for i := range results {
			if v := results[i].Values; len(v) > 0 && place > 0 && i == place%len(results) {
				v[place%len(v)] = special
			}
		}
		group := Group{LoadBalancer: "app/a/1", TargetGroup: "targetgroup/g/1"}
		now := time.Date(2026, 1, 1, 12, 0, 30, 0, time.UTC)
		c := New(Options{API: results, Now: func() time.Time { return now }})
		a := c.Measure(t.Context(), Asked{
			Traffic: []Query{{Gate: "errors", LoadBalancer: "app/a/1", TargetGroup: "targetgroup/g/1", Window: 5 * time.Minute, Period: time.Minute, Settle: 2 * time.Minute}},
			Loads:   []LoadQuery{{Name: "web", Blue: group, Green: group, Window: 5 * time.Minute, Period: time.Minute, Settle: 2 * time.Minute}},
		})
		if r := a.Loads[0]; r.Err == "" {
			p := r.Past
			if !results.complete("q1m0", "q1m1") || !(r.Blue >= 0 && r.Green >= 0) || p.Windows != 5 || !(0 <= p.Least && p.Least <= p.Most) || !r.From.Before(r.To) {
				t.Fatalf("the load was measured as %+v of %s", r, body)
			}
		}
		if r := a.Traffic[0]; r.Err == "" {
			if !results.complete("q0m0", "q0m1", "q0m2", "q0m3") {
				t.Fatalf("%+v was measured of what isn't complete: %s", r, body)
			}
			if r.Requests < 0 || r.Errors < 0 || r.Errors > r.Requests || !r.From.Before(r.To) {
				t.Fatalf("measured %+v", r)
			}
		}
		intervals, err := c.Requests(t.Context(), RequestQuery{
			Gate: "users", Blue: group, Green: group, Period: time.Minute, From: now.Truncate(time.Minute).Add(-7 * time.Minute), To: now.Truncate(time.Minute).Add(-2 * time.Minute),
			Edges: []time.Duration{time.Second}, BlueOnly: true,
		})
		for _, iv := range intervals {
			for _, n := range iv.Blue {
				if err == nil && iv.Fault == "" && !(n.Requests >= 0 && n.Bad >= 0 && n.Bad <= n.Requests) {
					t.Errorf("counted %+v", n)
				}
			}
		}
		edges, err := c.Edges(t.Context(), group, time.Hour, now)
		for _, e := range edges {
			if err == nil && e < time.Millisecond {
				t.Errorf("an answer is slow after %s", e)
			}
		}
	})
}
