package prometheus_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestAHistogramTellsHowLongAnswersTook(t *testing.T) {
	vector := func(result ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintf(w, `{"status":"success","data":{"resultType":"vector","result":[%s]}}`, strings.Join(result, ","))
		}
	}
	bucket := func(le, value string) string { return fmt.Sprintf(`{"metric":{"le":%q},"value":[1,%q]}`, le, value) }
	const ms = time.Millisecond
	for name, test := range map[string]struct {
		buckets string
		answer  http.HandlerFunc
		upper   []time.Duration
		within  []float64
		all     float64
		fails   string
	}{
		"in seconds": {
			"sum by (pod, le) (http_request_duration_seconds_bucket)", vector(bucket("+Inf", "100.5"), bucket("0.3", "90"), bucket("1.0", "99"), bucket("0.005", "3")),
			[]time.Duration{5 * ms, 300 * ms, time.Second},
			[]float64{3, 90, 99},
			100.5, "",
		},
		"in milliseconds of Istio": {
			"istio_request_duration_milliseconds_bucket", vector(bucket("0.5", "1"), bucket("2500", "8"), bucket("+Inf", "9")),
			[]time.Duration{500 * time.Microsecond, 2500 * ms},
			[]float64{1, 8},
			9, "",
		},
		"in milliseconds of Envoy": {
			`sum by (le)(envoy_cluster_upstream_rq_time_bucket{x="a"})`, vector(bucket("10", "1"), bucket("+Inf", "9")),
			[]time.Duration{10 * ms},
			[]float64{1},
			9, "",
		},
		"bounds that two versions write in two ways": {
			"b", vector(bucket("1", "1"), bucket("1.0", "2"), bucket("+Inf", "9")), []time.Duration{time.Second}, []float64{3}, 9, "",
		},
		"never fewer in a larger bucket": {
			"b", vector(bucket("1", "7"), bucket("2", "6.9"), bucket("+Inf", "6.8")), []time.Duration{time.Second, 2 * time.Second}, []float64{7, 7}, 7, "",
		},
		"nothing": {"b", vector(), nil, nil, 0, "buckets has no series yet; check the name"},
		"no answers": {
			"b", vector(bucket("1", "0"), bucket("+Inf", "0")), []time.Duration{time.Second}, []float64{0}, 0, "",
		},
		"no bucket of all":     {"b", vector(bucket("1", "7")), nil, nil, 0, `no bucket with the label le="+Inf"`},
		"no bounds":            {"b", vector(`{"metric":{},"value":[1,"7"]}`), nil, nil, 0, `no bucket with the label le="+Inf"`},
		"NaN":                  {"b", vector(bucket("1", "NaN"), bucket("+Inf", "9")), nil, nil, 0, "its bucket of 1 is NaN"},
		"another kind":         {"b", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { reply(w, "matrix", []any{}) }), nil, nil, 0, "no vector"},
		"no answer that helps": {"b", http.NotFoundHandler().ServeHTTP, nil, nil, 0, "404 Not Found"},
	} {
		t.Run(name, func(t *testing.T) {
			asked := ""
			c := client(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked = r.URL.Query().Get("query")
				test.answer(w, r)
			}))
			upper, within, all, err := c.Histogram(t.Context(), test.buckets, 6*time.Hour, origin())
			if (err != nil) != (test.fails != "") || err != nil && !strings.Contains(err.Error(), test.fails) {
				t.Fatalf("error %v, want %q", err, test.fails)
			}
			if diff := cmp.Diff([]any{test.upper, test.within, test.all}, []any{upper, within, all}); diff != "" {
				t.Errorf("the histogram (-want +got):\n%s", diff)
			}
			if want := "sum by (le) (increase((" + test.buckets + "\n)[21600000ms:90000ms]))"; asked != want {
				t.Errorf("it asked %q", asked)
			}
		})
	}
}
