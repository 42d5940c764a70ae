package promql_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/internal/promql"
)

func TestParseFindsWhatAnExpressionChooses(t *testing.T) {
	for name, test := range map[string]struct {
		expression string
		want       []promql.Selector
	}{
		"a bare name": {"up", []promql.Selector{{Metric: "up"}}},
		"labels of one value, in any order, without the others": {
			`rate(requests_total{job="shop", code=~"5..", app="web", method!="GET"}[5m] offset 1h)`,
			[]promql.Selector{{Metric: "requests_total", Equal: []promql.Label{{Name: "app", Value: "web"}, {Name: "job", Value: "shop"}}}},
		},
		"a name among the labels": {
			`sum by (job) ({__name__="a:b", job="x"})`,
			[]promql.Selector{{Metric: "a:b", Equal: []promql.Label{{Name: "job", Value: "x"}}}},
		},
		"a pattern of names has no name": {`count({__name__=~"node_.*"})`, []promql.Selector{{}}},
		"both sides of an or can do without": {
			`(sum(errors_total) or vector(0)) / sum(requests_total)`,
			[]promql.Selector{{Metric: "errors_total", Fallible: true}, {Metric: "requests_total"}},
		},
		"a subquery": {`max_over_time(rate(a_total[1m])[1h:5m])`, []promql.Selector{{Metric: "a_total"}}},
		"an experimental function": {
			`sort_by_label(b, "job")`, []promql.Selector{{Metric: "b"}},
		},
		"a number": {`1 + time()`, nil},
		"a name of UTF-8": {
			`{"http.requests", "service.name"="shop"}`,
			[]promql.Selector{{Metric: "http.requests", Equal: []promql.Label{{Name: "service.name", Value: "shop"}}}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := promql.Parse(test.expression)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseRefusesWithAWordOfTheParser(t *testing.T) {
	for name, test := range map[string]struct{ expression, want string }{
		"nothing":                  {"", "no expression found in input"},
		"an open brace":            {"up{", "1:4: parse error"},
		"a rate without a range":   {"rate(a_total)", "expected type range vector"},
		"an unknown function":      {"whatever(a)", "unknown function"},
		"a query of Loki":          {`{app="shop"} |= "error"`, "parse error"},
		"several lines":            {"sum(\n  a\n  b\n)", "3:3: parse error"},
		"what no server would eat": {strings.Repeat("(", 1<<17), "longer than 16 KiB"},
		"nesting without end":      {strings.Repeat("(", 1<<14), "parse error"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := promql.Parse(test.expression)
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v, error %.300v; want an error of one line with %q", got, err, test.want)
			}
		})
	}
}

func TestWhatIsNestedDeepIsRead(t *testing.T) {
	if _, err := promql.Parse(strings.Repeat("(", 1<<13-1) + "a" + strings.Repeat(")", 1<<13-1)); err != nil {
		t.Error(err)
	}
}

func TestSelectorsAreWrittenAsTheParserReadsThem(t *testing.T) {
	narrowed := promql.Label{Name: "cluster", Value: `a"b\c`}
	for name, test := range map[string]struct {
		text string
		want []promql.Selector
	}{
		"a selector": {
			promql.Selector{Metric: "a.b", Equal: []promql.Label{{Name: "x.y", Value: "1\n2"}}}.Query(narrowed),
			[]promql.Selector{{Metric: "a.b", Equal: []promql.Label{narrowed, {Name: "x.y", Value: "1\n2"}}}},
		},
		"names":                 {promql.AnyOf([]string{"a.b", "c"}, narrowed), []promql.Selector{{Equal: []promql.Label{narrowed}}}},
		"names of all clusters": {promql.AnyOf([]string{"a"}), []promql.Selector{{}}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := promql.Parse(test.text)
			if err != nil {
				t.Fatalf("%s: %v", test.text, err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", test.text, diff)
			}
		})
	}
	if got, want := promql.AnyOf([]string{"a.b", "c"}), `{__name__=~"a\\.b|c"}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestNarrowAddsLabelsToEverySelector(t *testing.T) {
	for name, test := range map[string]struct{ expression, want string }{
		"a rate": {
			`sum(rate(http_requests_total{code!="0"}[5m]))`, `sum(rate(http_requests_total{cluster="blue",code!="0"}[5m]))`,
		},
		"both sides of an or": {`sum(a) or sum({__name__="b"})`, `sum(a{cluster="blue"}) or sum({__name__="b",cluster="blue"})`},
		"no selector":         {`vector(1)`, `vector(1)`},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := promql.Narrow(test.expression, promql.Label{Name: "cluster", Value: "blue"})
			if err != nil || got != test.want {
				t.Errorf("got %s (%v), want %s", got, err, test.want)
			}
		})
	}
	if got, err := promql.Narrow("sum( a )"); err != nil || got != "sum( a )" {
		t.Errorf("narrowed by nothing: %s (%v)", got, err)
	}
	if _, err := promql.Narrow("sum(", promql.Label{Name: "a", Value: "b"}); err == nil {
		t.Error("what is no PromQL is narrowed")
	}
}

func TestNumberKnowsWhatGivesNumbersOfAMoment(t *testing.T) {
	for expression, want := range map[string]bool{
		"sum(rate(a[5m]))": true, "scalar(a)": true, "1": true, "a[5m]": false, `"text"`: false,
	} {
		if got, err := promql.Number(expression); err != nil || got != want {
			t.Errorf("%s: got %t (%v), want %t", expression, got, err, want)
		}
	}
}
