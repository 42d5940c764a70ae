package aws

import (
	"cmp"
	"slices"
	"strconv"
)

// maxRules is how many rules a load balancer has, default rules not counted.
const maxRules = 100

type xmlRule struct {
	RuleArn    string
	Priority   string
	Conditions struct {
		Items []xmlCondition `xml:"member"`
	}
	Actions   []xmlAction `xml:"Actions>member"`
	IsDefault bool
}

type xmlRules struct {
	Rules      listOf[xmlRule]
	NextMarker string `xml:",omitempty"`
}

func (r *rule) wire() xmlRule {
	out := xmlRule{RuleArn: r.arn, Priority: "default", Actions: wireActions(r.actions), IsDefault: r.priority == 0}
	if r.priority > 0 {
		out.Priority = strconv.Itoa(r.priority)
	}
	for _, c := range r.conditions {
		out.Conditions.Items = append(out.Conditions.Items, c.wire())
	}
	return out
}

func oneRule(r *rule) xmlRules {
	return xmlRules{Rules: listOf[xmlRule]{[]xmlRule{r.wire()}}}
}

func (a *elbAccount) ruleARN(l *listener) string {
	return a.arn("listener-rule/" + l.balancer.suffix() + "/" + l.id + "/" + a.ids.hex16())
}

func (a *elbAccount) createRule(form *element) (any, error) {
	l, err := a.listener(form.str("ListenerArn"))
	if err != nil {
		return nil, err
	}
	if l.balancer.kind == networkType {
		return nil, badRequest("UnsupportedOperation", "Rules are unsupported for Network Load Balancer listeners")
	}
	r := &rule{listener: l}
	if r.priority, err = form.integer("Priority", 0, 1, 50000); err != nil {
		return nil, err
	}
	if r.conditions, err = readConditions(form.list("Conditions")); err != nil {
		return nil, err
	}
	actions, err := a.readActions(l, form.list("Actions"), nil)
	if err != nil {
		return nil, err
	}
	tags, err := readTags(form.list("Tags"))
	if err != nil {
		return nil, err
	}
	at, taken := slices.BinarySearchFunc(l.rules, r, func(a, b *rule) int { return cmp.Compare(a.rank(), b.rank()) })
	switch {
	case r.priority == 0:
		return nil, badRequest("ValidationError", "A rule priority must be specified")
	case len(r.conditions) == 0:
		return nil, badRequest("ValidationError", "A condition must be specified")
	case len(actions) == 0:
		return nil, badRequest("ValidationError", "An action must be specified")
	case taken:
		return nil, badRequest("PriorityInUse", "Priority '%d' is currently in use", r.priority)
	case a.ruleCount(l.balancer) >= maxRules:
		return nil, badRequest("TooManyRules", "The maximum number of rules has been reached on load balancer '%s'", l.balancer.arn)
	}
	r.arn = a.ruleARN(l)
	l.rules = slices.Insert(slices.Clone(l.rules), at, r)
	a.rules[r.arn] = r
	a.setActions(r, actions)
	a.setTags(r.arn, tags)
	return oneRule(r), nil
}

// rank orders rules as they are tried, the default rule last.
func (r *rule) rank() int {
	if r.priority == 0 {
		return 1 << 30
	}
	return r.priority
}

func (a *elbAccount) ruleCount(b *loadBalancer) int {
	n := 0
	for _, l := range a.listeners.all {
		if l.balancer == b {
			n += len(l.rules) - 1
		}
	}
	return n
}

// modifyRule replaces the lists that the request names, each as a whole.
func (a *elbAccount) modifyRule(form *element) (any, error) {
	r, err := a.rule(form.str("RuleArn"))
	if err != nil {
		return nil, err
	}
	if r.priority == 0 {
		return nil, badRequest("OperationNotPermitted", "Default rule '%s' cannot be modified", r.arn)
	}
	conditions, actions := r.conditions, r.actions
	if in := form.list("Conditions"); len(in) > 0 {
		if conditions, err = readConditions(in); err != nil {
			return nil, err
		}
	}
	if in := form.list("Actions"); len(in) > 0 {
		if actions, err = a.readActions(r.listener, in, r); err != nil {
			return nil, err
		}
	}
	r.conditions = conditions
	a.setActions(r, actions)
	return oneRule(r), nil
}

// setActions gives a rule its actions, and keeps account of which groups are used
// by which rules, and so by which load balancer.
func (a *elbAccount) setActions(r *rule, actions []action) {
	before := r.actions
	r.actions = actions
	for _, g := range a.forwardedTo(before) {
		a.detach(g, r)
	}
	for _, g := range a.forwardedTo(actions) {
		if len(g.rules) == 0 {
			g.balancer, g.stale = r.listener.balancer, true
			g.balancer.groups++
		}
		g.rules[r] = struct{}{}
	}
	if len(actions) > 0 {
		r.refresh()
	}
}

func (a *elbAccount) detach(g *targetGroup, r *rule) {
	delete(g.rules, r)
	if len(g.rules) == 0 && g.balancer != nil {
		g.balancer.groups--
		g.balancer, g.stale = nil, true
	}
}

// forwardedTo returns the groups of a list of actions.
func (a *elbAccount) forwardedTo(actions []action) []*targetGroup {
	var out []*targetGroup
	for _, action := range actions {
		for _, weighted := range action.groups {
			out = append(out, a.groups.byARN[weighted.arn])
		}
	}
	return out
}

func (a *elbAccount) describeRules(form *element) (any, error) {
	arns, listenerARN := form.texts("RuleArns"), form.str("ListenerArn")
	var found []*rule
	switch {
	case (len(arns) > 0) == (listenerARN != ""):
		return nil, badRequest("ValidationError", "You must specify either listener rule ARNs or a listener ARN")
	case listenerARN != "":
		l, err := a.listener(listenerARN)
		if err != nil {
			return nil, err
		}
		found = l.rules
	default:
		for _, arn := range arns {
			r, err := a.rule(arn)
			if err != nil {
				return nil, err
			}
			found = append(found, r)
		}
	}
	part, next, err := page(form, found)
	if err != nil {
		return nil, err
	}
	answer := xmlRules{NextMarker: next}
	for _, r := range part {
		answer.Rules.Items = append(answer.Rules.Items, r.wire())
	}
	return answer, nil
}

func (a *elbAccount) deleteRule(form *element) (any, error) {
	r, err := a.rule(form.str("RuleArn"))
	if err != nil {
		return nil, err
	}
	if r.priority == 0 {
		return nil, badRequest("OperationNotPermitted", "Default rule '%s' cannot be deleted", r.arn)
	}
	l := r.listener
	l.rules = slices.DeleteFunc(slices.Clone(l.rules), func(other *rule) bool { return other == r })
	l.stale = true
	a.dropRule(r)
	return struct{}{}, nil
}

// dropRule forgets a rule that its listener has let go.
func (a *elbAccount) dropRule(r *rule) {
	a.setActions(r, nil)
	delete(a.rules, r.arn)
	delete(a.tags, r.arn)
}
