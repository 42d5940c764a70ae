package elb

import (
	"cmp"
	"context"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// front is what lies behind one load balancer.
type front struct {
	listeners []Listener
	groups    []types.TargetGroup
}

func (a *Adapter) front(ctx context.Context, arn string) (front, error) {
	listeners, err := pages(func(marker *string) ([]types.Listener, *string, error) {
		out, err := bounded(ctx, a.callTimeout, func(ctx context.Context) (*elbv2.DescribeListenersOutput, error) {
			return a.ports.Listeners.DescribeListeners(ctx, &elbv2.DescribeListenersInput{LoadBalancerArn: &arn, Marker: marker, PageSize: aws.Int32(maxPage)})
		})
		if err != nil {
			return nil, nil, err
		}
		return out.Listeners, out.NextMarker, nil
	})
	if err != nil {
		return front{}, err
	}
	var f front
	for _, l := range listeners {
		each := Listener{ARN: aws.ToString(l.ListenerArn), Protocol: string(l.Protocol), Port: int(aws.ToInt32(l.Port))}
		each.Rules = append(each.Rules, Rule{ARN: each.ARN, Default: true, Weights: defaultsOf(l).split()})
		if !isNetwork(arn) {
			rules, err := a.rulesOf(ctx, each.ARN)
			if err != nil {
				return front{}, err
			}
			each.Rules = append(each.Rules, rules...)
		}
		f.listeners = append(f.listeners, each)
	}
	f.groups, err = pages(func(marker *string) ([]types.TargetGroup, *string, error) {
		out, err := bounded(ctx, a.callTimeout, func(ctx context.Context) (*elbv2.DescribeTargetGroupsOutput, error) {
			return a.ports.Balancers.DescribeTargetGroups(ctx, &elbv2.DescribeTargetGroupsInput{LoadBalancerArn: &arn, Marker: marker, PageSize: aws.Int32(maxPage)})
		})
		if err != nil {
			return nil, nil, err
		}
		return out.TargetGroups, out.NextMarker, nil
	})
	slices.SortFunc(f.listeners, func(x, y Listener) int { return cmp.Compare(x.Port, y.Port) })
	return f, err
}

// rulesOf reads the rules of a listener, but for its default one: that is the
// listener's own action.
func (a *Adapter) rulesOf(ctx context.Context, listener string) ([]Rule, error) {
	all, err := pages(func(marker *string) ([]types.Rule, *string, error) {
		out, err := bounded(ctx, a.callTimeout, func(ctx context.Context) (*elbv2.DescribeRulesOutput, error) {
			return a.ports.Rules.DescribeRules(ctx, &elbv2.DescribeRulesInput{ListenerArn: &listener, Marker: marker, PageSize: aws.Int32(maxPage)})
		})
		if err != nil {
			return nil, nil, err
		}
		return out.Rules, out.NextMarker, nil
	})
	var rules []Rule
	for _, r := range all {
		if !aws.ToBool(r.IsDefault) {
			rules = append(rules, ruleAs(r))
		}
	}
	return rules, err
}

// split gives the weight of each target group that an action forwards to.
func (a action) split() map[string]int {
	weights := map[string]int{}
	groups := a.groups()
	for _, g := range groups {
		weight := int(aws.ToInt32(g.Weight))
		if len(groups) == 1 { // the only one gets all, whatever its weight
			weight = max(weight, 1)
		}
		weights[aws.ToString(g.TargetGroupArn)] = weight
	}
	return weights
}

// pages reads a list page by page.
func pages[V any](page func(marker *string) ([]V, *string, error)) ([]V, error) {
	var all []V
	var marker *string
	for {
		some, next, err := page(marker)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
		if aws.ToString(next) == "" {
			return all, nil
		}
		marker = next
	}
}

func ruleAs(r types.Rule) Rule {
	out := Rule{ARN: aws.ToString(r.RuleArn), Weights: ruleOf(r).split()}
	for _, c := range r.Conditions {
		switch {
		case c.HostHeaderConfig != nil && len(c.HostHeaderConfig.Values) > 0:
			out.Hosts = append(out.Hosts, c.HostHeaderConfig.Values...)
		case c.PathPatternConfig != nil && len(c.PathPatternConfig.Values) > 0:
			out.Paths = append(out.Paths, c.PathPatternConfig.Values...)
		case c.HttpHeaderConfig != nil:
			out.Headers = append(out.Headers, aws.ToString(c.HttpHeaderConfig.HttpHeaderName))
		default:
			out.Others = true
		}
	}
	return out
}

func groupAs(g types.TargetGroup) Group {
	out := Group{
		ARN: aws.ToString(g.TargetGroupArn), Name: aws.ToString(g.TargetGroupName), TargetType: string(g.TargetType),
		Port: int(aws.ToInt32(g.Port)), Settings: map[string]string{},
	}
	set := func(key, value string) {
		if value != "" {
			out.Settings[key] = value
		}
	}
	number := func(key string, value *int32) {
		if value != nil {
			out.Settings[key] = strconv.Itoa(int(*value))
		}
	}
	set("Protocol", string(g.Protocol))
	set("ProtocolVersion", aws.ToString(g.ProtocolVersion))
	set("HealthCheckProtocol", string(g.HealthCheckProtocol))
	set("HealthCheckPort", aws.ToString(g.HealthCheckPort))
	set("HealthCheckPath", aws.ToString(g.HealthCheckPath))
	if g.HealthCheckEnabled != nil {
		set("HealthCheckEnabled", strconv.FormatBool(*g.HealthCheckEnabled))
	}
	if g.Matcher != nil {
		set("Matcher", cmp.Or(aws.ToString(g.Matcher.HttpCode), aws.ToString(g.Matcher.GrpcCode)))
	}
	number("HealthCheckIntervalSeconds", g.HealthCheckIntervalSeconds)
	number("HealthCheckTimeoutSeconds", g.HealthCheckTimeoutSeconds)
	number("HealthyThresholdCount", g.HealthyThresholdCount)
	number("UnhealthyThresholdCount", g.UnhealthyThresholdCount)
	return out
}
