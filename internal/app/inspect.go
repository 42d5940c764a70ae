package app

import (
	"context"
	"maps"
	"net"
	"net/url"
	"slices"
	"time"

	"k8s.io/client-go/rest"

	"github.com/clusterswitch/clusterswitch/config"
	"github.com/clusterswitch/clusterswitch/internal/kube"
	"github.com/clusterswitch/clusterswitch/internal/preflight"
	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/internal/preflight/finding"
	"github.com/clusterswitch/clusterswitch/internal/preflight/gather"
)

// wish says which preflight is wanted.
type wish struct {
	scope facts.Scope
	// attempt is the one that it is made for; 0: a person asks.
	attempt int
	// begun: green may have a share. standby: it has all traffic.
	begun, standby bool
}

// inspector runs preflights: it finds the clusters of a pair and joins what the
// adapters know with the gathering.
type inspector struct {
	ways ways
	aws  *aws
	// lookUp gives the IP addresses of a host.
	lookUp func(ctx context.Context, host string) ([]string, error)
}

func newInspector(w ways, a *aws) *inspector {
	return &inspector{ways: w, aws: a, lookUp: net.DefaultResolver.LookupHost}
}

// look runs one preflight. What can't be reached or read is a finding.
func (i *inspector) look(ctx context.Context, p config.Pair, w wish) finding.Report {
	o := preflight.Options{
		Pair: p.Name, Attempt: w.attempt, Scope: w.scope, Timeout: p.Preflight.Timeout,
		Waivers: waiversOf(p.Preflight), Settings: settingsOf(p), Prometheus: metricServers(p.Preflight.Metrics),
	}
	o.Settings.Standby = w.standby
	o.Traffic = func(ctx context.Context) facts.Traffic { return i.traffic(ctx, p, w) }
	var finding gather.Crew
	finding.Go(func() { o.Blue = i.ways.source(ctx, p.Blue) })
	finding.Go(func() { o.Green = i.ways.source(ctx, p.Green) })
	finding.Go(func() { i.resolve(ctx, o.Settings.Probes) })
	if argo := p.Preflight.ArgoCD; argo.Management && w.scope == facts.Full {
		o.Management, o.ArgoNamespaces = i.ways.managementSource(), argo.Namespaces
	}
	finding.Wait()
	return preflight.Run(ctx, o)
}

// source finds a cluster to read. The way is found anew for each look: tokens
// and Secrets change.
func (w ways) source(ctx context.Context, c config.Cluster) gather.Source {
	name, find := w.to(c)
	access, _, err := find(ctx)
	if err != nil {
		return gather.Source{Name: name, Fault: err.Error()}
	}
	reach, err := kube.Connect(access)
	if err != nil {
		return gather.Source{Name: name, Fault: err.Error()}
	}
	reach.WarningHandler = rest.NoWarnings{} // it reads deprecated kinds on purpose
	return gather.Source{Name: name, Config: reach, Cloud: w.cloud(c)}
}

// cloud asks EKS about a cluster that is declared by its name there; nil: it
// isn't.
func (w ways) cloud(c config.Cluster) gather.Cloud {
	if c.EKS == nil {
		return nil
	}
	return w.eks(*c.EKS)
}

// managementSource finds the management cluster, where Argo CD may be.
func (w ways) managementSource() gather.Source {
	const name = "management cluster"
	reach, err := w.management()
	if err != nil {
		return gather.Source{Name: name, Fault: err.Error()}
	}
	reach = rest.CopyConfig(reach)
	reach.WarningHandler = rest.NoWarnings{}
	return gather.Source{Name: name, Config: reach}
}

// lookUpWithin bounds the questions to DNS.
const lookUpWithin = 5 * time.Second

// resolve fills in where the probes lead to. An address that nobody knows stays
// without: the probe itself says so.
func (i *inspector) resolve(ctx context.Context, probes []facts.Probe) {
	ctx, cancel := context.WithTimeout(ctx, lookUpWithin)
	defer cancel()
	for k := range probes {
		host, _, err := net.SplitHostPort(probes[k].Address)
		if err != nil {
			continue // a kind without an address
		}
		if addresses, err := i.lookUp(ctx, host); err == nil {
			probes[k].Addresses = slices.Sorted(slices.Values(addresses))
		}
	}
}

// settingsOf turns one pair's configuration into the checks' settings. Together
// with waiversOf it is the only bridge between the two vocabularies.
func settingsOf(p config.Pair) facts.Settings {
	s := facts.Settings{
		ReplicasAtLeast: p.Replicas.AtLeast, Pinned: p.Standby.Capacity.PinAutoscalers, Secrets: facts.SecretsMode(p.Preflight.Secrets),
		Namespaces: p.Workloads.Namespaces, IgnoreWorkloads: p.Workloads.Ignore,
		Argo: facts.ArgoSettings{
			Blue:  destinationsOf(p.Blue, p.Preflight.ArgoCD.BlueDestination),
			Green: destinationsOf(p.Green, p.Preflight.ArgoCD.GreenDestination),
		},
	}
	s.Metrics, s.Queries = metricSettings(p.Preflight.Metrics), namedQueries(p)
	for _, i := range p.Preflight.Ignore {
		s.Ignore = append(s.Ignore, facts.Ignore(i))
	}
	for _, e := range p.Preflight.Entrances {
		s.Entrances = append(s.Entrances, facts.Object{
			GroupKind: facts.GroupKind{Group: entranceGroup(e.Kind), Kind: e.Kind}, Name: facts.Name{Namespace: e.Namespace, Name: e.Name},
		})
	}
	for _, probe := range p.Probes {
		s.Probes = append(s.Probes, probeOf(probe))
	}
	return s
}

// entranceGroup gives the API group of a kind that people may name as an entrance.
func entranceGroup(kind string) string {
	return map[string]string{
		"Ingress": "networking.k8s.io", "Gateway": "gateway.networking.k8s.io", "TargetGroupBinding": "elbv2.k8s.aws",
	}[kind]
}

// destinationsOf gives the names by which Argo CD may know a cluster: the one
// that is configured, and what the way to the cluster calls it.
func destinationsOf(c config.Cluster, configured string) []string {
	names := []string{configured}
	switch {
	case c.EKS != nil:
		names = append(names, c.EKS.Name)
	case c.KubeconfigSecret != nil:
		names = append(names, c.KubeconfigSecret.Context)
	case c.Kubeconfig != nil:
		names = append(names, c.Kubeconfig.Context)
	}
	return slices.DeleteFunc(names, func(name string) bool { return name == "" })
}

func probeOf(p config.Probe) facts.Probe {
	switch {
	case p.HTTP != nil:
		return facts.Probe{
			Name: p.Name, Kind: "http", Address: dialled(p.HTTP.URL), URL: p.HTTP.URL, Host: p.HTTP.Host,
			Headers: slices.Sorted(maps.Keys(p.HTTP.Headers)),
		}
	case p.TCP != nil:
		return facts.Probe{Name: p.Name, Kind: "tcp", Address: p.TCP.Address}
	case p.TLS != nil:
		return facts.Probe{Name: p.Name, Kind: "tls", Address: p.TLS.Address}
	default: // config refuses a probe of no kind
		return facts.Probe{Name: p.Name, Kind: "service"}
	}
}

// dialled gives the host:port that a URL leads to.
func dialled(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "" // config refuses it
	}
	port := u.Port()
	switch {
	case port != "":
	case u.Scheme == "https":
		port = "443"
	default:
		port = "80"
	}
	return net.JoinHostPort(u.Hostname(), port)
}

func waiversOf(p config.Preflight) []finding.Waiver {
	var waivers []finding.Waiver
	for _, w := range p.Waivers {
		waivers = append(waivers, finding.Waiver{ID: w.ID, Reason: w.Reason, Until: w.Ends()})
	}
	return waivers
}
