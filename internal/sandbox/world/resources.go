package world

import (
	"context"
	"fmt"
	"strings"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	r53types "github.com/aws/aws-sdk-go-v2/service/route53/types"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/routing"
)

// Credentials are what the sandbox takes; it checks none.
func Credentials() []string {
	return []string{"AWS_ACCESS_KEY_ID=sandbox", "AWS_SECRET_ACCESS_KEY=sandbox", "AWS_REGION=ap-northeast-1", "AWS_EC2_METADATA_DISABLED=true"}
}

func (r *Region) connect(ctx context.Context) error {
	cfg, err := config.LoadDefaultConfig(ctx,
		config.WithRegion("ap-northeast-1"), config.WithBaseEndpoint(r.Endpoint),
		config.WithCredentialsProvider(sdk.CredentialsProviderFunc(func(context.Context) (sdk.Credentials, error) {
			return sdk.Credentials{AccessKeyID: "sandbox", SecretAccessKey: "sandbox"}, nil
		})))
	if err != nil {
		return fmt.Errorf("connecting to the sandbox's AWS: %w", err)
	}
	r.Route53, r.ELB = route53.NewFromConfig(cfg), elasticloadbalancingv2.NewFromConfig(cfg)
	return nil
}

// createLoadBalancers makes one load balancer in front of each cluster for the
// web, and one in front of both for the API.
func (r *Region) createLoadBalancers(ctx context.Context, w *World) error {
	for _, g := range []struct {
		name string
		pods []string
	}{{"web-blue", w.Blue.Addresses}, {"web-green", w.Green.Addresses}, {"api-blue", w.Blue.Addresses}, {"api-green", w.Green.Addresses}} {
		if err := r.createGroup(ctx, g.name, g.pods); err != nil {
			return fmt.Errorf("creating target group %s: %w", g.name, err)
		}
	}
	for _, side := range []string{"web-blue", "web-green"} {
		if _, err := r.createListener(ctx, side, forward(weighted(r.Groups[side], 1))); err != nil {
			return fmt.Errorf("creating load balancer %s: %w", side, err)
		}
	}
	notFound := elbtypes.Action{Type: elbtypes.ActionTypeEnumFixedResponse, FixedResponseConfig: &elbtypes.FixedResponseActionConfig{StatusCode: new("404")}}
	listener, err := r.createListener(ctx, "api", notFound)
	if err != nil {
		return fmt.Errorf("creating load balancer api: %w", err)
	}
	r.apiListener = listener
	r.RuleARN, err = r.createRule(ctx, APIName, 10)
	return err
}

// createRule sends one host of the API's load balancer to both clusters, all
// of it to blue.
func (r *Region) createRule(ctx context.Context, host string, priority int32) (arn string, err error) {
	rule, err := r.ELB.CreateRule(ctx, &elasticloadbalancingv2.CreateRuleInput{
		ListenerArn: &r.apiListener, Priority: &priority,
		Conditions: []elbtypes.RuleCondition{{Field: new("host-header"), HostHeaderConfig: &elbtypes.HostHeaderConditionConfig{Values: []string{host}}}},
		Actions:    []elbtypes.Action{forward(weighted(r.Groups["api-blue"], 100), weighted(r.Groups["api-green"], 0))},
	})
	if err != nil {
		return "", fmt.Errorf("creating the rule of %s: %w", host, err)
	}
	return *rule.Rules[0].RuleArn, nil
}

// Entrances are one more name's record group and rule.
type Entrances struct {
	Record  string
	RuleARN string
}

// AddEntrances makes a weighted record group and a rule for one more name;
// both send everything to blue. The priority must be free.
func (r *Region) AddEntrances(ctx context.Context, name string, priority int32) (Entrances, error) {
	e := Entrances{Record: name + "." + Zone}
	err := r.ChangeRecords(ctx,
		r53types.Change{Action: r53types.ChangeActionCreate, ResourceRecordSet: record(e.Record, "blue", 100)},
		r53types.Change{Action: r53types.ChangeActionCreate, ResourceRecordSet: record(e.Record, "green", 0)},
	)
	if err != nil {
		return e, err
	}
	e.RuleARN, err = r.createRule(ctx, name+"-api."+Zone, priority)
	return e, err
}

func (r *Region) createGroup(ctx context.Context, name string, pods []string) error {
	group, err := r.ELB.CreateTargetGroup(ctx, &elasticloadbalancingv2.CreateTargetGroupInput{
		Name: &name, Protocol: elbtypes.ProtocolEnumHttp, Port: new(int32(PodPort)), TargetType: elbtypes.TargetTypeEnumIp,
		VpcId: new("vpc-0123456789abcdef0"), HealthCheckPath: new("/healthz"),
		HealthCheckIntervalSeconds: new(int32(5)), HealthCheckTimeoutSeconds: new(int32(2)),
		HealthyThresholdCount: new(int32(2)), UnhealthyThresholdCount: new(int32(2)),
	})
	if err != nil {
		return err
	}
	arn := *group.TargetGroups[0].TargetGroupArn
	r.Groups[name] = arn
	if len(pods) == 0 {
		return nil // somebody else registers them, as they come and go
	}
	targets := make([]elbtypes.TargetDescription, len(pods))
	for i, pod := range pods {
		targets[i] = elbtypes.TargetDescription{Id: &pod, Port: new(int32(PodPort))}
	}
	_, err = r.ELB.RegisterTargets(ctx, &elasticloadbalancingv2.RegisterTargetsInput{TargetGroupArn: &arn, Targets: targets})
	return err
}

func (r *Region) createListener(ctx context.Context, name string, action elbtypes.Action) (arn string, err error) {
	lb, err := r.ELB.CreateLoadBalancer(ctx, &elasticloadbalancingv2.CreateLoadBalancerInput{
		Name: &name, Subnets: []string{"subnet-0123456789abcdef0", "subnet-0123456789abcdef1"},
	})
	if err != nil {
		return "", err
	}
	r.LoadBalancers[name] = *lb.LoadBalancers[0].LoadBalancerArn
	listener, err := r.ELB.CreateListener(ctx, &elasticloadbalancingv2.CreateListenerInput{
		LoadBalancerArn: lb.LoadBalancers[0].LoadBalancerArn, Port: new(int32(80)), Protocol: elbtypes.ProtocolEnumHttp,
		DefaultActions: []elbtypes.Action{action},
	})
	if err != nil {
		return "", err
	}
	return *listener.Listeners[0].ListenerArn, nil
}

func weighted(group string, weight int32) elbtypes.TargetGroupTuple {
	return elbtypes.TargetGroupTuple{TargetGroupArn: &group, Weight: &weight}
}

func forward(groups ...elbtypes.TargetGroupTuple) elbtypes.Action {
	return elbtypes.Action{Type: elbtypes.ActionTypeEnumForward, ForwardConfig: &elbtypes.ForwardActionConfig{TargetGroups: groups}}
}

func (r *Region) createZone(ctx context.Context) error {
	zone, err := r.Route53.CreateHostedZone(ctx, &route53.CreateHostedZoneInput{Name: new(Zone), CallerReference: new("demo")})
	if err != nil {
		return fmt.Errorf("creating zone %s: %w", Zone, err)
	}
	r.HostedZoneID = strings.TrimPrefix(*zone.HostedZone.Id, "/hostedzone/")
	api := r53types.ResourceRecordSet{
		Name: new(APIName), Type: r53types.RRTypeA, TTL: new(int64(60)),
		ResourceRecords: []r53types.ResourceRecord{{Value: new(address("api"))}},
	}
	return r.ChangeRecords(ctx,
		r53types.Change{Action: r53types.ChangeActionCreate, ResourceRecordSet: &api},
		r53types.Change{Action: r53types.ChangeActionCreate, ResourceRecordSet: WebRecord("blue", 100)},
		r53types.Change{Action: r53types.ChangeActionCreate, ResourceRecordSet: WebRecord("green", 0)},
	)
}

// WebRecord is one weighted record of the web's name.
func WebRecord(side string, weight int64) *r53types.ResourceRecordSet {
	return record(WebName, side, weight)
}

func record(name, side string, weight int64) *r53types.ResourceRecordSet {
	return &r53types.ResourceRecordSet{
		Name: &name, Type: r53types.RRTypeA, TTL: new(int64(TTL / time.Second)),
		SetIdentifier: &side, Weight: &weight,
		ResourceRecords: []r53types.ResourceRecord{{Value: new(address("web-" + side))}},
	}
}

// ChangeRecords sends one batch and waits until it is in sync.
func (r *Region) ChangeRecords(ctx context.Context, changes ...r53types.Change) error {
	out, err := r.Route53.ChangeResourceRecordSets(ctx, &route53.ChangeResourceRecordSetsInput{
		HostedZoneId: &r.HostedZoneID, ChangeBatch: &r53types.ChangeBatch{Changes: changes},
	})
	if err != nil {
		return fmt.Errorf("changing records of %s: %w", Zone, err)
	}
	return poll(ctx, func() (bool, error) {
		change, err := r.Route53.GetChange(ctx, &route53.GetChangeInput{Id: out.ChangeInfo.Id})
		if err != nil {
			return false, fmt.Errorf("asking for the change: %w", err)
		}
		return change.ChangeInfo.Status == r53types.ChangeStatusInsync, nil
	})
}

// awaitHealth waits until the edge found every target healthy.
func (r *Region) awaitHealth(ctx context.Context) error {
	return poll(ctx, func() (bool, error) {
		for _, g := range r.Cloud.TargetGroups() {
			for _, t := range g.Targets {
				if t.State != routing.Healthy {
					return false, nil
				}
			}
		}
		return true, nil
	})
}

// poll asks until the answer is yes. What it waits for lives behind an API
// that has nothing to subscribe to.
func poll(ctx context.Context, done func() (bool, error)) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if ok, err := done(); ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
	}
}
