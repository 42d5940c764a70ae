package probes

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// verdict runs a Check once and returns its error's text.
func verdict(t *testing.T, check Check) string {
	t.Helper()
	if err := check.run(t.Context()); err != nil {
		return err.Error()
	}
	return ""
}

// answer is a server that always answers the same.
func answer(t *testing.T, status int, body string) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(server.Close)
	return server
}

func TestHTTPJudgesTheAnswer(t *testing.T) {
	tests := map[string]struct {
		status int
		body   string
		expect Expect
		want   string
	}{
		"200 is good by default":            {200, "", Expect{}, ""},
		"204 is not":                        {204, "", Expect{}, "got status 204, want 200"},
		"listed codes are good":             {204, "", Expect{Status: []int{200, 204}}, ""},
		"others are not":                    {500, "", Expect{Status: []int{200, 204}}, "got status 500, want 200 or 204"},
		"a redirect is not followed":        {302, "", Expect{}, "got status 302, want 200"},
		"a redirect may be what is wanted":  {302, "", Expect{Status: []int{302}}, ""},
		"the body holds the text":           {200, "all is well", Expect{Body: "is well"}, ""},
		"the body does not hold the text":   {200, "all is lost", Expect{Body: "is well"}, `the body does not contain "is well"`},
		"the text stands beyond the bound":  {200, strings.Repeat(" ", 64<<10) + "ok", Expect{Body: "ok"}, `the body does not contain "ok"`},
		"the text ends at the bound":        {200, strings.Repeat(" ", 64<<10-2) + "ok", Expect{Body: "ok"}, ""},
		"the bad status goes before a body": {503, "maintenance", Expect{Body: "ok"}, "got status 503, want 200"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			server := answer(t, test.status, test.body)
			if got := verdict(t, HTTP(HTTPOptions{URL: server.URL, Expect: test.expect})); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestHTTPSendsWhatItIsTold(t *testing.T) {
	var got []string
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		got = []string{r.Method, r.Host, r.URL.String(), r.Header.Get("X-Team")}
	}))
	t.Cleanup(server.Close)
	tests := map[string]struct {
		opts HTTPOptions
		want []string
	}{
		"by default a GET for the URL's host": {
			HTTPOptions{URL: server.URL + "/healthz?deep=1"},
			[]string{"GET", strings.TrimPrefix(server.URL, "http://"), "/healthz?deep=1", ""},
		},
		"another host, method and header": {
			HTTPOptions{URL: server.URL, Host: "shop.example.com", Method: "HEAD", Headers: map[string]string{"x-team": "web"}},
			[]string{"HEAD", "shop.example.com", "/", "web"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := verdict(t, HTTP(test.opts)); got != "" {
				t.Fatal(got)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// The test server's certificate is for example.com and 127.0.0.1, by an authority that nobody knows.
func TestHTTPSAsksForTheServersName(t *testing.T) {
	asked := make(chan string, 1)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	server.TLS = &tls.Config{GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		asked <- hello.ServerName
		return nil, nil
	}}
	server.Config.ErrorLog = nil
	server.StartTLS()
	t.Cleanup(server.Close)

	tests := map[string]struct {
		opts     HTTPOptions
		name     string
		verified string
	}{
		"the name of its own": {
			HTTPOptions{ServerName: "shop.example.com", Host: "other.example.com", InsecureSkipVerify: true}, "shop.example.com", "",
		},
		"else the name in Host":           {HTTPOptions{Host: "shop.example.com:8443", InsecureSkipVerify: true}, "shop.example.com", ""},
		"a Host without a port":           {HTTPOptions{Host: "shop.example.com", InsecureSkipVerify: true}, "shop.example.com", ""},
		"an address is no name":           {HTTPOptions{InsecureSkipVerify: true}, "", ""},
		"an unknown authority is refused": {HTTPOptions{ServerName: "example.com"}, "example.com", "certificate signed by unknown authority"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			test.opts.URL = server.URL
			got := verdict(t, HTTP(test.opts))
			if name := <-asked; name != test.name {
				t.Errorf("asked for %q, want %q", name, test.name)
			}
			if !strings.Contains(got, test.verified) || (test.verified == "") != (got == "") {
				t.Errorf("got %q, want %q", got, test.verified)
			}
		})
	}
}

func TestHTTPFailsWithoutAnAnswer(t *testing.T) {
	closed := answer(t, 200, "")
	closed.Close()
	cut := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "10")
		_, _ = io.WriteString(w, "half")
	}))
	t.Cleanup(cut.Close)
	tests := map[string]struct{ url, want string }{
		"nobody listens":           {closed.URL + "/?token=secret", "connection refused"},
		"the answer breaks off":    {cut.URL, "reading the body: unexpected EOF"},
		"the URL cannot be read":   {"http://[::1", "making the request"},
		"the scheme is not spoken": {"ftp://127.0.0.1/", "unsupported protocol scheme"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := verdict(t, HTTP(HTTPOptions{URL: test.url}))
			if !strings.Contains(got, test.want) {
				t.Errorf("got %q, want %q in it", got, test.want)
			}
			if strings.Contains(got, "secret") {
				t.Errorf("%q gives away the URL's query", got)
			}
		})
	}
}

func TestHTTPEndsWithItsContext(t *testing.T) {
	reached := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(reached)
		<-r.Context().Done()
	}))
	t.Cleanup(server.Close)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-reached
		cancel()
	}()
	if err := HTTP(HTTPOptions{URL: server.URL}).run(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want canceled", err)
	}
}

func TestServiceGoesThroughTheAPIServer(t *testing.T) {
	tests := map[string]struct {
		opts ServiceOptions
		want string
	}{
		"http without a path": {
			ServiceOptions{Namespace: "shop", Name: "admin", Port: 8080}, "/api/v1/namespaces/shop/services/admin:8080/proxy/",
		},
		"a path with a query": {
			ServiceOptions{Namespace: "shop", Name: "admin", Port: 80, Path: "/healthz?deep=1", Scheme: "http"},
			"/api/v1/namespaces/shop/services/admin:80/proxy/healthz?deep=1",
		},
		"https behind the Service": {
			ServiceOptions{Namespace: "shop", Name: "admin", Port: 8443, Path: "/healthz", Scheme: "https"},
			"/api/v1/namespaces/shop/services/https:admin:8443/proxy/healthz",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			asked := make(chan string, 1)
			api := httptest.NewTLSServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				asked <- r.Method + " " + r.URL.String()
			}))
			t.Cleanup(api.Close)
			test.opts.BaseURL, test.opts.Transport = api.URL+"/", api.Client().Transport
			if got := verdict(t, Service(test.opts)); got != "" {
				t.Fatal(got)
			}
			if got := <-asked; got != "GET "+test.want {
				t.Errorf("asked %q, want %q", got, "GET "+test.want)
			}
		})
	}
}

func TestServiceRepeatsWhatTheAPIServerSays(t *testing.T) {
	const body = `{"kind":"Status","apiVersion":"v1","status":"Failure","message":"no endpoints available for service \"admin\"","code":503}`
	api := answer(t, http.StatusServiceUnavailable, body)
	got := verdict(t, Service(ServiceOptions{BaseURL: api.URL, Namespace: "shop", Name: "admin", Port: 80}))
	if want := `got status 503, want 200: no endpoints available for service "admin"`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestTCPOpensAConnection(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	if got := verdict(t, TCP(TCPOptions{Address: address})); got != "" {
		t.Errorf("got %q while somebody listens", got)
	}
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	if got := verdict(t, TCP(TCPOptions{Address: address})); !strings.Contains(got, "connection refused") {
		t.Errorf("got %q, want connection refused", got)
	}
}

func TestIdentityTellsChecksApart(t *testing.T) {
	headers := func(v string) map[string]string { return map[string]string{"X-A": "1", "X-B": v} }
	checks := map[string]Check{
		"http":                 HTTP(HTTPOptions{URL: "http://a"}),
		"another body":         HTTP(HTTPOptions{URL: "http://a", Expect: Expect{Body: "ok"}}),
		"another header":       HTTP(HTTPOptions{URL: "http://a", Headers: headers("2")}),
		"another header value": HTTP(HTTPOptions{URL: "http://a", Headers: headers("3")}),
		"tcp":                  TCP(TCPOptions{Address: "a:80"}),
		"a service":            Service(ServiceOptions{Name: "a", Port: 80}),
		"another service port": Service(ServiceOptions{Name: "a", Port: 81}),
		"custom":               Custom("a:80", nil),
		"http with a body":     HTTP(HTTPOptions{URL: "http://a", Body: "b"}),
		"http with a file":     HTTP(HTTPOptions{URL: "http://a", TLSFiles: TLSFiles{CAFile: "/ca"}}),
		"http with a step":     HTTP(HTTPOptions{URL: "http://a", Steps: []HTTPStep{{Name: "a", Path: "/"}}}),
		"http with a value":    HTTP(HTTPOptions{URL: "http://a", Steps: []HTTPStep{{Name: "a", Path: "/", Extract: []Extract{{Name: "x", JSON: "y"}}}}}),
		"http with a secret":   HTTP(HTTPOptions{URL: "http://a", SecretFiles: map[string]string{"a": "/a"}}),
		"tls":                  TLS(TLSOptions{Address: "a:80"}),
		"tls with days":        TLS(TLSOptions{Address: "a:80", MinDays: 1}),
		"tls with a file":      TLS(TLSOptions{Address: "a:80", TLSFiles: TLSFiles{CAFile: "/ca"}}),
		"grpc":                 GRPC(GRPCOptions{Address: "a:80"}),
		"grpc of a service":    GRPC(GRPCOptions{Address: "a:80", Service: "b"}),
		"grpc over TLS":        GRPC(GRPCOptions{Address: "a:80", TLS: &GRPCTLS{}}),
		"grpc with a file":     GRPC(GRPCOptions{Address: "a:80", TLS: &GRPCTLS{TLSFiles: TLSFiles{CAFile: "/ca"}}}),
		"dns":                  DNS(DNSOptions{Server: "a:80", Name: "b"}),
		"dns with an answer":   DNS(DNSOptions{Server: "a:80", Name: "b", AnyOf: []string{"c"}}),
		"websocket":            WebSocket(WebSocketOptions{URL: "ws://a"}),
		"websocket by a name":  WebSocket(WebSocketOptions{URL: "ws://a", ServerName: "b"}),
	}
	seen := map[string]string{}
	for name, check := range checks {
		if other, again := seen[check.identity]; again {
			t.Errorf("%s and %s have one identity", name, other)
		}
		seen[check.identity] = name
	}
	one, two := HTTP(HTTPOptions{URL: "http://a", Headers: headers("2")}), HTTP(HTTPOptions{URL: "http://a", Headers: headers("2")})
	if one.identity != two.identity {
		t.Errorf("equal options have the identities %s and %s", one.identity, two.identity)
	}
	s := ServiceOptions{Name: "a", Port: 80, Transport: http.DefaultTransport}
	if Service(s).identity != checks["a service"].identity {
		t.Error("another transport gives another identity")
	}
}

// What is kept of an error is bounded: a server's own words may stand in it.
func TestErrorsAreBounded(t *testing.T) {
	tests := map[string]struct{ text, want string }{
		"a short one":             {"down", "down"},
		"none at all":             {"", "failed without a message"},
		"bytes that are no text":  {"a\xffb", "a\uFFFDb"},
		"a long one":              {strings.Repeat("x", 1025), strings.Repeat("x", 1024) + "…"},
		"cut in amid a character": {strings.Repeat("x", 1023) + "ä", strings.Repeat("x", 1023) + "…"},
	}
	for name, test := range tests {
		if got := errorText(errors.New(test.text)); got != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}
