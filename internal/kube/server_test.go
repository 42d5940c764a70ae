package kube_test

import (
	"context"
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/client-go/rest"

	"github.com/clusterswitch/clusterswitch/internal/kube"
)

// minter hands out its tokens one after the other; a refused one is dropped.
type minter struct {
	tokens []string
	err    error
}

func (m *minter) Token(context.Context) (string, error) {
	if m.err != nil {
		return "", m.err
	}
	return m.tokens[0], nil
}

func (m *minter) Refused(token string) {
	m.tokens = slices.DeleteFunc(m.tokens, func(t string) bool { return t == token })
}

func TestEachRequestCarriesAToken(t *testing.T) {
	t.Parallel()
	var shown []string
	api := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		shown = append(shown, r.Header.Get("Authorization"))
		if r.Header.Get("Authorization") != "Bearer second" {
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	t.Cleanup(api.Close)
	m := &minter{tokens: []string{"first", "second"}}
	config, err := kube.Connect(kube.Access{Server: &kube.Server{
		URL: api.URL, CA: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: api.Certificate().Raw}), Tokens: m,
	}})
	if err != nil {
		t.Fatal(err)
	}
	if config.BearerToken != "" || config.BearerTokenFile != "" {
		t.Error("a token is stored in the configuration")
	}
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		t.Fatal(err)
	}
	var answers []int
	for range 3 {
		response, err := client.Get(api.URL + "/version")
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		answers = append(answers, response.StatusCode)
	}
	if diff := cmp.Diff([]int{401, 200, 200}, answers); diff != "" {
		t.Errorf("answers (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"Bearer first", "Bearer second", "Bearer second"}, shown); diff != "" {
		t.Errorf("a refused token is used on (-want +got):\n%s", diff)
	}
	m.err = errors.New("no role")
	if _, err := client.Post(api.URL, "", strings.NewReader("x")); err == nil || !strings.Contains(err.Error(), "authenticating: no role") {
		t.Errorf("without a token: %v", err)
	}
	if len(shown) != 3 {
		t.Error("a request went out without a token")
	}
}
