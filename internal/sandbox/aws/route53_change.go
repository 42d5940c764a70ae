package aws

import (
	"encoding/xml"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Limits of one batch; an UPSERT counts double for both.
// https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DNSLimitations.html
const (
	maxBatchRecords = 1000
	maxBatchChars   = 32_000
)

// change is one checked change of a batch.
type change struct {
	action string
	set    recordSet
}

func (c change) String() string {
	id := "null"
	if c.set.id != "" {
		id = c.set.id
	}
	return fmt.Sprintf("[Action=%s, Name=%s, Type=%s, SetIdentifier=%s]", c.action, c.set.name, c.set.typ, id)
}

func (s *dnsStore) changeSets(req *request) (any, error) {
	var in xmlChangeRequest
	if err := xml.Unmarshal(req.body, &in); err != nil {
		return nil, badRequest("MalformedInput", "The request body is not valid XML: %v", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	z, err := s.zoneLocked(req.resource)
	if err != nil {
		return nil, err
	}
	changes, err := readBatch(in.Changes)
	if err != nil {
		return nil, err
	}
	next, err := planBatch(z, changes)
	if err != nil {
		return nil, err
	}
	z.sets = next
	ch := s.acceptLocked(in.Comment)
	s.publishLocked(z, touchedNames(changes), ch.insync)
	return changeAnswer("ChangeResourceRecordSets", ch, s.opts.Now()), nil
}

func touchedNames(changes []change) []string {
	names := map[string]struct{}{}
	for _, c := range changes {
		names[c.set.name] = struct{}{}
	}
	return slices.Sorted(maps.Keys(names))
}

// planBatch returns what the zone holds after the batch, or every reason why
// the batch as a whole is refused. It changes nothing.
func planBatch(z *hostedZone, changes []change) (zoneSets, error) {
	faults := conflictingChanges(changes)
	next := z.sets.clone()
	for _, c := range changes {
		if !within(c.set.name, z.name) {
			faults = append(faults, fmt.Sprintf("RRSet with DNS name %s is not permitted in zone %s", c.set.name, z.name))
			continue
		}
		stored, exists := next.get(c.set)
		switch c.action {
		case "DELETE":
			if fault := deleteFault(c.set, stored, exists); fault != "" {
				faults = append(faults, fault)
				continue
			}
			next.remove(c.set)
		case "CREATE":
			if exists {
				faults = append(faults, fmt.Sprintf("Tried to create resource record set %s but it already exists", describe(c.set)))
				continue
			}
			next.put(c.set)
		case "UPSERT":
			next.put(c.set)
		}
	}
	if len(faults) == 0 {
		faults = ruleFaults(z, next, touchedNames(changes))
	}
	if len(faults) > 0 {
		return nil, badRequest("InvalidChangeBatch", "[%s]", strings.Join(faults, ", "))
	}
	return next, nil
}

func deleteFault(wanted, stored recordSet, exists bool) string {
	switch {
	case !exists:
		return fmt.Sprintf("Tried to delete resource record set %s but it was not found", describe(wanted))
	case !wanted.equal(stored):
		return fmt.Sprintf("Tried to delete resource record set %s but the values provided do not match the current values", describe(wanted))
	}
	return ""
}

// conflictingChanges finds record sets that a batch changes twice. Only a DELETE
// followed by a CREATE of the same set is allowed; whether AWS would take the
// CREATE first is not documented, so the sandbox doesn't.
func conflictingChanges(changes []change) []string {
	type setKey struct {
		name string
		memberKey
	}
	actions := map[setKey]string{}
	var faults []string
	for _, c := range changes {
		key := setKey{c.set.name, c.set.member()}
		before, twice := actions[key]
		if twice && (before != "DELETE" || c.action != "CREATE") {
			faults = append(faults, fmt.Sprintf(
				"The request contains an invalid set of changes for a resource record set '%s %s'", c.set.typ, c.set.name))
		}
		actions[key] = before + c.action
	}
	return faults
}

// describe names a record set as AWS's messages do.
func describe(r recordSet) string {
	if r.id == "" {
		return fmt.Sprintf("[name='%s', type='%s']", r.name, r.typ)
	}
	return fmt.Sprintf("[name='%s', type='%s', set identifier='%s']", r.name, r.typ, r.id)
}
