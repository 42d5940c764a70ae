package aws

import (
	"cmp"
	"slices"
	"strings"
)

// recordSet is one stored resource record set.
type recordSet struct {
	name   string // canonical
	order  string // sortName of the name
	typ    string
	id     string // set identifier; empty for a simple set
	weight *int64 // nil unless the policy is weighted

	region   string // of a latency set
	failover string // PRIMARY or SECONDARY
	geo      geoLocation
	multi    bool // multivalue answer

	healthCheck string      // id, empty for none
	alias       aliasTarget // zero for none; an alias has neither TTL nor values
	ttl         int64
	values      []string // as sent
}

// aliasTarget is where an alias leads: a record set of the same zone and type,
// or a load balancer.
type aliasTarget struct {
	zone     string // the target's hosted zone id
	name     string // canonical
	evaluate bool   // the alias is as healthy as its target
}

// geoLocation is the place of a geolocation set; zero for none.
type geoLocation struct{ continent, country, subdivision string }

// policy is how a record set is chosen among those of its name and type, in the
// word that AWS's messages use.
type policy string

const (
	simplePolicy   policy = "simple"
	weightedPolicy policy = "weighted"
	latencyPolicy  policy = "latency"
	failoverPolicy policy = "failover"
	geoPolicy      policy = "geolocation"
	multiPolicy    policy = "multivalue answer"
)

func (r recordSet) policy() policy {
	switch {
	case r.weight != nil:
		return weightedPolicy
	case r.region != "":
		return latencyPolicy
	case r.failover != "":
		return failoverPolicy
	case r.geo != geoLocation{}:
		return geoPolicy
	case r.multi:
		return multiPolicy
	}
	return simplePolicy
}

func (r recordSet) isAlias() bool { return r.alias != aliasTarget{} }

// memberKey tells apart the record sets of one name.
type memberKey struct{ typ, id string }

func (r recordSet) member() memberKey { return memberKey{r.typ, r.id} }

// equal compares everything that a DELETE must match. The order of the values
// doesn't matter, and two spellings of an address or a name are the same value.
func (r recordSet) equal(other recordSet) bool {
	sameWeight := (r.weight == nil) == (other.weight == nil) && (r.weight == nil || *r.weight == *other.weight)
	return r.name == other.name && r.member() == other.member() && sameWeight && r.ttl == other.ttl &&
		r.region == other.region && r.failover == other.failover && r.geo == other.geo && r.multi == other.multi &&
		r.alias == other.alias && r.healthCheck == other.healthCheck && r.sameValues(other)
}

func (r recordSet) sameValues(other recordSet) bool {
	return slices.Equal(r.values, other.values) || slices.Equal(r.comparableValues(), other.comparableValues())
}

func (r recordSet) comparableValues() []string {
	out := make([]string, 0, len(r.values))
	for _, v := range r.values {
		canonical, err := canonicalValue(r.typ, v)
		if err != nil {
			canonical = v
		}
		out = append(out, canonical)
	}
	slices.Sort(out)
	return out
}

// wire writes a record set as a listing does: an alias without TTL and values.
func (r recordSet) wire() xmlRecordSet {
	out := xmlRecordSet{
		Name: r.name, Type: r.typ, Weight: r.weight, SetIdentifier: given(r.id),
		Region: given(r.region), Failover: given(r.failover), HealthCheckID: given(r.healthCheck),
	}
	if r.multi {
		out.MultiValueAnswer = &r.multi
	}
	if (r.geo != geoLocation{}) {
		out.GeoLocation = &xmlGeoLocation{given(r.geo.continent), given(r.geo.country), given(r.geo.subdivision)}
	}
	if r.isAlias() {
		out.AliasTarget = &xmlAliasTarget{HostedZoneID: r.alias.zone, DNSName: r.alias.name, EvaluateTargetHealth: &r.alias.evaluate}
		return out
	}
	out.TTL = &r.ttl
	out.ResourceRecords = &xmlRecords{Records: make([]xmlRecord, 0, len(r.values))}
	for _, v := range r.values {
		out.ResourceRecords.Records = append(out.ResourceRecords.Records, xmlRecord{v})
	}
	return out
}

// given points to a text, or is nil for an empty one.
func given(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// compareSets orders a listing: reversed labels, then type, then identifier.
func compareSets(a, b recordSet) int {
	return cmp.Or(strings.Compare(a.order, b.order), compareMembers(a, b.member()))
}

// compareMembers orders the record sets of one name.
func compareMembers(r recordSet, key memberKey) int {
	return cmp.Or(strings.Compare(r.typ, key.typ), strings.Compare(r.id, key.id))
}
