package aws

import (
	"fmt"
	"slices"
	"strings"
)

// Limits of one batch. A record set counts with each of its values, an alias as
// one without characters, and an UPSERT counts double for both.
// https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DNSLimitations.html:
// "1,000 ResourceRecord elements (including alias records)".
const (
	maxBatchRecords = 1000
	maxBatchChars   = 32_000
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
		faults = append(faults, changes[i].set.canonicalize()...)
	}
	if len(faults) > 0 {
		return nil, badRequest("InvalidChangeBatch", "[%s]", strings.Join(faults, ", "))
	}
	return changes, nil
}

// canonicalize puts the names into the form that is stored, and says what is
// wrong with names and values.
func (r *recordSet) canonicalize() []string {
	name, err := canonicalName(r.name)
	if err != nil {
		return []string{err.Error()}
	}
	r.name = name
	if !r.isAlias() {
		return valueFaults(*r)
	}
	if r.alias.name, err = canonicalName(r.alias.name); err != nil {
		return []string{err.Error()}
	}
	return nil
}

// readChange checks the form of one change; n counts from 1.
func readChange(n int, wire xmlChange) (change, error) {
	in := wire.ResourceRecordSet
	c := change{action: wire.Action, set: recordSet{name: in.Name, typ: in.Type}}
	at := fmt.Sprintf("changeBatch.changes.%d.member", n)
	switch wire.Action {
	case "CREATE", "DELETE", "UPSERT":
	default:
		return c, badRequest("InvalidInput", "1 validation error detected: Value '%s' at '%s.action' failed to satisfy constraint: Member must satisfy enum value set: [CREATE, DELETE, UPSERT]", wire.Action, at)
	}
	if err := onlyKnownSettings(in); err != nil {
		return c, err
	}
	if err := readRouting(in, at, &c); err != nil {
		return c, err
	}
	if err := readContent(in, at, &c); err != nil {
		return c, err
	}
	return c, checkCombination(c)
}

// readContent reads what a record set answers: a TTL with values, or an alias.
func readContent(in xmlRecordSet, at string, c *change) error {
	const oneOf = "Invalid request: Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or TrafficPolicyInstanceId], but found %s in Change with %s"
	hasRecords := in.ResourceRecords != nil && len(in.ResourceRecords.Records) > 0
	switch {
	case in.AliasTarget != nil && (in.TTL != nil || hasRecords):
		return badRequest("InvalidInput", oneOf, "more than one", *c)
	case in.AliasTarget != nil:
		return readAlias(*in.AliasTarget, at, c)
	case in.TTL == nil || !hasRecords:
		return badRequest("InvalidInput", oneOf, "none", *c)
	case *in.TTL < 0 || *in.TTL > 2147483647:
		return badRequest("InvalidInput", "1 validation error detected: Value '%d' at '%s.resourceRecordSet.tTL' failed to satisfy constraint: Member must have value between 0 and 2147483647", *in.TTL, at)
	}
	c.set.ttl = *in.TTL
	for _, r := range in.ResourceRecords.Records {
		c.set.values = append(c.set.values, r.Value)
	}
	return nil
}

func readAlias(in xmlAliasTarget, at string, c *change) error {
	switch {
	case in.HostedZoneID == "" || in.DNSName == "":
		return badRequest("InvalidInput", "1 validation error detected: Value null at '%s.resourceRecordSet.aliasTarget' failed to satisfy constraint: HostedZoneId and DNSName must not be null", at)
	case in.EvaluateTargetHealth == nil:
		return badRequest("InvalidInput", "Invalid XML ; The content of element 'AliasTarget' is not complete. One of '{EvaluateTargetHealth}' is expected.")
	case len(in.HostedZoneID) > 32:
		return badRequest("InvalidInput", "1 validation error detected: Value at '%s.resourceRecordSet.aliasTarget.hostedZoneId' failed to satisfy constraint: Member must have length less than or equal to 32", at)
	}
	c.set.alias = aliasTarget{zone: in.HostedZoneID, name: in.DNSName, evaluate: *in.EvaluateTargetHealth}
	return nil
}

// checkCombination refuses types and settings that don't go together. The words
// are the sandbox's own, but for the missing health check of a primary.
func checkCombination(c change) error {
	r := c.set
	apexType := r.typ == "NS" || r.typ == "SOA"
	switch {
	case apexType && r.isAlias():
		return badRequest("InvalidInput", "Invalid request: Alias record sets of the type %s are not supported in Change with %s", r.typ, c)
	case apexType && r.policy() != simplePolicy:
		return badRequest("InvalidInput", "Invalid request: The type %s does not allow a %s record set in Change with %s", r.typ, r.policy(), c)
	case r.multi && (r.isAlias() || r.typ == "CNAME"):
		return badRequest("InvalidInput", "Invalid request: Multivalue answer record sets can be neither aliases nor CNAMEs in Change with %s", c)
	case r.failover == "PRIMARY" && !r.isAlias() && r.healthCheck == "":
		return badRequest("InvalidInput", "Invalid request: Missing field 'HealthCheckId' in Change with %s", c)
	}
	return nil
}

// onlyKnownSettings refuses what AWS has and the sandbox doesn't, by name.
func onlyKnownSettings(in xmlRecordSet) error {
	for _, setting := range []struct {
		name  string
		found bool
	}{
		{"TrafficPolicyInstanceId", in.TrafficPolicyInstanceID != nil},
		{"GeoProximityLocation", in.GeoProximityLocation != nil},
		{"CidrRoutingConfig", in.CidrRoutingConfig != nil},
	} {
		if setting.found {
			return badRequest("InvalidInput", "The sandbox has no record sets with %s (record set %s %s).", setting.name, in.Name, in.Type)
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
		elements := len(c.set.values)
		if c.set.isAlias() {
			elements = 1
		}
		records += times * elements
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
	seen := make(map[string]bool, len(r.values))
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
