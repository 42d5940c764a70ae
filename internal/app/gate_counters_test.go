package app

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/config"
	"github.com/clusterswitch/clusterswitch/internal/prometheus"
	"github.com/clusterswitch/clusterswitch/switcher/evidence"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// writtenServer answers with what was written down for it.
type writtenServer struct {
	counted []prometheus.Counted
	err     error
	asked   []prometheus.CounterQuery
}

func (w *writtenServer) Counters(_ context.Context, q prometheus.CounterQuery) ([]prometheus.Counted, error) {
	w.asked = append(w.asked, q)
	return w.counted, w.err
}

func (w *writtenServer) Histogram(context.Context, string, time.Duration, time.Time) ([]time.Duration, []float64, float64, error) {
	return []time.Duration{100 * time.Millisecond, 250 * time.Millisecond, time.Second}, []float64{900, 990, 999}, 1000, w.err
}

func noon(seconds int) time.Time {
	return time.Date(2026, 3, 1, 12, 0, seconds, 0, time.UTC)
}

func had(second int, requests, errors, slow float64) prometheus.Counted {
	return prometheus.Counted{
		Start: noon(second), End: noon(second + 15),
		Count: prometheus.Count{Requests: requests, Errors: errors, Slow: []float64{slow}},
	}
}

func faulty(second int, fault string) prometheus.Counted {
	return prometheus.Counted{Start: noon(second), End: noon(second + 15), Fault: fault}
}

func TestCountsOfBothSidesAreOfOneTime(t *testing.T) {
	edge := 250 * time.Millisecond
	blue := &writtenServer{counted: []prometheus.Counted{had(0, 90, 1, 9), faulty(15, "a gap"), had(30, 80, 2, 8), had(45, 70, 3, 7)}}
	green := &writtenServer{counted: []prometheus.Counted{had(0, 10, 0, 1), had(15, 11, 0, 1), faulty(30, "NaN")}}
	queries := prometheus.Queries{Requests: "r", Errors: "e", Buckets: "b", ErrorsMayBeAbsent: true}
	c := prometheusCounter{blue: countedSide{server: blue, queries: queries}, green: countedSide{server: green, queries: queries}}
	span := countSpan{from: noon(0), to: noon(60), interval: 15 * time.Second, edges: []time.Duration{edge}}
	got, err := c.count(t.Context(), span, false)
	want := []evidence.Interval{
		{Start: noon(0), End: noon(15), Blue: []evidence.Count{{Requests: 90, Bad: 1}, {Requests: 90, Bad: 9}}, Green: []evidence.Count{{Requests: 10}, {Requests: 10, Bad: 1}}},
		{Start: noon(15), End: noon(30), Green: []evidence.Count{{Requests: 11}, {Requests: 11, Bad: 1}}, Fault: "blue: a gap"},
		{Start: noon(30), End: noon(45), Blue: []evidence.Count{{Requests: 80, Bad: 2}, {Requests: 80, Bad: 8}}, Fault: "green: NaN"},
		{Start: noon(45), End: noon(60), Blue: []evidence.Count{{Requests: 70, Bad: 3}, {Requests: 70, Bad: 7}}, Fault: "green: nothing was counted"},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("both sides: %v (-want +got):\n%s", err, diff)
	}
	asked := []prometheus.CounterQuery{{
		Requests: "r", Errors: "e", Buckets: "b", Edges: []time.Duration{edge}, ErrorsMayBeAbsent: true,
		From: noon(0), To: noon(60), Interval: 15 * time.Second,
	}}
	if diff := cmp.Diff(asked, green.asked); diff != "" {
		t.Errorf("what green was asked (-want +got):\n%s", diff)
	}
	if edges, err := c.edges(t.Context(), time.Hour, noon(0)); err != nil || len(edges) != 3 {
		t.Errorf("edges: %v, %v", edges, err)
	}

	past, err := c.count(t.Context(), span, true)
	if err != nil || len(past) != 4 || past[1].Fault != "a gap" || len(past[0].Green) != 0 {
		t.Errorf("blue's past: %v, %v", past, err)
	}
	green.err = errors.New("no route")
	if _, err := c.count(t.Context(), span, false); err == nil || err.Error() != "green: no route" {
		t.Errorf("a side that can't be asked: %v", err)
	}
	c.blue.queries.Buckets = ""
	if _, err := c.count(t.Context(), span, true); err == nil {
		t.Error("slow answers were counted without buckets")
	}
}

func TestWhatKeepsAGateFromBeingAskedIsItsAnswer(t *testing.T) {
	server := config.Prometheus{URL: "http://127.0.0.1:1", Timeout: time.Second}
	missing := config.Prometheus{URL: "https://127.0.0.1:1", CAFile: "/nowhere/ca.pem"}
	for name, gate := range map[string]config.Gate{
		"a query that can't be read": {Requests: &config.Requests{Interval: time.Second, Prometheus: &config.RequestsPrometheus{
			Requests: "sum(", Errors: "e", Blue: server, Green: server,
		}}},
		"a template that there isn't": {Requests: &config.Requests{Interval: time.Second, Prometheus: &config.RequestsPrometheus{
			Template: "carrier-pigeon", Blue: server, Green: server,
		}}},
		"a certificate that can't be read": {Requests: &config.Requests{Interval: time.Second, Prometheus: &config.RequestsPrometheus{
			Requests: "r", Errors: "e", Blue: missing, Green: missing,
		}}},
		"a server of alerts that can't be reached": {Alertmanager: &config.Alertmanager{Server: missing, Matchers: []string{`a="b"`}}},
		"a number that can't be read":              {Prometheus: &config.PrometheusGate{Server: server, Query: "sum("}},
		"a service whose certificate is missing":   {Webhook: &config.Webhook{URL: "https://127.0.0.1:1", CAFile: "/nowhere/ca.pem"}},
		"a gate of no kind":                        {},
	} {
		t.Run(name, func(t *testing.T) {
			g := newGateMeter(newAWS(adapters{}), time.Now).gaugeOf(gateSpec{gate: gate})
			look := gateLook{active: true, asking: shift.Asking{Attempt: 1, Step: 1, Since: noon(0)}}
			if _, due := g.due(look, noon(0)); !due {
				t.Fatal("it is never due")
			}
			g.question(look, noon(0))(t.Context())()
			var o shift.Observation
			g.read(look, noon(1), &o)
			switch {
			case len(o.Requests) == 1 && o.Requests[0].Err != "" && o.Requests[0].Profile == nil:
			case len(o.Limits) == 1 && o.Limits[0].Err != "":
			default:
				t.Errorf("the reading says nothing of it: %+v", o)
			}
		})
	}
}

func TestAServicesAnswerIsANumber(t *testing.T) {
	status := http.StatusOK
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
	defer service.Close()
	ask := hookOf("shop", "release", config.Webhook{URL: service.URL, Timeout: 10 * time.Second})
	for name, test := range map[string]struct {
		status int
		value  float64
		note   string
	}{
		"a yes": {http.StatusOK, 0, "200 OK"},
		"a no":  {http.StatusConflict, 1, "409 Conflict"},
	} {
		status = test.status
		value, note, err := ask(t.Context(), noon(0), shift.Asking{Attempt: 1, Step: 2, Share: 25, Now: 5, Since: noon(0)})
		if value != test.value || note != test.note || err != nil {
			t.Errorf("%s: %g %q, %v", name, value, note, err)
		}
	}
}
