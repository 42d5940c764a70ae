package gather

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	apidiscovery "k8s.io/api/apidiscovery/v2"
	"k8s.io/apimachinery/pkg/version"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
)

func TestDiscovery(t *testing.T) {
	t.Parallel()
	widgets := facts.Kind{
		GroupKind: facts.GroupKind{Group: "example.com", Kind: "Widget"}, Version: "v1", Served: []string{"v1"}, Resource: "widgets", Namespaced: true,
	}
	several := func(versions ...apidiscovery.APIGroupDiscovery) apidiscovery.APIGroupDiscovery {
		g := versions[0]
		for _, v := range versions[1:] {
			g.Versions = append(g.Versions, v.Versions...)
		}
		return g
	}
	both, older := widgets, widgets
	both.Version, both.Served = "v2", []string{"v2", "v1"}
	older.Version, older.Served = "v1beta1", []string{"v1beta1"}
	const legacyGroups = `{"kind":"APIGroupList","groups":[{"name":"example.com","versions":[{"groupVersion":"example.com/v1","version":"v1"}],"preferredVersion":{"groupVersion":"example.com/v1","version":"v1"}},
		{"name":"down.example.com","versions":[{"groupVersion":"down.example.com/v1","version":"v1"}],"preferredVersion":{"groupVersion":"down.example.com/v1","version":"v1"}}]}`
	for name, c := range map[string]struct {
		handlers     map[string]http.HandlerFunc
		kinds        []facts.Kind
		gaps         []facts.Gap
		undiscovered map[string]struct{}
	}{
		"the preferred version is read": {
			handlers: map[string]http.HandlerFunc{"/apis": discovers(several(group("example.com", "v2", "widgets/Widget"), group("example.com", "v1", "widgets/Widget")))},
			kinds:    []facts.Kind{both},
		},
		"a kind that the preferred version doesn't have": {
			handlers: map[string]http.HandlerFunc{"/apis": discovers(several(group("example.com", "v1", "gadgets/Gadget"), group("example.com", "v1beta1", "widgets/Widget")))},
			kinds: []facts.Kind{{
				GroupKind: facts.GroupKind{Group: "example.com", Kind: "Gadget"}, Version: "v1", Served: []string{"v1"}, Resource: "gadgets", Namespaced: true,
			}, older},
		},
		"a version that doesn't answer": {
			handlers:     map[string]http.HandlerFunc{"/apis": discovers(several(group("example.com", "v1", "widgets/Widget"), stale("example.com", "v2")))},
			kinds:        []facts.Kind{widgets},
			gaps:         []facts.Gap{{What: "example.com", Why: "what serves example.com/v2 doesn't answer, so its kinds are unknown"}},
			undiscovered: map[string]struct{}{"example.com": {}},
		},
		"an older server, of which one group fails": {
			handlers: map[string]http.HandlerFunc{
				"/api":                      replies(200, `{"kind":"APIVersions","versions":["v1"]}`),
				"/api/v1":                   replies(200, `{"kind":"APIResourceList","groupVersion":"v1","resources":[{"name":"pods/status","kind":"Pod","namespaced":true,"verbs":["list"]}]}`),
				"/apis":                     replies(200, legacyGroups),
				"/apis/example.com/v1":      replies(200, `{"kind":"APIResourceList","groupVersion":"example.com/v1","resources":[{"name":"widgets","kind":"Widget","namespaced":true,"verbs":["list"]},{"name":"asks","kind":"Ask","verbs":["create"]}]}`),
				"/apis/down.example.com/v1": refuses(503, "the server is currently unable to handle the request", ""),
			},
			kinds:        []facts.Kind{widgets},
			gaps:         []facts.Gap{{What: "down.example.com", Why: "its kinds are unknown: the server is currently unable to handle the request"}},
			undiscovered: map[string]struct{}{"down.example.com": {}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c.handlers["/api/v1/"] = replies(404, "{}")
				if _, own := c.handlers["/api"]; !own {
					c.handlers["/api"] = discovers(group("", "v1"))
				}
				_, got := readerOf(t, newFake(t, c.handlers).source(), Options{Timeout: time.Minute})
				if diff := cmp.Diff(c.kinds, got.Kinds); diff != "" {
					t.Errorf("kinds (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(c.gaps, got.Gaps); diff != "" {
					t.Errorf("gaps (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(c.undiscovered, got.Undiscovered, cmpopts.EquateEmpty()); diff != "" {
					t.Errorf("undiscovered (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestEmulatedVersions(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		version version.Info
		want    int
	}{
		"an older server that says nothing":  {version.Info{Minor: "30"}, 0},
		"a server that is what it is":        {version.Info{Minor: "34+", EmulationMinor: "34"}, 0},
		"a server that pretends to be older": {version.Info{Minor: "35", EmulationMinor: "34"}, 34},
	} {
		if got := emulated(&c.version); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

// TestAReadingIsBounded: the whole of Cluster, with nothing of a cluster but its
// silence, and with a cluster that nobody may reach.
func TestAReadingIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		f := newFake(t, map[string]http.HandlerFunc{"/version": hangs})
		blue, green := Both(t.Context(), f.source(), Source{Name: "gone", Fault: "no such cluster"}, Options{Scope: facts.Full, Timeout: 3 * time.Second})
		if blue.Fault != "asking its version: there was no answer within 3s" || green.Fault != "no such cluster" {
			t.Errorf("faults %q and %q", blue.Fault, green.Fault)
		}
		if took := time.Since(began); took != 3*time.Second {
			t.Errorf("it took %s", took)
		}
	})
}
