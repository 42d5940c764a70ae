package route53

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// Lead is one record of an entrance and where it leads.
type Lead struct {
	Name string // without final dot
	Type string
	// Side is blue or green; empty for other members.
	Side          shift.Side
	SetIdentifier string
	Weight        int
	TTL           time.Duration // zero for an alias
	// Targets are IP addresses and host names, these in lower case without final dot
	// and without the prefix by which Route 53's console names load balancers.
	Targets []string
	// Evaluates: it is an alias that evaluates its target's health.
	Evaluates bool
	// Beside: it has one of the entrance's names, but another type that users ask
	// for, and isn't shifted.
	Beside bool
}

const (
	// followed is how many records in a row are followed within a zone.
	followed = 4
	// dualstack is what Route 53's console puts before a load balancer's name; both
	// names lead to the same. Developer guide, "Values specific for weighted alias
	// records".
	dualstack = "dualstack."
)

// Leads tells where the records of an entrance lead. A record that leads to
// another name of the same zone is followed to where that leads.
func (a *Adapter) Leads(ctx context.Context, e shift.Route53Entrance) ([]Lead, error) {
	z := a.zone(e.HostedZoneID)
	seen, w := map[string]sight{}, z.fresh(shift.Watching)
	look := func(names []string) error {
		z.register(names)
		for name, s := range z.look(ctx, &z.calm, names, w) {
			if s.err != nil {
				return s.err
			}
			seen[name] = s
		}
		return nil
	}
	if err := look(namesOf(e)); err != nil {
		return nil, err
	}
	p, err := pictureOf(e, seen)
	if err != nil {
		return nil, err
	}
	next := p.inZone(e.HostedZoneID)
	for range followed {
		missing := slices.DeleteFunc(next, func(n string) bool { _, known := seen[n]; return known })
		if len(missing) == 0 {
			break
		}
		if err := look(missing); err != nil {
			return nil, err
		}
		next = nil
		for _, n := range missing {
			for _, r := range seen[n].records {
				next = append(next, within(e.HostedZoneID, r)...)
			}
		}
	}
	var leads []Lead
	for _, s := range p.spots {
		for _, g := range s.groups {
			for _, m := range g.members {
				leads = append(leads, leadOf(e, g, m, seen))
			}
		}
		for _, g := range s.beside {
			for _, m := range g.members {
				l := leadOf(e, g, m, seen)
				l.Side, l.Beside = "", true
				leads = append(leads, l)
			}
		}
	}
	return leads, nil
}

// inZone are the names of the zone that the records lead to, canonical.
func (p picture) inZone(zone string) []string {
	var names []string
	for _, s := range p.spots {
		for _, g := range s.groups {
			for _, m := range g.members {
				names = append(names, within(zone, m)...)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// within are the names in the same zone that a record leads to. An alias tells
// the zone of its target; of a CNAME it is guessed by the last two labels, and a
// name that isn't there is left as it is.
func within(zone string, r types.ResourceRecordSet) []string {
	if r.AliasTarget != nil {
		if aws.ToString(r.AliasTarget.HostedZoneId) != zone {
			return nil
		}
		return []string{canonical(aws.ToString(r.AliasTarget.DNSName))}
	}
	if r.Type != types.RRTypeCname {
		return nil
	}
	var names []string
	for _, v := range r.ResourceRecords {
		if to := canonical(aws.ToString(v.Value)); parent(to) == parent(canonical(aws.ToString(r.Name))) {
			names = append(names, to)
		}
	}
	return names
}

// parent gives the last two labels of a canonical name.
func parent(name string) string {
	labels := strings.Split(strings.TrimSuffix(name, "."), ".")
	return strings.Join(labels[max(0, len(labels)-2):], ".")
}

func leadOf(e shift.Route53Entrance, g group, m types.ResourceRecordSet, seen map[string]sight) Lead {
	l := Lead{
		Name: plain(g.name), Type: string(g.typ), SetIdentifier: aws.ToString(m.SetIdentifier), Weight: int(aws.ToInt64(m.Weight)),
		TTL: time.Duration(aws.ToInt64(m.TTL)) * time.Second, Evaluates: evaluates(m),
	}
	switch l.SetIdentifier {
	case e.BlueSetIdentifier:
		l.Side = shift.Blue
	case e.GreenSetIdentifier:
		l.Side = shift.Green
	}
	l.Targets = targetsOf(e.HostedZoneID, m, g.typ, seen, followed)
	slices.Sort(l.Targets)
	l.Targets = slices.Compact(l.Targets)
	return l
}

// targetsOf are where a record leads, followed within the zone.
func targetsOf(zone string, r types.ResourceRecordSet, typ types.RRType, seen map[string]sight, further int) []string {
	var targets []string
	own := within(zone, r)
	for _, name := range own {
		found := false
		for _, next := range seen[name].records {
			if further > 0 && (next.Type == typ || next.Type == types.RRTypeCname || typ == types.RRTypeCname && isAddress(next.Type)) {
				targets, found = append(targets, targetsOf(zone, next, next.Type, seen, further-1)...), true
			}
		}
		if !found {
			targets = append(targets, hostOf(name))
		}
	}
	if r.AliasTarget != nil && len(own) == 0 {
		targets = append(targets, hostOf(canonical(aws.ToString(r.AliasTarget.DNSName))))
	}
	for _, v := range r.ResourceRecords {
		switch value := aws.ToString(v.Value); {
		case r.Type != types.RRTypeCname:
			targets = append(targets, value)
		case !slices.Contains(own, canonical(value)):
			targets = append(targets, hostOf(canonical(value)))
		}
	}
	return targets
}

func isAddress(t types.RRType) bool { return t == types.RRTypeA || t == types.RRTypeAaaa }

func hostOf(name string) string { return strings.TrimPrefix(plain(name), dualstack) }
