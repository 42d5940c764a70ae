package rbac

import "slices"

// Builtin lists the resources that Kubernetes itself serves and lists by default,
// up to the version that the tests run. Older versions serve fewer of them: a
// right to what isn't there opens nothing.
func Builtin() []Resource {
	var all []Resource
	for _, g := range []struct {
		name      string
		resources []string
	}{
		{"", []string{
			"componentstatuses", "configmaps", "endpoints", "events", "limitranges", "namespaces", "nodes", "persistentvolumeclaims",
			"persistentvolumes", "pods", "podtemplates", "replicationcontrollers", "resourcequotas", "secrets", "serviceaccounts", "services",
		}},
		{"admissionregistration.k8s.io", []string{
			"mutatingadmissionpolicies", "mutatingadmissionpolicybindings", "mutatingwebhookconfigurations",
			"validatingadmissionpolicies", "validatingadmissionpolicybindings", "validatingwebhookconfigurations",
		}},
		{"apiextensions.k8s.io", []string{"customresourcedefinitions"}},
		{"apiregistration.k8s.io", []string{"apiservices"}},
		{"apps", []string{"controllerrevisions", "daemonsets", "deployments", "replicasets", "statefulsets"}},
		{"autoscaling", []string{"horizontalpodautoscalers"}},
		{"batch", []string{"cronjobs", "jobs"}},
		{"certificates.k8s.io", []string{"certificatesigningrequests", "clustertrustbundles", "podcertificaterequests"}},
		{"coordination.k8s.io", []string{"leases"}},
		{"discovery.k8s.io", []string{"endpointslices"}},
		{"events.k8s.io", []string{"events"}},
		{"flowcontrol.apiserver.k8s.io", []string{"flowschemas", "prioritylevelconfigurations"}},
		{"networking.k8s.io", []string{"ingressclasses", "ingresses", "ipaddresses", "networkpolicies", "servicecidrs"}},
		{"node.k8s.io", []string{"runtimeclasses"}},
		{"policy", []string{"poddisruptionbudgets"}},
		{"rbac.authorization.k8s.io", []string{"clusterrolebindings", "clusterroles", "rolebindings", "roles"}},
		{"resource.k8s.io", []string{"deviceclasses", "devicetaintrules", "resourceclaims", "resourceclaimtemplates", "resourceslices"}},
		{"scheduling.k8s.io", []string{"priorityclasses"}},
		{"storage.k8s.io", []string{
			"csidrivers", "csinodes", "csistoragecapacities", "storageclasses", "volumeattachments", "volumeattributesclasses",
		}},
		{"storagemigration.k8s.io", []string{"storageversionmigrations"}},
	} {
		for _, name := range g.resources {
			all = append(all, Resource{Group: g.name, Name: name})
		}
	}
	return all
}

// IsBuiltin tells whether Builtin has the resource.
func IsBuiltin(r Resource) bool { return slices.Contains(Builtin(), r) }
