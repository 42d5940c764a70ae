package check

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
)

// removal is a version that Kubernetes no longer serves.
type removal struct {
	group, version string
	// kinds are those that it is about; nil: all of the version.
	kinds []string
	// minor is the first 1.x without it.
	minor int
	// use is the apiVersion to use instead; other replaces the kind altogether.
	use, other string
}

// removals lists the versions that Kubernetes 1.16 to 1.37 took away. Alpha
// versions stand here only where clusters are known to have used them. Kubernetes
// documentation, "Deprecated API Migration Guide", and the lifecycles in
// k8s.io/api, which a test compares with it.
func removals() []removal {
	const (
		rbac, flow, admission = "rbac.authorization.k8s.io", "flowcontrol.apiserver.k8s.io", "admissionregistration.k8s.io"
		storage, networking   = "storage.k8s.io", "networking.k8s.io"
	)
	policies := []string{"ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"}
	return []removal{
		{"extensions", "v1beta1", []string{"NetworkPolicy"}, 16, "networking.k8s.io/v1", ""},
		{"extensions", "v1beta1", []string{"PodSecurityPolicy"}, 16, "", "Pod Security Admission, or an admission webhook"},
		{"extensions", "v1beta1", []string{"Ingress"}, 22, "networking.k8s.io/v1", ""},
		{"extensions", "v1beta1", nil, 16, "apps/v1", ""},
		{"apps", "v1beta1", nil, 16, "apps/v1", ""},
		{"apps", "v1beta2", nil, 16, "apps/v1", ""},
		{"settings.k8s.io", "v1alpha1", nil, 20, "", "a mutating admission webhook or policy"},
		{"batch", "v2alpha1", nil, 21, "batch/v1", ""},
		{"apiextensions.k8s.io", "v1beta1", nil, 22, "apiextensions.k8s.io/v1", ""},
		{"apiregistration.k8s.io", "v1beta1", nil, 22, "apiregistration.k8s.io/v1", ""},
		{admission, "v1beta1", policies, 34, "admissionregistration.k8s.io/v1", ""},
		{admission, "v1beta1", []string{"MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"}, 22, "admissionregistration.k8s.io/v1", ""},
		{admission, "v1alpha1", policies, 32, "admissionregistration.k8s.io/v1", ""},
		{"certificates.k8s.io", "v1beta1", []string{"CertificateSigningRequest"}, 22, "certificates.k8s.io/v1", ""},
		{"certificates.k8s.io", "v1alpha1", []string{"ClusterTrustBundle"}, 37, "certificates.k8s.io/v1", ""},
		{"coordination.k8s.io", "v1beta1", []string{"Lease"}, 22, "coordination.k8s.io/v1", ""},
		{networking, "v1beta1", []string{"Ingress", "IngressClass"}, 22, "networking.k8s.io/v1", ""},
		{networking, "v1beta1", []string{"IPAddress", "ServiceCIDR"}, 37, "networking.k8s.io/v1", ""},
		{rbac, "v1alpha1", nil, 22, "rbac.authorization.k8s.io/v1", ""},
		{rbac, "v1beta1", nil, 22, "rbac.authorization.k8s.io/v1", ""},
		{"scheduling.k8s.io", "v1beta1", []string{"PriorityClass"}, 22, "scheduling.k8s.io/v1", ""},
		{storage, "v1beta1", []string{"CSIDriver", "CSINode", "StorageClass", "VolumeAttachment"}, 22, "storage.k8s.io/v1", ""},
		{storage, "v1alpha1", []string{"CSIStorageCapacity", "VolumeAttachment"}, 24, "storage.k8s.io/v1", ""},
		{storage, "v1beta1", []string{"CSIStorageCapacity"}, 27, "storage.k8s.io/v1", ""},
		{storage, "v1alpha1", []string{"VolumeAttributesClass"}, 35, "storage.k8s.io/v1", ""},
		{storage, "v1beta1", []string{"VolumeAttributesClass"}, 37, "storage.k8s.io/v1", ""},
		{"autoscaling", "v2beta1", nil, 25, "autoscaling/v2", ""},
		{"autoscaling", "v2beta2", nil, 26, "autoscaling/v2", ""},
		{"batch", "v1beta1", nil, 25, "batch/v1", ""},
		{"discovery.k8s.io", "v1beta1", nil, 25, "discovery.k8s.io/v1", ""},
		{"events.k8s.io", "v1beta1", nil, 25, "events.k8s.io/v1", ""},
		{"node.k8s.io", "v1beta1", nil, 25, "node.k8s.io/v1", ""},
		{"policy", "v1beta1", []string{"PodSecurityPolicy"}, 25, "", "Pod Security Admission, or an admission webhook"},
		{"policy", "v1beta1", nil, 25, "policy/v1", ""},
		{flow, "v1beta1", nil, 26, "flowcontrol.apiserver.k8s.io/v1", ""},
		{flow, "v1beta2", nil, 29, "flowcontrol.apiserver.k8s.io/v1", ""},
		{flow, "v1beta3", nil, 32, "flowcontrol.apiserver.k8s.io/v1", ""},
	}
}

// removalOf finds what is known of a version; nil: nothing. The first row wins.
func removalOf(k facts.VersionKind) *removal {
	all := removals()
	i := slices.IndexFunc(all, func(r removal) bool {
		return r.group == k.Group && r.version == k.Version && (r.kinds == nil || slices.Contains(r.kinds, k.Kind))
	})
	if i < 0 {
		return nil
	}
	return &all[i]
}

// instead says what to use in place of a version that green doesn't serve: what
// Kubernetes names, else what green serves.
func instead(k facts.VersionKind, green *facts.Cluster) string {
	r := removalOf(k)
	switch {
	case r != nil && r.other != "":
		return fmt.Sprintf("Kubernetes 1.%d removed it; use %s instead", r.minor, r.other)
	case r != nil:
		return fmt.Sprintf("Kubernetes 1.%d removed it; use %s instead", r.minor, r.use)
	}
	if served := green.Serves(k.GroupKind); served != nil {
		return "use " + cmp.Or(facts.VersionKind{GroupKind: k.GroupKind, Version: served.Version}.APIVersion(), "another version") + " instead"
	}
	return "use what takes its place, or install in green what serves it"
}
