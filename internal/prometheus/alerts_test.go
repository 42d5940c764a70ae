package prometheus_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/internal/prometheus"
)

func TestAlertsThatFire(t *testing.T) {
	fires := func(name, at, more string) string {
		return fmt.Sprintf(`{"labels":{"alertname":%q%s},"startsAt":"2026-11-29T%sZ","endsAt":"2026-11-29T23:00:00Z",
			"status":{"state":"active","silencedBy":[],"inhibitedBy":[],"mutedBy":[]},"annotations":{},"fingerprint":"f"}`, name, more, at)
	}
	answer := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			fmt.Fprint(w, body)
		}
	}
	many := make([]string, 7)
	for i := range many {
		many[i] = fires("Slow", "10:00:00", fmt.Sprintf(`,"pod":"%d"`, 6-i))
	}
	since := time.Date(2026, 11, 29, 10, 0, 0, 0, time.UTC)
	for name, test := range map[string]struct {
		answer http.HandlerFunc
		want   prometheus.Alerts
		fails  string
	}{
		"none": {answer(200, `[]`), prometheus.Alerts{}, ""},
		"the longest first": {
			answer(200, "["+fires("Late", "10:30:00", "")+","+fires("Early", "10:00:00", `,"severity":"page","cluster":"green"`)+"]"),
			prometheus.Alerts{Firing: 2, Names: []string{`Early{cluster="green",severity="page"}`, "Late"}, Since: since},
			"",
		},
		"more than are named": {
			answer(200, "["+strings.Join(many, ",")+"]"),
			prometheus.Alerts{Firing: 7, Names: []string{`Slow{pod="0"}`, `Slow{pod="1"}`, `Slow{pod="2"}`, `Slow{pod="3"}`, `Slow{pod="4"}`}, Since: since},
			"",
		},
		"silenced ones of a server that does not leave them out": {
			answer(200, `[{"labels":{"alertname":"A"},"status":{"state":"suppressed"}},{"labels":{"alertname":"B"},"status":{"silencedBy":["x"]}},
				{"labels":{"alertname":"C"},"status":{"inhibitedBy":["y"]}}]`),
			prometheus.Alerts{},
			"",
		},
		"an alert without a name": {
			answer(200, `[{"labels":{"severity":"page"},"startsAt":"2026-11-29T10:00:00Z","status":{"state":"unprocessed"}}]`),
			prometheus.Alerts{Firing: 1, Names: []string{`{severity="page"}`}, Since: since},
			"",
		},
		"a matcher that it can't read": {answer(400, `"bad matcher format: x"`), prometheus.Alerts{}, "400 Bad Request: bad matcher format: x"},
		"nobody allowed asks":          {answer(403, ``), prometheus.Alerts{}, "403 Forbidden; check the token"},
		"a login page":                 {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/login", http.StatusFound) }, prometheus.Alerts{}, "which leads elsewhere"},
		"a web page":                   {answer(200, "<html>"), prometheus.Alerts{}, "is it an Alertmanager?"},
		"a Prometheus":                 {answer(200, `{"status":"success","data":{"alerts":[]}}`), prometheus.Alerts{}, "is it an Alertmanager?"},
		"null":                         {answer(200, `null`), prometheus.Alerts{}, "is it an Alertmanager?"},
		"nothing":                      {answer(200, ``), prometheus.Alerts{}, "is it an Alertmanager?"},
		"other objects":                {answer(200, `[{}]`), prometheus.Alerts{}, "is it an Alertmanager?"},
		"a proxy without a server":     {answer(503, ``), prometheus.Alerts{}, "503 Service Unavailable"},
		"too much":                     {answer(200, "["+fires(strings.Repeat("A", 3000), "10:00:00", "")+"]"), prometheus.Alerts{}, "is larger than 2000 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var asked *http.Request
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked = r
				test.answer(w, r)
			}))
			t.Cleanup(server.Close)
			c, err := prometheus.New(prometheus.Options{
				URL: server.URL + "/alertmanager", BearerTokenFile: file(t, "s3cret"), MaxBytes: 2000,
			})
			if err != nil {
				t.Fatal(err)
			}
			got, err := c.Alerts(t.Context(), []string{`severity="page"`, `cluster=~"green|b.*"`})
			server.Close() // and the handler is over
			if (err != nil) != (test.fails != "") || err != nil && !strings.Contains(err.Error(), test.fails) {
				t.Fatalf("error %v, want %q", err, test.fails)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("alerts (-want +got):\n%s", diff)
			}
			want := map[string][]string{
				"filter": {`severity="page"`, `cluster=~"green|b.*"`}, "active": {"true"}, "silenced": {"false"}, "inhibited": {"false"},
			}
			if diff := cmp.Diff(want, map[string][]string(asked.URL.Query())); diff != "" {
				t.Errorf("query (-want +got):\n%s", diff)
			}
			if asked.URL.Path != "/alertmanager/api/v2/alerts" || asked.Header.Get("Authorization") != "Bearer s3cret" {
				t.Errorf("it asked %s as %q", asked.URL.Path, asked.Header.Get("Authorization"))
			}
		})
	}
}

func TestAnAlertmanagerThatHangs(t *testing.T) {
	hangs := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	defer hangs.Close()
	c, err := prometheus.New(prometheus.Options{URL: hangs.URL, Timeout: 10 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Alerts(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "for alerts: no answer within 10ms") {
		t.Errorf("got error %v", err)
	}
}
