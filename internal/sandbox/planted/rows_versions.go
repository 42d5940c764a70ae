package planted

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane"
)

// addon names what EKS and the platform team run in kube-system.
func addon(kind, name string) ref { return ref{"apps/v1", kind, "kube-system", name} }

func versionRows() []row {
	const check = "versions"
	return []row{
		edited("an older CoreDNS", check, "AddonOlder/Addon/coredns", addon("Deployment", "coredns"),
			put("602401143452.dkr.ecr.eu-west-1.amazonaws.com/eks/coredns:v1.11.4-eksbuild.2", container("image")...), "ImageDiffers/Deployment.apps/kube-system/coredns/*"),
		edited("a kube-proxy that doesn't suit the API server", check, "AddonSkew/Addon/kube-proxy", addon("DaemonSet", "kube-proxy"),
			put("602401143452.dkr.ecr.eu-west-1.amazonaws.com/eks/kube-proxy:v1.32.0-eksbuild.2", container("image")...),
			"ImageDiffers/DaemonSet.apps/kube-system/kube-proxy/*", "AddonOlder/Addon/kube-proxy"),
		edited("a newer descheduler", check, "AddonNewer/Addon/descheduler", addon("Deployment", "descheduler"),
			put("registry.k8s.io/descheduler/descheduler:v0.35.0", container("image")...), "ImageDiffers/Deployment.apps/kube-system/descheduler/*"),
		removed("no metrics-server", check, "AddonMissing/Addon/metrics-server", addon("Deployment", "metrics-server"),
			"MissingInGreen/Deployment.apps/kube-system/metrics-server"),
		edited("a cluster-autoscaler that is switched off", check, "AddonOff/Addon/cluster-autoscaler", addon("Deployment", "cluster-autoscaler"),
			put(int64(0), "spec", "replicas"), "ReplicasDiffer/Deployment.apps/kube-system/cluster-autoscaler", "TooFewReplicas/Deployment.apps/kube-system/cluster-autoscaler"),
		edited("an external-dns that can't be ordered", check, "AddonDiffers/Addon/external-dns", ref{"apps/v1", "Deployment", "external-dns", "external-dns"},
			put("registry.example.com/external-dns@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", container("image")...),
			"ImageDiffers/Deployment.apps/external-dns/external-dns/*"),
		edited("a node that takes no pods", check, "NodesNotReady/Cluster/green", ref{"v1", "Node", "", "ip-green-0.compute.internal"}, put(true, "spec", "unschedulable")),
		alone(nodeRow("a kubelet of five minors before", "KubeletSkew/Node", controlplane.Node{Name: "ip-green-8.compute.internal", Kubelet: "v1.32.9-eks-113cf36"})),
		alone(nodeRow("a node of another architecture", "NodesDiffer/Node/architecture", controlplane.Node{Name: "ip-green-9.compute.internal", Kubelet: kubelet, Arch: "arm64"})),
	}
}

// nodeRow adds a node to green.
func nodeRow(what, want string, n controlplane.Node) row {
	return row{name: what, check: "versions", want: want, plant: func(ctx context.Context, s *stage) error {
		if err := controlplane.AddNode(ctx, s.green.client, n); err != nil {
			return err
		}
		s.undo = append(s.undo, func(ctx context.Context) error { return s.green.removeNode(ctx, n.Name) })
		return s.green.nodeReady(ctx, n.Name)
	}}
}

// removeNode removes a node and what ran on it; the garbage collector would take
// its time.
func (c *cluster) removeNode(ctx context.Context, name string) error {
	if err := c.client.CoreV1().Nodes().Delete(ctx, name, metav1.DeleteOptions{}); err != nil {
		return fmt.Errorf("removing node %s: %w", name, err)
	}
	pods, err := c.client.CoreV1().Pods("").List(ctx, metav1.ListOptions{FieldSelector: "spec.nodeName=" + name})
	if err != nil {
		return fmt.Errorf("listing the pods of node %s: %w", name, err)
	}
	for _, p := range pods.Items {
		if err := c.client.CoreV1().Pods(p.Namespace).Delete(ctx, p.Name, metav1.DeleteOptions{GracePeriodSeconds: new(int64(0))}); err != nil {
			return fmt.Errorf("removing pod %s of node %s: %w", p.Name, name, err)
		}
	}
	return nil
}
