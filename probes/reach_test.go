package probes

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/reach"
)

// Each kind of probe dials by the policy. Nothing needs to listen there: the refusal
// comes before a packet is sent.
func TestNoProbeReachesCredentialsOfTheHost(t *testing.T) {
	t.Parallel()
	const metadata, pods = "169.254.169.254", "[fd00:ec2::23]"
	kinds := map[string]func(host string, allowed reach.Policy) Check{
		"http": func(host string, allowed reach.Policy) Check {
			return HTTP(HTTPOptions{URL: "http://" + host + ":80/latest/meta-data/", Reach: allowed})
		},
		"tcp": func(host string, allowed reach.Policy) Check {
			return TCP(TCPOptions{Address: host + ":80", Reach: allowed})
		},
		"tls": func(host string, allowed reach.Policy) Check {
			return TLS(TLSOptions{Address: host + ":443", Reach: allowed})
		},
		"grpc": func(host string, allowed reach.Policy) Check {
			return GRPC(GRPCOptions{Address: host + ":80", Reach: allowed})
		},
		"dns": func(host string, allowed reach.Policy) Check {
			return DNS(DNSOptions{Server: host + ":53", Name: "example.com", Reach: allowed})
		},
		"websocket": func(host string, allowed reach.Policy) Check {
			return WebSocket(WebSocketOptions{URL: "ws://" + host + ":80/", Reach: allowed})
		},
	}
	for name, check := range kinds {
		for _, host := range []string{metadata, pods} {
			began := time.Now()
			if got := verdict(t, check(host, reach.Policy{Allow: []string{"169.254.20.10"}})); !strings.Contains(got, "is a link-local address") {
				t.Errorf("%s to %s: got %q after %s, want a refusal", name, host, got, time.Since(began))
			}
		}
		if check(metadata, reach.Policy{}).identity == check(metadata, reach.Policy{Allow: []string{metadata}}).identity {
			t.Errorf("%s: a probe that is allowed more is taken for the same probe", name)
		}
	}
}

func TestARedirectToCredentialsIsNotFollowed(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.RedirectHandler("http://169.254.169.254/latest/meta-data/", http.StatusFound))
	t.Cleanup(server.Close)
	for name, check := range map[string]Check{
		"http":      HTTP(HTTPOptions{URL: server.URL}),
		"websocket": WebSocket(WebSocketOptions{URL: "ws" + strings.TrimPrefix(server.URL, "http")}),
	} {
		if got := verdict(t, check); !strings.Contains(got, "got status 302") {
			t.Errorf("%s: got %q, want the redirect itself as the answer", name, got)
		}
	}
}

// A server may repeat what it was sent; what stands in a header is often a secret.
func TestAHeaderThatAServerRepeatsIsHidden(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		_, _ = w.Write([]byte(`{"kind": "Status", "message": "` + r.URL.RequestURI() + ` knows no ` + r.Header.Get("X-Key") + ` of ` + r.Header.Get("Authorization") + `"}`))
	}))
	t.Cleanup(server.Close)
	got := verdict(t, HTTP(HTTPOptions{URL: server.URL + "/page?key=c0dfish", Headers: map[string]string{"X-Key": "sw0rdfish", "Authorization": "Bearer g0ldfish"}}))
	if want := "got status 403, want 200: /page?key=${query key} knows no ${header X-Key} of Bearer ${header Authorization}"; got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
