package aws

import (
	"fmt"
	"slices"
	"strings"
)

// readBatch checks each change by itself and turns it into what is stored.
// Faults of form (InvalidInput) come before those of content (InvalidChangeBatch).
func readBatch(in []xmlChange) ([]change, error) {
	if len(in) == 0 {
		return nil, badRequest("InvalidInput", "1 validation error detected: Value '[]' at 'changeBatch.changes' failed to satisfy constraint: Member must have length greater than or equal to 1")
	}
	changes := make([]change, 0, len(in))
	for i, wire := range in {
		c, err := readChange(i+1, wire)
		if err != nil {
			return nil, err
		}
		changes = append(changes, c)
	}
	if err := checkBatchSize(changes); err != nil {
		return nil, err
	}
	var faults []string
	for i := range changes {
		name, err := canonicalName(changes[i].set.name)
		if err != nil {
			faults = append(faults, err.Error())
			continue
		}
		changes[i].set.name = name
		faults = append(faults, valueFaults(changes[i].set)...)
	}
	if len(faults) > 0 {
		return nil, badRequest("InvalidChangeBatch", "[%s]", strings.Join(faults, ", "))
	}
	return changes, nil
}

// readChange checks the form of one change; n counts from 1.
func readChange(n int, wire xmlChange) (change, error) {
	in := wire.ResourceRecordSet
	c := change{action: wire.Action, set: recordSet{name: in.Name, typ: in.Type, weight: in.Weight}}
	at := fmt.Sprintf("changeBatch.changes.%d.member", n)
	switch wire.Action {
	case "CREATE", "DELETE", "UPSERT":
	default:
		return c, badRequest("InvalidInput", "1 validation error detected: Value '%s' at '%s.action' failed to satisfy constraint: Member must satisfy enum value set: [CREATE, DELETE, UPSERT]", wire.Action, at)
	}
	if err := onlySimpleOrWeighted(in); err != nil {
		return c, err
	}
	if err := readRouting(in, at, &c); err != nil {
		return c, err
	}
	switch {
	case in.TTL == nil || in.ResourceRecords == nil || len(in.ResourceRecords.Records) == 0:
		return c, badRequest("InvalidInput", "Invalid request: Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or TrafficPolicyInstanceId], but found none in Change with %s", c)
	case *in.TTL < 0 || *in.TTL > 2147483647:
		return c, badRequest("InvalidInput", "1 validation error detected: Value '%d' at '%s.resourceRecordSet.tTL' failed to satisfy constraint: Member must have value between 0 and 2147483647", *in.TTL, at)
	}
	c.set.ttl = *in.TTL
	for _, r := range in.ResourceRecords.Records {
		c.set.values = append(c.set.values, r.Value)
	}
	return c, nil
}

// readRouting checks the weight and the identifier, which only go together.
func readRouting(in xmlRecordSet, at string, c *change) error {
	if in.SetIdentifier != nil {
		c.set.id = *in.SetIdentifier
		if len(c.set.id) < 1 || len(c.set.id) > 128 {
			return badRequest("InvalidInput", "1 validation error detected: Value at '%s.resourceRecordSet.setIdentifier' failed to satisfy constraint: Member must have length between 1 and 128", at)
		}
	}
	if w := in.Weight; w != nil && (*w < 0 || *w > 255) {
		bound := "less than or equal to 255"
		if *w < 0 {
			bound = "greater than or equal to 0"
		}
		return badRequest("InvalidInput", "1 validation error detected: Value '%d' at '%s.resourceRecordSet.weight' failed to satisfy constraint: Member must have value %s", *w, at, bound)
	}
	switch {
	case in.Weight != nil && in.SetIdentifier == nil:
		return badRequest("InvalidInput", "Invalid request: Missing field 'SetIdentifier' in Change with %s", *c)
	case in.Weight == nil && in.SetIdentifier != nil:
		return badRequest("InvalidInput", "Invalid request: Expected exactly one of [Weight, Region, Failover, GeoLocation, MultiValueAnswer, GeoProximityLocation, CidrRoutingConfig], but found none in Change with %s", *c)
	}
	return nil
}

// onlySimpleOrWeighted refuses what AWS has and the sandbox doesn't, by name.
func onlySimpleOrWeighted(in xmlRecordSet) error {
	for _, setting := range []struct {
		name  string
		found bool
	}{
		{"AliasTarget", in.AliasTarget != nil},
		{"Region", in.Region != nil},
		{"Failover", in.Failover != nil},
		{"MultiValueAnswer", in.MultiValueAnswer != nil},
		{"HealthCheckId", in.HealthCheckID != nil},
		{"TrafficPolicyInstanceId", in.TrafficPolicyInstanceID != nil},
		{"GeoLocation", in.GeoLocation != nil},
		{"GeoProximityLocation", in.GeoProximityLocation != nil},
		{"CidrRoutingConfig", in.CidrRoutingConfig != nil},
	} {
		if setting.found {
			return badRequest("InvalidInput", "The sandbox has simple and weighted record sets only, and no %s (record set %s %s).", setting.name, in.Name, in.Type)
		}
	}
	if !slices.Contains([]string{"A", "AAAA", "CNAME", "TXT", "NS", "SOA"}, in.Type) {
		return badRequest("InvalidInput", "The sandbox has record sets of the types A, AAAA, CNAME, TXT, NS and SOA only, not '%s' (record set %s).", in.Type, in.Name)
	}
	return nil
}

func checkBatchSize(changes []change) error {
	records, chars := 0, 0
	for _, c := range changes {
		times := 1
		if c.action == "UPSERT" {
			times = 2
		}
		records += times * len(c.set.values)
		for _, v := range c.set.values {
			chars += times * len(v)
		}
	}
	switch {
	case records > maxBatchRecords:
		return badRequest("InvalidChangeBatch", "[Number of records limit of %d exceeded.]", maxBatchRecords)
	case chars > maxBatchChars:
		return badRequest("InvalidChangeBatch", "[Value size limit of %d exceeded.]", maxBatchChars)
	}
	return nil
}

func valueFaults(r recordSet) []string {
	var faults []string
	seen := map[string]bool{}
	for _, v := range r.values {
		canonical, err := canonicalValue(r.typ, v)
		switch {
		case err != nil:
			faults = append(faults, err.Error())
		case seen[canonical]:
			faults = append(faults, fmt.Sprintf("Duplicate Resource Record: '%s'", v))
		}
		seen[canonical] = true
	}
	if (r.typ == "CNAME" || r.typ == "SOA") && len(r.values) > 1 {
		faults = append(faults, fmt.Sprintf("RRSet of type %s with DNS name %s has more than one value", r.typ, r.name))
	}
	return faults
}
