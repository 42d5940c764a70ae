package aws

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/routing"
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
	HealthCheckPath            string
	HTTPCode                   string         `xml:"Matcher>HttpCode"`
	LoadBalancerArns           listOf[string] `xml:"LoadBalancerArns"`
	TargetType                 string
	ProtocolVersion            string
	IPAddressType              string `xml:"IpAddressType"`
}

type xmlGroups struct {
	TargetGroups listOf[xmlGroup]
	NextMarker   string `xml:",omitempty"`
}

func (s *elbStore) wireGroup(g *targetGroup) xmlGroup {
	out := xmlGroup{
		TargetGroupArn: g.arn, TargetGroupName: g.name, Protocol: g.protocol, Port: g.port, VpcID: g.vpc,
		HealthCheckProtocol: g.check.protocol, HealthCheckPort: "traffic-port", HealthCheckEnabled: true,
		HealthCheckIntervalSeconds: g.check.interval, HealthCheckTimeoutSeconds: g.check.timeout,
		HealthyThresholdCount: g.check.healthy, UnhealthyThresholdCount: g.check.unhealthy,
		HealthCheckPath: g.check.path, HTTPCode: g.check.matcher,
		TargetType: "ip", ProtocolVersion: g.version, IPAddressType: "ipv4",
	}
	if b := s.balancerOf(g); b != nil {
		out.LoadBalancerArns.Items = []string{b.arn}
	}
	return out
}

func (s *elbStore) createTargetGroup(form *element) (any, error) {
	g, err := readGroup(form)
	if err != nil {
		return nil, err
	}
	tags, err := readTags(form.list("Tags"))
	if err != nil {
		return nil, err
	}
	for _, other := range s.groups {
		if other.name != g.name {
			continue
		}
		if other.protocol == g.protocol && other.port == g.port && other.vpc == g.vpc && other.version == g.version && other.check == g.check {
			return xmlGroups{TargetGroups: listOf[xmlGroup]{[]xmlGroup{s.wireGroup(other)}}}, nil
		}
		return nil, badRequest("DuplicateTargetGroupName", "A target group with the same name '%s' exists, but with different settings", g.name)
	}
	g.id = s.ids.hex16()
	g.arn = s.arn("targetgroup/" + g.name + "/" + g.id)
	s.groups = append(s.groups, g)
	s.setTags(g.arn, tags)
	s.changedLocked()
	return xmlGroups{TargetGroups: listOf[xmlGroup]{[]xmlGroup{s.wireGroup(g)}}}, nil
}

// readGroup checks the settings of a new target group; defaults and ranges are
// those of application load balancers in the API reference of CreateTargetGroup.
func readGroup(form *element) (*targetGroup, error) {
	g := &targetGroup{name: form.str("Name"), protocol: form.str("Protocol"), vpc: form.str("VpcId"), version: form.str("ProtocolVersion")}
	if g.version == "" {
		g.version = "HTTP1"
	}
	if err := checkName(g.name); err != nil {
		return nil, err
	}
	switch kind := form.str("TargetType"); {
	case kind != "ip":
		return nil, badRequest("InvalidConfigurationRequest", "The sandbox has target groups of the target type ip only, not '%s'", kind)
	case g.protocol != "HTTP" && g.protocol != "HTTPS":
		return nil, badRequest("ValidationError", "The protocol '%s' must be HTTP or HTTPS", g.protocol)
	case g.version != "HTTP1" && g.version != "HTTP2":
		return nil, badRequest("InvalidConfigurationRequest", "The sandbox has the protocol versions HTTP1 and HTTP2 only, not '%s'", g.version)
	case form.str("Port") == "":
		return nil, badRequest("ValidationError", "A port must be specified")
	case g.vpc == "":
		return nil, badRequest("ValidationError", "A VPC ID must be specified")
	}
	var err error
	if g.port, err = form.integer("Port", 0, 1, 65535); err != nil {
		return nil, err
	}
	g.check, err = readHealthCheck(form)
	return g, err
}

func readHealthCheck(form *element) (healthCheck, error) {
	check := healthCheck{protocol: form.str("HealthCheckProtocol"), path: form.str("HealthCheckPath"), matcher: form.child("Matcher").str("HttpCode")}
	for _, number := range []struct {
		name                string
		into                *int
		fallback, low, high int
	}{
		{"HealthCheckIntervalSeconds", &check.interval, 30, 5, 300},
		{"HealthCheckTimeoutSeconds", &check.timeout, 5, 2, 120},
		{"HealthyThresholdCount", &check.healthy, 5, 2, 10},
		{"UnhealthyThresholdCount", &check.unhealthy, 2, 2, 10},
	} {
		var err error
		if *number.into, err = form.integer(number.name, number.fallback, number.low, number.high); err != nil {
			return check, err
		}
	}
	if check.protocol == "" {
		check.protocol = "HTTP"
	}
	if check.path == "" {
		check.path = "/"
	}
	if check.matcher == "" {
		check.matcher = "200"
	}
	port := form.str("HealthCheckPort")
	switch {
	case check.protocol != "HTTP" && check.protocol != "HTTPS":
		return check, badRequest("ValidationError", "Health check protocol '%s' must be HTTP or HTTPS", check.protocol)
	case port != "" && port != "traffic-port":
		return check, badRequest("InvalidConfigurationRequest", "The sandbox checks the traffic port only, not '%s'", port)
	case form.str("HealthCheckEnabled") == "false":
		return check, badRequest("InvalidConfigurationRequest", "Health check enabled must be true for target groups with target type 'ip'")
	case !strings.HasPrefix(check.path, "/") || len(check.path) > 1024:
		return check, badRequest("ValidationError", "Health check path '%s' must begin with a '/' character and be at most 1024 characters", check.path)
	case check.timeout >= check.interval:
		return check, badRequest("ValidationError", "Health check interval must be greater than the timeout.")
	}
	return check, check.readMatcher()
}

// readMatcher takes one code or one range, from 200 to 499; lists aren't known
// to the edge and are refused.
func (h *healthCheck) readMatcher() error {
	first, last, isRange := strings.Cut(h.matcher, "-")
	if !isRange {
		last = first
	}
	var fromErr, toErr error
	h.from, fromErr = strconv.Atoi(first)
	h.to, toErr = strconv.Atoi(last)
	if fromErr != nil || toErr != nil || h.from < 200 || h.to > 499 || h.to < h.from {
		return badRequest("ValidationError", "Health check matcher HTTP code '%s' must be one code or one range within '200-499'", h.matcher)
	}
	return nil
}

func (s *elbStore) describeTargetGroups(form *element) (any, error) {
	arns, names, balancer := form.texts("TargetGroupArns"), form.texts("Names"), form.str("LoadBalancerArn")
	if balancer != "" {
		if len(arns)+len(names) > 0 {
			return nil, badRequest("ValidationError", "Target group ARNs or names and a load balancer ARN cannot be specified at the same time")
		}
		if _, err := s.balancer(balancer); err != nil {
			return nil, err
		}
	}
	found := slices.DeleteFunc(slices.Clone(s.groups), func(g *targetGroup) bool {
		if balancer != "" {
			b := s.balancerOf(g)
			return b == nil || b.arn != balancer
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
		answer.TargetGroups.Items = append(answer.TargetGroups.Items, s.wireGroup(g))
	}
	return answer, nil
}

// deleteTargetGroup succeeds for a group that doesn't exist, as on AWS.
func (s *elbStore) deleteTargetGroup(form *element) (any, error) {
	arn := form.str("TargetGroupArn")
	i := slices.IndexFunc(s.groups, func(g *targetGroup) bool { return g.arn == arn })
	if i < 0 {
		return struct{}{}, nil
	}
	g := s.groups[i]
	if s.balancerOf(g) != nil {
		return nil, badRequest("ResourceInUse", "Target group '%s' is currently in use by a listener or a rule", arn)
	}
	s.groups = slices.DeleteFunc(s.groups, func(other *targetGroup) bool { return other == g })
	delete(s.tags, arn)
	s.changedLocked()
	return struct{}{}, nil
}

// forEdge is the check as the edge carries it out.
func (h healthCheck) forEdge(interval time.Duration) routing.HealthCheck {
	out := routing.HealthCheck{
		Interval: time.Duration(h.interval) * time.Second, Timeout: time.Duration(h.timeout) * time.Second,
		Path: h.path, Healthy: h.healthy, Unhealthy: h.unhealthy, StatusFrom: h.from, StatusTo: h.to,
	}
	if interval > 0 {
		out.Interval, out.Timeout = interval, min(out.Timeout, interval)
	}
	return out
}
