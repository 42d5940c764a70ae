package prometheus_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/clusterswitch/clusterswitch/internal/prometheus"
	"github.com/clusterswitch/clusterswitch/internal/reach"
)

func TestNoServerIsAnAddressOfTheHost(t *testing.T) {
	t.Parallel()
	const refused = "is a link-local address"
	_, err := names(t, prometheus.Options{URL: "http://169.254.169.254/", Reach: reach.Policy{Allow: []string{"169.254.20.10"}}})
	if err == nil || !strings.Contains(err.Error(), refused) {
		t.Errorf("instance metadata: got error %v", err)
	}
	server := httptest.NewServer(http.RedirectHandler("http://169.254.169.254/", http.StatusFound))
	t.Cleanup(server.Close)
	if _, err := names(t, prometheus.Options{URL: server.URL}); err == nil || !strings.Contains(err.Error(), "302") {
		t.Errorf("a redirect to it: got error %v", err)
	}
}
