package app

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	zapobserver "go.uber.org/zap/zaptest/observer"

	"github.com/clusterswitch/clusterswitch/config"
	"github.com/clusterswitch/clusterswitch/internal/kube"
)

// A cluster without a usable kubeconfig is unknown, and is watched as soon as
// the file is there.
func TestLinkRecoversWhenTheKubeconfigAppears(t *testing.T) {
	asked := make(chan string, 100)
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case asked <- r.URL.Path:
		default: // the test has seen enough
		}
		http.Error(w, "not today", http.StatusServiceUnavailable)
	}))
	defer api.Close()
	path := filepath.Join(t.TempDir(), "green.yaml")
	link := &clusterLink{
		name: "green", way: byFile(kube.Access{Kubeconfig: path}), pingEvery: time.Second, relink: time.Millisecond,
		log: zap.NewNop(), err: errNotLinked,
	}
	if got := link.Snapshot(); got.Err != "not connected yet" {
		t.Errorf("before the first try the cluster is %+v", got)
	}
	if err := link.watch(t.Context()); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("the error doesn't name the file: %v", err)
	}
	ask := func() (*http.Response, error) {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, link.baseURL()+"/api/v1/proxied", nil)
		if err != nil {
			t.Fatal(err)
		}
		return link.RoundTrip(request)
	}
	if response, err := ask(); err == nil || !strings.Contains(err.Error(), "the API server of green: not connected yet") {
		t.Errorf("a request through a link that doesn't stand: %v, %v", response, err)
	}

	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- link.run(ctx) }()
	kubeconfigAt(t, path, api.URL+"/prefix")
	<-asked
	if got := link.Snapshot(); got.Err == "" || strings.Contains(got.Err, "kubeconfig") {
		t.Errorf("a cluster whose API refuses is %+v", got)
	}
	response, err := ask()
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if got := response.Request.URL.String(); got != api.URL+"/prefix/api/v1/proxied" {
		t.Errorf("the request went to %s", got)
	}
	stop()
	if err := <-ended; err != nil {
		t.Errorf("stopped with %v", err)
	}
}

// vault is a Secret that can be rotated.
type vault struct {
	mu   sync.Mutex // guards all below
	text string
	err  error
}

func (v *vault) Read(context.Context, string, string) ([]byte, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return []byte(v.text), v.err
}

func (v *vault) set(text string, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.text, v.err = text, err
}

// server is an API server that takes one token, and tells of each that it was shown.
func server(t *testing.T, takes string) (url string, shown chan string) {
	t.Helper()
	shown = make(chan string, 10_000)
	api := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		select {
		case shown <- token:
		default: // the test has seen enough
		}
		if token != takes {
			http.Error(w, "who are you", http.StatusUnauthorized)
			return
		}
		http.Error(w, "not today", http.StatusServiceUnavailable)
	}))
	t.Cleanup(api.Close)
	return api.URL, shown
}

// runs keeps a link up until the test ends.
func runs(t *testing.T, link *clusterLink) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- link.run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func awaitToken(t *testing.T, shown <-chan string, want string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	for {
		select {
		case got := <-shown:
			if got == want {
				return
			}
		case <-ctx.Done():
			t.Fatalf("the API server was never shown %q", want)
		}
	}
}

// While a cluster can't be reached the way to it is looked up again. A rotated
// Secret is taken over; what can't be read meanwhile changes nothing.
func TestARotatedSecretIsTakenOver(t *testing.T) {
	url, shown := server(t, "second")
	v := &vault{text: kubeconfigOf(url, "first")}
	link := &clusterLink{
		name: "green", way: bySecret(v, config.KubeconfigSecret{Name: "green", Key: "kubeconfig"}, "test"),
		pingEvery: 10 * time.Millisecond, relink: time.Millisecond, log: zap.NewNop(), err: errNotLinked,
	}
	runs(t, link)
	awaitToken(t, shown, "first")
	v.set("", errors.New("away"))
	awaitToken(t, shown, "first")
	v.set(kubeconfigOf(url, "second"), nil)
	awaitToken(t, shown, "second")
}

// A trouble that comes back after all was well is news, though it is the same.
func TestATroubleThatComesBackIsToldAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := zapobserver.New(zap.ErrorLevel)
		var fault atomic.Pointer[string]
		is := func(text string) {
			fault.Store(&text)
			time.Sleep(10 * defaultRelink)
		}
		link := &clusterLink{name: "green", relink: defaultRelink, log: zap.New(core), way: func(context.Context) (kube.Access, string, error) {
			return kube.Access{}, "", errors.New("the Secret is gone")
		}}
		is("it does not answer")
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		go link.follow(ctx, func() string { return *fault.Load() }, "digest")
		is("it does not answer")
		is("")
		is("it does not answer")
		if told := logs.FilterMessage("cluster can't be watched, it will be tried again").Len(); told != 2 {
			t.Errorf("of two outages it told %d times", told)
		}
	})
}

// A cluster that answers is left alone: no Secret is read and EKS isn't asked.
func TestTheWayToAClusterThatAnswersIsNotLookedUp(t *testing.T) {
	find := byFile(kube.Access{Kubeconfig: plane.Start(t).Kubeconfig()})
	var asked atomic.Int32
	link := &clusterLink{
		name: "green", pingEvery: 100 * time.Millisecond, relink: time.Hour, log: zap.NewNop(), err: errNotLinked,
		way: func(ctx context.Context) (kube.Access, string, error) {
			asked.Add(1)
			return find(ctx)
		},
	}
	runs(t, link)
	for deadline := time.After(within); link.Snapshot().Err != ""; {
		select {
		case <-time.After(10 * time.Millisecond):
		case <-deadline:
			t.Fatalf("the cluster is %+v", link.Snapshot())
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	eager := &clusterLink{relink: time.Millisecond, way: link.way}
	if moved := eager.follow(ctx, link.current.Fault, "another digest"); moved || asked.Load() != 1 {
		t.Errorf("the way was looked up %d times, and left: %t", asked.Load(), moved)
	}
}
