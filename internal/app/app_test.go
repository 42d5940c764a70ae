package app

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	sdkroute53 "github.com/aws/aws-sdk-go-v2/service/route53"
	r53types "github.com/aws/aws-sdk-go-v2/service/route53/types"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap/zaptest"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"

	"github.com/clusterswitch/clusterswitch/config"
	"github.com/clusterswitch/clusterswitch/internal/api/v1alpha1"
	"github.com/clusterswitch/clusterswitch/internal/awsapi"
	cloud "github.com/clusterswitch/clusterswitch/internal/sandbox/aws"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane/cptest"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/routing"
)

// plane is the management cluster, and blue and green as well. Its tests are those at
// a real API server that make test has, too.
var plane cptest.Shared

func TestMain(m *testing.M) {
	if file := os.Getenv(configOfDaemon); file != "" {
		os.Exit(beDaemon(file))
	}
	crd, err := v1alpha1.CRD()
	if err != nil {
		panic(err)
	}
	plane.Options = cptest.Options{Name: "app", InShort: true, CRDs: []*apiextensionsv1.CustomResourceDefinition{crd, ruleCRD()}}
	os.Exit(plane.Run(m))
}

// within bounds everything that the story waits for.
const within = 10 * time.Second

// story is a daemon in this process between a real API server and an AWS that
// speaks the real protocols.
type story struct {
	*testing.T
	cloud             *cloud.Cloud
	url               string
	looks             chan struct{} // receives each look at the names
	configMap         ConfigMap     // what the daemon watches; zero: nothing
	names             *sdkroute53.Client
	rules             *elasticloadbalancingv2.Client
	zone, rule        string
	blueARN, greenARN string
	namespace, file   string
	objects           rest.Interface
}

func newStory(t *testing.T) *story {
	t.Helper()
	s := &story{T: t, cloud: cloud.New(cloud.Options{MetricResolution: time.Second}), looks: make(chan struct{}, 1000)}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.cloud.ServeHTTP(w, r)
		if r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/rrset") {
			s.looks <- struct{}{}
		}
	}))
	t.Cleanup(server.Close)
	t.Setenv("AWS_ACCESS_KEY_ID", "test")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "test")
	session, err := awsapi.Load(t.Context(), awsapi.Options{Region: "ap-northeast-1", EndpointURL: server.URL})
	s.ok(err)
	s.url, s.names, s.rules = server.URL, sdkroute53.NewFromConfig(session), elasticloadbalancingv2.NewFromConfig(session)
	cp := plane.Start(t)
	s.namespace = cptest.Namespace(t, cp)
	s.objects, err = v1alpha1.RESTClient(cp.RESTConfig())
	s.ok(err)
	s.createName()
	s.createRule()
	s.file = filepath.Join(t.TempDir(), "clusterswitch.yaml")
	s.configure("")
	return s
}

func (s *story) ok(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s *story) createName() {
	s.Helper()
	zone, err := s.names.CreateHostedZone(s.Context(), &sdkroute53.CreateHostedZoneInput{Name: new("example.com"), CallerReference: new("app")})
	s.ok(err)
	s.zone = strings.TrimPrefix(*zone.HostedZone.Id, "/hostedzone/")
	s.writeName(r53types.ChangeActionCreate, 50)
}

func (s *story) writeName(action r53types.ChangeAction, green int64) {
	s.Helper()
	var changes []r53types.Change
	for side, weight := range map[string]int64{"blue": 100 - green, "green": green} {
		changes = append(changes, r53types.Change{Action: action, ResourceRecordSet: &r53types.ResourceRecordSet{
			Name: new("shop.example.com"), Type: r53types.RRTypeA, SetIdentifier: &side, Weight: &weight, TTL: new(int64(10)),
			ResourceRecords: []r53types.ResourceRecord{{Value: new("192.0.2." + fmt.Sprint(len(side)))}},
		}})
	}
	_, err := s.names.ChangeResourceRecordSets(s.Context(), &sdkroute53.ChangeResourceRecordSetsInput{
		HostedZoneId: &s.zone, ChangeBatch: &r53types.ChangeBatch{Changes: changes},
	})
	s.ok(err)
}

func (s *story) createGroup(name string) string {
	s.Helper()
	group, err := s.rules.CreateTargetGroup(s.Context(), &elasticloadbalancingv2.CreateTargetGroupInput{
		Name: &name, Protocol: elbtypes.ProtocolEnumHttp, Port: new(int32(80)), TargetType: elbtypes.TargetTypeEnumIp, VpcId: new("vpc-0123456789abcdef0"),
	})
	s.ok(err)
	arn := *group.TargetGroups[0].TargetGroupArn
	_, err = s.rules.RegisterTargets(s.Context(), &elasticloadbalancingv2.RegisterTargetsInput{
		TargetGroupArn: &arn, Targets: []elbtypes.TargetDescription{{Id: new("10.0.0.1"), Port: new(int32(80))}},
	})
	s.ok(err)
	return arn
}

func (s *story) createRule() {
	s.Helper()
	s.blueARN, s.greenARN = s.createGroup("shop-blue"), s.createGroup("shop-green")
	balancer, err := s.rules.CreateLoadBalancer(s.Context(), &elasticloadbalancingv2.CreateLoadBalancerInput{
		Name: new("shop"), Subnets: []string{"subnet-0123456789abcdef0", "subnet-0123456789abcdef1"},
	})
	s.ok(err)
	listener, err := s.rules.CreateListener(s.Context(), &elasticloadbalancingv2.CreateListenerInput{
		LoadBalancerArn: balancer.LoadBalancers[0].LoadBalancerArn, Port: new(int32(80)), Protocol: elbtypes.ProtocolEnumHttp,
		DefaultActions: []elbtypes.Action{{Type: elbtypes.ActionTypeEnumFixedResponse, FixedResponseConfig: &elbtypes.FixedResponseActionConfig{StatusCode: new("404")}}},
	})
	s.ok(err)
	rule, err := s.rules.CreateRule(s.Context(), &elasticloadbalancingv2.CreateRuleInput{
		ListenerArn: listener.Listeners[0].ListenerArn, Priority: new(int32(10)), Actions: s.forward(50),
		Conditions: []elbtypes.RuleCondition{{Field: new("host-header"), HostHeaderConfig: &elbtypes.HostHeaderConditionConfig{Values: []string{"shop.example.com"}}}},
	})
	s.ok(err)
	s.rule = *rule.Rules[0].RuleArn
	for _, arn := range []string{s.blueARN, s.greenARN} {
		s.cloud.SetTargetHealth(arn, "10.0.0.1", 80, routing.Healthy, "")
	}
}

func (s *story) forward(green int32) []elbtypes.Action {
	return []elbtypes.Action{{Type: elbtypes.ActionTypeEnumForward, ForwardConfig: &elbtypes.ForwardActionConfig{TargetGroups: []elbtypes.TargetGroupTuple{
		{TargetGroupArn: &s.blueARN, Weight: new(100 - green)}, {TargetGroupArn: &s.greenARN, Weight: &green},
	}}}}
}

// byHand gives green half of all traffic, as somebody at AWS would.
func (s *story) byHand() {
	s.Helper()
	s.writeName(r53types.ChangeActionUpsert, 50)
	_, err := s.rules.ModifyRule(s.Context(), &elasticloadbalancingv2.ModifyRuleInput{RuleArn: &s.rule, Actions: s.forward(50)})
	s.ok(err)
}

// green tells the weights of green: of the name, and of the rule.
func (s *story) green() [2]int {
	s.Helper()
	var weights [2]int
	sets, err := s.names.ListResourceRecordSets(s.Context(), &sdkroute53.ListResourceRecordSetsInput{HostedZoneId: &s.zone})
	s.ok(err)
	for _, set := range sets.ResourceRecordSets {
		if set.SetIdentifier != nil && *set.SetIdentifier == "green" {
			weights[0] = int(*set.Weight)
		}
	}
	described, err := s.rules.DescribeRules(s.Context(), &elasticloadbalancingv2.DescribeRulesInput{RuleArns: []string{s.rule}})
	s.ok(err)
	for _, tuple := range described.Rules[0].Actions[0].ForwardConfig.TargetGroups {
		if *tuple.TargetGroupArn == s.greenARN {
			weights[1] = int(*tuple.Weight)
		}
	}
	return weights
}

// configure writes the file that the daemon watches; more are keys of the pair.
func (s *story) configure(more string) {
	s.Helper()
	blue := plane.Start(s.T).Kubeconfig()
	green := s.file + ".green" // the same cluster, in a file of its own
	content, err := os.ReadFile(blue)
	s.ok(err)
	s.ok(os.WriteFile(green, content, 0o600))
	text := fmt.Sprintf(`apiVersion: clusterswitch.io/v1alpha1
interval: 1s
listen: 127.0.0.1:0
aws: {region: ap-northeast-1, endpointURL: %q}
journal: {kubeconfig: {path: %q}, namespace: %s}
pairs:
  - name: shop
    serve: blue
    blue: {kubeconfig: {path: %q}}
    green: {kubeconfig: {path: %q}}
    traffic:
      - route53: {hostedZoneID: %s, names: [shop.example.com], blueSetIdentifier: blue, greenSetIdentifier: green}
      - alb: {ruleARN: %q, blueTargetGroupARN: %q, greenTargetGroupARN: %q}
    steps: [{share: 100}]
    soakOnly: true
%s`, s.url, blue, s.namespace, blue, green, s.zone, s.rule, s.blueARN, s.greenARN, more)
	next := s.file + ".next"
	s.ok(os.WriteFile(next, []byte(text), 0o600))
	s.ok(os.Rename(next, s.file))
}

// ask changes the custom resource's spec.
func (s *story) ask(spec string) {
	s.Helper()
	patch := []byte(`{"spec": ` + spec + `}`)
	s.ok(s.objects.Patch(types.MergePatchType).Namespace(s.namespace).Resource(v1alpha1.Resource).Name("shop").Body(patch).Do(s.Context()).Error())
}

// await watches the custom resource until its status is as wanted.
func (s *story) await(what string, wanted func(v1alpha1.TrafficSwitchStatus) bool) {
	s.Helper()
	s.awaitFor(within, what, wanted)
}

func (s *story) awaitFor(within time.Duration, what string, wanted func(v1alpha1.TrafficSwitchStatus) bool) {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.Context(), within)
	defer cancel()
	var last v1alpha1.TrafficSwitchStatus
	for ctx.Err() == nil {
		watch, err := s.objects.Get().Namespace(s.namespace).Resource(v1alpha1.Resource).
			VersionedParams(&metav1.ListOptions{Watch: true}, metav1.ParameterCodec).Watch(ctx)
		s.ok(err)
		for event := range watch.ResultChan() {
			if object, is := event.Object.(*v1alpha1.TrafficSwitch); is {
				last = object.Status
			}
			if wanted(last) {
				watch.Stop()
				return
			}
		}
	}
	s.Fatalf("%s was not seen within %s; the status is %s, %s: %s", what, within, last.Phase, last.Reason, last.Message)
}

// awaitLooks waits until the daemon has looked that often.
func (s *story) awaitLooks(n int) {
	s.Helper()
	for len(s.looks) > 0 {
		<-s.looks
	}
	for range n {
		select {
		case <-s.looks:
		case <-time.After(within):
			s.Fatalf("the daemon did not look within %s", within)
		}
	}
}

// run runs the daemon until the returned function is called.
func (s *story) run() (stop func()) {
	s.Helper()
	c, err := config.Load(config.Options{Path: s.file})
	s.ok(err)
	daemon, err := New(s.Context(), Options{Config: c, ConfigMap: s.configMap, Version: "v0.0.0", Logger: zaptest.NewLogger(s)})
	s.ok(err)
	ctx, cancel := context.WithCancel(s.Context())
	ended := make(chan error, 1)
	go func() { ended <- daemon.Run(ctx) }()
	return func() {
		s.Helper()
		cancel()
		select {
		case err := <-ended:
			s.ok(err)
		case <-time.After(within):
			s.Fatalf("the daemon did not stop within %s", within)
		}
	}
}

// wroteWithin checks that the weights of both entrances were written soon after
// the request: a rollback takes seconds, not a tick (L2).
func (s *story) wroteWithin(asked time.Time, request string) {
	s.Helper()
	const bound = 2 * time.Second
	wrote := map[string]bool{}
	for _, call := range s.cloud.Calls() {
		if call.At.Before(asked) || !call.Applied {
			continue
		}
		switch took := call.Done.Sub(asked); call.Operation {
		case "ChangeResourceRecordSets", "ModifyRule":
			wrote[call.Operation] = true
			if took > bound {
				s.Errorf("%s came %s after %s, want at most %s", call.Operation, took, request, bound)
			}
		}
	}
	if len(wrote) != 2 {
		s.Errorf("%s made these writes only: %v", request, wrote)
	}
}

func (s *story) expect(when string, want [2]int) {
	s.Helper()
	if diff := cmp.Diff(want, s.green()); diff != "" {
		s.Errorf("%s, green's weights in the name and the rule (-want +got):\n%s", when, diff)
	}
}

func backBy(who string) func(v1alpha1.TrafficSwitchStatus) bool {
	return func(status v1alpha1.TrafficSwitchStatus) bool {
		return status.Phase == "RolledBack" && status.Rollback != nil && strings.Contains(status.Rollback.By, who)
	}
}

func reason(want string) func(v1alpha1.TrafficSwitchStatus) bool {
	return func(status v1alpha1.TrafficSwitchStatus) bool { return status.Reason == want }
}

func TestPeoplesFlagsMoveRealWeights(t *testing.T) {
	s := newStory(t)
	stop := s.run()
	s.await("a lost journal", reason("JournalMissing"))
	s.expect("before anybody asks", [2]int{50, 50})

	asked := time.Now()
	s.ask(`{"rollback": true}`)
	s.await("the rollback that the custom resource asks for", backBy("the custom resource"))
	s.wroteWithin(asked, "the custom resource's flag")
	s.expect("after the custom resource's flag", [2]int{0, 0})

	s.ask(`{"rollback": false}`)
	s.byHand()
	s.await("the foreign edit", reason("Drift"))
	s.awaitLooks(2)
	s.expect("after a foreign edit, which is not fought", [2]int{50, 50})

	asked = time.Now()
	s.configure("    rollback: true\n")
	s.await("the rollback that the configuration asks for", backBy("the configuration"))
	s.wroteWithin(asked, "the configuration's flag")
	s.expect("after the configuration's flag", [2]int{0, 0})

	s.configure("    rollback: true\n    handsOff: true\n")
	s.await("hands off", reason("HandsOff"))
	s.byHand()
	s.ask(`{"rollback": true}`)
	s.awaitLooks(3)
	s.expect("with hands off", [2]int{50, 50})

	stop()
	s.expect("after the end, which never rolls back", [2]int{50, 50})
	s.configure("    rollback: true\n")
	stop = s.run()
	s.await("the rollback of the next daemon", func(status v1alpha1.TrafficSwitchStatus) bool {
		return backBy("the custom resource")(status) && s.green() == [2]int{}
	})
	stop()
}
