package rbac

import "github.com/clusterswitch/clusterswitch/internal/preflight/facts"

// Builtin lists the kinds that Kubernetes itself serves and lists by default, up
// to the version that the tests run, by group and resource. Older versions serve
// fewer of them: a right to what isn't there opens nothing. What a newer version
// serves besides is found by asking the cluster.
func Builtin() []facts.Kind {
	var all []facts.Kind
	for _, row := range []struct{ group, resource, kind string }{
		{"", "componentstatuses", "ComponentStatus"},
		{"", "configmaps", "ConfigMap"},
		{"", "endpoints", "Endpoints"},
		{"", "events", "Event"},
		{"", "limitranges", "LimitRange"},
		{"", "namespaces", "Namespace"},
		{"", "nodes", "Node"},
		{"", "persistentvolumeclaims", "PersistentVolumeClaim"},
		{"", "persistentvolumes", "PersistentVolume"},
		{"", "pods", "Pod"},
		{"", "podtemplates", "PodTemplate"},
		{"", "replicationcontrollers", "ReplicationController"},
		{"", "resourcequotas", "ResourceQuota"},
		{"", "secrets", "Secret"},
		{"", "serviceaccounts", "ServiceAccount"},
		{"", "services", "Service"},
		{"admissionregistration.k8s.io", "mutatingadmissionpolicies", "MutatingAdmissionPolicy"},
		{"admissionregistration.k8s.io", "mutatingadmissionpolicybindings", "MutatingAdmissionPolicyBinding"},
		{"admissionregistration.k8s.io", "mutatingwebhookconfigurations", "MutatingWebhookConfiguration"},
		{"admissionregistration.k8s.io", "validatingadmissionpolicies", "ValidatingAdmissionPolicy"},
		{"admissionregistration.k8s.io", "validatingadmissionpolicybindings", "ValidatingAdmissionPolicyBinding"},
		{"admissionregistration.k8s.io", "validatingwebhookconfigurations", "ValidatingWebhookConfiguration"},
		{"apiextensions.k8s.io", "customresourcedefinitions", "CustomResourceDefinition"},
		{"apiregistration.k8s.io", "apiservices", "APIService"},
		{"apps", "controllerrevisions", "ControllerRevision"},
		{"apps", "daemonsets", "DaemonSet"},
		{"apps", "deployments", "Deployment"},
		{"apps", "replicasets", "ReplicaSet"},
		{"apps", "statefulsets", "StatefulSet"},
		{"autoscaling", "horizontalpodautoscalers", "HorizontalPodAutoscaler"},
		{"batch", "cronjobs", "CronJob"},
		{"batch", "jobs", "Job"},
		{"certificates.k8s.io", "certificatesigningrequests", "CertificateSigningRequest"},
		{"certificates.k8s.io", "clustertrustbundles", "ClusterTrustBundle"},
		{"certificates.k8s.io", "podcertificaterequests", "PodCertificateRequest"},
		{"coordination.k8s.io", "leases", "Lease"},
		{"discovery.k8s.io", "endpointslices", "EndpointSlice"},
		{"events.k8s.io", "events", "Event"},
		{"flowcontrol.apiserver.k8s.io", "flowschemas", "FlowSchema"},
		{"flowcontrol.apiserver.k8s.io", "prioritylevelconfigurations", "PriorityLevelConfiguration"},
		{"networking.k8s.io", "ingressclasses", "IngressClass"},
		{"networking.k8s.io", "ingresses", "Ingress"},
		{"networking.k8s.io", "ipaddresses", "IPAddress"},
		{"networking.k8s.io", "networkpolicies", "NetworkPolicy"},
		{"networking.k8s.io", "servicecidrs", "ServiceCIDR"},
		{"node.k8s.io", "runtimeclasses", "RuntimeClass"},
		{"policy", "poddisruptionbudgets", "PodDisruptionBudget"},
		{"rbac.authorization.k8s.io", "clusterrolebindings", "ClusterRoleBinding"},
		{"rbac.authorization.k8s.io", "clusterroles", "ClusterRole"},
		{"rbac.authorization.k8s.io", "rolebindings", "RoleBinding"},
		{"rbac.authorization.k8s.io", "roles", "Role"},
		{"resource.k8s.io", "deviceclasses", "DeviceClass"},
		{"resource.k8s.io", "devicetaintrules", "DeviceTaintRule"},
		{"resource.k8s.io", "resourceclaims", "ResourceClaim"},
		{"resource.k8s.io", "resourceclaimtemplates", "ResourceClaimTemplate"},
		{"resource.k8s.io", "resourceslices", "ResourceSlice"},
		{"scheduling.k8s.io", "priorityclasses", "PriorityClass"},
		{"storage.k8s.io", "csidrivers", "CSIDriver"},
		{"storage.k8s.io", "csinodes", "CSINode"},
		{"storage.k8s.io", "csistoragecapacities", "CSIStorageCapacity"},
		{"storage.k8s.io", "storageclasses", "StorageClass"},
		{"storage.k8s.io", "volumeattachments", "VolumeAttachment"},
		{"storage.k8s.io", "volumeattributesclasses", "VolumeAttributesClass"},
		{"storagemigration.k8s.io", "storageversionmigrations", "StorageVersionMigration"},
	} {
		all = append(all, facts.Kind{GroupKind: facts.GroupKind{Group: row.group, Kind: row.kind}, Resource: row.resource})
	}
	return all
}

// builtin tells of groups and resources whether Builtin has them.
func builtin() map[resource]bool {
	has := map[resource]bool{}
	for _, k := range Builtin() {
		has[resource{k.Group, k.Resource}] = true
	}
	return has
}

// resource is a kind as RBAC names it.
type resource struct{ group, name string }
