package prometheus_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/internal/prometheus"
)

func TestANumberIsReadOrItIsSaidWhyNot(t *testing.T) {
	for name, test := range map[string]struct {
		answer string
		want   float64
		err    string
	}{
		"a vector of one series": {`"vector","result":[{"metric":{},"value":[1800000000,"12.5"]}]`, 12.5, ""},
		"a vector of none":       {`"vector","result":[]`, 0, "it has no series"},
		"a scalar":               {`"scalar","result":[1800000000,"3e2"]`, 300, ""},
		"several series": {
			`"vector","result":[{"metric":{},"value":[1,"1"]},{"metric":{},"value":[1,"2"]}]`, 0, "it has 2 series; put sum() around it",
		},
		"no number":       {`"vector","result":[{"metric":{},"value":[1,"NaN"]}]`, 0, "its value is NaN, as of a division by nothing"},
		"without end":     {`"scalar","result":[1,"+Inf"]`, 0, "its value is +Inf"},
		"below zero":      {`"scalar","result":[1,"-2"]`, 0, "its value is -2, below zero"},
		"what isn't text": {`"scalar","result":[1,2]`, 0, "its value can't be read"},
		"a histogram":     {`"vector","result":[{"metric":{},"histogram":[1,{}]}]`, 0, "its series is a histogram"},
		"a range":         {`"matrix","result":[]`, 0, `it is a "matrix"; write an expression that gives one number`},
		"a part of the truth": {
			`"vector","result":[{"metric":{},"value":[1,"1"]}]},"warnings":["a store is down"],"x":{`, 0, "its answer is not whole: a store is down",
		},
	} {
		t.Run(name, func(t *testing.T) {
			var asked url.Values
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked = r.URL.Query()
				fmt.Fprintf(w, `{"status":"success","data":{"resultType":%s}}`, test.answer)
			}))
			defer server.Close()
			c, err := prometheus.New(prometheus.Options{URL: server.URL})
			if err != nil {
				t.Fatal(err)
			}
			got, err := c.Number(t.Context(), "sum(rate(a[5m]))", time.UnixMilli(1_800_000_000_250))
			if got != test.want || (err == nil) != (test.err == "") || err != nil && !strings.Contains(err.Error(), test.err) {
				t.Errorf("got %g (%v), want %g (%s)", got, err, test.want, test.err)
			}
			if diff := cmp.Diff(url.Values{"query": {"sum(rate(a[5m]))"}, "time": {"1800000000.250"}}, asked); diff != "" {
				t.Errorf("(-want +asked):\n%s", diff)
			}
		})
	}
}

func TestAValueMayBeBelowZero(t *testing.T) {
	for text, fails := range map[string]bool{"-2": false, "NaN": true, "-Inf": true} {
		c := client(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { reply(w, "scalar", []any{1, text}) }))
		got, err := c.Value(t.Context(), "a", time.UnixMilli(1_800_000_000_250))
		if (err != nil) != fails || !fails && got != -2 {
			t.Errorf("of %s it made %g (%v)", text, got, err)
		}
	}
}
