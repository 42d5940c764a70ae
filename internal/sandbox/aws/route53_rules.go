package aws

import (
	"fmt"
	"maps"
	"slices"
)

// maxWeightedSets is how many weighted sets share one name and type.
const maxWeightedSets = 100

// entryFaults says why a record set can't come to stand where it is planned. As
// on AWS it is judged by what the changes before it in the batch left, so that a
// CNAME is created after the DELETE of what it replaces, and an alias after its
// target.
func (p *batchPlan) entryFaults(r recordSet) []string {
	if r.typ == "CNAME" && r.name == p.zone.name {
		return []string{fmt.Sprintf("RRSet of type CNAME with DNS name %s is not permitted at apex in zone %s", r.name, p.zone.name)}
	}
	for _, other := range p.at(r.name) {
		if other.member() == r.member() {
			continue
		}
		if fault := p.neighbourFault(r, other); fault != "" {
			return []string{fault}
		}
	}
	return p.aliasFaults(r)
}

// neighbourFault keeps a CNAME alone at its name, and one policy in a group.
func (p *batchPlan) neighbourFault(r, other recordSet) string {
	switch {
	case r.typ == "CNAME" && other.typ != "CNAME":
		return fmt.Sprintf("RRSet of type CNAME with DNS name %s is not permitted as it conflicts with other records with the same DNS name in zone %s", r.name, p.zone.name)
	case r.typ != "CNAME" && other.typ == "CNAME":
		return fmt.Sprintf("RRSet of type %s with DNS name %s is not permitted because a conflicting RRSet of type CNAME with the same DNS name already exists in zone %s", r.typ, r.name, p.zone.name)
	case r.typ != other.typ || r.policy() == other.policy():
		return ""
	case r.policy() == simplePolicy:
		return fmt.Sprintf("RRSet with DNS name %s, type %s cannot be created as other RRSets exist with the same name and type.", r.name, r.typ)
	case r.multi:
		return fmt.Sprintf("RRSet with DNS name %s, type %s, SetIdentifier %s cannot be created because a non multivalue answer rrset exists with the same name and type.", r.name, r.typ, r.id)
	}
	return fmt.Sprintf("RRSet with DNS name %s, type %s, SetIdentifier %s cannot be created as a non-%s set exists with the same name and type.", r.name, r.typ, r.id, r.policy())
}

// faultsInTheEnd says which rules the zone would break after the whole batch.
// TTLs are judged here and not change by change, because a group could never get
// another TTL otherwise.
func (p *batchPlan) faultsInTheEnd() []string {
	var faults []string
	for _, name := range slices.Sorted(maps.Keys(p.touched)) {
		sets := p.touched[name]
		for start := 0; start < len(sets); {
			group := p.group(name, sets[start].typ)
			if fault := p.groupFault(group); fault != "" {
				faults = append(faults, fault)
			}
			start += len(group)
		}
		faults = append(faults, p.danglingFaults(name)...)
	}
	if _, touched := p.touched[p.zone.name]; touched {
		faults = append(faults, p.apexFaults()...)
	}
	return faults
}

// groupFault checks the record sets of one name, type and policy.
func (p *batchPlan) groupFault(group []recordSet) string {
	switch group[0].policy() {
	case weightedPolicy:
		return p.weightedFault(group)
	case latencyPolicy, failoverPolicy, geoPolicy:
		return doubleFault(group)
	case simplePolicy, multiPolicy:
	}
	return ""
}

// weightedFault keeps one TTL in a weighted group. An alias has none of its own.
func (p *batchPlan) weightedFault(group []recordSet) string {
	if len(group) > maxWeightedSets {
		return fmt.Sprintf("RRSet with DNS name %s, type %s has more than %d weighted sets", group[0].name, group[0].typ, maxWeightedSets)
	}
	own := slices.DeleteFunc(slices.Clone(group), recordSet.isAlias)
	i := slices.IndexFunc(own, func(r recordSet) bool { return r.ttl != own[0].ttl })
	if i < 0 {
		return ""
	}
	r := own[i]
	if slices.ContainsFunc(p.zone.sets.at(r.name), r.equal) {
		r = own[0] // of the two, the one that the batch brings
	}
	return fmt.Sprintf("RRSet with DNS name %s, type %s, SetIdentifier %s cannot be created as weighted sets must contain the same TTL.", r.name, r.typ, r.id)
}

// doubleFault finds two sets of a group for the same region, place or role. The
// words are the sandbox's own.
func doubleFault(group []recordSet) string {
	type place struct {
		region, failover string
		geo              geoLocation
	}
	seen := map[place]string{}
	for _, r := range group {
		at := place{r.region, r.failover, r.geo}
		if other, twice := seen[at]; twice {
			return fmt.Sprintf("RRSet with DNS name %s, type %s, SetIdentifier %s cannot be created as the %s set %s exists with the same settings", r.name, r.typ, r.id, r.policy(), other)
		}
		seen[at] = r.id
	}
	return ""
}

func (p *batchPlan) apexFaults() []string {
	var faults []string
	if len(p.group(p.zone.name, "NS")) == 0 {
		faults = append(faults, "A HostedZone must contain at least one NS record for the zone itself.")
	}
	if len(p.group(p.zone.name, "SOA")) == 0 {
		faults = append(faults, "A HostedZone must contain exactly one SOA record.")
	}
	return faults
}
