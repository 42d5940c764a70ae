package prometheus_test

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/internal/prometheus"
)

// hour is an hour that ends at a fixed moment.
func hour() (from, to time.Time) {
	to = time.UnixMilli(1_800_000_000_250)
	return to.Add(-time.Hour), to
}

func names(t *testing.T, o prometheus.Options, selectors ...string) ([]string, error) {
	t.Helper()
	c, err := prometheus.New(o)
	if err != nil {
		t.Fatal(err)
	}
	from, to := hour()
	return c.Names(t.Context(), from, to, selectors)
}

func file(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestARequestSaysAllThatTheServerWantsToKnow(t *testing.T) {
	const whole = `{"status":"success","data":["a","b"],"infos":["x"]}`
	for name, test := range map[string]struct {
		options func(*prometheus.Options)
		want    http.Header
	}{
		"nothing of who asks": {func(*prometheus.Options) {}, http.Header{}},
		"a token": {
			func(o *prometheus.Options) { o.BearerTokenFile = file(t, "s3cret\n") }, http.Header{"Authorization": {"Bearer s3cret"}},
		},
		"a user": {
			func(o *prometheus.Options) {
				o.BasicAuth = &prometheus.BasicAuth{Username: "a", PasswordFile: file(t, "b")}
			},
			http.Header{"Authorization": {"Basic YTpi"}},
		},
		"a tenant": {
			func(o *prometheus.Options) { o.Headers = map[string]string{"x-scope-orgid": "shop"} }, http.Header{"X-Scope-Orgid": {"shop"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var got *http.Request
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				got = r
				fmt.Fprint(w, whole)
			}))
			defer server.Close()
			o := prometheus.Options{URL: server.URL + "/prefix/"}
			test.options(&o)
			found, err := names(t, o, `{__name__=~"a|b"}`, `{__name__="c",x="&"}`)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{"a", "b"}, found); diff != "" {
				t.Errorf("names (-want +got):\n%s", diff)
			}
			if got.Method != http.MethodGet || got.URL.Path != "/prefix/api/v1/label/__name__/values" {
				t.Errorf("asked %s %s", got.Method, got.URL.Path)
			}
			query := map[string][]string{
				"match[]": {`{__name__=~"a|b"}`, `{__name__="c",x="&"}`}, "start": {"1799996400.250"}, "end": {"1800000000.250"},
			}
			if diff := cmp.Diff(query, map[string][]string(got.URL.Query())); diff != "" {
				t.Errorf("query (-want +got):\n%s", diff)
			}
			for _, usual := range []string{"Accept", "Accept-Encoding", "User-Agent"} {
				got.Header.Del(usual)
			}
			if diff := cmp.Diff(test.want, got.Header); diff != "" {
				t.Errorf("headers (-want +got):\n%s", diff)
			}
		})
	}
}

func TestARotatedTokenIsTakenOver(t *testing.T) {
	var got []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = append(got, r.Header.Get("Authorization"))
		fmt.Fprint(w, `{"status":"success","data":[]}`)
	}))
	defer server.Close()
	token := file(t, "one")
	c, err := prometheus.New(prometheus.Options{URL: server.URL, BearerTokenFile: token})
	if err != nil {
		t.Fatal(err)
	}
	from, to := hour()
	for _, text := range []string{"one", "two"} {
		if err := os.WriteFile(token, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Names(t.Context(), from, to, nil); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]string{"Bearer one", "Bearer two"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAnAnswerThatIsNotWholeIsAnError(t *testing.T) {
	answer := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			fmt.Fprint(w, body)
		}
	}
	for name, test := range map[string]struct {
		handler http.HandlerFunc
		want    string
	}{
		"a part of a Thanos is down": {
			answer(200, `{"status":"success","data":["a"],"warnings":["No StoreAPIs matched","x"]}`), "its answer is not whole: No StoreAPIs matched; x",
		},
		"nobody known asks":    {answer(401, "Unauthorized"), "401 Unauthorized; check the token or the user"},
		"nobody allowed asks":  {answer(403, ""), "403 Forbidden; check the token or the user"},
		"a login page":         {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/login", http.StatusFound) }, "302 Found, which leads elsewhere"},
		"a web page":           {answer(200, "\n<!doctype html><title>Grafana</title>"), "with a web page and not with JSON"},
		"no page":              {answer(404, "404 page not found"), "404 Not Found"},
		"an overloaded proxy":  {answer(503, "<html>no upstream</html>"), "503 Service Unavailable"},
		"its own complaint":    {answer(422, `{"status":"error","errorType":"execution","error":"query processing would\nload too many samples"}`), "422 Unprocessable Entity: query processing would load too many samples"},
		"a complaint with 200": {answer(200, `{"status":"error","error":"no tenant"}`), "no tenant"},
		"half an answer":       {answer(200, `{"status":"success","data":["a"`), "is not JSON"},
		"nothing":              {answer(200, ``), "is not JSON"},
		"other JSON":           {answer(200, `{"kind":"Status","status":"Failure"}`), `the status "Failure"`},
		"no data":              {answer(200, `{"status":"success","data":null}`), "has no data"},
		"other data":           {answer(200, `{"status":"success","data":{"resultType":"vector"}}`), "has other data than asked for"},
		"too much":             {answer(200, `{"status":"success","data":["`+strings.Repeat("a", 2000)+`"]}`), "is larger than 1000 bytes"},
		"a line that breaks": {
			func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Length", "100")
				fmt.Fprint(w, `{"status":"success","data":[]}`)
			}, "unexpected EOF",
		},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(test.handler)
			defer server.Close()
			got, err := names(t, prometheus.Options{URL: server.URL, MaxBytes: 1000})
			if err == nil || got != nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v and error %v, want none and one with %q", got, err, test.want)
			}
			if err != nil && (strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), "api/v1")) {
				t.Errorf("the error is no plain sentence: %v", err)
			}
		})
	}
}

func TestWhatEndsARequestIsSaid(t *testing.T) {
	hangs := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	defer hangs.Close()
	if _, err := names(t, prometheus.Options{URL: hangs.URL, Timeout: 10 * time.Millisecond}); err == nil || !strings.Contains(err.Error(), "no answer within 10ms") {
		t.Errorf("got error %v for a server that hangs", err)
	}
	c, err := prometheus.New(prometheus.Options{URL: hangs.URL})
	if err != nil {
		t.Fatal(err)
	}
	why := errors.New("the daemon stops")
	ctx, stop := context.WithCancelCause(t.Context())
	stop(why)
	from, to := hour()
	if _, err := c.Names(ctx, from, to, nil); !errors.Is(err, why) {
		t.Errorf("got error %v, want %v", err, why)
	}
	gone := httptest.NewServer(nil)
	gone.Close()
	if _, err := names(t, prometheus.Options{URL: gone.URL}); err == nil || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("got error %v for a server that is gone", err)
	}
}

func TestSecretsThatCannotBeReadAreNeverShown(t *testing.T) {
	for name, test := range map[string]struct{ path, want string }{
		"an empty file": {file(t, " \n"), "doesn't hold exactly one line"},
		"two lines":     {file(t, "s3cret\ns3cret"), "doesn't hold exactly one line"},
		"no file":       {filepath.Join(t.TempDir(), "none"), "no such file"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, o := range []prometheus.Options{
				{URL: "http://127.0.0.1:1", BearerTokenFile: test.path},
				{URL: "http://127.0.0.1:1", BasicAuth: &prometheus.BasicAuth{Username: "a", PasswordFile: test.path}},
			} {
				if _, err := names(t, o); err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "s3cret") {
					t.Errorf("got error %v, want one with %q", err, test.want)
				}
			}
		})
	}
}

func TestCertificatesAreCheckedByWhatIsConfigured(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"status":"success","data":[]}`)
	}))
	defer server.Close()
	authority := file(t, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})))
	for name, test := range map[string]struct {
		options prometheus.Options
		want    string // empty: all is well
	}{
		"the system's authorities":     {prometheus.Options{}, "certificate signed by unknown authority"},
		"its own":                      {prometheus.Options{CAFile: authority}, ""},
		"its own under another name":   {prometheus.Options{CAFile: authority, ServerName: "example.com"}, ""},
		"its own under no name it has": {prometheus.Options{CAFile: authority, ServerName: "other.test"}, "certificate is valid for example.com"},
		"any":                          {prometheus.Options{InsecureSkipVerify: true}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			test.options.URL = server.URL
			_, err := names(t, test.options)
			if (err == nil) != (test.want == "") || (err != nil && !strings.Contains(err.Error(), test.want)) {
				t.Errorf("got error %v, want %q", err, test.want)
			}
		})
	}
}

func TestNewRefusesWhatCanNeverWork(t *testing.T) {
	for name, test := range map[string]struct {
		options prometheus.Options
		want    string
	}{
		"an address that is none":        {prometheus.Options{URL: "http://[::1"}, "reading the address of Prometheus"},
		"certificates that aren't there": {prometheus.Options{URL: "https://a.test", CAFile: filepath.Join(t.TempDir(), "none")}, "no such file"},
		"certificates that are none":     {prometheus.Options{URL: "https://a.test", CAFile: file(t, "none")}, "holds none in PEM"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := prometheus.New(test.options); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got error %v, want one with %q", err, test.want)
			}
		})
	}
}
