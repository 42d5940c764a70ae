package app

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap/zaptest"

	"github.com/clusterswitch/clusterswitch/config"
	"github.com/clusterswitch/clusterswitch/internal/retire"
	"github.com/clusterswitch/clusterswitch/switcher"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// retiring is a configuration of two pairs that share their blue, and one with a
// blue of its own.
func retiring() *config.Config {
	pair := func(name, blue, green string) config.Pair {
		return config.Pair{
			Name: name, Blue: config.Cluster{EKS: &config.EKS{Name: blue, Region: "eu-west-1"}}, Green: config.Cluster{Kubeconfig: &config.Kubeconfig{Path: "/k", Context: green}},
			Preflight: config.Preflight{Mode: "block", Every: 10 * time.Minute},
		}
	}
	return &config.Config{Pairs: []config.Pair{pair("shop", "old", "new"), pair("blog", "old", "new"), pair("wiki", "older", "new")}}
}

func TestTheClusterThatAPersonMeans(t *testing.T) {
	c := retiring()
	for name, want := range map[string]struct {
		pairs, asGreen, fails string
	}{
		"shop":  {pairs: "shop blog"},
		"blog":  {pairs: "shop blog"},
		"old":   {pairs: "shop blog"},
		"older": {pairs: "wiki"},
		"new":   {asGreen: "shop blog wiki"},
		"none":  {fails: "the configuration has neither a pair nor a cluster none; it has the pairs shop, blog, wiki, and the clusters /k, new, old, older"},
	} {
		r, err := retireeNamed(c, name)
		var names []string
		for _, p := range r.pairs {
			names = append(names, p.Name)
		}
		got := ""
		if err != nil {
			got = err.Error()
		}
		if strings.Join(names, " ") != want.pairs || strings.Join(r.asGreen, " ") != want.asGreen || got != want.fails {
			t.Errorf("%s: pairs %v, as green %v, error %q", name, names, r.asGreen, got)
		}
	}
	c.Pairs[2].Green = config.Cluster{EKS: &config.EKS{Name: "old", Region: "us-east-1"}}
	if _, err := retireeNamed(c, "old"); err == nil {
		t.Error("two clusters of one name are taken for one")
	}
}

// turned tells the retirer where a pair stands.
func turned(r *retirer, pair string, phase shift.Phase) {
	r.Report(switcher.Turn{Plan: shift.Plan{Pair: pair}, Decision: shift.Decision{Next: shift.State{Phase: phase}}})
}

// Each cluster is looked at once for all of its pairs, no more often than
// configured, and only while one of them is Completed.
func TestTheDaemonLooksWhetherBlueMayBeDeleted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var mu sync.Mutex // guards both below
		var looked []string
		verdict := retire.Safe
		looks := func() []string {
			mu.Lock()
			defer mu.Unlock()
			return slices.Clone(looked)
		}
		r := newRetirer(func(_ context.Context, _ *config.Config, of retiree) retire.Report {
			time.Sleep(time.Second)
			mu.Lock()
			defer mu.Unlock()
			looked = append(looked, of.cluster.EKS.Name+" "+time.Since(began).String())
			if verdict == "" {
				panic("a fault")
			}
			return retire.Report{Cluster: of.cluster.EKS.Name, At: time.Now(), Verdict: verdict}
		}, make(chan struct{}, 1), zaptest.NewLogger(t))
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { _ = r.run(ctx); close(done) }()
		r.configure(retiring())
		turned(r, "shop", shift.OnStandby)
		time.Sleep(time.Hour)
		turned(r, "shop", shift.Completed)
		time.Sleep(21 * time.Minute)
		if diff := cmp.Diff([]string{"old 1h0m1s", "old 1h10m1s", "old 1h20m1s"}, looks()); diff != "" {
			t.Errorf("looks (-want +got):\n%s", diff)
		}
		if got := r.reading("shop"); !got.Safe || got.Unknown || !strings.HasPrefix(got.Message, "old: ") {
			t.Errorf("the reading is %+v", got)
		}
		if got := r.reading("blog"); got != (shift.RetireReading{}) {
			t.Errorf("a pair that isn't completed has %+v", got)
		}
		turned(r, "blog", shift.Shifting)
		if got := r.reading("shop"); got != (shift.RetireReading{}) {
			t.Errorf("what was known before another pair moved still counts: %+v", got)
		}
		mu.Lock()
		verdict = ""
		mu.Unlock()
		time.Sleep(11 * time.Minute)
		if got := r.reading("shop"); got.Safe || !got.Unknown || !strings.Contains(got.Message, "a fault in the check itself") {
			t.Errorf("after a fault the reading is %+v", got)
		}
		turned(r, "shop", shift.Returning)
		before := looks()
		time.Sleep(time.Hour)
		if diff := cmp.Diff(before, looks()); diff != "" {
			t.Errorf("it goes on looking on the way back (-before +after):\n%s", diff)
		}
		stop()
		<-done
	})
}
