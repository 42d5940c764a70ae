package aws

import (
	"maps"
	"slices"
	"strconv"
)

// attribute is one setting of a load balancer or a target group: its default
// and what it takes. Names, defaults and ranges: ELBv2 API reference,
// LoadBalancerAttribute and TargetGroupAttribute.
type attribute struct {
	key, fallback string
	takes         func(value string) bool
}

type xmlAttribute struct {
	Key   string
	Value string
}

type xmlAttributes struct {
	Attributes listOf[xmlAttribute]
}

func oneOf(values ...string) func(string) bool {
	return func(value string) bool { return slices.Contains(values, value) }
}

// between takes whole numbers within limits, and the words beside them.
func between(low, high int, words ...string) func(string) bool {
	return func(value string) bool {
		n, err := strconv.Atoi(value)
		return slices.Contains(words, value) || (err == nil && n >= low && n <= high)
	}
}

func anything(string) bool { return true }

const weekSeconds = 604800

func (b *loadBalancer) knownAttributes() []attribute {
	boolean := oneOf("true", "false")
	both := []attribute{
		{"deletion_protection.enabled", "false", boolean},
		{"access_logs.s3.enabled", "false", boolean},
		{"access_logs.s3.bucket", "", anything},
		{"access_logs.s3.prefix", "", anything},
		{"zonal_shift.config.enabled", "false", boolean},
	}
	if b.kind == networkType {
		return append(both,
			attribute{"load_balancing.cross_zone.enabled", "false", boolean},
			attribute{"dns_record.client_routing_policy", "any_availability_zone", oneOf("any_availability_zone", "availability_zone_affinity", "partial_availability_zone_affinity")},
		)
	}
	return append(both,
		attribute{"load_balancing.cross_zone.enabled", "true", oneOf("true")},
		attribute{"idle_timeout.timeout_seconds", "60", between(1, 4000)},
		attribute{"client_keep_alive.seconds", "3600", between(60, weekSeconds)},
		attribute{"routing.http2.enabled", "true", boolean},
		attribute{"routing.http.desync_mitigation_mode", "defensive", oneOf("monitor", "defensive", "strictest")},
		attribute{"routing.http.drop_invalid_header_fields.enabled", "false", boolean},
		attribute{"routing.http.preserve_host_header.enabled", "false", boolean},
		attribute{"routing.http.xff_client_port.enabled", "false", boolean},
		attribute{"routing.http.xff_header_processing.mode", "append", oneOf("append", "preserve", "remove")},
		attribute{"routing.http.x_amzn_tls_version_and_cipher_suite.enabled", "false", boolean},
		attribute{"waf.fail_open.enabled", "false", boolean},
	)
}

// Keys of the attributes that other rules look at.
const (
	stickyEnabled     = "stickiness.enabled"
	stickyType        = "stickiness.type"
	appCookieName     = "stickiness.app_cookie.cookie_name"
	slowStart         = "slow_start.duration_seconds"
	drainSeconds      = "deregistration_delay.timeout_seconds"
	algorithm         = "load_balancing.algorithm.type"
	anomalyMitigation = "load_balancing.algorithm.anomaly_mitigation"
	groupCrossZone    = "load_balancing.cross_zone.enabled"
	preserveClientIP  = "preserve_client_ip.enabled"

	dnsFailover          = "target_group_health.dns_failover.minimum_healthy_targets."
	routingFailover      = "target_group_health.unhealthy_state_routing.minimum_healthy_targets."
	unhealthyTermination = "target_health_state.unhealthy.connection_termination.enabled"
	unhealthyDraining    = "target_health_state.unhealthy.draining_interval_seconds"
)

func (g *targetGroup) knownAttributes() []attribute {
	boolean := oneOf("true", "false")
	both := []attribute{
		{drainSeconds, "300", between(0, 3600)},
		{stickyEnabled, "false", boolean},
		{groupCrossZone, "use_load_balancer_configuration", oneOf("true", "false", "use_load_balancer_configuration")},
		{dnsFailover + "count", "1", between(1, maxTargets, "off")},
		{dnsFailover + "percentage", "off", between(1, 100, "off")},
		{routingFailover + "count", "1", between(1, maxTargets)},
		{routingFailover + "percentage", "off", between(1, 100, "off")},
	}
	if g.forNetwork() {
		datagrams := strconv.FormatBool(g.datagrams())
		return append(both,
			attribute{stickyType, "source_ip", oneOf("source_ip")},
			attribute{"deregistration_delay.connection_termination.enabled", datagrams, boolean},
			attribute{preserveClientIP, datagrams, boolean},
			attribute{"proxy_protocol_v2.enabled", "false", boolean},
			attribute{unhealthyTermination, strconv.FormatBool(!g.datagrams()), boolean},
			attribute{unhealthyDraining, "0", between(0, 360000)},
		)
	}
	return append(both,
		attribute{stickyType, "lb_cookie", oneOf("lb_cookie", "app_cookie")},
		attribute{"stickiness.lb_cookie.duration_seconds", "86400", between(1, weekSeconds)},
		attribute{"stickiness.app_cookie.duration_seconds", "86400", between(1, weekSeconds)},
		attribute{appCookieName, "", anything},
		attribute{slowStart, "0", func(v string) bool { return v == "0" || between(30, 900)(v) }},
		attribute{algorithm, "round_robin", oneOf("round_robin", "least_outstanding_requests", "weighted_random")},
		attribute{anomalyMitigation, "off", oneOf("on", "off")},
	)
}

// attributeOf returns an attribute as it is in force.
func attributeOf(known []attribute, set map[string]string, key string) string {
	if value, ok := set[key]; ok {
		return value
	}
	for _, a := range known {
		if a.key == key {
			return a.fallback
		}
	}
	return ""
}

// wireAttributes lists all attributes in the order of their keys.
func wireAttributes(known []attribute, set map[string]string) xmlAttributes {
	var out xmlAttributes
	for _, a := range known {
		out.Attributes.Items = append(out.Attributes.Items, xmlAttribute{a.key, attributeOf(known, set, a.key)})
	}
	slices.SortFunc(out.Attributes.Items, func(a, b xmlAttribute) int {
		if a.Key < b.Key {
			return -1
		}
		return 1
	})
	return out
}

// overlay returns what is set after a request; thing names what it is about.
// foreign are the attributes that the other type of load balancer has.
func overlay(form *element, thing string, known, foreign []attribute, set map[string]string) (map[string]string, error) {
	next := map[string]string{}
	maps.Copy(next, set)
	wanted := form.list("Attributes")
	if len(wanted) == 0 {
		return nil, badRequest("ValidationError", "At least one %s attribute must be specified", thing)
	}
	for i, e := range wanted {
		key, value := e.str("Key"), e.str("Value")
		has := func(a attribute) bool { return a.key == key }
		at := slices.IndexFunc(known, has)
		switch {
		case slices.ContainsFunc(wanted[:i], func(other *element) bool { return other.str("Key") == key }):
			return nil, badRequest("ValidationError", "The %s attribute key '%s' is specified more than once", thing, key)
		case at < 0 && slices.ContainsFunc(foreign, has):
			return nil, badRequest("InvalidConfigurationRequest", "The provided %s attribute is not supported", thing)
		case at < 0:
			return nil, badRequest("ValidationError", "%s attribute key '%s' is not recognized", titled(thing), key)
		case !known[at].takes(value):
			return nil, refusedValue(thing, key, value, foreign)
		}
		next[key] = value
	}
	return next, nil
}

// refusedValue tells a value that the other type of load balancer takes from
// one that none does.
func refusedValue(thing, key, value string, foreign []attribute) error {
	elsewhere := slices.ContainsFunc(foreign, func(a attribute) bool { return a.key == key && a.takes(value) })
	switch {
	case key == stickyType && elsewhere:
		return badRequest("InvalidConfigurationRequest", "Stickiness type '%s' is not supported for target groups of this protocol", value)
	case elsewhere:
		return badRequest("InvalidConfigurationRequest", "The value '%s' of the %s attribute '%s' is not supported for this type", value, thing, key)
	}
	return badRequest("ValidationError", "'%s' is not a valid value for the %s attribute '%s'", value, thing, key)
}

func titled(thing string) string {
	if thing == "target group" {
		return "Target group"
	}
	return "Load balancer"
}

func (a *elbAccount) describeLoadBalancerAttributes(form *element) (any, error) {
	b, err := a.balancer(form.str("LoadBalancerArn"))
	if err != nil {
		return nil, err
	}
	return wireAttributes(b.knownAttributes(), b.attributes), nil
}

func (a *elbAccount) modifyLoadBalancerAttributes(form *element) (any, error) {
	b, err := a.balancer(form.str("LoadBalancerArn"))
	if err != nil {
		return nil, err
	}
	other := &loadBalancer{kind: networkType}
	if b.kind == networkType {
		other.kind = applicationType
	}
	next, err := overlay(form, "load balancer", b.knownAttributes(), other.knownAttributes(), b.attributes)
	if err != nil {
		return nil, err
	}
	if next["access_logs.s3.enabled"] == "true" && next["access_logs.s3.bucket"] == "" {
		return nil, badRequest("InvalidConfigurationRequest", "An S3 bucket must be specified when access logs are enabled")
	}
	b.attributes = next
	return wireAttributes(b.knownAttributes(), b.attributes), nil
}

func (a *elbAccount) describeTargetGroupAttributes(form *element) (any, error) {
	g, err := a.group(form.str("TargetGroupArn"))
	if err != nil {
		return nil, err
	}
	return wireAttributes(g.knownAttributes(), g.attributes), nil
}

func (a *elbAccount) modifyTargetGroupAttributes(form *element) (any, error) {
	g, err := a.group(form.str("TargetGroupArn"))
	if err != nil {
		return nil, err
	}
	other := &targetGroup{protocol: "TCP"}
	if g.forNetwork() {
		other.protocol = "HTTP"
	}
	next, err := overlay(form, "target group", g.knownAttributes(), other.knownAttributes(), g.attributes)
	if err != nil {
		return nil, err
	}
	wanted := *g
	wanted.attributes = next
	if err := wanted.checkAttributes(); err != nil {
		return nil, err
	}
	g.attributes = next
	return wireAttributes(g.knownAttributes(), g.attributes), nil
}
