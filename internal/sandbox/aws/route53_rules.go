package aws

import (
	"fmt"
	"slices"
)

// maxWeightedSets is how many weighted sets share one name and type.
const maxWeightedSets = 100

// ruleFaults says which rules the touched names would break after the batch.
func ruleFaults(z *hostedZone, next zoneSets, touched []string) []string {
	var faults []string
	for _, name := range touched {
		sets := next.at(name)
		faults = append(faults, cnameFaults(z, sets)...)
		for start := 0; start < len(sets); {
			end := start
			for end < len(sets) && sets[end].typ == sets[start].typ {
				end++
			}
			if fault := groupFault(sets[start:end]); fault != "" {
				faults = append(faults, fault)
			}
			start = end
		}
	}
	if slices.Contains(touched, z.name) {
		faults = append(faults, apexFaults(z, next)...)
	}
	return faults
}

// cnameFaults keeps a CNAME alone at its name and away from the apex.
func cnameFaults(z *hostedZone, sets []recordSet) []string {
	i := slices.IndexFunc(sets, func(r recordSet) bool { return r.typ == "CNAME" })
	if i < 0 {
		return nil
	}
	name := sets[i].name
	if name == z.name {
		return []string{fmt.Sprintf("RRSet of type CNAME with DNS name %s is not permitted at apex in zone %s", name, z.name)}
	}
	if slices.ContainsFunc(sets, func(r recordSet) bool { return r.typ != "CNAME" }) {
		return []string{fmt.Sprintf(
			"RRSet of type CNAME with DNS name %s is not permitted as it conflicts with other records with the same DNS name in zone %s", name, z.name)}
	}
	return nil
}

// groupFault checks the record sets of one name and type, sorted by identifier:
// one simple set, or weighted sets of one TTL.
func groupFault(group []recordSet) string {
	first := group[0]
	if len(group) > 1 && first.id == "" {
		return fmt.Sprintf("RRSet with DNS name %s, type %s, SetIdentifier %s cannot be created as a non-weighted set exists with the same name and type",
			first.name, first.typ, group[1].id)
	}
	if len(group) > maxWeightedSets {
		return fmt.Sprintf("RRSet with DNS name %s, type %s has more than %d weighted sets", first.name, first.typ, maxWeightedSets)
	}
	for _, r := range group {
		if r.ttl != first.ttl {
			return fmt.Sprintf("RRSet with DNS name %s, type %s, SetIdentifier %s cannot have the TTL %d as weighted sets with the same name and type must have one TTL, and %s has %d",
				r.name, r.typ, r.id, r.ttl, first.id, first.ttl)
		}
	}
	return ""
}

func apexFaults(z *hostedZone, next zoneSets) []string {
	var faults []string
	if _, ok := next[z.name][memberKey{typ: "NS"}]; !ok {
		faults = append(faults, "A HostedZone must contain at least one NS record for the zone itself.")
	}
	if _, ok := next[z.name][memberKey{typ: "SOA"}]; !ok {
		faults = append(faults, "A HostedZone must contain exactly one SOA record.")
	}
	return faults
}
