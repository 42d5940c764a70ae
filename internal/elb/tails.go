package elb

import (
	"time"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// connectionOf is how long a client may go on over an open connection, whatever
// the weights say. An application load balancer chooses a target group for each
// request anew; a network load balancer for each connection, which nothing but
// its ends bounds for as long as data flows.
func connectionOf(arn string) time.Duration {
	if isNetwork(arn) {
		return shift.Endless
	}
	return 0
}

// deregistrationOf is the longer of the two groups' deregistration delays, from
// what is kept of their attributes; zero: it isn't known. ELBv2 API reference,
// TargetGroupAttribute: 0 to 3600 seconds.
func (v view) deregistrationOf(e shift.BalancerEntrance) time.Duration {
	var longest time.Duration
	for _, group := range []string{e.BlueTargetGroupARN, e.GreenTargetGroupARN} {
		if d, err := time.ParseDuration(v.attributes[group].value[attrDrain] + "s"); err == nil {
			longest = max(longest, d)
		}
	}
	return longest
}
