package webhook_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/clusterswitch/clusterswitch/internal/webhook"
)

type replies func() *http.Response

func (r replies) RoundTrip(*http.Request) (*http.Response, error) { return r(), nil }

// FuzzReply: of whatever a service replies, only 2xx is good, only a 4xx about green
// is a no, and its words are one short line that prints.
func FuzzReply(f *testing.F) {
	for code, text := range map[int]string{200: "fine", 204: "", 302: "<html>login", 401: "who?", 409: "no\nbecause", 429: "later", 503: "\x00\x1b[31m", 999: strings.Repeat("ä", 300), 100: " ", 0: "x"} {
		f.Add(code, []byte(text))
	}
	f.Fuzz(func(t *testing.T, code int, text []byte) {
		hook, err := webhook.New(webhook.Options{URL: "https://release.example/hook?key=secret-of-the-url", Timeout: 20 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		hook.Through(replies(func() *http.Response {
			return &http.Response{StatusCode: code, Body: io.NopCloser(strings.NewReader(string(text)))}
		}))
		got, err := hook.Ask(t.Context(), question())
		if err != nil {
			if code >= 200 && code < 300 {
				t.Errorf("%d is the error %v", code, err)
			}
			if strings.Contains(err.Error(), "secret-of-the-url") && !strings.Contains(string(text), "secret-of-the-url") {
				t.Errorf("the error shows the address: %v", err)
			}
			return
		}
		if got.Good != (code >= 200 && code < 300) {
			t.Errorf("%d was taken for %+v", code, got)
		}
		switch {
		case got.Good:
		case code < 400 || code > 499, code == 401, code == 407, code == 408, code == 425, code == 429:
			t.Errorf("%d was taken for an answer about green", code)
		}
		if len(got.Note) > 200 || !utf8.ValidString(got.Note) || strings.ContainsFunc(got.Note, func(r rune) bool { return !unicode.IsPrint(r) }) || got.Note == "" {
			t.Errorf("the note is %q", got.Note)
		}
	})
}
