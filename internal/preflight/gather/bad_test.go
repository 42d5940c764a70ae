package gather

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// TestBadServers reads ConfigMaps whole, Secrets and widgets as metadata, of a
// server that fails in one way. What can't be read is a gap, and all else is read.
func TestBadServers(t *testing.T) {
	t.Parallel()
	const maps, secrets, widgets = "/api/v1/configmaps", "/api/v1/secrets", "/apis/example.com/v1/widgets"
	after := func(seconds string, h http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Retry-After", seconds)
			h(w, r)
		}
	}
	slow := func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-time.After(21 * time.Second):
		case <-r.Context().Done():
		}
		lists(r.URL.Query().Get("continue")+"x", "Widget", r.URL.Query().Get("continue")+"y")(w, r)
	}
	for name, c := range map[string]struct {
		handlers map[string]http.HandlerFunc
		fault    string
		gaps     []facts.Gap
		names    string // of the ConfigMaps and widgets that were handed out
		took     time.Duration
	}{
		"nothing is wrong": {
			handlers: map[string]http.HandlerFunc{maps: lists("", "ConfigMap", "a"), widgets: lists("", "Widget", "w")}, names: "a w",
		},
		"a kind that we have no right to": {
			handlers: map[string]http.HandlerFunc{widgets: refuses(403, `widgets.example.com is forbidden: User "us" cannot list resource "widgets"`, "")},
			gaps:     []facts.Gap{{What: "widgets.example.com", Why: `the right to list widgets.example.com is missing (widgets.example.com is forbidden: User "us" cannot list resource "widgets")`}},
		},
		"a token that expires, with one that goes on": {
			handlers: map[string]http.HandlerFunc{widgets: inTurn(lists("2", "Widget", "a", "b"), refuses(410, "too old", "on"), lists("", "Widget", "c"))},
			names:    "a b c",
		},
		"a token that expires, without another": {
			handlers: map[string]http.HandlerFunc{widgets: inTurn(lists("2", "Widget", "a", "b"), refuses(410, "too old", ""), lists("", "Widget", "a", "b", "c"))},
			names:    "a b c",
		},
		"tokens that expire for ever": {
			handlers: map[string]http.HandlerFunc{widgets: func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Query().Has("continue") {
					refuses(410, "too old", "")(w, r)
					return
				}
				lists("2", "Widget", "a")(w, r)
			}},
			gaps: []facts.Gap{{What: "widgets.example.com", Why: "its list changed faster than it could be read (too old)"}}, names: "a",
		},
		"a server that is busy for a moment": {
			handlers: map[string]http.HandlerFunc{maps: inTurn(after("7", refuses(429, "busy", "")), lists("", "ConfigMap", "a"))},
			names:    "a", took: 7 * time.Second,
		},
		"a server that is busy for longer than we have": {
			handlers: map[string]http.HandlerFunc{maps: after("900", refuses(503, "busy", ""))},
			gaps:     []facts.Gap{{What: "configmaps", Why: "the server answers 503: busy; it wants to be asked again in 15m0s, which is too late"}},
		},
		"a server that always fails": {
			handlers: map[string]http.HandlerFunc{maps: refuses(500, "conversion webhook failed", "")},
			gaps:     []facts.Gap{{What: "configmaps", Why: "the server answers 500: conversion webhook failed"}}, took: 3 * time.Second,
		},
		"a proxy's page instead of a list": {
			handlers: map[string]http.HandlerFunc{maps: replies(200, "<html>"), widgets: replies(200, "<html>"), secrets: replies(502, "<html>")},
			gaps: []facts.Gap{
				{What: "configmaps", Why: `the answer can't be read: couldn't get version/kind; json parse error: json: cannot unmarshal string into Go value of type struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }`},
				{What: "secrets", Why: "the server answers 502 Bad Gateway"},
				{What: "widgets.example.com", Why: "the answer can't be read: invalid character '<' looking for beginning of value"},
			}, took: 3 * time.Second,
		},
		"a server that sends us elsewhere": {
			handlers: map[string]http.HandlerFunc{
				maps:         func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) },
				"/elsewhere": lists("", "ConfigMap", "a"),
			},
			gaps: []facts.Gap{{What: "configmaps", Why: "the server answers 302 Found"}},
		},
		"an object instead of a list": {
			handlers: map[string]http.HandlerFunc{widgets: replies(200, `{"kind":"Widget"}`)},
			gaps:     []facts.Gap{{What: "widgets.example.com", Why: `the answer can't be read: it is no list but "Widget"`}},
		},
		"an object without a name": {
			handlers: map[string]http.HandlerFunc{widgets: lists("", "Widget", "")},
			gaps:     []facts.Gap{{What: "widgets.example.com", Why: "the answer has an object without a name"}},
		},
		"the same page again and again": {
			handlers: map[string]http.HandlerFunc{widgets: lists("2", "Widget", "a")},
			gaps:     []facts.Gap{{What: "widgets.example.com", Why: "the server gives the same page again and again"}}, names: "a",
		},
		"pages that are too large": {
			handlers: map[string]http.HandlerFunc{maps: func(w http.ResponseWriter, r *http.Request) {
				switch r.URL.Query().Get("limit") {
				case "50":
					replies(200, strings.Repeat(" ", mostOfAnAnswer+1))(w, r)
				case "6":
					configMaps("7", 1<<19, "a", "b", "c", "d", "e", "f")(w, r)
				default: // what fits into 4 MiB by the size of the page before
					configMaps("", 100, "limit-"+r.URL.Query().Get("limit"))(w, r)
				}
			}},
			names: "a b c d e f limit-3",
		},
		"an aggregated API that is down": {
			handlers: map[string]http.HandlerFunc{"/apis": discovers(group("example.com", "v1", "widgets/Widget"), stale("metrics.k8s.io", "v1beta1"), stale("shop.example.com", "v1"))},
			gaps: []facts.Gap{
				{What: "metrics.k8s.io", Why: "what serves metrics.k8s.io/v1beta1 doesn't answer, so its kinds are unknown", Optional: true},
				{What: "shop.example.com", Why: "what serves shop.example.com/v1 doesn't answer, so its kinds are unknown"},
			},
		},
		"a kind that never answers": {
			handlers: map[string]http.HandlerFunc{widgets: hangs},
			gaps:     []facts.Gap{{What: "widgets.example.com", Why: "there was no answer within 1m30s"}}, took: 90 * time.Second,
		},
		"a kind that answers too slowly": {
			handlers: map[string]http.HandlerFunc{widgets: slow},
			gaps:     []facts.Gap{{What: "widgets.example.com", Why: "it was not read within 5m0s"}},
			names:    "y xy xxy xxxy xxxxy xxxxxy xxxxxxy xxxxxxxy xxxxxxxxy xxxxxxxxxy xxxxxxxxxxy xxxxxxxxxxxy xxxxxxxxxxxxy xxxxxxxxxxxxxy", took: 5 * time.Minute,
		},
		"a cluster that falls silent": {
			handlers: map[string]http.HandlerFunc{
				"/version": inTurn(replies(200, `{"gitVersion":"v1.34.2"}`), hangs), maps: hangs, secrets: hangs, widgets: hangs,
			},
			gaps: []facts.Gap{
				{What: "configmaps", Why: "there was no answer within 1m30s"},
				{What: "secrets", Why: "there was no answer within 1m30s"},
				{What: "widgets.example.com", Why: "there was no answer within 1m30s"},
			}, took: 100 * time.Second,
		},
		"a cluster that never answers": {
			handlers: map[string]http.HandlerFunc{"/version": hangs},
			fault:    "asking its version: there was no answer within 10s", took: 10 * time.Second,
		},
		"a cluster that doesn't know us": {
			handlers: map[string]http.HandlerFunc{"/version": refuses(401, "Unauthorized", "")},
			fault:    "asking its version: the server has asked for the client to provide credentials",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFake(t, c.handlers)
				began := time.Now()
				got, names := readNames(t, f)
				if diff := cmp.Diff(c.gaps, got.Gaps, cmpopts.EquateEmpty(), cmpopts.SortSlices(func(a, b facts.Gap) bool { return a.What < b.What })); diff != "" {
					t.Errorf("gaps (-want +got):\n%s", diff)
				}
				if got.Fault != c.fault {
					t.Errorf("fault %q, want %q", got.Fault, c.fault)
				}
				if names != c.names {
					t.Errorf("handed out %q, want %q", names, c.names)
				}
				if took := time.Since(began); took != c.took {
					t.Errorf("it took %s, want %s", took, c.took)
				}
				for _, g := range got.Gaps {
					for k := range got.Objects {
						if kind := got.Serves(k); kind.Resource+dotted(k.Group) == g.What {
							t.Errorf("%s has a gap and a list", k)
						}
					}
				}
			})
		})
	}
}

// readNames reads a fake with a topic of its own, and gives the names of all
// that was handed out.
func readNames(t *testing.T, f *fakeServer) (*facts.Cluster, string) {
	t.Helper()
	c := &facts.Cluster{Side: shift.Blue, Objects: map[facts.GroupKind]map[facts.Name]struct{}{}}
	r, err := newReader(f.source().Config, Options{Scope: facts.Full, Timeout: 5 * time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	ctx, done := contextFor(t, r.options.Timeout)
	defer done()
	if c.Fault = r.discover(ctx, c); c.Fault != "" {
		return c, ""
	}
	var names []string
	r.readAll(ctx, []topic{{
		whole: map[facts.GroupKind]func(*facts.Cluster, runtime.Object){{Kind: "ConfigMap"}: func(*facts.Cluster, runtime.Object) {}},
		meta:  func(_ *facts.Cluster, _ facts.Kind, o metav1.Object) { names = append(names, o.GetName()) },
	}}, c)
	slices.SortFunc(names, func(a, b string) int {
		if len(a) != len(b) {
			return len(a) - len(b)
		}
		return strings.Compare(a, b)
	})
	return c, strings.Join(names, " ")
}
