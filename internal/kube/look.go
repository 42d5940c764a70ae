package kube

import (
	"context"
	"errors"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clusterswitch/clusterswitch/internal/logkey"
)

// verdict is what one look found: the cluster was current at that time, or
// there is a fault, or neither: a watch is just being opened, judge later.
type verdict struct {
	current time.Time
	fault   string
}

// look asks the API server and then judges the watches.
func (c *Cluster) look(ctx context.Context) {
	// What the snapshot holds is at least as new as the moment before the question.
	began := time.Now()
	err := c.ping(ctx)
	switch {
	case ctx.Err() != nil:
		return
	case err != nil:
		c.note(verdict{fault: err.Error()})
	default:
		c.note(c.judgeWatches(began))
	}
	if c.onLook != nil {
		c.onLook()
	}
}

// ping reads one node. That needs the API server, its store and our rights to
// be in order, which /readyz wouldn't tell.
func (c *Cluster) ping(ctx context.Context) error {
	late := fmt.Errorf("its API server did not answer within %s", c.pingEvery)
	ctx, cancel := context.WithTimeoutCause(ctx, c.pingEvery, late)
	defer cancel()
	_, err := c.client.CoreV1().Nodes().List(ctx, metav1.ListOptions{Limit: 1})
	if cause := context.Cause(ctx); err != nil && errors.Is(cause, late) {
		return late
	}
	if err != nil {
		return fmt.Errorf("asking its API server: %w", err)
	}
	return nil
}

func (c *Cluster) judgeWatches(began time.Time) verdict {
	pending := false
	for _, s := range c.sources {
		switch current, fault := s.currentAt(began, c.pingEvery); {
		case fault != "":
			return verdict{fault: fault}
		case !current:
			pending = true
		}
	}
	if pending {
		return verdict{}
	}
	return verdict{current: began}
}

// note keeps a verdict, and logs it when it turns from known to unknown or back.
func (c *Cluster) note(v verdict) {
	if v == (verdict{}) {
		return // nothing was learned; what is known grows older
	}
	c.keep(v)
	known := v.fault == ""
	if c.logged && known == c.loggedKnown {
		return
	}
	c.logged, c.loggedKnown = true, known
	if known {
		c.log.Info("cluster is known")
		return
	}
	c.log.Warn("cluster is unknown", logkey.Explanation(v.fault))
}

func (c *Cluster) keep(v verdict) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fault = v.fault
	if v.fault == "" {
		c.current = v.current
	}
}
