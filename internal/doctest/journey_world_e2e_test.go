//go:build e2e

package doctest

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/daemon"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/played"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/world"
)

// traveller is who types the documents' commands, in a folder with all that these
// take to be there.
type traveller struct {
	*testing.T
	world  *world.World
	region *world.Region
	dir    string
	log    string
	env    []string
	daemon *daemon.Daemon
	// aws: the AWS CLI is here.
	aws bool
}

const journeyConfiguration = `apiVersion: clusterswitch.io/v1alpha1
interval: 1s
listen: "127.0.0.1:0"
aws: {region: ap-northeast-1, endpointURL: {{.Region.Endpoint}}}
journal: {kubeconfig: {path: {{.Kubeconfig}}, context: management}, namespace: clusterswitch}
pairs:
  - name: shop
    serve: green
    blue: {kubeconfig: {path: {{.Kubeconfig}}, context: blue}}
    green: {kubeconfig: {path: {{.Kubeconfig}}, context: green}}
    preflight: {every: 10s}
    traffic:
      - name: www
        route53: {hostedZoneID: {{.Region.HostedZoneID}}, names: [{{.WebName}}], blueSetIdentifier: blue, greenSetIdentifier: green}
      - name: api
        alb: {ruleARN: {{.Region.RuleARN}}, blueTargetGroupARN: {{index .Region.Groups "api-blue"}}, greenTargetGroupARN: {{index .Region.Groups "api-green"}}}
    steps: [{share: 5, hold: 1s}, {share: 50, hold: 1s, approval: true}, {share: 100, hold: 1s}]
    soakOnly: true
    standby: {for: 1s}
    staleAfter: 5s
`

func newJourney(t *testing.T) *traveller {
	t.Helper()
	j := &traveller{T: t, dir: t.TempDir()}
	j.log = filepath.Join(j.dir, "daemon.log")
	assets := controlplane.RepositoryAssets(j.path(root))
	var err error
	j.world, err = world.Start(t.Context(), world.Options{Assets: assets, Dir: t.TempDir(), Progress: os.Stderr})
	j.ok(err)
	t.Cleanup(func() { j.ok(j.world.Close(context.Background())) })
	j.region, err = j.world.NewRegion(t.Context(), 1)
	j.ok(err)
	t.Cleanup(func() { j.ok(j.region.Close(context.Background())) })
	t.Cleanup(j.stopDaemon)
	for _, c := range []*world.Cluster{j.world.Blue, j.world.Green} {
		j.fill(c)
	}
	j.furnish()
	bin := j.equip(assets)
	_, err = exec.LookPath("aws")
	j.aws = err == nil
	group := func(name string) string { return j.region.Groups["api-"+name] }
	j.env = append(os.Environ(), append(world.Credentials(),
		"PATH="+bin+string(filepath.ListSeparator)+os.Getenv("PATH"), "HOME="+t.TempDir(), "KUBECONFIG="+filepath.Join(j.dir, "contexts"),
		"AWS_ENDPOINT_URL="+j.region.Endpoint, "AWS_DEFAULT_REGION=ap-northeast-1", "AWS_PAGER=", "AWS_CONFIG_FILE="+os.DevNull, "AWS_SHARED_CREDENTIALS_FILE="+os.DevNull,
		"ZONE="+j.region.HostedZoneID, "NAME="+world.WebName, "RULE="+j.region.RuleARN, "BLUE="+group("blue"), "GREEN="+group("green"))...)
	return j
}

func (j *traveller) ok(err error) {
	j.Helper()
	if err != nil {
		j.Fatal(err)
	}
}

func (j *traveller) path(name string) string {
	j.Helper()
	absolute, err := filepath.Abs(name)
	j.ok(err)
	return absolute
}

// fill puts into a cluster what the documents' commands name, beside the sandbox's
// workloads: autoscalers, and jobs that aren't on.
func (j *traveller) fill(c *world.Cluster) {
	j.Helper()
	client, err := kubernetes.NewForConfig(c.RESTConfig())
	j.ok(err)
	web := autoscalingv2.CrossVersionObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Name: "web"}
	_, err = client.AutoscalingV2().HorizontalPodAutoscalers("shop").Create(j.Context(), &autoscalingv2.HorizontalPodAutoscaler{
		ObjectMeta: metav1.ObjectMeta{Name: "web"}, Spec: autoscalingv2.HorizontalPodAutoscalerSpec{ScaleTargetRef: web, MinReplicas: new(int32(2)), MaxReplicas: 5},
	}, metav1.CreateOptions{})
	j.ok(err)
	job := batchv1.JobTemplateSpec{Spec: batchv1.JobSpec{Template: corev1.PodTemplateSpec{Spec: corev1.PodSpec{
		RestartPolicy: corev1.RestartPolicyNever, Containers: []corev1.Container{{Name: "job", Image: "registry.example.com/job:1"}},
	}}}}
	for _, name := range []string{"nightly", "bill"} {
		_, err = client.BatchV1().CronJobs("shop").Create(j.Context(), &batchv1.CronJob{
			ObjectMeta: metav1.ObjectMeta{Name: name, Annotations: map[string]string{"clusterswitch.io/runs-twice": "allowed"}},
			Spec:       batchv1.CronJobSpec{Schedule: "0 2 * * *", Suspend: new(true), JobTemplate: job},
		}, metav1.CreateOptions{})
		j.ok(err)
	}
}

// furnish writes the files that the documents' commands read: the configuration, the
// kubeconfig with a context for each cluster, the chart with the values that its README
// shows, and the daemon's log.
func (j *traveller) furnish() {
	j.Helper()
	contexts := api.NewConfig()
	for name, cp := range map[string]*controlplane.ControlPlane{"management": j.world.Management, "blue": j.world.Blue.ControlPlane, "green": j.world.Green.ControlPlane} {
		one, err := clientcmd.LoadFromFile(cp.Kubeconfig())
		j.ok(err)
		in := one.Contexts[one.CurrentContext]
		contexts.Clusters[name], contexts.AuthInfos[name] = one.Clusters[in.Cluster], one.AuthInfos[in.AuthInfo]
		contexts.Contexts[name] = &api.Context{Cluster: name, AuthInfo: name}
	}
	contexts.CurrentContext = "management"
	kubeconfig := filepath.Join(j.dir, "contexts")
	j.ok(clientcmd.WriteToFile(*contexts, kubeconfig))
	j.ok(played.WriteConfig(filepath.Join(j.dir, "clusterswitch.yaml"), journeyConfiguration, map[string]any{
		"Region": j.region, "Kubeconfig": kubeconfig, "WebName": world.WebName,
	}))
	values := regexp.MustCompile("(?s) {3}```yaml\n(.*?) {3}```").FindStringSubmatch(read(j.T, "charts/clusterswitch/README.md"))
	if values == nil {
		j.Fatal("the chart's README shows no values")
	}
	text := strings.ReplaceAll("\n"+values[1], "\n   ", "\n")
	j.ok(os.WriteFile(filepath.Join(j.dir, "values.yaml"), []byte(text), 0o600))
	for _, name := range []string{"charts", "examples"} {
		j.ok(os.Symlink(j.path(filepath.Join(root, name)), filepath.Join(j.dir, name)))
	}
	j.ok(os.Symlink("charts/clusterswitch/files/workload-account.yaml", filepath.Join(j.dir, "workload-account.yaml")))
}

// equip builds the programs that the commands name, and gives the folder that they
// are in.
func (j *traveller) equip(assets controlplane.Assets) (bin string) {
	j.Helper()
	bin = filepath.Join(j.dir, ".cache", "bin")
	j.ok(os.MkdirAll(bin, 0o700))
	build := func(in, name, pkg string) {
		cmd := exec.CommandContext(j.Context(), "go", "build", "-o", filepath.Join(bin, name), pkg)
		cmd.Dir, cmd.Env = filepath.Join(root, in), append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			j.Fatalf("building %s: %v\n%s", name, err, out)
		}
	}
	build("", "clusterswitch", "./cmd/clusterswitch")
	build("", "sandbox", "./cmd/sandbox")
	build("internal/tools/helm", "helm", "helm.sh/helm/v4/cmd/helm")
	kubectl, err := assets.Program(j.Context(), os.Stderr, "kubectl")
	j.ok(err)
	j.ok(os.Symlink(kubectl, filepath.Join(bin, "kubectl")))
	return bin
}

// startDaemon starts the daemon, unless it runs.
func (j *traveller) startDaemon() {
	j.Helper()
	if j.daemon != nil {
		return
	}
	var err error
	j.daemon, err = daemon.Start(daemon.Options{
		Binary: filepath.Join(j.dir, ".cache", "bin", "clusterswitch"), Log: j.log, Env: j.env,
		Died: func(err error) { j.Error(err) },
	}, "run", "--config", filepath.Join(j.dir, "clusterswitch.yaml"))
	j.ok(err)
	j.await(anywhere, func(s standing) bool { return s.Phase != "" })
}

func (j *traveller) stopDaemon() {
	if j.daemon == nil {
		return
	}
	if err := j.daemon.Stop(); err != nil {
		j.Error(err)
	}
	j.daemon = nil
}
