// Package gather reads the facts of a preflight: each cluster once, page by
// page, keeping only what the checks need. What can't be read becomes a gap.
package gather

import (
	"context"
	"fmt"
	"sync"
	"time"

	"k8s.io/client-go/rest"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// Source is one cluster to read.
type Source struct {
	// Name is for people.
	Name string
	// Config reaches the cluster; nil: Fault says why nothing does.
	Config *rest.Config
	Fault  string
	// Cloud tells what EKS knows of the cluster; nil: it isn't one of EKS.
	Cloud Cloud
}

// Cloud is what EKS and IAM tell of a cluster. Errors are sentences for people.
type Cloud interface {
	// Insights lists EKS's findings about the cluster's next versions.
	Insights(ctx context.Context) ([]facts.Insight, error)
	// Identities tells how pods get their rights. What could be read is there even
	// with an error; ServiceAccounts and trusts are not looked at.
	Identities(ctx context.Context) (facts.Identities, error)
	// Trust tells whose tokens a role takes.
	Trust(ctx context.Context, roleARN string) (facts.Trust, error)
}

// Options say what to read.
type Options struct {
	Scope    facts.Scope
	Settings facts.Settings
	// Timeout bounds the reading of one cluster; at least a second.
	Timeout time.Duration
}

// Cluster reads one cluster. It returns no error: what could not be read is said
// in the facts.
func Cluster(ctx context.Context, side shift.Side, from Source, o Options) facts.Cluster {
	c := facts.Cluster{Side: side, Name: from.Name, Fault: from.Fault, Objects: map[facts.GroupKind]map[facts.Name]struct{}{}}
	if from.Config == nil {
		return c
	}
	ctx, done := context.WithTimeout(ctx, max(o.Timeout, time.Second))
	defer done()
	r, err := newReader(from.Config, o)
	if err != nil {
		c.Fault = err.Error()
		return c
	}
	r.cloud = from.Cloud
	if c.Fault = r.discover(ctx, &c); c.Fault != "" {
		return c
	}
	topics := topics(o)
	r.readAll(ctx, topics, &c)
	for _, t := range topics {
		if t.also != nil {
			t.also(ctx, r, &c)
		}
	}
	return c
}

// Both reads blue and green side by side.
func Both(ctx context.Context, blue, green Source, o Options) (b, g facts.Cluster) {
	var reading sync.WaitGroup
	reading.Go(func() { b = Cluster(ctx, shift.Blue, blue, o) })
	reading.Go(func() { g = Cluster(ctx, shift.Green, green, o) })
	reading.Wait()
	return b, g
}

func why(err error) string { return fmt.Sprintf("%s", err) }
