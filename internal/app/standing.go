package app

import (
	"context"
	"math"
	"time"

	"go.uber.org/zap"
	"k8s.io/client-go/rest"

	"github.com/clusterswitch/clusterswitch/config"
	"github.com/clusterswitch/clusterswitch/internal/lease"
	"github.com/clusterswitch/clusterswitch/switcher"
)

// standing tells whether this process may write. All that it writes, to AWS, to
// the management cluster and to blue and green, hangs on it.
type standing interface {
	switcher.Lease
	// While gives a context that ends with ctx, and when the lease is lost; without
	// the lease it has ended.
	While(ctx context.Context) (context.Context, context.CancelFunc)
}

// leads tells whether the process may write now.
func leads(s standing) bool {
	_, left := s.Term()
	return left > 0
}

// alone is the standing of the only daemon: it always may write.
type alone struct{}

// Term never ends.
func (alone) Term() (int64, time.Duration) { return 1, math.MaxInt64 }

// While ends with ctx.
func (alone) While(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithCancel(ctx)
}

// newStanding gives the standing that the configuration wants, and what campaigns
// for it, and who tells who leads; nil: there is nothing to campaign for.
func newStanding(c *config.Config, management *rest.Config, identity string, log *zap.Logger, changed func(leads bool)) (
	standing, func(context.Context) error, func() (string, bool), error,
) {
	e := c.LeaderElection
	if !e.Enabled {
		return alone{}, nil, nil, nil
	}
	l, err := lease.New(lease.Options{
		Config: management, Namespace: c.Journal.Namespace, Name: e.Name, Identity: identity,
		Duration: e.LeaseDuration, RenewDeadline: e.RenewDeadline, RetryPeriod: e.RetryPeriod,
		Logger: log, Changed: changed,
	})
	if err != nil {
		return nil, nil, nil, err
	}
	return l, l.Run, func() (string, bool) { return l.Holder(), leads(l) }, nil
}

// stood tells everybody that the lease was won or lost: the pairs turn at once.
func (a *App) stood(leads bool) {
	a.metrics.Leads(leads)
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, p := range a.pairs {
		p.switcher.Wake()
	}
}
