package route53

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// aliasTTL is how long an answer made by an alias is kept at least. Route 53
// answers an alias to a load balancer, and to most other AWS resources, with
// 60 s. An alias to another record is answered with that record's TTL, which
// isn't read: it stands in any zone, and may be an alias again. 60 s is then the
// least that can be true. Developer guide, "Choosing between alias and non-alias
// records".
const aliasTTL = 60 * time.Second

// group is all records of one name and type, exactly as they were read.
type group struct {
	name    string // canonical
	typ     types.RRType
	members []types.ResourceRecordSet // sorted by set identifier
}

// String names the group for sentences: "shop.example.com A".
func (g group) String() string { return plain(g.name) + " " + string(g.typ) }

func groupOf(name string, typ types.RRType, records []types.ResourceRecordSet) group {
	g := group{name: name, typ: typ}
	for _, r := range records {
		if r.Type == typ {
			g.members = append(g.members, r)
		}
	}
	slices.SortFunc(g.members, func(x, y types.ResourceRecordSet) int {
		return cmp.Compare(aws.ToString(x.SetIdentifier), aws.ToString(y.SetIdentifier))
	})
	return g
}

func (g group) member(id string) (types.ResourceRecordSet, bool) {
	for _, m := range g.members {
		if aws.ToString(m.SetIdentifier) == id {
			return m, true
		}
	}
	return types.ResourceRecordSet{}, false
}

// weights reads the two declared records; false when they aren't both there
// with a weight.
func (g group) weights(e shift.Route53Entrance) (shift.Weights, bool) {
	blue, okBlue := g.member(e.BlueSetIdentifier)
	green, okGreen := g.member(e.GreenSetIdentifier)
	if !okBlue || !okGreen || blue.Weight == nil || green.Weight == nil {
		return shift.Weights{}, false
	}
	return shift.Weights{Blue: int(*blue.Weight), Green: int(*green.Weight)}, true
}

// others are the members beside blue and green.
func (g group) others(e shift.Route53Entrance) []types.ResourceRecordSet {
	var others []types.ResourceRecordSet
	for _, m := range g.members {
		if id := aws.ToString(m.SetIdentifier); id != e.BlueSetIdentifier && id != e.GreenSetIdentifier {
			others = append(others, m)
		}
	}
	return others
}

// othersWeight is the sum O of the other members' weights. Route 53 answers a
// member as often as its weight is of the sum of all, so green really gets
// G/(B+G+O). Developer guide, "Weighted routing".
func (g group) othersWeight(e shift.Route53Entrance) int {
	sum := 0
	for _, m := range g.others(e) {
		sum += int(aws.ToInt64(m.Weight))
	}
	return sum
}

// ttl is how long resolvers may keep an answer of the group.
func (g group) ttl() time.Duration {
	longest := time.Duration(0)
	for _, m := range g.members {
		if m.AliasTarget != nil {
			longest = max(longest, aliasTTL)
		}
		longest = max(longest, time.Duration(aws.ToInt64(m.TTL))*time.Second)
	}
	return longest
}

func (g group) identifiers() string {
	var ids []string
	for _, m := range g.members {
		ids = append(ids, fmt.Sprintf("%q", aws.ToString(m.SetIdentifier)))
	}
	return strings.Join(ids, ", ")
}

// routing names how Route 53 chooses a record among those of its name and type.
func routing(r types.ResourceRecordSet) string {
	switch {
	case r.Weight != nil:
		return "weight"
	case r.Region != "":
		return "latency"
	case r.Failover != "":
		return "failover"
	case r.GeoLocation != nil:
		return "geolocation"
	case r.GeoProximityLocation != nil:
		return "geoproximity"
	case r.CidrRoutingConfig != nil:
		return "the client's address (CIDR)"
	case aws.ToBool(r.MultiValueAnswer):
		return "multivalue answer"
	}
	return "no policy (a simple record)"
}

// healthDecides tells whether the member can count as unhealthy at all. One
// with neither a health check nor an alias that evaluates its target's health
// always counts as healthy. Developer guide, "How Amazon Route 53 chooses
// records when health checking is configured".
func healthDecides(m types.ResourceRecordSet) bool { return m.HealthCheckId != nil || evaluates(m) }

func evaluates(m types.ResourceRecordSet) bool {
	return m.AliasTarget != nil && m.AliasTarget.EvaluateTargetHealth
}
