package gather

import (
	"context"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// AWS is how the traffic layer is read. The daemon joins the adapters to it, as
// whom and where each entrance says.
type AWS interface {
	// Read gives one reading for each entrance, in their order.
	Read(ctx context.Context, entrances []shift.Entrance) []shift.EntranceReading
	// Records gives all records of an entrance, with where they lead. The error is a
	// sentence's end for people.
	Records(ctx context.Context, e shift.Route53Entrance) ([]facts.Record, error)
	// Survey looks at load balancers of one place with all that leads through them.
	Survey(ctx context.Context, s Sought) Surveyed
}

// Sought says which load balancers of a place are looked for.
type Sought struct {
	// RoleARN and Region are the place; empty: the daemon's own.
	RoleARN string
	Region  string
	// Actions are ARNs of rules and listeners whose load balancers are wanted, Hosts
	// and Addresses the DNS names and static IP addresses of some.
	Actions   []string
	Hosts     []string
	Addresses []string
	// Groups are ARNs of target groups that are compared.
	Groups []string
}

// Surveyed is what was found of it. What could not be read is a gap.
type Surveyed struct {
	Balancers []facts.Balancer
	Groups    []facts.TargetGroup
	Gaps      []facts.Gap
}

// TrafficOptions say what to read of the traffic layer.
type TrafficOptions struct {
	Entrances []shift.Entrance
	Steps     []shift.Step
	// Begun: the shift has begun, so that green may have a share.
	Begun bool
	AWS   AWS
	// Hosts are names and addresses of load balancers that are looked for besides.
	Hosts []string
	// Lookup resolves a host name into IP addresses; nil: names aren't resolved, and
	// load balancers are known by their names alone.
	Lookup func(ctx context.Context, host string) ([]string, error)
	// Timeout bounds all of it; at least a second.
	Timeout time.Duration
}

// lookupWithin bounds the resolving of names: it only helps to recognize probes.
const lookupWithin = 2 * time.Second

// Traffic reads what stands in front of both clusters. It returns no error: what
// could not be read is said in the facts.
func Traffic(ctx context.Context, o TrafficOptions) facts.Traffic {
	t := facts.Traffic{
		Begun: o.Begun, Steps: o.Steps, Entrances: make([]facts.Entrance, len(o.Entrances)),
		Balancers: map[string]facts.Balancer{}, Groups: map[string]facts.TargetGroup{},
	}
	ctx, done := context.WithTimeout(ctx, max(o.Timeout, time.Second))
	defer done()
	failed := make([]error, len(o.Entrances))
	var reading sync.WaitGroup
	var readings []shift.EntranceReading
	reading.Go(func() { readings = o.AWS.Read(ctx, o.Entrances) })
	for i, e := range o.Entrances {
		t.Entrances[i].Entrance = e
		if e.Route53 == nil {
			t.Entrances[i].Known = true
			continue
		}
		reading.Go(func() {
			t.Entrances[i].Records, failed[i] = o.AWS.Records(ctx, *e.Route53)
			t.Entrances[i].Known = failed[i] == nil
		})
	}
	reading.Wait()
	for i := range t.Entrances {
		t.Entrances[i].Reading = readings[i]
		if failed[i] != nil && readings[i].Err == "" { // else that says it already
			t.Gaps = append(t.Gaps, facts.Gap{What: "the records of entrance " + o.Entrances[i].Name, Why: why(failed[i])})
		}
	}
	survey(ctx, o.AWS, &t, o.Hosts)
	lead(&t)
	resolveHosts(ctx, o.Lookup, &t)
	return t
}

// survey looks at the load balancers that the entrances name or lead to, place by
// place.
func survey(ctx context.Context, aws AWS, t *facts.Traffic, also []string) {
	wanted := sought(t.Entrances, also)
	found := make([]Surveyed, len(wanted))
	var looking sync.WaitGroup
	for i, s := range wanted {
		looking.Go(func() { found[i] = aws.Survey(ctx, s) })
	}
	looking.Wait()
	seen := map[string]bool{} // host names of load balancers
	for i, f := range found {
		for _, b := range f.Balancers {
			b.RoleARN = wanted[i].RoleARN
			t.Balancers[b.ARN], seen[b.DNSName] = b, true
		}
		for _, g := range f.Groups {
			t.Groups[g.ARN] = g
		}
	}
	missing := func(s Sought) bool {
		return len(s.Actions) > 0 || len(s.Addresses) > 0 || slices.ContainsFunc(s.Hosts, func(h string) bool { return !seen[h] })
	}
	var unseen []string
	for i, s := range wanted {
		if missing(s) {
			t.Gaps = append(t.Gaps, found[i].Gaps...)
		}
		for _, h := range s.Hosts {
			if !seen[h] && len(found[i].Gaps) == 0 {
				unseen = append(unseen, h)
			}
		}
	}
	for _, h := range sortedSet(unseen) {
		t.Gaps = append(t.Gaps, facts.Gap{
			What: "load balancer " + h, Optional: true,
			Why: "a record leads to it, but it is none of the application and network load balancers that the daemon's own identity sees in its region",
		})
	}
	t.Gaps = distinctGaps(t.Gaps)
}

func distinctGaps(gaps []facts.Gap) []facts.Gap {
	slices.SortFunc(gaps, func(a, b facts.Gap) int { return strings.Compare(a.What, b.What) })
	return slices.CompactFunc(gaps, func(a, b facts.Gap) bool { return a.What == b.What })
}

// plan is what is looked for, place by place.
type plan struct{ places []Sought }

func (p *plan) at(role, region string) *Sought {
	i := slices.IndexFunc(p.places, func(s Sought) bool { return s.RoleARN == role && s.Region == region })
	if i < 0 {
		i, p.places = len(p.places), append(p.places, Sought{RoleARN: role, Region: region})
	}
	return &p.places[i]
}

// sought plans what is looked for: each entrance's own load balancer as its own
// role, and those that records lead to as the daemon itself and as each role that
// another entrance names in the region.
func sought(entrances []facts.Entrance, also []string) []Sought {
	var p plan
	for _, e := range entrances {
		if b := e.Balancer; b != nil {
			s := p.at(b.RoleARN, b.Region())
			s.Actions = append(s.Actions, b.ActionARN())
			s.Groups = append(s.Groups, b.BlueTargetGroupARN, b.GreenTargetGroupARN)
		}
	}
	for _, e := range entrances {
		for _, r := range e.Records {
			also = append(slices.Clip(also), r.Targets...)
		}
	}
	for _, target := range also {
		if region, ok := regionOf(target); ok {
			p.host(target, region)
		} else if isAddress(target) {
			s := p.at("", "")
			s.Addresses = append(s.Addresses, target)
		}
	}
	for i := range p.places {
		p.places[i].Hosts, p.places[i].Addresses = sortedSet(p.places[i].Hosts), sortedSet(p.places[i].Addresses)
	}
	return p.places
}

// host looks for a load balancer by its name.
func (p *plan) host(name, region string) {
	p.at("", region)
	for i := range p.places {
		if s := &p.places[i]; s.Region == region {
			s.Hosts = append(s.Hosts, name)
		}
	}
}

// regionOf tells the region of a load balancer by its DNS name; false: it isn't
// that of an Elastic Load Balancer. Classic and application load balancers have
// NAME.REGION.elb.amazonaws.com, network load balancers
// NAME.elb.REGION.amazonaws.com; in China .cn follows.
func regionOf(host string) (region string, ok bool) {
	labels := strings.Split(strings.TrimSuffix(strings.TrimSuffix(host, ".cn"), ".amazonaws.com"), ".")
	if !strings.Contains(host, ".amazonaws.com") || len(labels) != 3 {
		return "", false
	}
	switch {
	case labels[2] == "elb":
		return labels[1], true
	case labels[1] == "elb":
		return labels[2], true
	}
	return "", false
}

func isAddress(s string) bool {
	_, err := netip.ParseAddr(s)
	return err == nil
}

// lead ties records to the load balancers that they lead to.
func lead(t *facts.Traffic) {
	for i := range t.Entrances {
		for j := range t.Entrances[i].Records {
			r := &t.Entrances[i].Records[j]
			for _, b := range t.Balancers {
				if slices.Contains(r.Targets, b.DNSName) || slices.ContainsFunc(b.Addresses, func(a string) bool { return slices.Contains(r.Targets, a) }) {
					r.Balancers = append(r.Balancers, b.ARN)
				}
			}
			slices.Sort(r.Balancers)
		}
	}
}

// resolveHosts adds the addresses that the names of load balancers lead to: probes may
// name them by another name or by address.
func resolveHosts(ctx context.Context, lookup func(context.Context, string) ([]string, error), t *facts.Traffic) {
	if lookup == nil {
		return
	}
	ctx, done := context.WithTimeout(ctx, lookupWithin)
	defer done()
	arns := slices.Sorted(maps.Keys(t.Balancers))
	found := make([][]string, len(arns))
	var asking sync.WaitGroup
	for i, arn := range arns {
		asking.Go(func() {
			if got, err := lookup(ctx, t.Balancers[arn].DNSName); err == nil { // a name that nobody knows has no addresses
				found[i] = got
			}
		})
	}
	asking.Wait()
	for i, arn := range arns {
		b := t.Balancers[arn]
		b.Addresses = sortedSet(slices.Concat(b.Addresses, found[i]))
		t.Balancers[arn] = b
	}
}
