package gather

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
)

// releases looks at what a release changes: workloads, what scales them, and
// Services.
func releases(Options) topic {
	t := takes{}
	t.add(typed(facts.GroupKind{Group: "apps", Kind: "Deployment"}, func(d *appsv1.Deployment) []facts.Aspect {
		return append(podAspects(d.Spec.Template.Spec), replicas(d.Spec.Replicas, ours(d, "spec", "replicas")))
	}))
	t.add(typed(facts.GroupKind{Group: "apps", Kind: "DaemonSet"}, func(d *appsv1.DaemonSet) []facts.Aspect {
		return podAspects(d.Spec.Template.Spec)
	}))
	t.add(typed(facts.GroupKind{Group: "batch", Kind: "CronJob"}, func(j *batchv1.CronJob) []facts.Aspect {
		return podAspects(j.Spec.JobTemplate.Spec.Template.Spec)
	}))
	t[facts.KindStatefulSet()] = takeStatefulSet
	t[facts.KindJob()] = takeJob
	t[facts.KindService()] = takeService
	t[facts.KindScaler()] = takeScaler
	t[facts.GroupKind{Group: "keda.sh", Kind: "ScaledObject"}] = takeScaledObject
	t[facts.GroupKind{Group: "argoproj.io", Kind: "Rollout"}] = takeRollout
	t[facts.KindNamespace()] = func(*facts.Cluster, runtime.Object) {} // their names are all that is needed
	return topic{brief: true, whole: t}
}

func podAspects(p corev1.PodSpec) []facts.Aspect {
	var all []facts.Aspect
	add := func(prefix string, containers []corev1.Container) {
		for _, c := range containers {
			all = append(all,
				facts.Aspect{Name: facts.Image, Item: prefix + c.Name, Value: c.Image},
				facts.Aspect{Name: facts.Resources, Item: prefix + c.Name, Value: resources(c.Resources)})
		}
	}
	add("init/", p.InitContainers)
	add("", p.Containers)
	return all
}

func resources(r corev1.ResourceRequirements) string {
	var parts []string
	for _, each := range []struct {
		name string
		list corev1.ResourceList
	}{{"requests", r.Requests}, {"limits", r.Limits}} {
		if len(each.list) > 0 {
			parts = append(parts, each.name+" "+quantities(each.list))
		}
	}
	if parts == nil {
		return "none"
	}
	return strings.Join(parts, ", ")
}

// quantities writes cpu=100m memory=1Gi.
func quantities(list corev1.ResourceList) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(list)) {
		q := list[name]
		parts = append(parts, string(name)+"="+q.String())
	}
	return strings.Join(parts, " ")
}

// replicas are one where nobody says how many.
func replicas(n *int32, free bool) facts.Aspect {
	return facts.Aspect{Name: facts.Replicas, Value: countOr(n, 1), Free: free}
}

func countOr(n *int32, otherwise int32) string {
	if n == nil {
		n = &otherwise
	}
	return strconv.Itoa(int(*n))
}

func takeStatefulSet(c *facts.Cluster, o runtime.Object) {
	s, ok := as[*appsv1.StatefulSet](c, facts.KindStatefulSet(), o)
	if !ok {
		return
	}
	// Its data stays behind even where an operator makes it, whose own object is
	// what is compared.
	for _, claim := range s.Spec.VolumeClaimTemplates {
		set(&c.Workloads.Templates, nameOf(s), append(c.Workloads.Templates[nameOf(s)], claim.Name))
	}
	if !leftOut(c, facts.KindStatefulSet(), s) {
		put(&c.Workloads.Aspects, facts.KindStatefulSet(), nameOf(s),
			append(podAspects(s.Spec.Template.Spec), replicas(s.Spec.Replicas, ours(s, "spec", "replicas"))))
	}
}

func takeJob(c *facts.Cluster, o runtime.Object) {
	j, ok := as[*batchv1.Job](c, facts.KindJob(), o)
	if !ok || leftOut(c, facts.KindJob(), j) {
		return
	}
	for _, condition := range j.Status.Conditions {
		if (condition.Type == batchv1.JobComplete || condition.Type == batchv1.JobFailed) && condition.Status == corev1.ConditionTrue {
			set(&c.Workloads.Ended, facts.Object{GroupKind: facts.KindJob(), Name: nameOf(j)}, struct{}{})
		}
	}
	put(&c.Workloads.Aspects, facts.KindJob(), nameOf(j), podAspects(j.Spec.Template.Spec))
}

func takeService(c *facts.Cluster, o runtime.Object) {
	s, ok := as[*corev1.Service](c, facts.KindService(), o)
	if !ok || leftOut(c, facts.KindService(), s) {
		return
	}
	if len(s.Spec.Selector) == 0 && s.Spec.Type != corev1.ServiceTypeExternalName {
		set(&c.Workloads.WithoutSelector, nameOf(s), struct{}{})
	}
	kind := string(s.Spec.Type)
	switch {
	case s.Spec.Type == corev1.ServiceTypeExternalName:
		kind += " of " + s.Spec.ExternalName
	case s.Spec.ClusterIP == corev1.ClusterIPNone:
		kind += " without an address"
	}
	put(&c.Workloads.Aspects, facts.KindService(), nameOf(s), []facts.Aspect{
		{Name: facts.ServiceType, Value: kind},
		{Name: facts.ServicePorts, Value: ports(s.Spec.Ports)},
		{Name: facts.ServiceSelector, Value: pairs(selectorOf(s))},
	})
}

// selectorOf leaves out what Argo Rollouts puts there for the time of a rollout.
func selectorOf(s *corev1.Service) map[string]string {
	wanted := maps.Clone(s.Spec.Selector)
	delete(wanted, "rollouts-pod-template-hash")
	return wanted
}

// ports writes http=80/TCP->8080. Node ports are the cluster's own choice.
func ports(list []corev1.ServicePort) string {
	all := make([]string, 0, len(list))
	for _, p := range list {
		target := p.TargetPort.String()
		if target == "0" || target == "" {
			target = strconv.Itoa(int(p.Port))
		}
		text := fmt.Sprintf("%d/%s->%s", p.Port, p.Protocol, target)
		if p.Name != "" {
			text = p.Name + "=" + text
		}
		all = append(all, text)
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

// pairs writes a=b c=d.
func pairs(m map[string]string) string {
	var all []string
	for _, key := range slices.Sorted(maps.Keys(m)) {
		all = append(all, key+"="+m[key])
	}
	return strings.Join(all, " ")
}

func takeScaler(c *facts.Cluster, o runtime.Object) {
	h, ok := as[*autoscalingv2.HorizontalPodAutoscaler](c, facts.KindScaler(), o)
	if !ok {
		return
	}
	target := h.Spec.ScaleTargetRef
	scales(c, facts.Object{GroupKind: facts.KindScaler(), Name: nameOf(h)}, target.APIVersion, target.Kind, target.Name)
	if leftOut(c, facts.KindScaler(), h) {
		return
	}
	put(&c.Workloads.Aspects, facts.KindScaler(), nameOf(h), []facts.Aspect{
		{Name: facts.ScaleMin, Value: countOr(h.Spec.MinReplicas, 1), Free: ours(h, "spec", "minReplicas")},
		{Name: facts.ScaleMax, Value: countOr(&h.Spec.MaxReplicas, 0), Free: ours(h, "spec", "maxReplicas")},
	})
}

// scales notes that a workload's replicas are an autoscaler's choice.
func scales(c *facts.Cluster, by facts.Object, version, kind, name string) {
	gv, err := schema.ParseGroupVersion(version)
	if err != nil {
		return // then it scales nothing
	}
	set(&c.Workloads.Scaled, facts.Object{
		GroupKind: facts.GroupKind{Group: gv.Group, Kind: kind}, Name: facts.Name{Namespace: by.Namespace, Name: name},
	}, by)
}

// takeScaledObject looks at what KEDA scales.
func takeScaledObject(c *facts.Cluster, o runtime.Object) {
	u, ok := o.(*unstructured.Unstructured)
	if !ok {
		return
	}
	k := facts.GroupKind{Group: "keda.sh", Kind: "ScaledObject"}
	target := map[string]string{"apiVersion": "apps/v1", "kind": "Deployment"}
	for key := range target {
		if s, found, err := unstructured.NestedString(u.Object, "spec", "scaleTargetRef", key); found && err == nil && s != "" {
			target[key] = s
		}
	}
	name, _, err := unstructured.NestedString(u.Object, "spec", "scaleTargetRef", "name")
	if err != nil || name == "" {
		return
	}
	scales(c, facts.Object{GroupKind: k, Name: nameOf(u)}, target["apiVersion"], target["kind"], name)
	if leftOut(c, k, u) {
		return
	}
	// KEDA's own defaults are none and a hundred.
	put(&c.Workloads.Aspects, k, nameOf(u), []facts.Aspect{
		{Name: facts.ScaleMin, Value: whole(u, 0, "spec", "minReplicaCount"), Free: ours(u, "spec", "minReplicaCount")},
		{Name: facts.ScaleMax, Value: whole(u, 100, "spec", "maxReplicaCount"), Free: ours(u, "spec", "maxReplicaCount")},
	})
}

func whole(u *unstructured.Unstructured, otherwise int64, field ...string) string {
	n, found, err := unstructured.NestedInt64(u.Object, field...)
	if !found || err != nil {
		n = otherwise
	}
	return strconv.FormatInt(n, 10)
}

// takeRollout looks at an Argo Rollout, which is a Deployment by another name. One
// that refers to a Deployment has no pods of its own.
func takeRollout(c *facts.Cluster, o runtime.Object) {
	k := facts.GroupKind{Group: "argoproj.io", Kind: "Rollout"}
	u, ok := o.(*unstructured.Unstructured)
	if !ok || leftOut(c, k, u) {
		return
	}
	var aspects []facts.Aspect
	if spec, found, err := unstructured.NestedMap(u.Object, "spec", "template", "spec"); found && err == nil {
		var pod corev1.PodSpec
		if runtime.DefaultUnstructuredConverter.FromUnstructured(spec, &pod) == nil {
			aspects = podAspects(pod)
		}
	}
	put(&c.Workloads.Aspects, k, nameOf(u), append(aspects,
		facts.Aspect{Name: facts.Replicas, Value: whole(u, 1, "spec", "replicas"), Free: ours(u, "spec", "replicas")}))
}
