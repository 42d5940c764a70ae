package gather

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	apidiscovery "k8s.io/api/apidiscovery/v2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
)

// fakeServer is an API server that misbehaves as a test wishes. It is no server
// dig all but a transport, so that it works in a bubble.
type fakeServer struct {
	mux *http.ServeMux

	mu       sync.Mutex
	asked    map[string]int // requests by path
	accepted map[string]string
}

func (f *fakeServer) RoundTrip(r *http.Request) (*http.Response, error) {
	f.mu.Lock()
	f.asked[r.URL.Path]++
	f.accepted[r.URL.Path] = r.Header.Get("Accept")
	f.mu.Unlock()
	answer := httptest.NewRecorder()
	f.mux.ServeHTTP(answer, r)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	return answer.Result(), nil
}

func (f *fakeServer) source() Source {
	return Source{Name: "fake", Config: &rest.Config{Host: "http://fake", Transport: f}}
}

// newFake serves two built-in kinds and a custom one, with nothing in them,
// where the handlers don't say otherwise.
func newFake(t *testing.T, handlers map[string]http.HandlerFunc) *fakeServer {
	t.Helper()
	f := &fakeServer{mux: http.NewServeMux(), asked: map[string]int{}, accepted: map[string]string{}}
	all := map[string]http.HandlerFunc{
		"/version": replies(http.StatusOK, `{"major":"1","minor":"34","gitVersion":"v1.34.2"}`),
		"/api":     discovers(group("", "v1", "configmaps/ConfigMap", "secrets/Secret")),
		"/apis":    discovers(group("example.com", "v1", "widgets/Widget")),

		"/api/v1/configmaps":           lists("", "ConfigMap"),
		"/api/v1/secrets":              lists("", "Secret"),
		"/apis/example.com/v1/widgets": lists("", "Widget"),
	}
	maps.Copy(all, handlers)
	for path, h := range all {
		f.mux.HandleFunc(path, h)
	}
	return f
}

// hangs never answers.
func hangs(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

func replies(code int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(code)
		fmt.Fprint(w, body)
	}
}

// refuses answers with a Status.
func refuses(code int, message, next string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		status := metav1.Status{
			TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, ListMeta: metav1.ListMeta{Continue: next},
			Status: metav1.StatusFailure, Message: message, Code: int32(code),
		}
		body, err := json.Marshal(status)
		if err != nil {
			panic(err)
		}
		replies(code, string(body))(w, r)
	}
}

// lists answers with one page.
func lists(next, kind string, names ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		list := metav1.PartialObjectMetadataList{
			TypeMeta: metav1.TypeMeta{Kind: kind + "List", APIVersion: "v1"}, ListMeta: metav1.ListMeta{Continue: next},
		}
		for _, n := range names {
			list.Items = append(list.Items, metav1.PartialObjectMetadata{
				TypeMeta: metav1.TypeMeta{Kind: kind, APIVersion: "v1"}, ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: n},
			})
		}
		body, err := json.Marshal(list)
		if err != nil {
			panic(err)
		}
		replies(http.StatusOK, string(body))(w, r)
	}
}

// inTurn gives one request after the other to the next handler, and all further
// ones to the last.
func inTurn(handlers ...http.HandlerFunc) http.HandlerFunc {
	var mu sync.Mutex
	return func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		h := handlers[0]
		if len(handlers) > 1 {
			handlers = handlers[1:]
		}
		mu.Unlock()
		h(w, r)
	}
}

// group describes a group: its version and its resources, each plural/Kind.
func group(name, version string, resources ...string) apidiscovery.APIGroupDiscovery {
	g := apidiscovery.APIGroupDiscovery{ObjectMeta: metav1.ObjectMeta{Name: name}}
	v := apidiscovery.APIVersionDiscovery{Version: version, Freshness: apidiscovery.DiscoveryFreshnessCurrent}
	for _, r := range resources {
		var plural, kind string
		for i := range r {
			if r[i] == '/' {
				plural, kind = r[:i], r[i+1:]
			}
		}
		v.Resources = append(v.Resources, apidiscovery.APIResourceDiscovery{
			Resource: plural, ResponseKind: &metav1.GroupVersionKind{Group: name, Version: version, Kind: kind},
			Scope: apidiscovery.ScopeNamespace, Verbs: []string{"get", "list"},
			Subresources: []apidiscovery.APISubresourceDiscovery{{
				Subresource: "status", ResponseKind: &metav1.GroupVersionKind{Group: name, Version: version, Kind: kind}, Verbs: []string{"get"},
			}},
		})
	}
	g.Versions = append(g.Versions, v)
	return g
}

func stale(name, version string) apidiscovery.APIGroupDiscovery {
	g := group(name, version)
	g.Versions[0].Freshness = apidiscovery.DiscoveryFreshnessStale
	return g
}

func discovers(groups ...apidiscovery.APIGroupDiscovery) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		body, err := json.Marshal(apidiscovery.APIGroupDiscoveryList{Items: groups})
		if err != nil {
			panic(err)
		}
		w.Header().Set("Content-Type", "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList")
		_, _ = w.Write(body)
	}
}

// configMaps answers with whole ConfigMaps, each of the size.
func configMaps(next string, size int, names ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		list := corev1.ConfigMapList{TypeMeta: metav1.TypeMeta{Kind: "ConfigMapList", APIVersion: "v1"}, ListMeta: metav1.ListMeta{Continue: next}}
		for _, n := range names {
			list.Items = append(list.Items, corev1.ConfigMap{
				ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: n}, Data: map[string]string{"k": string(make([]byte, size/6))},
			})
		}
		body, err := json.Marshal(list)
		if err != nil {
			panic(err)
		}
		replies(http.StatusOK, string(body))(w, r)
	}
}
