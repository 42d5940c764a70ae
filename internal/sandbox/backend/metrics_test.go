package backend_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/backend"
)

// metrics gives the numbers that a pod tells at /metrics, by their series; those that
// are nothing are left out.
func metrics(t *testing.T, client *http.Client) map[string]string {
	t.Helper()
	response, err := get(t.Context(), client, "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	numbers := map[string]string{}
	for line := range strings.Lines(string(body)) {
		if strings.HasPrefix(line, "#") || strings.Contains(line, "_sum") {
			continue
		}
		at := strings.LastIndexByte(line, ' ')
		if value := strings.TrimSpace(line[at:]); value != "0" {
			numbers[line[:at]] = value
		}
	}
	return numbers
}

func TestAPodTellsWhatItAnswered(t *testing.T) {
	c, client := cluster(t)
	setFaults(t, c, backend.Faults{ErrorRatio: 0.25})
	for range 8 {
		status(t, client, "/")
	}
	status(t, client, "/healthz") // no user
	want := map[string]string{
		`http_requests_total{pod="shop-1",code="200"}`: "6", `http_requests_total{pod="shop-1",code="500"}`: "2",
		`http_request_duration_seconds_bucket{pod="shop-1",le="+Inf"}`: "8", `http_request_duration_seconds_count{pod="shop-1"}`: "8",
	}
	got := metrics(t, client)
	for series, value := range want {
		if got[series] != value {
			t.Errorf("%s is %q, want %s", series, got[series], value)
		}
	}
}

func TestWhatGoesWrongWithAPodsMetrics(t *testing.T) {
	const counter = `http_requests_total{pod="shop-1",code="200"}`
	for name, test := range map[string]struct {
		faults backend.MetricsFaults
		want   map[string]string // of the counters of requests
		status int
	}{
		"nothing":                          {want: map[string]string{counter: "3"}, status: 200},
		"the counter has another name":     {backend.MetricsFaults{Renamed: true}, map[string]string{`http_server_requests_total{pod="shop-1",code="200"}`: "3"}, 200},
		"the counter is no number":         {backend.MetricsFaults{NaN: true}, map[string]string{counter: "NaN"}, 200},
		"it repeats what it told before":   {backend.MetricsFaults{Frozen: true}, map[string]string{counter: "2"}, 200},
		"it answers that it can't say now": {backend.MetricsFaults{Down: true}, map[string]string{}, 503},
	} {
		t.Run(name, func(t *testing.T) {
			c, client := cluster(t)
			status(t, client, "/")
			status(t, client, "/")
			setFaults(t, c, backend.Faults{Metrics: test.faults})
			if got := status(t, client, "/metrics"); got != test.status {
				t.Errorf("the status is %d, want %d", got, test.status)
			}
			status(t, client, "/")
			got := map[string]string{}
			for series, value := range metrics(t, client) {
				if strings.Contains(series, "requests_total") {
					got[series] = value
				}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("counters (-want +got):\n%s", diff)
			}
			setFaults(t, c, backend.Faults{})
			if got := metrics(t, client)[counter]; got != "3" {
				t.Errorf("afterwards the counter is %q, want 3", got)
			}
		})
	}
}

func TestAHangingScrapeEndsWithWhoAsked(t *testing.T) {
	c, client := cluster(t)
	setFaults(t, c, backend.Faults{Metrics: backend.MetricsFaults{Hang: true}})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if response, err := get(ctx, client, "/metrics"); err == nil {
		_ = response.Body.Close()
		t.Errorf("it answers %s", response.Status)
	}
	if got := status(t, client, "/"); got != 200 {
		t.Errorf("users get %d meanwhile", got)
	}
}

func TestCountersAreSetBackAndTakenUp(t *testing.T) {
	c, client := cluster(t)
	status(t, client, "/")
	c.SetCounts(address, backend.Counts{ByCode: map[int]float64{200: 1e6, 500: 3}})
	status(t, client, "/")
	got := metrics(t, client)
	if got[`http_requests_total{pod="shop-1",code="200"}`] != "1000001" || got[`http_requests_total{pod="shop-1",code="500"}`] != "3" {
		t.Errorf("got %v, want the past and one more", got)
	}
	c.SetCounts(address, backend.Counts{})
	if got := metrics(t, client); len(got) > 0 {
		t.Errorf("after a restart it tells %v, want nothing", got)
	}
	c.SetCounts("10.30.0.99:8080", backend.Counts{}) // nobody is there
}

func TestSlowAnswersAreCountedBySlowness(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l pipes
		c := backend.NewCluster("blue", &l)
		if err := c.Add("shop-1", address); err != nil {
			t.Fatal(err)
		}
		client := &http.Client{Transport: &http.Transport{DialContext: l.dial}}
		setFaults(t, c, backend.Faults{SlowRatio: 0.3, Slow: 60 * time.Millisecond, ErrorRatio: 0.1, ByChance: true})
		for range 1000 {
			status(t, client, "/")
		}
		want := map[string]string{
			`http_requests_total{pod="shop-1",code="200"}`: "908", `http_requests_total{pod="shop-1",code="500"}`: "92",
			`http_request_duration_seconds_count{pod="shop-1"}`: "1000",
		}
		for _, le := range []string{"0.005", "0.01", "0.025", "0.05"} {
			want[`http_request_duration_seconds_bucket{pod="shop-1",le="`+le+`"}`] = "690"
		}
		for _, le := range []string{"0.1", "0.25", "0.5", "1", "2.5", "+Inf"} {
			want[`http_request_duration_seconds_bucket{pod="shop-1",le="`+le+`"}`] = "1000"
		}
		if diff := cmp.Diff(want, metrics(t, client)); diff != "" {
			t.Errorf("told (-want +got):\n%s", diff)
		}
		client.CloseIdleConnections()
		if err := c.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
