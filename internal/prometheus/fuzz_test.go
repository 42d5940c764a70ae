package prometheus

import (
	"encoding/json"
	"io"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"
)

// answers is a server that answers each query as it is told.
type answers struct {
	code int
	of   func(query string) string
}

// RoundTrip answers without any network.
func (a answers) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: a.code, Status: http.StatusText(a.code), Header: http.Header{},
		Body: io.NopCloser(strings.NewReader(a.of(r.URL.Query().Get("query")))), Request: r,
	}, nil
}

func fuzzed(t *testing.T, code int, of func(query string) string) *Client {
	c, err := New(Options{URL: "http://prometheus.example"})
	if err != nil {
		t.Fatal(err)
	}
	c.http.Transport = answers{code, of}
	return c
}

// statusOf brings any number to a status that a server may send.
func statusOf(code uint16) int {
	if code == 0 {
		return http.StatusOK
	}
	return 200 + int(code)%400
}

// FuzzNumbers: whatever a server answers to an instant query, it is one finite
// number or an error. What isn't 200, or isn't JSON, is never a number.
func FuzzNumbers(f *testing.F) {
	for _, body := range []string{
		`{"status":"success","data":{"resultType":"scalar","result":[1,"2.5"]}}`,
		`{"status":"success","data":{"resultType":"vector","result":[{"metric":{"le":"0.1"},"value":[1,"3"]},{"metric":{"le":"+Inf"},"value":[1,"4"]}]}}`,
		`{"status":"success","data":{"resultType":"vector","result":[{"metric":{"le":"1e300"},"value":[1,"3"]},{"metric":{"le":"+Inf"},"value":[1,"4"]}]}}`,
		`{"status":"success","data":{"resultType":"vector","result":[{"value":[1,"NaN"]}]}}`,
		`{"status":"success","warnings":["half"],"data":{"resultType":"vector","result":[]}}`,
		`{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[1800000000,"1"],[1800000060,"2"]]}]}}`,
		`{"status":"success","data":["up","a"]}`, `<html>`, `null`, ``,
	} {
		f.Add([]byte(body), uint16(0))
	}
	f.Add([]byte(`{"status":"success","data":{"resultType":"scalar","result":[1,"2"]}}`), uint16(303))
	f.Fuzz(func(t *testing.T, body []byte, code uint16) {
		c := fuzzed(t, statusOf(code), func(string) string { return string(body) })
		now := time.Unix(1_800_000_000, 0)
		never := statusOf(code) != http.StatusOK || !json.Valid(body)
		check := func(what string, err error, sound bool) {
			if err == nil && (never || !sound) {
				t.Errorf("%s was taken from %d %q", what, statusOf(code), body)
			}
		}
		finite := func(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
		v, err := c.Value(t.Context(), "a", now)
		check("a value", err, finite(v))
		n, err := c.Number(t.Context(), "a", now)
		check("a number", err, finite(n) && n >= 0)
		row, err := c.Numbers(t.Context(), "a", now, time.Minute, 2)
		check("numbers", err, len(row) == 2 && finite(row[0]) && finite(row[1]) && min(row[0], row[1]) >= 0)
		_, err = c.Names(t.Context(), now, now, nil)
		check("names", err, true)
		most, err := c.Most(t.Context(), "a", time.Hour, time.Minute, now)
		check("the most", err, most.Steps >= 0 && most.Steps <= most.Asked && !math.IsNaN(most.Value))
		upper, within, all, err := c.Histogram(t.Context(), "a_bucket", time.Hour, now)
		rising := len(upper) == len(within) && finite(all)
		for i := range within {
			rising = rising && within[i] <= all && (i == 0 || within[i] >= within[i-1] && upper[i] >= upper[i-1])
		}
		check("a histogram", err, rising)
	})
}

// FuzzCounters: whatever a server answers, each interval is counted in finite
// numbers, with no more errors than requests, or has a fault, or all is an error.
func FuzzCounters(f *testing.F) {
	matrix := func(labels, values string) []byte {
		return []byte(`{"status":"success","data":{"resultType":"matrix","result":[{"metric":{` + labels + `},"values":[` + values + `]}]}}`)
	}
	values := `[1799999940,"10"],[1800000000,"20"],[1800000060,"35"],[1800000120,"5"]`
	f.Add(matrix(`"pod":"a"`, values), matrix(`"pod":"a"`, `[1799999940,"0"],[1800000000,"1"],[1800000060,"2"]`), matrix(`"pod":"a","le":"+Inf"`, values), uint16(0))
	f.Add(matrix(`"pod":"a"`, `[1800000000,"1e308"],[1800000060,"NaN"]`), matrix(``, ``), matrix(`"le":"0.5"`, values), uint16(0))
	f.Add([]byte(`{"status":"success","data":{"resultType":"matrix","result":[]}}`), []byte(`{}`), []byte(`[]`), uint16(222))
	f.Fuzz(func(t *testing.T, requests, errors, buckets []byte, code uint16) {
		c := fuzzed(t, statusOf(code), func(query string) string {
			switch {
			case strings.Contains(query, "errors"):
				return string(errors)
			case strings.Contains(query, "bucket"):
				return string(buckets)
			}
			return string(requests)
		})
		from := time.Unix(1_800_000_000, 0)
		counted, err := c.Counters(t.Context(), CounterQuery{
			Requests: "requests", Errors: "errors", Buckets: "bucket", Edges: []time.Duration{500 * time.Millisecond},
			From: from, To: from.Add(3 * time.Minute), Interval: time.Minute, ErrorsMayBeAbsent: true,
		})
		if err != nil {
			return
		}
		if statusOf(code) != http.StatusOK || len(counted) != 3 {
			t.Fatalf("%d intervals were counted by an answer %d", len(counted), statusOf(code))
		}
		for _, one := range counted {
			n := one.Count
			whole := len(n.Slow) == 1 && n.Requests >= 0 && n.Errors >= 0 && n.Errors <= n.Requests && n.Slow[0] >= 0 && n.Slow[0] <= n.Requests && !math.IsInf(n.Requests, 0)
			if !whole || one.Fault != "" && (n.Requests != 0 || n.Errors != 0) {
				t.Errorf("counted %+v", one)
			}
		}
	})
}

// FuzzAlerts: whatever an Alertmanager answers, each alert in it that isn't held
// back counts, or it is an error: never fewer alerts than there are.
func FuzzAlerts(f *testing.F) {
	for _, body := range []string{
		`[]`, `null`, `{}`, ``, `"bad filter"`,
		`[{"labels":{"alertname":"A","x":"1"},"startsAt":"2026-01-01T00:00:00Z","status":{"state":"active","silencedBy":[],"inhibitedBy":[]}}]`,
		`[{"labels":{"a":"b"},"status":{"state":"suppressed"}},{"labels":{"a":"c"},"status":{"state":"active","silencedBy":["x"]}}]`,
		`[{"labels":{},"status":{}},{"status":null}]`,
	} {
		f.Add([]byte(body), uint16(0))
	}
	f.Fuzz(func(t *testing.T, body []byte, code uint16) {
		c := fuzzed(t, statusOf(code), func(string) string { return string(body) })
		got, err := c.Alerts(t.Context(), []string{`severity="page"`})
		if err != nil {
			return
		}
		var all []map[string]any
		if json.Unmarshal(body, &all) != nil || all == nil || statusOf(code) != http.StatusOK {
			t.Fatalf("%d %q was taken for a list of alerts", statusOf(code), body)
		}
		if got.Firing > len(all) || len(got.Names) != min(got.Firing, mostNamed) || got.Firing == 0 && !got.Since.IsZero() {
			t.Errorf("%q was read as %+v", body, got)
		}
		held := strings.Contains(strings.ToLower(string(body)), "suppressed") || strings.Contains(strings.ToLower(string(body)), "edby") || strings.Contains(string(body), `\`)
		if !held && got.Firing != len(all) {
			t.Errorf("of %d alerts that nothing holds back %d count: %q", len(all), got.Firing, body)
		}
	})
}
