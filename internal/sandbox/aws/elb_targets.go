package aws

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/routing"
)

// Reasons of target states. ELBv2 API, TargetHealthReasonEnum.
const (
	reasonRegistering  = "Elb.RegistrationInProgress"
	reasonFailed       = "Target.FailedHealthChecks"
	reasonNotInUse     = "Target.NotInUse"
	reasonNotFound     = "Target.NotRegistered"
	reasonDeregistered = "Target.DeregistrationInProgress"
	reasonInternal     = "Elb.InternalError"
)

type xmlTargetHealth struct {
	ID              string `xml:"Target>Id"`
	Port            int    `xml:"Target>Port"`
	Zone            string `xml:"Target>AvailabilityZone,omitempty"`
	HealthCheckPort string
	State           routing.State `xml:"TargetHealth>State"`
	Reason          string        `xml:"TargetHealth>Reason,omitempty"`
	Description     string        `xml:"TargetHealth>Description,omitempty"`
	Anomaly         *xmlAnomaly   `xml:"AnomalyDetection,omitempty"`
	Override        *xmlOverride  `xml:"AdministrativeOverride,omitempty"`
}

// xmlAnomaly and xmlOverride say that there is neither: anomaly mitigation and
// zonal shifts aren't here.
type xmlAnomaly struct {
	Result             string
	MitigationInEffect string
}

type xmlOverride struct {
	State       string
	Reason      string
	Description string
}

type xmlTargetHealths struct {
	TargetHealthDescriptions listOf[xmlTargetHealth]
}

func wireTarget(t target, anomalies bool) xmlTargetHealth {
	out := xmlTargetHealth{
		ID: t.address, Port: t.port, Zone: t.zone, HealthCheckPort: strconv.Itoa(t.port),
		State: t.state, Reason: t.reason, Description: describeReason(t.reason),
	}
	if t.state != routing.Unused {
		out.Override = &xmlOverride{"no_override", "AdministrativeOverride.NoOverride", "No override is currently active on target"}
	}
	if anomalies {
		out.Anomaly = &xmlAnomaly{"normal", "no"}
	}
	return out
}

func describeReason(reason string) string {
	return map[string]string{
		reasonRegistering:             "Target registration is in progress",
		"Elb.InitialHealthChecking":   "Initial health checks in progress",
		"Target.ResponseCodeMismatch": "Health checks failed with an unexpected code",
		"Target.Timeout":              "Request timed out",
		reasonFailed:                  "Health checks failed",
		reasonNotInUse:                "Target group is not configured to receive traffic from the load balancer",
		reasonNotFound:                "Target is not registered to the target group",
		reasonDeregistered:            "Target deregistration is in progress",
		"Target.InvalidState":         "Target is in the stopped state",
		"Target.IpUnusable":           "Target IP address is in use by a load balancer",
		"Target.HealthCheckDisabled":  "Health checks are disabled for this target group",
		reasonInternal:                "Health checks failed due to an internal error",
	}[reason]
}

// usualReason is the reason that a state has when a report names none.
func usualReason(state routing.State) string {
	switch state {
	case routing.Initial:
		return reasonRegistering
	case routing.Unhealthy, routing.UnhealthyDraining:
		return reasonFailed
	case routing.Unavailable:
		return reasonInternal
	case routing.Unused:
		return reasonNotInUse
	case routing.Draining:
		return reasonDeregistered
	case routing.Healthy:
	}
	return ""
}

// readTargets reads target descriptions; the port defaults to the group's, the
// zone to the first of the region.
func (a *elbAccount) readTargets(form *element, g *targetGroup) ([]target, error) {
	var out []target
	for _, e := range form.list("Targets") {
		ip, err := netip.ParseAddr(e.str("Id"))
		if err != nil || !ip.Is4() {
			return nil, badRequest("ValidationError", "The IP address '%s' is not a valid IPv4 address", e.str("Id"))
		}
		port, err := e.integer("Port", g.port, 1, 65535)
		if err != nil {
			return nil, err
		}
		zone := e.str("AvailabilityZone")
		if zone == "" {
			zone = a.opts.Region + "a"
		}
		letter, inRegion := strings.CutPrefix(zone, a.opts.Region)
		if zone != "all" && (!inRegion || len(letter) != 1 || letter < "a" || letter > "f") {
			return nil, badRequest("ValidationError", "The Availability Zone '%s' is not valid", zone)
		}
		out = append(out, target{address: ip.String(), port: port, zone: zone})
	}
	return out, nil
}

func (g *targetGroup) find(address string, port int) *target {
	for _, t := range g.targets {
		if t.address == address && t.port == port {
			return t
		}
	}
	return nil
}

func (a *elbAccount) registerTargets(form *element) (any, error) {
	g, err := a.group(form.str("TargetGroupArn"))
	if err != nil {
		return nil, err
	}
	wanted, err := a.readTargets(form, g)
	if err != nil {
		return nil, err
	}
	if len(wanted) == 0 {
		return nil, badRequest("ValidationError", "At least one target must be specified")
	}
	added := 0
	for _, t := range wanted {
		if g.find(t.address, t.port) == nil {
			added++
		}
	}
	if len(g.targets)+added > maxTargets {
		return nil, badRequest("TooManyTargets", "The maximum number of targets has been reached for target group '%s'", g.arn)
	}
	for _, t := range wanted {
		known := g.find(t.address, t.port)
		switch {
		case known == nil:
			known = &target{}
			g.targets = append(g.targets, known)
		case known.state != routing.Draining:
			known.zone = t.zone
			continue
		}
		t.state, t.reason = routing.Initial, reasonRegistering
		*known = t
	}
	g.stale = true
	return struct{}{}, nil
}

// deregisterTargets leaves the targets draining for the deregistration delay, or
// takes them away at once when no load balancer uses the group.
func (a *elbAccount) deregisterTargets(form *element) (any, error) {
	g, err := a.group(form.str("TargetGroupArn"))
	if err != nil {
		return nil, err
	}
	wanted, err := a.readTargets(form, g)
	if err != nil {
		return nil, err
	}
	if len(wanted) == 0 {
		return nil, badRequest("ValidationError", "At least one target must be specified")
	}
	for _, t := range wanted {
		if g.find(t.address, t.port) == nil {
			return nil, badRequest("InvalidTarget", "The following targets are not registered in the target group: '%s'", t.address)
		}
	}
	for _, t := range wanted {
		known := g.find(t.address, t.port)
		if known.state == routing.Draining {
			continue
		}
		known.state, known.reason = routing.Draining, reasonDeregistered
		known.gone = a.opts.Now().Add(a.deregistrationDelay(g))
		if g.balancer == nil {
			known.gone = a.opts.Now()
		}
	}
	g.stale = true
	return struct{}{}, nil
}

// deregistrationDelay is the group's attribute, or without one the sandbox's option.
func (a *elbAccount) deregistrationDelay(g *targetGroup) time.Duration {
	if seconds, err := strconv.Atoi(g.attributes[drainSeconds]); err == nil {
		return time.Duration(seconds) * time.Second
	}
	return a.opts.DeregistrationDelay
}

func (a *elbAccount) describeTargetHealth(form *element) (any, error) {
	g, err := a.group(form.str("TargetGroupArn"))
	if err != nil {
		return nil, err
	}
	anomalies := false
	for _, include := range form.texts("Include") {
		if include != "AnomalyDetection" && include != "All" {
			return nil, validationError("Value '%s' at 'include' failed to satisfy constraint: Member must satisfy enum value set: [AnomalyDetection, All]", include)
		}
		anomalies = true
	}
	g.forgetDrained(a.opts.Now())
	wanted, err := a.readTargets(form, g)
	if err != nil {
		return nil, err
	}
	var answer xmlTargetHealths
	if len(wanted) == 0 {
		for _, t := range g.targets {
			wanted = append(wanted, *t)
		}
	}
	for _, t := range wanted {
		if known := g.find(t.address, t.port); known != nil {
			t = *known
		} else {
			t.state, t.reason, t.zone = routing.Unused, reasonNotFound, ""
		}
		answer.TargetHealthDescriptions.Items = append(answer.TargetHealthDescriptions.Items, wireTarget(t, anomalies))
	}
	return answer, nil
}

// forgetDrained takes away the targets whose deregistration delay is over.
func (g *targetGroup) forgetDrained(now time.Time) {
	g.targets = slices.DeleteFunc(g.targets, func(t *target) bool {
		return t.state == routing.Draining && !t.gone.After(now)
	})
}

// setTargetHealth takes over what the edge's health checks found. Draining comes
// of deregistration and unused of the rules, so neither can be reported.
func (s *elbStore) setTargetHealth(arn, address string, port int, state routing.State, reason string) {
	if state == routing.Draining || state == routing.Unused {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.accounts, func(a *elbAccount) bool { return a.groups.byARN[arn] != nil })
	if i < 0 {
		return // deleted since the check began
	}
	g := s.accounts[i].groups.byARN[arn]
	t := g.find(address, port)
	if t == nil || t.state == routing.Draining || g.balancer == nil {
		return
	}
	if reason == "" {
		reason = usualReason(state)
	}
	if t.state == state && t.reason == reason {
		return
	}
	t.state, t.reason = state, reason
	g.stale = true
	s.publishLocked()
}
