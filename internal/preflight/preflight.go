// Package preflight answers whether green has all that blue has and will work
// on green's version of Kubernetes: gather, evaluate, report.
package preflight

import (
	"context"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/preflight/check"
	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/internal/preflight/finding"
	"github.com/clusterswitch/clusterswitch/internal/preflight/gather"
)

// Options say what one preflight looks at.
type Options struct {
	Pair        string
	Attempt     int
	Scope       facts.Scope
	Settings    facts.Settings
	Waivers     []finding.Waiver
	Blue, Green gather.Source
	// Traffic reads what AWS tells of the entrances, with gather.Traffic; nil: it is
	// not read, which is a finding.
	Traffic func(context.Context) facts.Traffic
	// Management has Applications of Argo CD too, in ArgoNamespaces (empty: all).
	// With neither config nor fault it is not looked at.
	Management     gather.Source
	ArgoNamespaces []string
	// Prometheus are the servers that are asked for the metrics in use, where the
	// settings want that.
	Prometheus gather.Servers
	// Timeout bounds the reading of each cluster.
	Timeout time.Duration
}

// metricsWithin bounds the asking of both Prometheus servers, after the clusters
// were read.
const metricsWithin = time.Minute

// Run gathers and evaluates. It returns no error: what could not be read is a
// finding.
func Run(ctx context.Context, o Options) finding.Report {
	began := time.Now()
	f := facts.Facts{Pair: o.Pair, Scope: o.Scope, At: began.UTC(), Settings: o.Settings}
	var reading gather.Crew
	f.Traffic.Fault = "nothing was given to read it with"
	if o.Traffic != nil {
		reading.Go(func() { f.Traffic = o.Traffic(ctx) })
	}
	if o.Scope == facts.Full {
		reading.Go(func() {
			f.Management = gather.Management(ctx, o.Management, gather.ManagementOptions{Namespaces: o.ArgoNamespaces, Timeout: o.Timeout})
		})
	}
	reading.Try(func() {
		f.Blue, f.Green = gather.Both(ctx, o.Blue, o.Green, gather.Options{Scope: o.Scope, Settings: o.Settings, Timeout: o.Timeout})
	})
	reading.Wait()
	gather.Metrics(ctx, &f, o.Prometheus, metricsWithin)
	findings, ran := check.Evaluate(&f)
	report := finding.Report{
		Schema: finding.Schema, Pair: o.Pair, Attempt: o.Attempt, Scope: o.Scope, At: f.At, Took: time.Since(began),
		Blue: head(f.Blue), Green: head(f.Green), Checks: ran, Findings: findings,
	}
	return report.Judged(o.Waivers, time.Now())
}

func head(c facts.Cluster) finding.Cluster {
	h := finding.Cluster{Name: c.Name, Version: c.Versions.Server, Kinds: len(c.Objects)}
	for _, list := range c.Objects {
		h.Objects += len(list)
	}
	return h
}
