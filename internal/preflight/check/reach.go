package check

import (
	"net/netip"
	"path"
	"slices"
	"strings"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// reach is what the declared entrances lead to on one side.
type reach struct {
	// groups are ARNs of target groups.
	groups []string
	// places are host names and IP addresses: those of load balancers, those that
	// records lead to, and the declared names themselves.
	places []string
	// noGroups and noPlaces name the entrances of which it isn't known to which
	// target groups or load balancers they lead.
	noGroups, noPlaces []string
}

func reachOf(t *facts.Traffic, side shift.Side) reach {
	var r reach
	if t.Fault != "" {
		r.noGroups, r.noPlaces = []string{"all entrances"}, []string{"all entrances"}
	}
	for _, e := range t.Entrances {
		if e.Balancer != nil {
			r.groups = append(r.groups, groupOf(e, side))
			b := balancerOf(t, e)
			if b == nil {
				r.noPlaces = append(r.noPlaces, e.Name)
				continue
			}
			r.places = append(append(r.places, b.DNSName), b.Addresses...)
			continue
		}
		if !e.Known {
			r.noGroups, r.noPlaces = append(r.noGroups, e.Name), append(r.noPlaces, e.Name)
		}
		for _, record := range e.Records {
			if record.Side == side {
				r.add(t, e, record)
			}
		}
	}
	slices.Sort(r.noGroups)
	slices.Sort(r.noPlaces)
	r.noGroups, r.noPlaces = slices.Compact(r.noGroups), slices.Compact(r.noPlaces)
	return r
}

// add adds what one record leads to.
func (r *reach) add(t *facts.Traffic, e facts.Entrance, record facts.Record) {
	r.places = append(append(r.places, record.Name), record.Targets...)
	whole := len(record.Balancers) > 0
	for _, arn := range record.Balancers {
		b := t.Balancers[arn]
		r.places = append(append(r.places, b.DNSName), b.Addresses...)
		r.groups = append(r.groups, b.Groups...)
		whole = whole && b.Known
	}
	if !whole && slices.ContainsFunc(record.Targets, isBalancerName) {
		r.noGroups = append(r.noGroups, e.Name)
	}
}

// isBalancerName tells whether a host name is that of an Elastic Load Balancer.
func isBalancerName(host string) bool {
	return strings.Contains(host, ".elb.") && strings.Contains(host, ".amazonaws.com")
}

func isAddress(at string) bool {
	_, err := netip.ParseAddr(at)
	return err == nil
}

// leads tells whether one of the addresses is reached.
func (r reach) leads(addresses []string) bool {
	return slices.ContainsFunc(addresses, func(a string) bool { return slices.Contains(r.places, placeOf(a)) })
}

// placeOf gives a host name in the one form of names: lower case, no final dot,
// and without the prefix by which Route 53's console names load balancers.
func placeOf(host string) string {
	return strings.TrimPrefix(strings.TrimSuffix(strings.ToLower(host), "."), "dualstack.")
}

// binds tells whether a binding is of one of the target groups. A name stands for
// the group of that name: they are unique in an account and region.
func binds(b facts.Binding, groups []string) bool {
	return slices.ContainsFunc(groups, func(arn string) bool {
		return b.GroupARN == arn || b.GroupARN == "" && b.GroupName != "" && b.GroupName == groupName(arn)
	})
}

// groupName gives a target group's name, of …:targetgroup/NAME/ID.
func groupName(arn string) string {
	_, tail, _ := strings.Cut(arn, ":targetgroup/")
	name, _, _ := strings.Cut(tail, "/")
	return name
}

// groupOf gives the declared target group of a side.
func groupOf(e facts.Entrance, side shift.Side) string {
	if side == shift.Blue {
		return e.Balancer.BlueTargetGroupARN
	}
	return e.Balancer.GreenTargetGroupARN
}

// balancerOf gives the load balancer whose action an entrance declares; nil: it
// isn't known.
func balancerOf(t *facts.Traffic, e facts.Entrance) *facts.Balancer {
	for _, b := range t.Balancers {
		for _, l := range b.Listeners {
			if ruleOf(l, e.Balancer.ActionARN()) != nil {
				return &b
			}
		}
	}
	return nil
}

func ruleOf(l facts.Listener, arn string) *facts.ListenerRule {
	i := slices.IndexFunc(l.Rules, func(r facts.ListenerRule) bool { return r.ARN == arn })
	if i < 0 {
		return nil
	}
	return &l.Rules[i]
}

// declaredRule gives the rule or default action that an entrance declares; nil:
// it isn't known.
func declaredRule(t *facts.Traffic, e facts.Entrance) *facts.ListenerRule {
	if b := balancerOf(t, e); b != nil {
		for _, l := range b.Listeners {
			if r := ruleOf(l, e.Balancer.ActionARN()); r != nil {
				return r
			}
		}
	}
	return nil
}

// matchesGlob tells whether a pattern with the wildcards * and ? matches a whole
// text, dots and slashes too.
func matchesGlob(pattern, text string) bool {
	flat := strings.NewReplacer("/", "\x00", "[", "\x01", "\\", "\x02")
	ok, err := path.Match(flat.Replace(pattern), flat.Replace(text))
	return ok && err == nil
}
