package app

import (
	"context"
	"math/rand/v2"
	"reflect"

	"go.uber.org/zap"

	"github.com/clusterswitch/clusterswitch/config"
	"github.com/clusterswitch/clusterswitch/internal/logkey"
	"github.com/clusterswitch/clusterswitch/probes"
	"github.com/clusterswitch/clusterswitch/switcher"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// pair is one running pair: two watched clusters, which it may share with other
// pairs, probes of its own, and the loop.
type pair struct {
	log      *zap.Logger
	life     *lifecycle
	config   config.Pair
	requests *requests
	observer *observer
	green    *shared
	probes   *probes.Runner
	switcher *switcher.Switcher
	// preflight looks whether green is complete.
	preflight *preflighter
}

// startPair starts everything of a pair. A cluster that can't be reached does
// not stop it: it is unknown, and the loop says so.
func (a *App) startPair(ctx context.Context, c *config.Config, cfg config.Pair) *pair {
	log := a.log.With(logkey.Pair(cfg.Name))
	p := &pair{
		log: log, life: newLifecycle(log, a.failed), config: cfg,
		requests: newRequests(a.journal, a.flags[cfg.Name]),
		green:    a.watches.take(ctx, cfg.Green, cfg),
		probes:   probes.New(probes.Options{Logger: log, Random: rand.Float64}),
	}
	blue := a.watches.take(ctx, cfg.Blue, cfg)
	scribe := &scribe{pair: cfg.Name, version: a.version, aws: a.aws, shelf: a.runbooks, log: log, wake: make(chan struct{}, 1)}
	p.preflight = a.newPreflighter(log)
	p.observer = &observer{
		requests: p.requests, aws: a.aws, blue: blue, green: p.green, probes: p.probes, preflight: p.preflight.reading,
		retire: func() shift.RetireReading { return a.retirer.reading(cfg.Name) },
		notes:  func() []string { return append(p.preflight.notes(), scribe.notes()...) },
	}
	p.switcher = switcher.New(switcher.Options{
		Plan: planOf(c, cfg), Observer: p.observer, Journal: fencedJournal{a.journal}, Committer: a.aws,
		Reporter: reporters{a.metrics, a.health, scribe, p.preflight, a.retirer}, Logger: a.log,
	})
	p.preflight.finished = p.switcher.Wake
	p.configure(c, cfg)
	p.life.start(ctx, "blue", a.watches.hold(blue))
	p.life.start(ctx, "green", a.watches.hold(p.green))
	p.life.start(ctx, "probes", func(ctx context.Context) error { p.probes.Run(ctx); return nil })
	p.life.start(ctx, "runbook", scribe.run)
	p.life.start(ctx, "preflight", p.preflight.run)
	p.life.start(ctx, "loop", func(ctx context.Context) error { p.switcher.Run(ctx); return nil })
	return p
}

// sameParts tells whether the running clusters serve the configuration too.
func (p *pair) sameParts(c config.Pair) bool {
	return reflect.DeepEqual(p.config.Blue, c.Blue) && reflect.DeepEqual(p.config.Green, c.Green) &&
		reflect.DeepEqual(p.config.Workloads, c.Workloads) && pingEvery(p.config) == pingEvery(c)
}

// configure takes over everything that may change while the pair runs.
func (p *pair) configure(c *config.Config, cfg config.Pair) {
	p.config = cfg
	p.requests.configure(c, cfg)
	p.observer.configure(queriesOf(cfg))
	p.preflight.configure(cfg)
	if err := p.probes.Set(specsOf(cfg.Probes, p.green.clusterLink)); err != nil {
		p.log.Error("probes can't be set, the ones before go on", zap.Error(err))
	}
	p.switcher.SetPlan(planOf(c, cfg))
}

func (p *pair) stop() { p.life.stop() }

// reporters tells several of each turn.
type reporters []switcher.Reporter

// Report tells each in order.
func (r reporters) Report(t switcher.Turn) {
	for _, reporter := range r {
		reporter.Report(t)
	}
}
