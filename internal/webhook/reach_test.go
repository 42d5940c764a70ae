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
