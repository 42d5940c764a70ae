package planted

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	r53types "github.com/aws/aws-sdk-go-v2/service/route53/types"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/aws"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/routing"
)

const (
	zone    = "shop.example"
	webName = "www." + zone
	apiName = "api." + zone
)

// cloud is the embedded AWS with the entrances of both clusters: one load
// balancer for each cluster's web behind weighted records, and one rule in front
// of both clusters' API.
type cloud struct {
	*aws.Cloud
	endpoint string
	route53  *route53.Client
	elb      *elasticloadbalancingv2.Client

	zoneID string
	// balancers by name, and groups by name.
	balancers map[string]balancer
	groups    map[string]string
	// listeners are the users' listeners, by load balancer.
	listeners map[string]string
	ruleARN   string

	server *http.Server
	served chan error
}

// balancer is one load balancer.
type balancer struct{ arn, dnsName, zoneID string }

func startCloud(ctx context.Context) (*cloud, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listening for the AWS APIs: %w", err)
	}
	c := &cloud{
		Cloud: aws.New(aws.Options{LoadBalancerAddress: balancerAddress}), endpoint: "http://" + l.Addr().String(),
		balancers: map[string]balancer{}, groups: map[string]string{}, listeners: map[string]string{}, served: make(chan error, 1),
	}
	c.server = &http.Server{Handler: c.Cloud, ReadHeaderTimeout: 5 * time.Second}
	go func() { c.served <- c.server.Serve(l) }()
	cfg := sdk.Config{
		Region: "ap-northeast-1", BaseEndpoint: &c.endpoint,
		Credentials: sdk.CredentialsProviderFunc(func(context.Context) (sdk.Credentials, error) {
			return sdk.Credentials{AccessKeyID: "sandbox", SecretAccessKey: "sandbox"}, nil
		}),
	}
	c.route53, c.elb = route53.NewFromConfig(cfg), elasticloadbalancingv2.NewFromConfig(cfg)
	if err := c.furnish(ctx); err != nil {
		return nil, errors.Join(err, c.close())
	}
	return c, nil
}

// balancerAddress is of those that are kept for documentation (RFC 5737).
func balancerAddress(name string) string {
	switch name {
	case "web-blue":
		return "192.0.2.10"
	case "web-green":
		return "192.0.2.20"
	default:
		return "192.0.2.30"
	}
}

func (c *cloud) close() error {
	err := c.server.Close()
	if served := <-c.served; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}

func (c *cloud) furnish(ctx context.Context) error {
	for _, name := range []string{"web-blue", "web-green", "api-blue", "api-green"} {
		if err := c.createGroup(ctx, name); err != nil {
			return err
		}
	}
	for _, name := range []string{"web-blue", "web-green", "api"} {
		if err := c.createBalancer(ctx, name); err != nil {
			return err
		}
	}
	for _, name := range []string{"web-blue", "web-green"} {
		listener, err := c.listen(ctx, name, 80, forward(c.groups[name], 1))
		if err != nil {
			return err
		}
		c.listeners[name] = listener
	}
	notFound := elbtypes.Action{Type: elbtypes.ActionTypeEnumFixedResponse, FixedResponseConfig: &elbtypes.FixedResponseActionConfig{StatusCode: new("404")}}
	users, err := c.listen(ctx, "api", 80, notFound)
	if err != nil {
		return err
	}
	c.listeners["api"] = users
	// A second listener leads to green alone, for probes.
	if _, err := c.listen(ctx, "api", 8080, forward(c.groups["api-green"], 1)); err != nil {
		return err
	}
	rule, err := c.elb.CreateRule(ctx, &elasticloadbalancingv2.CreateRuleInput{
		ListenerArn: &users, Priority: new(int32(10)),
		Conditions: []elbtypes.RuleCondition{{Field: new("host-header"), HostHeaderConfig: &elbtypes.HostHeaderConditionConfig{Values: []string{apiName}}}},
		Actions:    []elbtypes.Action{forward(c.groups["api-blue"], 100, c.groups["api-green"], 0)},
	})
	if err != nil {
		return fmt.Errorf("creating the rule of %s: %w", apiName, err)
	}
	c.ruleARN = *rule.Rules[0].RuleArn
	for name := range c.groups { // once each has a load balancer that checks it
		c.health(name, routing.Healthy)
	}
	return c.createZone(ctx)
}

func (c *cloud) createGroup(ctx context.Context, name string) error {
	group, err := c.elb.CreateTargetGroup(ctx, &elasticloadbalancingv2.CreateTargetGroupInput{
		Name: &name, Protocol: elbtypes.ProtocolEnumHttp, Port: new(int32(8080)), TargetType: elbtypes.TargetTypeEnumIp, VpcId: new("vpc-0123456789abcdef0"),
	})
	if err != nil {
		return fmt.Errorf("creating target group %s: %w", name, err)
	}
	arn := *group.TargetGroups[0].TargetGroupArn
	c.groups[name] = arn
	for _, address := range targets() {
		if _, err := c.elb.RegisterTargets(ctx, &elasticloadbalancingv2.RegisterTargetsInput{
			TargetGroupArn: &arn, Targets: []elbtypes.TargetDescription{{Id: &address}},
		}); err != nil {
			return fmt.Errorf("registering a target of %s: %w", name, err)
		}
	}
	return nil
}

// health says what health checks find of a group's targets.
func (c *cloud) health(group string, state routing.State) {
	for _, address := range targets() {
		c.SetTargetHealth(c.groups[group], address, 8080, state, "")
	}
}

// targets are the addresses in each target group.
func targets() []string { return []string{"10.0.0.1", "10.0.0.2", "10.0.0.3"} }

func (c *cloud) createBalancer(ctx context.Context, name string) error {
	made, err := c.elb.CreateLoadBalancer(ctx, &elasticloadbalancingv2.CreateLoadBalancerInput{
		Name: &name, Subnets: []string{"subnet-0123456789abcdef0", "subnet-0123456789abcdef1"},
	})
	if err != nil {
		return fmt.Errorf("creating load balancer %s: %w", name, err)
	}
	lb := made.LoadBalancers[0]
	c.balancers[name] = balancer{arn: *lb.LoadBalancerArn, dnsName: *lb.DNSName, zoneID: *lb.CanonicalHostedZoneId}
	return nil
}

func (c *cloud) listen(ctx context.Context, name string, port int32, action elbtypes.Action) (arn string, err error) {
	lb := c.balancers[name]
	listener, err := c.elb.CreateListener(ctx, &elasticloadbalancingv2.CreateListenerInput{
		LoadBalancerArn: &lb.arn, Port: &port, Protocol: elbtypes.ProtocolEnumHttp, DefaultActions: []elbtypes.Action{action},
	})
	if err != nil {
		return "", fmt.Errorf("creating listener %d of %s: %w", port, name, err)
	}
	return *listener.Listeners[0].ListenerArn, nil
}

// forward sends to groups by weight: group, weight, group, weight.
func forward(groups ...any) elbtypes.Action {
	var tuples []elbtypes.TargetGroupTuple
	for i := 0; i < len(groups); i += 2 {
		group, _ := groups[i].(string)
		weight, _ := groups[i+1].(int)
		tuples = append(tuples, elbtypes.TargetGroupTuple{TargetGroupArn: &group, Weight: new(int32(weight))})
	}
	return elbtypes.Action{Type: elbtypes.ActionTypeEnumForward, ForwardConfig: &elbtypes.ForwardActionConfig{TargetGroups: tuples}}
}

func (c *cloud) createZone(ctx context.Context) error {
	made, err := c.route53.CreateHostedZone(ctx, &route53.CreateHostedZoneInput{Name: new(zone), CallerReference: new("planted")})
	if err != nil {
		return fmt.Errorf("creating zone %s: %w", zone, err)
	}
	c.zoneID = strings.TrimPrefix(*made.HostedZone.Id, "/hostedzone/")
	return c.change(ctx, r53types.ChangeActionCreate, c.webRecord("blue", 100), c.webRecord("green", 0))
}

// webRecord is the web's weighted alias of one side.
func (c *cloud) webRecord(side string, weight int64) *r53types.ResourceRecordSet {
	lb := c.balancers["web-"+side]
	return &r53types.ResourceRecordSet{
		Name: new(webName), Type: r53types.RRTypeA, SetIdentifier: &side, Weight: &weight,
		AliasTarget: &r53types.AliasTarget{DNSName: &lb.dnsName, HostedZoneId: &lb.zoneID, EvaluateTargetHealth: true},
	}
}

func (c *cloud) change(ctx context.Context, action r53types.ChangeAction, sets ...*r53types.ResourceRecordSet) error {
	var changes []r53types.Change
	for _, set := range sets {
		changes = append(changes, r53types.Change{Action: action, ResourceRecordSet: set})
	}
	if _, err := c.route53.ChangeResourceRecordSets(ctx, &route53.ChangeResourceRecordSetsInput{
		HostedZoneId: &c.zoneID, ChangeBatch: &r53types.ChangeBatch{Changes: changes},
	}); err != nil {
		return fmt.Errorf("changing records of %s: %w", zone, err)
	}
	return nil
}
