package app

import (
	"context"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

const handed = "    singletons: {cronJobs: [api/report], deployments: [api/mailer], statefulSets: [api/queue]}\n"

// handOver switches the guest's own singletons off and on and gives them back, as
// the steward does.
func (g *guest) handOver(reach *rest.Config) (faults []string) {
	g.t.Helper()
	if !g.pair.Singletons.Named() {
		return nil
	}
	g.employ()
	k, err := newBatonKeeper(reach, shift.Green, g.pair)
	if err != nil {
		g.t.Fatal(err)
	}
	last := time.Now().Add(time.Minute) // later than in any look before
	for _, to := range []shift.Switch{shift.SwitchOff, shift.SwitchOn, shift.SwitchBack} {
		var i shift.ClusterIntent
		for _, key := range []string{"CronJob api/report", "Deployment api/mailer", "StatefulSet api/queue"} {
			i.Singletons = append(i.Singletons, shift.SingletonIntent{Key: key, Green: to, LastRun: last})
		}
		reading := k.Tend(g.t.Context(), i)
		if err := reading.Trouble(); err != nil {
			faults = append(faults, err.Error())
			continue
		}
		for _, one := range i.Singletons {
			if side := reading.Of(one.Key); side.On != (to != shift.SwitchOff) || side.Absent {
				faults = append(faults, one.Key+" is not as intended")
			}
		}
	}
	return faults
}

// employ makes the singletons, unless they are there.
func (g *guest) employ() {
	g.t.Helper()
	client, err := kubernetes.NewForConfig(g.admin)
	if err != nil {
		g.t.Fatal(err)
	}
	ctx := context.WithoutCancel(g.t.Context())
	labels := map[string]string{"app": "single"}
	pods := corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: labels},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "main", Image: "registry.example.com/main:1"}}},
	}
	jobPods := *pods.DeepCopy()
	jobPods.Spec.RestartPolicy = corev1.RestartPolicyNever
	_, cronErr := client.BatchV1().CronJobs("api").Create(ctx, &batchv1.CronJob{
		ObjectMeta: metav1.ObjectMeta{Name: "report"},
		Spec:       batchv1.CronJobSpec{Schedule: "0 3 * * *", JobTemplate: batchv1.JobTemplateSpec{Spec: batchv1.JobSpec{Template: jobPods}}},
	}, metav1.CreateOptions{})
	selector := &metav1.LabelSelector{MatchLabels: labels}
	_, deploymentErr := client.AppsV1().Deployments("api").Create(ctx, &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "mailer"}, Spec: appsv1.DeploymentSpec{Selector: selector, Template: pods},
	}, metav1.CreateOptions{})
	_, setErr := client.AppsV1().StatefulSets("api").Create(ctx, &appsv1.StatefulSet{
		ObjectMeta: metav1.ObjectMeta{Name: "queue"}, Spec: appsv1.StatefulSetSpec{Selector: selector, Template: pods},
	}, metav1.CreateOptions{})
	for _, err := range []error{cronErr, deploymentErr, setErr} {
		if err != nil && !apierrors.IsAlreadyExists(err) {
			g.t.Fatal(err)
		}
	}
}
