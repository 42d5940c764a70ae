package prometheus_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/internal/prometheus"
)

// numbers answers the two questions of Most with these numbers; empty: with none.
func numbers(peak, steps string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		value := peak
		if strings.Contains(r.URL.Query().Get("query"), "count_over_time") {
			value = steps
		}
		if value == "" {
			fmt.Fprint(w, `{"status":"success","data":{"resultType":"vector","result":[]}}`)
			return
		}
		fmt.Fprintf(w, `{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,%q]}]}}`, value)
	}
}

func TestTheMostOfAnExpression(t *testing.T) {
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   prometheus.Most
		fails  string
	}{
		"silence":           {numbers("0", "60"), prometheus.Most{Series: 1, Steps: 60, Asked: 60}, ""},
		"something":         {numbers("2.5", "60"), prometheus.Most{Value: 2.5, Series: 1, Steps: 60, Asked: 60}, ""},
		"gaps":              {numbers("0", "12"), prometheus.Most{Series: 1, Steps: 12, Asked: 60}, ""},
		"nothing at all":    {numbers("", ""), prometheus.Most{Asked: 60}, ""},
		"what is no number": {numbers("NaN", "60"), prometheus.Most{}, "its answer is NaN"},
		"another kind": {func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, `{"status":"success","data":{"resultType":"scalar","result":[1,"0"]}}`)
		}, prometheus.Most{}, "is a scalar and no vector"},
		"a query that fails": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `{"status":"error","error":"parse error"}`)
		}, prometheus.Most{}, "parse error"},
	} {
		t.Run(name, func(t *testing.T) {
			var asked string
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked = r.URL.Query().Get("query")
				c.answer(w, r)
			}))
			t.Cleanup(server.Close)
			client, err := prometheus.New(prometheus.Options{URL: server.URL})
			if err != nil {
				t.Fatal(err)
			}
			got, err := client.Most(t.Context(), "sum(up) # all", time.Hour, time.Minute, time.Unix(1_800_000_000, 0))
			if (err != nil) != (c.fails != "") || err != nil && !strings.Contains(err.Error(), c.fails) {
				t.Fatalf("error %v, want %q", err, c.fails)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("the most (-want +got):\n%s", diff)
			}
			if !strings.Contains(asked, "((sum(up) # all\n)[3600s:60s])") {
				t.Errorf("it asked %q", asked)
			}
		})
	}
}
