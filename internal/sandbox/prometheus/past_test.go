package prometheus_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/backend"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/prometheus"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/vnet"
)

// A scrape of a pod goes on with a series whose past was written, and so does a
// Prometheus that was killed.
func TestAPodsPastAndPresentAreOneSeries(t *testing.T) {
	const address = "10.10.0.1:8080"
	network := vnet.New()
	pods := backend.NewCluster("blue", network)
	if err := pods.Add("web-0", address); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pods.Close(context.WithoutCancel(t.Context())) })
	pods.SetCounts(address, backend.Counts{ByCode: map[int]float64{200: 3600}})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	proxied := make(chan error, 1)
	go func() { proxied <- network.ServeProxy(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-proxied; err != nil {
			t.Error(err)
		}
	})
	o := prometheus.Options{
		Jobs: []prometheus.Job{{Name: "shop", Targets: []string{address}, Labels: map[string]string{"cluster": "blue"}, Proxy: "http://" + l.Addr().String()}},
		Past: 2 * time.Hour,
	}
	s := start(t, &o)
	if err := s.Await(t.Context(), "http_requests_total"); err != nil {
		t.Fatal(err)
	}
	now := time.Now().Truncate(time.Second)
	labels := map[string]string{"job": "shop", "instance": address, "cluster": "blue", "pod": "web-0", "code": "200"}
	past := prometheus.Series{Name: "http_requests_total", Labels: labels}
	for i := range 3601 {
		past.Samples = append(past.Samples, prometheus.Sample{At: now.Add(time.Duration(i-3600) * time.Second), Value: float64(i)})
	}
	if err := s.Write(t.Context(), []prometheus.Series{past}); err != nil {
		t.Fatal(err)
	}
	check := func(when string) {
		t.Helper()
		values := ask(t, s.URL, now.Add(-30*time.Minute), now.Add(time.Second), 15*time.Minute)
		if diff := cmp.Diff([]map[string]any{{"metric": with(labels, "__name__", "http_requests_total"), "values": []any{"1800", "2700", "3600"}}}, values); diff != "" {
			t.Errorf("%s (-want +got):\n%s", when, diff)
		}
	}
	check("after its past was written")
	if err := s.Kill(); err != nil {
		t.Fatal(err)
	}
	o.Address = s.Address()
	again, err := prometheus.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := again.Stop(); err != nil {
			t.Error(err)
		}
	}()
	if again.URL != s.URL {
		t.Errorf("it is at %s, was at %s", again.URL, s.URL)
	}
	check("after a crash")
}

func with(labels map[string]string, name, value string) map[string]any {
	all := map[string]any{name: value}
	for k, v := range labels {
		all[k] = v
	}
	return all
}

// ask gives the counter's values over time, without their times.
func ask(t *testing.T, at string, from, to time.Time, step time.Duration) (series []map[string]any) {
	t.Helper()
	resp, err := http.Get(fmt.Sprintf("%s/api/v1/query_range?query=http_requests_total&start=%d&end=%d&step=%s", at, from.Unix(), to.Unix(), url.QueryEscape(step.String())))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer struct {
		Data struct {
			Result []map[string]any `json:"result"`
		} `json:"data"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	for _, one := range answer.Data.Result {
		var values []any
		for _, point := range one["values"].([]any) {
			values = append(values, point.([]any)[1])
		}
		one["values"] = values
	}
	return answer.Data.Result
}
