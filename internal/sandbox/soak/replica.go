package soak

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"k8s.io/client-go/tools/clientcmd"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/daemon"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/line"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/played"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/world"
)

// replica is one daemon process, with lines of its own to everything.
type replica struct {
	name   string
	dir    string
	binary string
	died   func(error)
	lines  map[string]*line.Line // by where they lead
	front  *front
	// kubeconfigs lead through the lines.
	kubeconfigs map[string]string

	mu      sync.Mutex // guards all below
	process *daemon.Daemon
	frozen  bool
	woke    time.Time       // when it last went on after standing still
	holding map[string]bool // lines that hold what it sends
	opened  time.Time       // when a line last stopped holding
}

// newReplica lays the lines; the process is start's.
func newReplica(ctx context.Context, name string, st *stage) (*replica, error) {
	r := &replica{
		name: name, dir: filepath.Join(st.dir, name), binary: st.options.Daemon, died: st.died,
		lines: map[string]*line.Line{}, kubeconfigs: map[string]string{}, holding: map[string]bool{},
	}
	if err := os.MkdirAll(r.dir, 0o755); err != nil {
		return r, err
	}
	var err error
	if r.front, err = newFront(ctx, name, st); err != nil {
		return r, err
	}
	if r.lines[toAWS], err = line.New(ctx, r.front.address); err != nil {
		return r, err
	}
	for to, plane := range map[string]*controlplane.ControlPlane{
		toManagement: st.world.Management, toBlue: st.world.Blue.ControlPlane, toGreen: st.world.Green.ControlPlane,
	} {
		if err := r.lay(ctx, to, plane); err != nil {
			return r, err
		}
	}
	return r, nil
}

// lay lays a line to an API server and writes a kubeconfig that leads through it.
func (r *replica) lay(ctx context.Context, to string, plane *controlplane.ControlPlane) error {
	config, err := clientcmd.LoadFromFile(plane.Kubeconfig())
	if err != nil {
		return fmt.Errorf("reading the kubeconfig of %s: %w", to, err)
	}
	for _, cluster := range config.Clusters {
		server, err := url.Parse(cluster.Server)
		if err != nil {
			return fmt.Errorf("reading the address of %s: %w", to, err)
		}
		if r.lines[to], err = line.New(ctx, server.Host); err != nil {
			return err
		}
		// The server's certificate is for the address without its port.
		cluster.Server = "https://" + r.lines[to].Address()
	}
	r.kubeconfigs[to] = filepath.Join(r.dir, to+".kubeconfig")
	return clientcmd.WriteToFile(*config, r.kubeconfigs[to])
}

func (r *replica) logFile() string { return filepath.Join(r.dir, "daemon.log") }

func (r *replica) configFile() string { return filepath.Join(r.dir, "clusterswitch.yaml") }

// configure writes the daemon's configuration; one that runs takes it over.
func (r *replica) configure(st *stage, rollback bool) error {
	return played.WriteConfig(r.configFile(), configTemplate, settings{
		Region: st.region, AWS: "http://" + r.lines[toAWS].Address(), Namespace: st.namespace, Steps: steps(), Term: st.plan.term,
		Management: r.kubeconfigs[toManagement], Blue: r.kubeconfigs[toBlue], Green: r.kubeconfigs[toGreen], Rollback: rollback,
	})
}

// start starts the process; one that runs goes on.
func (r *replica) start() (err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.process != nil {
		return nil
	}
	r.process, err = daemon.Start(daemon.Options{
		Binary: r.binary, Log: r.logFile(), Env: world.Credentials(), Died: r.died,
	}, "run", "--config", r.configFile())
	return err
}

// crash kills the process; false: there was none.
func (r *replica) crash() (bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.process == nil {
		return false, nil
	}
	process := r.process
	r.process, r.frozen = nil, false
	return true, there(process.Kill())
}

// freeze lets the process stand still; false: there was nothing to stop.
func (r *replica) freeze() (bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.process == nil || r.frozen {
		return false, nil
	}
	r.frozen = true
	return true, there(r.process.Freeze())
}

// there passes over that a process had ended by itself: who follows it told so.
func there(err error) error {
	if errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	return err
}

// thaw lets it go on.
func (r *replica) thaw() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.process == nil || !r.frozen {
		return nil
	}
	r.frozen, r.woke = false, time.Now()
	return there(r.process.Thaw())
}

// runs tells whether the process is there and moves.
func (r *replica) runs() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.process != nil && !r.frozen
}

// set changes a line.
func (r *replica) set(to string, s line.State) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.holding[to] {
		r.opened = time.Now()
	}
	r.holding[to] = s == line.Mute || s == line.Silent
	r.lines[to].Set(s)
}

// wakingUp is how long a process that goes on, or a line that is open again, may
// still send what was sent before: the machine is busy then.
const wakingUp = time.Second

// held is what outside asks for.
func (r *replica) held(arrived time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	soon := func(t time.Time) bool { return !t.IsZero() && !arrived.Before(t) && arrived.Sub(t) < wakingUp }
	return r.frozen || soon(r.woke) || soon(r.opened)
}

// isNamed tells whether a holder of the lease was a process of this replica: its log
// tells when one won it.
func (r *replica) isNamed(holder string) bool {
	text, err := os.ReadFile(r.logFile())
	if err != nil {
		return false
	}
	for entry := range strings.Lines(string(text)) {
		if strings.Contains(entry, "lease won") && strings.Contains(entry, holder) {
			return true
		}
	}
	return false
}

// stop asks the process to end, and takes the lines down.
func (r *replica) stop(ctx context.Context) error {
	errs := []error{r.thaw()}
	r.mu.Lock()
	if r.process != nil {
		errs = append(errs, r.process.Stop())
		r.process = nil
	}
	r.mu.Unlock()
	for _, l := range r.lines {
		errs = append(errs, l.Close())
	}
	if r.front != nil {
		errs = append(errs, r.front.close(ctx))
	}
	return errors.Join(errs...)
}

// front is where AWS answers one writer, so that it is known who calls.
type front struct {
	address string
	server  *http.Server
	served  chan error
}

func newFront(ctx context.Context, writer string, st *stage) (*front, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listening for calls of %s to AWS: %w", writer, err)
	}
	f := &front{address: l.Addr().String(), served: make(chan error, 1)}
	f.server = &http.Server{ReadHeaderTimeout: 30 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		st.charge.called(writer, time.Now())
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // the caller hung up in the middle
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		ctx := context.WithValue(r.Context(), writerKey{}, writer)
		if st.plan.late {
			ctx = context.WithoutCancel(ctx)
		}
		moves := movesTraffic(r, body)
		if moves && st.meet(writer, false) {
			panic(http.ErrAbortHandler) // it never arrived
		}
		st.region.Cloud.ServeHTTP(w, r.WithContext(ctx))
		if moves {
			st.meet(writer, true)
		}
	})}
	go func() { f.served <- f.server.Serve(l) }()
	return f, nil
}

// movesTraffic tells the calls that set weights.
func movesTraffic(r *http.Request, body []byte) bool {
	return r.Method == http.MethodPost && (strings.HasSuffix(strings.TrimSuffix(r.URL.Path, "/"), "/rrset") || bytes.Contains(body, []byte("Action=ModifyRule")))
}

func (f *front) close(ctx context.Context) error {
	err := f.server.Close()
	select {
	case served := <-f.served:
		if !errors.Is(served, http.ErrServerClosed) {
			err = errors.Join(err, served)
		}
	case <-ctx.Done():
		err = errors.Join(err, context.Cause(ctx))
	}
	return err
}
