package charttest

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clusterswitch/clusterswitch/config"
	"github.com/clusterswitch/clusterswitch/internal/preflight/gather"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane/cptest"
)

// The daemon may list Applications where the configuration lets it look for them,
// and nowhere else.
func TestWhereTheDaemonMayListApplications(t *testing.T) {
	t.Parallel()
	const isHere = "--api-versions=argoproj.io/v1alpha1/Application"
	second := "--set-json=pairs[1]=" + pairNamed("blog", `"preflight": {"argocd": {"namespaces": ["gitops", "argocd"]}}`)
	for name, test := range map[string]struct {
		args []string
		want []string // namespaces; an empty name is all
	}{
		"without Argo CD there is nothing to look for":        {nil, nil},
		"without Argo CD, but with Argo Rollouts":             {[]string{"--api-versions=argoproj.io/v1alpha1,argoproj.io/v1alpha1/Rollout"}, nil},
		"by default in its usual namespace":                   {[]string{isHere}, []string{"argocd"}},
		"where the configuration says, once for all pairs":    {[]string{isHere, second}, []string{"argocd", "gitops"}},
		"where the configuration says, even if it isn't seen": {[]string{second}, []string{"argocd", "gitops"}},
		"everywhere, if no namespace is named":                {[]string{second, "--set-json=pairs[0].preflight={\"argocd\": {\"namespaces\": []}}"}, []string{""}},
		"nowhere, if the daemon must not look":                {[]string{isHere, "--set=pairs[0].preflight.argocd.management=false"}, nil},
		"nowhere without a preflight":                         {[]string{isHere, "--set-string=pairs[0].preflight.mode=off"}, nil},
		"nowhere, if somebody else grants rights":             {[]string{isHere, "--set=rbac.create=false"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, err := helm(t.Context(), append([]string{"template", "shift", chart, "--namespace", namespace, "--values", values("least")}, test.args...)...)
			if err != nil {
				t.Fatal(err)
			}
			objects := decode(t, out)
			var granted, bound []string
			for _, r := range all[*rbacv1.Role](objects) {
				granted = append(granted, applicationsIn(r.ObjectMeta, r.Rules)...)
			}
			for _, r := range all[*rbacv1.ClusterRole](objects) {
				granted = append(granted, applicationsIn(r.ObjectMeta, r.Rules)...)
			}
			for _, b := range all[*rbacv1.RoleBinding](objects) {
				if b.RoleRef.Name == "shift-clusterswitch-"+namespace+"-argocd" && b.RoleRef.Kind == "Role" && b.Subjects[0].Namespace == namespace {
					bound = append(bound, b.Namespace)
				}
			}
			for _, b := range all[*rbacv1.ClusterRoleBinding](objects) {
				if b.RoleRef.Name == "shift-clusterswitch-"+namespace+"-argocd" && b.RoleRef.Kind == "ClusterRole" && b.Subjects[0].Namespace == namespace {
					bound = append(bound, "")
				}
			}
			slices.Sort(granted)
			slices.Sort(bound)
			if diff := cmp.Diff([][]string{test.want, test.want}, [][]string{granted, bound}); diff != "" {
				t.Errorf("namespaces that are granted, and bound (-want +got):\n%s", diff)
			}
		})
	}
}

func applicationsIn(role metav1.ObjectMeta, rules []rbacv1.PolicyRule) []string {
	var namespaces []string
	for _, rule := range rules {
		if slices.Contains(rule.APIGroups, "argoproj.io") {
			namespaces = append(namespaces, role.Namespace)
		}
	}
	return namespaces
}

// With a release's rights alone the preflight reads the Applications, and no
// right of it is left over.
func TestAReleaseReadsApplications(t *testing.T) {
	t.Parallel()
	crd := func(plural, kind string) *apiextensionsv1.CustomResourceDefinition {
		return &apiextensionsv1.CustomResourceDefinition{
			ObjectMeta: metav1.ObjectMeta{Name: plural + ".argoproj.io", Annotations: map[string]string{"api-approved.kubernetes.io": "unapproved, for tests"}},
			Spec: apiextensionsv1.CustomResourceDefinitionSpec{
				Group: "argoproj.io", Scope: apiextensionsv1.NamespaceScoped, Names: apiextensionsv1.CustomResourceDefinitionNames{Plural: plural, Kind: kind},
				Versions: []apiextensionsv1.CustomResourceDefinitionVersion{{
					Name: "v1alpha1", Served: true, Storage: true,
					Schema: &apiextensionsv1.CustomResourceValidation{OpenAPIV3Schema: &apiextensionsv1.JSONSchemaProps{Type: "object", XPreserveUnknownFields: new(true)}},
				}},
			},
		}
	}
	cp := cptest.Start(t, cptest.Options{Name: "argocd", CRDs: []*apiextensionsv1.CustomResourceDefinition{
		crd("applications", "Application"), crd("applicationsets", "ApplicationSet"),
	}})
	install := []string{
		"install", "shift", chart, "--namespace", namespace, "--create-namespace", "--kubeconfig", cp.Kubeconfig(), "--values", values("least"),
	}
	out, err := helm(t.Context(), append(install, "--dry-run=server")...)
	if err != nil || strings.Contains(out, "namespace: argocd") {
		t.Errorf("where Argo CD lives in another namespace a release can't be made: %v\n%s", err, out)
	}
	object := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "argocd"}}
	if _, err := cptest.Client(t, cp).CoreV1().Namespaces().Create(t.Context(), object, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if out, err := helm(t.Context(), install...); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	kept := configOf(t, render(t, "least"))
	c, err := config.Parse("clusterswitch.yaml", []byte(kept.Data["clusterswitch.yaml"]), nil)
	if err != nil {
		t.Fatal(err)
	}
	daemon := as(cp, "system:serviceaccount:"+namespace+":shift-clusterswitch", "system:serviceaccounts", "system:serviceaccounts:"+namespace)
	for name, test := range map[string]struct {
		namespaces []string
		gaps       int
	}{
		"where the configuration looks":    {c.Pairs[0].Preflight.ArgoCD.Namespaces, 0},
		"where it doesn't, for both kinds": {[]string{"default"}, 2},
	} {
		read := gather.Management(t.Context(), gather.Source{Name: "management", Config: daemon}, gather.ManagementOptions{Namespaces: test.namespaces, Timeout: time.Minute})
		if read.Fault != "" || !read.Argo.Served || len(read.Gaps) != test.gaps {
			t.Errorf("%s: fault %q, Argo CD is seen: %t, gaps %v", name, read.Fault, read.Argo.Served, read.Gaps)
		}
	}
}
