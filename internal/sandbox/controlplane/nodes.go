package controlplane

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
)

// Node is a machine that kwok plays.
type Node struct {
	Name string
	// Kubelet is the version that it claims, such as v1.34.2-eks-1a2b3c4.
	Kubelet string
	// Arch is the architecture that it claims: amd64 or arm64. Empty: amd64.
	Arch string
	// Labels are put on it beside the usual ones for host name, system and
	// architecture.
	Labels map[string]string
}

// AddNode does what a kubelet does when it starts. Where kwok runs, the node
// becomes ready soon.
func AddNode(ctx context.Context, client kubernetes.Interface, n Node) error {
	arch := cmp.Or(n.Arch, "amd64")
	labels := map[string]string{corev1.LabelHostname: n.Name, corev1.LabelOSStable: "linux", corev1.LabelArchStable: arch}
	maps.Copy(labels, n.Labels)
	node, err := client.CoreV1().Nodes().Create(ctx, &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: n.Name, Labels: labels},
	}, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("registering node %s: %w", n.Name, err)
	}
	info, err := json.Marshal(map[string]any{"status": map[string]any{"nodeInfo": corev1.NodeSystemInfo{
		KubeletVersion: n.Kubelet, Architecture: arch, OperatingSystem: "linux",
		OSImage: "Amazon Linux 2023", ContainerRuntimeVersion: "containerd://2.1.4", KernelVersion: "6.12.40",
	}}})
	if err != nil {
		return err
	}
	// A patch, since others write the status already.
	if _, err := client.CoreV1().Nodes().Patch(ctx, node.Name, types.MergePatchType, info, metav1.PatchOptions{}, "status"); err != nil {
		return fmt.Errorf("registering node %s: %w", n.Name, err)
	}
	return nil
}

// waitForLife waits until each program has shown that it works: kwok by ready
// nodes, the controller-manager by the first service account. The scheduler has
// nothing to do yet.
func (cp *ControlPlane) waitForLife(ctx context.Context, nodes int) error {
	client, err := kubernetes.NewForConfig(cp.admin)
	if err != nil {
		return err
	}
	var ready int
	var accounts bool
	err = wait.PollUntilContextTimeout(ctx, readyPoll, startTimeout, true, func(ctx context.Context) (bool, error) {
		if err := cp.ended(); err != nil {
			return false, err
		}
		list, err := client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
		if err != nil {
			return false, err
		}
		ready = 0
		for _, n := range list.Items {
			if slices.ContainsFunc(n.Status.Conditions, readyAndFree) && len(n.Spec.Taints) == 0 {
				ready++
			}
		}
		_, err = client.CoreV1().ServiceAccounts("default").Get(ctx, "default", metav1.GetOptions{})
		if accounts = err == nil; err != nil && !apierrors.IsNotFound(err) {
			return false, err
		}
		return ready == nodes && accounts, nil
	})
	if err != nil {
		return fmt.Errorf("waiting for the controllers (%d of %d nodes are ready, service accounts are made: %t): %w", ready, nodes, accounts, err)
	}
	return nil
}

func readyAndFree(c corev1.NodeCondition) bool {
	return c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue
}
