package prometheus_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/prometheus"
)

// start starts one in a folder of its own, and fills in what a second start needs.
func start(t *testing.T, o *prometheus.Options) *prometheus.Server {
	t.Helper()
	binary, err := prometheus.Build(t.Context(), "../../..")
	if err != nil {
		t.Fatal(err)
	}
	o.Binary, o.Dir = binary, t.TempDir()
	s, err := prometheus.Start(t.Context(), *o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestARealPrometheusScrapesAndStops(t *testing.T) {
	exporter := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "shop_orders 7")
	}))
	defer exporter.Close()
	s := start(t, &prometheus.Options{
		Jobs: []prometheus.Job{{Name: "shop", Targets: []string{exporter.Listener.Addr().String()}, Labels: map[string]string{"cluster": "blue"}}},
	})
	if err := s.Await(t.Context(), "shop_orders"); err != nil {
		t.Fatal(err)
	}
	resp, err := http.Get(s.URL + "/api/v1/query?query=shop_orders")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer struct {
		Data struct {
			Result []struct {
				Metric map[string]string `json:"metric"`
				Value  [2]any            `json:"value"`
			} `json:"result"`
		} `json:"data"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	if len(answer.Data.Result) != 1 || answer.Data.Result[0].Value[1] != "7" {
		t.Fatalf("got %+v, want one series of the value 7", answer)
	}
	want := map[string]string{"__name__": "shop_orders", "job": "shop", "cluster": "blue", "instance": exporter.Listener.Addr().String()}
	if diff := cmp.Diff(want, answer.Data.Result[0].Metric); diff != "" {
		t.Errorf("labels (-want +got):\n%s", diff)
	}
	if err := s.Await(t.Context(), "("); err == nil || !strings.Contains(err.Error(), "parse error") {
		t.Errorf("got error %v for what is no expression", err)
	}
	if err := s.Stop(); err != nil {
		t.Error(err)
	}
	if resp, err := http.Get(s.URL); err == nil {
		resp.Body.Close()
		t.Error("it answers after its end")
	}
}

func TestAPrometheusThatCannotStartSaysWhy(t *testing.T) {
	binary, err := prometheus.Build(t.Context(), "../../..")
	if err != nil {
		t.Fatal(err)
	}
	_, err = prometheus.Start(t.Context(), prometheus.Options{Binary: binary, Dir: t.TempDir(), Rules: "groups: 7"})
	if err == nil || !strings.Contains(err.Error(), "last words") || !strings.Contains(err.Error(), "rules.yaml") {
		t.Errorf("got error %v, want one that names the file", err)
	}
	_, err = prometheus.Start(t.Context(), prometheus.Options{Binary: filepath.Join(t.TempDir(), "none"), Dir: t.TempDir()})
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got error %v, want that there is no such file", err)
	}
}
