package webhook_test

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"

	"github.com/clusterswitch/clusterswitch/internal/webhook"
)

// noon is what the hooks' clock says.
var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

func question() webhook.Question {
	return webhook.Question{
		Pair: "shop", Gate: "release", Attempt: 3, Step: 2, Share: 25, Now: 10,
		Since: noon.Add(-10 * time.Minute), Asked: noon.Add(300 * time.Millisecond),
	}
}

// service answers each question with the next of its handlers, and goes on with the
// last.
type service struct {
	*httptest.Server
	mu      sync.Mutex
	answers []http.HandlerFunc
	heard   []heard
}

type heard struct {
	header http.Header
	body   string
}

func serve(t *testing.T, answers ...http.HandlerFunc) *service {
	t.Helper()
	s := &service{answers: answers}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	content, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	s.heard = append(s.heard, heard{r.Header, string(content)})
	answer := s.answers[min(len(s.heard), len(s.answers))-1]
	s.mu.Unlock()
	answer(w, r)
}

// RoundTrip lets questions come without a network, as a bubble of synctest needs it.
func (s *service) RoundTrip(r *http.Request) (resp *http.Response, err error) {
	w := httptest.NewRecorder()
	defer func() {
		if recover() != nil {
			resp, err = nil, io.ErrUnexpectedEOF
		}
	}()
	s.ServeHTTP(w, r)
	if r.Context().Err() != nil {
		return nil, r.Context().Err()
	}
	return w.Result(), nil
}

func (s *service) asked() []heard {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.heard
}

func says(status int, words string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, words)
	}
}

// hangsUp ends the connection without an answer.
func hangsUp(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

func hook(t *testing.T, o webhook.Options) *webhook.Hook {
	t.Helper()
	o.Now = func() time.Time { return noon }
	h, err := webhook.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestAnAnswerIsGoodOrBadOrUnknown(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		answers []http.HandlerFunc
		want    webhook.Answer
		// unknown is in the error.
		unknown string
		tries   int
	}{
		"a yes":                {answers: []http.HandlerFunc{says(200, "go on")}, want: webhook.Answer{Good: true, Note: "go on"}, tries: 1},
		"a yes without a word": {answers: []http.HandlerFunc{says(204, "")}, want: webhook.Answer{Good: true, Note: "204 No Content"}, tries: 1},
		"a no":                 {answers: []http.HandlerFunc{says(409, "not on Fridays\nask Ann")}, want: webhook.Answer{Note: "not on Fridays"}, tries: 1},
		"a no without a word":  {answers: []http.HandlerFunc{says(403, "")}, want: webhook.Answer{Note: "403 Forbidden"}, tries: 1},
		"a no without a name":  {answers: []http.HandlerFunc{says(499, "")}, want: webhook.Answer{Note: "499"}, tries: 1},
		"a wrong secret": {
			answers: []http.HandlerFunc{says(401, "bad signature")}, tries: 1,
			unknown: "it answered 401 Unauthorized: bad signature; check the secret on both sides, and the headers",
		},
		"too many questions":    {answers: []http.HandlerFunc{says(429, "")}, unknown: "it answered 429 Too Many Requests", tries: 3},
		"a slow question":       {answers: []http.HandlerFunc{says(408, "")}, unknown: "it answered 408 Request Timeout", tries: 3},
		"a service that breaks": {answers: []http.HandlerFunc{says(503, "no database")}, unknown: "it answered 503 Service Unavailable: no database", tries: 3},
		"a redirect": {
			answers: []http.HandlerFunc{func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, "/login", http.StatusTemporaryRedirect)
			}},
			unknown: "it answered 307 Temporary Redirect, which leads elsewhere", tries: 1,
		},
		"a connection that breaks": {answers: []http.HandlerFunc{hangsUp}, unknown: "unexpected EOF", tries: 3},
		"a yes at the third try": {
			answers: []http.HandlerFunc{hangsUp, says(500, ""), says(200, "ok")}, want: webhook.Answer{Good: true, Note: "ok"}, tries: 3,
		},
		"a no at the second try": {answers: []http.HandlerFunc{says(502, ""), says(400, "red")}, want: webhook.Answer{Note: "red"}, tries: 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := &service{answers: test.answers}
				h := hook(t, webhook.Options{URL: "https://gate.example.com/?token=secret"})
				h.Through(s)
				got, err := h.Ask(t.Context(), question())
				if diff := cmp.Diff(test.want, got); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
				switch {
				case test.unknown == "" && err != nil:
					t.Error(err)
				case test.unknown != "" && (err == nil || !strings.HasPrefix(err.Error(), "asking the webhook at gate.example.com: "+test.unknown)):
					t.Errorf("got error %v, want %q in it", err, test.unknown)
				}
				if len(s.asked()) != test.tries {
					t.Errorf("it was asked %d times, want %d", len(s.asked()), test.tries)
				}
			})
		})
	}
}

func TestARedirectIsNotFollowedAndABrokenConnectionIsTriedAgain(t *testing.T) {
	t.Parallel()
	s := serve(t, hangsUp, says(200, "go on"))
	if got, err := hook(t, webhook.Options{URL: s.URL}).Ask(t.Context(), question()); err != nil || !got.Good || len(s.asked()) != 2 {
		t.Errorf("got %+v and error %v after %d tries, want a yes after two", got, err, len(s.asked()))
	}
	elsewhere := serve(t, says(200, "log in"))
	s = serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
	})
	if got, err := hook(t, webhook.Options{URL: s.URL}).Ask(t.Context(), question()); err == nil || len(elsewhere.asked()) != 0 {
		t.Errorf("got %+v and error %v after %d questions elsewhere, want an error and none", got, err, len(elsewhere.asked()))
	}
}

func TestWhatIsSent(t *testing.T) {
	t.Parallel()
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("swordfish\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := serve(t, says(200, ""))
	h := hook(t, webhook.Options{URL: s.URL, SecretFile: secret, Headers: map[string]string{"X-Team": "shop"}})
	if _, err := h.Ask(t.Context(), question()); err != nil {
		t.Fatal(err)
	}
	// A rotated secret is taken over.
	if err := os.WriteFile(secret, []byte("goldfish"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Ask(t.Context(), question()); err != nil {
		t.Fatal(err)
	}

	const content = `{"id":"shop/release/3/2/1767268800","pair":"shop","gate":"release","attempt":3,"step":2,"share":25,"now":10,` +
		`"since":"2026-01-01T11:50:00Z","asked":"2026-01-01T12:00:00Z"}`
	for i, key := range []string{"swordfish", "goldfish"} {
		got := s.asked()[i]
		if got.body != content {
			t.Errorf("got body %s\nwant %s", got.body, content)
		}
		for name, want := range map[string]string{
			"Content-Type": "application/json", "Idempotency-Key": "shop/release/3/2/1767268800", "X-Team": "shop",
			webhook.SignatureHeader: webhook.Sign([]byte(key), noon, []byte(content)),
		} {
			if got.header.Get(name) != want {
				t.Errorf("got %s: %s, want %s", name, got.header.Get(name), want)
			}
		}
	}
}

// The known answer was made by openssl: printf '%s' '1767268800.{}' | openssl dgst -sha256 -hmac swordfish.
func TestASignatureIsTheOneOfOthers(t *testing.T) {
	t.Parallel()
	const want = "t=1767268800,v1=4d5d06e8ac754770b05ae886022866cc551eeb08d477d8ec190f130ae0eaf89e"
	if got := webhook.Sign([]byte("swordfish"), noon, []byte("{}")); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestOnlyTriesOfOneQuestionShareAKey(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &service{answers: []http.HandlerFunc{says(503, ""), says(503, ""), says(409, ""), says(200, "")}}
		h := hook(t, webhook.Options{URL: "https://gate.example.com"})
		h.Through(s)
		again := question()
		again.Asked = again.Asked.Add(time.Minute)
		for _, q := range []webhook.Question{question(), again} {
			if _, err := h.Ask(t.Context(), q); err != nil {
				t.Fatal(err)
			}
		}
		var got []string
		for _, h := range s.asked() {
			got = append(got, h.header.Get("Idempotency-Key"))
		}
		const first = "shop/release/3/2/1767268800"
		if diff := cmp.Diff([]string{first, first, first, "shop/release/3/2/1767268860"}, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

func TestAQuestionWithoutATimeIsOfNow(t *testing.T) {
	t.Parallel()
	s := serve(t, says(200, ""))
	if _, err := hook(t, webhook.Options{URL: s.URL}).Ask(t.Context(), webhook.Question{Pair: "shop", Gate: "release"}); err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal([]byte(s.asked()[0].body), &got); err != nil {
		t.Fatal(err)
	}
	if _, given := got["since"]; given || got["asked"] != "2026-01-01T12:00:00Z" {
		t.Errorf("got %v, want the time of the clock, and no since", got)
	}
}

func TestWordsOfAnAnswerAreBounded(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ words, want string }{
		"an empty first line":     {"\r\n  \r\nred\n", "red"},
		"colours of a terminal":   {"\x1b[31mred\x1b[0m\u202e light", "[31mred[0m light"},
		"bytes that are no text":  {"r\xffed\tlight", "red light"},
		"a long line":             {strings.Repeat("word ", 1000), strings.Repeat("word ", 39) + "wo…"},
		"a long line of letters":  {strings.Repeat("é", 300), strings.Repeat("é", 98) + "…"},
		"as long as may be":       {strings.Repeat("a", 200), strings.Repeat("a", 200)},
		"nothing that is printed": {"\x00\x01", "200 OK"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, says(200, test.words))
			got, err := hook(t, webhook.Options{URL: s.URL}).Ask(t.Context(), question())
			if err != nil {
				t.Fatal(err)
			}
			if got.Note != test.want || len(got.Note) > 200 {
				t.Errorf("got %q (%d bytes), want %q", got.Note, len(got.Note), test.want)
			}
		})
	}
}

func TestAnAnswerWithoutAnEndIsNotReadToItsEnd(t *testing.T) {
	t.Parallel()
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			if _, err := io.WriteString(w, strings.Repeat("no end ", 1000)); err != nil {
				return
			}
		}
	})
	got, err := hook(t, webhook.Options{URL: s.URL}).Ask(t.Context(), question())
	if err != nil || !got.Good || !strings.HasPrefix(got.Note, "no end no end") {
		t.Errorf("got %+v and error %v, want a yes with the first words", got, err)
	}
}

func TestAServiceThatDoesNotAnswerIsUnknownAfterTheTimeout(t *testing.T) {
	t.Parallel()
	silent := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	slow := func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(9900 * time.Millisecond)
		w.WriteHeader(http.StatusBadGateway)
	}
	for name, test := range map[string]struct {
		answers []http.HandlerFunc
		want    string
		after   time.Duration
	}{
		"from the first try on":           {[]http.HandlerFunc{silent}, "gate.example.com: no answer within 10s", 10 * time.Second},
		"from the second try on":          {[]http.HandlerFunc{says(503, "no database"), silent}, "it answered 503 Service Unavailable: no database; then no answer within 10s", 10 * time.Second},
		"too late for another try":        {[]http.HandlerFunc{slow}, "it answered 502 Bad Gateway", 9900 * time.Millisecond},
		"at once each time, with a pause": {[]http.HandlerFunc{says(500, "")}, "it answered 500 Internal Server Error", 2500 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := hook(t, webhook.Options{URL: "https://gate.example.com"})
				h.Through(&service{answers: test.answers})
				began := time.Now()
				_, err := h.Ask(t.Context(), question())
				if err == nil || !strings.HasSuffix(err.Error(), test.want) {
					t.Errorf("got %v, want %q at its end", err, test.want)
				}
				if took := time.Since(began); took != test.after {
					t.Errorf("it took %s, want %s", took, test.after)
				}
			})
		})
	}
}

func TestAnEndedContextEndsTheTries(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancelCause(t.Context())
	enough := errors.New("the configuration changed")
	s := serve(t, func(_ http.ResponseWriter, r *http.Request) { stop(enough); <-r.Context().Done() })
	_, err := hook(t, webhook.Options{URL: s.URL}).Ask(ctx, question())
	if !errors.Is(err, enough) || len(s.asked()) != 1 {
		t.Errorf("got error %v after %d tries, want %v after one", err, len(s.asked()), enough)
	}
}

func TestNobodyIsThere(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	_, err = hook(t, webhook.Options{URL: "http://" + address, Timeout: 4 * time.Second}).Ask(t.Context(), question())
	if err == nil || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("got %v, want a refused connection", err)
	}
}

func TestWhatCanNotBeSignedIsNotSent(t *testing.T) {
	t.Parallel()
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, []byte(" \n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct{ file, want string }{
		"an empty secret":   {empty, "is empty"},
		"a missing secret":  {empty + "-not", "no such file"},
		"a folder's secret": {t.TempDir(), "is a directory"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, says(200, ""))
			_, err := hook(t, webhook.Options{URL: s.URL, SecretFile: test.file}).Ask(t.Context(), question())
			if err == nil || !strings.Contains(err.Error(), test.want) || len(s.asked()) != 0 {
				t.Errorf("got error %v after %d questions, want %q and none", err, len(s.asked()), test.want)
			}
		})
	}
}

func TestAServersCertificateIsChecked(t *testing.T) {
	t.Parallel()
	s := httptest.NewUnstartedServer(says(200, "go on"))
	s.Config.ErrorLog = zap.NewStdLog(zap.NewNop())
	s.StartTLS()
	t.Cleanup(s.Close)
	folder := t.TempDir()
	known, none := filepath.Join(folder, "ca.pem"), filepath.Join(folder, "none.pem")
	for file, content := range map[string][]byte{known: certificate(s), none: []byte("nothing")} {
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := hook(t, webhook.Options{URL: s.URL, CAFile: known}).Ask(t.Context(), question()); err != nil || !got.Good {
		t.Errorf("by its own certificate: got %+v, error %v", got, err)
	}
	if _, err := hook(t, webhook.Options{URL: s.URL}).Ask(t.Context(), question()); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("by the system's certificates: got error %v", err)
	}
	for _, file := range []string{none, none + "-not"} {
		if _, err := webhook.New(webhook.Options{URL: s.URL, CAFile: file}); err == nil || !strings.Contains(err.Error(), "reading the certificates for 127.0.0.1") {
			t.Errorf("by %s: got error %v", file, err)
		}
	}
	if _, err := webhook.New(webhook.Options{URL: "http://secret\n"}); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("an address that is none: got error %v", err)
	}
}

func certificate(s *httptest.Server) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
}
