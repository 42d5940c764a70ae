package planted

import (
	"context"
	"slices"
)

const shop = "shop"

// deployment names one of the small applications.
func deployment(name string) ref { return ref{"apps/v1", "Deployment", shop, name} }

func parityRows() []row {
	return slices.Concat(missingRows(), workloadDifferences(), settingDifferences(), policyDifferences())
}

func missingRows() []row {
	const check = "parity"
	return []row{
		removed("a ConfigMap is missing", check, "MissingInGreen/ConfigMap/shop/legal-texts", ref{"v1", "ConfigMap", shop, "legal-texts"}),
		removed("a Secret is missing", check, "MissingInGreen/Secret/shop/payment-key", ref{"v1", "Secret", shop, "payment-key"}),
		removed("a Deployment is missing", check, "MissingInGreen/Deployment.apps/shop/ratings", deployment("ratings"), "ServiceWithoutEndpoints/Service/shop/ratings"),
		removed("a Service is missing", check, "MissingInGreen/Service/shop/orders", ref{"v1", "Service", shop, "orders"}),
		removed("an autoscaler is missing", check, "MissingInGreen/HorizontalPodAutoscaler.autoscaling/shop/api", ref{"autoscaling/v2", "HorizontalPodAutoscaler", shop, "api"}),
		removed("a disruption budget is missing", check, "MissingInGreen/PodDisruptionBudget.policy/shop/web", ref{"policy/v1", "PodDisruptionBudget", shop, "web"}),
		removed("a network policy is missing", check, "MissingInGreen/NetworkPolicy.networking.k8s.io/shop/users-reach-web", ref{"networking.k8s.io/v1", "NetworkPolicy", shop, "users-reach-web"}),
		removed("a route is missing", check, "MissingInGreen/HTTPRoute.gateway.networking.k8s.io/shop/search", ref{"gateway.networking.k8s.io/v1", "HTTPRoute", shop, "search"}),
		removed("a certificate is missing", check, "MissingInGreen/Certificate.cert-manager.io/shop/www", ref{"cert-manager.io/v1", "Certificate", shop, "www"}),
		removed("a custom resource is missing", check, "MissingInGreen/Campaign.example.com/shop/autumn", ref{"example.com/v1", "Campaign", shop, "autumn"}),
		removed("a ServiceMonitor is missing", check, "MissingInGreen/ServiceMonitor.monitoring.coreos.com/monitoring/api", ref{"monitoring.coreos.com/v1", "ServiceMonitor", "monitoring", "api"}),
		removed("a StorageClass is missing", check, "MissingInGreen/StorageClass.storage.k8s.io/io2", ref{"storage.k8s.io/v1", "StorageClass", "", "io2"}),
		removed("a role binding is missing", check, "MissingInGreen/RoleBinding.rbac.authorization.k8s.io/shop/web-reads-settings", ref{"rbac.authorization.k8s.io/v1", "RoleBinding", shop, "web-reads-settings"}),
		removed("a Job that ran to its end is missing", check, "MissingInGreen/Job.batch/shop/seed-catalogue", ref{"batch/v1", "Job", shop, "seed-catalogue"}),
		created("a whole namespace is missing", check, "NamespaceMissing/Namespace/billing", blue, `
apiVersion: v1
kind: Namespace
metadata: {name: billing}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: rates, namespace: billing}
data: {vat: "20"}
`),
		created("green doesn't serve a kind", check, "KindNotServed/Gadget.example.org", blue, `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gadgets.example.org}
spec:
  group: example.org
  scope: Namespaced
  names: {plural: gadgets, singular: gadget, kind: Gadget, listKind: GadgetList}
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}]
---
apiVersion: example.org/v1
kind: Gadget
metadata: {name: press, namespace: shop}
`),
		created("an object is only in green", check, "OnlyInGreen/ConfigMap/shop/left-over", green, `
apiVersion: v1
kind: ConfigMap
metadata: {name: left-over, namespace: shop}
`),
	}
}

func workloadDifferences() []row {
	const check = "parity"
	return []row{
		edited("an older image", check, "ImageDiffers/Deployment.apps/shop/images/images", deployment("images"),
			put("111122223333.dkr.ecr.ap-northeast-1.amazonaws.com/shop/images:2.2.9", container("image")...)),
		edited("an image from another registry", check, "RegistryDiffers/Deployment.apps/shop/loyalty/loyalty", deployment("loyalty"),
			put("111122223333.dkr.ecr.eu-west-1.amazonaws.com/shop/loyalty:2.3.0", container("image")...)),
		edited("fewer replicas", check, "ReplicasDiffer/Deployment.apps/shop/reviews", deployment("reviews"),
			put(int64(1), "spec", "replicas"), "TooFewReplicas/Deployment.apps/shop/reviews"),
		edited("a smaller memory request", check, "ResourcesDiffer/Deployment.apps/shop/wishlist/wishlist", deployment("wishlist"),
			put("64Mi", container("resources", "requests", "memory")...)),
		edited("an autoscaler with a lower limit", check, "ScalingDiffers/HorizontalPodAutoscaler.autoscaling/shop/web/max",
			ref{"autoscaling/v2", "HorizontalPodAutoscaler", shop, "web"}, put(int64(5), "spec", "maxReplicas")),
		edited("a Service without one of its ports", check, "ServiceDiffers/Service/shop/api/ports", ref{"v1", "Service", shop, "api"},
			func(o map[string]any) {
				if spec, ok := o["spec"].(map[string]any); ok {
					ports, _ := spec["ports"].([]any)
					spec["ports"] = ports[:1]
				}
			}),
		edited("a Service of another type", check, "ServiceDiffers/Service/shop/gifts/type", ref{"v1", "Service", shop, "gifts"}, put("NodePort", "spec", "type")),
		edited("a Service with another selector", check, "ServiceDiffers/Service/shop/returns/selector", ref{"v1", "Service", shop, "returns"},
			put("return", "spec", "selector", "app"), "ServiceWithoutEndpoints/Service/shop/returns"),
	}
}

func settingDifferences() []row {
	const check = "parity"
	return []row{
		edited("a ConfigMap with another value", check, "ConfigMapDiffers/ConfigMap/shop/api-settings", ref{"v1", "ConfigMap", shop, "api-settings"},
			put("30s", "data", "timeout")),
		edited("a Secret with another password", check, "SecretDiffers/Secret/shop/database", ref{"v1", "Secret", shop, "database"},
			put("b3RoZXI=", "data", "password")),
		edited("an Ingress without the users' host", check, "HostsDiffer/Ingress.networking.k8s.io/shop/web", ref{"networking.k8s.io/v1", "Ingress", shop, "web"},
			put("www.shop.test", "spec", "rules", 0, "host")),
		edited("a Gateway with another listener", check, "ListenersDiffer/Gateway.gateway.networking.k8s.io/shop/inner", ref{"gateway.networking.k8s.io/v1", "Gateway", shop, "inner"},
			put(int64(8081), "spec", "listeners", 0, "port")),
		replaced("a StorageClass of another kind of disk", check, "StorageClassDiffers/StorageClass.storage.k8s.io/st1/parameters", ref{"storage.k8s.io/v1", "StorageClass", "", "st1"}, `
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: st1}
provisioner: ebs.csi.aws.com
parameters: {type: sc1}
volumeBindingMode: WaitForFirstConsumer
`),
		edited("no default StorageClass", check, "DefaultDiffers/StorageClass.storage.k8s.io/gp3", ref{"storage.k8s.io/v1", "StorageClass", "", "gp3"},
			put("false", "metadata", "annotations", "storageclass.kubernetes.io/is-default-class")),
		edited("a ServiceAccount without its AWS role", check, "RoleMissing/ServiceAccount/shop/api", ref{"v1", "ServiceAccount", shop, "api"},
			drop("metadata", "annotations", "eks.amazonaws.com/role-arn")),
		edited("a ServiceAccount with another AWS role", check, "RoleDiffers/ServiceAccount/shop/web", ref{"v1", "ServiceAccount", shop, "web"},
			put("arn:aws:iam::111122223333:role/shop-web-v2", "metadata", "annotations", "eks.amazonaws.com/role-arn")),
		replaced("a PriorityClass of another value", check, "PriorityDiffers/PriorityClass.scheduling.k8s.io/batch", ref{"scheduling.k8s.io/v1", "PriorityClass", "", "batch"}, `
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata: {name: batch}
value: 10
`),
		twoWays("pods that get no AWS role by Pod Identity", check, "PodIdentityMissing/ServiceAccount/shop/cart",
			cartPod("volumes: [{name: role, projected: {sources: [{serviceAccountToken: {audience: pods.eks.amazonaws.com, path: token}}]}}], "), cartPod("")),
		created("data in a volume that a claim of its own holds", check, "DataStaysBehind/PersistentVolumeClaim/shop/uploads", "", claim("uploads")),
	}
}

// cartPod is a pod of the cart's ServiceAccount.
func cartPod(more string) string {
	return `
apiVersion: v1
kind: Pod
metadata: {name: cart-tool, namespace: shop}
spec: {serviceAccountName: cart, ` + more + `containers: [{name: tool, image: "registry.example.com/shop/tool:1.0"}]}
`
}

// claim is a claim with a volume ready for it.
func claim(name string) string {
	return `
apiVersion: v1
kind: PersistentVolume
metadata: {name: pvc-` + name + `, annotations: {pv.kubernetes.io/provisioned-by: ebs.csi.aws.com}}
spec:
  accessModes: [ReadWriteOnce]
  capacity: {storage: 5Gi}
  storageClassName: gp3
  csi: {driver: ebs.csi.aws.com, volumeHandle: vol-0` + name + `}
  claimRef: {apiVersion: v1, kind: PersistentVolumeClaim, namespace: shop, name: ` + name + `}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: ` + name + `, namespace: shop}
spec: {accessModes: [ReadWriteOnce], storageClassName: gp3, volumeName: pvc-` + name + `, resources: {requests: {storage: 5Gi}}}
`
}

func policyDifferences() []row {
	const check = "parity"
	return []row{
		edited("a network policy that lets more in", check, "PolicyDiffers/NetworkPolicy.networking.k8s.io/shop/default-deny", ref{"networking.k8s.io/v1", "NetworkPolicy", shop, "default-deny"},
			put([]any{map[string]any{}}, "spec", "ingress")),
		edited("a disruption budget that allows less", check, "BudgetDiffers/PodDisruptionBudget.policy/shop/api", ref{"policy/v1", "PodDisruptionBudget", shop, "api"},
			put(int64(4), "spec", "minAvailable")),
		edited("a smaller quota", check, "LimitsDiffer/ResourceQuota/shop/shop", ref{"v1", "ResourceQuota", shop, "shop"},
			put("50", "spec", "hard", "requests.cpu")),
		edited("a ClusterRole with fewer rights", check, "RulesDiffer/ClusterRole.rbac.authorization.k8s.io/support", ref{"rbac.authorization.k8s.io/v1", "ClusterRole", "", "support"},
			put([]any{"get"}, "rules", 0, "verbs")),
		edited("a webhook that fails closed", check, "WebhookDiffers/ValidatingWebhookConfiguration.admissionregistration.k8s.io/image-policy/failurePolicy/images.policy.example.com",
			ref{"admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", "", "image-policy"}, put("Fail", "webhooks", 0, "failurePolicy")),
		{
			name: "a webhook whose Service is not there", check: check, want: "WebhookServiceGone/ValidatingWebhookConfiguration.admissionregistration.k8s.io/quotas/platform/quotas",
			also: []string{"OnlyInGreen/ValidatingWebhookConfiguration.admissionregistration.k8s.io/quotas"},
			plant: func(ctx context.Context, s *stage) error {
				return s.create(ctx, green, `
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: quotas}
webhooks:
  - name: quotas.policy.example.com
    admissionReviewVersions: [v1]
    sideEffects: None
    failurePolicy: Ignore
    timeoutSeconds: 1
    clientConfig: {service: {namespace: platform, name: quotas}}
    rules: [{apiGroups: [example.com], apiVersions: [v1], operations: [DELETE], resources: [vouchers]}]
`)
			},
		},
	}
}
