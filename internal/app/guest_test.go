package app

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"

	"github.com/clusterswitch/clusterswitch/config"
	"github.com/clusterswitch/clusterswitch/internal/kube"
	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/internal/preflight/gather"
	"github.com/clusterswitch/clusterswitch/internal/rbac"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane/cptest"
	"github.com/clusterswitch/clusterswitch/probes"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// guest is the daemon in a cluster that grants it what a manifest says, and
// nothing else.
type guest struct {
	t     *testing.T
	admin *rest.Config
	// client has the administrator's rights.
	client kubernetes.Interface
	pair   config.Pair
	group  string
	// config has the client certificate of the group's only member.
	config *rest.Config
	// roles are those of the manifest that was applied.
	roles []*role
}

// role is a Role or a ClusterRole; the latter has no namespace.
type role struct {
	namespace, name string
	rules           []rbacv1.PolicyRule
}

const guestConfig = `apiVersion: clusterswitch.io/v1alpha1
aws: {region: eu-west-1}
pairs:
  - name: %[1]s
    serve: blue
    blue: {kubeconfig: {path: %[2]q}}
    green: {kubeconfig: {path: %[3]q}}
    traffic: [{route53: {hostedZoneID: Z1, names: [shop.example.com], blueSetIdentifier: b, greenSetIdentifier: g}}]
    steps: [{share: 100}]
    soakOnly: true
`

// newGuest makes a user whom nobody granted anything, and a configuration by
// which that user watches the cluster; more are lines of the pair.
func newGuest(t *testing.T, cp *controlplane.ControlPlane, pair, more string) *guest {
	t.Helper()
	group := "visitors-of-" + pair
	var kubeconfigs [2]string // of one cluster: the configuration wants two
	for i := range kubeconfigs {
		var err error
		if kubeconfigs[i], err = cp.UserKubeconfig("daemon-of-"+pair, group); err != nil {
			t.Fatal(err)
		}
	}
	c, err := config.Parse("clusterswitch.yaml", fmt.Appendf(nil, guestConfig+more, pair, kubeconfigs[0], kubeconfigs[1]), nil)
	if err != nil {
		t.Fatal(err)
	}
	reach, err := kube.Connect(kube.Access{Kubeconfig: kubeconfigs[0]})
	if err != nil {
		t.Fatal(err)
	}
	reach.QPS = -1
	return &guest{t: t, admin: cp.RESTConfig(), client: cptest.Client(t, cp), pair: c.Pairs[0], group: group, config: reach}
}

// admit applies the manifest that is made for the guest, who itself asks the
// cluster what it serves.
func (g *guest) admit() {
	g.t.Helper()
	m, missing, err := ClusterRights(g.t.Context(), ClusterRightsOptions{
		Pair: g.pair, Sides: []shift.Side{shift.Blue, shift.Green}, Subjects: []rbac.Subject{{Kind: "Group", Name: g.group}},
	})
	if err != nil || len(missing) > 0 {
		g.t.Fatalf("missing %v, error %v", missing, err)
	}
	for in := yaml.NewYAMLReader(bufio.NewReader(strings.NewReader(m.String()))); ; {
		document, err := in.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			g.t.Fatal(err)
		}
		object, _, err := scheme.Codecs.UniversalDeserializer().Decode(document, nil, nil)
		if err != nil {
			g.t.Fatalf("%v\n%s", err, document)
		}
		g.create(object)
	}
	g.await()
}

func (g *guest) create(object runtime.Object) {
	g.t.Helper()
	ctx, api, o := g.t.Context(), g.client.RbacV1(), metav1.CreateOptions{}
	var err error
	switch object := object.(type) {
	case *rbacv1.ClusterRole:
		_, err = api.ClusterRoles().Create(ctx, object, o)
		g.roles = append(g.roles, &role{name: object.Name, rules: object.Rules})
	case *rbacv1.Role:
		_, err = api.Roles(object.Namespace).Create(ctx, object, o)
		g.roles = append(g.roles, &role{object.Namespace, object.Name, object.Rules})
	case *rbacv1.ClusterRoleBinding:
		_, err = api.ClusterRoleBindings().Create(ctx, object, o)
	case *rbacv1.RoleBinding:
		_, err = api.RoleBindings(object.Namespace).Create(ctx, object, o)
	default:
		err = fmt.Errorf("a manifest must not hold a %T", object)
	}
	if err != nil {
		g.t.Fatal(err)
	}
}

// change gives a role other rules, and waits until they count.
func (g *guest) change(r *role, rules []rbacv1.PolicyRule) {
	g.t.Helper()
	ctx, api, about := g.t.Context(), g.client.RbacV1(), metav1.ObjectMeta{Namespace: r.namespace, Name: r.name}
	var err error
	if r.namespace == "" {
		_, err = api.ClusterRoles().Update(ctx, &rbacv1.ClusterRole{ObjectMeta: about, Rules: rules}, metav1.UpdateOptions{})
	} else {
		_, err = api.Roles(r.namespace).Update(ctx, &rbacv1.Role{ObjectMeta: about, Rules: rules}, metav1.UpdateOptions{})
	}
	if err != nil {
		g.t.Fatal(err)
	}
	r.rules = rules
	g.await()
}

// await waits until the API server grants the guest exactly what the roles say,
// besides what it grants everybody.
func (g *guest) await() {
	g.t.Helper()
	ctx, cancel := context.WithTimeout(g.t.Context(), time.Minute)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		diff := cmp.Diff(g.granted(), g.rights())
		if diff == "" {
			return
		}
		select {
		case <-ctx.Done():
			g.t.Fatalf("the API server grants other rights than the manifest says (-manifest +server):\n%s", diff)
		case <-tick.C:
		}
	}
}

// granted are the rights of the applied roles.
func (g *guest) granted() map[string]bool {
	all := map[string]bool{}
	for _, r := range g.roles {
		for _, rule := range r.rules {
			maps.Copy(all, rightsOf(r.namespace, authorizationv1.ResourceRule{
				Verbs: rule.Verbs, APIGroups: rule.APIGroups, Resources: rule.Resources, ResourceNames: rule.ResourceNames,
			}))
			maps.Copy(all, pathsOf(authorizationv1.NonResourceRule{Verbs: rule.Verbs, NonResourceURLs: rule.NonResourceURLs}))
		}
	}
	return all
}

// rights are what the API server grants the guest and not everybody.
func (g *guest) rights() map[string]bool {
	g.t.Helper()
	anybody := rest.CopyConfig(g.admin)
	anybody.Impersonate = rest.ImpersonationConfig{UserName: "anybody", Groups: []string{"system:authenticated"}}
	const elsewhere = "elsewhere" // what holds in a namespace without roles holds in all
	everywhere := without(g.rules(g.config, elsewhere, ""), g.rules(anybody, elsewhere, ""))
	all := maps.Clone(everywhere)
	for _, namespace := range []string{"shop", "api"} {
		here := without(g.rules(g.config, namespace, namespace), g.rules(anybody, namespace, namespace))
		maps.Copy(all, without(here, inNamespace(everywhere, namespace)))
	}
	return all
}

func (g *guest) rules(who *rest.Config, in, as string) map[string]bool {
	g.t.Helper()
	client, err := kubernetes.NewForConfig(who)
	if err != nil {
		g.t.Fatal(err)
	}
	review, err := client.AuthorizationV1().SelfSubjectRulesReviews().Create(g.t.Context(),
		&authorizationv1.SelfSubjectRulesReview{Spec: authorizationv1.SelfSubjectRulesReviewSpec{Namespace: in}}, metav1.CreateOptions{})
	if err != nil {
		g.t.Fatal(err)
	}
	all := map[string]bool{}
	for _, rule := range review.Status.ResourceRules {
		maps.Copy(all, rightsOf(as, rule))
	}
	for _, rule := range review.Status.NonResourceRules {
		maps.Copy(all, pathsOf(rule))
	}
	return all
}

// right spells one right: verb, resource.group, a name, and a namespace.
func right(verb, group, resource, name, namespace string) string {
	words := verb + " " + resource
	if group != "" {
		words += "." + group
	}
	if name != "" {
		words += " " + name
	}
	if namespace != "" {
		words += " in " + namespace
	}
	return words
}

func rightsOf(namespace string, rule authorizationv1.ResourceRule) map[string]bool {
	all, names := map[string]bool{}, rule.ResourceNames
	if len(names) == 0 {
		names = []string{""}
	}
	for _, verb := range rule.Verbs {
		for _, group := range rule.APIGroups {
			for _, resource := range rule.Resources {
				for _, name := range names {
					all[right(verb, group, resource, name, namespace)] = true
				}
			}
		}
	}
	return all
}

func pathsOf(rule authorizationv1.NonResourceRule) map[string]bool {
	all := map[string]bool{}
	for _, verb := range rule.Verbs {
		for _, path := range rule.NonResourceURLs {
			all[verb+" "+path] = true
		}
	}
	return all
}

func inNamespace(rights map[string]bool, namespace string) map[string]bool {
	all := map[string]bool{}
	for r := range rights {
		all[r] = true
		all[r+" in "+namespace] = true
	}
	return all
}

func without(a, b map[string]bool) map[string]bool {
	left := maps.Clone(a)
	maps.DeleteFunc(left, func(r string, _ bool) bool { return b[r] })
	return left
}

// look does with the cluster what the daemon does, and tells what it could not
// do, and which rights it made use of.
func (g *guest) look() (faults []string, used map[string]bool) {
	g.t.Helper()
	asked := &asked{rights: map[string]bool{}}
	reach := rest.CopyConfig(g.config)
	reach.Wrap(func(next http.RoundTripper) http.RoundTripper { return listener{next, asked} })
	if g.pair.Preflight.Mode != "off" {
		c := gather.Cluster(g.t.Context(), shift.Blue, gather.Source{Name: "it", Config: reach}, gather.Options{
			Scope: facts.Full, Settings: settingsOf(g.pair), Timeout: time.Minute,
		})
		for _, gap := range c.Gaps {
			faults = append(faults, gap.What+": "+gap.Why)
		}
		if c.Fault != "" {
			faults = append(faults, c.Fault)
		}
	}
	faults = append(faults, g.watch(reach)...)
	faults = append(faults, g.hold(reach)...)
	faults = append(faults, g.handOver(reach)...)
	asked.mu.Lock()
	defer asked.mu.Unlock()
	return faults, asked.rights
}

// watch watches the cluster until it is known or will not be, and runs each
// probe once.
func (g *guest) watch(reach *rest.Config) (faults []string) {
	g.t.Helper()
	looks := make(chan struct{}, 1)
	c, err := kube.New(kube.Options{
		Config: reach, Name: "it", Namespaces: g.pair.Workloads.Namespaces, Logger: zap.NewNop(),
		OnLook: func() {
			select {
			case looks <- struct{}{}:
			default:
			}
		},
	})
	if err != nil {
		g.t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(g.t.Context(), time.Minute)
	var running sync.WaitGroup
	defer running.Wait()
	defer stop()
	running.Go(func() { _ = c.Run(ctx) })
	for known := false; !known; {
		select {
		case <-ctx.Done():
			return []string{"the cluster is not known within a minute: " + c.Fault()}
		case <-looks:
		}
		r := c.Snapshot()
		known = r.Err == "" && !r.At.IsZero()
		if strings.Contains(r.Err, "forbidden") {
			return []string{r.Err}
		}
	}
	return g.probe(ctx, c)
}

func (g *guest) probe(ctx context.Context, c *kube.Cluster) (faults []string) {
	base, transport := c.ServiceProxy()
	var specs []probes.Spec
	for _, p := range g.pair.Probes {
		specs = append(specs, probes.Spec{
			Name: p.Name, Interval: time.Second, Timeout: time.Second, Successes: 1, Failures: 1,
			Check: probes.Service(probes.ServiceOptions{
				BaseURL: base, Transport: transport, Namespace: p.Service.Namespace, Name: p.Service.Name, Port: p.Service.Port, Scheme: p.Service.Scheme,
			}),
		})
	}
	runner := probes.New(probes.Options{Random: func() float64 { return 0 }})
	if err := runner.Set(specs); err != nil {
		return []string{err.Error()}
	}
	var running sync.WaitGroup
	defer running.Wait()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	running.Go(func() { runner.Run(ctx) })
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		readings := runner.Snapshot()
		if !slices.ContainsFunc(readings, func(r probes.Reading) bool { return r.LastAt.IsZero() }) {
			for _, r := range readings {
				// There are no pods: the API server looks for them only after it let the
				// request through.
				if !strings.Contains(r.LastError, "got status 503, want 200: no endpoints available") {
					faults = append(faults, r.Name+": "+r.LastError)
				}
			}
			return faults
		}
		select {
		case <-ctx.Done():
			return []string{"the probes did not run"}
		case <-tick.C:
		}
	}
}
