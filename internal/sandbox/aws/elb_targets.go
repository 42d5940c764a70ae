package aws

import (
	"net/netip"
	"slices"
	"strconv"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/routing"
)

// Reasons of target states. ELBv2 API, TargetHealthReasonEnum.
const (
	reasonRegistering  = "Elb.RegistrationInProgress"
	reasonFailed       = "Target.FailedHealthChecks"
	reasonNotInUse     = "Target.NotInUse"
	reasonNotFound     = "Target.NotRegistered"
	reasonDeregistered = "Target.DeregistrationInProgress"
)

type xmlTargetHealth struct {
	ID              string `xml:"Target>Id"`
	Port            int    `xml:"Target>Port"`
	Zone            string `xml:"Target>AvailabilityZone,omitempty"`
	HealthCheckPort string
	State           routing.State `xml:"TargetHealth>State"`
	Reason          string        `xml:"TargetHealth>Reason,omitempty"`
	Description     string        `xml:"TargetHealth>Description,omitempty"`
}

type xmlTargetHealths struct {
	TargetHealthDescriptions listOf[xmlTargetHealth]
}

func (s *elbStore) wireTarget(t target) xmlTargetHealth {
	return xmlTargetHealth{
		ID: t.address, Port: t.port, Zone: s.opts.Region + "a", HealthCheckPort: strconv.Itoa(t.port),
		State: t.state, Reason: t.reason, Description: describeReason(t.reason),
	}
}

func describeReason(reason string) string {
	switch reason {
	case reasonRegistering:
		return "Target registration is in progress"
	case reasonFailed:
		return "Health checks failed"
	case reasonNotInUse:
		return "Target group is not configured to receive traffic from the load balancer"
	case reasonNotFound:
		return "Target is not registered to the target group"
	case reasonDeregistered:
		return "Target deregistration is in progress"
	}
	return ""
}

// readTargets reads target descriptions; the port defaults to the group's.
func readTargets(form *element, g *targetGroup) ([]target, error) {
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
		out = append(out, target{address: ip.String(), port: port})
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

func (s *elbStore) registerTargets(form *element) (any, error) {
	g, err := s.group(form.str("TargetGroupArn"))
	if err != nil {
		return nil, err
	}
	wanted, err := readTargets(form, g)
	if err != nil {
		return nil, err
	}
	if len(wanted) == 0 {
		return nil, badRequest("ValidationError", "At least one target must be specified")
	}
	for _, t := range wanted {
		known := g.find(t.address, t.port)
		if known == nil {
			known = &target{address: t.address, port: t.port}
			g.targets = append(g.targets, known)
		} else if known.state != routing.Draining {
			continue
		}
		*known = target{address: t.address, port: t.port, state: routing.Initial, reason: reasonRegistering}
	}
	s.changedLocked()
	return struct{}{}, nil
}

// deregisterTargets leaves the targets draining for the deregistration delay, or
// takes them away at once when no load balancer uses the group.
func (s *elbStore) deregisterTargets(form *element) (any, error) {
	g, err := s.group(form.str("TargetGroupArn"))
	if err != nil {
		return nil, err
	}
	wanted, err := readTargets(form, g)
	if err != nil {
		return nil, err
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
		known.gone = s.opts.Now().Add(s.opts.DeregistrationDelay)
		if s.balancerOf(g) == nil {
			known.gone = s.opts.Now()
		}
	}
	s.changedLocked()
	return struct{}{}, nil
}

func (s *elbStore) describeTargetHealth(form *element) (any, error) {
	g, err := s.group(form.str("TargetGroupArn"))
	if err != nil {
		return nil, err
	}
	s.forgetDrained()
	wanted, err := readTargets(form, g)
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
			t.state, t.reason = routing.Unused, reasonNotFound
		}
		answer.TargetHealthDescriptions.Items = append(answer.TargetHealthDescriptions.Items, s.wireTarget(t))
	}
	return answer, nil
}

// forgetDrained takes away the targets whose deregistration delay is over.
func (s *elbStore) forgetDrained() {
	now := s.opts.Now()
	for _, g := range s.groups {
		g.targets = slices.DeleteFunc(g.targets, func(t *target) bool {
			return t.state == routing.Draining && !t.gone.After(now)
		})
	}
}

// setTargetHealth takes over what the edge's health checks found.
func (s *elbStore) setTargetHealth(arn, address string, port int, state routing.State, reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g, err := s.group(arn)
	if err != nil {
		return // deleted since the check began
	}
	t := g.find(address, port)
	if t == nil || t.state == routing.Draining {
		return
	}
	if reason == "" && state == routing.Unhealthy {
		reason = reasonFailed
	}
	if t.state == state && t.reason == reason {
		return
	}
	t.state, t.reason = state, reason
	s.changedLocked()
}
