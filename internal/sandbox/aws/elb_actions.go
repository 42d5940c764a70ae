package aws

import (
	"cmp"
	"slices"
)

// Limits of actions. ELBv2 API: TargetGroupTuple, TargetGroupStickinessConfig;
// user guide, load-balancer-limits.
const (
	maxActions       = 2 // one that authenticates, and one that ends
	maxForwardGroups = 5
	maxGroupWeight   = 999
	maxStickySeconds = weekSeconds
	maxGroupsInUse   = 100 // by one load balancer
)

// Types of actions that are known here.
const (
	forwardAction  = "forward"
	fixedAction    = "fixed-response"
	redirectAction = "redirect"
	oidcAction     = "authenticate-oidc"
	cognitoAction  = "authenticate-cognito"
)

// action is one action of a rule; which fields count depends on kind.
type action struct {
	kind  string
	order int // 0 when it was not given

	groups        []weightedGroup
	sticky        bool
	stickySeconds int // 0 when it was not given

	config      *element // of all kinds but forward, without secrets
	fixedStatus int      // of redirects too
	redirect    string   // Location with placeholders
	secret      string   // OIDC client secret: kept, never answered
}

type weightedGroup struct {
	arn    string
	weight int
}

func (a action) forwardsTo(arn string) bool {
	return slices.ContainsFunc(a.groups, func(g weightedGroup) bool { return g.arn == arn })
}

// ends tells the actions that answer or forward from those that only authenticate.
func (a action) ends() bool { return a.kind != oidcAction && a.kind != cognitoAction }

type xmlAction struct {
	Type                      string
	TargetGroupArn            string      `xml:",omitempty"`
	Order                     int         `xml:",omitempty"`
	ForwardConfig             *xmlForward `xml:",omitempty"`
	FixedResponseConfig       *element    `xml:",omitempty"`
	RedirectConfig            *element    `xml:",omitempty"`
	AuthenticateOidcConfig    *element    `xml:",omitempty"`
	AuthenticateCognitoConfig *element    `xml:",omitempty"`
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
		case forwardAction:
			wire.ForwardConfig = &xmlForward{Sticky: a.sticky, Seconds: a.stickySeconds}
			for _, g := range a.groups {
				wire.ForwardConfig.TargetGroups = append(wire.ForwardConfig.TargetGroups, xmlTuple{g.arn, g.weight})
			}
			if len(a.groups) == 1 {
				wire.TargetGroupArn = a.groups[0].arn
			}
		case fixedAction:
			wire.FixedResponseConfig = a.config
		case redirectAction:
			wire.RedirectConfig = a.config
		case oidcAction:
			wire.AuthenticateOidcConfig = a.config
		case cognitoAction:
			wire.AuthenticateCognitoConfig = a.config
		}
		out = append(out, wire)
	}
	return out
}

// readActions reads a whole list of actions for a listener; before is the rule
// whose list it replaces, nil for a new one.
func (a *elbAccount) readActions(l *listener, in []*element, before *rule) ([]action, error) {
	var out, old []action
	if before != nil {
		old = before.actions
	}
	if len(in) > maxActions {
		return nil, badRequest("TooManyActions", "A rule can have up to %d actions, and %d are specified", maxActions, len(in))
	}
	for _, e := range in {
		read, err := a.readAction(l, e, old)
		if err != nil {
			return nil, err
		}
		out = append(out, read)
	}
	if err := inOrder(out); err != nil {
		return nil, err
	}
	for i, read := range out {
		if last := i == len(out)-1; last != read.ends() {
			return nil, badRequest("InvalidLoadBalancerAction",
				"A rule must have exactly one forward, redirect or fixed-response action, and it must be the last action to be performed")
		}
	}
	if err := a.checkCompatible(l, out); err != nil {
		return nil, err
	}
	if err := checkTargetStickiness(out, a.forwardedTo(out)...); err != nil {
		return nil, err
	}
	return out, a.checkUse(l.balancer, old, out, before)
}

// inOrder sorts actions by their order, which several must have, each its own.
func inOrder(actions []action) error {
	if len(actions) < 2 {
		return nil
	}
	for i, a := range actions {
		if a.order == 0 {
			return badRequest("ValidationError", "An action order must be specified for rules with multiple actions")
		}
		if slices.ContainsFunc(actions[:i], func(other action) bool { return other.order == a.order }) {
			return badRequest("ValidationError", "Action order %d is specified more than once", a.order)
		}
	}
	slices.SortFunc(actions, func(a, b action) int { return cmp.Compare(a.order, b.order) })
	return nil
}

func (a *elbAccount) readAction(l *listener, e *element, before []action) (action, error) {
	out := action{kind: e.str("Type")}
	var err error
	if out.order, err = e.integer("Order", 0, 1, 50000); err != nil {
		return out, err
	}
	if l.balancer.kind == networkType && out.kind != forwardAction {
		return out, badRequest("InvalidLoadBalancerAction", "Actions of type '%s' are not supported on %s listeners: a network load balancer forwards only", out.kind, l.protocol)
	}
	switch out.kind {
	case forwardAction:
		err = a.readForward(l, e, &out)
	case fixedAction:
		err = readFixedResponse(e, &out)
	case redirectAction:
		err = readRedirect(l, e, &out)
	case oidcAction:
		err = readOIDC(e, &out, before)
	case cognitoAction:
		err = readCognito(e, &out)
	default:
		err = badRequest("InvalidLoadBalancerAction",
			"The sandbox has actions of the types forward, fixed-response, redirect, authenticate-oidc and authenticate-cognito only, not '%s'", out.kind)
	}
	return out, err
}

func (a *elbAccount) readForward(l *listener, e *element, out *action) error {
	single, config := e.str("TargetGroupArn"), e.child("ForwardConfig")
	for _, tuple := range config.list("TargetGroups") {
		weight, err := tuple.integer("Weight", 1, -1<<31, 1<<31-1)
		if err != nil {
			return err
		}
		if weight < 0 || weight > maxGroupWeight {
			return badRequest("ValidationError", "The weight for each target group must be between 0 and %d, inclusive", maxGroupWeight)
		}
		out.groups = append(out.groups, weightedGroup{tuple.str("TargetGroupArn"), weight})
	}
	switch {
	case len(out.groups) == 0 && single == "":
		return badRequest("ValidationError", "A target group ARN must be specified for actions of type 'forward'")
	case len(out.groups) == 0:
		out.groups = []weightedGroup{{single, 1}}
	case single != "" && (len(out.groups) > 1 || out.groups[0].arn != single):
		return badRequest("InvalidLoadBalancerAction", "TargetGroupArn and ForwardConfig of an action must name the same single target group")
	case len(out.groups) > maxForwardGroups:
		return badRequest("ValidationError", "A forward action can have up to %d target groups, and %d are specified", maxForwardGroups, len(out.groups))
	}
	for i, weighted := range out.groups {
		if slices.ContainsFunc(out.groups[:i], func(other weightedGroup) bool { return other.arn == weighted.arn }) {
			return badRequest("ValidationError", "Target group '%s' is specified more than once in a forward action", weighted.arn)
		}
		g, err := a.group(weighted.arn)
		if err != nil {
			return badRequest("TargetGroupNotFound", "Target groups '%s' not found", weighted.arn)
		}
		if g.balancer != nil && g.balancer != l.balancer {
			return badRequest("TargetGroupAssociationLimit",
				"The following target groups cannot be associated with more than one load balancer: %s", weighted.arn)
		}
	}
	return readStickiness(config.child("TargetGroupStickinessConfig"), l, out)
}

// readStickiness reads how long clients stay with a group. That of a network load
// balancer has no duration: it lasts as long as the client's flows.
func readStickiness(e *element, l *listener, out *action) error {
	out.sticky = e.str("Enabled") == "true"
	seconds, err := e.integer("DurationSeconds", 0, -1<<31, 1<<31-1)
	if err != nil {
		return err
	}
	if l.balancer.kind == networkType {
		if e.has("DurationSeconds") {
			return badRequest("ValidationError", "A target group stickiness duration is not supported for network load balancers")
		}
		return nil
	}
	if (out.sticky || e.has("DurationSeconds")) && (seconds < 1 || seconds > maxStickySeconds) {
		return badRequest("ValidationError", "Target group stickiness duration must be between 1 and %d seconds", maxStickySeconds)
	}
	out.stickySeconds = seconds
	return nil
}

// checkCompatible refuses actions that a listener of that protocol can't carry out.
func (a *elbAccount) checkCompatible(l *listener, actions []action) error {
	for _, action := range actions {
		if !action.ends() && l.protocol != "HTTPS" {
			return badRequest("InvalidLoadBalancerAction", "Actions of type '%s' are supported only on HTTPS listeners", action.kind)
		}
	}
	for _, g := range a.forwardedTo(actions) {
		if !slices.Contains(groupProtocols(l.protocol), g.protocol) {
			return badRequest("IncompatibleProtocols", "The listener and its associated target group '%s' have incompatible protocols: '%s' and '%s'", g.arn, l.protocol, g.protocol)
		}
	}
	return nil
}

// groupProtocols lists which groups a listener forwards to.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-target-groups.html
func groupProtocols(listener string) []string {
	return map[string][]string{
		"HTTP":    {"HTTP", "HTTPS"},
		"HTTPS":   {"HTTP", "HTTPS"},
		"TCP":     {"TCP", "TCP_UDP"},
		"TLS":     {"TCP", "TLS"},
		"UDP":     {"UDP", "TCP_UDP"},
		"TCP_UDP": {"TCP_UDP"},
	}[listener]
}

// checkUse keeps the limit of groups that one load balancer uses, when a rule
// (nil for a new one) takes other actions.
func (a *elbAccount) checkUse(b *loadBalancer, old, wanted []action, r *rule) error {
	used := b.groups
	for _, g := range a.forwardedTo(wanted) {
		if g.balancer == nil {
			used++
		}
	}
	for _, g := range a.forwardedTo(old) {
		_, mine := g.rules[r]
		if mine && len(g.rules) == 1 && !slices.ContainsFunc(wanted, func(a action) bool { return a.forwardsTo(g.arn) }) {
			used--
		}
	}
	if used > maxGroupsInUse {
		return badRequest("TooManyUniqueTargetGroupsPerLoadBalancer", "Load balancer '%s' can use up to %d target groups", b.arn, maxGroupsInUse)
	}
	return nil
}
