package aws

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"maps"
	"net/http"
	"net/netip"
	"reflect"
	"slices"
	"strings"
)

// healthChecker is one health check. Nothing is checked: tests say what it finds.
type healthChecker struct {
	id, reference string
	asked         xmlHealthConfig // as it was created, to know a repeated request
	config        xmlHealthConfig // with AWS's defaults
}

type xmlHealthConfig struct {
	IPAddress                string `xml:",omitempty"`
	Port                     int    `xml:",omitempty"`
	Type                     string
	ResourcePath             string      `xml:",omitempty"`
	FullyQualifiedDomainName string      `xml:",omitempty"`
	SearchString             string      `xml:",omitempty"`
	RequestInterval          int         `xml:",omitempty"`
	FailureThreshold         int         `xml:",omitempty"`
	MeasureLatency           *bool       `xml:",omitempty"`
	Inverted                 *bool       `xml:",omitempty"`
	Disabled                 *bool       `xml:",omitempty"`
	EnableSNI                *bool       `xml:",omitempty"`
	Regions                  *xmlRegions `xml:",omitempty"`
	AlarmIdentifier          *xmlAlarm   `xml:",omitempty"`
	InsufficientData         string      `xml:"InsufficientDataHealthStatus,omitempty"`

	// Read only to be refused.
	RoutingControlARN string `xml:"RoutingControlArn,omitempty"`
	HealthThreshold   *int   `xml:",omitempty"`
}

type xmlRegions struct {
	Region []string
}

type xmlAlarm struct{ Region, Name string }

type xmlHealthCheck struct {
	ID                 string `xml:"Id"`
	CallerReference    string
	HealthCheckConfig  xmlHealthConfig
	HealthCheckVersion int
}

type xmlHealthCheckAnswer struct {
	XMLName     xml.Name
	NS          string `xml:"xmlns,attr"`
	HealthCheck xmlHealthCheck
}

type xmlHealthChecksAnswer struct {
	XMLName      xml.Name `xml:"ListHealthChecksResponse"`
	NS           string   `xml:"xmlns,attr"`
	HealthChecks struct {
		Checks []xmlHealthCheck `xml:"HealthCheck"`
	}
	Marker      string
	IsTruncated bool
	NextMarker  string `xml:",omitempty"`
	MaxItems    int
}

type xmlObservation struct {
	Region    string
	IPAddress string
	Status    string `xml:"StatusReport>Status"`
	Checked   string `xml:"StatusReport>CheckedTime"`
}

type xmlHealthStatusAnswer struct {
	XMLName      xml.Name         `xml:"GetHealthCheckStatusResponse"`
	NS           string           `xml:"xmlns,attr"`
	Observations []xmlObservation `xml:"HealthCheckObservations>HealthCheckObservation"`
}

func isTrue(b *bool) bool { return b != nil && *b }

func (h *healthChecker) wire() xmlHealthCheck {
	return xmlHealthCheck{ID: h.id, CallerReference: h.reference, HealthCheckConfig: h.config, HealthCheckVersion: 1}
}

func (h *healthChecker) answer(operation string) xmlHealthCheckAnswer {
	return xmlHealthCheckAnswer{XMLName: xml.Name{Local: operation + "Response"}, NS: route53NS, HealthCheck: h.wire()}
}

// createHealthCheck answers a repeated request with the check that is there, and
// refuses the caller reference with other settings, as the API reference says.
func (s *dnsStore) createHealthCheck(req *request) (any, error) {
	var in struct {
		CallerReference   string
		HealthCheckConfig xmlHealthConfig
	}
	if err := xml.Unmarshal(req.body, &in); err != nil {
		return nil, badRequest("MalformedInput", "The request body is not valid XML: %v", err)
	}
	if n := len(in.CallerReference); n < 1 || n > 64 {
		return nil, badRequest("InvalidInput", "1 validation error detected: Value at 'callerReference' failed to satisfy constraint: Member must have length between 1 and 64")
	}
	config := in.HealthCheckConfig
	if err := config.check(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.checks, func(h *healthChecker) bool { return h.reference == in.CallerReference })
	if i >= 0 && !reflect.DeepEqual(s.checks[i].asked, in.HealthCheckConfig) {
		return nil, refusal(http.StatusConflict, "HealthCheckAlreadyExists",
			"A health check with the caller reference '%s' already exists with different settings.", in.CallerReference)
	}
	if i < 0 {
		config.defaults()
		h := &healthChecker{id: s.ids.requestID(), reference: in.CallerReference, asked: in.HealthCheckConfig, config: config}
		i, s.checks = len(s.checks), append(s.checks, h)
		s.setFailingLocked(h.id, isTrue(config.Inverted))
	}
	return created{s.checks[i].answer("CreateHealthCheck"), route53Location("/healthcheck/" + s.checks[i].id)}, nil
}

// check refuses what AWS refuses, and the kinds that the sandbox hasn't, by name.
func (c *xmlHealthConfig) check() error {
	switch {
	case slices.Contains([]string{"CALCULATED", "RECOVERY_CONTROL"}, c.Type) || c.RoutingControlARN != "" || c.HealthThreshold != nil:
		return badRequest("InvalidInput", "The sandbox has no health checks of the types CALCULATED and RECOVERY_CONTROL.")
	case !slices.Contains([]string{"HTTP", "HTTPS", "HTTP_STR_MATCH", "HTTPS_STR_MATCH", "TCP", "CLOUDWATCH_METRIC"}, c.Type):
		return badRequest("InvalidInput", "1 validation error detected: Value '%s' at 'healthCheckConfig.type' failed to satisfy constraint: Member must satisfy enum value set: [HTTPS, HTTP, TCP, HTTPS_STR_MATCH, HTTP_STR_MATCH, CALCULATED, CLOUDWATCH_METRIC, RECOVERY_CONTROL]", c.Type)
	case c.Type == "CLOUDWATCH_METRIC" && c.AlarmIdentifier == nil:
		return c.missing("AlarmIdentifier")
	case c.Type == "CLOUDWATCH_METRIC":
		return nil
	}
	return cmp.Or(c.checkEndpoint(), c.checkNumbers())
}

func (c *xmlHealthConfig) missing(field string) error {
	return badRequest("InvalidInput", "Invalid request: Missing field '%s' in HealthCheckConfig of the type %s", field, c.Type)
}

func (c *xmlHealthConfig) checkEndpoint() error {
	_, err := netip.ParseAddr(c.IPAddress)
	switch {
	case c.IPAddress == "" && c.FullyQualifiedDomainName == "":
		return badRequest("InvalidInput", "Invalid parameter : Either IPAddress or FullyQualifiedDomainName must be specified.")
	case c.IPAddress != "" && err != nil:
		return badRequest("InvalidInput", "Invalid parameter : The IP address '%s' is not valid.", c.IPAddress)
	case c.Type == "TCP" && c.Port == 0:
		return c.missing("Port")
	case strings.HasSuffix(c.Type, "_STR_MATCH") && c.SearchString == "":
		return c.missing("SearchString")
	}
	return nil
}

func (c *xmlHealthConfig) checkNumbers() error {
	switch {
	case c.Port < 0 || c.Port > 65535:
		return badRequest("InvalidInput", "1 validation error detected: Value '%d' at 'healthCheckConfig.port' failed to satisfy constraint: Member must have value between 1 and 65535", c.Port)
	case c.RequestInterval != 0 && c.RequestInterval != 10 && c.RequestInterval != 30:
		return badRequest("InvalidInput", "Invalid parameter : RequestInterval must be 10 or 30.")
	case c.FailureThreshold < 0 || c.FailureThreshold > 10:
		return badRequest("InvalidInput", "1 validation error detected: Value '%d' at 'healthCheckConfig.failureThreshold' failed to satisfy constraint: Member must have value between 1 and 10", c.FailureThreshold)
	}
	return nil
}

// defaults fills in what AWS answers for settings that were left out.
func (c *xmlHealthConfig) defaults() {
	off := func(b **bool) {
		if *b == nil {
			*b = new(bool)
		}
	}
	off(&c.Inverted)
	off(&c.Disabled)
	if c.Type == "CLOUDWATCH_METRIC" {
		return
	}
	off(&c.MeasureLatency)
	if c.EnableSNI == nil {
		sni := strings.HasPrefix(c.Type, "HTTPS")
		c.EnableSNI = &sni
	}
	if c.RequestInterval == 0 {
		c.RequestInterval = 30
	}
	if c.FailureThreshold == 0 {
		c.FailureThreshold = 3
	}
	switch {
	case c.Port != 0:
	case strings.HasPrefix(c.Type, "HTTPS"):
		c.Port = 443
	default:
		c.Port = 80
	}
}

// checkerLocked returns the health check of an id; the caller holds mu.
func (s *dnsStore) checkerLocked(id string) (*healthChecker, error) {
	i := slices.IndexFunc(s.checks, func(h *healthChecker) bool { return h.id == id })
	if i < 0 {
		return nil, noSuchHealthCheck(id)
	}
	return s.checks[i], nil
}

func noSuchHealthCheck(id string) error {
	return refusal(http.StatusNotFound, "NoSuchHealthCheck", "A health check with id %s does not exist.", id)
}

// checkHealthChecksLocked refuses new record sets with an unknown health check.
// A DELETE may name one that was deleted: it only has to match.
func (s *dnsStore) checkHealthChecksLocked(changes []change) error {
	for _, c := range changes {
		if c.action == "DELETE" || c.set.healthCheck == "" {
			continue
		}
		if _, err := s.checkerLocked(c.set.healthCheck); err != nil {
			return err
		}
	}
	return nil
}

func (s *dnsStore) getHealthCheck(req *request) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h, err := s.checkerLocked(req.resource)
	if err != nil {
		return nil, err
	}
	return h.answer("GetHealthCheck"), nil
}

func (s *dnsStore) listHealthChecks(req *request) (any, error) {
	limit, err := maxItems(req, 1000)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	answer := xmlHealthChecksAnswer{NS: route53NS, Marker: req.query.Get("marker"), MaxItems: limit}
	from := 0
	if answer.Marker != "" {
		from = slices.IndexFunc(s.checks, func(h *healthChecker) bool { return h.id == answer.Marker })
		if from < 0 {
			return nil, badRequest("InvalidInput", "The specified marker is not valid: %s", answer.Marker)
		}
	}
	rest := s.checks[from:]
	for _, h := range rest[:min(limit, len(rest))] {
		answer.HealthChecks.Checks = append(answer.HealthChecks.Checks, h.wire())
	}
	if len(rest) > limit {
		answer.IsTruncated, answer.NextMarker = true, rest[limit].id
	}
	return answer, nil
}

// getHealthCheckStatus answers what three checkers would have found.
func (s *dnsStore) getHealthCheckStatus(req *request) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h, err := s.checkerLocked(req.resource)
	if err != nil {
		return nil, err
	}
	if h.config.Type == "CLOUDWATCH_METRIC" {
		return nil, badRequest("InvalidInput", "The status of a health check of the type CLOUDWATCH_METRIC is that of its alarm.")
	}
	// The state is that of the check; an inverted one finds the opposite.
	status := "Success: HTTP Status Code 200, OK"
	if s.fails(h.id) != isTrue(h.config.Inverted) {
		status = "Failure: Connection timed out. The endpoint or the internet connection is down, or requests are being blocked by your firewall."
	}
	answer := xmlHealthStatusAnswer{NS: route53NS}
	for i, region := range []string{"us-east-1", "eu-west-1", "ap-northeast-1"} {
		answer.Observations = append(answer.Observations, xmlObservation{
			Region: region, IPAddress: fmt.Sprintf("192.0.2.%d", 101+i), Status: status,
			Checked: s.opts.Now().UTC().Format("2006-01-02T15:04:05.000Z"),
		})
	}
	return answer, nil
}

// deleteHealthCheck lets record sets go on naming the check, as AWS does. What
// their health is then, AWS doesn't say; here they are healthy.
func (s *dnsStore) deleteHealthCheck(req *request) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h, err := s.checkerLocked(req.resource)
	if err != nil {
		return nil, err
	}
	s.checks = slices.DeleteFunc(s.checks, func(other *healthChecker) bool { return other == h })
	s.setFailingLocked(h.id, false)
	return struct {
		XMLName xml.Name `xml:"DeleteHealthCheckResponse"`
		NS      string   `xml:"xmlns,attr"`
	}{NS: route53NS}, nil
}

// setHealthCheck takes over what a test says.
func (s *dnsStore) setHealthCheck(id string, healthy bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	h, err := s.checkerLocked(id)
	switch {
	case err != nil:
		return fmt.Errorf("setting the health check %s: %w", id, err)
	case isTrue(h.config.Disabled):
		return fmt.Errorf("setting the health check %s: it is disabled", id)
	}
	s.setFailingLocked(id, !healthy)
	return nil
}

// setFailingLocked swaps the set of failing checks; the caller holds mu.
func (s *dnsStore) setFailingLocked(id string, fails bool) {
	next := maps.Clone(*s.failing.Load())
	if fails {
		next[id] = struct{}{}
	} else {
		delete(next, id)
	}
	s.failing.Store(&next)
}

// fails reports whether a health check fails now.
func (s *dnsStore) fails(id string) bool {
	_, fails := (*s.failing.Load())[id]
	return fails
}
