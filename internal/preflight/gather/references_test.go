package gather

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

func TestAWordCountsAsAWholeOnly(t *testing.T) {
	for text, want := range map[string]bool{
		"shop-blue": true, "https://shop-blue:6443": true, "a,shop-blue b": true, "api.shop-blue.example.com": true, "cluster/shop-blue": true,
		"shop-blue-2": false, "my-shop-blue": false, "shop-blue2": false, "shop_blue": false, "my-shop-blue-2 and shop-blue": true, "": false,
	} {
		if got := hasWord(text, "shop-blue"); got != want {
			t.Errorf("%q: %t, want %t", text, got, want)
		}
	}
}

const greenConfigMaps = `{"kind":"ConfigMapList","apiVersion":"v1","metadata":{"continue":"CONTINUE"},"items":[
 {"metadata":{"namespace":"shop","name":"web-1"},"data":{"DB":"postgres://db.Shop-Blue.example.com/a","OTHER":"shop-blue-2"}},
 {"metadata":{"namespace":"shop","name":"left","annotations":{"control-plane.alpha.kubernetes.io/leader":"shop-blue"}}},
 {"metadata":{"namespace":"shop","name":"ignored"},"data":{"a":"shop-blue"}},
 {"metadata":{"namespace":"shop","name":"made","ownerReferences":[{"apiVersion":"v1","kind":"X","name":"x","uid":"1","controller":true}]},"data":{"a":"shop-blue"}},
 {"metadata":{"namespace":"shop","name":"plain"},"data":{"a":"green"}}]}`

const greenWidgets = `{"kind":"WidgetList","apiVersion":"example.com/v1","metadata":{},"items":[
 {"kind":"Widget","apiVersion":"example.com/v1","metadata":{"namespace":"shop","name":"w","annotations":{"clusterswitch.io/held":"{}"}},
  "spec":{"urls":["https://10.0.0.7/","x"]},"status":{"last":"shop-blue"}}]}`

const greenSecrets = `{"kind":"SecretList","apiVersion":"v1","metadata":{},"items":[
 {"metadata":{"namespace":"shop","name":"s"},"data":{"url":"aHR0cHM6Ly9zaG9wLWJsdWUvYS9zM2NyZXQ="}}]}`

const greenSlices = `{"kind":"EndpointSliceList","apiVersion":"discovery.k8s.io/v1","metadata":{},"items":[
 {"metadata":{"namespace":"shop","name":"own","labels":{"endpointslice.kubernetes.io/managed-by":"endpointslice-controller.k8s.io"}},"addressType":"IPv4","endpoints":[{"addresses":["10.1.0.1"]}]},
 {"metadata":{"namespace":"default","name":"kubernetes","labels":{"kubernetes.io/service-name":"kubernetes"}},"addressType":"IPv4","endpoints":[{"addresses":["10.2.0.2"]}]},
 {"metadata":{"namespace":"shop","name":"db"},"addressType":"IPv4","endpoints":[{"addresses":["10.9.0.9"]}]}]}`

// Green is searched kind by kind, page by page; what a controller made, what is
// left out of every comparison and what people named is passed by, and a Secret's
// value is never kept.
func TestGreenIsSearchedForBlue(t *testing.T) {
	t.Parallel()
	page := func(body string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			next := ""
			if strings.Contains(body, "CONTINUE") && r.URL.Query().Get("continue") == "" {
				next = "2"
			}
			replies(http.StatusOK, strings.NewReplacer("CONTINUE", next, "web-1", "web-"+r.URL.Query().Get("continue")).Replace(body))(w, r)
		}
	}
	search := func(secrets facts.SecretsMode) facts.Cluster {
		f := newFake(t, map[string]http.HandlerFunc{
			"/apis":                        discovers(group("example.com", "v1", "widgets/Widget"), group("discovery.k8s.io", "v1", "endpointslices/EndpointSlice")),
			"/api/v1/configmaps":           page(greenConfigMaps),
			"/api/v1/secrets":              page(greenSecrets),
			"/apis/example.com/v1/widgets": page(greenWidgets),
			"/apis/discovery.k8s.io/v1/endpointslices": page(greenSlices),
		})
		return Cluster(t.Context(), shift.Green, f.source(), Options{
			Scope: facts.Retire, Settings: facts.Settings{Secrets: secrets, Ignore: []facts.Ignore{{Kind: "ConfigMap", Namespace: "shop", Name: "ignored"}}},
			Words: []facts.Word{{Text: "shop-blue", Means: "its name"}, {Text: "10.0.0.7", Means: "its address"}},
		})
	}
	said := func(c facts.Cluster) []string {
		var all []string
		for _, r := range c.Retiring.References {
			all = append(all, r.Kind+" "+r.Name.String()+" "+r.Word.Text+" at "+strings.Join(r.Places, ", "))
		}
		slices.Sort(all)
		return all
	}
	c := search(facts.SecretsDigests)
	want := []string{
		"ConfigMap shop/web- shop-blue at data.DB", "ConfigMap shop/web-2 shop-blue at data.DB",
		"Secret shop/s shop-blue at data.url", "Widget shop/w 10.0.0.7 at spec.urls[0]",
	}
	if diff := cmp.Diff(want, said(c)); diff != "" || len(c.Gaps) > 0 {
		t.Errorf("references (-want +got), gaps %v:\n%s", c.Gaps, diff)
	}
	if diff := cmp.Diff([]string{"10.9.0.9"}, []string{c.Retiring.Pointers[0].Address}); diff != "" || len(c.Retiring.Pointers) != 1 {
		t.Errorf("pointers %+v", c.Retiring.Pointers)
	}
	if _, own := c.Retiring.Addresses["10.1.0.1"]; !own || len(c.Retiring.Addresses) != 1 {
		t.Errorf("addresses %v", c.Retiring.Addresses)
	}
	if len(c.Retiring.Held) != 1 || c.Retiring.Held[0].Annotation != "clusterswitch.io/held" {
		t.Errorf("held %+v", c.Retiring.Held)
	}
	if without := said(search(facts.SecretsNames)); len(without) != 3 {
		t.Errorf("Secrets are searched although only their names may be compared: %v", without)
	}
}
