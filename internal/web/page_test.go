package web

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/clusterswitch/clusterswitch/internal/bearer"
	"github.com/clusterswitch/clusterswitch/internal/chronicle"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// served is a page that runs.
type served struct {
	*testing.T
	address string
	stop    func()
}

func serve(t *testing.T, o PageOptions) *served {
	t.Helper()
	o.Namespace = "clusterswitch"
	server, err := Listen(t.Context(), Options{Listen: "127.0.0.1:0", Health: NewHealth(time.Now), Metrics: prometheus.NewRegistry(), Page: &o})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- server.Run(ctx) }()
	s := &served{T: t, address: "http://" + server.Address()}
	s.stop = func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("stopping: %v", err)
		}
		ended <- nil
	}
	t.Cleanup(s.stop)
	return s
}

// ask asks with a token; empty: without one.
func (s *served) ask(path, token string) *http.Response {
	s.Helper()
	request, err := http.NewRequestWithContext(s.Context(), http.MethodGet, s.address+path, nil)
	if err != nil {
		s.Fatal(err)
	}
	if token != "" {
		request.Header.Set("Authorization", token)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { _ = response.Body.Close() }) // whoever streams closes it before
	return response
}

// admit knows three tokens.
func admit(_ context.Context, token string) (bearer.Answer, error) {
	switch token {
	case "good":
		return bearer.Answer{User: "ada", Allowed: true}, nil
	case "powerless":
		return bearer.Answer{User: "bob"}, nil
	case "away":
		return bearer.Answer{}, errors.New("the API server is away")
	}
	return bearer.Answer{}, nil
}

func TestWhoMayRead(t *testing.T) {
	tests := map[string]struct {
		open   bool
		path   string
		token  string
		status int
		code   string
	}{
		"without a token nobody":                         {false, "/api/v1/pairs", "", 401, "TokenMissing"},
		"nor the pair":                                   {false, "/api/v1/pairs/shop", "", 401, "TokenMissing"},
		"nor the stream":                                 {false, "/api/v1/events", "", 401, "TokenMissing"},
		"nor a pair that isn't there":                    {false, "/api/v1/pairs/nobody", "", 401, "TokenMissing"},
		"with a good token":                              {false, "/api/v1/pairs", "Bearer good", 200, ""},
		"however it is spelled":                          {false, "/api/v1/pairs", "bearer  good", 200, ""},
		"not with a password":                            {false, "/api/v1/pairs", "Basic Z29vZA==", 401, "TokenRefused"},
		"not with a token that the cluster doesn't know": {false, "/api/v1/pairs", "Bearer bad", 401, "TokenRefused"},
		"not with a token that is too long":              {false, "/api/v1/pairs", "Bearer " + strings.Repeat("x", maxToken+1), 401, "TokenRefused"},
		"not without the right":                          {false, "/api/v1/pairs", "Bearer powerless", 403, "RightMissing"},
		"not while nobody can be asked":                  {false, "/api/v1/pairs", "Bearer away", 503, "TokenUnknown"},
		"a pair that isn't there":                        {false, "/api/v1/pairs/nobody", "Bearer good", 404, "NoSuchPair"},
		"everybody where it is open":                     {true, "/api/v1/pairs", "", 200, ""},
		"everybody the page itself, which tells nothing": {false, "/", "", 200, ""},
		"everybody whether a token is needed":            {false, "/api/v1/access", "", 200, ""},
		"everybody whether the daemon is healthy":        {false, "/healthz", "", 200, ""},
		"everybody the metrics":                          {false, "/metrics", "", 200, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			g := newGallery(time.Now(), nil)
			g.hang()
			o := PageOptions{Chronicle: g.told, Admit: admit}
			if tt.open {
				o.Admit = nil
			}
			response := serve(t, o).ask(tt.path, tt.token)
			var said refusal
			body, err := io.ReadAll(response.Body)
			if err != nil {
				t.Fatal(err)
			}
			_ = json.Unmarshal(body, &said) // what isn't JSON has no code
			if response.StatusCode != tt.status || said.Code != tt.code {
				t.Errorf("got %d %q, want %d %q: %s", response.StatusCode, said.Code, tt.status, tt.code, body)
			}
			if tt.status == 401 && response.Header.Get("WWW-Authenticate") == "" {
				t.Error("it doesn't say how to come in")
			}
			if tt.status > 400 && strings.Contains(string(body), "good") {
				t.Errorf("it tells of tokens: %s", body)
			}
		})
	}
}

func TestThePageKeepsBrowsersStrict(t *testing.T) {
	g := newGallery(time.Now(), nil)
	s := serve(t, PageOptions{Chronicle: g.told})
	for path, kind := range map[string]string{
		"/": "text/html; charset=utf-8", "/assets/main.js": "text/javascript; charset=utf-8", "/assets/page.css": "text/css; charset=utf-8",
		"/assets/icon.svg": "image/svg+xml", "/api/v1/pairs": "application/json; charset=utf-8",
	} {
		response := s.ask(path, "")
		h := response.Header
		for _, words := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'", "trusted-types 'none'"} {
			if !strings.Contains(h.Get("Content-Security-Policy"), words) {
				t.Errorf("%s: the policy lacks %s", path, words)
			}
		}
		if strings.Contains(h.Get("Content-Security-Policy"), "unsafe") {
			t.Errorf("%s: the policy is unsafe", path)
		}
		got := []string{h.Get("Content-Type"), h.Get("X-Content-Type-Options"), h.Get("Referrer-Policy"), h.Get("X-Frame-Options")}
		if diff := cmp.Diff([]string{kind, "nosniff", "no-referrer", "DENY"}, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
	}
	tag := s.ask("/assets/main.js", "").Header.Get("ETag")
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.address+"/assets/main.js", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("If-None-Match", tag)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if tag == "" || response.StatusCode != http.StatusNotModified {
		t.Errorf("a file that is known is sent again: tag %q, status %d", tag, response.StatusCode)
	}
	post, err := http.Post(s.address+"/api/v1/pairs", "application/json", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	defer post.Body.Close()
	if post.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("a POST is answered %d", post.StatusCode)
	}
}

func TestAPairIsShownWithTheFindingsOfItsPreflight(t *testing.T) {
	tests := map[string]struct {
		findings func(context.Context, string, string) ([]chronicle.Finding, error)
		want     []string // severities
		trouble  string
	}{
		"all of them": {func(context.Context, string, string) ([]chronicle.Finding, error) { return findings(), nil }, []string{"block", "block", "warn", "note"}, ""},
		"or why not":  {func(context.Context, string, string) ([]chronicle.Finding, error) { return nil, errors.New("away") }, nil, "away"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			g := newGallery(time.Now(), nil)
			g.hang()
			var d chronicle.Detail
			if err := json.NewDecoder(serve(t, PageOptions{Chronicle: g.told, Findings: tt.findings}).ask("/api/v1/pairs/media", "").Body).Decode(&d); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range d.Preflight.Findings {
				got = append(got, f.Severity)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" || d.Preflight.FindingsTrouble != tt.trouble || d.Preflight.Blocks != 2 {
				t.Errorf("got trouble %q, %d blocks, findings (-want +got):\n%s", d.Preflight.FindingsTrouble, d.Preflight.Blocks, diff)
			}
		})
	}
}

// events reads a stream.
type events struct {
	t     *testing.T
	lines *bufio.Scanner
}

func (s *served) events(token string) *events {
	s.Helper()
	response := s.ask("/api/v1/events", token)
	if response.StatusCode != http.StatusOK {
		s.Fatalf("the stream is answered %d", response.StatusCode)
	}
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(nil, 1<<20)
	return &events{s.T, lines}
}

// next gives the next event; empty: the stream is over.
func (e *events) next() (name, data string) {
	e.t.Helper()
	for e.lines.Scan() {
		line := e.lines.Text()
		switch {
		case strings.HasPrefix(line, "event: "):
			name = line[len("event: "):]
		case strings.HasPrefix(line, "data: "):
			data = line[len("data: "):]
		case line == "" && name != "":
			return name, data
		}
	}
	return "", ""
}

func TestAStreamTellsOfEachChange(t *testing.T) {
	g := newGallery(time.Now(), nil)
	g.hang()
	stream := serve(t, PageOptions{Chronicle: g.told, Heartbeat: time.Hour}).events("")
	name, data := stream.next()
	var overview chronicle.Overview
	if err := json.Unmarshal([]byte(data), &overview); err != nil || name != "overview" || len(overview.Pairs) != 9 {
		t.Fatalf("it begins with %s %.100s (%v)", name, data, err)
	}
	g.play("mail", scene{0, shift.InPreflight, 0, 0, 0, shift.PreflightRuns, "green is being compared with blue", nil})
	name, data = stream.next()
	var summary chronicle.Summary
	if err := json.Unmarshal([]byte(data), &summary); err != nil || name != "pair" || summary.Pair != "mail" || summary.Phase != "Preflight" {
		t.Errorf("then it tells %s %.200s (%v)", name, data, err)
	}
	g.told.Forget("mail")
	if name, data = stream.next(); name != "gone" || data != `{"pair":"mail"}` {
		t.Errorf("then it tells %s %.200s", name, data)
	}
}

func TestAStreamTellsWhoLeadsWhenThatChanges(t *testing.T) {
	leaders := make(chan string, 10)
	leader := "one"
	g := newGallery(time.Now(), func() (string, bool) {
		select {
		case leader = <-leaders:
		default:
		}
		return leader, leader == "two"
	})
	g.hang()
	stream := serve(t, PageOptions{Chronicle: g.told, Heartbeat: 10 * time.Millisecond}).events("")
	if _, data := stream.next(); !strings.Contains(data, `"leads":false,"leader":"one"`) {
		t.Errorf("it begins with %.300s", data)
	}
	leaders <- "two"
	for {
		name, data := stream.next()
		if name == "overview" && strings.Contains(data, `"leads":true,"leader":"two"`) {
			return
		}
		if name != "alive" {
			t.Fatalf("it tells %s %.300s", name, data)
		}
	}
}

func TestAStreamEnds(t *testing.T) {
	t.Run("when its reader may no longer read", func(t *testing.T) {
		g := newGallery(time.Now(), nil)
		g.hang()
		asked := 0
		stream := serve(t, PageOptions{Chronicle: g.told, Heartbeat: time.Millisecond, Admit: func(ctx context.Context, _ string) (bearer.Answer, error) {
			if asked++; asked > 3 {
				return bearer.Answer{}, nil
			}
			return admit(ctx, "good")
		}}).events("Bearer any")
		var names []string
		for {
			name, _ := stream.next()
			if name == "" {
				break
			}
			names = append(names, name)
		}
		if diff := cmp.Diff([]string{"overview", "alive", "alive", "refused"}, names); diff != "" {
			t.Errorf("it tells (-want +got):\n%s", diff)
		}
	})
	t.Run("not while nobody can be asked", func(t *testing.T) {
		g := newGallery(time.Now(), nil)
		asked := 0
		stream := serve(t, PageOptions{Chronicle: g.told, Heartbeat: time.Millisecond, Admit: func(ctx context.Context, _ string) (bearer.Answer, error) {
			if asked++; asked > 1 {
				return admit(ctx, "away")
			}
			return admit(ctx, "good")
		}}).events("Bearer any")
		for _, want := range []string{"overview", "alive", "alive", "alive"} {
			if name, _ := stream.next(); name != want {
				t.Fatalf("it tells %q, want %q", name, want)
			}
		}
	})
	t.Run("when the daemon stops, which waits for no reader", func(t *testing.T) {
		g := newGallery(time.Now(), nil)
		s := serve(t, PageOptions{Chronicle: g.told, Heartbeat: time.Hour})
		stream := s.events("")
		stream.next()
		began := time.Now()
		s.stop()
		if name, _ := stream.next(); name != "closing" {
			t.Errorf("its last word is %q", name)
		}
		if took := time.Since(began); took > 4*time.Second {
			t.Errorf("stopping took %s", took)
		}
	})
}

func TestStreamsAreBounded(t *testing.T) {
	g := newGallery(time.Now(), nil)
	s := serve(t, PageOptions{Chronicle: g.told, Heartbeat: time.Hour})
	for range maxStreams {
		s.events("").next()
	}
	response := s.ask("/api/v1/events", "")
	if response.StatusCode != http.StatusServiceUnavailable || response.Header.Get("Retry-After") == "" {
		t.Errorf("one more is answered %d", response.StatusCode)
	}
	if response := s.ask("/api/v1/pairs", ""); response.StatusCode != http.StatusOK {
		t.Errorf("a question is answered %d", response.StatusCode)
	}
}
