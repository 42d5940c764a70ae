package app

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/clusterswitch/clusterswitch/config"
	"github.com/clusterswitch/clusterswitch/internal/elb"
	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/internal/preflight/gather"
	"github.com/clusterswitch/clusterswitch/internal/route53"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// leader tells where the records of an entrance lead.
type leader interface {
	Leads(ctx context.Context, e shift.Route53Entrance) ([]route53.Lead, error)
}

// surveyor looks at load balancers with all that leads through them.
type surveyor interface {
	Survey(ctx context.Context, s elb.Sought) elb.Survey
}

// traffic reads what stands in front of a pair's clusters for its preflight.
func (i *inspector) traffic(ctx context.Context, p config.Pair, w wish) facts.Traffic {
	o := gather.TrafficOptions{Begun: w.begun, AWS: frontOf{i.aws}, Lookup: i.lookUp, Timeout: p.Preflight.Timeout}
	for _, e := range p.Traffic {
		o.Entrances = append(o.Entrances, entranceOf(e))
	}
	for _, s := range p.Steps {
		o.Steps = append(o.Steps, stepOf(s))
	}
	return gather.Traffic(ctx, o)
}

// frontOf lets a preflight ask the adapters.
type frontOf struct{ aws *aws }

// Read gives one reading for each entrance, looked at now.
func (f frontOf) Read(ctx context.Context, list []shift.Entrance) []shift.EntranceReading {
	return f.aws.read(ctx, list, shift.Watching)
}

// Records gives all records of an entrance.
func (f frontOf) Records(ctx context.Context, e shift.Route53Entrance) ([]facts.Record, error) {
	adapter, ok := f.aws.of(shift.Entrance{Route53: &e}).(leader)
	if !ok {
		return nil, errors.New(kindUnknown)
	}
	leads, err := adapter.Leads(ctx, e)
	records := make([]facts.Record, len(leads))
	for i, l := range leads {
		records[i] = facts.Record{
			Name: l.Name, Type: l.Type, Side: l.Side, SetIdentifier: l.SetIdentifier, Weight: l.Weight, TTL: l.TTL,
			Targets: l.Targets, Evaluates: l.Evaluates, Beside: l.Beside,
		}
	}
	return records, err
}

// Survey looks at load balancers.
func (f frontOf) Survey(ctx context.Context, s gather.Sought) gather.Surveyed {
	adapter, ok := f.aws.balancersAt(place{s.RoleARN, s.Region}).(surveyor)
	if !ok {
		return gather.Surveyed{Gaps: []facts.Gap{{What: "load balancers", Why: kindUnknown, Optional: true}}}
	}
	seen := adapter.Survey(ctx, elb.Sought{Actions: s.Actions, Hosts: s.Hosts, Addresses: s.Addresses, Groups: s.Groups})
	var out gather.Surveyed
	for _, b := range seen.Balancers {
		out.Balancers = append(out.Balancers, balancerOf(b))
	}
	for _, g := range seen.Groups {
		out.Groups = append(out.Groups, facts.TargetGroup{
			ARN: g.ARN, Name: g.Name, TargetType: g.TargetType, Port: g.Port, Settings: g.Settings,
			Targets: g.Targets, TargetPorts: g.Ports, Maker: g.Maker,
		})
	}
	for _, fault := range seen.Faults {
		out.Gaps = append(out.Gaps, facts.Gap{What: fault.What, Why: fault.Why, Optional: true})
	}
	return out
}

func balancerOf(b elb.Balancer) facts.Balancer {
	out := facts.Balancer{
		ARN: b.ARN, DNSName: b.DNSName, Internal: b.Internal, Network: b.Network, Addresses: b.Addresses,
		Groups: b.Groups, Known: b.Whole, Created: b.Created,
	}
	for _, l := range b.Listeners {
		listener := facts.Listener{ARN: l.ARN, Protocol: l.Protocol, Port: l.Port}
		for _, r := range l.Rules {
			rule := facts.ListenerRule{ARN: r.ARN, Default: r.Default, Hosts: r.Hosts, Paths: r.Paths, Headers: r.Headers, Others: r.Others}
			for _, group := range slices.Sorted(maps.Keys(r.Weights)) {
				rule.Forwards = append(rule.Forwards, facts.Forward{Group: group, Weight: r.Weights[group]})
			}
			listener.Rules = append(listener.Rules, rule)
		}
		out.Listeners = append(out.Listeners, listener)
	}
	return out
}
