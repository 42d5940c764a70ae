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

// defaultRelink is how long a cluster that can't be reached is left alone before
// the way to it is looked up again.
const defaultRelink = 10 * time.Second

// clusterLink keeps one cluster watched, whoever uses it. While there is no way
// to the cluster it is unknown, and the link tries again: one broken file must
// stop neither the daemon nor a rollback. A way that changed while the cluster
// is unknown is taken over.
type clusterLink struct {
	name      string // for people
	way       way
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
	errMoved     = errors.New("the way to it changed")
)

// pingEvery is how often a cluster is asked whether it is there: a reading must
// be renewed well before it counts as stale.
func pingEvery(p config.Pair) time.Duration { return min(kube.DefaultPingEvery, p.StaleAfter/3) }

func (l *clusterLink) run(ctx context.Context) error {
	for {
		if moved := l.try(ctx); moved {
			continue
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(l.relink):
		}
	}
}

// try watches the cluster until ctx ends or the watch does, and tells whether
// that was because the way to it changed.
func (l *clusterLink) try(ctx context.Context) (moved bool) {
	err := l.watch(ctx)
	if ctx.Err() != nil {
		return false
	}
	if err == nil {
		err = errLinkEnded
	}
	l.set(nil, err)
	if errors.Is(err, errMoved) {
		l.log.Info("the way to the cluster changed, the new one is taken", logkey.Cluster(l.name))
		return true
	}
	l.complain(err)
	return false
}

// complain says why the cluster can't be watched, and says it once for as long
// as nothing changes.
func (l *clusterLink) complain(err error) {
	if l.said == err.Error() {
		return
	}
	l.said = err.Error()
	l.log.Error("cluster can't be watched, it will be tried again", logkey.Cluster(l.name), zap.Error(err))
}

func (l *clusterLink) watch(ctx context.Context) error {
	access, digest, err := l.way(ctx)
	if err != nil {
		return err
	}
	rest, err := kube.Connect(access)
	if err != nil {
		return err
	}
	c, err := kube.New(kube.Options{
		Config: rest, Name: l.name, Namespaces: l.workloads.Namespaces, Ignore: l.workloads.Ignore,
		Logger: l.log, PingEvery: l.pingEvery,
	})
	if err != nil {
		return err
	}
	l.set(c, nil)
	watching, stop := context.WithCancelCause(ctx)
	var following sync.WaitGroup
	following.Go(func() {
		if moved := l.follow(watching, c.Fault, digest); moved {
			stop(errMoved)
		}
	})
	err = c.Run(watching)
	stop(nil) // no news to who ended it before
	following.Wait()
	if errors.Is(context.Cause(watching), errMoved) {
		return errMoved
	}
	return err
}

// follow waits until the cluster is unknown and the way to it is no longer the
// one that is used; false: ctx ended before. A cluster that answers is left as
// it is.
func (l *clusterLink) follow(ctx context.Context, fault func() string, digest string) (moved bool) {
	for {
		select {
		case <-ctx.Done():
			return false
		case <-time.After(l.relink):
		}
		if fault() == "" {
			l.said = "" // the next trouble is a new one
			continue
		}
		_, now, err := l.way(ctx)
		switch {
		case ctx.Err() != nil:
			return false
		case err != nil:
			l.complain(err) // it says more than that nobody answers
		case now != digest:
			return true
		}
	}
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
func (l *clusterLink) baseURL() string { return "https://api.cluster" }

// RoundTrip sends a request to the cluster's API server.
func (l *clusterLink) RoundTrip(request *http.Request) (*http.Response, error) {
	l.mu.Lock()
	current, err := l.current, l.err
	l.mu.Unlock()
	if current == nil {
		return nil, fmt.Errorf("the API server of %s: %w", l.name, err)
	}
	base, transport := current.ServiceProxy()
	target, err := url.Parse(base)
	if err != nil {
		return nil, fmt.Errorf("reading the address of the API server of %s: %w", l.name, err)
	}
	request = request.Clone(request.Context())
	request.URL.Scheme, request.URL.Host = target.Scheme, target.Host
	request.URL.Path = strings.TrimSuffix(target.Path, "/") + request.URL.Path
	request.Host = ""
	return transport.RoundTrip(request)
}
