package aws

import (
	"slices"
)

// Limits of target groups. ELB user guides, load-balancer-limits.
const (
	maxGroups  = 3000
	maxTargets = 1000
)

// healthCheck is how a group checks its targets.
type healthCheck struct {
	protocol, path, matcher string
	interval, timeout       int // seconds
	healthy, unhealthy      int // consecutive results
	from, to                int // matcher, inclusive
}

type xmlGroup struct {
	TargetGroupArn             string
	TargetGroupName            string
	Protocol                   string
	Port                       int
	VpcID                      string `xml:"VpcId"`
	HealthCheckProtocol        string
	HealthCheckPort            string
	HealthCheckEnabled         bool
	HealthCheckIntervalSeconds int
	HealthCheckTimeoutSeconds  int
	HealthyThresholdCount      int
	UnhealthyThresholdCount    int
	HealthCheckPath            string         `xml:",omitempty"`
	Matcher                    *xmlMatcher    `xml:",omitempty"`
	LoadBalancerArns           listOf[string] `xml:"LoadBalancerArns"`
	TargetType                 string
	ProtocolVersion            string `xml:",omitempty"`
	IPAddressType              string `xml:"IpAddressType"`
}

type xmlMatcher struct {
	HTTPCode string `xml:"HttpCode"`
}

type xmlGroups struct {
	TargetGroups listOf[xmlGroup]
	NextMarker   string `xml:",omitempty"`
}

// forNetwork tells the groups of network load balancers from those of application
// load balancers.
func (g *targetGroup) forNetwork() bool { return g.protocol != "HTTP" && g.protocol != "HTTPS" }

// datagrams tells whether its targets get UDP.
func (g *targetGroup) datagrams() bool { return g.protocol == "UDP" || g.protocol == "TCP_UDP" }

func wireGroup(g *targetGroup) xmlGroup {
	out := xmlGroup{
		TargetGroupArn: g.arn, TargetGroupName: g.name, Protocol: g.protocol, Port: g.port, VpcID: g.vpc,
		HealthCheckProtocol: g.check.protocol, HealthCheckPort: "traffic-port", HealthCheckEnabled: true,
		HealthCheckIntervalSeconds: g.check.interval, HealthCheckTimeoutSeconds: g.check.timeout,
		HealthyThresholdCount: g.check.healthy, UnhealthyThresholdCount: g.check.unhealthy,
		HealthCheckPath: g.check.path,
		TargetType:      "ip", ProtocolVersion: g.version, IPAddressType: "ipv4",
	}
	if g.check.matcher != "" {
		out.Matcher = &xmlMatcher{g.check.matcher}
	}
	if g.balancer != nil {
		out.LoadBalancerArns.Items = []string{g.balancer.arn}
	}
	return out
}

func oneGroup(g *targetGroup) xmlGroups {
	return xmlGroups{TargetGroups: listOf[xmlGroup]{[]xmlGroup{wireGroup(g)}}}
}

func (a *elbAccount) createTargetGroup(form *element) (any, error) {
	g, err := readGroup(form)
	if err != nil {
		return nil, err
	}
	tags, err := readTags(form.list("Tags"))
	if err != nil {
		return nil, err
	}
	for _, other := range a.groups.all {
		if other.name != g.name {
			continue
		}
		if other.protocol == g.protocol && other.port == g.port && other.vpc == g.vpc && other.version == g.version && other.check == g.check {
			return oneGroup(other), nil
		}
		return nil, badRequest("DuplicateTargetGroupName", "A target group with the same name '%s' exists, but with different settings", g.name)
	}
	if len(a.groups.all) >= maxGroups {
		return nil, badRequest("TooManyTargetGroups", "The maximum number of target groups has been reached")
	}
	g.id = a.ids.hex16()
	g.arn = a.arn("targetgroup/" + g.name + "/" + g.id)
	g.rules, g.stale = map[*rule]struct{}{}, true
	a.groups.add(g.arn, g)
	a.setTags(g.arn, tags)
	return oneGroup(g), nil
}

// readGroup checks the settings of a new target group; defaults and ranges are
// those in the API reference of CreateTargetGroup.
func readGroup(form *element) (*targetGroup, error) {
	g := &targetGroup{name: form.str("Name"), protocol: form.str("Protocol"), vpc: form.str("VpcId"), version: form.str("ProtocolVersion")}
	if err := checkName(g.name); err != nil {
		return nil, err
	}
	family := form.str("IpAddressType")
	switch kind := form.str("TargetType"); {
	case kind != "ip":
		return nil, badRequest("InvalidConfigurationRequest", "The sandbox has target groups of the target type ip only, not '%s'", kind)
	case family != "" && family != "ipv4":
		return nil, badRequest("InvalidConfigurationRequest", "The sandbox has target groups of the address type ipv4 only, not '%s'", family)
	case !oneOf("HTTP", "HTTPS", "TCP", "TLS", "UDP", "TCP_UDP")(g.protocol):
		return nil, badRequest("ValidationError", "The sandbox has target groups of the protocols HTTP, HTTPS, TCP, TLS, UDP and TCP_UDP only, not '%s'", g.protocol)
	case g.forNetwork() && g.version != "":
		return nil, badRequest("InvalidConfigurationRequest", "A protocol version cannot be specified for target groups with the %s protocol", g.protocol)
	case g.version != "" && g.version != "HTTP1" && g.version != "HTTP2":
		return nil, badRequest("InvalidConfigurationRequest", "The sandbox has the protocol versions HTTP1 and HTTP2 only, not '%s'", g.version)
	case form.str("Port") == "":
		return nil, badRequest("ValidationError", "A port must be specified")
	case g.vpc == "":
		return nil, badRequest("ValidationError", "A VPC ID must be specified")
	}
	if g.version == "" && !g.forNetwork() {
		g.version = "HTTP1"
	}
	var err error
	if g.port, err = form.integer("Port", 0, 1, 65535); err != nil {
		return nil, err
	}
	g.check, err = readHealthCheck(form, g)
	return g, err
}

func (a *elbAccount) describeTargetGroups(form *element) (any, error) {
	arns, names, balancer := form.texts("TargetGroupArns"), form.texts("Names"), form.str("LoadBalancerArn")
	if balancer != "" {
		if len(arns)+len(names) > 0 {
			return nil, badRequest("ValidationError", "Target group ARNs or names and a load balancer ARN cannot be specified at the same time")
		}
		if _, err := a.balancer(balancer); err != nil {
			return nil, err
		}
	}
	found := slices.DeleteFunc(slices.Clone(a.groups.all), func(g *targetGroup) bool {
		if balancer != "" {
			return g.balancer == nil || g.balancer.arn != balancer
		}
		return len(arns)+len(names) > 0 && !slices.Contains(arns, g.arn) && !slices.Contains(names, g.name)
	})
	if len(found) < len(arns)+len(names) {
		return nil, badRequest("TargetGroupNotFound", "One or more target groups not found")
	}
	part, next, err := page(form, found)
	if err != nil {
		return nil, err
	}
	answer := xmlGroups{NextMarker: next}
	for _, g := range part {
		answer.TargetGroups.Items = append(answer.TargetGroups.Items, wireGroup(g))
	}
	return answer, nil
}

// deleteTargetGroup succeeds for a group that doesn't exist, as on AWS.
func (a *elbAccount) deleteTargetGroup(form *element) (any, error) {
	g, known := a.groups.byARN[form.str("TargetGroupArn")]
	if !known {
		return struct{}{}, nil
	}
	if g.balancer != nil {
		return nil, badRequest("ResourceInUse", "Target group '%s' is currently in use by a listener or a rule", g.arn)
	}
	a.groups.drop(g.arn)
	delete(a.tags, g.arn)
	return struct{}{}, nil
}
