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
	opts      Options
	ids       *idSource
	balancers balancerNames
	view      atomic.Pointer[dnsView]
	failing   atomic.Pointer[map[string]struct{}] // ids of the health checks that fail; swapped whole

	mu      sync.Mutex
	zones   []*hostedZone          // guarded by mu, as all below; in the order of creation
	changes map[string]*zoneChange // by id
	checks  []*healthChecker       // in the order of creation
}

// balancerNames finds load balancers by their DNS names.
type balancerNames interface {
	named(dnsName string) (namedBalancer, bool)
}

// hostedZone is one zone. A private one is listed, but not published: only the
// resolvers of its VPCs would answer from it.
type hostedZone struct {
	id, name, reference, comment string
	account                      string // that it belongs to
	nameServers                  []string
	vpc                          *xmlVPC // nil for a public zone
	sets                         *zoneSets
	busyUntil                    time.Time // when the last batch is processed
	insync                       time.Time // when the last change is INSYNC; changes propagate in their order
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

func newDNSStore(opts Options, ids *idSource, balancers balancerNames) *dnsStore {
	s := &dnsStore{opts: opts, ids: ids, balancers: balancers, changes: map[string]*zoneChange{}}
	s.view.Store(&dnsView{})
	s.failing.Store(&map[string]struct{}{})
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
		"CreateHealthCheck":        {write: true, run: s.createHealthCheck},
		"GetHealthCheck":           {run: s.getHealthCheck},
		"GetHealthCheckStatus":     {run: s.getHealthCheckStatus},
		"ListHealthChecks":         {run: s.listHealthChecks},
		"DeleteHealthCheck":        {write: true, run: s.deleteHealthCheck},
	}
}

func (s *dnsStore) createZone(req *request) (any, error) {
	var in xmlZoneRequest
	if err := xml.Unmarshal(req.body, &in); err != nil {
		return nil, badRequest("MalformedInput", "The request body is not valid XML: %v", err)
	}
	if err := checkZoneRequest(in); err != nil {
		return nil, err
	}
	name, err := canonicalName(in.Name)
	if err != nil {
		return nil, badRequest("InvalidDomainName", "%v", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, z := range s.zones {
		switch {
		case z.account == req.caller.account && z.reference == in.CallerReference:
			return nil, refusal(http.StatusConflict, "HostedZoneAlreadyExists",
				"A hosted zone has already been created with the specified caller reference.")
		case in.VPC != nil && z.vpc != nil && *z.vpc == *in.VPC && z.name == name:
			return nil, badRequest("ConflictingDomainExists",
				"The VPC %s in region %s has already been associated with the hosted zone %s with the same domain name.", z.vpc.VPCID, z.vpc.VPCRegion, z.id)
		}
	}
	z := newHostedZone(s.ids.upper("Z"), name, in)
	z.account = req.caller.account
	s.zones = append(s.zones, z)
	ch := s.acceptLocked(z, "", 0)
	s.publishLocked(z, []string{z.name}, ch.insync)
	info := ch.wire(s.opts.Now())
	answer := z.answer("CreateHostedZone")
	answer.ChangeInfo, answer.VPC = &info, z.vpc
	return created{answer, route53Location(answer.HostedZone.ID)}, nil
}

// route53Location is the address of a new resource.
func route53Location(path string) string {
	return "https://route53.amazonaws.com/2013-04-01" + path
}

func checkZoneRequest(in xmlZoneRequest) error {
	switch {
	case in.DelegationSetID != "":
		return badRequest("InvalidInput", "The sandbox has zones without reusable delegation sets only.")
	case in.CallerReference == "":
		return badRequest("InvalidInput", "Invalid request: Missing field 'CallerReference'")
	case in.HostedZoneConfig.PrivateZone && in.VPC == nil:
		return badRequest("InvalidInput", "When you're creating a private hosted zone (when you specify true for PrivateZone), you must also specify values for VPCId and VPCRegion.")
	case in.VPC != nil && (in.VPC.VPCID == "" || in.VPC.VPCRegion == ""):
		return badRequest("InvalidVPCId", "The VPC ID that you specified either isn't a valid ID or the current account is not authorized to access this VPC.")
	}
	return nil
}

// newHostedZone has the two record sets that every zone begins with.
func newHostedZone(id, name string, in xmlZoneRequest) *hostedZone {
	z := &hostedZone{id: id, name: name, reference: in.CallerReference, comment: in.HostedZoneConfig.Comment, vpc: in.VPC, sets: newZoneSets()}
	for i, top := range []string{"com", "net", "org", "co.uk"} {
		if z.vpc != nil { // no server answers for a private zone; the names are the same for all
			z.nameServers = append(z.nameServers, fmt.Sprintf("ns-%d.awsdns-00.%s", 512*i, top))
			continue
		}
		z.nameServers = append(z.nameServers, fmt.Sprintf("ns-%d.awsdns-%02d.%s", 512*i+1, 8*i, top))
	}
	ns := recordSet{name: name, order: sortName(name), typ: "NS", ttl: 172800}
	for _, server := range z.nameServers {
		ns.values = append(ns.values, server+".")
	}
	soa := recordSet{name: name, order: sortName(name), typ: "SOA", ttl: 900, values: []string{
		z.nameServers[0] + ". awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400",
	}}
	z.sets.apply(id, map[string][]recordSet{name: {ns, soa}})
	return z
}

func (z *hostedZone) answer(operation string) xmlZoneAnswer {
	answer := xmlZoneAnswer{
		XMLName:    xml.Name{Local: operation + "Response"},
		NS:         route53NS,
		HostedZone: z.wire(),
	}
	if z.vpc == nil {
		answer.DelegationSet = &xmlDelegationSet{NameServers: z.nameServers}
	}
	return answer
}

func (z *hostedZone) wire() xmlZone {
	return xmlZone{
		ID: "/hostedzone/" + z.id, Name: z.name, CallerReference: z.reference,
		Comment: z.comment, PrivateZone: z.vpc != nil, Count: z.sets.total,
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

// idleZoneLocked returns the zone of an id unless it still works on its last
// batch; the caller holds mu.
func (s *dnsStore) idleZoneLocked(id string) (*hostedZone, error) {
	z, err := s.zoneLocked(id)
	if err == nil && s.opts.Now().Before(z.busyUntil) {
		return nil, priorRequestNotComplete()
	}
	return z, err
}

// acceptLocked writes down an accepted change, which is slow to be INSYNC by the
// given time more than usual; the caller holds mu.
func (s *dnsStore) acceptLocked(z *hostedZone, comment string, slow time.Duration) *zoneChange {
	now := s.opts.Now()
	if insync := now.Add(s.opts.Propagation + slow); insync.After(z.insync) {
		z.insync = insync
	}
	ch := &zoneChange{id: s.ids.upper("C"), comment: comment, submitted: now, insync: z.insync}
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
	answer := z.answer("GetHostedZone")
	if z.vpc != nil {
		answer.VPCs = &xmlVPCs{VPC: []xmlVPC{*z.vpc}}
	}
	return answer, nil
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
	z, err := s.idleZoneLocked(req.resource)
	if err != nil {
		return nil, err
	}
	if z.sets.total > 2 {
		return nil, badRequest("HostedZoneNotEmpty",
			"The specified hosted zone contains non-required resource record sets and so cannot be deleted.")
	}
	s.zones = slices.DeleteFunc(s.zones, func(other *hostedZone) bool { return other == z })
	s.withdrawLocked(z)
	return changeAnswer("DeleteHostedZone", s.acceptLocked(z, "", 0), s.opts.Now()), nil
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
