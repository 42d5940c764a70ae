package charttest

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/clusterswitch/clusterswitch/config"
	"github.com/clusterswitch/clusterswitch/internal/preflight/keep"
	"github.com/clusterswitch/clusterswitch/internal/record/archive"
	"github.com/clusterswitch/clusterswitch/internal/runbook"
)

func TestChartLints(t *testing.T) {
	t.Parallel()
	for _, name := range valueSets() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, err := helm(t.Context(), "lint", "--strict", chart, "--values", values(name))
			if err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// What the chart writes as the daemon's configuration is what the daemon loads.
func TestRenderedConfigurationLoads(t *testing.T) {
	t.Parallel()
	for name, listen := range map[string]string{"least": ":8080", "eks": ":8080", "full": ":9090"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			kept := configOf(t, render(t, name))
			c, err := config.Parse("clusterswitch.yaml", []byte(kept.Data["clusterswitch.yaml"]), nil)
			if err != nil {
				t.Fatalf("%v\n%s", err, kept.Data["clusterswitch.yaml"])
			}
			if c.Listen != listen {
				t.Errorf("listen is %q, want %q", c.Listen, listen)
			}
			if c.Journal.Namespace != namespace {
				t.Errorf("the journal's namespace is %q, but the release's Role is in %q", c.Journal.Namespace, namespace)
			}
		})
	}
}

// The command that people are told for making the configuration out of values makes the very one of the release.
func TestTheCommandForTheConfigurationMakesThatOfTheChart(t *testing.T) {
	t.Parallel()
	for _, name := range valueSets() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file, err := filepath.Abs(values(name))
			if err != nil {
				t.Fatal(err)
			}
			cmd := exec.CommandContext(t.Context(), "sh", "-c", strings.NewReplacer(
				"helm template clusterswitch ", ".cache/bin/helm template shift ", "--namespace clusterswitch", "--namespace "+namespace, "values.yaml", file,
			).Replace(config.FromValues))
			cmd.Dir = root
			made, err := cmd.Output()
			if err != nil {
				t.Fatalf("%s: %v", cmd, err)
			}
			if diff := cmp.Diff(configOf(t, render(t, name)).Data["clusterswitch.yaml"], strings.TrimSuffix(string(made), "\n\n")); diff != "" {
				t.Errorf("the release's and the command's (-want +got):\n%s", diff)
			}
		})
	}
}

// One daemon leads and others stand by; of all that a daemon may do in its pod
// nothing is left but what it needs. That the level restricted takes it is asked
// of a real API server by TestAReleaseOnARealAPIServer.
func TestDaemonsTakeTurnsAndAreRestricted(t *testing.T) {
	t.Parallel()
	for name, replicas := range map[string]int32{"least": 2, "eks": 1, "full": 3} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			spec := only[*appsv1.Deployment](t, render(t, name)).Spec
			if *spec.Replicas != replicas || spec.Strategy.Type != appsv1.RollingUpdateDeploymentStrategyType || spec.Strategy.RollingUpdate.MaxUnavailable.IntValue() != 0 {
				t.Errorf("%d replicas, strategy %v; want %d, and none away during an update", *spec.Replicas, spec.Strategy, replicas)
			}
			pod, container := spec.Template.Spec, spec.Template.Spec.Containers[0]
			got := []any{
				*pod.SecurityContext.RunAsNonRoot, pod.SecurityContext.SeccompProfile.Type,
				*container.SecurityContext.AllowPrivilegeEscalation, *container.SecurityContext.ReadOnlyRootFilesystem,
				container.SecurityContext.Capabilities.Drop,
			}
			want := []any{true, corev1.SeccompProfileTypeRuntimeDefault, false, true, []corev1.Capability{"ALL"}}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("security context (-want +got):\n%s", diff)
			}
			if container.LivenessProbe.HTTPGet.Path != "/healthz" || container.ReadinessProbe.HTTPGet.Path != "/readyz" {
				t.Error("the probes don't ask /healthz and /readyz")
			}
			if len(pod.TopologySpreadConstraints) == 0 {
				t.Error("the daemons may all stand on one node")
			}
			if name != "full" && slices.ContainsFunc(pod.TopologySpreadConstraints, func(c corev1.TopologySpreadConstraint) bool {
				return c.WhenUnsatisfiable != corev1.ScheduleAnyway
			}) {
				t.Error("a cluster with one node has no place for the second daemon")
			}
		})
	}
}

// Go's collector learns the limit of the container's memory. A name that stands
// twice in a list is refused by server-side apply, which helm does.
func TestGoKnowsTheMemoryLimit(t *testing.T) {
	t.Parallel()
	limit := corev1.EnvVar{Name: "GOMEMLIMIT", ValueFrom: &corev1.EnvVarSource{ResourceFieldRef: &corev1.ResourceFieldSelector{Resource: "limits.memory", Divisor: resource.MustParse("0")}}}
	region := corev1.EnvVar{Name: "AWS_REGION", Value: "eu-west-1"}
	for name, test := range map[string]struct {
		set  []string
		want []corev1.EnvVar
	}{
		"by default":                {nil, []corev1.EnvVar{limit}},
		"beside other variables":    {[]string{"--set=env[0].name=AWS_REGION,env[0].value=eu-west-1"}, []corev1.EnvVar{limit, region}},
		"unless somebody says one":  {[]string{"--set=env[0].name=GOMEMLIMIT,env[0].value=500MiB"}, []corev1.EnvVar{{Name: "GOMEMLIMIT", Value: "500MiB"}}},
		"where there is no limit":   {[]string{"--set=resources.limits=null"}, nil},
		"where nothing is reserved": {[]string{"--set=resources=null"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, err := helm(t.Context(), append([]string{"template", "shift", chart, "--values", values("least")}, test.set...)...)
			if err != nil {
				t.Fatal(err)
			}
			got := only[*appsv1.Deployment](t, decode(t, out)).Spec.Template.Spec.Containers[0].Env
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("environment (-want +got):\n%s", diff)
			}
		})
	}
}

// Every kubeconfig that the example configurations name is in a mounted folder.
func TestKubeconfigsAreMounted(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"least", "full"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			objects := render(t, name)
			container := only[*appsv1.Deployment](t, objects).Spec.Template.Spec.Containers[0]
			c, err := config.Parse("clusterswitch.yaml", []byte(configOf(t, objects).Data["clusterswitch.yaml"]), nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, path := range []string{c.Pairs[0].Blue.Kubeconfig.Path, c.Pairs[0].Green.Kubeconfig.Path} {
				if !slices.ContainsFunc(container.VolumeMounts, func(m corev1.VolumeMount) bool { return strings.HasPrefix(path, m.MountPath+"/") }) {
					t.Errorf("%s is in no mounted folder", path)
				}
			}
		})
	}
}

// The Role grants what internal/journal, internal/lease, internal/runbook,
// internal/preflight/keep and internal/record/archive ask for, what the watch of the configuration needs, and
// no more: above all no write to a spec.
func TestDaemonMayWriteNothingButJournalRunbooksAndReports(t *testing.T) {
	t.Parallel()
	roles := all[*rbacv1.Role](render(t, "least"))
	at := slices.IndexFunc(roles, func(r *rbacv1.Role) bool { return r.Name == "shift-clusterswitch" })
	if at < 0 {
		t.Fatal("the daemon has no Role")
	}
	own := []string{runbook.ConfigMapName("shop"), keep.ConfigMapName("shop")}
	for place := 1; place <= archive.Places; place++ {
		own = append(own, archive.ConfigMapName("shop", place))
	}
	want := []rbacv1.PolicyRule{
		{APIGroups: []string{"clusterswitch.io"}, Resources: []string{"trafficswitches"}, Verbs: []string{"get", "list", "watch", "create"}},
		{APIGroups: []string{"clusterswitch.io"}, Resources: []string{"trafficswitches/status"}, Verbs: []string{"update"}},
		{APIGroups: []string{"coordination.k8s.io"}, Resources: []string{"leases"}, Verbs: []string{"create"}},
		{APIGroups: []string{"coordination.k8s.io"}, Resources: []string{"leases"}, ResourceNames: []string{"shift-clusterswitch"}, Verbs: []string{"get", "update"}},
		{APIGroups: []string{""}, Resources: []string{"configmaps"}, Verbs: []string{"create"}},
		{APIGroups: []string{""}, Resources: []string{"configmaps"}, ResourceNames: own, Verbs: []string{"get", "update"}},
		{APIGroups: []string{""}, Resources: []string{"events"}, Verbs: []string{"create", "patch"}},
		{APIGroups: []string{""}, Resources: []string{"configmaps"}, ResourceNames: []string{"shift-clusterswitch"}, Verbs: []string{"get", "list", "watch"}},
	}
	if diff := cmp.Diff(want, roles[at].Rules); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}
}

// The daemon may read the Secrets that the configuration names, and no others.
func TestDaemonMayReadTheSecretsOfTheConfiguration(t *testing.T) {
	t.Parallel()
	out, err := helm(t.Context(), "template", "shift", chart, "--namespace", namespace, "--values", values("least"),
		"--set-json", `pairs[0].blue={"kubeconfigSecret": {"name": "shop-blue"}}`,
		"--set-json", `pairs[0].green={"eks": {"name": "shop-v137"}}`,
		"--set-json", "pairs[1]="+pairNamed("blog", `"blue": {"kubeconfigSecret": {"name": "blog"}}, "green": {"kubeconfigSecret": {"name": "shop-blue"}}`))
	if err != nil {
		t.Fatal(err)
	}
	var rules []rbacv1.PolicyRule
	for _, role := range all[*rbacv1.Role](decode(t, out)) {
		for _, rule := range role.Rules {
			if slices.Contains(rule.Resources, "secrets") {
				rules = append(rules, rule)
			}
		}
	}
	want := []rbacv1.PolicyRule{{APIGroups: []string{""}, Resources: []string{"secrets"}, ResourceNames: []string{"blog", "shop-blue"}, Verbs: []string{"get"}}}
	if diff := cmp.Diff(want, rules); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}
}

// The folder that the configuration names for runbooks is a mounted volume.
func TestRunbooksHaveAVolume(t *testing.T) {
	t.Parallel()
	objects := render(t, "full")
	c, err := config.Parse("clusterswitch.yaml", []byte(configOf(t, objects).Data["clusterswitch.yaml"]), nil)
	if err != nil {
		t.Fatal(err)
	}
	pod := only[*appsv1.Deployment](t, objects).Spec.Template.Spec
	var mounted string
	for _, m := range pod.Containers[0].VolumeMounts {
		if m.Name == "runbook" && !m.ReadOnly {
			mounted = m.MountPath
		}
	}
	if mounted == "" || mounted != c.Runbook.Dir {
		t.Errorf("the volume is at %q, runbook.dir is %q", mounted, c.Runbook.Dir)
	}
	if !slices.ContainsFunc(pod.Volumes, func(v corev1.Volume) bool {
		return v.Name == "runbook" && v.PersistentVolumeClaim.ClaimName == "runbooks"
	}) {
		t.Errorf("the volumes are %v", pod.Volumes)
	}
}

// The file for blue and green makes an account and no rights: those come from
// "clusterswitch rbac" alone.
func TestTheAccountInBlueAndGreenComesWithoutRights(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile(filepath.Join(chart, "files", "workload-account.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	objects := decode(t, string(content))
	account, token := only[*corev1.ServiceAccount](t, objects), only[*corev1.Secret](t, objects)
	if named := token.Annotations[corev1.ServiceAccountNameKey]; named != account.Name || token.Namespace != account.Namespace {
		t.Errorf("the token is one of %s/%s, the account is %s/%s", token.Namespace, named, account.Namespace, account.Name)
	}
	if account.Namespace+"/"+account.Name == "clusterswitch/clusterswitch" {
		t.Error("a release in the same cluster, as the README installs it, would find its own account taken")
	}
	if len(objects) != 3 || len(all[*corev1.Namespace](objects)) != 1 {
		t.Errorf("it holds %d objects, want the account, its namespace and its token", len(objects))
	}
}

func TestChartRefuses(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		set  []string
		want string
	}{
		"no pairs":                                {[]string{"--set-json=pairs=[]"}, "pairs: name at least one pair"},
		"pairs in two places":                     {[]string{"--set-json=config.pairs=[{}]"}, "pairs: given twice"},
		"a pair of which only a part was given":   {[]string{"--set-json=pairs=[{\"serve\": \"green\"}]"}, "pairs[0].name: it is missing; give the whole list"},
		"no image":                                {[]string{"--set=image.repository="}, "image.repository: name the image"},
		"a listen address of its own":             {[]string{"--set=config.listen=:1"}, "config.listen: leave it out"},
		"a journal of its own":                    {[]string{"--set=config.journal.namespace=x"}, "config.journal: leave it out"},
		"two daemons without a lease":             {[]string{"--set=config.leaderElection.enabled=false"}, "replicas: set it to 1"},
		"an unknown key of a pair":                {[]string{"--set=pairs[0].rolback=true"}, "rolback"},
		"a share that is none":                    {[]string{"--set=pairs[0].steps[0].share=120"}, "share"},
		"an unknown key of the configuration":     {[]string{"--set=config.intervall=5s"}, "intervall"},
		"a mode without quotes, which is no text": {[]string{"--set-json=pairs[0].preflight={\"mode\": false}"}, "mode"},
		"an unknown key":                          {[]string{"--set=replicaCount=2"}, "replicaCount"},
		"a digest that is none":                   {[]string{"--set=image.digest=latest"}, "image/digest"},
		"a kubeconfig in the config folder":       {[]string{"--set=kubeconfigSecrets[0].mountPath=/etc/clusterswitch/blue"}, "mountPath"},
		"a probe of its own":                      {[]string{"--set=livenessProbe.tcpSocket.port=1"}, "livenessProbe"},
		"a folder for runbooks without a volume":  {[]string{"--set=config.runbook.dir=/runbooks"}, "runbookVolume: name a volume"},
		"a volume for runbooks without a folder":  {[]string{"--set=runbookVolume.persistentVolumeClaim.claimName=x"}, "config.runbook.dir: name the folder"},
		"no account":                              {[]string{"--set=serviceAccount.create=false"}, "serviceAccount.name: name the account"},
		"a ServiceMonitor of no Service":          {[]string{"--set=serviceMonitor.create=true,service.create=false"}, "serviceMonitor.create: set service.create too"},
		"an unknown alert to leave out":           {[]string{"--set=prometheusRule.create=true,prometheusRule.disabled[0]=Nothing"}, "there is no alert Nothing"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			args := append([]string{"template", "shift", chart, "--values", values("least")}, test.set...)
			out, err := helm(t.Context(), args...)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error is %v, want one that says %q; output:\n%s", err, test.want, out)
			}
		})
	}
}
