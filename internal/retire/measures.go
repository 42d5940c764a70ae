package retire

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/internal/preflight/finding"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// Measure is one metric of CloudWatch that tells whether anything reaches blue.
type Measure struct {
	// Of says what is measured, as "target group web-blue".
	Of string
	// RoleARN and Region are where.
	RoleARN, Region string
	// Namespace, Name and Stat are CloudWatch's, LoadBalancer and TargetGroup its
	// dimensions; no TargetGroup: the whole load balancer.
	Namespace, Name, Stat     string
	LoadBalancer, TargetGroup string
	// Created is when the load balancer was made; zero: it isn't known.
	Created time.Time
	// Soft: alone it only warns.
	Soft bool
	// balancer and group are the ARNs of what is measured.
	balancer, group string
}

// unmeasurable is a way into blue of which CloudWatch tells nothing.
type unmeasurable struct {
	about finding.Object
	why   string
	// objects are blue's that have it.
}

// The namespaces of CloudWatch.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html
// https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-cloudwatch-metrics.html
const (
	albMetrics = "AWS/ApplicationELB"
	nlbMetrics = "AWS/NetworkELB"
)

// Measures lists what CloudWatch is to be asked for, each once.
func Measures(f *Facts) []Measure {
	p := plan{f: f, had: map[string]bool{}}
	p.make()
	return p.measures
}

// plan is what is measured, and what can't be.
type plan struct {
	f        *Facts
	measures []Measure
	blind    []unmeasurable
	had      map[string]bool
}

func (p *plan) make() {
	t := &p.f.Traffic
	own := ownBalancers(p.f)
	for _, arn := range slices.Sorted(maps.Keys(own)) {
		p.balancer(t.Balancers[arn])
	}
	for _, pair := range p.f.Pairs {
		for _, e := range pair.Entrances {
			if e.Balancer != nil {
				p.group(e.Balancer.BlueTargetGroupARN, entranceObject(pair.Name, e.Name), own)
				continue
			}
			for _, r := range e.Records {
				if r.Side == shift.Blue && len(r.Balancers) == 0 {
					p.unseen(entranceObject(pair.Name, e.Name), fmt.Sprintf("record %s %s leads to %s", r.Name, r.Type, strings.Join(r.Targets, ", ")))
				}
			}
		}
	}
	for _, b := range p.f.Blue.Network.Bindings {
		if arn := groupOf(t, b); arn != "" {
			p.group(arn, finding.Of(b.GroupKind, b.Name), own)
		} else {
			p.unseen(finding.Of(b.GroupKind, b.Name), "it serves target group "+b.GroupName)
		}
	}
	for _, o := range openObjects(&p.f.Blue.Network) {
		for _, at := range o.addresses {
			if balancerAt(t, at) == "" {
				p.unseen(o.about, "it has the address "+at)
			}
		}
	}
}

func (p *plan) unseen(about finding.Object, why string) {
	key := about.String() + why
	if !p.had[key] {
		p.had[key] = true
		p.blind = append(p.blind, unmeasurable{about: about, why: why + ", which is none of the load balancers that were found"})
	}
}

// balancer measures a load balancer that serves blue alone.
func (p *plan) balancer(b facts.Balancer) {
	m := measureOf(b)
	m.Of = "load balancer " + b.DNSName
	if b.Network {
		p.add(m, "NewFlowCount", "Sum", false)
		p.add(m, "ActiveFlowCount", "Maximum", false)
		return
	}
	p.add(m, "RequestCount", "Sum", false)
	p.add(m, "NewConnectionCount", "Sum", true)
}

// group measures a target group of blue behind a load balancer that it may share
// with others. A network load balancer has no such metric.
func (p *plan) group(arn string, about finding.Object, own map[string]bool) {
	t := &p.f.Traffic
	if p.had[arn] {
		return
	}
	p.had[arn] = true
	found := false
	for _, at := range slices.Sorted(maps.Keys(t.Balancers)) {
		b := t.Balancers[at]
		if !slices.Contains(b.Groups, arn) {
			continue
		}
		found = true
		switch {
		case own[at]: // measured as a whole
		case b.Network:
			p.blind = append(p.blind, unmeasurable{about: about, why: fmt.Sprintf("it shares network load balancer %s with others, and AWS counts flows by load balancer alone", b.DNSName)})
		default:
			m := measureOf(b)
			m.Of, m.TargetGroup, m.group = "target group "+dimension(arn), dimension(arn), arn
			p.add(m, "RequestCount", "Sum", false)
		}
	}
	if !found {
		p.blind = append(p.blind, unmeasurable{about: about, why: fmt.Sprintf("the load balancer in front of target group %s was not found", arn)})
	}
}

func (p *plan) add(m Measure, name, stat string, soft bool) {
	m.Name, m.Stat, m.Soft = name, stat, soft
	p.measures = append(p.measures, m)
}

func measureOf(b facts.Balancer) Measure {
	m := Measure{RoleARN: b.RoleARN, Namespace: albMetrics, LoadBalancer: dimension(b.ARN), Created: b.Created, balancer: b.ARN}
	if b.Network {
		m.Namespace = nlbMetrics
	}
	if parts := strings.Split(b.ARN, ":"); len(parts) > 3 {
		m.Region = parts[3]
	}
	return m
}

// dimension is the end of an ARN by which CloudWatch names its object:
// app/NAME/ID, targetgroup/NAME/ID.
func dimension(arn string) string {
	return strings.TrimPrefix(arn[strings.LastIndex(arn, ":")+1:], "loadbalancer/")
}

// ownBalancers are the ARNs of load balancers that serve blue alone: those that
// its objects name as their own and those that its records lead to, but for one
// whose action shares out between the sides or that a record of green leads to.
func ownBalancers(f *Facts) map[string]bool {
	t, own := &f.Traffic, map[string]bool{}
	for _, o := range openObjects(&f.Blue.Network) {
		for _, at := range o.addresses {
			if arn := balancerAt(t, at); arn != "" {
				own[arn] = true
			}
		}
	}
	for _, p := range f.Pairs {
		for _, e := range p.Entrances {
			for _, r := range e.Records {
				for _, arn := range r.Balancers {
					if r.Side == shift.Blue {
						own[arn] = true
					}
				}
			}
		}
	}
	for _, p := range f.Pairs {
		for _, e := range p.Entrances {
			for _, r := range e.Records {
				if r.Side == shift.Green {
					for _, arn := range r.Balancers {
						delete(own, arn)
					}
				}
			}
			if e.Balancer == nil {
				continue
			}
			for arn, b := range t.Balancers {
				if slices.Contains(b.Groups, e.Balancer.GreenTargetGroupARN) {
					delete(own, arn)
				}
			}
		}
	}
	return own
}

// openObject is an object of blue with addresses that users may know.
type openObject struct {
	about     finding.Object
	addresses []string
}

func openObjects(n *facts.Network) []openObject {
	var all []openObject
	add := func(k facts.GroupKind, name facts.Name, addresses []string) {
		o := openObject{about: finding.Of(k, name)}
		for _, at := range addresses {
			if at = placeOf(at); !strings.HasSuffix(at, ".svc") && !strings.HasSuffix(at, ".cluster.local") {
				o.addresses = append(o.addresses, at)
			}
		}
		all = append(all, o)
	}
	for _, s := range n.Services {
		add(facts.GroupKind{Kind: "Service"}, s.Name, s.Addresses)
	}
	for _, i := range n.Ingresses {
		add(facts.GroupKind{Group: "networking.k8s.io", Kind: "Ingress"}, i.Name, i.Addresses)
	}
	for _, g := range n.Gateways {
		add(facts.GroupKind{Group: "gateway.networking.k8s.io", Kind: "Gateway"}, g.Name, g.Addresses)
	}
	return all
}

// placeOf gives a host name in one form: lower case, no final dot, and without
// the prefix by which Route 53's console names load balancers.
func placeOf(host string) string {
	return strings.TrimPrefix(strings.TrimSuffix(strings.ToLower(host), "."), "dualstack.")
}

// balancerAt finds the load balancer of an address; empty: none was found.
func balancerAt(t *facts.Traffic, at string) string {
	for arn, b := range t.Balancers {
		if b.DNSName == at || isAddress(at) && slices.Contains(b.Addresses, at) {
			return arn
		}
	}
	return ""
}

func isAddress(at string) bool {
	_, err := netip.ParseAddr(at)
	return err == nil
}

// groupOf gives the ARN of a binding's target group; empty: only its name is
// known, and no group of that name was found.
func groupOf(t *facts.Traffic, b facts.Binding) string {
	if b.GroupARN != "" {
		return b.GroupARN
	}
	for arn, g := range t.Groups {
		if g.Name == b.GroupName {
			return arn
		}
	}
	return ""
}

// Hosts are the addresses of blue's own objects, by which their load balancers are
// found.
func Hosts(n *facts.Network) []string {
	var hosts []string
	for _, o := range openObjects(n) {
		hosts = append(hosts, o.addresses...)
	}
	slices.Sort(hosts)
	return slices.Compact(hosts)
}
