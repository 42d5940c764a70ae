package app

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	zapobserver "go.uber.org/zap/zaptest/observer"

	"github.com/clusterswitch/clusterswitch/config"
	"github.com/clusterswitch/clusterswitch/internal/notify"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// document is a valid configuration with the pairs of these names; each may
// have more keys. Its clusters can't be reached.
func document(names, more string) string {
	var b strings.Builder
	b.WriteString("apiVersion: clusterswitch.io/v1alpha1\nlisten: 127.0.0.1:0\naws: {region: ap-northeast-1, endpointURL: \"http://127.0.0.1:1\"}\n" +
		"journal: {kubeconfig: {path: management.yaml}}\npairs:\n")
	for name := range strings.FieldsSeq(names) {
		fmt.Fprintf(&b, `  - name: %s
    serve: blue
    blue: {kubeconfig: {path: blue.yaml}}
    green: {kubeconfig: {path: green.yaml}}
    probes: [{name: storefront, tcp: {address: "127.0.0.1:1"}}]
    traffic:
      - route53: {hostedZoneID: Z123, names: [%s.example.com], blueSetIdentifier: blue, greenSetIdentifier: green}
      - alb:
          ruleARN: arn:aws:elasticloadbalancing:ap-northeast-1:123456789012:listener-rule/app/%s/0123456789abcdef/0123456789abcdef/0123456789abcdef
          blueTargetGroupARN: arn:aws:elasticloadbalancing:ap-northeast-1:123456789012:targetgroup/%s-blue/0123456789abcdef
          greenTargetGroupARN: arn:aws:elasticloadbalancing:ap-northeast-1:123456789012:targetgroup/%s-green/0123456789abcdef
    steps: [{share: 100}]
    soakOnly: true
%s`, name, name, name, name, name, more)
	}
	return b.String()
}

func parsed(t *testing.T, text string) *config.Config {
	t.Helper()
	c, err := config.Parse("config.yaml", []byte(text), nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// kubeconfigAt writes a kubeconfig for an API server.
func kubeconfigAt(t *testing.T, path, server string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(kubeconfigOf(server, "t")), 0o600); err != nil {
		t.Fatal(err)
	}
}

func kubeconfigOf(server, token string) string {
	return fmt.Sprintf("apiVersion: v1\nkind: Config\nclusters: [{name: c, cluster: {server: %q, insecure-skip-tls-verify: true}}]\n"+
		"contexts: [{name: c, context: {cluster: c, user: u}}]\nusers: [{name: u, user: {token: %s}}]\ncurrent-context: c\n", server, token)
}

// daemonOf is a daemon whose pairs can be changed; nothing of it can reach
// anybody.
func daemonOf(t *testing.T, c *config.Config) (*App, *zapobserver.ObservedLogs) {
	t.Helper()
	t.Setenv("AWS_ACCESS_KEY_ID", "test")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "test")
	t.Chdir(t.TempDir())
	kubeconfigAt(t, "management.yaml", "http://127.0.0.1:1")
	core, logs := zapobserver.New(zap.InfoLevel)
	a, err := New(t.Context(), Options{Config: c, Version: "v0.0.0", Rollback: []string{"shop"}, Logger: zap.New(core)})
	if err != nil {
		t.Fatal(err)
	}
	a.apply(t.Context(), c)
	t.Cleanup(func() { stopAll(slices.Collect(maps.Values(a.pairs))) })
	return a, logs
}

func TestReloadChangesOnlyWhatChanged(t *testing.T) {
	before := document("shop blog", "")
	tests := map[string]struct {
		after string
		err   error
		// kept and fresh pairs after the reload
		kept, fresh []string
		says        string
	}{
		"nothing of a pair":     {after: before + "# a comment\n", kept: []string{"blog", "shop"}},
		"a pair more":           {after: document("shop blog cart", ""), kept: []string{"blog", "shop"}, fresh: []string{"cart"}},
		"a pair less":           {after: document("shop", ""), kept: []string{"shop"}, says: "pair left the configuration, its weights stay as they are"},
		"what may change live":  {after: document("shop blog", "    paused: true\n    standby: {for: 1h}\n"), kept: []string{"blog", "shop"}},
		"the clusters":          {after: strings.ReplaceAll(before, "green.yaml", "other.yaml"), fresh: []string{"blog", "shop"}},
		"which workloads count": {after: document("shop blog", "    workloads: {namespaces: [web]}\n"), fresh: []string{"blog", "shop"}},
		"what needs a start":    {after: strings.ReplaceAll(before, "127.0.0.1:0", "127.0.0.1:9"), kept: []string{"blog", "shop"}, says: "a changed key takes effect at the next start"},
		"for the worse":         {err: errors.New("line 3: unknown key"), kept: []string{"blog", "shop"}, says: "configuration refused, the one before goes on"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			first := parsed(t, before)
			a, logs := daemonOf(t, first)
			old := maps.Clone(a.pairs)
			update := config.Update{Err: test.err}
			if test.err == nil {
				update.Config = parsed(t, test.after)
			}
			a.reload(t.Context(), update)
			var kept, fresh []string
			for _, name := range slices.Sorted(maps.Keys(a.pairs)) {
				if a.pairs[name] == old[name] {
					kept = append(kept, name)
				} else {
					fresh = append(fresh, name)
				}
			}
			if diff := cmp.Diff([][]string{test.kept, test.fresh}, [][]string{kept, fresh}); diff != "" {
				t.Errorf("pairs kept and started (-want +got):\n%s", diff)
			}
			if test.says != "" && logs.FilterMessage(test.says).Len() != 1 {
				t.Errorf("the log doesn't say %q once: %v", test.says, logs.All())
			}
			want := update.Config
			if test.err != nil {
				want = first
			}
			if a.config != want {
				t.Error("the daemon doesn't hold the configuration that it runs")
			}
			for name, p := range old {
				stopped := a.pairs[name] != p
				if over := p.life.stages == nil; over != stopped {
					t.Errorf("pair %s left: %t, its parts stopped: %t", name, stopped, over)
				}
			}
		})
	}
}

func TestPairThatComesBackIsStillBoundToItsFlag(t *testing.T) {
	a, _ := daemonOf(t, parsed(t, document("shop blog", "")))
	flag := a.pairs["shop"].requests.flag
	if flag == nil || a.pairs["blog"].requests.flag != nil {
		t.Fatal("run --rollback shop is a flag of shop alone")
	}
	a.reload(t.Context(), config.Update{Config: parsed(t, document("blog", ""))})
	a.reload(t.Context(), config.Update{Config: parsed(t, document("blog shop", ""))})
	if a.pairs["shop"].requests.flag != flag {
		t.Error("the flag was made anew: it would be bound to another attempt")
	}
}

// Senders that go away have a moment for their last words, one after the other. A
// rollback that stands in the same configuration must not wait for them.
func TestARollbackDoesNotWaitForNotifications(t *testing.T) {
	var a *App
	var tries atomic.Int32
	arrived, heeded := make(chan struct{}), make(chan bool, 1)
	hangs := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // from then on the server sees that the client is gone
		if tries.Add(1) == 1 {
			close(arrived)
			<-r.Context().Done() // the reload ends it
			return
		}
		a.mu.Lock()
		defer a.mu.Unlock()
		heeded <- len(a.pairs["blog"].requests.request(shift.NewState(), true).RollbackBy) > 0
	}))
	defer hangs.Close()
	with := func(severity, more string) *config.Config {
		return parsed(t, document("shop blog", more)+"notifications: [{name: pager, format: slack, severity: "+severity+", url: \""+hangs.URL+"\"}]\n")
	}
	a, _ = daemonOf(t, with("info", ""))
	defer a.crier.stop()
	a.crier.tell(notify.News{Pair: "blog", Kind: notify.NeedsPerson, Severity: notify.Critical})
	<-arrived
	a.reload(t.Context(), config.Update{Config: with("critical", "    rollback: true\n")})
	if !<-heeded {
		t.Error("the pair didn't know of the rollback yet when the last words were sent")
	}
}

func TestStoppedDaemonTakesNoConfiguration(t *testing.T) {
	c := parsed(t, document("shop", ""))
	a, _ := daemonOf(t, c)
	life := newLifecycle(zap.NewNop(), a.failed)
	life.start(t.Context(), "pairs", a.stopPairs)
	life.stop()
	a.reload(t.Context(), config.Update{Config: parsed(t, document("shop blog", ""))})
	a.wake("shop")
	if a.pairs != nil {
		t.Errorf("%d pairs run in a daemon that stopped", len(a.pairs))
	}
}

func TestRollbackOfAnUnknownPairIsRefused(t *testing.T) {
	kubeconfigAt(t, filepath.Join(t.TempDir(), "management.yaml"), "http://127.0.0.1:1")
	_, err := New(t.Context(), Options{Config: parsed(t, document("shop blog", "")), Rollback: []string{"shpo"}, Logger: zap.NewNop()})
	if err == nil || !strings.Contains(err.Error(), "no such pair; it has shop, blog") {
		t.Errorf("the error is %v", err)
	}
}
