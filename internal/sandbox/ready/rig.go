package ready

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"text/template"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/backend"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/daemon"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/world"
)

//go:embed pairs.yaml.tmpl
var pairsTemplate string

// rig is many small pairs without users, whose daemon may be killed at any time. It
// reaches blue and green through doorways.
type rig struct {
	*ground
	name    string // of the journal's namespace, and of the folder
	region  *world.Region
	doors   map[string]*doorway // by the cluster's name
	pairs   []rigPair
	dir     string
	died    context.CancelCauseFunc
	guarded sync.Mutex
	daemon  *daemon.Daemon
}

// rigPair is one pair of a rig: a namespace of its own in both clusters, and an
// entrance of its own.
type rigPair struct {
	Name, RuleARN string
}

// newRig opens the doorways and a region whose target groups have two pods each.
func (g *ground) newRig(ctx context.Context, name string, region *world.Region, onWrite hand) (*rig, error) {
	r := &rig{ground: g, name: name, region: region, doors: map[string]*doorway{}, dir: filepath.Join(g.options.Dir, name)}
	if err := os.MkdirAll(r.dir, 0o755); err != nil {
		return nil, err
	}
	management, err := kubernetes.NewForConfig(g.management.RESTConfig())
	if err != nil {
		return nil, err
	}
	if _, err := management.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{}); err != nil {
		return nil, fmt.Errorf("creating the journal's namespace: %w", err)
	}
	for _, c := range []*cluster{g.blue, g.green} {
		if r.doors[c.name], err = openDoorway(ctx, c, r.dir, onWrite); err != nil {
			return nil, errors.Join(err, r.close(ctx))
		}
	}
	return r, nil
}

// still is a region whose users don't matter: two pods on each side, that stand in
// no cluster, and are healthy.
func (g *ground) still(ctx context.Context) (*world.Region, func(context.Context) error, error) {
	w := &world.World{Network: g.network}
	var pods []*backend.Cluster
	closing := func(ctx context.Context) error {
		var errs []error
		for _, p := range pods {
			errs = append(errs, p.Close(ctx))
		}
		return errors.Join(errs...)
	}
	for _, side := range []struct {
		name    string
		cluster **world.Cluster
		network string
	}{{"blue", &w.Blue, "10.12.0."}, {"green", &w.Green, "10.22.0."}} {
		*side.cluster = &world.Cluster{Addresses: []string{side.network + "1", side.network + "2"}}
		answering := backend.NewCluster(side.name, g.network)
		pods = append(pods, answering)
		for _, ip := range (*side.cluster).Addresses {
			if err := answering.Add(ip, at(ip)); err != nil {
				return nil, nil, errors.Join(err, closing(ctx))
			}
		}
	}
	region, err := w.NewRegion(ctx, g.options.Seed)
	if err != nil {
		return nil, nil, errors.Join(err, closing(ctx))
	}
	return region, func(ctx context.Context) error { return errors.Join(region.Close(ctx), closing(ctx)) }, nil
}

// furnish makes what every namespace of a rig has on one side: something that scales,
// and one of each kind that may run in one cluster only, in blue at first. What these
// began lasts on for a while after they were switched off.
func (c *cluster) furnish(ctx context.Context, namespace string, lasting time.Duration, schedule string) error {
	shop := application{name: "web", replicas: 2, uses: 60, least: 1, most: 5}
	if err := c.deploy(ctx, namespace, shop); err != nil {
		return err
	}
	if err := c.autoscale(ctx, namespace, shop); err != nil {
		return err
	}
	replicas, off := int32(1), false
	if c.name == "green" {
		replicas, off = 0, true
	}
	worker := application{name: "worker", replicas: replicas}.deployment()
	worker.Spec.Template.Annotations = map[string]string{controlplane.LeavingAnnotation: lasting.String()}
	if _, err := c.client.AppsV1().Deployments(namespace).Create(ctx, worker, metav1.CreateOptions{FieldManager: "kubectl-create"}); err != nil {
		return fmt.Errorf("creating Deployment worker in %s: %w", c.name, err)
	}
	queue := &appsv1.StatefulSet{ObjectMeta: metav1.ObjectMeta{Name: "queue"}, Spec: appsv1.StatefulSetSpec{
		Replicas: &replicas, ServiceName: "queue",
		Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "queue"}}, Template: worker.Spec.Template,
	}}
	queue.Spec.Template.Labels = map[string]string{"app": "queue"}
	if _, err := c.client.AppsV1().StatefulSets(namespace).Create(ctx, queue, metav1.CreateOptions{FieldManager: "kubectl-create"}); err != nil {
		return fmt.Errorf("creating StatefulSet queue in %s: %w", c.name, err)
	}
	template := *worker.Spec.Template.DeepCopy()
	template.Labels = map[string]string{"app": "report"}
	template.Annotations = map[string]string{controlplane.WorkingAnnotation: lasting.String()}
	template.Spec.RestartPolicy = corev1.RestartPolicyNever
	report := &batchv1.CronJob{ObjectMeta: metav1.ObjectMeta{Name: "report"}, Spec: batchv1.CronJobSpec{
		Schedule: schedule, Suspend: &off, ConcurrencyPolicy: batchv1.ForbidConcurrent, StartingDeadlineSeconds: new(int64(30)),
		JobTemplate: batchv1.JobTemplateSpec{Spec: batchv1.JobSpec{Template: template}},
	}}
	if _, err := c.client.BatchV1().CronJobs(namespace).Create(ctx, report, metav1.CreateOptions{FieldManager: "kubectl-create"}); err != nil {
		return fmt.Errorf("creating CronJob report in %s: %w", c.name, err)
	}
	return nil
}

// configure writes the configuration of all pairs.
func (r *rig) configure() error {
	t, err := template.New("pairs").Parse(pairsTemplate)
	if err != nil {
		return fmt.Errorf("reading the configuration's template: %w", err)
	}
	var text strings.Builder
	err = t.Execute(&text, map[string]any{
		"Region": r.region, "Namespace": r.name, "Pairs": r.pairs,
		"Management": r.management.Kubeconfig(), "Blue": r.doors["blue"].kubeconfig, "Green": r.doors["green"].kubeconfig,
	})
	if err != nil {
		return fmt.Errorf("filling in the configuration: %w", err)
	}
	return os.WriteFile(filepath.Join(r.dir, "clusterswitch.yaml"), []byte(text.String()), 0o600)
}

// start starts the daemon; one that was killed before is followed by the next.
func (r *rig) start() error {
	r.guarded.Lock()
	defer r.guarded.Unlock()
	d, err := daemon.Start(daemon.Options{
		Binary: r.options.Daemon, Log: filepath.Join(r.dir, "daemon.log"), Env: world.Credentials(), Died: r.died,
	}, "run", "--config", filepath.Join(r.dir, "clusterswitch.yaml"))
	r.daemon = d
	return err
}

// kill ends the daemon as a crash does.
func (r *rig) kill() error {
	r.guarded.Lock()
	defer r.guarded.Unlock()
	return r.daemon.Kill()
}

// close ends the daemon, which may have begun just now, and closes the doorways.
func (r *rig) close(ctx context.Context) error {
	var errs []error
	if r.daemon != nil {
		if err := r.kill(); !errors.Is(err, os.ErrProcessDone) {
			errs = append(errs, err)
		}
	}
	for _, d := range r.doors {
		errs = append(errs, d.close())
	}
	for _, p := range r.pairs {
		for _, c := range []*cluster{r.blue, r.green} {
			errs = append(errs, c.clear(ctx, p.Name))
		}
	}
	return errors.Join(errs...)
}

// awaitStart waits until what a pair begins with is ready in both clusters.
func (r *rig) awaitStart(ctx context.Context, namespace string) error {
	return errors.Join(
		r.blue.awaitReady(ctx, namespace, "web", 2), r.green.awaitReady(ctx, namespace, "web", 2), r.blue.awaitReady(ctx, namespace, "worker", 1),
	)
}
