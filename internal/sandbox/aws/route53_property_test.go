package aws_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	r53types "github.com/aws/aws-sdk-go-v2/service/route53/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/aws"
)

// scene is what random changes may name besides each other.
type scene struct {
	zone, check      string // ids
	elbZone, elbName string // of a load balancer
}

// anyChange draws from few names, types, identifiers and numbers, so that
// changes meet each other; about half are valid by themselves.
func (s scene) anyChange(t *rapid.T, stored []r53types.ResourceRecordSet) r53types.Change {
	action := rapid.SampledFrom(r53types.ChangeAction("").Values()).Draw(t, "action")
	if len(stored) > 0 && rapid.Bool().Draw(t, "as stored") {
		set := rapid.SampledFrom(stored).Draw(t, "set")
		return r53types.Change{Action: action, ResourceRecordSet: &set}
	}
	if rapid.IntRange(0, 2).Draw(t, "leading") == 0 {
		// Simple sets that lead to each other, so that circles and lost targets come up.
		names := rapid.Permutation([]string{"a.example.com", "b.example.com"}).Draw(t, "names")
		set := simple(names[0], "A", "192.0.2.1")
		if rapid.Bool().Draw(t, "away") {
			set = alias(names[0], "A", s.zone, names[1])
		}
		return r53types.Change{Action: action, ResourceRecordSet: &set}
	}
	typ := rapid.SampledFrom([]string{"A", "A", "A", "A", "A", "A", "TXT", "CNAME"}).Draw(t, "type")
	name := rapid.SampledFrom([]string{"a.example.com", "a.example.com", "B.example.com", "B.example.com", "example.com", "a.example.org"}).Draw(t, "name")
	set := s.anyContent(t, name, typ)
	s.anyPolicy(t, &set)
	if rapid.IntRange(0, 5).Draw(t, "checked") == 0 {
		set.HealthCheckId = new(rapid.SampledFrom([]string{s.check, s.check, s.check, s.check, "unknown"}).Draw(t, "check"))
	}
	return r53types.Change{Action: action, ResourceRecordSet: &set}
}

func (s scene) anyContent(t *rapid.T, name, typ string) r53types.ResourceRecordSet {
	value := map[string]string{"A": "192.0.2.1", "TXT": `"x"`, "CNAME": "www.example.com"}[typ]
	set := simple(name, typ, value)
	set.TTL = new(rapid.SampledFrom([]int64{60, 60, 60, 60, 60, 30}).Draw(t, "ttl"))
	switch rapid.IntRange(0, 9).Draw(t, "alias") {
	case 0, 3, 4:
		set = alias(name, typ, s.zone, rapid.SampledFrom([]string{"a.example.com", "b.example.com", "example.com"}).Draw(t, "target"))
	case 1:
		set = alias(name, typ, s.elbZone, s.elbName)
	case 2:
		set.AliasTarget = alias(name, typ, s.zone, "a.example.com").AliasTarget // with a TTL and values
	}
	return set
}

func (s scene) anyPolicy(t *rapid.T, set *r53types.ResourceRecordSet) {
	policy := rapid.SampledFrom([]string{"", "", "", "weight", "weight", "weight", "weight", "region", "failover", "multi"}).Draw(t, "policy")
	if policy != "" || rapid.IntRange(0, 29).Draw(t, "stray id") == 0 {
		set.SetIdentifier = new(rapid.SampledFrom([]string{"blue", "green"}).Draw(t, "id"))
	}
	switch policy {
	case "weight":
		set.Weight = new(rapid.SampledFrom([]int64{0, 1, 100, 200, 255, 256}).Draw(t, "weight"))
	case "region":
		set.Region = r53types.ResourceRecordSetRegionEuWest1
	case "failover":
		set.Failover = rapid.SampledFrom(r53types.ResourceRecordSetFailover("").Values()).Draw(t, "failover")
	case "multi":
		set.MultiValueAnswer = new(true)
	}
}

// group is what has one name and type.
type group struct{ name, typ string }

// brokenRule names a rule of Route 53 that a zone breaks, or nothing.
func (s scene) brokenRule(sets []r53types.ResourceRecordSet) string {
	groups := map[group][]r53types.ResourceRecordSet{}
	types := map[string][]string{}
	for _, set := range sets {
		g := group{*set.Name, string(set.Type)}
		if broken := s.brokenAlone(set); broken != "" {
			return fmt.Sprintf("%v %s", g, broken)
		}
		groups[g] = append(groups[g], set)
		types[g.name] = append(types[g.name], g.typ)
	}
	for g, members := range groups {
		if broken := brokenTogether(members); broken != "" {
			return fmt.Sprintf("%v %s", g, broken)
		}
		for _, set := range members {
			if set.AliasTarget != nil && *set.AliasTarget.HostedZoneId == s.zone && s.endless(groups, group{*set.AliasTarget.DNSName, g.typ}, 0) {
				return fmt.Sprintf("%v leads in a circle or nowhere", g)
			}
		}
	}
	for name, all := range types {
		if slices.Contains(all, "CNAME") && (name == "example.com." || slices.ContainsFunc(all, func(typ string) bool { return typ != "CNAME" })) {
			return name + " has a CNAME beside others"
		}
	}
	return ""
}

// policyOf is the routing policy of a set with what tells its members apart, or
// how many it has, if not one.
func policyOf(set r53types.ResourceRecordSet) (policy, distinct string, n int) {
	for _, p := range []struct {
		found          bool
		name, distinct string
	}{
		{set.Weight != nil, "weighted", ""},
		{set.Region != "", "latency", string(set.Region)},
		{set.Failover != "", "failover", string(set.Failover)},
		{set.MultiValueAnswer != nil, "multivalue", ""},
	} {
		if p.found {
			policy, distinct, n = p.name, p.distinct, n+1
		}
	}
	return policy, distinct, n
}

// brokenAlone looks at a set by itself.
func (s scene) brokenAlone(set r53types.ResourceRecordSet) string {
	policy, _, policies := policyOf(set)
	hasAlias := set.AliasTarget != nil
	switch {
	case policies > 1 || (set.SetIdentifier == nil) != (policies == 0):
		return "has an identifier without one policy, or the other way round"
	case set.Weight != nil && (*set.Weight < 0 || *set.Weight > 255):
		return fmt.Sprintf("has the weight %d", *set.Weight)
	case hasAlias != (set.TTL == nil) || hasAlias != (len(set.ResourceRecords) == 0):
		return "is an alias with a TTL or values, or has neither"
	case hasAlias && *set.AliasTarget.HostedZoneId != s.zone && *set.AliasTarget.DNSName != s.elbName+".":
		return "leads out of the world"
	case set.HealthCheckId != nil && *set.HealthCheckId != s.check:
		return "has an unknown health check"
	case policy == "multivalue" && (hasAlias || set.Type == "CNAME"):
		return "is a multivalue alias or CNAME"
	case set.Failover == r53types.ResourceRecordSetFailoverPrimary && !hasAlias && set.HealthCheckId == nil:
		return "is a primary without a health check"
	}
	return ""
}

// brokenTogether looks at the sets of one name and type.
func brokenTogether(members []r53types.ResourceRecordSet) string {
	var ids, places []string
	var ttls []int64
	first, _, _ := policyOf(members[0])
	for _, set := range members {
		policy, place, _ := policyOf(set)
		if policy != first || (policy == "" && len(members) > 1) {
			return "mixes policies"
		}
		if set.SetIdentifier != nil {
			ids = append(ids, *set.SetIdentifier)
		}
		if place != "" {
			places = append(places, place)
		}
		if set.TTL != nil && policy == "weighted" {
			ttls = append(ttls, *set.TTL)
		}
	}
	switch {
	case twice(ids):
		return "has an identifier twice"
	case twice(places):
		return "has two members for one place"
	case len(ttls) > 0 && slices.Max(ttls) != slices.Min(ttls):
		return "has two TTLs"
	}
	return ""
}

func twice(all []string) bool {
	slices.Sort(all)
	return len(slices.Compact(slices.Clone(all))) < len(all)
}

// endless reports whether an alias to a group leads on for ever, or nowhere.
func (s scene) endless(groups map[group][]r53types.ResourceRecordSet, at group, depth int) bool {
	if len(groups[at]) == 0 || depth > len(groups) {
		return true
	}
	return slices.ContainsFunc(groups[at], func(set r53types.ResourceRecordSet) bool {
		return set.AliasTarget != nil && *set.AliasTarget.HostedZoneId == s.zone &&
			s.endless(groups, group{*set.AliasTarget.DNSName, at.typ}, depth+1)
	})
}

// TestAnyBatchIsAtomic: whatever batches come, the zone keeps the rules, and a
// refused batch leaves no trace, in the listing or in what is published.
func TestAnyBatchIsAtomic(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t, aws.Options{})
		zone := strings.TrimPrefix(w.zone(t, "example.com"), "/hostedzone/")
		w.balancer(t, "web")
		lb := must[*elbv2.DescribeLoadBalancersOutput](t)(w.elb.DescribeLoadBalancers(t.Context(), &elbv2.DescribeLoadBalancersInput{})).LoadBalancers[0]
		s := scene{zone: zone, check: w.healthCheck(t, "check"), elbZone: *lb.CanonicalHostedZoneId, elbName: *lb.DNSName}
		accepted, refused := 0, 0
		for range rapid.IntRange(1, 24).Draw(rt, "batches") {
			before := w.list(t, zone)
			published := w.RecordSets("a.example.com.", "A")
			batch := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) r53types.Change { return s.anyChange(rt, before) }), 1, 3).Draw(rt, "batch")
			err := w.change(t, zone, batch...)
			after := w.list(t, zone)
			if broken := s.brokenRule(after); broken != "" {
				rt.Fatalf("after %v (error %v): %s", batch, err, broken)
			}
			if err == nil {
				accepted++
				if fault := missingEffect(batch, after); fault != "" {
					rt.Fatalf("accepted, but %s", fault)
				}
				continue
			}
			refused++
			var api smithy.APIError
			if !errors.As(err, &api) || !slices.Contains([]string{"InvalidChangeBatch", "InvalidInput", "NoSuchHealthCheck"}, api.ErrorCode()) {
				rt.Fatalf("refused with %v", err)
			}
			if diff := cmp.Diff(before, after, sdkValues()); diff != "" {
				rt.Fatalf("a refused batch changed the zone:\n%s", diff)
			}
			if diff := cmp.Diff(published, w.RecordSets("a.example.com.", "A")); diff != "" {
				rt.Fatalf("a refused batch changed what is published:\n%s", diff)
			}
		}
		rt.Logf("%d accepted, %d refused", accepted, refused)
	})
}

// missingEffect says which change of an accepted batch isn't to be seen: its
// set's last action decides whether it is there, and what it is.
func missingEffect(batch []r53types.Change, after []r53types.ResourceRecordSet) string {
	type key struct{ name, typ, id string }
	keyOf := func(s r53types.ResourceRecordSet) key {
		k := key{name: canonical(*s.Name), typ: string(s.Type)}
		if s.SetIdentifier != nil {
			k.id = *s.SetIdentifier
		}
		return k
	}
	there := map[key]r53types.ResourceRecordSet{}
	for _, s := range after {
		there[keyOf(s)] = s
	}
	last := map[key]r53types.Change{}
	for _, c := range batch {
		last[keyOf(*c.ResourceRecordSet)] = c
	}
	for k, c := range last {
		got, found := there[k]
		if found != (c.Action != r53types.ChangeActionDelete) {
			return fmt.Sprintf("%s of %v left it there: %t", c.Action, k, found)
		}
		want := *c.ResourceRecordSet
		want.Name = &k.name
		if want.AliasTarget != nil {
			target := *want.AliasTarget
			target.DNSName = new(canonical(*target.DNSName))
			want.AliasTarget = &target
		}
		if diff := cmp.Diff(want, got, sdkValues()); found && diff != "" {
			return fmt.Sprintf("%s of %v left (-sent +got):\n%s", c.Action, k, diff)
		}
	}
	return ""
}

func canonical(name string) string {
	if name[len(name)-1] != '.' {
		name += "."
	}
	if name[0] == 'B' {
		return "b" + name[1:]
	}
	return name
}
