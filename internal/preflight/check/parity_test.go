package check

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/internal/preflight/finding"
)

// shown is what a test compares of a finding.
type shown struct {
	ID       string
	Severity finding.Severity
	Message  string
}

func outlined(found []finding.Finding) []shown {
	var all []shown
	for _, x := range found {
		all = append(all, shown{x.ID, x.Severity, x.Message})
	}
	slices.SortFunc(all, func(a, b shown) int { return strings.Compare(a.ID, b.ID) })
	return all
}

// side builds one cluster of a test.
type side struct{ *facts.Cluster }

func newSide() side {
	c := &facts.Cluster{Objects: map[facts.GroupKind]map[facts.Name]struct{}{}}
	for _, k := range someKinds() {
		c.Kinds = append(c.Kinds, k)
		c.Objects[k.GroupKind] = map[facts.Name]struct{}{}
	}
	s := side{c}
	return s.with(facts.KindNamespace(), "/shop").with(facts.KindNamespace(), "/kube-system")
}

func objectsNamed(name string) facts.Name {
	namespace, name, _ := strings.Cut(name, "/")
	return facts.Name{Namespace: namespace, Name: name}
}

// with adds an object, by namespace/name.
func (s side) with(k facts.GroupKind, name string, aspects ...facts.Aspect) side {
	s.Objects[k][objectsNamed(name)] = struct{}{}
	if aspects != nil {
		if s.Workloads.Aspects == nil {
			s.Workloads.Aspects = map[facts.GroupKind]map[facts.Name][]facts.Aspect{}
		}
		if s.Workloads.Aspects[k] == nil {
			s.Workloads.Aspects[k] = map[facts.Name][]facts.Aspect{}
		}
		s.Workloads.Aspects[k][objectsNamed(name)] = aspects
	}
	return s
}

// gap leaves a kind unread.
func (s side) gap(k facts.GroupKind) side {
	delete(s.Objects, k)
	s.Note(facts.Gap{What: k.String(), Why: "of the test"})
	return s
}

// without leaves a kind unserved.
func (s side) without(k facts.GroupKind) side {
	delete(s.Objects, k)
	s.Kinds = slices.DeleteFunc(s.Kinds, func(served facts.Kind) bool { return served.GroupKind == k })
	return s
}

func (s side) and(change func(*facts.Cluster)) side {
	change(s.Cluster)
	return s
}

func kind(group, kind string) facts.GroupKind { return facts.GroupKind{Group: group, Kind: kind} }

func TestParity(t *testing.T) {
	t.Parallel()
	configMap, widget, endpoints := kind("", "ConfigMap"), kind("example.com", "Widget"), kind("", "Endpoints")
	crd, account := kind("apiextensions.k8s.io", "CustomResourceDefinition"), kind("", "ServiceAccount")
	claim, set, hook := facts.KindClaim(), facts.KindStatefulSet(), kind("rbac.authorization.k8s.io", "ClusterRole")
	content := func(key, digest string) facts.Aspect {
		return facts.Aspect{Name: facts.Content, Item: key, Value: digest}
	}
	for name, c := range map[string]struct {
		blue, green side
		settings    facts.Settings
		want        []shown
	}{
		"nothing is different": {newSide().with(configMap, "shop/a"), newSide().with(configMap, "shop/a"), facts.Settings{}, nil},
		"an object is missing": {
			newSide().with(configMap, "shop/a"), newSide(),
			facts.Settings{},
			[]shown{{"MissingInGreen/ConfigMap/shop/a", finding.Block, "ConfigMap shop/a is in blue and not in green"}},
		},
		"a missing object is ignored": {newSide().with(configMap, "shop/a"), newSide(), facts.Settings{Ignore: []facts.Ignore{{Kind: "ConfigMap", Name: "a*"}}}, nil},
		"a missing object is one that each cluster makes": {
			newSide().with(configMap, "shop/a").and(func(c *facts.Cluster) {
				c.Workloads.LeftOut = map[facts.GroupKind]map[facts.Name]uint8{configMap: {objectsNamed("shop/a"): 0}}
			}), newSide(), facts.Settings{}, nil,
		},
		"a missing pod had ended": {
			newSide().with(kind("", "Pod"), "shop/once").and(func(c *facts.Cluster) {
				c.Workloads.Ended = map[facts.Object]struct{}{{GroupKind: kind("", "Pod"), Name: objectsNamed("shop/once")}: {}}
			}), newSide(),
			facts.Settings{},
			[]shown{{"MissingInGreen/Pod/shop/once", finding.Note, "Pod shop/once ran to its end in blue and is not in green"}},
		},
		"a kind was not read in green": {newSide().with(configMap, "shop/a"), newSide().gap(configMap), facts.Settings{}, nil},
		"a kind was not read in blue":  {newSide().gap(configMap), newSide().with(configMap, "shop/a"), facts.Settings{}, nil},
		"a namespace is missing": {
			newSide().with(facts.KindNamespace(), "/pay").with(configMap, "pay/a").with(configMap, "pay/b").with(facts.KindSecret(), "pay/c"), newSide(),
			facts.Settings{},
			[]shown{{"NamespaceMissing/Namespace/pay", finding.Block, "namespace pay is in blue and not in green, with 3 objects"}},
		},
		"an ignored namespace is missing": {
			newSide().with(facts.KindNamespace(), "/pay").with(configMap, "pay/a"), newSide(), facts.Settings{Ignore: []facts.Ignore{{Namespace: "pay"}}}, nil,
		},
		"a kind is not served, and its definition is missing": {
			newSide().with(widget, "shop/w").with(crd, "/widgets.example.com"), newSide().without(widget),
			facts.Settings{},
			[]shown{{"KindNotServed/Widget.example.com", finding.Block, "green doesn't serve Widget.example.com, of which blue has 1 object, such as shop/w"}},
		},
		"a definition without objects is missing": {
			newSide().with(crd, "/widgets.example.com"), newSide().without(widget),
			facts.Settings{},
			[]shown{{"MissingInGreen/CustomResourceDefinition.apiextensions.k8s.io/widgets.example.com", finding.Block, "CustomResourceDefinition.apiextensions.k8s.io widgets.example.com is in blue and not in green"}},
		},
		"nobody knows whether green serves a kind": {
			newSide().with(widget, "shop/w"), newSide().without(widget).and(func(c *facts.Cluster) {
				c.Undiscovered = map[string]struct{}{"example.com": {}}
			}), facts.Settings{}, nil,
		},
		"some objects are only in green": {
			newSide(), newSide().with(configMap, "shop/a").with(configMap, "shop/b"),
			facts.Settings{},
			[]shown{{"OnlyInGreen/ConfigMap/shop/a", finding.Note, "ConfigMap shop/a is only in green"}, {"OnlyInGreen/ConfigMap/shop/b", finding.Note, "ConfigMap shop/b is only in green"}},
		},
		"many objects, a namespace and a kind are only in green": {
			newSide().without(widget),
			newSide().with(configMap, "shop/a").with(configMap, "shop/b").with(configMap, "shop/c").with(configMap, "shop/d").
				with(facts.KindNamespace(), "/new").with(configMap, "new/a").with(widget, "shop/w"),
			facts.Settings{Standby: true},
			[]shown{
				{"OnlyInGreen/ConfigMap/shop", finding.Warn, "4 objects of ConfigMap in namespace shop are only in green, such as a: a way back would lose it"},
				{"OnlyInGreen/Namespace/new", finding.Warn, "namespace new is only in green, with 1 object: a way back would lose it"},
				{"OnlyInGreen/Widget.example.com", finding.Warn, "only green serves Widget.example.com, and has 1 object of it: a way back would lose it"},
			},
		},
		"Endpoints count where people make them": {
			newSide().with(endpoints, "shop/by-hand").with(endpoints, "shop/made").and(func(c *facts.Cluster) {
				c.Workloads.WithoutSelector = map[facts.Name]struct{}{objectsNamed("shop/by-hand"): {}}
			}), newSide(),
			facts.Settings{},
			[]shown{{"MissingInGreen/Endpoints/shop/by-hand", finding.Block, "Endpoints shop/by-hand is in blue and not in green"}},
		},
		"keys of a ConfigMap differ": {
			newSide().with(configMap, "shop/a", content("x", "1"), content("y", "1"), content("z", "1")),
			newSide().with(configMap, "shop/a", content("x", "2"), content("y", "1"), content("new", "1")),
			facts.Settings{},
			[]shown{{"ConfigMapDiffers/ConfigMap/shop/a", finding.Block, "the content of ConfigMap shop/a differs between blue and green: new, x, z"}},
		},
		"an account loses its AWS role": {
			newSide().with(account, "shop/web", facts.Aspect{Name: facts.Role, Value: "arn:aws:iam::1:role/web"}), newSide().with(account, "shop/web", []facts.Aspect{}...).and(func(c *facts.Cluster) {
				c.Workloads.Aspects = map[facts.GroupKind]map[facts.Name][]facts.Aspect{account: {objectsNamed("shop/web"): nil}}
			}),
			facts.Settings{},
			[]shown{{"RoleMissing/ServiceAccount/shop/web", finding.Block, "the AWS role of ServiceAccount shop/web is arn:aws:iam::1:role/web in blue and missing in green"}},
		},
		"an account has another AWS role": {
			newSide().with(account, "shop/web", facts.Aspect{Name: facts.Role, Value: "a"}), newSide().with(account, "shop/web", facts.Aspect{Name: facts.Role, Value: "b"}),
			facts.Settings{},
			[]shown{{"RoleDiffers/ServiceAccount/shop/web", finding.Warn, "the AWS role of ServiceAccount shop/web is a in blue and b in green"}},
		},
		"green's pods get no AWS role by Pod Identity": {
			newSide().with(account, "shop/web").and(identity(2, 0)), newSide().with(account, "shop/web").and(identity(0, 2)),
			facts.Settings{},
			[]shown{{"PodIdentityMissing/ServiceAccount/shop/web", finding.Block, "pods of ServiceAccount shop/web get their AWS role by EKS Pod Identity in blue and get none in green"}},
		},
		"green has no pods yet that would tell": {
			newSide().with(account, "shop/web").and(identity(2, 0)), newSide().with(account, "shop/web"),
			facts.Settings{},
			[]shown{{"PodIdentityMissing/ServiceAccount/shop/web", finding.Warn, "pods of ServiceAccount shop/web get their AWS role by EKS Pod Identity in blue; green has no such pods that would tell whether it has the association"}},
		},
		"green's pods get their AWS role by Pod Identity too": {
			newSide().with(account, "shop/web").and(identity(2, 0)), newSide().with(account, "shop/web").and(identity(1, 1)), facts.Settings{}, nil,
		},
		"volumes": {
			newSide().with(set, "shop/db").with(claim, "shop/data-db-0").with(claim, "shop/data-old-0").with(claim, "shop/uploads").and(volumes),
			newSide().with(set, "shop/db").with(claim, "shop/data-old-0").with(claim, "shop/uploads").and(volumes),
			facts.Settings{},
			[]shown{
				{"DataStaysBehind/PersistentVolumeClaim/shop/data-old-0", finding.Block, "PersistentVolumeClaim shop/data-old-0 keeps data in a volume of blue (5Gi), which green's does not have"},
				{"DataStaysBehind/PersistentVolumeClaim/shop/uploads", finding.Block, "PersistentVolumeClaim shop/uploads keeps data in a volume of blue (5Gi), which green's does not have"},
				{"DataStaysBehind/StatefulSet.apps/shop/db", finding.Block, "StatefulSet shop/db keeps data in volumes of blue (data), which green's do not have"},
			},
		},
		"a webhook calls a Service that only blue's has": {
			newSide().with(hook, "/guard").and(hooked(hook, "shop/one")),
			newSide().with(hook, "/guard").and(hooked(hook, "shop/other")),
			facts.Settings{},
			[]shown{{"WebhookServiceGone/ClusterRole.rbac.authorization.k8s.io/guard/shop/other", finding.Block, "ClusterRole.rbac.authorization.k8s.io guard calls Service shop/other, which is not in green"}},
		},
		"webhooks of both clusters call nobody": {
			newSide().with(hook, "/guard").and(hooked(hook, "shop/one")), newSide().with(hook, "/guard").and(hooked(hook, "shop/one")), facts.Settings{}, nil,
		},
		"Secrets are off": {
			newSide().gap(facts.KindSecret()), newSide().gap(facts.KindSecret()),
			facts.Settings{Secrets: facts.SecretsOff},
			[]shown{{"SecretsNotCompared/Secret", finding.Note, "Secrets of blue and green are not compared, because the configuration says so"}},
		},
		"a cluster can't be read": {
			newSide().with(configMap, "shop/a"), newSide().and(func(c *facts.Cluster) { c.Fault = "it is gone" }), facts.Settings{}, nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := &facts.Facts{Scope: facts.Full, Settings: c.settings, Blue: *c.blue.Cluster, Green: *c.green.Cluster}
			if diff := cmp.Diff(c.want, outlined(slices.Concat(parity(f), releases(f))), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func identity(with, without int) func(*facts.Cluster) {
	return func(c *facts.Cluster) {
		c.Workloads.Identities = map[facts.Name]facts.Identity{objectsNamed("shop/web"): {With: with, Without: without}}
	}
}

func volumes(c *facts.Cluster) {
	c.Workloads.Templates = map[facts.Name][]string{objectsNamed("shop/db"): {"data"}}
	c.Workloads.Volumes = map[facts.Name]facts.Volume{}
	for n := range c.Objects[facts.KindClaim()] {
		c.Workloads.Volumes[n] = facts.Volume{Size: "5Gi"}
	}
}

func hooked(k facts.GroupKind, service string) func(*facts.Cluster) {
	return func(c *facts.Cluster) {
		c.Workloads.Hooks = map[facts.Object][]facts.Name{{GroupKind: k, Name: objectsNamed("/guard")}: {objectsNamed(service)}}
	}
}

func TestReleases(t *testing.T) {
	t.Parallel()
	deployment := kind("apps", "Deployment")
	image := func(value string) facts.Aspect { return facts.Aspect{Name: facts.Image, Item: "web", Value: value} }
	replicas := func(value string) facts.Aspect { return facts.Aspect{Name: facts.Replicas, Value: value} }
	of := func(name string, aspects ...facts.Aspect) side { return newSide().with(deployment, name, aspects...) }
	scaled := func(c *facts.Cluster) {
		c.Workloads.Scaled = map[facts.Object]facts.Object{{GroupKind: deployment, Name: objectsNamed("shop/web")}: {}}
	}
	for name, c := range map[string]struct {
		blue, green side
		settings    facts.Settings
		want        []shown
	}{
		"another image": {
			of("shop/web", image("web:1")), of("shop/web", image("web:2")),
			facts.Settings{},
			[]shown{{"ImageDiffers/Deployment.apps/shop/web/web", finding.Block, "the image of container web of Deployment.apps shop/web is web:1 in blue and web:2 in green"}},
		},
		"another image in standby": {
			of("shop/web", image("web:1")), of("shop/web", image("web:2")),
			facts.Settings{Standby: true},
			[]shown{{"ImageDiffers/Deployment.apps/shop/web/web", finding.Warn, "the image of container web of Deployment.apps shop/web is web:1 in blue and web:2 in green"}},
		},
		"the same image of another account's registry": {
			of("shop/web", image("111122223333.dkr.ecr.eu-west-1.amazonaws.com/web:1")), of("shop/web", image("444455556666.dkr.ecr.eu-central-1.amazonaws.com/web:1")),
			facts.Settings{},
			[]shown{{"RegistryDiffers/Deployment.apps/shop/web/web", finding.Note, "the image of container web of Deployment.apps shop/web is 111122223333.dkr.ecr.eu-west-1.amazonaws.com/web:1 in blue and 444455556666.dkr.ecr.eu-central-1.amazonaws.com/web:1 in green"}},
		},
		"another image of another account's registry": {
			of("shop/web", image("111122223333.dkr.ecr.eu-west-1.amazonaws.com/web:1")), of("shop/web", image("444455556666.dkr.ecr.eu-west-1.amazonaws.com/web:2")),
			facts.Settings{},
			[]shown{{"ImageDiffers/Deployment.apps/shop/web/web", finding.Block, "the image of container web of Deployment.apps shop/web is 111122223333.dkr.ecr.eu-west-1.amazonaws.com/web:1 in blue and 444455556666.dkr.ecr.eu-west-1.amazonaws.com/web:2 in green"}},
		},
		"an image of the users' from another registry": {
			of("shop/web", image("ghcr.io/shop/web:1")), of("shop/web", image("docker.io/shop/web:1")),
			facts.Settings{},
			[]shown{{"ImageDiffers/Deployment.apps/shop/web/web", finding.Block, "the image of container web of Deployment.apps shop/web is ghcr.io/shop/web:1 in blue and docker.io/shop/web:1 in green"}},
		},
		"what fits the version of Kubernetes": {
			of("kube-system/coredns", image("coredns:1")), of("kube-system/coredns", image("coredns:2")),
			facts.Settings{},
			[]shown{{"ImageDiffers/Deployment.apps/kube-system/coredns/web", finding.Note, "the image of container web of Deployment.apps kube-system/coredns is coredns:1 in blue and coredns:2 in green"}},
		},
		"fewer replicas than the configuration asks for": {
			of("shop/web", replicas("10")), of("shop/web", replicas("7")),
			facts.Settings{ReplicasAtLeast: 80},
			[]shown{{"ReplicasDiffer/Deployment.apps/shop/web", finding.Block, "the number of replicas of Deployment.apps shop/web is 10 in blue and 7 in green"}},
		},
		"fewer replicas, but enough": {
			of("shop/web", replicas("10")), of("shop/web", replicas("8")),
			facts.Settings{ReplicasAtLeast: 80},
			[]shown{{"ReplicasDiffer/Deployment.apps/shop/web", finding.Warn, "the number of replicas of Deployment.apps shop/web is 10 in blue and 8 in green"}},
		},
		"more replicas": {
			of("shop/web", replicas("0")), of("shop/web", replicas("8")),
			facts.Settings{ReplicasAtLeast: 80},
			[]shown{{"ReplicasDiffer/Deployment.apps/shop/web", finding.Note, "the number of replicas of Deployment.apps shop/web is 0 in blue and 8 in green"}},
		},
		"replicas that an autoscaler sets":  {of("shop/web", replicas("10")).and(scaled), of("shop/web", replicas("1")), facts.Settings{}, nil},
		"replicas that clusterswitch sets":  {of("shop/web", replicas("10")), of("shop/web", facts.Aspect{Name: facts.Replicas, Value: "1", Free: true}), facts.Settings{}, nil},
		"replicas, and unknown autoscalers": {of("shop/web", replicas("10")), of("shop/web", replicas("1")).and(func(c *facts.Cluster) { c.Undiscovered = map[string]struct{}{"autoscaling": {}} }), facts.Settings{}, nil},
		"a container that only blue's pod has": {
			of("shop/web", image("web:1"), facts.Aspect{Name: facts.Image, Item: "log", Value: "log:1"}, facts.Aspect{Name: facts.Resources, Item: "log", Value: "none"}),
			of("shop/web", image("web:1")),
			facts.Settings{},
			[]shown{{"ImageDiffers/Deployment.apps/shop/web/log", finding.Block, "the image of container log of Deployment.apps shop/web is log:1 in blue and missing in green"}},
		},
		"a release that reached only green, in standby": {
			newSide(), of("shop/new", image("new:1")),
			facts.Settings{Standby: true},
			[]shown{{"OnlyInGreen/Deployment.apps/shop/new", finding.Warn, "Deployment.apps shop/new is only in green: a way back would lose it"}},
		},
		"a release that reached only blue, in standby": {
			of("shop/new", image("new:1")), newSide(),
			facts.Settings{Standby: true},
			[]shown{{"MissingInGreen/Deployment.apps/shop/new", finding.Warn, "Deployment.apps shop/new is in blue and not in green"}},
		},
		"a namespace that is missing": {
			of("pay/web", image("web:1")).with(facts.KindNamespace(), "/pay"), newSide(),
			facts.Settings{},
			[]shown{{"NamespaceMissing/Namespace/pay", finding.Block, "namespace pay is in blue and not in green"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := &facts.Facts{Scope: facts.Brief, Settings: c.settings, Blue: *c.blue.Cluster, Green: *c.green.Cluster}
			found := releases(f)
			if diff := cmp.Diff(c.want, outlined(found), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			for _, x := range found {
				if c.settings.Standby != strings.Contains(x.Do, "a way back would") && x.Severity != finding.Note {
					t.Errorf("%s in standby %t: %s", x.ID, c.settings.Standby, x.Do)
				}
			}
		})
	}
}

// TestEveryCodeIsExplained: a code that is found must be in the documents, and
// every aspect that is gathered must be judged.
func TestEveryCodeIsExplained(t *testing.T) {
	t.Parallel()
	explained := map[finding.Code]bool{}
	for _, doc := range slices.Concat(parityDocs(), releaseDocs()) {
		explained[doc.Code] = doc.Meaning != "" && doc.Do != ""
	}
	for name, a := range aspects() {
		if a.code != "" && !explained[a.code] {
			t.Errorf("%s of aspect %s is not explained", a.code, name)
		}
		if (a.code == "" || a.severity == "") == (a.judge == nil) {
			t.Errorf("aspect %s must have a code and a severity, or a judge", name)
		}
	}
}
