// Package app builds the daemon from its parts and owns the order in which
// they start and stop. It is the only package that knows all of them.
package app

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"
	"k8s.io/client-go/rest"

	"github.com/clusterswitch/clusterswitch/config"
	"github.com/clusterswitch/clusterswitch/internal/awsapi"
	"github.com/clusterswitch/clusterswitch/internal/journal"
	"github.com/clusterswitch/clusterswitch/internal/kube"
	"github.com/clusterswitch/clusterswitch/internal/lease"
	"github.com/clusterswitch/clusterswitch/internal/logkey"
	"github.com/clusterswitch/clusterswitch/internal/preflight/keep"
	"github.com/clusterswitch/clusterswitch/internal/runbook"
	"github.com/clusterswitch/clusterswitch/internal/telemetry"
	"github.com/clusterswitch/clusterswitch/internal/web"
)

const (
	// The limits of the client for the management cluster, in calls a second. A
	// thousand pairs that start, or are rolled back, at once each write their journal
	// within its deadline; below that they would take turns in missing it. The API
	// server protects itself.
	managementQPS   = 500
	managementBurst = 3000
)

// Options are what the daemon is started with.
type Options struct {
	Config  *config.Config
	Version string
	// Rollback names the pairs of `run --rollback PAIR`.
	Rollback []string
	Logger   *zap.Logger
}

// App is the daemon.
type App struct {
	log     *zap.Logger
	aws     *aws
	journal *journal.Journal
	// ways and watches lead to the clusters.
	ways    ways
	watches *watches
	// runbooks keeps the way back by hand of each pair.
	runbooks *runbook.Shelf
	// preflights keeps the preflights' reports; preflightSlots bounds how many run
	// at a time.
	preflights     *keep.Shelf
	preflightSlots chan struct{}
	// retirer looks whether blue clusters may be deleted.
	retirer *retirer
	version string
	metrics *telemetry.Metrics
	health  *web.Health
	// crier tells people what happens to pairs.
	crier *crier
	// standing tells whether this process may write; campaign strives for that, nil
	// where it always may.
	standing standing
	campaign func(context.Context) error
	// flags are those of `run --rollback`, by pair.
	flags map[string]*flagged
	// failed receives the first error of a part that ended by itself.
	failed chan error

	// applying lets one configuration at a time be taken over. It is held while
	// pairs stop, which takes as long as a write under way.
	applying sync.Mutex

	mu     sync.Mutex // guards all below, and is never held for long
	config *config.Config
	pairs  map[string]*pair // nil: the daemon stops
}

// New makes the daemon. It reads credentials but asks nobody anything yet.
func New(ctx context.Context, o Options) (*App, error) {
	for _, name := range o.Rollback {
		if !slices.ContainsFunc(o.Config.Pairs, func(p config.Pair) bool { return p.Name == name }) {
			return nil, fmt.Errorf("run --rollback %s: the configuration has no such pair; it has %s", name, pairNames(o.Config))
		}
	}
	userAgent := "clusterswitch/" + o.Version
	management, err := kube.Connect(accessOf(o.Config.Journal.Kubeconfig, userAgent))
	if err != nil {
		return nil, fmt.Errorf("reaching the management cluster: %w", err)
	}
	management.QPS, management.Burst = managementQPS, managementBurst
	identity, err := lease.NewIdentity()
	if err != nil {
		return nil, err
	}
	kept, err := journal.New(journal.Options{Config: management, Namespace: o.Config.Journal.Namespace, Holder: identity, Logger: o.Logger})
	if err != nil {
		return nil, err
	}
	secrets, err := kube.NewSecrets(management, o.Config.Journal.Namespace)
	if err != nil {
		return nil, err
	}
	runbooks, err := runbook.NewShelf(runbook.Options{Config: management, Namespace: o.Config.Journal.Namespace, Dir: o.Config.Runbook.Dir})
	if err != nil {
		return nil, err
	}
	preflights, err := keep.New(keep.Options{Config: management, Namespace: o.Config.Journal.Namespace, FieldManager: fieldManager})
	if err != nil {
		return nil, err
	}
	metrics := telemetry.New(o.Version)
	sessions, err := awsapi.NewSessions(ctx, sessionsOf(o.Config.AWS, metrics))
	if err != nil {
		return nil, err
	}
	flags := map[string]*flagged{}
	for _, name := range o.Rollback {
		flags[name] = &flagged{}
	}
	a := &App{
		log: o.Logger, version: o.Version, journal: kept, runbooks: runbooks,
		preflights: preflights, preflightSlots: make(chan struct{}, preflightsAtOnce),
		ways: ways{
			sessions: sessions, secrets: secrets, userAgent: userAgent,
			management: func() (*rest.Config, error) { return management, nil },
		},
		aws:     newAWS(adaptersOf(sessions, o.Config.Interval)),
		metrics: metrics, health: web.NewHealth(time.Now),
		flags: flags, failed: make(chan error, 1), config: o.Config, pairs: map[string]*pair{},
	}
	a.retirer = newRetirer(a.lookToRetire, a.preflightSlots, o.Logger)
	a.retirer.finished = a.wake
	a.watches = newWatches(o.Logger, a.failed, a.ways.to)
	if a.crier, err = a.newCrier(management, o.Config.Journal.Namespace, userAgent); err != nil {
		return nil, err
	}
	a.standing, a.campaign, err = newStanding(o.Config, management, identity, o.Logger, a.stood)
	return a, err
}

// accessOf is the way to a cluster; without a kubeconfig it is the cluster that
// the daemon runs in.
func accessOf(k *config.Kubeconfig, userAgent string) kube.Access {
	a := kube.Access{UserAgent: userAgent}
	if k != nil {
		a.Kubeconfig, a.Context = k.Path, k.Context
	}
	return a
}

func pairNames(c *config.Config) string {
	names := make([]string, len(c.Pairs))
	for i, p := range c.Pairs {
		names[i] = p.Name
	}
	return strings.Join(names, ", ")
}

// Run serves until ctx ends or a part fails, then stops in order: no new
// decisions, writes under way finished, the lease given back, watches, pages. It
// never rolls back.
func (a *App) Run(ctx context.Context) error {
	life := newLifecycle(a.log, a.failed)
	defer life.stop()
	started := a.config // read before the parts run: from then on mu guards it
	if started.Listen != "" {
		server, err := web.Listen(ctx, web.Options{Listen: started.Listen, Health: a.health, Metrics: a.metrics.Gatherer()})
		if err != nil {
			return err
		}
		a.log.Info("listening", logkey.Address(server.Address()))
		life.start(ctx, "pages", server.Run)
	}
	life.start(ctx, "journal watch", func(ctx context.Context) error { return a.journal.Run(ctx, a.wake) })
	if a.campaign != nil { // ends after the pairs: only then is the lease free to give
		life.start(ctx, "lease", a.campaign)
	}
	life.start(ctx, "notifications", a.crier.run)
	a.apply(ctx, a.config)
	life.start(ctx, "pairs", a.stopPairs)
	life.start(ctx, "retire", a.retirer.run)
	life.start(ctx, "configuration watch", func(ctx context.Context) error {
		return config.Watch(ctx, started, func(u config.Update) { a.reload(ctx, u) })
	})
	defer a.health.Stopping()
	select {
	case <-ctx.Done():
		a.log.Info("stopping", logkey.Cause(context.Cause(ctx)))
		return nil
	case err := <-a.failed:
		return err
	}
}

// wake lets one pair's loop turn at once.
func (a *App) wake(name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if p, ok := a.pairs[name]; ok {
		p.switcher.Wake()
	}
}
