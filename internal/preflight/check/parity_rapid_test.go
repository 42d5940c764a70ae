package check

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/internal/preflight/finding"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// someKinds gives a kind of each sort that is treated in its own way.
func someKinds() []facts.Kind {
	kind := func(group, kind, resource string, namespaced bool) facts.Kind {
		return facts.Kind{GroupKind: facts.GroupKind{Group: group, Kind: kind}, Version: "v1", Served: []string{"v1"}, Resource: resource, Namespaced: namespaced}
	}
	return []facts.Kind{
		kind("", "ConfigMap", "configmaps", true), kind("", "Endpoints", "endpoints", true), kind("", "Namespace", "namespaces", false),
		kind("", "PersistentVolumeClaim", "persistentvolumeclaims", true), kind("", "Pod", "pods", true),
		kind("", "Secret", "secrets", true), kind("", "Service", "services", true), kind("", "ServiceAccount", "serviceaccounts", true),
		kind("apps", "Deployment", "deployments", true), kind("apps", "StatefulSet", "statefulsets", true),
		kind("apiextensions.k8s.io", "CustomResourceDefinition", "customresourcedefinitions", false),
		kind("example.com", "Widget", "widgets", true), kind("rbac.authorization.k8s.io", "ClusterRole", "clusterroles", false),
	}
}

// drawCluster makes a cluster up: objects of all kinds, left out or not, with
// aspects or without, kinds that could not be read, and volumes.
func drawCluster(t *rapid.T) facts.Cluster {
	c := facts.Cluster{Name: "drawn", Objects: map[facts.GroupKind]map[facts.Name]struct{}{}, Kinds: someKinds()}
	c.Workloads = facts.Workloads{
		LeftOut: map[facts.GroupKind]map[facts.Name]uint8{}, Aspects: map[facts.GroupKind]map[facts.Name][]facts.Aspect{},
		Volumes: map[facts.Name]facts.Volume{}, Templates: map[facts.Name][]string{}, WithoutSelector: map[facts.Name]struct{}{},
		Anyway: map[facts.Object]struct{}{}, Ended: map[facts.Object]struct{}{}, Hooks: map[facts.Object][]facts.Name{},
		Scaled: map[facts.Object]facts.Object{}, Identities: map[facts.Name]facts.Identity{},
	}
	namespaces := []string{"default", "kube-system", "shop"}
	name := rapid.StringMatching(`[a-c]{1,2}`)
	for _, k := range c.Kinds {
		if rapid.IntRange(0, 9).Draw(t, "gap") == 0 {
			c.Note(facts.Gap{What: k.Resource, Why: "it was not read"})
			continue
		}
		list := map[facts.Name]struct{}{}
		c.Objects[k.GroupKind] = list
		if k.GroupKind == facts.KindNamespace() {
			for _, n := range namespaces {
				list[facts.Name{Name: n}] = struct{}{}
			}
			continue
		}
		for range rapid.IntRange(0, 5).Draw(t, "objects") {
			n := facts.Name{Name: name.Draw(t, "name")}
			if k.Namespaced {
				n.Namespace = rapid.SampledFrom(namespaces).Draw(t, "namespace")
			}
			if k.Kind == "CustomResourceDefinition" {
				n.Name += ".example.com"
			}
			list[n] = struct{}{}
			drawObject(t, &c, k.GroupKind, n)
		}
	}
	return c
}

func drawObject(t *rapid.T, c *facts.Cluster, k facts.GroupKind, n facts.Name) {
	if rapid.IntRange(0, 4).Draw(t, "left out") == 0 {
		c.Workloads.LeftOut[k] = map[facts.Name]uint8{n: 0}
		return
	}
	switch k.Kind {
	case "StatefulSet":
		if rapid.Bool().Draw(t, "volumes") {
			c.Workloads.Templates[n] = []string{"data"}
		}
	case "PersistentVolumeClaim":
		c.Workloads.Volumes[n] = facts.Volume{Size: "1Gi"}
	case "Service":
		if rapid.Bool().Draw(t, "by hand") {
			c.Workloads.WithoutSelector[n] = struct{}{}
		}
	}
	o := facts.Object{GroupKind: k, Name: n}
	if rapid.IntRange(0, 5).Draw(t, "ended") == 0 {
		c.Workloads.Ended[o] = struct{}{}
	}
	if rapid.IntRange(0, 5).Draw(t, "scaled") == 0 {
		c.Workloads.Scaled[o] = o
	}
	var all []facts.Aspect
	names := slices.Sorted(maps.Keys(aspects()))
	for i := range rapid.IntRange(0, 3).Draw(t, "aspects") {
		all = append(all, facts.Aspect{Name: rapid.SampledFrom(names).Draw(t, "aspect"), Item: fmt.Sprint(i), Value: "1"})
	}
	if c.Workloads.Aspects[k] == nil {
		c.Workloads.Aspects[k] = map[facts.Name][]facts.Aspect{}
	}
	c.Workloads.Aspects[k][n] = all
}

// copied gives a cluster of the same facts in which something can be changed.
func copied(c facts.Cluster) facts.Cluster {
	objects := map[facts.GroupKind]map[facts.Name]struct{}{}
	for k, list := range c.Objects {
		objects[k] = maps.Clone(list)
	}
	c.Objects, c.Kinds = objects, slices.Clone(c.Kinds)
	aspects := map[facts.GroupKind]map[facts.Name][]facts.Aspect{}
	for k, list := range c.Workloads.Aspects {
		aspects[k] = map[facts.Name][]facts.Aspect{}
		for n, all := range list {
			aspects[k][n] = slices.Clone(all)
		}
	}
	c.Workloads.Aspects = aspects
	return c
}

// differences are the ids of what both checks find, without what is found of
// any cluster.
func differences(f *facts.Facts) []string {
	var ids []string
	for _, x := range slices.Concat(parity(f), releases(f)) {
		if x.Code != DataStaysBehind {
			ids = append(ids, x.ID)
		}
	}
	slices.Sort(ids)
	return ids
}

func drawFacts(t *rapid.T) *facts.Facts {
	f := &facts.Facts{Scope: facts.Full, Settings: facts.Settings{ReplicasAtLeast: 100}}
	f.Blue = drawCluster(t)
	f.Green = copied(f.Blue)
	f.Blue.Side, f.Green.Side = shift.Blue, shift.Green
	return f
}

func TestTwoClustersAlikeHaveNoDifference(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f := drawFacts(t)
		if ids := differences(f); len(ids) > 0 {
			t.Fatalf("found %v", ids)
		}
		for _, x := range parity(f) {
			if x.Message == "" || x.Do == "" {
				t.Fatalf("%s says nothing", x.ID)
			}
		}
	})
}

func TestOneDifferenceIsOneFinding(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f := drawFacts(t)
		p := newComparison(f)
		var all []facts.Object
		for k := range f.Green.Objects {
			for n := range f.Green.Objects[k] {
				if p.counts(&f.Blue, k, n) {
					all = append(all, facts.Object{GroupKind: k, Name: n})
				}
			}
		}
		if len(all) == 0 {
			return
		}
		slices.SortFunc(all, func(a, b facts.Object) int {
			return cmpOr(a.GroupKind.String()+a.Name.String(), b.GroupKind.String()+b.Name.String())
		})
		o := rapid.SampledFrom(all).Draw(t, "object")
		want := plant(t, f, o)
		if diff := cmp.Diff(want, differences(f)); diff != "" {
			t.Fatalf("planted in %v (-want +got):\n%s", o, diff)
		}
	})
}

func cmpOr(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// plant makes one difference in green, and gives what must be found of it.
func plant(t *rapid.T, f *facts.Facts, o facts.Object) []string {
	all := f.Green.Workloads.Aspects[o.GroupKind][o.Name]
	if len(all) > 0 && rapid.Bool().Draw(t, "change an aspect") {
		return plantAspect(f, o, all)
	}
	object := finding.Of(o.GroupKind, o.Name)
	if o.GroupKind == facts.KindNamespace() {
		delete(f.Green.Objects[o.GroupKind], o.Name)
		for _, list := range f.Green.Objects {
			maps.DeleteFunc(list, func(n facts.Name, _ struct{}) bool { return n.Namespace == o.Name.Name })
		}
		return []string{finding.New(NamespaceMissing, finding.Block, object, "").ID}
	}
	switch rapid.IntRange(0, 2).Draw(t, "how") {
	case 0: // the kind is not served
		k := o.GroupKind
		delete(f.Green.Objects, k)
		f.Green.Kinds = slices.DeleteFunc(f.Green.Kinds, func(s facts.Kind) bool { return s.GroupKind == k })
		crds := f.Green.Objects[facts.GroupKind{Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition"}]
		delete(crds, facts.Name{Name: f.Blue.Serves(k).Resource + "." + k.Group})
		return []string{finding.New(KindNotServed, finding.Block, finding.Of(k, facts.Name{}), "").ID}
	case 1: // it is only in green
		n := o.Name
		n.Name += "-new"
		if o.Kind == "Endpoints" {
			f.Green.Workloads.WithoutSelector = map[facts.Name]struct{}{n: {}, o.Name: {}}
			maps.Copy(f.Green.Workloads.WithoutSelector, f.Blue.Workloads.WithoutSelector)
		}
		f.Green.Objects[o.GroupKind][n] = struct{}{}
		return []string{finding.New(OnlyInGreen, finding.Note, finding.Of(o.GroupKind, n), "").ID}
	}
	delete(f.Green.Objects[o.GroupKind], o.Name)
	return []string{finding.New(MissingInGreen, finding.Block, object, "").ID}
}

// plantAspect changes one value.
func plantAspect(f *facts.Facts, o facts.Object, all []facts.Aspect) []string {
	a := aspects()[all[0].Name]
	blue := all[0]
	all[0].Value = "2"
	p := newComparison(f)
	severity, code := a.severity, a.code
	if a.judge != nil {
		severity, code = a.judge(p, o, blue, all[0])
	}
	if severity == "" {
		return nil // an autoscaler sets it
	}
	item := all[0].Item
	if a.together {
		item = ""
	}
	return []string{finding.New(code, severity, finding.Of(o.GroupKind, o.Name), joined(a.detail, item)).ID}
}
