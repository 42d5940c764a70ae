package gather

import (
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/internal/workload"
)

// The annotations by which people say what may run in two clusters at a time.
const (
	// runsTwice with the value allowed lets a CronJob run in both.
	runsTwice = "clusterswitch.io/runs-twice"
)

// schedules are the kinds of backup schedules, with the field that stops each.
// Their sources: Velero's and CloudNativePG's API reference.
func schedules() map[facts.GroupKind]string {
	return map[facts.GroupKind]string{
		{Group: "velero.io", Kind: "Schedule"}:                 "paused",
		{Group: "postgresql.cnpg.io", Kind: "ScheduledBackup"}: "suspend",
	}
}

// singletons keeps what must not run in two clusters at a time.
func singletons(Options) topic {
	t := topic{brief: true, retire: true, whole: map[facts.GroupKind]func(*facts.Cluster, runtime.Object){
		{Group: "batch", Kind: "CronJob"}: func(c *facts.Cluster, o runtime.Object) {
			if j, ok := as[*batchv1.CronJob](c, facts.GroupKind{Group: "batch", Kind: "CronJob"}, o); ok {
				c.Network.Jobs = append(c.Network.Jobs, cronJobOf(j))
			}
		},
	}}
	for _, kind := range []string{"Deployment", "StatefulSet", "DaemonSet"} {
		k := facts.GroupKind{Group: "apps", Kind: kind}
		t.whole[k] = func(c *facts.Cluster, o runtime.Object) { addSingle(c, k, o) }
	}
	for k, field := range schedules() {
		t.whole[k] = takeCustom(func(c *facts.Cluster, u *unstructured.Unstructured) {
			paused, _, _ := unstructured.NestedBool(u.Object, "spec", field)
			c.Network.Schedules = append(c.Network.Schedules, facts.Schedule{Object: facts.Object{GroupKind: k, Name: nameOf(u)}, Paused: paused})
		})
	}
	return t
}

func cronJobOf(j *batchv1.CronJob) facts.CronJob {
	out := facts.CronJob{
		Name: nameOf(j), Schedule: j.Spec.Schedule, Suspended: j.Spec.Suspend != nil && *j.Spec.Suspend,
		Allowed: j.Annotations[runsTwice] == "allowed", Handed: ours(j, "spec", "suspend"),
	}
	for _, c := range j.Spec.JobTemplate.Spec.Template.Spec.Containers {
		if imageIs(c.Image, "descheduler") {
			out.Local = true
		}
	}
	return out
}

// addSingle keeps a singleton, and a controller that acts outside of the cluster.
func addSingle(c *facts.Cluster, k facts.GroupKind, o runtime.Object) {
	var m metav1.Object
	var pods corev1.PodSpec
	var wanted *int32
	switch w := o.(type) {
	case *appsv1.Deployment:
		m, pods, wanted = w, w.Spec.Template.Spec, w.Spec.Replicas
	case *appsv1.StatefulSet:
		m, pods, wanted = w, w.Spec.Template.Spec, w.Spec.Replicas
	case *appsv1.DaemonSet:
		m, pods = w, w.Spec.Template.Spec
	default:
		return
	}
	replicas := 1
	if wanted != nil {
		replicas = int(*wanted)
	}
	object := facts.Object{GroupKind: k, Name: nameOf(m)}
	if m.GetAnnotations()[workload.Singleton] == "true" {
		c.Network.Singletons = append(c.Network.Singletons, facts.Singleton{Object: object, Replicas: replicas, Handed: ours(m, "spec", "replicas")})
	}
	if replicas == 0 {
		return
	}
	for i := range pods.Containers {
		if program := programOf(pods.Containers[i].Image); program != "" {
			c.Network.Controllers = append(c.Network.Controllers, controllerOf(object, program, &pods.Containers[i]))
		}
	}
}

// programOf tells by its image which controller a container runs; empty: none
// that is known.
func programOf(image string) string {
	for _, program := range []string{facts.ExternalDNS, facts.ClusterAutoscaler, facts.Karpenter, facts.LoadBalancers} {
		if imageIs(image, program) {
			return program
		}
	}
	if strings.Contains("/"+image, "/karpenter/controller") {
		return facts.Karpenter
	}
	return ""
}

// imageIs tells whether an image is a program's, also as a copy below another
// name: registry.example.com/mirror/k8s-external-dns:v1 is one of external-dns.
func imageIs(image, program string) bool {
	image, _, _ = strings.Cut(image, "@")
	name := image[strings.LastIndex(image, "/")+1:]
	name, _, _ = strings.Cut(name, ":")
	return name == program || strings.HasSuffix(name, "-"+program)
}

// identitySettings are the settings by which the instances of a program are told apart: the
// flag, and the environment variable that does the same. Their sources: each
// program's own reference of flags.
func identitySettings(program string) map[string]string {
	switch program {
	case facts.ExternalDNS:
		all := map[string]string{}
		for _, flag := range []string{"txt-owner-id", "domain-filter", "zone-id-filter", "provider", "policy", "registry", "aws-zone-type"} {
			all[flag] = "EXTERNAL_DNS_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
		}
		return all
	case facts.ClusterAutoscaler:
		return map[string]string{"node-group-auto-discovery": "", "nodes": "", "aws-region": "AWS_REGION"}
	case facts.Karpenter:
		return map[string]string{"cluster-name": "CLUSTER_NAME", "aws-region": "AWS_REGION"}
	default:
		return map[string]string{"cluster-name": "", "aws-region": "AWS_REGION"}
	}
}

// controllerOf reads the settings of a controller from its container.
func controllerOf(o facts.Object, program string, c *corev1.Container) facts.OutsideController {
	out := facts.OutsideController{Object: o, Program: program, Settings: map[string][]string{}}
	env, elsewhere := map[string]string{}, map[string]bool{}
	for _, e := range c.Env {
		env[e.Name] = e.Value
		elsewhere[e.Name] = e.ValueFrom != nil
	}
	words := slices.Concat(c.Command, c.Args)
	for flag, variable := range identitySettings(program) {
		values, unclear := flagValues(words, flag, env, elsewhere)
		if _, set := env[variable]; len(values) == 0 && set {
			unclear = unclear || elsewhere[variable]
			values = strings.Fields(env[variable])
		}
		if unclear || len(values) == 0 && len(c.EnvFrom) > 0 && variable != "" {
			out.Unknown = append(out.Unknown, flag)
			continue
		}
		if len(values) > 0 {
			out.Settings[flag] = sortedSet(values)
		}
	}
	slices.Sort(out.Unknown)
	return out
}

// flagValues gives the values of a flag among the words of a command line, with
// the environment variables in them filled in; unclear: one of these isn't known.
func flagValues(words []string, flag string, env map[string]string, elsewhere map[string]bool) (values []string, unclear bool) {
	for i, word := range words {
		name, value, inline := strings.Cut(word, "=")
		if strings.TrimLeft(name, "-") != flag || !strings.HasPrefix(name, "-") {
			continue
		}
		if !inline {
			if i+1 == len(words) {
				continue
			}
			value = words[i+1]
		}
		for variable, content := range env {
			if in := "$(" + variable + ")"; strings.Contains(value, in) {
				unclear = unclear || elsewhere[variable]
				value = strings.ReplaceAll(value, in, content)
			}
		}
		if strings.Contains(value, "$(") {
			unclear = true
		}
		values = append(values, value)
	}
	return values, unclear
}
