//go:build e2e

package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	r53types "github.com/aws/aws-sdk-go-v2/service/route53/types"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/clusterswitch/clusterswitch/internal/api/v1alpha1"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane/cptest"
)

// replica is a daemon in a process of its own, with ways of its own to AWS and to
// the management cluster: the test sees what it asks, and can cut it off.
type replica struct {
	*story
	name, binary, file, log string
	aws                     *window
	api                     *wire
	cmd                     *exec.Cmd
	from                    int // where in the log the present begins
}

// window is one daemon's way to AWS.
type window struct {
	url string

	mu     sync.Mutex // guards all below
	calls  int
	writes []string // that AWS carried out: a swap of what is history by now is refused
	// after, unless nil, becomes hold with the next write. hold, unless nil, keeps the
	// next answer to a read of rules until it is closed; held is closed when it does.
	after, hold, held chan struct{}
}

func (w *window) seen() (calls int, writes []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.calls, append([]string{}, w.writes...)
}

// pass hands a request on to the cloud.
func (w *window) pass(cloud http.Handler, out http.ResponseWriter, in *http.Request) {
	body, err := io.ReadAll(in.Body)
	if err != nil {
		return // the daemon is gone
	}
	in.Body = io.NopCloser(bytes.NewReader(body))
	what := operationOf(in, string(body))
	answer := httptest.NewRecorder()
	cloud.ServeHTTP(answer, in)
	w.mu.Lock()
	w.calls++
	if (what == "ChangeResourceRecordSets" || what == "ModifyRule") && answer.Code == http.StatusOK {
		w.writes = append(w.writes, what)
		w.hold, w.after = w.after, nil
	}
	hold := w.hold
	if hold != nil && what == "DescribeRules" {
		close(w.held)
		w.hold = nil
	} else {
		hold = nil
	}
	w.mu.Unlock()
	if hold != nil {
		<-hold
	}
	maps.Copy(out.Header(), answer.Header())
	out.WriteHeader(answer.Code)
	_, _ = out.Write(answer.Body.Bytes()) // the daemon may be gone
}

func operationOf(in *http.Request, body string) string {
	if strings.HasSuffix(in.URL.Path, "/rrset/") || strings.HasSuffix(in.URL.Path, "/rrset") && in.Method == http.MethodPost {
		return "ChangeResourceRecordSets"
	}
	for pair := range strings.SplitSeq(body, "&") {
		if action, is := strings.CutPrefix(pair, "Action="); is {
			return action
		}
	}
	return in.Method + " " + in.URL.Path
}

// wire is one daemon's way to the management cluster's API server.
type wire struct {
	listener net.Listener
	to       string

	mu    sync.Mutex // guards all below
	away  bool
	used  int
	conns map[net.Conn]struct{}
}

func newWire(t *testing.T, to string) *wire {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{listener: listener, to: to, conns: map[net.Conn]struct{}{}}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			in, err := listener.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { w.join(in) })
		}
	})
	t.Cleanup(func() { _ = listener.Close(); w.cut(true); serving.Wait() })
	return w
}

func (w *wire) join(in net.Conn) {
	defer in.Close()
	out, err := net.Dial("tcp", w.to)
	if err != nil {
		return
	}
	defer out.Close()
	w.mu.Lock()
	away := w.away
	w.used++
	w.conns[in], w.conns[out] = struct{}{}, struct{}{}
	w.mu.Unlock()
	if away {
		return
	}
	var copying sync.WaitGroup
	for from, to := range map[net.Conn]net.Conn{in: out, out: in} {
		copying.Go(func() {
			_, _ = io.Copy(to, from)
			_ = to.Close()
		})
	}
	copying.Wait()
}

// cut takes the API server away, or gives it back.
func (w *wire) cut(away bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.away = away; away {
		for c := range w.conns {
			_ = c.Close()
		}
		clear(w.conns)
	}
}

// newReplica prepares a daemon; start starts it.
func (s *story) newReplica(name, binary string) *replica {
	s.Helper()
	dir := s.TempDir()
	cp := plane.Start(s.T)
	r := &replica{
		story: s, name: name, binary: binary, file: filepath.Join(dir, "clusterswitch.yaml"), log: filepath.Join(dir, "log"),
		aws: &window{},
	}
	server := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, in *http.Request) { r.aws.pass(s.cloud, out, in) }))
	s.Cleanup(server.Close)
	r.aws.url = server.URL
	kubeconfig, err := clientcmd.LoadFromFile(cp.Kubeconfig())
	s.ok(err)
	for _, cluster := range kubeconfig.Clusters { // there is one
		server, err := url.Parse(cluster.Server)
		s.ok(err)
		r.api = newWire(s.T, server.Host)
		server.Host = r.api.listener.Addr().String()
		cluster.Server = server.String()
	}
	s.ok(clientcmd.WriteToFile(*kubeconfig, filepath.Join(dir, "management")))
	r.configure("blue", "")
	return r
}

// configure writes the replica's file; more are keys of the pair.
func (r *replica) configure(serve, more string) {
	r.Helper()
	direct, err := os.ReadFile(r.story.file)
	r.ok(err)
	management := filepath.Join(filepath.Dir(r.file), "management")
	lines := strings.Split(string(direct), "\n")
	for i, line := range lines {
		switch {
		case strings.HasPrefix(line, "aws:"):
			lines[i] = fmt.Sprintf("aws: {region: ap-northeast-1, endpointURL: %q}", r.aws.url)
		case strings.HasPrefix(line, "journal:"):
			lines[i] = fmt.Sprintf("journal: {kubeconfig: {path: %q}, namespace: %s}", management, r.namespace)
		}
	}
	text := strings.NewReplacer("serve: blue", "serve: "+serve, "[{share: 100}]", "[{share: 50, hold: 1h}, {share: 100}]").Replace(strings.Join(lines, "\n"))
	text += fmt.Sprintf("    preflight: {mode: \"off\"}\n    workloads: {namespaces: [%s]}\n%s", r.namespace, more)
	r.ok(os.WriteFile(r.file+".next", []byte(text), 0o600))
	r.ok(os.Rename(r.file+".next", r.file))
}

func (r *replica) start() {
	r.Helper()
	log, err := os.OpenFile(r.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	r.ok(err)
	r.now()
	r.cmd = exec.Command(r.binary, "--config", r.file, "run")
	r.cmd.Stdout, r.cmd.Stderr = log, log
	r.ok(r.cmd.Start())
	r.ok(log.Close())
	started := r.cmd
	r.Cleanup(func() {
		_ = started.Process.Kill() // it may be gone
		_ = started.Wait()
		if r.Failed() {
			said, _ := os.ReadFile(r.log)
			r.Logf("%s said:\n%s", r.name, said)
		}
	})
}

func (r *replica) signal(s syscall.Signal) {
	r.Helper()
	r.ok(r.cmd.Process.Signal(s))
}

// now lets the present begin: what was said before is history.
func (r *replica) now() {
	r.Helper()
	text, err := os.ReadFile(r.log)
	r.ok(err)
	r.from = len(text)
}

// said tells whether a line of the log, from some place on, holds all of the words.
func (r *replica) said(from int, words ...string) bool {
	r.Helper()
	text, err := os.ReadFile(r.log)
	r.ok(err)
	for line := range strings.Lines(string(text[from:])) {
		all := true
		for _, word := range words {
			all = all && strings.Contains(line, word)
		}
		if all {
			return true
		}
	}
	return false
}

// last gives which of the words was said last.
func (r *replica) last(words ...string) (last string) {
	text, err := os.ReadFile(r.log)
	r.ok(err)
	at := -1
	for _, word := range words {
		if i := strings.LastIndex(string(text), word); i > at {
			at, last = i, word
		}
	}
	return last
}

// leads tells whether a status is this replica's.
func (r *replica) leads(status v1alpha1.TrafficSwitchStatus) bool {
	return status.Holder != "" && r.said(0, "lease won", status.Holder)
}

// standsBy waits until the replica turns without the lease.
func (r *replica) standsBy() {
	r.Helper()
	r.until(within, r.name+" stands by", func() bool { return r.said(r.from, "decided", "NotLeader") })
}

// until waits until something is seen that nobody tells of.
func (s *story) until(bound time.Duration, what string, seen func() bool) {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.Context(), bound)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !seen() {
		select {
		case <-ctx.Done():
			s.Fatalf("%s was not seen within %s", what, bound)
		case <-tick.C:
		}
	}
}

// twoReplicas prepares a pair that stands on blue, and two daemons for it.
func twoReplicas(t *testing.T) (*story, *replica, *replica) {
	s := newStory(t)
	s.writeName(r53types.ChangeActionUpsert, 0)
	_, err := s.rules.ModifyRule(t.Context(), &elasticloadbalancingv2.ModifyRuleInput{RuleArn: &s.rule, Actions: s.forward(0)})
	s.ok(err)
	s.readyNode()
	s.readyWorkload()
	binary := filepath.Join(t.TempDir(), "clusterswitch")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "../../cmd/clusterswitch")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return s, s.newReplica("the first", binary), s.newReplica("the second", binary)
}

func (s *story) deleteLease() {
	s.Helper()
	leases := cptest.Client(s.T, plane.Start(s.T)).CoordinationV1().Leases(s.namespace)
	if err := leases.Delete(s.Context(), "clusterswitch", metav1.DeleteOptions{}); err != nil {
		s.Fatal(errors.Join(errors.New("deleting the lease"), err))
	}
}
