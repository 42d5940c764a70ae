package app

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/clusterswitch/clusterswitch/config"
	"github.com/clusterswitch/clusterswitch/internal/measure"
	"github.com/clusterswitch/clusterswitch/internal/preflight/check"
	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/internal/preflight/gather"
	"github.com/clusterswitch/clusterswitch/internal/retire"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// retiree is a blue cluster that may be deleted, with the pairs that name it.
type retiree struct {
	cluster config.Cluster
	// pairs name it as blue, asGreen are names of pairs that name it as green.
	pairs   []config.Pair
	asGreen []string
}

// clusterKey tells clusters apart as the configuration names them. The role is
// none of the cluster.
func clusterKey(c config.Cluster) string {
	switch {
	case c.EKS != nil:
		return "eks " + c.EKS.Region + "/" + c.EKS.Name
	case c.KubeconfigSecret != nil:
		return strings.Join([]string{"secret", c.KubeconfigSecret.Name, c.KubeconfigSecret.Key, c.KubeconfigSecret.Context}, " ")
	case c.Kubeconfig != nil:
		return "file " + c.Kubeconfig.Path + " " + c.Kubeconfig.Context
	}
	return ""
}

// clusterNames are the words by which people may name a cluster.
func clusterNames(c config.Cluster) []string {
	var names []string
	switch {
	case c.EKS != nil:
		names = []string{c.EKS.Name}
	case c.KubeconfigSecret != nil:
		names = []string{c.KubeconfigSecret.Context, c.KubeconfigSecret.Name}
	case c.Kubeconfig != nil:
		names = []string{c.Kubeconfig.Context, c.Kubeconfig.Path}
	}
	return slices.DeleteFunc(names, func(n string) bool { return n == "" })
}

// retireeOf gives a cluster with all pairs that name it.
func retireeOf(c *config.Config, cluster config.Cluster) retiree {
	r := retiree{cluster: cluster}
	key := clusterKey(cluster)
	for _, p := range c.Pairs {
		if clusterKey(p.Blue) == key {
			r.pairs = append(r.pairs, p)
		}
		if clusterKey(p.Green) == key {
			r.asGreen = append(r.asGreen, p.Name)
		}
	}
	return r
}

// retireeNamed finds the cluster that a person means: the blue of a pair, or a
// cluster by one of its names. The error is a sentence for people.
func retireeNamed(c *config.Config, name string) (retiree, error) {
	for _, p := range c.Pairs {
		if p.Name == name {
			return retireeOf(c, p.Blue), nil
		}
	}
	found := map[string]config.Cluster{}
	var known []string
	for _, p := range c.Pairs {
		for _, cluster := range []config.Cluster{p.Blue, p.Green} {
			known = append(known, clusterNames(cluster)...)
			if slices.Contains(clusterNames(cluster), name) {
				found[clusterKey(cluster)] = cluster
			}
		}
	}
	switch len(found) {
	case 0:
		slices.Sort(known)
		return retiree{}, fmt.Errorf("the configuration has neither a pair nor a cluster %s; it has the pairs %s, and the clusters %s", name, pairNames(c), strings.Join(slices.Compact(known), ", "))
	case 1:
		for _, cluster := range found {
			return retireeOf(c, cluster), nil
		}
	}
	return retiree{}, fmt.Errorf("several clusters are named %s; name a pair instead", name)
}

// looksBack reads what the journal holds of a pair. The error is a sentence for
// people.
type looksBack func(ctx context.Context, pair string) (shift.State, error)

// retire judges a cluster. What can't be reached or read is a finding.
func (i *inspector) retire(ctx context.Context, c *config.Config, r retiree, journal looksBack, by string) retire.Report {
	began := time.Now()
	sources := i.clustersOf(ctx, c)
	r = r.alsoNamed(c, sources)
	name, _ := i.ways.to(r.cluster)
	f := &retire.Facts{Cluster: name, At: began.UTC(), AsGreen: r.asGreen, SecretsSearched: len(r.pairs) > 0}
	timeout, settings := 30*time.Second, facts.Settings{}
	for _, p := range r.pairs {
		f.SilentFor, timeout = max(f.SilentFor, p.Retire.SilentFor), max(timeout, p.Preflight.Timeout)
		f.SecretsSearched = f.SecretsSearched && p.Preflight.Secrets == string(facts.SecretsDigests)
		settings.Entrances = append(settings.Entrances, settingsOf(p).Entrances...)
	}
	f.Blue = gather.Cluster(ctx, shift.Blue, sources[clusterKey(r.cluster)], gather.Options{Scope: facts.Retire, Settings: settings, Timeout: timeout})
	i.recall(ctx, r, journal, f)
	var reading gather.Crew
	reading.Go(func() { i.retireQueries(ctx, r, f) })
	reading.Try(func() { i.retireTraffic(ctx, r, f, timeout) })
	greens(ctx, r, sources, f, timeout)
	f.WaysIn = check.WaysIn(&facts.Facts{Scope: facts.Full, At: f.At, Settings: settings, Blue: f.Blue, Traffic: f.Traffic})
	i.silence(ctx, f)
	reading.Wait()
	report := retire.Evaluate(f, by)
	report.Took = time.Since(began)
	return report
}

// clustersOf finds the ways to all clusters of a configuration, each once, by
// their key. One that isn't found says why.
func (i *inspector) clustersOf(ctx context.Context, c *config.Config) map[string]gather.Source {
	found := map[string]gather.Source{}
	for _, p := range c.Pairs {
		for _, cluster := range []config.Cluster{p.Blue, p.Green} {
			key := clusterKey(cluster)
			if _, had := found[key]; had {
				continue
			}
			source := i.ways.source(ctx, cluster)
			source.Cloud = nil // what EKS knows of it is of no matter here
			found[key] = source
		}
	}
	return found
}

// alsoNamed adds the pairs that name the same cluster in other words: by the
// address of its API server.
func (r retiree) alsoNamed(c *config.Config, sources map[string]gather.Source) retiree {
	same := func(o config.Cluster) bool {
		ours, theirs := sources[clusterKey(r.cluster)].Config, sources[clusterKey(o)].Config
		return ours != nil && theirs != nil && ours.Host == theirs.Host
	}
	for _, p := range c.Pairs {
		if same(p.Blue) && !slices.ContainsFunc(r.pairs, func(had config.Pair) bool { return had.Name == p.Name }) {
			r.pairs = append(r.pairs, p)
		}
		if same(p.Green) && !slices.Contains(r.asGreen, p.Name) {
			r.asGreen = append(r.asGreen, p.Name)
		}
	}
	return r
}

// recall reads the journals.
func (i *inspector) recall(ctx context.Context, r retiree, journal looksBack, f *retire.Facts) {
	f.Pairs = make([]retire.Pair, len(r.pairs))
	for k, p := range r.pairs {
		f.Pairs[k].Name = p.Name
		state, err := journal(ctx, p.Name)
		if err != nil {
			f.Pairs[k].Fault = err.Error()
			continue
		}
		f.Pairs[k].State = state
	}
}

// retireTraffic reads all entrances in one go: those that are declared, and those
// of the journal that no longer are.
func (i *inspector) retireTraffic(ctx context.Context, r retiree, f *retire.Facts, timeout time.Duration) {
	o := gather.TrafficOptions{Begun: true, AWS: frontOf{i.aws}, Timeout: timeout, Hosts: retire.Hosts(&f.Blue.Network)}
	var ends []int
	for k, p := range r.pairs {
		for _, e := range p.Traffic {
			o.Entrances = append(o.Entrances, entranceOf(e))
		}
		for _, e := range f.Pairs[k].State.Entrances {
			if !slices.ContainsFunc(p.Traffic, func(d config.Entrance) bool { return d.Name == e.Name }) {
				o.Entrances = append(o.Entrances, e.Entrance)
			}
		}
		ends = append(ends, len(o.Entrances))
	}
	f.Traffic = gather.Traffic(ctx, o)
	begin := 0
	for k, end := range ends {
		f.Pairs[k].Entrances, begin = f.Traffic.Entrances[begin:end], end
	}
}

// greens reads each green cluster once, and looks for blue in it.
func greens(ctx context.Context, r retiree, sources map[string]gather.Source, f *retire.Facts, timeout time.Duration) {
	words := retire.WordsOptions{
		Address: f.Blue.Address, Names: clusterNames(r.cluster), Network: &f.Blue.Network, Entrances: f.Traffic.Entrances,
	}
	if r.cluster.EKS == nil { // a Secret's or a file's own name isn't the cluster's
		words.Names = destinationsOf(r.cluster, "")
	}
	settings := facts.Settings{Secrets: facts.SecretsOff}
	if f.SecretsSearched {
		settings.Secrets = facts.SecretsDigests
	}
	for _, p := range r.pairs {
		words.Extra = append(words.Extra, p.Retire.Names...)
		if p.Preflight.ArgoCD.BlueDestination != "" {
			words.Extra = append(words.Extra, p.Preflight.ArgoCD.BlueDestination)
		}
		for _, ignored := range p.Retire.Ignore {
			parts := strings.SplitN(ignored, "/", 3)
			settings.Ignore = append(settings.Ignore, facts.Ignore{Kind: parts[0], Namespace: parts[1], Name: parts[2]})
		}
	}
	read := map[string]bool{}
	for _, p := range r.pairs {
		key := clusterKey(p.Green)
		if read[key] {
			continue
		}
		read[key] = true
		f.Greens = append(f.Greens, gather.Cluster(ctx, shift.Green, sources[key], gather.Options{
			Scope: facts.Retire, Settings: settings, Timeout: timeout, Words: retire.Words(words),
		}))
	}
}

// retireSettle is how long CloudWatch still adds to what it has of ELB.
const retireSettle = 3 * time.Minute

// silencer tells what CloudWatch has over a long time.
type silencer interface {
	Silence(ctx context.Context, asked []measure.Silence) []measure.SilenceReading
}

// silence asks CloudWatch, place by place.
func (i *inspector) silence(ctx context.Context, f *retire.Facts) {
	to := f.At.Add(-retireSettle)
	from := to.Add(-f.SilentFor)
	asked := retire.Measures(f)
	f.Measured = make([]retire.Measured, len(asked))
	own := map[place][]int{}
	for k, m := range asked {
		own[place{m.RoleARN, m.Region}] = append(own[place{m.RoleARN, m.Region}], k)
	}
	each(own, func(p place, own []int) {
		meter, ok := i.aws.meterOf(p).(silencer)
		if !ok {
			for _, k := range own {
				f.Measured[k] = retire.Measured{Measure: asked[k], From: from, To: to, Err: kindUnknown}
			}
			return
		}
		questions := make([]measure.Silence, len(own))
		for n, k := range own {
			m := asked[k]
			questions[n] = measure.Silence{
				Namespace: m.Namespace, Name: m.Name, Stat: m.Stat, LoadBalancer: m.LoadBalancer, TargetGroup: m.TargetGroup, From: from, To: to,
			}
		}
		for n, r := range meter.Silence(ctx, questions) {
			f.Measured[own[n]] = retire.Measured{Measure: asked[own[n]], From: r.From, To: r.To, Points: r.Points, Total: r.Total, Last: r.Last, Err: r.Err}
		}
	})
}

// retireQueries asks the Prometheus servers.
func (i *inspector) retireQueries(ctx context.Context, r retiree, f *retire.Facts) {
	for _, p := range r.pairs {
		for _, q := range p.Retire.Queries {
			step := stepWithin(p.Retire.SilentFor)
			answer := retire.Query{Pair: p.Name, Name: q.Name, From: f.At.Add(-p.Retire.SilentFor), To: f.At}
			client, err := prometheusOf(q.Server)
			if err == nil {
				most, asked := client.Most(ctx, q.Query, p.Retire.SilentFor, step, f.At)
				answer.Value, answer.Series, answer.Steps, answer.Asked, err = most.Value, most.Series, most.Steps, most.Asked, asked
			}
			if err != nil {
				answer.Err = err.Error()
			}
			f.Queries = append(f.Queries, answer)
		}
	}
}

// stepWithin is how far apart the instants are at which a query is evaluated: few
// enough for Prometheus, which refuses more than 11,000 a series.
func stepWithin(over time.Duration) time.Duration {
	switch {
	case over <= time.Hour:
		return 15 * time.Second
	case over <= 48*time.Hour:
		return time.Minute
	}
	return 10 * time.Minute
}
