package webhook_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/clusterswitch/clusterswitch/internal/webhook"
)

func TestNoServiceIsAnAddressOfTheHost(t *testing.T) {
	t.Parallel()
	_, err := hook(t, webhook.Options{URL: "http://169.254.170.23/v1/credentials"}).Ask(t.Context(), question())
	if err == nil || !strings.Contains(err.Error(), "is a link-local address") {
		t.Errorf("EKS Pod Identity: got error %v", err)
	}
	server := httptest.NewServer(http.RedirectHandler("http://169.254.170.23/v1/credentials", http.StatusTemporaryRedirect))
	t.Cleanup(server.Close)
	if _, err := hook(t, webhook.Options{URL: server.URL}).Ask(t.Context(), question()); err == nil || !strings.Contains(err.Error(), "307") {
		t.Errorf("a redirect to it: got error %v", err)
	}
}

// Many servers answer with the path that they don't know, and some with what they got.
func TestAServiceThatRepeatsItsAddressTellsNothing(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write([]byte("Cannot POST " + r.URL.RequestURI() + " for " + r.Header.Get("X-Team") + ", room " + r.URL.Query().Get("room")))
	}))
	t.Cleanup(server.Close)
	answer, err := hook(t, webhook.Options{
		URL: server.URL + "/services/T0123456789/sw0rdfish?room=aquarium-9", Headers: map[string]string{"X-Team": "goldfish-team"},
	}).Ask(t.Context(), question())
	if want := "Cannot POST […] for […], room […]"; err != nil || answer.Note != want {
		t.Errorf("got %q, error %v, want %q", answer.Note, err, want)
	}
}
