package measure

import (
	"fmt"
	"strings"
)

// Dimensions gives CloudWatch's dimension values for a listener rule's load
// balancer ("app/NAME/ID") and for a target group ("targetgroup/NAME/ID").
// CloudWatch uses the ends of their ARNs.
func Dimensions(ruleARN, targetGroupARN string) (loadBalancer, targetGroup string, err error) {
	rule := strings.Split(resource(ruleARN), "/") // listener-rule/app/NAME/LB/LISTENER/RULE
	if len(rule) != 6 || rule[0] != "listener-rule" || rule[1] != "app" {
		return "", "", fmt.Errorf("%q is not the ARN of an application load balancer's rule", ruleARN)
	}
	targetGroup = resource(targetGroupARN)
	if parts := strings.Split(targetGroup, "/"); len(parts) != 3 || parts[0] != "targetgroup" {
		return "", "", fmt.Errorf("%q is not the ARN of a target group", targetGroupARN)
	}
	return strings.Join(rule[1:4], "/"), targetGroup, nil
}

// resource is the part of an ARN after account and region.
func resource(arn string) string {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" {
		return ""
	}
	return parts[5]
}
