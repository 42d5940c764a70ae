package app

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	r53types "github.com/aws/aws-sdk-go-v2/service/route53/types"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clusterswitch/clusterswitch/internal/api/v1alpha1"
	"github.com/clusterswitch/clusterswitch/internal/preflight/finding"
	"github.com/clusterswitch/clusterswitch/internal/preflight/keep"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane/cptest"
)

// readyWorkload makes a Deployment that has its replica, as controllers would.
func (s *story) readyWorkload() {
	s.Helper()
	labels := map[string]string{"app": "web"}
	deployments := cptest.Client(s.T, plane.Start(s.T)).AppsV1().Deployments(s.namespace)
	d, err := deployments.Create(s.Context(), &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "web"},
		Spec: appsv1.DeploymentSpec{
			Replicas: new(int32(1)), Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "web", Image: "web"}}},
			},
		},
	}, metav1.CreateOptions{})
	s.ok(err)
	d.Status = appsv1.DeploymentStatus{ObservedGeneration: d.Generation, Replicas: 1, ReadyReplicas: 1, UpdatedReplicas: 1, AvailableReplicas: 1}
	_, err = deployments.UpdateStatus(s.Context(), d, metav1.UpdateOptions{})
	s.ok(err)
}

// A real daemon that is asked for a shift to a green that nobody can read: it
// stays before the first user, says why, and keeps the report with the shift.
// When green can be read, a look of the next round says so.
func TestNobodyIsSentToAGreenThatCannotBeRead(t *testing.T) {
	s := newStory(t)
	s.writeName(r53types.ChangeActionUpsert, 0)
	_, err := s.rules.ModifyRule(t.Context(), &elasticloadbalancingv2.ModifyRuleInput{RuleArn: &s.rule, Actions: s.forward(0)})
	s.ok(err)
	s.readyWorkload()
	s.configure("    preflight: {every: 10s}\n")
	text, err := os.ReadFile(s.file)
	s.ok(err)
	s.ok(os.WriteFile(s.file, []byte(strings.Replace(string(text), "serve: blue", "serve: green", 1)), 0o600))
	green := s.file + ".green"
	reachable, err := os.ReadFile(green)
	s.ok(err)
	s.ok(os.WriteFile(green, []byte("it is being written"), 0o600))

	stop := s.run()
	defer stop()
	unreadable := func(status v1alpha1.TrafficSwitchStatus) bool {
		return status.Phase == "Preflight" && status.Reason == "PreflightBlocks" && strings.Contains(status.Message, "green can't be read") &&
			slices.ContainsFunc(status.Notes, func(n string) bool { return strings.HasPrefix(n, "preflight: ") })
	}
	s.await("what blocks", unreadable)
	shelf, err := keep.New(keep.Options{Config: plane.Start(t).RESTConfig(), Namespace: s.namespace, FieldManager: "test"})
	s.ok(err)
	for _, key := range []string{keep.Newest, keep.Start} {
		r, err := shelf.Get(t.Context(), "shop", key)
		s.ok(err)
		if r.Attempt != 1 || !slices.ContainsFunc(r.Findings, func(f finding.Finding) bool { return f.Code == finding.ClusterUnreadable && f.Blocks() }) {
			t.Errorf("%s is %+v", key, r)
		}
	}
	s.expect("while green can't be read", [2]int{0, 0})

	s.ok(os.WriteFile(green, reachable, 0o600))
	s.awaitFor(3*within, "that green can be read", func(status v1alpha1.TrafficSwitchStatus) bool {
		return status.Phase != "" && !unreadable(status) && !strings.Contains(status.Message, "green can't be read")
	})
}
