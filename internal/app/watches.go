package app

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/clusterswitch/clusterswitch/config"
)

// watches keeps each cluster watched once, however many pairs use it.
type watches struct {
	log    *zap.Logger
	failed chan<- error
	wayTo  func(config.Cluster) (string, way)

	mu      sync.Mutex // guards all below
	running map[watchKey]*shared
}

// watchKey is what makes two watches the same one: the cluster, what of it
// counts, and how often it is asked.
type watchKey struct {
	kubeconfig         config.Kubeconfig
	secret             config.KubeconfigSecret
	eks                config.EKS
	namespaces, ignore string
	pingEvery          time.Duration
}

// shared is one watched cluster and the number of its users.
type shared struct {
	*clusterLink
	key   watchKey
	life  *lifecycle
	users int
}

func newWatches(log *zap.Logger, failed chan<- error, wayTo func(config.Cluster) (string, way)) *watches {
	return &watches{log: log, failed: failed, wayTo: wayTo, running: map[watchKey]*shared{}}
}

func keyOf(c config.Cluster, p config.Pair) watchKey {
	k := watchKey{namespaces: joined(p.Workloads.Namespaces), ignore: joined(p.Workloads.Ignore), pingEvery: pingEvery(p)}
	switch {
	case c.EKS != nil:
		k.eks = *c.EKS
	case c.KubeconfigSecret != nil:
		k.secret = *c.KubeconfigSecret
	case c.Kubeconfig != nil:
		k.kubeconfig = *c.Kubeconfig
	}
	return k
}

// joined is equal for lists of the same names in whatever order; no name holds a
// line break.
func joined(names []string) string {
	return strings.Join(slices.Sorted(slices.Values(names)), "\n")
}

// take gives the watch of a pair's cluster, and starts it for its first user.
// Who takes a watch gives it back.
func (w *watches) take(ctx context.Context, c config.Cluster, p config.Pair) *shared {
	w.mu.Lock()
	defer w.mu.Unlock()
	k := keyOf(c, p)
	s, ok := w.running[k]
	if !ok {
		name, find := w.wayTo(c)
		s = &shared{key: k, life: newLifecycle(w.log, w.failed), clusterLink: &clusterLink{
			name: name, way: find, workloads: p.Workloads, pingEvery: k.pingEvery, relink: defaultRelink, log: w.log, err: errNotLinked,
		}}
		s.life.start(ctx, name, s.run)
		w.running[k] = s
	}
	s.users++
	return s
}

// give gives a watch back. With its last user it ends; give waits for that.
func (w *watches) give(s *shared) {
	w.mu.Lock()
	s.users--
	last := s.users == 0
	if last {
		delete(w.running, s.key)
	}
	w.mu.Unlock()
	if last {
		s.life.stop()
	}
}

// hold is a stage of a pair: it keeps a watch until its turn in the order of
// stopping comes.
func (w *watches) hold(s *shared) func(context.Context) error {
	return func(ctx context.Context) error {
		<-ctx.Done()
		w.give(s)
		return nil
	}
}
