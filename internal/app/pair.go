package app

import (
	"context"
	"math/rand/v2"
	"reflect"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/clusterswitch/clusterswitch/config"
	"github.com/clusterswitch/clusterswitch/internal/awsapi"
	"github.com/clusterswitch/clusterswitch/internal/logkey"
	"github.com/clusterswitch/clusterswitch/internal/notify"
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
	blue     *shared
	green    *shared
	probes   *probes.Runner
	// blueProbes run beside those of green, for the way back.
	blueProbes *probes.Runner
	switcher   *switcher.Switcher
	// preflight looks whether green is complete.
	preflight *preflighter
	// steward tends the clusters besides traffic.
	steward *steward
	// recorder keeps the record of each attempt.
	recorder *recorder
}

// startPair starts everything of a pair. A cluster that can't be reached does
// not stop it: it is unknown, and the loop says so.
func (a *App) startPair(ctx context.Context, c *config.Config, cfg config.Pair) *pair {
	log := a.log.With(logkey.Pair(cfg.Name))
	p := &pair{
		log: log, life: newLifecycle(log, a.failed), config: cfg,
		requests: newRequests(a.ledger.asked, a.flags[cfg.Name]),
		green:    a.watches.take(ctx, cfg.Green, cfg),
		probes:   probes.New(probes.Options{Logger: log, Random: rand.Float64}),
		blue:     a.watches.take(ctx, cfg.Blue, cfg),

		blueProbes: probes.New(probes.Options{Logger: log.With(logkey.Cluster(string(shift.Blue))), Random: rand.Float64}),
	}
	scribe := &scribe{pair: cfg.Name, version: a.version, aws: a.aws, shelf: a.ledger.books, standing: a.ledger.standing, log: log, wake: make(chan struct{}, 1)}
	p.preflight, p.steward = a.newPreflighter(log), a.newSteward(cfg, log)
	p.recorder = a.newRecorder(cfg.Name, p, log)
	// What the pair's own parts ask AWS from here on is counted for it.
	ctx = awsapi.Counted(ctx, &p.recorder.calls)
	loads, gates := newLoadMeter(a.aws, time.Now), newGateMeter(a.aws, time.Now)
	p.observer = &observer{
		requests: p.requests, aws: a.aws, blue: p.blue, green: p.green, probes: p.probes, blueProbes: p.blueProbes,
		loads: loads, gates: gates, preflight: p.preflight.reading, floors: p.steward.reading, singletons: p.steward.singletons,
		retire: func() shift.RetireReading { return a.retirer.reading(cfg.Name) },
		notes:  func() []string { return slices.Concat(p.preflight.notes(), scribe.notes(), p.steward.notes()) },
	}
	p.switcher = switcher.New(switcher.Options{
		Plan: planOf(c, cfg), Observer: p.observer, Journal: a.ledger.journal, Committer: a.aws, Lease: a.ledger.standing,
		Steward: p.steward, Logger: a.log,
		Reporter: reporters{a.metrics, a.health, a.chronicle, scribe, p.preflight, p.steward, a.retirer, p.recorder, &newsOf{notify.NewWatcher(cfg.Name), a.crier.tell}},
	})
	p.preflight.finished, p.steward.changed = p.switcher.Wake, p.switcher.Wake
	p.configure(c, cfg)
	p.life.start(ctx, "blue", a.watches.hold(p.blue))
	p.life.start(ctx, "green", a.watches.hold(p.green))
	p.life.start(ctx, "probes", func(ctx context.Context) error { p.probes.Run(ctx); return nil })
	p.life.start(ctx, "blue's probes", func(ctx context.Context) error { p.blueProbes.Run(ctx); return nil })
	p.life.start(ctx, "runbook", scribe.run)
	p.life.start(ctx, "record", p.recorder.run)
	p.life.start(ctx, "preflight", p.preflight.run)
	p.life.start(ctx, "steward", p.steward.run)
	p.life.start(ctx, "loads", loads.run)
	p.life.start(ctx, "gates", gates.run)
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
	p.recorder.configure(c.Digest)
	p.observer.configure(queriesOf(cfg))
	p.observer.configureConnections(connectionsOf(cfg))
	p.observer.loads.configure(c, cfg)
	p.observer.gates.configure(c, cfg)
	p.preflight.configure(cfg)
	p.steward.configure(cfg)
	if err := p.probes.Set(specsOf(cfg.Probes, p.green.clusterLink)); err != nil {
		p.log.Error("probes can't be set, the ones before go on", zap.Error(err))
	}
	if err := p.blueProbes.Set(specsOf(onBlue(cfg.Probes), p.blue.clusterLink)); err != nil {
		p.log.Error("blue's probes can't be set, the ones before go on", zap.Error(err))
	}
	p.switcher.SetPlan(planOf(c, cfg))
}

func (p *pair) stop() { p.life.stop() }

// abandoned gives the sides whose clusters the pair no longer tends when next
// takes its place; nil: nothing does.
func (p *pair) abandoned(next *config.Pair) (sides []shift.Side) {
	for _, side := range []shift.Side{shift.Blue, shift.Green} {
		if next == nil || !reflect.DeepEqual(clusterOf(p.config, side), clusterOf(*next, side)) ||
			!reflect.DeepEqual(p.config.Workloads.Namespaces, next.Workloads.Namespaces) {
			sides = append(sides, side)
		}
	}
	return sides
}

// reporters tells several of each turn.
type reporters []switcher.Reporter

// Report tells each in order.
func (r reporters) Report(t switcher.Turn) {
	for _, reporter := range r {
		reporter.Report(t)
	}
}
