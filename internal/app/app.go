// Package app builds the daemon from its parts and owns the order in which
// they start and stop. It is the only package that knows all of them.
package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"
	"k8s.io/client-go/rest"

	"github.com/clusterswitch/clusterswitch/config"
	"github.com/clusterswitch/clusterswitch/internal/awsapi"
	"github.com/clusterswitch/clusterswitch/internal/chronicle"
	"github.com/clusterswitch/clusterswitch/internal/kube"
	"github.com/clusterswitch/clusterswitch/internal/logkey"
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
	Config *config.Config
	// ConfigMap holds the same configuration, if it is given; it is watched, and goes
	// before the file.
	ConfigMap ConfigMap
	Version   string
	// Rollback names the pairs of `run --rollback PAIR`.
	Rollback []string
	Logger   *zap.Logger
}

// App is the daemon.
type App struct {
	log *zap.Logger
	aws *aws
	// ledger has the journal, what people ask for, and what is kept beside it.
	ledger ledger
	// ways and watches lead to the clusters.
	ways    ways
	watches *watches
	// preflightSlots bounds how many preflights run at a time.
	preflightSlots chan struct{}
	// retirer looks whether blue clusters may be deleted.
	retirer *retirer
	version string
	// origin is where the configuration comes from.
	origin  *origin
	metrics *telemetry.Metrics
	health  *web.Health
	// chronicle remembers what the page shows; page serves it, nil: nobody sees it.
	chronicle *chronicle.Chronicle
	page      *web.PageOptions
	// crier tells people what happens to pairs.
	crier *crier
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
	from, err := newOrigin(o, func() (*rest.Config, error) { return reachManagement(o.Config, userAgent) })
	if err != nil {
		return nil, err
	}
	o.Config = from.first(ctx)
	metrics := telemetry.New(o.Version)
	sessions, err := awsapi.NewSessions(ctx, sessionsOf(o.Config.AWS, metrics))
	if err != nil {
		return nil, err
	}
	var a *App
	stood := func(leads bool) { a.stood(leads) } // called by Run's parts only
	kept, err := newLedger(o, userAgent, stood)  // from here on it must be given back
	if err != nil {
		return nil, err
	}
	told := chronicle.New(chronicle.Options{
		Version: o.Version, Identity: identity(), Namespace: o.Config.Journal.Namespace, Directory: o.Config.Journal.Directory, Leader: kept.leader, Now: time.Now,
	})
	page, err := pageOf(o.Config, o.ConfigMap.Name, told, kept)
	if err != nil {
		return nil, errors.Join(err, kept.close())
	}
	flags := map[string]*flagged{}
	for _, name := range o.Rollback {
		flags[name] = &flagged{}
	}
	a = &App{
		log: o.Logger, version: o.Version, ledger: kept, preflightSlots: make(chan struct{}, preflightsAtOnce),
		ways: ways{
			sessions: sessions, secrets: kept.secrets, userAgent: userAgent, management: kept.management,
		},
		aws:    newAWS(adaptersOf(sessions, o.Config.Interval)).timed(sessions.ClockOff),
		origin: from, metrics: metrics, health: web.NewHealth(time.Now),
		chronicle: told, page: page,
		flags: flags, failed: make(chan error, 1), config: o.Config, pairs: map[string]*pair{},
	}
	a.retirer = newRetirer(a.lookToRetire, a.preflightSlots, o.Logger)
	a.retirer.finished = a.wake
	a.watches = newWatches(o.Logger, a.failed, a.ways.to)
	if a.crier, err = a.newCrier(o.Config, userAgent); err != nil {
		return nil, errors.Join(err, kept.close())
	}
	if a.ledger.campaign == nil { // nobody to share with
		a.stood(true)
	}
	return a, nil
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
func (a *App) Run(ctx context.Context) (err error) {
	defer func() { err = errors.Join(err, a.ledger.close()) }() // after all that writes into it
	life := newLifecycle(a.log, a.failed)
	defer life.stop()
	started := a.config // read before the parts run: from then on mu guards it
	if err := a.serve(ctx, life, started); err != nil {
		return err
	}
	life.start(ctx, "journal watch", func(ctx context.Context) error { return a.ledger.run(ctx, a.wake) })
	// Its last words may take a while: they must not keep the lease from others.
	life.start(ctx, "notifications", a.crier.run)
	if a.ledger.campaign != nil { // ends after the pairs: only then is the lease free to give
		life.start(ctx, "lease", a.ledger.campaign)
	}
	if a.page != nil && started.Listen != "" {
		life.start(ctx, "page", a.follow)
	}
	a.apply(ctx, a.config)
	life.start(ctx, "pairs", a.stopPairs)
	life.start(ctx, "retire", a.retirer.run)
	a.watchConfiguration(ctx, life)
	defer a.health.Stopping()
	select {
	case <-ctx.Done():
		a.log.Info("stopping", logkey.Cause(context.Cause(ctx)))
		return nil
	case err := <-a.failed:
		return err
	}
}

// serve opens the addresses of the pages and of the profiles, which may be one.
func (a *App) serve(ctx context.Context, life *lifecycle, c *config.Config) error {
	together := c.Debug.Listen == c.Listen
	if c.Listen != "" {
		pages, err := web.Listen(ctx, web.Options{
			Listen: c.Listen, Health: a.health, Metrics: a.metrics.Gatherer(), Page: a.page, Profiles: c.Debug.Pprof && together, Logger: a.log,
		})
		if err != nil {
			return err
		}
		a.log.Info("listening", logkey.Address(pages.Address()))
		life.start(ctx, "pages", pages.Run)
	}
	if c.Debug.Pprof && !together {
		profiles, err := web.Listen(ctx, web.Options{Listen: c.Debug.Listen, Profiles: true, Logger: a.log})
		if err != nil {
			return fmt.Errorf("serving profiles: %w", err)
		}
		a.log.Info("serving profiles", logkey.Address(profiles.Address()))
		life.start(ctx, "profiles", profiles.Run)
	}
	return nil
}

// watchConfiguration takes changes over as they come.
func (a *App) watchConfiguration(ctx context.Context, life *lifecycle) {
	life.start(ctx, "configuration watch", func(ctx context.Context) error {
		return a.origin.watchFile(ctx, func(u config.Update) { a.reload(ctx, u) })
	})
	if a.origin.text != nil {
		life.start(ctx, "ConfigMap watch", func(ctx context.Context) error {
			return a.origin.watchAPI(ctx, func(u config.Update) { a.reload(ctx, u) })
		})
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
