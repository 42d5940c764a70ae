package aws

import (
	"slices"
	"strings"
)

// maxListeners is how many listeners a load balancer has. ELB user guides,
// load-balancer-limits.
const maxListeners = 50

type xmlListener struct {
	ListenerArn     string
	LoadBalancerArn string
	Port            int
	Protocol        string
	SslPolicy       string           `xml:",omitempty"`
	AlpnPolicy      listOf[string]   `xml:"AlpnPolicy"`
	Certificates    listOf[*element] `xml:"Certificates"`
	DefaultActions  []xmlAction      `xml:"DefaultActions>member"`
}

type xmlListeners struct {
	Listeners  listOf[xmlListener]
	NextMarker string `xml:",omitempty"`
}

func (l *listener) wire() xmlListener {
	out := xmlListener{
		ListenerArn: l.arn, LoadBalancerArn: l.balancer.arn, Port: l.port, Protocol: l.protocol, SslPolicy: l.sslPolicy,
		Certificates: listOf[*element]{l.certificates}, DefaultActions: wireActions(l.defaultRule().actions),
	}
	if l.alpn != "" {
		out.AlpnPolicy.Items = []string{l.alpn}
	}
	return out
}

func oneListener(l *listener) xmlListeners {
	return xmlListeners{Listeners: listOf[xmlListener]{[]xmlListener{l.wire()}}}
}

func (a *elbAccount) createListener(form *element) (any, error) {
	b, err := a.balancer(form.str("LoadBalancerArn"))
	if err != nil {
		return nil, err
	}
	l := &listener{balancer: b}
	if err := a.readListener(form, l); err != nil {
		return nil, err
	}
	if l.port == 0 || l.protocol == "" {
		return nil, badRequest("ValidationError", "A listener protocol and port must be specified")
	}
	in := form.list("DefaultActions")
	if len(in) == 0 {
		return nil, badRequest("ValidationError", "A default action must be specified")
	}
	actions, err := a.readActions(l, in, nil)
	if err != nil {
		return nil, err
	}
	tags, err := readTags(form.list("Tags"))
	if err != nil {
		return nil, err
	}
	if n := len(slices.DeleteFunc(slices.Clone(a.listeners.all), func(other *listener) bool { return other.balancer != b })); n >= maxListeners {
		return nil, badRequest("TooManyListeners", "The maximum number of listeners has been reached on load balancer '%s'", b.arn)
	}
	l.id = a.ids.hex16()
	l.arn = a.arn("listener/" + b.suffix() + "/" + l.id)
	r := &rule{arn: a.ruleARN(l), listener: l}
	l.rules = []*rule{r}
	a.listeners.add(l.arn, l)
	a.rules[r.arn] = r
	a.setActions(r, actions)
	a.setTags(l.arn, tags)
	return oneListener(l), nil
}

// readListener overlays the settings that a request names, but for the actions.
func (a *elbAccount) readListener(form *element, l *listener) error {
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
	if policies := form.texts("AlpnPolicy"); len(policies) > 0 {
		l.alpn = policies[0]
	}
	if err := l.checkProtocol(); err != nil {
		return err
	}
	if slices.ContainsFunc(a.listeners.all, func(other *listener) bool {
		return other.balancer == l.balancer && other.port == l.port && other.arn != l.arn
	}) {
		return badRequest("DuplicateListener", "A listener already exists on this port for this load balancer '%s'", l.balancer.arn)
	}
	return nil
}

// checkProtocol keeps the protocols of the two types apart, and what goes with
// encryption with the protocols that encrypt.
func (l *listener) checkProtocol() error {
	allowed := []string{"HTTPS", "HTTP"}
	if l.balancer.kind == networkType {
		allowed = []string{"TCP", "TLS", "UDP", "TCP_UDP"}
	}
	encrypts := l.protocol == "HTTPS" || l.protocol == "TLS"
	switch {
	case l.protocol == "":
	case !slices.Contains(allowed, l.protocol):
		return badRequest("ValidationError", "Listener protocol '%s' must be one of '%s'", l.protocol, strings.Join(allowed, ", "))
	case encrypts && len(l.certificates) == 0:
		return badRequest("ValidationError", "A certificate must be specified for %s listeners", l.protocol)
	case len(l.certificates) > 1:
		return badRequest("ValidationError", "Exactly one certificate must be specified, and %d are", len(l.certificates))
	case encrypts && l.sslPolicy == "":
		l.sslPolicy = "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09"
	case !encrypts:
		l.sslPolicy, l.certificates = "", nil
	}
	switch {
	case l.protocol != "TLS":
		l.alpn = ""
	case l.alpn != "" && !oneOf("HTTP1Only", "HTTP2Only", "HTTP2Optional", "HTTP2Preferred", "None")(l.alpn):
		return badRequest("ALPNPolicyNotFound", "The ALPN policy '%s' is not supported", l.alpn)
	}
	return nil
}

func (a *elbAccount) modifyListener(form *element) (any, error) {
	l, err := a.listener(form.str("ListenerArn"))
	if err != nil {
		return nil, err
	}
	wanted := *l
	if err := a.readListener(form, &wanted); err != nil {
		return nil, err
	}
	r := l.defaultRule()
	actions := r.actions
	if in := form.list("DefaultActions"); len(in) > 0 {
		if actions, err = a.readActions(&wanted, in, r); err != nil {
			return nil, err
		}
	}
	for _, other := range l.rules {
		kept := other.actions
		if other == r {
			kept = actions
		}
		if err := a.checkCompatible(&wanted, kept); err != nil {
			return nil, err
		}
	}
	*l = wanted
	a.setActions(r, actions)
	return oneListener(l), nil
}

func (a *elbAccount) describeListeners(form *element) (any, error) {
	arns, balancer := form.texts("ListenerArns"), form.str("LoadBalancerArn")
	var found []*listener
	switch {
	case (len(arns) > 0) == (balancer != ""):
		return nil, badRequest("ValidationError", "You must specify either listener ARNs or a load balancer ARN")
	case balancer != "":
		b, err := a.balancer(balancer)
		if err != nil {
			return nil, err
		}
		found = slices.DeleteFunc(slices.Clone(a.listeners.all), func(l *listener) bool { return l.balancer != b })
	default:
		for _, arn := range arns {
			l, err := a.listener(arn)
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

func (a *elbAccount) deleteListener(form *element) (any, error) {
	l, err := a.listener(form.str("ListenerArn"))
	if err != nil {
		return nil, err
	}
	a.dropListener(l)
	return struct{}{}, nil
}

// dropListener takes a listener away with its rules and their tags.
func (a *elbAccount) dropListener(l *listener) {
	a.listeners.drop(l.arn)
	delete(a.tags, l.arn)
	for _, r := range l.rules {
		a.dropRule(r)
	}
}
