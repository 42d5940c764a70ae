package aws

import (
	"slices"
)

type xmlListener struct {
	ListenerArn     string
	LoadBalancerArn string
	Port            int
	Protocol        string
	SslPolicy       string           `xml:",omitempty"`
	Certificates    listOf[*element] `xml:"Certificates"`
	DefaultActions  []xmlAction      `xml:"DefaultActions>member"`
}

type xmlListeners struct {
	Listeners  listOf[xmlListener]
	NextMarker string `xml:",omitempty"`
}

func (l *listener) wire() xmlListener {
	return xmlListener{
		ListenerArn: l.arn, LoadBalancerArn: l.balancer.arn, Port: l.port, Protocol: l.protocol, SslPolicy: l.sslPolicy,
		Certificates: listOf[*element]{l.certificates}, DefaultActions: wireActions(l.defaultRule().actions),
	}
}

func oneListener(l *listener) xmlListeners {
	return xmlListeners{Listeners: listOf[xmlListener]{[]xmlListener{l.wire()}}}
}

func (s *elbStore) createListener(form *element) (any, error) {
	b, err := s.balancer(form.str("LoadBalancerArn"))
	if err != nil {
		return nil, err
	}
	l := &listener{balancer: b}
	if err := s.readListener(form, l); err != nil {
		return nil, err
	}
	if l.port == 0 || l.protocol == "" {
		return nil, badRequest("ValidationError", "A listener protocol and port must be specified")
	}
	actions, err := s.readActions(l, form.list("DefaultActions"), nil)
	if err != nil {
		return nil, err
	}
	if len(actions) == 0 {
		return nil, badRequest("ValidationError", "A default action must be specified")
	}
	tags, err := readTags(form.list("Tags"))
	if err != nil {
		return nil, err
	}
	l.id = s.ids.hex16()
	l.arn = s.arn("listener/" + b.suffix() + "/" + l.id)
	l.rules = []*rule{{arn: s.ruleARN(l), actions: actions}}
	s.listeners = append(s.listeners, l)
	s.setTags(l.arn, tags)
	s.changedLocked()
	return oneListener(l), nil
}

// readListener overlays the settings that a request names, but for the actions.
func (s *elbStore) readListener(form *element, l *listener) error {
	port, err := form.integer("Port", l.port, 1, 65535)
	if err != nil {
		return err
	}
	l.port = port
	if protocol := form.str("Protocol"); protocol != "" {
		l.protocol = protocol
	}
	if policy := form.str("SslPolicy"); policy != "" {
		l.sslPolicy = policy
	}
	if certificates := form.list("Certificates"); len(certificates) > 0 {
		l.certificates = certificates
	}
	switch {
	case l.protocol != "" && l.protocol != "HTTP" && l.protocol != "HTTPS":
		return badRequest("UnsupportedProtocol", "The protocol '%s' is not supported: an application load balancer has HTTP and HTTPS", l.protocol)
	case l.protocol == "HTTPS" && len(l.certificates) == 0:
		return badRequest("ValidationError", "A certificate must be specified for HTTPS listeners")
	case l.protocol == "HTTPS" && l.sslPolicy == "":
		l.sslPolicy = "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09"
	case l.protocol == "HTTP":
		l.sslPolicy, l.certificates = "", nil
	}
	if slices.ContainsFunc(s.listeners, func(other *listener) bool {
		return other.balancer == l.balancer && other.port == l.port && other.arn != l.arn
	}) {
		return badRequest("DuplicateListener", "A listener already exists on this port for this load balancer '%s'", l.balancer.arn)
	}
	return nil
}

func (s *elbStore) modifyListener(form *element) (any, error) {
	l, err := s.listener(form.str("ListenerArn"))
	if err != nil {
		return nil, err
	}
	wanted := *l
	if err := s.readListener(form, &wanted); err != nil {
		return nil, err
	}
	actions := l.defaultRule().actions
	if in := form.list("DefaultActions"); len(in) > 0 {
		if actions, err = s.readActions(&wanted, in, actions); err != nil {
			return nil, err
		}
	}
	*l = wanted
	l.defaultRule().actions = actions
	s.changedLocked()
	return oneListener(l), nil
}

func (s *elbStore) describeListeners(form *element) (any, error) {
	arns, balancer := form.texts("ListenerArns"), form.str("LoadBalancerArn")
	found := s.listeners
	switch {
	case (len(arns) > 0) == (balancer != ""):
		return nil, badRequest("ValidationError", "You must specify either listener ARNs or a load balancer ARN")
	case balancer != "":
		b, err := s.balancer(balancer)
		if err != nil {
			return nil, err
		}
		found = slices.DeleteFunc(slices.Clone(found), func(l *listener) bool { return l.balancer != b })
	default:
		found = nil
		for _, arn := range arns {
			l, err := s.listener(arn)
			if err != nil {
				return nil, err
			}
			found = append(found, l)
		}
	}
	part, next, err := page(form, found)
	if err != nil {
		return nil, err
	}
	answer := xmlListeners{NextMarker: next}
	for _, l := range part {
		answer.Listeners.Items = append(answer.Listeners.Items, l.wire())
	}
	return answer, nil
}

func (s *elbStore) deleteListener(form *element) (any, error) {
	l, err := s.listener(form.str("ListenerArn"))
	if err != nil {
		return nil, err
	}
	s.dropListener(l)
	s.changedLocked()
	return struct{}{}, nil
}

// dropListener takes a listener away with its rules and their tags.
func (s *elbStore) dropListener(l *listener) {
	s.listeners = slices.DeleteFunc(s.listeners, func(other *listener) bool { return other == l })
	delete(s.tags, l.arn)
	for _, r := range l.rules {
		delete(s.tags, r.arn)
	}
}
