package app

import (
	"context"
	"fmt"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/clusterswitch/clusterswitch/config"
	"github.com/clusterswitch/clusterswitch/internal/baton"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

const (
	// batonRequestWithin bounds one request: a write that nobody answered is
	// unclear from then on.
	batonRequestWithin = 10 * time.Second
	// The rate of one side's requests, in calls a second: each named workload takes
	// two in a round.
	batonQPS, batonBurst = 50, 200
)

// batonKeeper tends the singletons of one side.
type batonKeeper struct {
	side   shift.Side
	at     *baton.Side
	config config.Pair
}

func newBatonKeeper(reach *rest.Config, side shift.Side, c config.Pair) (*batonKeeper, error) {
	reach = rest.CopyConfig(reach)
	reach.Timeout, reach.QPS, reach.Burst = batonRequestWithin, batonQPS, batonBurst
	client, err := kubernetes.NewForConfig(reach)
	if err != nil {
		return nil, fmt.Errorf("making a client for singletons: %w", err)
	}
	return &batonKeeper{side: side, at: baton.New(baton.Options{Client: client, Pair: c.Name}), config: c}, nil
}

// Tend brings the side's singletons to what is intended of them.
func (k *batonKeeper) Tend(ctx context.Context, i shift.ClusterIntent) baton.Reading {
	return k.at.Settle(ctx, batonOrder(k.config, i, k.side))
}

// batonOrder is what the configuration and an intent want of one side. Where floors
// and singletons are left alone they are read all the same.
func batonOrder(c config.Pair, i shift.ClusterIntent, side shift.Side) baton.Order {
	s := c.Singletons
	return baton.Order{
		Leave: i.Leave, Attempt: i.Attempt, Wishes: baton.WishesOf(i, side),
		Patterns: baton.Patterns{CronJobs: s.CronJobs, Deployments: s.Deployments, StatefulSets: s.StatefulSets},
	}
}
