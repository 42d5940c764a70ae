package planted

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane"
)

// broken is a row whose workload never comes to rest in green.
func broken(what, want string, r ref, c change, also ...string) row {
	return row{name: what, check: "workloads", want: want, also: also, plant: func(ctx context.Context, s *stage) error {
		s.spare(green, r.namespace, r.name)
		// A StatefulSet waits for ever for a pod that doesn't become ready.
		s.undo = append(s.undo, func(ctx context.Context) error { return s.green.removeWaiting(ctx, r.namespace) })
		return s.edit(ctx, green, r, c)
	}}
}

// removeWaiting removes the pods of a namespace that shall never be ready.
func (c *cluster) removeWaiting(ctx context.Context, namespace string) error {
	pods, err := c.client.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return fmt.Errorf("listing pods: %w", err)
	}
	for _, p := range pods.Items {
		if p.Annotations[controlplane.WaitingAnnotation] == "" {
			continue
		}
		if err := c.client.CoreV1().Pods(namespace).Delete(ctx, p.Name, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
			return fmt.Errorf("removing pod %s: %w", p.Name, err)
		}
	}
	return nil
}

// spare says that something shall not come to rest.
func (s *stage) spare(at side, namespace, name string) {
	s.restless[string(at)+"/"+namespace+"/"+name] = true
}

// waiting keeps a workload's pods from becoming ready.
func waiting(reason string) change {
	return put(reason, inPods("metadata", "annotations", controlplane.WaitingAnnotation)...)
}

// atOnce replaces all pods at once, so that none of the old ones serves on.
func atOnce(c change) change {
	return all(put(map[string]any{"type": "Recreate"}, "spec", "strategy"), c)
}

func workloadRows() []row {
	return []row{
		broken("pods that crash again and again", "WorkloadNotReady/Deployment.apps/shop/checkout", deployment("checkout"), atOnce(waiting("CrashLoopBackOff")), "ServiceWithoutEndpoints/Service/shop/checkout"),
		broken("an image that can't be pulled", "WorkloadNotReady/Deployment.apps/shop/stock", deployment("stock"), atOnce(waiting("ImagePullBackOff")), "ServiceWithoutEndpoints/Service/shop/stock"),
		broken("pods that fit on no node", "WorkloadNotReady/Deployment.apps/shop/pricing", deployment("pricing"),
			atOnce(put("gpu", inPods("spec", "nodeSelector", "pool")...)), "ServiceWithoutEndpoints/Service/shop/pricing"),
		broken("a roll-out that doesn't get on", "WorkloadNotReady/Deployment.apps/shop/coupons", deployment("coupons"), waiting("CreateContainerConfigError")),
		broken("a DaemonSet that isn't ready", "WorkloadNotReady/DaemonSet.apps/platform/log-agent", ref{"apps/v1", "DaemonSet", "platform", "log-agent"}, waiting("CrashLoopBackOff")),
		broken("a StatefulSet that isn't ready", "WorkloadNotReady/StatefulSet.apps/argocd/argocd-application-controller",
			ref{"apps/v1", "StatefulSet", "argocd", "argocd-application-controller"}, waiting("CrashLoopBackOff"), "ServiceWithoutEndpoints/Service/argocd/*"),
		{
			name: "fewer ready replicas than blue has by its load", check: "workloads", want: "TooFewReplicas/Deployment.apps/shop/api",
			plant: func(ctx context.Context, s *stage) error {
				return s.edit(ctx, blue, deployment("api"), put(int64(9), "spec", "replicas"))
			},
		},
		jobRow("a Job that failed", "JobFailed/Job.batch/shop/backfill", "backfill", "activeDeadlineSeconds: 10, ", failed),
		jobRow("a Job whose pods don't run", "JobStuck/Job.batch/shop/import", "import", "", hasWaiting),
		podRow("a pod of nobody that doesn't run", "PodsNotReady/Pod/shop/toolbox", "toolbox"),
		twoWays("a Service without an endpoint", "workloads", "ServiceWithoutEndpoints/Service/shop/special",
			special("special"), special("ordinary")),
		{
			name: "a claim without a volume that a pod waits for", check: "workloads", want: "ClaimNotBound/PersistentVolumeClaim/shop/scratch",
			also: []string{"PodsNotReady/Pod/shop/scratch", "DataStaysBehind/PersistentVolumeClaim/shop/scratch"},
			plant: func(ctx context.Context, s *stage) error {
				s.spare(green, shop, "scratch")
				if err := s.create(ctx, blue, claim("scratch")+scratchPod); err != nil {
					return err
				}
				return s.create(ctx, green, `
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: scratch, namespace: shop}
spec: {accessModes: [ReadWriteOnce], storageClassName: gp3, resources: {requests: {storage: 5Gi}}}
`+scratchPod)
			},
		},
		alone(terminatingRow()),
	}
}

const scratchPod = `
---
apiVersion: v1
kind: Pod
metadata: {name: scratch, namespace: shop}
spec:
  containers: [{name: scratch, image: "registry.example.com/shop/scratch:1.0", volumeMounts: [{name: data, mountPath: /data}]}]
  volumes: [{name: data, persistentVolumeClaim: {claimName: scratch}}]
`

// special is a Service with a pod that it may not find.
func special(role string) string {
	return `
apiVersion: v1
kind: Service
metadata: {name: special, namespace: shop}
spec: {selector: {role: special}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Pod
metadata: {name: special, namespace: shop, labels: {role: ` + role + `}}
spec: {containers: [{name: special, image: "registry.example.com/shop/special:1.0"}]}
`
}

func annotated(reason string) string {
	if reason == "" {
		return ""
	}
	return ", annotations: {" + controlplane.WaitingAnnotation + ": " + reason + "}"
}

func podRow(what, want, name string) row {
	pod := func(reason string) string {
		return fmt.Sprintf(`
apiVersion: v1
kind: Pod
metadata: {name: %s, namespace: shop%s}
spec: {containers: [{name: tool, image: "registry.example.com/shop/tool:1.0"}]}
`, name, annotated(reason))
	}
	return twoWays(what, "workloads", want, pod(""), pod("ImagePullBackOff"))
}

// jobRow makes a Job that ends in blue, and in green comes to where until says.
func jobRow(what, want, name, more string, until func(context.Context, *stage, string) (bool, error)) row {
	job := func(reason string) string {
		return fmt.Sprintf(`
apiVersion: batch/v1
kind: Job
metadata: {name: %s, namespace: shop}
spec: {%sbackoffLimit: 0, template: {metadata: {labels: {job: %s}%s}, spec: {restartPolicy: Never, containers: [{name: job, image: "registry.example.com/shop/job:1.0"}]}}}
`, name, more, name, annotated(reason))
	}
	return row{name: what, check: "workloads", want: want, plant: func(ctx context.Context, s *stage) error {
		s.spare(green, shop, name)
		s.spare(blue, shop, name)
		if err := s.create(ctx, blue, job("")); err != nil {
			return err
		}
		if err := s.create(ctx, green, job("ImagePullBackOff")); err != nil {
			return err
		}
		return eventually(ctx, "Job "+name+" of green", func() (bool, error) { return until(ctx, s, name) })
	}}
}

func failed(ctx context.Context, s *stage, name string) (bool, error) {
	job, err := s.green.client.BatchV1().Jobs(shop).Get(ctx, name, metav1.GetOptions{})
	return err == nil && job.Status.Failed > 0, err
}

func hasWaiting(ctx context.Context, s *stage, name string) (bool, error) {
	pods, err := s.green.client.CoreV1().Pods(shop).List(ctx, metav1.ListOptions{LabelSelector: "job=" + name})
	return err == nil && len(pods.Items) == 1 && len(pods.Items[0].Status.ContainerStatuses) == 1, err
}

// terminatingRow deletes a namespace of green that something holds.
func terminatingRow() row {
	const text = `
apiVersion: v1
kind: Namespace
metadata: {name: old}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: held, namespace: old%s}
`
	return row{
		name: "a namespace that is being deleted", check: "workloads", want: "NamespaceTerminating/Namespace/old",
		plant: func(ctx context.Context, s *stage) error {
			if err := s.create(ctx, blue, fmt.Sprintf(text, "")); err != nil {
				return err
			}
			if err := s.create(ctx, green, fmt.Sprintf(text, `, finalizers: [example.com/held]`)); err != nil {
				return err
			}
			s.restless["green/old"] = true
			s.undo = append(s.undo, func(ctx context.Context) error {
				_, err := s.green.client.CoreV1().ConfigMaps("old").Patch(ctx, "held", mergePatch, []byte(`{"metadata":{"finalizers":null}}`), metav1.PatchOptions{})
				return err
			})
			if err := s.green.client.CoreV1().Namespaces().Delete(ctx, "old", metav1.DeleteOptions{}); err != nil {
				return fmt.Errorf("deleting namespace old: %w", err)
			}
			return nil
		},
	}
}

// nodeReady waits until a node takes pods.
func (c *cluster) nodeReady(ctx context.Context, name string) error {
	return eventually(ctx, "node "+name, func() (bool, error) {
		node, err := c.client.CoreV1().Nodes().Get(ctx, name, metav1.GetOptions{})
		if err != nil || len(node.Spec.Taints) > 0 {
			return false, err
		}
		for _, condition := range node.Status.Conditions {
			if condition.Type == corev1.NodeReady {
				return condition.Status == corev1.ConditionTrue, nil
			}
		}
		return false, nil
	})
}
