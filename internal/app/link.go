package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/clusterswitch/clusterswitch/config"
	"github.com/clusterswitch/clusterswitch/internal/kube"
	"github.com/clusterswitch/clusterswitch/internal/logkey"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// defaultRelink is how long a cluster whose kubeconfig can't be used is left
// alone before the next try.
const defaultRelink = 10 * time.Second

// clusterLink keeps one cluster watched. While there is no usable kubeconfig
// the cluster is unknown, and the link tries again: one broken file must stop
// neither the daemon nor a rollback.
type clusterLink struct {
	side      shift.Side
	access    kube.Access
	workloads config.Workloads
	pingEvery time.Duration
	relink    time.Duration
	log       *zap.Logger
	said      string // the trouble that was logged last; for run alone

	mu      sync.Mutex // guards all below
	current *kube.Cluster
	err     error
}

var (
	errNotLinked = errors.New("not connected yet")
	errLinkEnded = errors.New("the watch ended by itself")
)

// pingEvery is how often a cluster is asked whether it is there: a reading must
// be renewed well before it counts as stale.
func pingEvery(p config.Pair) time.Duration { return min(kube.DefaultPingEvery, p.StaleAfter/3) }

func (a *App) newClusterLink(side shift.Side, c config.Cluster, p config.Pair, log *zap.Logger) *clusterLink {
	return &clusterLink{
		side: side, access: accessOf(c.Kubeconfig, a.userAgent), workloads: p.Workloads, log: log, err: errNotLinked,
		relink:    defaultRelink,
		pingEvery: pingEvery(p),
	}
}

func (l *clusterLink) run(ctx context.Context) error {
	for {
		l.try(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(l.relink):
		}
	}
}

// try watches the cluster until ctx ends or the watch does.
func (l *clusterLink) try(ctx context.Context) {
	err := l.watch(ctx)
	if ctx.Err() != nil {
		return
	}
	if err == nil {
		err = errLinkEnded
	}
	l.set(nil, err)
	l.complain(err)
}

// complain says why the cluster can't be watched, and says it once for as long
// as nothing changes.
func (l *clusterLink) complain(err error) {
	if l.said == err.Error() {
		return
	}
	l.said = err.Error()
	l.log.Error("cluster can't be watched, it will be tried again", logkey.Cluster(string(l.side)), zap.Error(err))
}

func (l *clusterLink) watch(ctx context.Context) error {
	rest, err := kube.Connect(l.access)
	if err != nil {
		return err
	}
	c, err := kube.New(kube.Options{
		Config: rest, Side: l.side, Namespaces: l.workloads.Namespaces, Ignore: l.workloads.Ignore,
		Logger: l.log, PingEvery: l.pingEvery,
	})
	if err != nil {
		return err
	}
	l.set(c, nil)
	return c.Run(ctx)
}

func (l *clusterLink) set(c *kube.Cluster, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.current, l.err = c, err
}

// Snapshot gives what is known of the cluster.
func (l *clusterLink) Snapshot() shift.ClusterReading {
	l.mu.Lock()
	current, err := l.current, l.err
	l.mu.Unlock()
	if current == nil {
		return shift.ClusterReading{Err: err.Error()}
	}
	return current.Snapshot()
}

// baseURL stands for the cluster's API server, whose address is known only
// once the link stands; RoundTrip puts the real one in.
func (l *clusterLink) baseURL() string { return "https://" + string(l.side) + ".cluster" }

// RoundTrip sends a request to the cluster's API server.
func (l *clusterLink) RoundTrip(request *http.Request) (*http.Response, error) {
	l.mu.Lock()
	current, err := l.current, l.err
	l.mu.Unlock()
	if current == nil {
		return nil, fmt.Errorf("%s's API server: %w", l.side, err)
	}
	base, transport := current.ServiceProxy()
	target, err := url.Parse(base)
	if err != nil {
		return nil, fmt.Errorf("reading the address of %s's API server: %w", l.side, err)
	}
	request = request.Clone(request.Context())
	request.URL.Scheme, request.URL.Host = target.Scheme, target.Host
	request.URL.Path = strings.TrimSuffix(target.Path, "/") + request.URL.Path
	request.Host = ""
	return transport.RoundTrip(request)
}
