package aws

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// dnsStore keeps the hosted zones: their newest state, which the API lists, and
// what is published, which lags by the propagation time.
type dnsStore struct {
	opts Options
	ids  *idSource
	view atomic.Pointer[dnsView]

	mu      sync.Mutex
	zones   []*hostedZone          // guarded by mu; in the order of creation
	changes map[string]*zoneChange // guarded by mu
}

// hostedZone is one public zone.
type hostedZone struct {
	id, name, reference, comment string
	account                      string // that it belongs to
	nameServers                  []string
	sets                         zoneSets
}

// zoneChange is one accepted change, PENDING until its time.
type zoneChange struct {
	id        string
	comment   string
	submitted time.Time
	insync    time.Time
}

func (c *zoneChange) wire(now time.Time) xmlChangeInfo {
	info := xmlChangeInfo{
		ID:          "/change/" + c.id,
		Status:      "INSYNC",
		SubmittedAt: c.submitted.UTC().Format("2006-01-02T15:04:05.000Z"),
		Comment:     c.comment,
	}
	if now.Before(c.insync) {
		info.Status = "PENDING"
	}
	return info
}

func newDNSStore(opts Options, ids *idSource) *dnsStore {
	s := &dnsStore{opts: opts, ids: ids, changes: map[string]*zoneChange{}}
	s.view.Store(&dnsView{})
	return s
}

func (s *dnsStore) operations() map[string]operation {
	return map[string]operation{
		"CreateHostedZone":         {write: true, run: s.createZone},
		"GetHostedZone":            {run: s.getZone},
		"ListHostedZones":          {run: s.listZones},
		"DeleteHostedZone":         {write: true, run: s.deleteZone},
		"ChangeResourceRecordSets": {write: true, run: s.changeSets},
		"ListResourceRecordSets":   {run: s.listSets},
		"GetChange":                {run: s.getChange},
	}
}

func (s *dnsStore) createZone(req *request) (any, error) {
	var in xmlZoneRequest
	if err := xml.Unmarshal(req.body, &in); err != nil {
		return nil, badRequest("MalformedInput", "The request body is not valid XML: %v", err)
	}
	if in.VPC != nil || in.HostedZoneConfig.PrivateZone || in.DelegationSetID != "" {
		return nil, badRequest("InvalidInput", "The sandbox has public zones without reusable delegation sets only.")
	}
	if in.CallerReference == "" {
		return nil, badRequest("InvalidInput", "Invalid request: Missing field 'CallerReference'")
	}
	name, err := canonicalName(in.Name)
	if err != nil {
		return nil, badRequest("InvalidDomainName", "%v", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if slices.ContainsFunc(s.zones, func(z *hostedZone) bool { return z.account == req.caller.account && z.reference == in.CallerReference }) {
		return nil, refusal(http.StatusConflict, "HostedZoneAlreadyExists",
			"A hosted zone has already been created with the specified caller reference.")
	}
	z := newHostedZone(s.ids.upper("Z"), name, in.CallerReference, in.HostedZoneConfig.Comment)
	z.account = req.caller.account
	s.zones = append(s.zones, z)
	ch := s.acceptLocked("")
	s.publishLocked(z, []string{z.name}, ch.insync)
	info := ch.wire(s.opts.Now())
	answer := z.answer("CreateHostedZone")
	answer.ChangeInfo = &info
	return created{answer, "https://route53.amazonaws.com/2013-04-01" + answer.HostedZone.ID}, nil
}

// newHostedZone has the two record sets that every zone begins with.
func newHostedZone(id, name, reference, comment string) *hostedZone {
	z := &hostedZone{id: id, name: name, reference: reference, comment: comment, sets: zoneSets{}}
	for i, top := range []string{"com", "net", "org", "co.uk"} {
		z.nameServers = append(z.nameServers, fmt.Sprintf("ns-%d.awsdns-%02d.%s", 512*i+1, 8*i, top))
	}
	ns := recordSet{name: name, typ: "NS", ttl: 172800}
	for _, server := range z.nameServers {
		ns.values = append(ns.values, server+".")
	}
	soa := recordSet{name: name, typ: "SOA", ttl: 900, values: []string{
		z.nameServers[0] + ". awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400",
	}}
	z.sets.put(ns)
	z.sets.put(soa)
	return z
}

func (z *hostedZone) answer(operation string) xmlZoneAnswer {
	return xmlZoneAnswer{
		XMLName:     xml.Name{Local: operation + "Response"},
		NS:          route53NS,
		HostedZone:  z.wire(),
		NameServers: z.nameServers,
	}
}

func (z *hostedZone) wire() xmlZone {
	return xmlZone{
		ID: "/hostedzone/" + z.id, Name: z.name, CallerReference: z.reference,
		Comment: z.comment, Count: z.sets.count(),
	}
}

// zoneLocked returns the zone of an id; the caller holds mu.
func (s *dnsStore) zoneLocked(id string) (*hostedZone, error) {
	i := slices.IndexFunc(s.zones, func(z *hostedZone) bool { return z.id == id })
	if i < 0 {
		return nil, refusal(http.StatusNotFound, "NoSuchHostedZone", "No hosted zone found with ID: %s", id)
	}
	return s.zones[i], nil
}

// acceptLocked writes down an accepted change; the caller holds mu.
func (s *dnsStore) acceptLocked(comment string) *zoneChange {
	now := s.opts.Now()
	ch := &zoneChange{id: s.ids.upper("C"), comment: comment, submitted: now, insync: now.Add(s.opts.Propagation)}
	s.changes[ch.id] = ch
	return ch
}

func (s *dnsStore) getZone(req *request) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	z, err := s.zoneLocked(req.resource)
	if err != nil {
		return nil, err
	}
	return z.answer("GetHostedZone"), nil
}

func (s *dnsStore) listZones(req *request) (any, error) {
	limit, err := maxItems(req, 100)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	answer := xmlZonesAnswer{NS: route53NS, Marker: req.query.Get("marker"), MaxItems: limit}
	from := 0
	zones := s.zonesOfLocked(req.caller.account)
	if answer.Marker != "" {
		from = slices.IndexFunc(zones, func(z *hostedZone) bool { return z.id == answer.Marker })
		if from < 0 {
			return nil, badRequest("InvalidInput", "The specified marker is not valid: %s", answer.Marker)
		}
	}
	rest := zones[from:]
	for _, z := range rest[:min(limit, len(rest))] {
		answer.HostedZones.Zones = append(answer.HostedZones.Zones, z.wire())
	}
	if len(rest) > limit {
		answer.IsTruncated, answer.NextMarker = true, rest[limit].id
	}
	return answer, nil
}

func (s *dnsStore) deleteZone(req *request) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	z, err := s.zoneLocked(req.resource)
	if err != nil {
		return nil, err
	}
	if z.sets.count() > 2 {
		return nil, badRequest("HostedZoneNotEmpty",
			"The specified hosted zone contains non-required resource record sets and so cannot be deleted.")
	}
	s.zones = slices.DeleteFunc(s.zones, func(other *hostedZone) bool { return other == z })
	s.withdrawLocked(z)
	return changeAnswer("DeleteHostedZone", s.acceptLocked(""), s.opts.Now()), nil
}

func (s *dnsStore) getChange(req *request) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ch, ok := s.changes[req.resource]
	if !ok {
		return nil, refusal(http.StatusNotFound, "NoSuchChange", "Could not find resource with ID: %s", req.resource)
	}
	return changeAnswer("GetChange", ch, s.opts.Now()), nil
}

// maxItems reads the page size, a number from 1 up; more than a page holds counts as a page.
func maxItems(req *request, page int) (int, error) {
	text := req.query.Get("maxitems")
	if text == "" {
		return page, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return 0, badRequest("InvalidInput", "Invalid value for maxitems: '%s'", text)
	}
	return min(n, page), nil
}
