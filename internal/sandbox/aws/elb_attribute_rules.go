package aws

import (
	"strconv"
	"strings"
)

func (g *targetGroup) attribute(key string) string {
	return attributeOf(g.knownAttributes(), g.attributes, key)
}

// sticky tells whether clients are kept on single targets of the group.
func (g *targetGroup) sticky() bool { return g.attributes[stickyEnabled] == "true" }

// checkAttributes keeps the rules that hold between attributes, and between
// them and the rules that forward to the group.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-target-group-attributes.html
func (g *targetGroup) checkAttributes() error {
	own := g.checkForApplication
	if g.forNetwork() {
		own = g.checkForNetwork
	}
	if err := own(); err != nil {
		return err
	}
	for _, measure := range []string{"count", "percentage"} {
		dns, dnsErr := strconv.Atoi(g.attribute(dnsFailover + measure))
		routing, routingErr := strconv.Atoi(g.attribute(routingFailover + measure))
		if dnsErr == nil && routingErr == nil && dns < routing {
			return refusedConfiguration("The threshold for DNS failover (%s %d) must be greater than or equal to the threshold for routing failover (%d)", measure, dns, routing)
		}
	}
	for r := range g.rules {
		if err := checkTargetStickiness(r.actions, g); err != nil {
			return err
		}
	}
	return nil
}

func refusedConfiguration(format string, args ...any) error {
	return badRequest("InvalidConfigurationRequest", format, args...)
}

func (g *targetGroup) checkForApplication() error {
	switch {
	case g.attribute(slowStart) != "0" && g.attribute(algorithm) != "round_robin":
		return refusedConfiguration("Slow start is supported with the load balancing algorithm 'round_robin' only")
	case g.attribute(anomalyMitigation) == "on" && g.attribute(algorithm) != "weighted_random":
		return refusedConfiguration("Anomaly mitigation is supported with the load balancing algorithm 'weighted_random' only")
	case g.sticky() && g.attribute(stickyType) == "app_cookie" && g.attribute(appCookieName) == "":
		return refusedConfiguration("A cookie name must be specified for application-based stickiness")
	case strings.HasPrefix(g.attribute(appCookieName), "AWSALB"):
		return refusedConfiguration("The cookie name '%s' is reserved for the load balancer", g.attribute(appCookieName))
	case g.sticky() && g.attribute(groupCrossZone) == "false":
		return refusedConfiguration("Target stickiness is not supported when cross-zone load balancing is off")
	}
	return nil
}

func (g *targetGroup) checkForNetwork() error {
	switch {
	case g.sticky() && g.protocol == "TLS":
		return refusedConfiguration("Stickiness is not supported for target groups with the TLS protocol")
	case g.datagrams() && g.attribute(preserveClientIP) == "false":
		return refusedConfiguration("Client IP preservation cannot be disabled for target groups with the %s protocol", g.protocol)
	case g.datagrams() && g.attribute(unhealthyTermination) == "true":
		return refusedConfiguration("Connection termination of unhealthy targets is not supported for target groups with the %s protocol", g.protocol)
	case g.attribute(unhealthyTermination) == "true" && g.attribute(unhealthyDraining) != "0":
		return refusedConfiguration("The draining interval can be set only when connection termination of unhealthy targets is disabled")
	}
	return nil
}

// checkTargetStickiness demands the stickiness of a rule that forwards to
// several groups, one of which keeps its clients on single targets.
func checkTargetStickiness(actions []action, groups ...*targetGroup) error {
	for _, a := range actions {
		if a.sticky || len(a.groups) < 2 {
			continue
		}
		for _, g := range groups {
			if g.sticky() && a.forwardsTo(g.arn) {
				return badRequest("InvalidConfigurationRequest",
					"This target group appears behind a rule with group stickiness disabled (%s). You must enable group stickiness before enabling target stickiness", g.arn)
			}
		}
	}
	return nil
}
