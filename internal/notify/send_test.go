package notify_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/clusterswitch/clusterswitch/internal/notify"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// wire is a network whose other end answers as told; the last answer stays.
type wire struct {
	answers []any // a status, or an error

	mu    sync.Mutex
	posts []string
	heads []http.Header
}

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	answer := w.answers[min(len(w.posts), len(w.answers)-1)]
	w.posts = append(w.posts, string(body))
	w.heads = append(w.heads, r.Header)
	if err, failed := answer.(error); failed {
		return nil, err
	}
	return &http.Response{StatusCode: answer.(int), Body: http.NoBody, Header: http.Header{"Location": {"http://elsewhere.example"}}, Request: r}, nil
}

func rollback() notify.News {
	return notify.News{
		Pair: "shop", Kind: notify.RollbackBegan, Severity: notify.Critical, At: noon, Attempt: 2, Version: 7,
		Phase: shift.RollingBack, Share: 25, Reason: shift.UsersSuffer, Message: "7 of 90 requests <failed> & more",
	}
}

// outcome plays one target until nothing happens for an hour.
func outcome(t *testing.T, w *wire, o notify.SenderOptions, news ...notify.News) (counts map[string]int, logged string) {
	t.Helper()
	counts = map[string]int{}
	var log bytes.Buffer
	synctest.Test(t, func(t *testing.T) {
		o.Transport, o.Count = w, func(_, outcome string) { counts[outcome]++ }
		o.Logger = zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()), zapcore.AddSync(&log), zap.DebugLevel))
		s := notify.NewSender(o)
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { _ = s.Run(ctx) })
		for _, n := range news {
			s.Tell(n)
		}
		time.Sleep(time.Hour)
		stop()
		running.Wait()
	})
	return counts, log.String()
}

func target(format string) notify.Target {
	return notify.Target{Name: "oncall", Format: format, URL: "https://hooks.example/T0/secretsecret"}
}

func TestNewsIsSentUntilItArrives(t *testing.T) {
	away := errors.New("connection refused")
	for name, c := range map[string]struct {
		answers []any
		tries   int // at least 2: more than one
		want    map[string]int
	}{
		"taken at once":                     {[]any{200}, 1, map[string]int{"sent": 1}},
		"202 is as good":                    {[]any{202}, 1, map[string]int{"sent": 1}},
		"taken after failures":              {[]any{away, 503, 429, 204}, 4, map[string]int{"sent": 1}},
		"a wrong address isn't asked again": {[]any{404}, 1, map[string]int{"refused": 1}},
		"a redirect isn't followed":         {[]any{302}, 1, map[string]int{"refused": 1}},
		"away for good":                     {[]any{away}, 2, map[string]int{"dropped": 1}},
	} {
		t.Run(name, func(t *testing.T) {
			w := &wire{answers: c.answers}
			counts, logged := outcome(t, w, notify.SenderOptions{Target: target(notify.FormatSlack)}, rollback())
			if diff := cmp.Diff(c.want, counts); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if tries := len(w.posts); tries != c.tries && (c.tries < 2 || tries < c.tries) || tries > 30 {
				t.Errorf("it was tried %d times, want %d", tries, c.tries)
			}
			if strings.Contains(logged, "secretsecret") {
				t.Errorf("the log tells the URL, which is a secret: %s", logged)
			}
			if (counts["sent"] == 0) != (logged != "") {
				t.Errorf("counts %v, log %q", counts, logged)
			}
		})
	}
}

func TestWhoIsTold(t *testing.T) {
	for name, c := range map[string]struct {
		target notify.Target
		told   bool
	}{
		"of everything":        {notify.Target{}, true},
		"of this pair":         {notify.Target{Pairs: []string{"api", "shop"}}, true},
		"of other pairs":       {notify.Target{Pairs: []string{"api"}}, false},
		"of what is critical":  {notify.Target{Least: notify.Critical}, true},
		"by a URL from a file": {notify.Target{URLFile: "url"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			if c.target.URLFile != "" {
				c.target.URLFile = filepath.Join(t.TempDir(), c.target.URLFile)
				if err := os.WriteFile(c.target.URLFile, []byte("https://hooks.example/x\n"), 0o600); err != nil {
					t.Fatal(err)
				}
			} else {
				c.target.URL = "https://hooks.example/x"
			}
			w := &wire{answers: []any{200}}
			outcome(t, w, notify.SenderOptions{Target: c.target}, rollback())
			if told := len(w.posts) > 0; told != c.told {
				t.Errorf("told: %t", told)
			}
		})
	}
	lesser := rollback()
	lesser.Severity = notify.Info
	w := &wire{answers: []any{200}}
	outcome(t, w, notify.SenderOptions{Target: notify.Target{Least: notify.Warning, URL: "https://hooks.example"}}, lesser)
	if len(w.posts) > 0 {
		t.Error("news of less than the least severity was told")
	}
}

func TestATargetThatIsFarBehindLosesTheOldest(t *testing.T) {
	var news []notify.News
	for i := range 400 {
		n := rollback()
		n.Version = int64(i)
		news = append(news, n)
	}
	w := &wire{answers: []any{200}}
	counts := map[string]int{}
	s := notify.NewSender(notify.SenderOptions{Target: target(notify.FormatCloudEvents), Transport: w, Logger: zap.NewNop(), Count: func(_, o string) { counts[o]++ }})
	for _, n := range news { // nobody runs it: Tell must not block
		s.Tell(n)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := s.Run(ctx); err != nil {
		t.Fatal(err)
	}
	if counts["dropped"] != 144 || counts["sent"] != 256 || !strings.Contains(w.posts[len(w.posts)-1], "shop-2-399-") {
		t.Errorf("counts %v, the last is %s", counts, w.posts[len(w.posts)-1])
	}
}

func TestFormats(t *testing.T) {
	for format, want := range map[string]string{
		notify.FormatSlack: `{"text":"🚨 *shop*: a rollback began (attempt 2, RollingBack, green 25 %)\nUsersSuffer: 7 of 90 requests &lt;failed&gt; &amp; more"}`,
		notify.FormatCloudEvents: `{"specversion":"1.0","id":"shop-2-7-RollbackBegan-UsersSuffer","source":"urn:clusterswitch:ops","type":"io.clusterswitch.RollbackBegan",
			"subject":"shop","time":"2026-11-02T12:00:00Z","datacontenttype":"application/json","data":{"pair":"shop","kind":"RollbackBegan","severity":"critical",
			"attempt":2,"phase":"RollingBack","greenShare":25,"reason":"UsersSuffer","message":"7 of 90 requests <failed> & more"}}`,
	} {
		t.Run(format, func(t *testing.T) {
			w := &wire{answers: []any{200}}
			outcome(t, w, notify.SenderOptions{
				Target: target(format), Source: "urn:clusterswitch:ops", SignatureHeader: "Clusterswitch-Signature", UserAgent: "clusterswitch/v1",
				Sign: func(at time.Time, body []byte) (string, error) { return fmt.Sprintf("signed %d bytes", len(body)), nil },
			}, rollback())
			var wanted, got any
			if err := errors.Join(json.Unmarshal([]byte(want), &wanted), json.Unmarshal([]byte(w.posts[0]), &got)); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(wanted, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			head := w.heads[0]
			if head.Get("Clusterswitch-Signature") != fmt.Sprintf("signed %d bytes", len(w.posts[0])) || head.Get("User-Agent") != "clusterswitch/v1" || !strings.Contains(head.Get("Content-Type"), "json") {
				t.Errorf("its headers are %v", head)
			}
		})
	}
}

// The end of an attempt names the command that tells how it went; nothing else does.
func TestTheEndOfAnAttemptNamesItsReport(t *testing.T) {
	ended := rollback()
	ended.Kind = notify.RolledBack
	for format, want := range map[string]string{
		"cloudevents": `"report":"clusterswitch report shop --attempt 2"`, "slack": "\\nHow it went: `clusterswitch report shop --attempt 2`",
	} {
		w := &wire{answers: []any{200}}
		outcome(t, w, notify.SenderOptions{Target: target(format), Source: "urn:test"}, rollback(), ended)
		if len(w.posts) != 2 || strings.Contains(w.posts[0], "clusterswitch report") || !strings.Contains(w.posts[1], want) {
			t.Errorf("%s: want %s at the end alone; it posts:\n%s", format, want, strings.Join(w.posts, "\n"))
		}
	}
}
