package probes

import (
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// shop lets in who knows the password, and shows orders to who was let in.
func shop(t *testing.T) (*httptest.Server, func() []string) {
	t.Helper()
	var mu sync.Mutex
	var asked []string
	mux := http.NewServeMux()
	mux.HandleFunc("GET /login", func(w http.ResponseWriter, _ *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "visit", Value: "v1", Domain: "shop.example.com"})
		_, _ = io.WriteString(w, `<form><input name="csrf" value="c-42/+"></form>`)
	})
	mux.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		visit, err := r.Cookie("visit")
		if err != nil || visit.Value != "v1" || r.FormValue("password") != `p&"=ss` || r.FormValue("csrf") != "c-42/+" {
			http.Error(w, "who is "+r.FormValue("password"), http.StatusForbidden)
			return
		}
		http.SetCookie(w, &http.Cookie{Name: "session", Value: "s1"})
		w.Header().Set("X-Tenant", "acme corp")
		_, _ = io.WriteString(w, `{"user": {"id": 12345678901234567890, "roles": ["read", "write"], "active": true, "token": "t/1&2"}}`)
	})
	mux.HandleFunc("GET /users/{user}/orders", func(w http.ResponseWriter, r *http.Request) {
		session, err := r.Cookie("session")
		if err != nil || session.Value != "s1" {
			http.Error(w, "no session", http.StatusUnauthorized)
			return
		}
		_, _ = fmt.Fprintf(w, "%s %s %s %s", r.PathValue("user"), r.URL.Query().Get("token"), r.Header.Get("X-Role"), r.Header.Get("X-Probe"))
	})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		asked = append(asked, r.Method+" "+r.Host+r.URL.String())
		mu.Unlock()
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server, func() []string {
		mu.Lock()
		defer mu.Unlock()
		return asked
	}
}

// secret writes a file of a secret.
func secret(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func visit(server *httptest.Server, secretFile string) HTTPOptions {
	return HTTPOptions{
		URL: server.URL, Host: "shop.example.com", Headers: map[string]string{"X-Probe": "p", "x-role": "none"},
		SecretFiles: map[string]string{"password": secretFile},
		Steps: []HTTPStep{
			{Name: "form", Path: "/login", Extract: []Extract{{Name: "csrf", Regexp: `name="csrf" value="([^"]+)"`}}},
			{
				Name: "login", Path: "/login", Method: "POST", Body: "password=${password}&csrf=${csrf}",
				Extract: []Extract{
					{Name: "user", JSON: "user.id"},
					{Name: "role", JSON: "user.roles.1"},
					{Name: "active", JSON: "user.active"},
					{Name: "token", JSON: "user.token"},
					{Name: "tenant", Header: "x-tenant"},
				},
			},
			{
				Name: "orders", Path: "/users/${tenant}-${user}/orders?token=${token}&all=$${all}", Headers: map[string]string{"X-Role": "${role} ${active}"},
				Expect: Expect{Body: "acme corp-12345678901234567890 t/1&2 write true p"},
			},
		},
	}
}

func TestStepsCarryValuesAndCookiesOver(t *testing.T) {
	t.Parallel()
	server, asked := shop(t)
	check := HTTP(visit(server, secret(t, "p&\"=ss\n")))
	for run := range 2 { // the second knows nothing of the first
		if got := verdict(t, check); got != "" {
			t.Fatalf("run %d: %s", run, got)
		}
	}
	once := []string{
		"GET shop.example.com/login", "POST shop.example.com/login",
		"GET shop.example.com/users/acme%20corp-12345678901234567890/orders?token=t%2F1%262&all=$%7Ball%7D",
	}
	got := asked()
	for i := range got {
		got[i] = strings.ReplaceAll(strings.ReplaceAll(got[i], "{", "%7B"), "}", "%7D")
	}
	if diff := cmp.Diff(append(once, once...), got); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
}

func TestAFailingStepIsNamed(t *testing.T) {
	t.Parallel()
	server, _ := shop(t)
	empty := secret(t, "")
	tests := map[string]struct {
		change func(o *HTTPOptions)
		want   string
	}{
		"a status":                    {func(o *HTTPOptions) { o.SecretFiles["password"] = secret(t, "other") }, "step login: got status 403, want 200"},
		"a body":                      {func(o *HTTPOptions) { o.Steps[2].Expect.Body = "none" }, `step orders: the body does not contain "none"`},
		"no such place":               {func(o *HTTPOptions) { o.Steps[1].Extract[0].JSON = "user.name.first" }, "step login: taking user: the body has no user.name"},
		"beyond a text":               {func(o *HTTPOptions) { o.Steps[1].Extract[0].JSON = "user.token.first" }, "step login: taking user: the body has no user.token.first"},
		"beyond a list":               {func(o *HTTPOptions) { o.Steps[1].Extract[0].JSON = "user.roles.2" }, "step login: taking user: the body has no user.roles.2: that is a list of 2"},
		"a whole list":                {func(o *HTTPOptions) { o.Steps[1].Extract[0].JSON = "user.roles" }, "step login: taking user: the body's user.roles is neither a text nor a number"},
		"a page instead of JSON":      {func(o *HTTPOptions) { o.Steps[0].Extract[0] = Extract{Name: "csrf", JSON: "csrf"} }, "step form: taking csrf: the body is no JSON"},
		"no such header":              {func(o *HTTPOptions) { o.Steps[1].Extract[4].Header = "X-Other" }, "step login: taking tenant: the answer has no header X-Other"},
		"no match":                    {func(o *HTTPOptions) { o.Steps[0].Extract[0].Regexp = "(other)" }, "step form: taking csrf: the body does not match (other)"},
		"an empty value":              {func(o *HTTPOptions) { o.Steps[0].Extract[0].Regexp = "form(z*)" }, "step form: taking csrf: its value is empty"},
		"an expression without group": {func(o *HTTPOptions) { o.Steps[0].Extract[0].Regexp = "form" }, `"form" is not a regular expression with a group`},
		"an unknown name":             {func(o *HTTPOptions) { o.Steps[0].Path = "/${other}" }, "step form: making the request: nothing is known as other"},
		"no secret":                   {func(o *HTTPOptions) { o.SecretFiles["password"] = "/none" }, "reading the secret password: open /none: no such file or directory"},
		"an empty secret":             {func(o *HTTPOptions) { o.SecretFiles["password"] = empty }, "reading the secret password: the text in " + empty + " is empty"},
		"a secret of a device":        {func(o *HTTPOptions) { o.SecretFiles["password"] = os.DevNull }, "reading the secret password: /dev/null is not an ordinary file: it is a device"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			opts := visit(server, secret(t, `p&"=ss`))
			test.change(&opts)
			if got := verdict(t, HTTP(opts)); got != test.want {
				t.Errorf("got  %q\nwant %q", got, test.want)
			}
		})
	}
}

// What a server repeats of a secret goes no further.
func TestSecretsAreHiddenInErrors(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/token" {
			_, _ = io.WriteString(w, `{"token": "abcdefgh", "id": "1"}`)
			return
		}
		w.WriteHeader(http.StatusForbidden)
		_, _ = fmt.Fprintf(w, `{"kind": "Status", "message": "1 knows not %s"}`, r.Header.Get("Authorization"))
	}))
	t.Cleanup(server.Close)
	opts := HTTPOptions{
		URL: server.URL, SecretFiles: map[string]string{"pin": secret(t, "9x")},
		Steps: []HTTPStep{
			{Name: "token", Path: "/token", Extract: []Extract{{Name: "token", JSON: "token"}, {Name: "id", JSON: "id"}}},
			{Name: "read", Path: "/", Headers: map[string]string{"Authorization": "${token} and ${pin}"}},
		},
	}
	if got, want := verdict(t, HTTP(opts)), "step read: got status 403, want 200: 1 knows not ${token} and ${pin}"; got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	for _, bad := range []string{"two\nlines", strings.Repeat("x", maxValue+1)} {
		opts.SecretFiles["pin"] = secret(t, bad)
		if got := verdict(t, HTTP(opts)); !strings.HasPrefix(got, "reading the secret pin: the text in ") || strings.Contains(got, bad) {
			t.Errorf("got %q", got)
		}
	}
}

func TestBodiesOfOneRequest(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		_, _ = fmt.Fprintf(w, "%s|%s|%s|%d", r.Header.Get("Content-Type"), body, r.Header.Get("X"), r.ContentLength)
	}))
	t.Cleanup(server.Close)
	known := map[string]string{"it": secret(t, `a "b" & c`)}
	tests := map[string]struct {
		opts HTTPOptions
		want string
	}{
		"JSON":                            {HTTPOptions{Body: `{"a": "${it}"}`, SecretFiles: known}, `application/json|{"a": "a \"b\" \u0026 c"}||25`},
		"a form":                          {HTTPOptions{Body: `a=${it}`, SecretFiles: known}, `application/x-www-form-urlencoded|a=a+%22b%22+%26+c||17`},
		"another type":                    {HTTPOptions{Body: `${it}`, SecretFiles: known, Headers: map[string]string{"content-type": "text/plain"}}, `text/plain|a "b" & c||9`},
		"JSON by its type":                {HTTPOptions{Body: `"${it}"`, SecretFiles: known, Headers: map[string]string{"content-type": "application/problem+json; charset=utf-8"}}, `application/problem+json; charset=utf-8|"a \"b\" \u0026 c"||18`},
		"a header":                        {HTTPOptions{Headers: map[string]string{"X": "${it}"}, SecretFiles: known}, `||a "b" & c|0`},
		"nothing stands for another text": {HTTPOptions{Body: "${it}$${it}", Headers: map[string]string{"X": "${it}"}}, "application/x-www-form-urlencoded|${it}$${it}|${it}|11"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.opts.URL, test.opts.Method, test.opts.Expect.Body = server.URL, "POST", test.want
			if got := verdict(t, HTTP(test.opts)); got != "" {
				t.Error(got)
			}
		})
	}
}

func TestHTTPShowsItsCertificate(t *testing.T) {
	t.Parallel()
	later := time.Now().Add(100 * testDay)
	root := newAuthority(t, "Root", later, nil)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	server.EnableHTTP2 = true
	server.TLS = &tls.Config{
		Certificates: []tls.Certificate{root.issue(t, later, []string{"shop.example.com"})},
		ClientAuth:   tls.RequireAndVerifyClientCert, ClientCAs: root.pool(),
	}
	server.StartTLS()
	t.Cleanup(server.Close)
	folder := t.TempDir()
	certFile, keyFile := store(t, folder, root.issue(t, later, nil))
	opts := HTTPOptions{URL: server.URL, Host: "shop.example.com", TLSFiles: TLSFiles{CAFile: root.file(t), CertFile: certFile, KeyFile: keyFile}}
	check := HTTP(opts)
	if got := verdict(t, check); got != "" {
		t.Errorf("with a good certificate got %q", got)
	}
	store(t, folder, newAuthority(t, "Nobody", later, nil).issue(t, later, nil))
	// Before the server's word comes, its end of the connection may be gone.
	if got := verdict(t, check); got == "" {
		t.Errorf("with a certificate of nobody's got %q", got)
	}
	opts.CertFile, opts.KeyFile = "", ""
	if got := verdict(t, HTTP(opts)); got == "" {
		t.Errorf("without a certificate got %q", got)
	}
	opts.CAFile = "/none"
	if got := verdict(t, HTTP(opts)); got != "reading the authorities: open /none: no such file or directory" {
		t.Errorf("without authorities got %q", got)
	}
}
