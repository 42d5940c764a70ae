package prometheus_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestNumbersOfAllMomentsAreReadOrItIsSaidWhyNot(t *testing.T) {
	t.Parallel()
	one := func(values string) string { return `"matrix","result":[{"metric":{},"values":[` + values + `]}]` }
	for name, test := range map[string]struct {
		answer string
		want   []float64
		err    string
	}{
		"one number at each": {one(`[1800000000.250,"1"],[1800000060.250,"2.5"]`), []float64{1, 2.5}, ""},
		"the series goes on under another label": {
			`"matrix","result":[{"metric":{"pod":"a"},"values":[[1800000000.250,"1"]]},{"metric":{"pod":"b"},"values":[[1800000060.250,"2"]]}]`, []float64{1, 2}, "",
		},
		"nothing was there at first": {one(`[1800000060.250,"2.5"]`), nil, "has no series at 08:00:00 UTC"},
		"nothing is there at all":    {`"matrix","result":[]`, nil, "has no series at 08:00:00 UTC"},
		"two series at once": {
			`"matrix","result":[{"metric":{"pod":"a"},"values":[[1800000060.250,"1"]]},{"metric":{"pod":"b"},"values":[[1800000060.250,"2"]]}]`, nil, "gives several series at 08:01:00 UTC; put sum() around it",
		},
		"no number":            {one(`[1800000000.250,"1"],[1800000060.250,"NaN"]`), nil, "gives no number of 08:01:00 UTC"},
		"below zero":           {one(`[1800000000.250,"-1"],[1800000060.250,"2"]`), nil, "gives no number of 08:00:00 UTC"},
		"other moments":        {one(`[1800000007.250,"1"],[1800000060.250,"2"]`), nil, "is of other moments than asked for"},
		"an answer of another": {`"vector","result":[]`, nil, `is a "vector" and no matrix`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var asked url.Values
			c := client(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked = r.URL.Query()
				fmt.Fprintf(w, `{"status":"success","data":{"resultType":%s}}`, test.answer)
			}))
			got, err := c.Numbers(t.Context(), "sum(rate(a[5m]))", time.UnixMilli(1_800_000_000_250), time.Minute, 2)
			if diff := cmp.Diff(test.want, got); diff != "" || (err == nil) != (test.err == "") || err != nil && !strings.Contains(err.Error(), test.err) {
				t.Errorf("error %v, want %q; (-want +got):\n%s", err, test.err, diff)
			}
			want := url.Values{"query": {"sum(rate(a[5m]))"}, "start": {"1800000000.250"}, "end": {"1800000060.250"}, "step": {"60"}}
			if diff := cmp.Diff(want, asked); diff != "" {
				t.Errorf("(-want +asked):\n%s", diff)
			}
		})
	}
}
