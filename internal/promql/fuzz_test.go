package promql_test

import (
	"slices"
	"testing"

	"github.com/clusterswitch/clusterswitch/internal/promql"
)

// FuzzExpression: all that is asked about an expression agrees on whether it is
// one; it looks back and not ahead; and what is narrowed is an expression whose
// every selector has the label, and that looks back as far as before.
func FuzzExpression(f *testing.F) {
	for _, text := range []string{
		`sum(rate(a{b="c"}[5m]))`, `a offset 5m or b @ 3`, `max_over_time((a)[1h:1m] offset 2h)`, `sum by (le) (x_bucket)`, `{__name__=~"a.*"}`,
		`a[5m] offset -1h`, `rate(a[1m+2m])`, `((`, `1 + "x"`, `a and on(b) c`, `sum without (pod) (a)`, `{"utf8 name", "la bel"="x"}`, `a offset step()`,
	} {
		f.Add(text, "cluster", "green")
	}
	f.Fuzz(func(t *testing.T, text, name, value string) {
		selectors, err := promql.Parse(text)
		back, known, reachErr := promql.Reach(text)
		_, numberErr := promql.Number(text)
		_, keepsErr := promql.Keeps(text, name)
		if (err == nil) != (reachErr == nil) || (err == nil) != (numberErr == nil) || (err == nil) != (keepsErr == nil) {
			t.Fatalf("%q: %v, %v, %v, %v", text, err, reachErr, numberErr, keepsErr)
		}
		_ = promql.Counters(text)
		_ = promql.Matcher(text)
		if err != nil {
			return
		}
		if back < 0 {
			t.Errorf("%q looks %s ahead", text, -back)
		}
		label := promql.Label{Name: "cluster", Value: value}
		narrowed, err := promql.Narrow(text, label)
		if err != nil {
			t.Fatalf("%q can't be narrowed: %v", text, err)
		}
		again, err := promql.Parse(narrowed)
		if err != nil {
			if len(narrowed) > 16<<10 {
				return // it was as long as an expression may be
			}
			t.Fatalf("%q was narrowed to %q: %v", text, narrowed, err)
		}
		if len(again) != len(selectors) {
			t.Errorf("%q has %d selectors, and %q has %d", text, len(selectors), narrowed, len(again))
		}
		for _, s := range again {
			if !slices.Contains(s.Equal, label) && !conflicting(s, label) {
				t.Errorf("%q was narrowed to %q, where %+v isn't", text, narrowed, s)
			}
		}
		if far, still, err := promql.Reach(narrowed); err != nil || far != back || still != known {
			t.Errorf("%q looks back %s, and %q looks back %s (%v)", text, back, narrowed, far, err)
		}
	})
}

// conflicting tells whether a selector wants another value of the label besides.
func conflicting(s promql.Selector, label promql.Label) bool {
	return slices.ContainsFunc(s.Equal, func(l promql.Label) bool { return l.Name == label.Name && l.Value != label.Value })
}
