package promql_test

import (
	"testing"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/promql"
)

func TestReachIsTheFurthestThatAnExpressionLooksBack(t *testing.T) {
	for expression, want := range map[string]time.Duration{
		`sum(a)`:                               0,
		`1`:                                    0,
		`sum(rate(a[5m])) / sum(rate(b[10m]))`: 10 * time.Minute,
		`rate(a[5m] offset 1h)`:                65 * time.Minute,
		`a offset 30s`:                         30 * time.Second,
		`max_over_time(rate(a[5m])[30m:1m])`:   35 * time.Minute,
		`max_over_time((rate(a[5m]) + b)[30m:1m] offset 1h)`: 95 * time.Minute,
		`max_over_time(max_over_time(a[1m:])[2m:])`:          3 * time.Minute,
	} {
		if got, known, err := promql.Reach(expression); err != nil || !known || got != want {
			t.Errorf("%s looks back %s (known: %t, error: %v), want %s", expression, got, known, err, want)
		}
	}
	for _, expression := range []string{`rate(a[5m] @ 1609746000)`, `a @ end()`, `rate(a[2m * 3])`, `a offset (2 * 1m)`, `max_over_time(a[5m:] @ start())`} {
		if got, known, err := promql.Reach(expression); err != nil || known {
			t.Errorf("%s looks back %s (error: %v), want that it isn't known", expression, got, err)
		}
	}
	if _, _, err := promql.Reach("rate(a)"); err == nil {
		t.Error("what is no PromQL looks back")
	}
}

func TestKeepsKnowsWhetherALabelIsLeft(t *testing.T) {
	for expression, want := range map[string]bool{
		`a_bucket`:                                  true,
		`sum by (pod, le) (a_bucket)`:               true,
		`sum by (pod) (a_bucket)`:                   false,
		`sum(a_bucket)`:                             false,
		`sum without (instance) (a_bucket)`:         true,
		`sum without (le) (a_bucket)`:               false,
		`sum by (le) (sum by (pod) (a))`:            false,
		`(sum by (le) (a)) + sum by (le) (b)`:       true,
		`sum(a) or sum(b)`:                          false,
		`label_replace(a, "le", "$1", "x", "(.*)")`: true,
	} {
		if got, err := promql.Keeps(expression, "le"); err != nil || got != want {
			t.Errorf("%s: got %t (%v), want %t", expression, got, err, want)
		}
	}
	if _, err := promql.Keeps("sum(", "le"); err == nil {
		t.Error("what is no PromQL keeps a label")
	}
}
