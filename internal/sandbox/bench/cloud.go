package bench

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

// zoneName is the origin of every record of the benchmark.
const zoneName = "bench.example"

// cloud is an embedded AWS without an edge: nobody's requests are routed, so
// that all of the machine is left for what is measured.
type cloud struct {
	*aws.Cloud
	endpoint string
	route53  *route53.Client
	elb      *elasticloadbalancingv2.Client
	zoneID   string

	server *http.Server
	served chan error
}

func newCloud(ctx context.Context, o aws.Options) (*cloud, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listening for the AWS APIs: %w", err)
	}
	c := &cloud{Cloud: aws.New(o), endpoint: "http://" + l.Addr().String(), served: make(chan error, 1)}
	c.server = &http.Server{Handler: c.Cloud, ReadHeaderTimeout: 5 * time.Second}
	go func() { c.served <- c.server.Serve(l) }()
	cfg := sdk.Config{
		Region: "ap-northeast-1", BaseEndpoint: &c.endpoint,
		Credentials: sdk.CredentialsProviderFunc(func(context.Context) (sdk.Credentials, error) {
			return sdk.Credentials{AccessKeyID: "sandbox", SecretAccessKey: "sandbox"}, nil
		}),
	}
	c.route53, c.elb = route53.NewFromConfig(cfg), elasticloadbalancingv2.NewFromConfig(cfg)
	zone, err := c.route53.CreateHostedZone(ctx, &route53.CreateHostedZoneInput{Name: new(zoneName), CallerReference: new("bench")})
	if err != nil {
		return nil, fmt.Errorf("creating zone %s: %w", zoneName, err)
	}
	c.zoneID = strings.TrimPrefix(*zone.HostedZone.Id, "/hostedzone/")
	return c, nil
}

func (c *cloud) close() error {
	err := c.server.Close()
	if served := <-c.served; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}

// record is one weighted A record of a name.
func record(name, side string, weight int64) *r53types.ResourceRecordSet {
	address := map[string]string{"blue": "192.0.2.10", "green": "192.0.2.20"}[side]
	return &r53types.ResourceRecordSet{
		Name: &name, Type: r53types.RRTypeA, TTL: new(int64(1)), SetIdentifier: &side, Weight: &weight,
		ResourceRecords: []r53types.ResourceRecord{{Value: &address}},
	}
}

// createNames makes a group of two weighted records for every name, all on blue.
func (c *cloud) createNames(ctx context.Context, names []string) error {
	const atOnce = 400 // names a batch: two records each
	for len(names) > 0 {
		n := min(atOnce, len(names))
		var changes []r53types.Change
		for _, name := range names[:n] {
			changes = append(changes,
				r53types.Change{Action: r53types.ChangeActionCreate, ResourceRecordSet: record(name, "blue", 100)},
				r53types.Change{Action: r53types.ChangeActionCreate, ResourceRecordSet: record(name, "green", 0)})
		}
		if _, err := c.route53.ChangeResourceRecordSets(ctx, &route53.ChangeResourceRecordSetsInput{
			HostedZoneId: &c.zoneID, ChangeBatch: &r53types.ChangeBatch{Changes: changes},
		}); err != nil {
			return fmt.Errorf("creating %d names: %w", n, err)
		}
		names = names[n:]
	}
	return nil
}

// ruled is one rule with the groups that it forwards to.
type ruled struct{ arn, blue, green string }

// rulesPerBalancer is AWS's limit.
const rulesPerBalancer = 100

// createRules makes so many rules, 100 a load balancer, all on blue; targets are
// healthy.
func (c *cloud) createRules(ctx context.Context, n int) ([]ruled, error) {
	var rules []ruled
	for len(rules) < n {
		name := fmt.Sprintf("lb-%d", len(rules)/rulesPerBalancer)
		blue, err := c.createGroup(ctx, name+"-blue")
		if err != nil {
			return nil, err
		}
		green, err := c.createGroup(ctx, name+"-green")
		if err != nil {
			return nil, err
		}
		listener, err := c.createListener(ctx, name)
		if err != nil {
			return nil, err
		}
		for i := range min(rulesPerBalancer, n-len(rules)) {
			rule, err := c.elb.CreateRule(ctx, &elasticloadbalancingv2.CreateRuleInput{
				ListenerArn: &listener, Priority: new(int32(i + 1)),
				Conditions: []elbtypes.RuleCondition{{Field: new("path-pattern"), Values: []string{fmt.Sprintf("/%d", i)}}},
				Actions:    []elbtypes.Action{forward(blue, 100, green, 0)},
			})
			if err != nil {
				return nil, fmt.Errorf("creating rule %d of %s: %w", i, name, err)
			}
			rules = append(rules, ruled{arn: *rule.Rules[0].RuleArn, blue: blue, green: green})
		}
		for _, group := range []string{blue, green} {
			c.SetTargetHealth(group, "10.0.0.1", 80, routing.Healthy, "")
		}
	}
	return rules, nil
}

func (c *cloud) createGroup(ctx context.Context, name string) (arn string, err error) {
	group, err := c.elb.CreateTargetGroup(ctx, &elasticloadbalancingv2.CreateTargetGroupInput{
		Name: &name, Protocol: elbtypes.ProtocolEnumHttp, Port: new(int32(80)), TargetType: elbtypes.TargetTypeEnumIp, VpcId: new("vpc-0123456789abcdef0"),
	})
	if err != nil {
		return "", fmt.Errorf("creating target group %s: %w", name, err)
	}
	arn = *group.TargetGroups[0].TargetGroupArn
	_, err = c.elb.RegisterTargets(ctx, &elasticloadbalancingv2.RegisterTargetsInput{
		TargetGroupArn: &arn, Targets: []elbtypes.TargetDescription{{Id: new("10.0.0.1")}},
	})
	if err != nil {
		return "", fmt.Errorf("registering a target of %s: %w", name, err)
	}
	return arn, nil
}

func (c *cloud) createListener(ctx context.Context, name string) (arn string, err error) {
	balancer, err := c.elb.CreateLoadBalancer(ctx, &elasticloadbalancingv2.CreateLoadBalancerInput{
		Name: &name, Subnets: []string{"subnet-0123456789abcdef0", "subnet-0123456789abcdef1"},
	})
	if err != nil {
		return "", fmt.Errorf("creating load balancer %s: %w", name, err)
	}
	notFound := elbtypes.Action{Type: elbtypes.ActionTypeEnumFixedResponse, FixedResponseConfig: &elbtypes.FixedResponseActionConfig{StatusCode: new("404")}}
	listener, err := c.elb.CreateListener(ctx, &elasticloadbalancingv2.CreateListenerInput{
		LoadBalancerArn: balancer.LoadBalancers[0].LoadBalancerArn, Port: new(int32(80)), Protocol: elbtypes.ProtocolEnumHttp,
		DefaultActions: []elbtypes.Action{notFound},
	})
	if err != nil {
		return "", fmt.Errorf("creating a listener of %s: %w", name, err)
	}
	return *listener.Listeners[0].ListenerArn, nil
}

func forward(blue string, blueWeight int32, green string, greenWeight int32) elbtypes.Action {
	return elbtypes.Action{Type: elbtypes.ActionTypeEnumForward, ForwardConfig: &elbtypes.ForwardActionConfig{
		TargetGroups: []elbtypes.TargetGroupTuple{{TargetGroupArn: &blue, Weight: &blueWeight}, {TargetGroupArn: &green, Weight: &greenWeight}},
	}}
}

// greenOf counts the names and rules that give green exactly the weight.
func (c *cloud) greenOf(names []string, weight int) (records, rules int) {
	for _, name := range names {
		for _, r := range c.RecordSets(name+".", "A") {
			if r.SetIdentifier == "green" && r.Weight == int64(weight) {
				records++
			}
		}
	}
	for _, l := range c.Listeners() {
		for _, r := range l.Rules {
			if len(r.Forward) == 2 && r.Forward[1].Weight == weight {
				rules++
			}
		}
	}
	return records, rules
}
