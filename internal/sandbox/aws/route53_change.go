package aws

import (
	"encoding/xml"
	"fmt"
	"maps"
	"slices"
	"strings"
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
	z, err := s.idleZoneLocked(req.resource)
	if err != nil {
		return nil, err
	}
	changes, err := readBatch(in.Changes)
	if err != nil {
		return nil, err
	}
	if err := s.checkHealthChecksLocked(changes); err != nil {
		return nil, err
	}
	plan := &batchPlan{zone: z, balancer: s.balancers.named, touched: map[string][]recordSet{}}
	if err := plan.run(changes); err != nil {
		return nil, err
	}
	z.sets.apply(z.id, plan.touched)
	z.busyUntil = s.opts.Now().Add(s.opts.ChangeProcessing)
	ch := s.acceptLocked(z, in.Comment, req.slowSync)
	s.publishLocked(z, slices.Collect(maps.Keys(plan.touched)), ch.insync)
	return changeAnswer("ChangeResourceRecordSets", ch, s.opts.Now()), nil
}

// run plans the batch, or says every reason why it is refused as a whole.
func (p *batchPlan) run(changes []change) error {
	faults := conflictingChanges(changes)
	for _, c := range changes {
		faults = append(faults, p.change(c)...)
	}
	if len(faults) == 0 {
		faults = p.faultsInTheEnd()
	}
	if len(faults) > 0 {
		return badRequest("InvalidChangeBatch", "[%s]", strings.Join(faults, ", "))
	}
	return nil
}

// change plans one change on top of those before it.
func (p *batchPlan) change(c change) []string {
	if !within(c.set.name, p.zone.name) {
		return []string{fmt.Sprintf("RRSet with DNS name %s is not permitted in zone %s", c.set.name, p.zone.name)}
	}
	stored, exists := p.get(c.set)
	switch {
	case c.action == "DELETE":
		if fault := deleteFault(c.set, stored, exists); fault != "" {
			return []string{fault}
		}
		p.remove(c.set)
		return nil
	case c.action == "CREATE" && exists:
		return []string{fmt.Sprintf("Tried to create resource record set %s but it already exists", describe(c.set))}
	}
	if faults := p.entryFaults(c.set); len(faults) > 0 {
		return faults
	}
	p.put(c.set)
	return nil
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
	actions := make(map[setKey]string, len(changes))
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
	return fmt.Sprintf("[name='%s', type='%s', set-identifier='%s']", r.name, r.typ, r.id)
}
