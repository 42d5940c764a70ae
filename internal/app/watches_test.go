package app

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/config"
)

// watched lists the clusters that are watched, with the number of their users.
func (a *App) watched() map[string]int {
	a.watches.mu.Lock()
	defer a.watches.mu.Unlock()
	users := map[string]int{}
	for _, s := range a.watches.running {
		users[strings.TrimPrefix(s.name, "cluster of ")+strings.ReplaceAll(" "+s.key.namespaces, "\n", ",")] += s.users
	}
	return users
}

// A cluster is watched once, however many pairs use it: until the last one leaves.
func TestPairsShareTheWatchOfACluster(t *testing.T) {
	shop, blog := document("shop", ""), document("blog", "")
	both := document("shop blog", "")
	onlyBlog := strings.Replace(both, "green: {kubeconfig: {path: green.yaml}}", "green: {kubeconfig: {path: other.yaml}}", 1)
	a, _ := daemonOf(t, parsed(t, both))
	shared := slices.Collect(maps.Values(a.watches.running))
	steps := []struct {
		name, document string
		want           map[string]int
	}{
		{"two pairs", both, map[string]int{"blue.yaml ": 2, "green.yaml ": 2}},
		{"one goes elsewhere", onlyBlog, map[string]int{"blue.yaml ": 2, "green.yaml ": 1, "other.yaml ": 1}},
		{"it leaves", blog, map[string]int{"blue.yaml ": 1, "green.yaml ": 1}},
		{"both are there again", both, map[string]int{"blue.yaml ": 2, "green.yaml ": 2}},
		{"they look at other workloads", strings.Replace(both, "    soakOnly", "    workloads: {namespaces: [web, api]}\n    soakOnly", 1), map[string]int{
			"blue.yaml ": 1, "green.yaml ": 1, "blue.yaml api,web": 1, "green.yaml api,web": 1,
		}},
		{"the other one is alone", shop, map[string]int{"blue.yaml ": 1, "green.yaml ": 1}},
	}
	for _, step := range steps {
		a.reload(t.Context(), config.Update{Config: parsed(t, step.document)})
		if diff := cmp.Diff(step.want, a.watched()); diff != "" {
			t.Errorf("%s: watched clusters (-want +got):\n%s", step.name, diff)
		}
		if step.name == "it leaves" {
			for _, s := range shared {
				if s.life.stages == nil {
					t.Errorf("the pair that left stopped the watch of %s, which another one uses", s.name)
				}
			}
		}
	}
	stopAll(slices.Collect(maps.Values(a.pairs)))
	a.pairs = nil
	if left := a.watched(); len(left) != 0 {
		t.Errorf("with all pairs stopped these are watched: %v", left)
	}
}

func TestWhatMakesTwoWatchesTheSame(t *testing.T) {
	t.Parallel()
	pair := config.Pair{StaleAfter: 30_000_000_000, Workloads: config.Workloads{Namespaces: []string{"a", "b"}, Ignore: []string{"a/x"}}}
	cluster := config.Cluster{EKS: &config.EKS{Name: "shop", Region: "eu-west-1"}}
	cases := map[string]struct {
		cluster config.Cluster
		change  func(*config.Pair)
		same    bool
	}{
		"the same words":               {config.Cluster{EKS: &config.EKS{Name: "shop", Region: "eu-west-1"}}, func(*config.Pair) {}, true},
		"another order":                {cluster, func(p *config.Pair) { p.Workloads.Namespaces = []string{"b", "a"} }, true},
		"more patience":                {cluster, func(p *config.Pair) { p.StaleAfter *= 2 }, true},
		"other probes and steps":       {cluster, func(p *config.Pair) { p.Probes, p.Steps = []config.Probe{{Name: "x"}}, []config.Step{{Share: 100}} }, true},
		"another role":                 {config.Cluster{EKS: &config.EKS{Name: "shop", Region: "eu-west-1", RoleARN: "arn"}}, func(*config.Pair) {}, false},
		"another way":                  {config.Cluster{KubeconfigSecret: &config.KubeconfigSecret{Name: "shop"}}, func(*config.Pair) {}, false},
		"fewer namespaces":             {cluster, func(p *config.Pair) { p.Workloads.Namespaces = []string{"a"} }, false},
		"others to ignore":             {cluster, func(p *config.Pair) { p.Workloads.Ignore = nil }, false},
		"too little patience to share": {cluster, func(p *config.Pair) { p.StaleAfter = 1_000_000_000 }, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			other := pair
			c.change(&other)
			if got := keyOf(cluster, pair) == keyOf(c.cluster, other); got != c.same {
				t.Errorf("they share a watch: %t, want %t", got, c.same)
			}
		})
	}
}
