package facts

// The names of aspects. Each has one meaning, whatever the object's kind.
const (
	Image     = "image"     // of each container
	Resources = "resources" // requests and limits of each container
	Replicas  = "replicas"
	ScaleMin  = "scale-min" // what an autoscaler keeps at least
	ScaleMax  = "scale-max"

	ServiceType     = "service-type"
	ServicePorts    = "service-ports"
	ServiceSelector = "service-selector"

	Hosts     = "hosts" // of an Ingress or a route
	Class     = "class" // of an Ingress or a Gateway
	Listeners = "listeners"

	Content     = "content"     // of each key of a ConfigMap, or of a Secret: a digest
	Certificate = "certificate" // of a Secret with a private key: a digest
	Role        = "role"        // the AWS role of a ServiceAccount
	Rules       = "rules"       // of a role of Kubernetes: a digest
	Spec        = "spec"        // of a policy: a digest
	Limits      = "limits"      // of a quota or a LimitRange
	Budget      = "budget"      // of a PodDisruptionBudget

	Provisioner = "provisioner"
	Parameters  = "parameters"
	BindingMode = "binding-mode"
	IsDefault   = "is-default"

	Priority   = "priority"
	Controller = "controller" // of an IngressClass or a GatewayClass

	HookRules   = "hook-rules"   // of each webhook: a digest
	HookFailure = "hook-failure" // of each webhook: what happens when it doesn't answer
)

// KindNamespace and those below name kinds that several places speak of.
func KindNamespace() GroupKind { return GroupKind{Kind: "Namespace"} }

// KindService is the kind of Services.
func KindService() GroupKind { return GroupKind{Kind: "Service"} }

// KindSecret is the kind of Secrets.
func KindSecret() GroupKind { return GroupKind{Kind: "Secret"} }

// KindClaim is the kind of PersistentVolumeClaims.
func KindClaim() GroupKind { return GroupKind{Kind: "PersistentVolumeClaim"} }

// KindStatefulSet is the kind of StatefulSets.
func KindStatefulSet() GroupKind { return GroupKind{Group: "apps", Kind: "StatefulSet"} }

// KindJob is the kind of Jobs.
func KindJob() GroupKind { return GroupKind{Group: "batch", Kind: "Job"} }

// KindScaler is the kind of HorizontalPodAutoscalers.
func KindScaler() GroupKind {
	return GroupKind{Group: "autoscaling", Kind: "HorizontalPodAutoscaler"}
}

// ReleaseKinds are the kinds that a release changes. They are read at each step.
func ReleaseKinds() []GroupKind {
	return []GroupKind{
		{Group: "apps", Kind: "Deployment"},
		KindStatefulSet(),
		{Group: "apps", Kind: "DaemonSet"},
		KindJob(),
		{Group: "batch", Kind: "CronJob"},
		KindService(), KindScaler(),
		{Group: "keda.sh", Kind: "ScaledObject"},
		{Group: "argoproj.io", Kind: "Rollout"},
	}
}
