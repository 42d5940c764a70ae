package elb

import (
	"context"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"

	"github.com/clusterswitch/clusterswitch/internal/awsapi"
)

// attributesKept is how long attributes are not read again, nor after a failure.
const attributesKept = 5 * time.Minute

// attributesWithin bounds how long a reading waits for attributes: they explain
// and decide nothing.
const attributesWithin = time.Second

// The attributes that are reported. ELBv2 API reference, TargetGroupAttribute
// and LoadBalancerAttribute.
const (
	attrSlowStart     = "slow_start.duration_seconds"
	attrDrain         = "deregistration_delay.timeout_seconds"
	attrSticky        = "stickiness.enabled"
	attrStickyType    = "stickiness.type"
	attrOpenCount     = "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count"
	attrOpenPercent   = "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage"
	attrCrossZone     = "load_balancing.cross_zone.enabled"
	crossZoneByParent = "use_load_balancer_configuration"
)

// attributesOf reads attributes of target groups and load balancers, each at
// most every five minutes. Without asking, it gives what is kept of them.
func (a *Adapter) attributesOf(ctx context.Context, arns []string, ask bool) map[string]answer[map[string]string] {
	if ask {
		ctx, cancel := context.WithTimeout(ctx, attributesWithin)
		defer cancel()
		return a.attributes.get(ctx, arns, ages{good: attributesKept, failed: attributesKept})
	}
	kept := map[string]answer[map[string]string]{}
	for _, arn := range arns {
		if k, ok := a.attributes.keptEver(arn); ok {
			kept[arn] = k
		}
	}
	return kept
}

// lookAtAttributes reads the attributes of one target group or load balancer.
func (a *Adapter) lookAtAttributes(ctx context.Context, arns []string) map[string]answer[map[string]string] {
	answers := map[string]answer[map[string]string]{}
	if !a.takeTurn(ctx) {
		return answers
	}
	defer a.endTurn(ctx)
	for _, arn := range arns {
		read := a.groupAttributes
		if strings.Contains(arn, ":loadbalancer/") {
			read = a.balancerAttributes
		}
		got, err := bounded(ctx, a.callTimeout, func(ctx context.Context) (map[string]string, error) { return read(ctx, arn) })
		if err != nil {
			f := awsapi.Classify(err)
			answers[arn] = answer[map[string]string]{failed: &f}
			continue
		}
		answers[arn] = answer[map[string]string]{value: got}
	}
	return answers
}

func (a *Adapter) groupAttributes(ctx context.Context, arn string) (map[string]string, error) {
	out, err := a.ports.Attributes.DescribeTargetGroupAttributes(ctx, &elbv2.DescribeTargetGroupAttributesInput{TargetGroupArn: &arn})
	if err != nil {
		return nil, err
	}
	got := map[string]string{}
	for _, each := range out.Attributes {
		got[aws.ToString(each.Key)] = aws.ToString(each.Value)
	}
	return got, nil
}

func (a *Adapter) balancerAttributes(ctx context.Context, arn string) (map[string]string, error) {
	out, err := a.ports.Attributes.DescribeLoadBalancerAttributes(ctx, &elbv2.DescribeLoadBalancerAttributesInput{LoadBalancerArn: &arn})
	if err != nil {
		return nil, err
	}
	got := map[string]string{}
	for _, each := range out.Attributes {
		got[aws.ToString(each.Key)] = aws.ToString(each.Value)
	}
	return got, nil
}

// bounded makes one call within a time.
func bounded[V any](ctx context.Context, limit time.Duration, call func(context.Context) (V, error)) (V, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return call(ctx)
}
