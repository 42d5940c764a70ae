package app

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clusterswitch/clusterswitch/internal/api/v1alpha1"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane/cptest"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/routing"
)

// balanced configures a pair whose only entrance is the load balancer, and that
// judges users' requests by CloudWatch, second by second.
func (s *story) balanced() {
	s.Helper()
	s.configure(fmt.Sprintf(`    preflight: {mode: "off"}
    workloads: {namespaces: [%s]}
    gates: [{name: users, requests: {cloudwatch: {}, interval: 1s, settle: 1s, skipFirst: 0s, history: 1h, latency: {off: true}}}]
`, s.namespace))
	text, err := os.ReadFile(s.file)
	s.ok(err)
	var lines []string
	for line := range strings.Lines(string(text)) {
		if !strings.Contains(line, "- route53:") && !strings.Contains(line, "soakOnly") {
			lines = append(lines, line)
		}
	}
	replaced := strings.NewReplacer("serve: blue", "serve: green", "[{share: 100}]", "[{share: 50, hold: 1h}, {share: 100}]").Replace(strings.Join(lines, ""))
	s.ok(os.WriteFile(s.file, []byte(replaced), 0o600))
}

// readyNode gives the cluster a node, as kubelet would.
func (s *story) readyNode() {
	s.Helper()
	nodes := cptest.Client(s.T, plane.Start(s.T)).CoreV1().Nodes()
	node, err := nodes.Create(s.Context(), &corev1.Node{ObjectMeta: metav1.ObjectMeta{GenerateName: "node-"}}, metav1.CreateOptions{})
	s.ok(err)
	s.Cleanup(func() {
		if err := nodes.Delete(context.WithoutCancel(s.Context()), node.Name, metav1.DeleteOptions{}); err != nil {
			s.Error(err)
		}
	})
	node.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}
	_, err = nodes.UpdateStatus(s.Context(), node, metav1.UpdateOptions{})
	s.ok(err)
}

// served records requests that were answered by a group's target, so many of them
// with an error.
func (s *story) served(group string, at time.Time, requests, bad int) {
	_, after, _ := strings.Cut(s.rule, ":listener-rule/")
	before, _, _ := strings.Cut(s.rule, ":listener-rule/")
	balancer := before + ":loadbalancer/" + strings.Join(strings.Split(after, "/")[:3], "/")
	for i := range requests {
		status := 200
		if i < bad {
			status = 500
		}
		s.cloud.RecordRequest(routing.Request{
			At: at, LoadBalancerARN: balancer, TargetGroupARN: group, Status: status, FromTarget: true, Duration: 20 * time.Millisecond,
		})
	}
}

// users come until the test ends: a hundred a second to each side that gets any. Of
// green's answers one in ten is an error. They come in fives a second, so that AWS
// isn't asked for the weights too often.
func (s *story) users() {
	ctx, cancel := context.WithCancel(s.Context())
	var coming sync.WaitGroup
	coming.Go(func() {
		every := time.NewTicker(time.Second / 5)
		defer every.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case now := <-every.C:
				s.served(s.blueARN, now, 20, 0)
				described, err := s.rules.DescribeRules(ctx, &elasticloadbalancingv2.DescribeRulesInput{RuleArns: []string{s.rule}})
				if err != nil {
					continue
				}
				for _, tuple := range described.Rules[0].Actions[0].ForwardConfig.TargetGroups {
					if *tuple.TargetGroupArn == s.greenARN && *tuple.Weight > 0 {
						s.served(s.greenARN, now, 20, 2)
					}
				}
			}
		}
	})
	s.Cleanup(func() { cancel(); coming.Wait() })
}

// A real daemon learns from CloudWatch what blue was like, sends half of the users
// to green, counts both sides, and takes them back when green is proven bad.
func TestUsersComeBackFromAGreenThatIsProvenBad(t *testing.T) {
	s := newStory(t)
	_, err := s.rules.ModifyRule(t.Context(), &elasticloadbalancingv2.ModifyRuleInput{RuleArn: &s.rule, Actions: s.forward(0)})
	s.ok(err)
	s.readyNode()
	s.readyWorkload()
	s.balanced()
	now := time.Now()
	for ago := range 3700 { // blue has had one error in a thousand
		bad := 0
		if ago%50 == 0 {
			bad = 1
		}
		s.served(s.blueARN, now.Add(-time.Duration(ago)*time.Second), 20, bad)
	}
	s.users()

	defer s.run()()
	s.awaitFor(3*within, "half of the users on green", func(status v1alpha1.TrafficSwitchStatus) bool { return status.Share == 50 })
	s.awaitFor(6*within, "the way back", func(status v1alpha1.TrafficSwitchStatus) bool {
		return status.Phase == "RolledBack" && status.Rollback != nil && status.Rollback.Automatic
	})
	var object v1alpha1.TrafficSwitch
	s.ok(s.objects.Get().Namespace(s.namespace).Resource(v1alpha1.Resource).Name("shop").Do(t.Context()).Into(&object))
	if r := object.Status.Rollback; !strings.Contains(r.Why, "users: users suffer on green, and not on blue") || !strings.Contains(r.Why, "proves it") {
		t.Errorf("the rollback is %+v", r)
	}
	s.expect("after the way back", [2]int{50, 0}) // the name is no entrance here
}
