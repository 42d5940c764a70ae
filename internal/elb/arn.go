package elb

import "strings"

// The ARNs of ELBv2 nest: a rule's has its listener's within, that its load
// balancer's. Service Authorization Reference, "Elastic Load Balancing V2":
//
//	…:loadbalancer/app/NAME/ID
//	…:listener/app/NAME/ID/LISTENER
//	…:listener-rule/app/NAME/ID/LISTENER/RULE

// isListener tells a listener's ARN from a rule's.
func isListener(arn string) bool { return strings.Contains(arn, ":listener/") }

// isNetwork tells whether an ARN is below a network load balancer.
func isNetwork(arn string) bool {
	return strings.Contains(arn, "/net/")
}

// listenerOf gives the ARN of the listener that a rule or listener is of;
// empty: the ARN has another form.
func listenerOf(arn string) string {
	if isListener(arn) {
		return arn
	}
	head, path, ok := strings.Cut(arn, ":listener-rule/")
	parts := strings.Split(path, "/")
	if !ok || len(parts) != 5 {
		return ""
	}
	return head + ":listener/" + strings.Join(parts[:4], "/")
}

// balancerOf gives the ARN of the load balancer that a rule or listener is of;
// empty: the ARN has another form.
func balancerOf(arn string) string {
	head, path, ok := strings.Cut(listenerOf(arn), ":listener/")
	parts := strings.Split(path, "/")
	if !ok || len(parts) != 4 {
		return ""
	}
	return head + ":loadbalancer/" + strings.Join(parts[:3], "/")
}
