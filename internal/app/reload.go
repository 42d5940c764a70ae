package app

import (
	"context"
	"maps"
	"reflect"
	"slices"
	"sync"

	"go.uber.org/zap"

	"github.com/clusterswitch/clusterswitch/config"
	"github.com/clusterswitch/clusterswitch/internal/logkey"
	"github.com/clusterswitch/clusterswitch/internal/reach"
)

// stopPairs waits for ctx to end, then stops all pairs at the same time: each
// may have a write to finish.
func (a *App) stopPairs(ctx context.Context) error {
	<-ctx.Done()
	a.applying.Lock()
	defer a.applying.Unlock()
	a.mu.Lock()
	pairs := a.pairs
	a.pairs = nil
	a.mu.Unlock()
	stopAll(slices.Collect(maps.Values(pairs)))
	return nil
}

func stopAll(pairs []*pair) {
	var stopping sync.WaitGroup
	for _, p := range pairs {
		stopping.Go(p.stop)
	}
	stopping.Wait()
}

// giveBackAll lets stopped pairs give back what they hold in clusters that they
// no longer tend, all at the same time. A daemon that stops gives nothing back.
func giveBackAll(ctx context.Context, gone []*pair, wanted map[string]config.Pair) {
	var giving sync.WaitGroup
	for _, p := range gone {
		var next *config.Pair
		if c, comesBack := wanted[p.config.Name]; comesBack {
			next = &c
		}
		if sides := p.abandoned(next); len(sides) > 0 {
			giving.Go(func() { p.steward.giveBack(ctx, sides...) })
		}
	}
	giving.Wait()
}

// reload takes over a changed configuration, or says why not and goes on with
// the one before.
func (a *App) reload(ctx context.Context, u config.Update) {
	a.metrics.Reloaded(u.Err)
	if u.Err != nil {
		a.log.Error("configuration refused, the one before goes on", zap.Error(u.Err))
		return
	}
	a.mu.Lock()
	before := a.config
	a.mu.Unlock()
	a.log.Info("configuration changed", logkey.File(u.Config.File))
	for key, changed := range map[string]bool{
		"listen": before.Listen != u.Config.Listen, "log": before.Log != u.Config.Log,
		"aws": before.AWS != u.Config.AWS, "journal": !reflect.DeepEqual(before.Journal, u.Config.Journal),
		"leaderElection": before.LeaderElection != u.Config.LeaderElection,
		"runbook":        before.Runbook != u.Config.Runbook, "debug": before.Debug != u.Config.Debug, "web": before.Web != u.Config.Web,
	} {
		if changed {
			a.log.Warn("a changed key takes effect at the next start", logkey.Key(key))
		}
	}
	a.apply(ctx, u.Config)
}

// apply brings the running pairs in line with the configuration. A pair whose
// clusters changed is stopped and started anew; all else is taken over live.
func (a *App) apply(ctx context.Context, c *config.Config) {
	a.applying.Lock()
	defer a.applying.Unlock()
	a.retirer.configure(c)
	wanted := map[string]config.Pair{}
	for _, p := range c.Pairs {
		wanted[p.Name] = p
	}
	// Those that stay are told first: they don't wait for others to stop.
	gone, ok := a.keepPairs(c, wanted)
	if !ok {
		return
	}
	a.crier.configure(ctx, c.Notifications, reach.Policy{Allow: c.AllowLinkLocal})
	stopAll(gone)
	giveBackAll(ctx, gone, wanted)
	for _, p := range gone {
		if _, comesBack := wanted[p.config.Name]; !comesBack {
			a.log.Warn("pair left the configuration, its weights stay as they are", logkey.Pair(p.config.Name))
			a.metrics.Forget(p.config.Name)
			a.health.Forget(p.config.Name)
			a.chronicle.Forget(p.config.Name)
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for name, p := range wanted {
		a.health.Expect(name, turnBound(c))
		a.chronicle.Expect(name)
		a.pairs[name] = a.startPair(ctx, c, p)
	}
}

// keepPairs configures the pairs that can go on and takes them out of wanted;
// it takes the others out of the daemon. false: the daemon stops.
func (a *App) keepPairs(c *config.Config, wanted map[string]config.Pair) (gone []*pair, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.pairs == nil {
		return nil, false
	}
	a.config = c
	for name, running := range a.pairs {
		if want, stays := wanted[name]; stays && running.sameParts(want) {
			a.health.Expect(name, turnBound(c))
			running.configure(c, want)
			delete(wanted, name)
			continue
		}
		delete(a.pairs, name)
		gone = append(gone, running)
	}
	return gone, true
}
