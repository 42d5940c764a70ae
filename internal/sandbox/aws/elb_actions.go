package aws

import (
	"cmp"
	"slices"
	"strconv"
)

// Limits of forward actions. ELBv2 API: TargetGroupTuple,
// TargetGroupStickinessConfig; user guide, load-balancer-limits.
const (
	maxForwardGroups = 5
	maxGroupWeight   = 999
	maxStickySeconds = 604800
)

// action is one action of a rule; which fields count depends on kind.
type action struct {
	kind  string // forward, fixed-response, authenticate-oidc
	order int    // 0 when it was not given

	groups        []weightedGroup
	sticky        bool
	stickySeconds int // 0 when it was not given

	config      *element // fixed-response and authenticate-oidc, without the secret
	fixedStatus int
	secret      string // OIDC client secret: kept, never answered
}

type weightedGroup struct {
	arn    string
	weight int
}

func (a action) forwardsTo(arn string) bool {
	return slices.ContainsFunc(a.groups, func(g weightedGroup) bool { return g.arn == arn })
}

type xmlAction struct {
	Type                   string
	TargetGroupArn         string      `xml:",omitempty"`
	Order                  int         `xml:",omitempty"`
	ForwardConfig          *xmlForward `xml:",omitempty"`
	FixedResponseConfig    *element    `xml:",omitempty"`
	AuthenticateOidcConfig *element    `xml:",omitempty"`
}

type xmlForward struct {
	TargetGroups []xmlTuple `xml:"TargetGroups>member"`
	Sticky       bool       `xml:"TargetGroupStickinessConfig>Enabled"`
	Seconds      int        `xml:"TargetGroupStickinessConfig>DurationSeconds,omitempty"`
}

type xmlTuple struct {
	TargetGroupArn string
	Weight         int
}

func wireActions(actions []action) []xmlAction {
	var out []xmlAction
	for _, a := range actions {
		wire := xmlAction{Type: a.kind, Order: a.order}
		switch a.kind {
		case "forward":
			wire.ForwardConfig = &xmlForward{Sticky: a.sticky, Seconds: a.stickySeconds}
			for _, g := range a.groups {
				wire.ForwardConfig.TargetGroups = append(wire.ForwardConfig.TargetGroups, xmlTuple{g.arn, g.weight})
			}
			if len(a.groups) == 1 {
				wire.TargetGroupArn = a.groups[0].arn
			}
		case "fixed-response":
			wire.FixedResponseConfig = a.config
		case "authenticate-oidc":
			wire.AuthenticateOidcConfig = a.config
		}
		out = append(out, wire)
	}
	return out
}

// readActions reads a whole list of actions for a listener; before is the list
// that it replaces, where an OIDC secret may be taken from.
func (s *elbStore) readActions(l *listener, in []*element, before []action) ([]action, error) {
	var out []action
	for _, e := range in {
		a, err := s.readAction(l, e, before)
		if err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	if len(out) > 1 {
		for i, a := range out {
			if a.order == 0 {
				return nil, badRequest("ValidationError", "An action order must be specified for rules with multiple actions")
			}
			if slices.ContainsFunc(out[:i], func(other action) bool { return other.order == a.order }) {
				return nil, badRequest("ValidationError", "Action order %d is specified more than once", a.order)
			}
		}
		slices.SortFunc(out, func(a, b action) int { return cmp.Compare(a.order, b.order) })
	}
	for i, a := range out {
		if last := i == len(out)-1; last == (a.kind == "authenticate-oidc") {
			return nil, badRequest("InvalidLoadBalancerAction",
				"A rule must have exactly one forward or fixed-response action, and it must be the last action to be performed")
		}
	}
	return out, nil
}

func (s *elbStore) readAction(l *listener, e *element, before []action) (action, error) {
	a := action{kind: e.str("Type")}
	var err error
	if a.order, err = e.integer("Order", 0, 1, 50000); err != nil {
		return a, err
	}
	switch a.kind {
	case "forward":
		err = s.readForward(l, e, &a)
	case "fixed-response":
		err = readFixedResponse(e, &a)
	case "authenticate-oidc":
		if l.protocol != "HTTPS" {
			return a, badRequest("InvalidLoadBalancerAction", "Actions of type 'authenticate-oidc' are supported only on HTTPS listeners")
		}
		err = readOIDC(e, &a, before)
	default:
		err = badRequest("InvalidLoadBalancerAction",
			"The sandbox has actions of the types forward, fixed-response and authenticate-oidc only, not '%s'", a.kind)
	}
	return a, err
}

func (s *elbStore) readForward(l *listener, e *element, a *action) error {
	single, config := e.str("TargetGroupArn"), e.child("ForwardConfig")
	for _, tuple := range config.list("TargetGroups") {
		weight, err := tuple.integer("Weight", 1, 0, maxGroupWeight)
		if err != nil {
			return err
		}
		a.groups = append(a.groups, weightedGroup{tuple.str("TargetGroupArn"), weight})
	}
	switch {
	case len(a.groups) == 0 && single == "":
		return badRequest("ValidationError", "A target group ARN must be specified for actions of type 'forward'")
	case len(a.groups) == 0:
		a.groups = []weightedGroup{{single, 1}}
	case single != "" && (len(a.groups) > 1 || a.groups[0].arn != single):
		return badRequest("InvalidLoadBalancerAction", "TargetGroupArn and ForwardConfig of an action must name the same single target group")
	case len(a.groups) > maxForwardGroups:
		return badRequest("ValidationError", "A forward action can have up to %d target groups, and %d are specified", maxForwardGroups, len(a.groups))
	}
	for i, g := range a.groups {
		if slices.ContainsFunc(a.groups[:i], func(other weightedGroup) bool { return other.arn == g.arn }) {
			return badRequest("ValidationError", "Target group '%s' is specified more than once in a forward action", g.arn)
		}
		if err := s.attachable(l, g.arn); err != nil {
			return err
		}
	}
	return readStickiness(config.child("TargetGroupStickinessConfig"), a)
}

func readStickiness(e *element, a *action) error {
	a.sticky = e.str("Enabled") == "true"
	var err error
	if a.stickySeconds, err = e.integer("DurationSeconds", 0, 1, maxStickySeconds); err != nil {
		return err
	}
	if a.sticky && a.stickySeconds == 0 {
		return badRequest("ValidationError", "A duration must be specified when target group stickiness is enabled")
	}
	return nil
}

// attachable refuses a group that doesn't exist, or that another load balancer uses.
func (s *elbStore) attachable(l *listener, arn string) error {
	g, err := s.group(arn)
	if err != nil {
		return badRequest("TargetGroupNotFound", "Target groups '%s' not found", arn)
	}
	if b := s.balancerOf(g); b != nil && b != l.balancer {
		return badRequest("TargetGroupAssociationLimit",
			"The following target groups cannot be associated with more than one load balancer: %s", arn)
	}
	return nil
}

func readFixedResponse(e *element, a *action) error {
	a.config = e.child("FixedResponseConfig")
	status, err := strconv.Atoi(a.config.str("StatusCode"))
	if err != nil || status < 200 || status > 599 || status/100 == 3 {
		return badRequest("ValidationError", "The fixed response status code '%s' must match '^(2|4|5)\\d\\d$'", a.config.str("StatusCode"))
	}
	a.fixedStatus = status
	return nil
}

// readOIDC keeps the configuration as it came, but for the client secret: that
// is never answered, so a list that is written back takes it over by
// UseExistingClientSecret.
func readOIDC(e *element, a *action, before []action) error {
	config := e.child("AuthenticateOidcConfig")
	for _, name := range []string{"Issuer", "AuthorizationEndpoint", "TokenEndpoint", "UserInfoEndpoint", "ClientId"} {
		if config.str(name) == "" {
			return badRequest("ValidationError", "The parameter '%s' must be specified for actions of type 'authenticate-oidc'", name)
		}
	}
	a.config = config.without("ClientSecret", "UseExistingClientSecret")
	a.secret = config.str("ClientSecret")
	if config.str("UseExistingClientSecret") == "true" {
		i := slices.IndexFunc(before, func(old action) bool { return old.kind == a.kind })
		switch {
		case a.secret != "":
			return badRequest("ValidationError", "A client secret can't be specified together with UseExistingClientSecret")
		case i < 0:
			return badRequest("ValidationError", "UseExistingClientSecret is set, but there is no existing client secret")
		}
		a.secret = before[i].secret
	}
	if a.secret == "" {
		return badRequest("ValidationError", "A client secret must be specified for actions of type 'authenticate-oidc'")
	}
	return nil
}
