package gather

import (
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/internal/workload"
)

// versions keeps what the nodes run, and the well-known parts of a cluster.
func versions(Options) topic {
	known := addons()
	return topic{brief: true, whole: map[facts.GroupKind]take{
		core("Node"): func(c *facts.Cluster, o runtime.Object) {
			if n, ok := as[*corev1.Node](c, core("Node"), o); ok {
				addNode(c, n)
			}
		},
		apps("Deployment"): func(c *facts.Cluster, o runtime.Object) {
			if d, ok := as[*appsv1.Deployment](c, apps("Deployment"), o); ok {
				findAddons(c, known, object("apps", "Deployment", d), d.Spec.Template.Spec, off(d.Spec.Replicas))
			}
		},
		apps("StatefulSet"): func(c *facts.Cluster, o runtime.Object) {
			if s, ok := as[*appsv1.StatefulSet](c, apps("StatefulSet"), o); ok {
				findAddons(c, known, object("apps", "StatefulSet", s), s.Spec.Template.Spec, off(s.Spec.Replicas))
			}
		},
		apps("DaemonSet"): func(c *facts.Cluster, o runtime.Object) {
			if d, ok := as[*appsv1.DaemonSet](c, apps("DaemonSet"), o); ok {
				findAddons(c, known, object("apps", "DaemonSet", d), d.Spec.Template.Spec, false)
			}
		},
	}}
}

func core(kind string) facts.GroupKind { return facts.GroupKind{Kind: kind} }

func apps(kind string) facts.GroupKind { return facts.GroupKind{Group: "apps", Kind: kind} }

// owned is an object as the facts name it, with its labels at hand.
type owned struct {
	facts.Object
	labels map[string]string
}

func object(group, kind string, o metav1.Object) owned {
	return owned{
		Object: facts.Object{
			GroupKind: facts.GroupKind{Group: group, Kind: kind},
			Name:      facts.Name{Namespace: o.GetNamespace(), Name: o.GetName()},
		},
		labels: o.GetLabels(),
	}
}

func off(replicas *int32) bool { return replicas != nil && *replicas == 0 }

// autoLabel marks the nodes of EKS Auto Mode.
const autoLabel = "eks.amazonaws.com/compute-type"

func addNode(c *facts.Cluster, n *corev1.Node) {
	is := n.Status.NodeInfo
	if c.Versions.Nodes == nil {
		c.Versions.Nodes = map[facts.Node]int{}
	}
	c.Versions.Nodes[facts.Node{
		Kubelet: is.KubeletVersion, Runtime: is.ContainerRuntimeVersion, OS: is.OperatingSystem, Image: is.OSImage, Arch: is.Architecture,
		Ready: workload.NodeReady(n), Cordoned: n.Spec.Unschedulable, Auto: n.Labels[autoLabel] == "auto",
	}]++
}

// findAddons looks for well-known images, or else labels. Init containers don't count: they
// borrow images of others.
func findAddons(c *facts.Cluster, known map[string]addon, o owned, pod corev1.PodSpec, off bool) {
	seen := map[string]bool{}
	add := func(a addon, image, tag string) {
		if tag == "" {
			tag = o.labels["app.kubernetes.io/version"]
		}
		seen[a.id] = true
		c.Versions.Addons = append(c.Versions.Addons, facts.Addon{ID: a.id, Title: a.title, Object: o.Object, Image: image, Version: tag, Off: off})
	}
	for _, container := range pod.Containers {
		repository, tag := splitImage(container.Image)
		if a, ok := recognise(known, repository); ok && !seen[a.id] {
			add(a, container.Image, tag)
		}
	}
	if len(seen) > 0 || len(pod.Containers) == 0 {
		return
	}
	// A mirror may have renamed the image; the labels tell then.
	for _, label := range []string{"k8s-app", "app.kubernetes.io/name"} {
		if a, ok := known[labelled+o.labels[label]]; ok {
			_, tag := splitImage(pod.Containers[0].Image)
			add(a, pod.Containers[0].Image, tag)
			return
		}
	}
}

// splitImage takes an image reference apart. A digest is no version, and a port
// of the registry is no tag.
func splitImage(image string) (repository, tag string) {
	image, _, _ = strings.Cut(image, "@")
	slash := strings.LastIndexByte(image, '/')
	if colon := strings.LastIndexByte(image, ':'); colon > slash {
		return image[:colon], image[colon+1:]
	}
	return image, ""
}

// recognise looks for the last two parts of the repository, then for the last.
// Mirrors and registries put their own parts before them.
func recognise(known map[string]addon, repository string) (addon, bool) {
	parts := strings.Split(repository, "/")
	last := parts[len(parts)-1]
	if len(parts) > 1 {
		if a, ok := known[parts[len(parts)-2]+"/"+last]; ok {
			return a, true
		}
	}
	a, ok := known[last]
	return a, ok
}
