package cli

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/clusterswitch/clusterswitch/internal/retire"
	cloud "github.com/clusterswitch/clusterswitch/internal/sandbox/aws"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane/cptest"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/routing"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// retiring is a blue whose users have all moved to green: two real API servers,
// of which blue's is that of the management cluster too, and an AWS with a load
// balancer that was made two days ago.
type retiring struct {
	*world
	*testing.T
	cloud                        *cloud.Cloud
	elb                          *elbv2.Client
	endpoint                     string
	balancer, listener           string
	blueGroup, greenGroup        string
	blueKubeconfig, greenCluster string
	green                        kubernetes.Interface
	kubernetesOfBlue             kubernetes.Interface
}

func newRetiring(t *testing.T) *retiring {
	t.Helper()
	blue, green := cluster.Start(t), cptest.Start(t, cptest.Options{Name: "cli-green"})
	alone(t)
	t.Setenv("AWS_ACCESS_KEY_ID", "test")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "test")
	r := &retiring{T: t, world: newWorld(t)}
	var ago atomic.Int64
	ago.Store(int64(48 * time.Hour))
	r.cloud = cloud.New(cloud.Options{Region: "eu-west-1", Now: func() time.Time { return time.Now().Add(-time.Duration(ago.Load())) }})
	server := httptest.NewServer(r.cloud)
	t.Cleanup(server.Close)
	r.endpoint = server.URL
	r.elb = elbv2.New(elbv2.Options{
		Region: "eu-west-1", BaseEndpoint: &server.URL, Credentials: aws.NewCredentialsCache(credentials.NewStaticCredentialsProvider("test", "test", "")),
	})
	r.front()
	ago.Store(0)
	r.blueKubeconfig, r.greenCluster = blue.Kubeconfig(), green.Kubeconfig()
	r.green, r.kubernetesOfBlue = cptest.Client(t, green), cptest.Client(t, blue)
	r.configure("silentFor: 24h")
	return r
}

// front makes the load balancer with both target groups.
func (r *retiring) front() {
	r.Helper()
	ok := func(err error) {
		r.Helper()
		if err != nil {
			r.Fatal(err)
		}
	}
	made, err := r.elb.CreateLoadBalancer(r.Context(), &elbv2.CreateLoadBalancerInput{Name: new("shop"), Subnets: []string{"subnet-1", "subnet-2"}})
	ok(err)
	r.balancer = *made.LoadBalancers[0].LoadBalancerArn
	group := func(name string) string {
		out, err := r.elb.CreateTargetGroup(r.Context(), &elbv2.CreateTargetGroupInput{
			Name: &name, Port: new(int32(80)), Protocol: elbtypes.ProtocolEnumHttp, TargetType: elbtypes.TargetTypeEnumIp, VpcId: new("vpc-1"),
		})
		ok(err)
		return *out.TargetGroups[0].TargetGroupArn
	}
	r.blueGroup, r.greenGroup = group("blue"), group("green")
	out, err := r.elb.CreateListener(r.Context(), &elbv2.CreateListenerInput{
		LoadBalancerArn: &r.balancer, Port: new(int32(80)), Protocol: elbtypes.ProtocolEnumHttp,
		DefaultActions: []elbtypes.Action{{Type: elbtypes.ActionTypeEnumForward, ForwardConfig: &elbtypes.ForwardActionConfig{TargetGroups: []elbtypes.TargetGroupTuple{
			{TargetGroupArn: &r.blueGroup, Weight: new(int32(0))}, {TargetGroupArn: &r.greenGroup, Weight: new(int32(100))},
		}}}},
	})
	ok(err)
	r.listener = *out.Listeners[0].ListenerArn
}

// configure writes the configuration with what is asked of blue.
func (r *retiring) configure(asked string) {
	r.Helper()
	write(r.T, "clusterswitch.yaml", fmt.Sprintf(`apiVersion: clusterswitch.io/v1alpha1
aws: {region: eu-west-1, endpointURL: %q}
journal: {namespace: %s, kubeconfig: {path: %q}}
pairs:
  - name: shop
    serve: green
    blue: {kubeconfig: {path: %q}}
    green: {kubeconfig: {path: %q}}
    preflight: {secrets: digests}
    retire: {names: [former-shop], %s}
    traffic: [{alb: {listenerARN: %q, blueTargetGroupARN: %q, greenTargetGroupARN: %q}}]
    steps: [{share: 100}]
    soakOnly: true
`, r.endpoint, r.namespace, r.blueKubeconfig, r.blueKubeconfig, r.greenCluster, asked, r.listener, r.blueGroup, r.greenGroup))
}

// completed writes the journal of a shift that was completed yesterday.
func (r *retiring) completed() {
	r.Helper()
	then := time.Now().Add(-30 * time.Hour).UTC()
	state, err := json.Marshal(shift.State{
		Schema: shift.Schema, Attempt: 1, Epoch: 1, Version: 9, Phase: shift.Completed, Share: shift.Full, Step: 1, Steps: []shift.Step{{Share: shift.Full}},
		Entrances: []shift.EntranceState{{Share: shift.Full, Entrance: shift.Entrance{Name: "alb-0", Balancer: &shift.BalancerEntrance{
			ListenerARN: r.listener, BlueTargetGroupARN: r.blueGroup, GreenTargetGroupARN: r.greenGroup, MinHealthyTargets: 1,
		}}}},
		StartedAt: then.Add(-time.Hour), ChangedAt: then, ShownAt: then, ReachedAt: then, EndedAt: then,
	})
	if err != nil {
		r.Fatal(err)
	}
	r.pair("shop")
	r.edit("shop", "status", fmt.Sprintf(`{"phase": "Completed", "share": 100, "attempt": 1, "journal": %s}`, state))
}

// expect runs the command and compares the exit status and what keeps blue from
// being deleted.
func (r *retiring) expect(when string, status int, want ...string) retire.Report {
	r.Helper()
	got := run(r.Context(), "retire-check", "shop", "-o", "json")
	var report retire.Report
	if err := json.Unmarshal([]byte(got.out), &report); err != nil {
		r.Fatalf("%s: %v in %+v", when, err, got)
	}
	var against []string
	for _, x := range report.Findings {
		if x.Severity == "block" {
			against = append(against, x.ID)
		}
	}
	slices.Sort(against)
	if got.status != status || strings.Join(against, "\n") != strings.Join(want, "\n") {
		r.Errorf("%s: exit status %d, want %d; against it:\n%s\nwant:\n%s\n%s", when, got.status, status, strings.Join(against, "\n"), strings.Join(want, "\n"), got.err)
	}
	return report
}

func TestRetireCheckOfARealCluster(t *testing.T) {
	r := newRetiring(t)
	r.expect("before any shift", 1, "PairNotCompleted/Pair/shop", "TailUnknown/Entrance/shop/alb-0")
	r.completed()
	r.expect("when all is over", 0)
	document := run(t.Context(), "retire-check", "shop", "-o", "markdown")
	for _, want := range []string{"**Safe to retire: yes.**", "Pair shop is Completed at 100 % in attempt 1", "RequestCount of target group targetgroup/blue/", "refers to blue."} {
		if document.status != 0 || !strings.Contains(document.out, want) {
			t.Errorf("exit status %d, and the document doesn't say %q:\n%s", document.status, want, document.out)
		}
	}

	left := corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "settings"}, Data: map[string]string{"QUEUE": "amqp://queue.former-shop.example.com", "OTHER": "former-shop-2"}}
	if _, err := r.green.CoreV1().ConfigMaps("default").Create(t.Context(), &left, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	job := batchv1.CronJob{ObjectMeta: metav1.ObjectMeta{Name: "nightly"}, Spec: batchv1.CronJobSpec{Schedule: "0 3 * * *", JobTemplate: batchv1.JobTemplateSpec{Spec: batchv1.JobSpec{
		Template: corev1.PodTemplateSpec{Spec: corev1.PodSpec{RestartPolicy: corev1.RestartPolicyNever, Containers: []corev1.Container{{Name: "a", Image: "a"}}}},
	}}}}
	if _, err := r.kubernetesOfBlue.BatchV1().CronJobs(r.namespace).Create(t.Context(), &job, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	r.cloud.RecordRequest(routing.Request{At: time.Now().Add(-time.Hour), LoadBalancerARN: r.balancer, TargetGroupARN: r.blueGroup, Status: 200, FromTarget: true})
	report := r.expect("with a user, a CronJob and a reference", 1,
		"BlueNotSilent/TargetGroup/"+r.blueGroup[strings.LastIndex(r.blueGroup, ":")+1:]+"/RequestCount",
		"CronJobActive/CronJob.batch/"+r.namespace+"/nightly",
		"RefersToBlue/ConfigMap/default/settings/former-shop",
	)
	if i := slices.IndexFunc(report.Findings, func(x retire.Finding) bool { return x.Code == retire.RefersToBlue }); !strings.Contains(report.Findings[i].Message, "at data.QUEUE") {
		t.Errorf("it doesn't say where: %+v", report.Findings[i])
	}

	for _, err := range []error{
		r.green.CoreV1().ConfigMaps("default").Delete(t.Context(), "settings", metav1.DeleteOptions{}),
		r.kubernetesOfBlue.BatchV1().CronJobs(r.namespace).Delete(t.Context(), "nightly", metav1.DeleteOptions{}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	r.configure("silentFor: 30m")
	r.expect("when it was silent for long enough", 0)
	r.configure("silentFor: 96h")
	table := run(t.Context(), "retire-check", "shop")
	if table.status != 1 || !strings.Contains(table.out, "Safe to retire: no") {
		t.Errorf("with a request within the time: %+v", table)
	}
	r.balancerIsYounger()
}

// balancerIsYounger: nobody knows of a time before the load balancer was made.
func (r *retiring) balancerIsYounger() {
	r.Helper()
	r.cloud, r.balancer = nil, ""
	fresh := cloud.New(cloud.Options{Region: "eu-west-1"})
	server := httptest.NewServer(fresh)
	r.Cleanup(server.Close)
	r.endpoint = server.URL
	r.elb = elbv2.New(elbv2.Options{
		Region: "eu-west-1", BaseEndpoint: &server.URL, Credentials: aws.NewCredentialsCache(credentials.NewStaticCredentialsProvider("test", "test", "")),
	})
	r.front()
	r.configure("silentFor: 30m")
	got := run(r.Context(), "retire-check", "shop")
	if got.status != 3 || !strings.Contains(got.out, "Safe to retire: no, not known") || !strings.Contains(got.err, "unknown") {
		r.Errorf("of a young load balancer: %+v", got)
	}
}

func TestRetireCheckRefusesWhatItCannotUse(t *testing.T) {
	alone(t)
	t.Setenv("AWS_REGION", "eu-west-1")
	write(t, "clusterswitch.yaml", validConfig)
	for says, args := range map[string][]string{
		"-o yaml: use table, json or markdown":                     {"shop", "-o", "yaml"},
		"neither a pair nor a cluster none; it has the pairs shop": {"none"},
	} {
		got := run(t.Context(), append([]string{"retire-check"}, args...)...)
		if got.status != 2 || got.out != "" || !strings.Contains(got.err, says) {
			t.Errorf("got %+v, want status 2 and %q", got, says)
		}
	}
}
