package app

import (
	"context"
	"reflect"

	"go.uber.org/zap"

	"github.com/clusterswitch/clusterswitch/config"
	"github.com/clusterswitch/clusterswitch/internal/logkey"
)

// runPairs runs every pair of the configuration until ctx ends.
func (a *App) runPairs(ctx context.Context) error {
	a.mu.Lock()
	first := a.config
	a.mu.Unlock()
	a.apply(ctx, first)
	<-ctx.Done()
	a.mu.Lock()
	pairs := a.pairs
	a.pairs = nil
	a.mu.Unlock()
	for _, p := range pairs {
		p.stop()
	}
	return nil
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
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.pairs == nil {
		return // stopping
	}
	a.config = c
	wanted := map[string]config.Pair{}
	for _, p := range c.Pairs {
		wanted[p.Name] = p
	}
	for name, running := range a.pairs {
		want, stays := wanted[name]
		if stays && running.sameParts(want) {
			running.configure(c, want)
			delete(wanted, name)
			continue
		}
		running.stop()
		delete(a.pairs, name)
		if !stays {
			a.log.Warn("pair left the configuration, its weights stay as they are", logkey.Pair(name))
			a.metrics.Forget(name)
			a.health.Forget(name)
		}
	}
	for name, p := range wanted {
		a.health.Expect(name, turnBound(c))
		a.pairs[name] = a.startPair(ctx, c, p)
	}
}
