package aws

import "strings"

// listPage is the largest number of record sets in one answer.
const listPage = 300

func (s *dnsStore) listSets(req *request) (any, error) {
	limit, err := maxItems(req, listPage)
	if err != nil {
		return nil, err
	}
	start, err := listStart(req)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	z, err := s.zoneLocked(req.resource)
	if err != nil {
		s.mu.Unlock()
		return nil, err
	}
	sets := z.sets.page(start, limit+1)
	s.mu.Unlock()

	answer := xmlListAnswer{NS: route53NS, MaxItems: limit}
	for _, r := range sets[:min(limit, len(sets))] {
		answer.ResourceRecordSets.Sets = append(answer.ResourceRecordSets.Sets, r.wire())
	}
	if len(sets) > limit {
		next := sets[limit]
		answer.IsTruncated = true
		answer.NextRecordName, answer.NextRecordType, answer.NextRecordIdentifier = next.name, next.typ, next.id
	}
	return answer, nil
}

// listStart is the key at which a listing begins; the first set at or after it
// comes first.
func listStart(req *request) (recordSet, error) {
	name, typ, id := req.query.Get("name"), req.query.Get("type"), req.query.Get("identifier")
	switch {
	case name == "" && typ != "":
		return recordSet{}, badRequest("InvalidInput", "The parameter 'type' is only valid when 'name' is given.")
	case typ == "" && id != "":
		return recordSet{}, badRequest("InvalidInput", "The parameter 'identifier' is only valid when 'name' and 'type' are given.")
	case name == "":
		return recordSet{}, nil
	}
	canonical, err := canonicalName(name)
	if err != nil {
		return recordSet{}, badRequest("InvalidInput", "%v", err)
	}
	return recordSet{order: sortName(canonical), typ: strings.ToUpper(typ), id: id}, nil
}
