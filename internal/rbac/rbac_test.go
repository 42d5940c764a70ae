package rbac_test

import (
	"flag"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/client-go/discovery"
	"sigs.k8s.io/yaml"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/internal/rbac"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane/cptest"
)

var controlPlane = cptest.Shared{Options: cptest.Options{Name: "rbac"}}

func TestMain(m *testing.M) {
	flag.Bool("update", false, "write golden files")
	os.Exit(controlPlane.Run(m))
}

// The table is what a real API server of the pinned version serves and lists: a
// kind that Kubernetes gets must be added, and one that it drops may go.
func TestBuiltinIsWhatAnAPIServerServes(t *testing.T) {
	t.Parallel()
	client, err := discovery.NewDiscoveryClientForConfig(controlPlane.Start(t).RESTConfig())
	if err != nil {
		t.Fatal(err)
	}
	preferred, err := client.ServerPreferredResources()
	if err != nil {
		t.Fatal(err)
	}
	served := map[string]string{} // kinds by their resource
	for _, list := range preferred {
		group, _, found := strings.Cut(list.GroupVersion, "/")
		if !found {
			group = ""
		}
		for _, r := range list.APIResources {
			if slices.Contains([]string(r.Verbs), "list") {
				served[group+" "+r.Name] = r.Kind
			}
		}
	}
	table := map[string]string{}
	for _, k := range rbac.Builtin() {
		table[k.Group+" "+k.Resource] = k.Kind
	}
	if diff := cmp.Diff(served, table); diff != "" {
		t.Errorf("(-served +table):\n%s", diff)
	}
}

func kind(group, resource, name string) facts.Kind {
	return facts.Kind{GroupKind: facts.GroupKind{Group: group, Kind: name}, Resource: resource}
}

func everything() rbac.Wants {
	return rbac.Wants{
		Services: []rbac.Service{
			{Namespace: "shop", Name: "web", Port: 8443, HTTPS: true}, {Namespace: "shop", Name: "web", Port: 80}, {Namespace: "api", Name: "web", Port: 80},
		},
		Lists: []facts.Kind{
			kind("", "secrets", "Secret"), kind("", "pods", "Pod"), kind("", "configmaps", "ConfigMap"), kind("example.com", "widgets", "Widget"),
			kind("apps", "replicasets", "ReplicaSet"), kind("", "pods", "Pod"),
		},
		Metrics: true, Floors: true,
		Singletons: rbac.Singletons{CronJobs: []string{"shop/*"}, StatefulSets: []string{"post/queue"}},
	}
}

func TestNeedsGrantNothingTwice(t *testing.T) {
	t.Parallel()
	watch := []string{"list", "watch"}
	nodes := rbac.Need{Resources: []string{"nodes"}, Verbs: watch}
	for name, test := range map[string]struct {
		wants rbac.Wants
		want  []rbac.Need
	}{
		"the watch alone": {
			want: []rbac.Need{nodes, {Resources: []string{"pods"}, Verbs: watch}, {Group: "apps", Resources: []string{"daemonsets", "deployments", "statefulsets"}, Verbs: watch}},
		},
		"floors that are held": {
			wants: rbac.Wants{Namespaces: []string{"shop"}, Floors: true, Lists: []facts.Kind{kind("autoscaling", "horizontalpodautoscalers", "HorizontalPodAutoscaler")}},
			want: []rbac.Need{
				nodes,
				{Namespace: "shop", Resources: []string{"pods"}, Verbs: watch},
				{Namespace: "shop", Group: "apps", Resources: []string{"daemonsets", "deployments", "statefulsets"}, Verbs: watch},
				{Group: "autoscaling", Resources: []string{"horizontalpodautoscalers"}, Verbs: []string{"list"}},
				{Namespace: "shop", Group: "autoscaling", Resources: []string{"horizontalpodautoscalers"}, Verbs: []string{"patch"}},
				{Namespace: "shop", Group: "keda.sh", Resources: []string{"scaledobjects"}, Verbs: []string{"list", "patch"}},
			},
		},
		"singletons": {
			wants: rbac.Wants{Singletons: rbac.Singletons{
				CronJobs: []string{"shop/report", "shop/bill", "api/*", "api/sweep"}, Deployments: []string{"post/mailer"}, StatefulSets: []string{"post/queue", "post/poller"},
			}},
			want: []rbac.Need{
				nodes,
				{Resources: []string{"pods"}, Verbs: watch},
				{Group: "apps", Resources: []string{"daemonsets", "deployments", "statefulsets"}, Verbs: watch},
				{Namespace: "api", Group: "batch", Resources: []string{"cronjobs", "jobs"}, Verbs: []string{"list"}},
				{Namespace: "api", Group: "batch", Resources: []string{"cronjobs"}, Verbs: []string{"patch"}},
				{Namespace: "api", Group: "batch", Resources: []string{"cronjobs/status"}, Verbs: []string{"patch"}},
				{Namespace: "shop", Group: "batch", Resources: []string{"cronjobs", "jobs"}, Verbs: []string{"list"}},
				{Namespace: "shop", Group: "batch", Resources: []string{"cronjobs"}, Names: []string{"bill", "report"}, Verbs: []string{"patch"}},
				{Namespace: "shop", Group: "batch", Resources: []string{"cronjobs/status"}, Names: []string{"bill", "report"}, Verbs: []string{"patch"}},
				{Namespace: "post", Group: "apps", Resources: []string{"deployments"}, Names: []string{"mailer"}, Verbs: []string{"get", "patch"}},
				{Namespace: "post", Group: "apps", Resources: []string{"statefulsets"}, Names: []string{"poller", "queue"}, Verbs: []string{"get", "patch"}},
			},
		},
		"the watch of two namespaces": {
			wants: rbac.Wants{Namespaces: []string{"shop", "api", "shop"}},
			want: []rbac.Need{
				nodes,
				{Namespace: "api", Resources: []string{"pods"}, Verbs: watch},
				{Namespace: "api", Group: "apps", Resources: []string{"daemonsets", "deployments", "statefulsets"}, Verbs: watch},
				{Namespace: "shop", Resources: []string{"pods"}, Verbs: watch},
				{Namespace: "shop", Group: "apps", Resources: []string{"daemonsets", "deployments", "statefulsets"}, Verbs: watch},
			},
		},
		"what is listed everywhere isn't granted again in a namespace": {
			wants: rbac.Wants{Namespaces: []string{"shop"}, Lists: []facts.Kind{kind("", "pods", "Pod"), kind("", "nodes", "Node"), kind("apps", "deployments", "Deployment")}},
			want: []rbac.Need{
				nodes,
				{Namespace: "shop", Resources: []string{"pods"}, Verbs: []string{"watch"}},
				{Namespace: "shop", Group: "apps", Resources: []string{"daemonsets", "statefulsets"}, Verbs: watch},
				{Namespace: "shop", Group: "apps", Resources: []string{"deployments"}, Verbs: []string{"watch"}},
				{Resources: []string{"pods"}, Verbs: []string{"list"}},
				{Group: "apps", Resources: []string{"deployments"}, Verbs: []string{"list"}},
			},
		},
		"everything": {
			wants: everything(),
			want: []rbac.Need{
				nodes,
				{Resources: []string{"pods"}, Verbs: watch},
				{Group: "apps", Resources: []string{"daemonsets", "deployments", "statefulsets"}, Verbs: watch},
				{Namespace: "api", Resources: []string{"services/proxy"}, Names: []string{"web:80"}, Verbs: []string{"get"}},
				{Namespace: "shop", Resources: []string{"services/proxy"}, Names: []string{"https:web:8443", "web:80"}, Verbs: []string{"get"}},
				{Resources: []string{"configmaps"}, Verbs: []string{"list"}},
				{Group: "apps", Resources: []string{"replicasets"}, Verbs: []string{"list"}},
				{Group: "example.com", Resources: []string{"widgets"}, Verbs: []string{"list"}},
				{Resources: []string{"secrets"}, Verbs: []string{"list"}},
				{URLs: []string{"/metrics"}, Verbs: []string{"get"}},
				{Group: "autoscaling", Resources: []string{"horizontalpodautoscalers"}, Verbs: []string{"list", "patch"}},
				{Group: "keda.sh", Resources: []string{"scaledobjects"}, Verbs: []string{"list", "patch"}},
				{Namespace: "shop", Group: "batch", Resources: []string{"cronjobs", "jobs"}, Verbs: []string{"list"}},
				{Namespace: "shop", Group: "batch", Resources: []string{"cronjobs"}, Verbs: []string{"patch"}},
				{Namespace: "shop", Group: "batch", Resources: []string{"cronjobs/status"}, Verbs: []string{"patch"}},
				{Namespace: "post", Group: "apps", Resources: []string{"statefulsets"}, Names: []string{"queue"}, Verbs: []string{"get", "patch"}},
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := test.wants.Needs()
			for i := range got {
				got[i].For = ""
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestManifestIsTheSameEachTime(t *testing.T) {
	t.Parallel()
	m := rbac.Manifest{
		Pair: "shop", Head: []string{"What it is for.", "", "  and how"}, Needs: everything().Needs(),
		Subjects: []rbac.Subject{{Kind: "User", Name: `arn:aws:iam::1:role/"x"`}, {Kind: "Group", Name: "clusterswitch"}, {Kind: "ServiceAccount", Namespace: "ops", Name: "on"}},
	}
	const golden = "testdata/manifest.yaml"
	if flag.Lookup("update").Value.String() == "true" {
		if err := os.WriteFile(golden, []byte(m.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), m.String()); diff != "" {
		t.Errorf("%s (-want +got), after a look renew it with -update:\n%s", golden, diff)
	}
}

// Whatever a name is, YAML gives it back.
func TestNamesSurviveYAML(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"clusterswitch", "123", "1e3", "0x1F", "yes", "No", "null", "~", "a: b", "a #b", "[a]", "a,b", "-", "", "it's", `say "x"`, "*", "&a", "!t", "%d",
		"@a", "a\nb", "é", "ns:name@example.com", ".inf", "2027-01-31", "true", "=", "<<", "/metrics", "https:web:80",
	} {
		m := rbac.Manifest{Pair: "shop", Needs: []rbac.Need{{Resources: []string{"pods"}, Names: []string{name, name}, Verbs: []string{"get"}}}, Subjects: []rbac.Subject{{Kind: "User", Name: name}}}
		role, binding := split(t, m.String())
		if got := role.Rules[0].ResourceNames; !slices.Equal(got, []string{name, name}) {
			t.Errorf("%q became %q in a list", name, got)
		}
		if got := binding.Subjects[0].Name; got != name {
			t.Errorf("%q became %q", name, got)
		}
	}
}

func split(t *testing.T, manifest string) (role rbacv1.ClusterRole, binding rbacv1.ClusterRoleBinding) {
	t.Helper()
	before, after, found := strings.Cut(manifest, "\n---\n")
	if !found {
		t.Fatalf("one document only:\n%s", manifest)
	}
	if err := yaml.UnmarshalStrict([]byte(before), &role); err != nil {
		t.Fatalf("%v\n%s", err, before)
	}
	if err := yaml.UnmarshalStrict([]byte(after), &binding); err != nil {
		t.Fatalf("%v\n%s", err, after)
	}
	return role, binding
}
