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

func (s *elbStore) ruleARN(l *listener) string {
	return s.arn("listener-rule/" + l.balancer.suffix() + "/" + l.id + "/" + s.ids.hex16())
}

func (s *elbStore) createRule(form *element) (any, error) {
	l, err := s.listener(form.str("ListenerArn"))
	if err != nil {
		return nil, err
	}
	r := &rule{}
	if r.priority, err = form.integer("Priority", 0, 1, 50000); err != nil {
		return nil, err
	}
	if r.conditions, err = readConditions(form.list("Conditions")); err != nil {
		return nil, err
	}
	if r.actions, err = s.readActions(l, form.list("Actions"), nil); err != nil {
		return nil, err
	}
	tags, err := readTags(form.list("Tags"))
	if err != nil {
		return nil, err
	}
	switch {
	case r.priority == 0:
		return nil, badRequest("ValidationError", "A rule priority must be specified")
	case len(r.conditions) == 0:
		return nil, badRequest("ValidationError", "A condition must be specified")
	case len(r.actions) == 0:
		return nil, badRequest("ValidationError", "An action must be specified")
	case slices.ContainsFunc(l.rules, func(other *rule) bool { return other.priority == r.priority }):
		return nil, badRequest("PriorityInUse", "Priority '%d' is currently in use", r.priority)
	case s.ruleCount(l.balancer) >= maxRules:
		return nil, badRequest("TooManyRules", "The maximum number of rules has been reached on load balancer '%s'", l.balancer.arn)
	}
	r.arn = s.ruleARN(l)
	l.rules = append(l.rules, r)
	slices.SortFunc(l.rules, func(a, b *rule) int { return cmp.Compare(a.rank(), b.rank()) })
	s.setTags(r.arn, tags)
	s.changedLocked()
	return oneRule(r), nil
}

// rank orders rules as they are tried, the default rule last.
func (r *rule) rank() int {
	if r.priority == 0 {
		return 1 << 30
	}
	return r.priority
}

func (s *elbStore) ruleCount(b *loadBalancer) int {
	n := 0
	for _, l := range s.listeners {
		if l.balancer == b {
			n += len(l.rules) - 1
		}
	}
	return n
}

// modifyRule replaces the lists that the request names, each as a whole.
func (s *elbStore) modifyRule(form *element) (any, error) {
	l, r, err := s.rule(form.str("RuleArn"))
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
		if actions, err = s.readActions(l, in, r.actions); err != nil {
			return nil, err
		}
	}
	r.conditions, r.actions = conditions, actions
	s.changedLocked()
	return oneRule(r), nil
}

func (s *elbStore) describeRules(form *element) (any, error) {
	arns, listenerARN := form.texts("RuleArns"), form.str("ListenerArn")
	var found []*rule
	switch {
	case (len(arns) > 0) == (listenerARN != ""):
		return nil, badRequest("ValidationError", "You must specify either listener rule ARNs or a listener ARN")
	case listenerARN != "":
		l, err := s.listener(listenerARN)
		if err != nil {
			return nil, err
		}
		found = l.rules
	default:
		for _, arn := range arns {
			_, r, err := s.rule(arn)
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

func (s *elbStore) deleteRule(form *element) (any, error) {
	l, r, err := s.rule(form.str("RuleArn"))
	if err != nil {
		return nil, err
	}
	if r.priority == 0 {
		return nil, badRequest("OperationNotPermitted", "Default rule '%s' cannot be deleted", r.arn)
	}
	l.rules = slices.DeleteFunc(l.rules, func(other *rule) bool { return other == r })
	delete(s.tags, r.arn)
	s.changedLocked()
	return struct{}{}, nil
}
