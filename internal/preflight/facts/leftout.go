package facts

import (
	"maps"
	"path"
	"slices"
	"strings"
)

// Rule leaves out of the comparison what each cluster makes for itself. What all
// its parts match is left out; a part that is empty matches everything. Patterns
// have the wildcards of path.Match.
type Rule struct {
	// Name is a stable token.
	Name string
	// Kinds are patterns of GroupKind.String: Event, *.metrics.k8s.io.
	Kinds []string
	// Namespace and Names are patterns.
	Namespace string
	Names     []string
	// Controlled: another object is its controller.
	Controlled bool
	// Label and Annotation are a key, the beginning of one (key*), or key=value.
	Label      string
	Annotation string
	// Anyway: the object is there without anybody's doing, so that it is never
	// missing; what people wrote on it is compared all the same.
	Anyway bool
	// Why ends the sentence "it is left out because".
	Why string
}

// Marks are what a rule looks at.
type Marks struct {
	Name
	Labels      map[string]string
	Annotations map[string]string
	Controlled  bool
}

// LeftOut lists the rules.
func LeftOut() []Rule {
	return slices.Concat(leftOutKinds(), leftOutMarks(), leftOutNames())
}

// LeftOutWhole tells whether every object of a kind is left out, so that nobody
// need list it. A GroupKind without Kind asks for every kind of the group.
func LeftOutWhole(k GroupKind) bool {
	return slices.ContainsFunc(leftOutKinds(), func(r Rule) bool { return r.about(k) })
}

// RulesOf gives the places in LeftOut of the rules that a kind's objects may meet.
func RulesOf(k GroupKind) []int {
	var at []int
	for i, r := range LeftOut() {
		if r.about(k) {
			at = append(at, i)
		}
	}
	return at
}

func (r Rule) about(k GroupKind) bool { return anyMatch(r.Kinds, k.String()) }

// Takes tells whether the rule leaves out an object of one of its kinds.
func (r Rule) Takes(m Marks) bool {
	return (!r.Controlled || m.Controlled) &&
		(r.Namespace == "" || match(r.Namespace, m.Namespace)) &&
		anyMatch(r.Names, m.Name.Name) &&
		marked(m.Labels, r.Label) && marked(m.Annotations, r.Annotation)
}

func marked(marks map[string]string, wish string) bool {
	if wish == "" {
		return true
	}
	if prefix, ok := strings.CutSuffix(wish, "*"); ok {
		return slices.ContainsFunc(slices.Collect(maps.Keys(marks)), func(key string) bool { return strings.HasPrefix(key, prefix) })
	}
	key, value, exact := strings.Cut(wish, "=")
	had, ok := marks[key]
	return ok && (!exact || had == value)
}

func anyMatch(patterns []string, s string) bool {
	return len(patterns) == 0 || slices.ContainsFunc(patterns, func(p string) bool { return match(p, s) })
}

func match(pattern, s string) bool {
	ok, err := path.Match(pattern, s)
	return ok && err == nil
}

// Takes tells whether the configuration leaves an object out. A pattern of
// nothing but a namespace takes the namespace itself, too.
func (i Ignore) Takes(k GroupKind, n Name) bool {
	if (k == GroupKind{Kind: "Namespace"}) && i.Namespace != "" && i.Group == "" && i.Kind == "" && i.Name == "" {
		return match(i.Namespace, n.Name)
	}
	return (i.Group == "" || match(i.Group, k.Group)) && (i.Kind == "" || match(i.Kind, k.Kind)) &&
		(i.Namespace == "" || match(i.Namespace, n.Namespace)) && (i.Name == "" || match(i.Name, n.Name))
}

// Ignores tells whether the configuration leaves an object out.
func (s Settings) Ignores(k GroupKind, n Name) bool {
	return slices.ContainsFunc(s.Ignore, func(i Ignore) bool { return i.Takes(k, n) })
}

// leftOutKinds are the rules that take whole kinds.
func leftOutKinds() []Rule {
	return []Rule{
		{Name: "events", Kinds: []string{"Event", "Event.events.k8s.io"}, Why: "Events tell what happened in one cluster"},
		{Name: "leases", Kinds: []string{"*.coordination.k8s.io"}, Why: "Leases are held by what runs in one cluster"},
		{Name: "nodes", Kinds: []string{"Node", "CSINode.storage.k8s.io", "ResourceSlice.resource.k8s.io"}, Why: "each cluster has nodes of its own"},
		{Name: "volumes-in-use", Kinds: []string{"VolumeAttachment.storage.k8s.io", "CSIStorageCapacity.storage.k8s.io", "VolumeSnapshotContent.snapshot.storage.k8s.io", "VolumeGroupSnapshotContent.groupsnapshot.storage.k8s.io"}, Why: "they tell which volumes a cluster's own nodes use"},
		{Name: "views", Kinds: []string{"ComponentStatus", "*.metrics.k8s.io", "*.subresources.kubevirt.io"}, Why: "they are computed for the answer and stored nowhere"},
		{Name: "server-state", Kinds: []string{"*.internal.apiserver.k8s.io", "*.storagemigration.k8s.io"}, Why: "the API server keeps them about itself"},
		{Name: "addresses", Kinds: []string{"IPAddress.networking.k8s.io"}, Why: "each cluster gives its Services addresses of its own"},
		{Name: "certificates-asked-for", Kinds: []string{"CertificateSigningRequest.certificates.k8s.io", "PodCertificateRequest.certificates.k8s.io", "CertificateRequest.cert-manager.io", "Order.acme.cert-manager.io", "Challenge.acme.cert-manager.io"}, Why: "certificates are asked for anew in each cluster"},
		{Name: "karpenter-nodes", Kinds: []string{"NodeClaim.karpenter.sh", "Machine.karpenter.sh"}, Why: "Karpenter makes one for each node"},
		{Name: "vpc-nodes", Kinds: []string{"CNINode.vpcresources.k8s.aws", "PolicyEndpoint.networking.k8s.aws", "ClusterPolicyEndpoint.networking.k8s.aws"}, Why: "the VPC CNI makes them for each node or from each policy"},
		{Name: "cilium-nodes", Kinds: []string{"CiliumNode.cilium.io", "CiliumEndpoint.cilium.io", "CiliumEndpointSlice.cilium.io", "CiliumIdentity.cilium.io", "CiliumExternalWorkload.cilium.io"}, Why: "Cilium makes them from nodes and pods"},
		{Name: "calico-nodes", Kinds: []string{"IPAM*.crd.projectcalico.org", "BlockAffinity.crd.projectcalico.org", "ClusterInformation.crd.projectcalico.org", "CalicoNodeStatus.crd.projectcalico.org", "IPAM*.projectcalico.org", "BlockAffinity.projectcalico.org", "ClusterInformation.projectcalico.org", "Profile.projectcalico.org"}, Why: "Calico makes them from nodes and pods"},
		{Name: "node-features", Kinds: []string{"NodeFeature.nfd.k8s-sigs.io", "*.topology.node.k8s.io"}, Why: "they describe a cluster's own nodes"},
		{Name: "reports", Kinds: []string{"*.wgpolicyk8s.io", "*.openreports.io", "*.reports.kyverno.io", "*Report.kyverno.io", "UpdateRequest.kyverno.io", "*Report.aquasecurity.github.io", "*.status.gatekeeper.sh"}, Why: "scanners write them about one cluster"},
		{Name: "autoscaling-history", Kinds: []string{"VerticalPodAutoscalerCheckpoint.autoscaling.k8s.io"}, Why: "they hold what one cluster's pods used"},
		{Name: "runs", Kinds: []string{"Workflow.argoproj.io", "WorkflowTask*.argoproj.io", "WorkflowArtifactGCTask.argoproj.io", "AnalysisRun.argoproj.io", "Experiment.argoproj.io", "TaskRun.tekton.dev", "PipelineRun.tekton.dev", "CustomRun.tekton.dev"}, Why: "they are single runs, which begin and end in one cluster"},
		{Name: "backup-runs", Kinds: []string{"Backup.velero.io", "Restore.velero.io", "PodVolume*.velero.io", "Data*load.velero.io", "BackupRepository.velero.io", "*Request.velero.io"}, Why: "they are single runs, which begin and end in one cluster"},
		{Name: "switches", Kinds: []string{"*.clusterswitch.io"}, Why: "they are the journal of the shift itself"},
	}
}

// leftOutMarks are the rules that go by who made an object.
func leftOutMarks() []Rule {
	return []Rule{
		{Name: "controlled", Controlled: true, Why: "a controller makes it from another object, which is compared"},
		{Name: "mirror-pods", Kinds: []string{"Pod"}, Annotation: "kubernetes.io/config.mirror", Why: "a node's own files make it"},
		{Name: "made-volumes", Kinds: []string{"PersistentVolume"}, Annotation: "pv.kubernetes.io/provisioned-by", Why: "a claim had it made; the claim is compared"},
		{Name: "service-account-tokens", Kinds: []string{"Secret"}, Names: []string{"*-token-?????"}, Annotation: "kubernetes.io/service-account.name", Why: "each cluster signs tokens of its own"},
		{Name: "helm-revisions", Kinds: []string{"Secret", "ConfigMap"}, Label: "owner=helm", Why: "they are Helm's notes about one cluster"},
		{Name: "helm2-revisions", Kinds: []string{"Secret", "ConfigMap"}, Label: "OWNER=TILLER", Why: "they are Helm's notes about one cluster"},
		{Name: "locks", Kinds: []string{"ConfigMap", "Endpoints"}, Annotation: "control-plane.alpha.kubernetes.io/leader", Why: "it is a lock, held by what runs in one cluster"},
		{Name: "fairness", Kinds: []string{"*.flowcontrol.apiserver.k8s.io"}, Annotation: "apf.kubernetes.io/autoupdate-spec=true", Why: "the API server writes it for its own version"},
		{Name: "api-services", Kinds: []string{"APIService.apiregistration.k8s.io"}, Label: "kube-aggregator.kubernetes.io/automanaged", Why: "the API server writes it for what it serves itself"},
		{Name: "bootstrap-rights", Kinds: []string{"*.rbac.authorization.k8s.io"}, Label: "kubernetes.io/bootstrapping=rbac-defaults", Why: "the API server writes it for its own version"},
		{Name: "own-rights", Kinds: []string{"*.rbac.authorization.k8s.io"}, Label: "clusterswitch.io/pair", Why: "it grants this daemon what one cluster needs"},
		{Name: "slices", Kinds: []string{"EndpointSlice.discovery.k8s.io"}, Label: "endpointslice.kubernetes.io/managed-by=endpointslice-controller.k8s.io", Why: "they are made from a Service and its pods"},
		{Name: "mirrored-slices", Kinds: []string{"EndpointSlice.discovery.k8s.io"}, Label: "endpointslice.kubernetes.io/managed-by=endpointslicemirroring-controller.k8s.io", Why: "they are made from Endpoints, which are compared"},
		{Name: "ingress-target-groups", Kinds: []string{"TargetGroupBinding.elbv2.k8s.aws"}, Label: "ingress.k8s.aws/stack*", Why: "the load balancer controller makes it from an Ingress"},
		{Name: "service-target-groups", Kinds: []string{"TargetGroupBinding.elbv2.k8s.aws"}, Label: "service.k8s.aws/stack*", Why: "the load balancer controller makes it from a Service"},
		{Name: "gateway-target-groups", Kinds: []string{"TargetGroupBinding.elbv2.k8s.aws"}, Label: "gateway.k8s.aws*", Why: "the load balancer controller makes it from a Gateway"},
		{Name: "runbooks", Kinds: []string{"ConfigMap"}, Label: "clusterswitch.io/*", Why: "it belongs to the shift itself"},
	}
}

// leftOutNames are the rules that go by an object's name.
func leftOutNames() []Rule {
	return []Rule{
		{Name: "bootstrap-tokens", Kinds: []string{"Secret"}, Namespace: "kube-system", Names: []string{"bootstrap-token-*"}, Why: "nodes join one cluster with it"},
		{Name: "root-certificates", Kinds: []string{"ConfigMap"}, Names: []string{"kube-root-ca.crt", "istio-ca-root-cert", "istio-ca-crl", "linkerd-identity-trust-roots"}, Why: "it holds the cluster's own authority"},
		{Name: "default-accounts", Kinds: []string{"ServiceAccount"}, Names: []string{"default"}, Anyway: true, Why: "each namespace gets one by itself"},
		{Name: "server-endpoints", Kinds: []string{"Service", "Endpoints", "EndpointSlice.discovery.k8s.io"}, Namespace: "default", Names: []string{"kubernetes"}, Why: "the API server writes its own address there"},
		{Name: "server-authorities", Kinds: []string{"ClusterTrustBundle.certificates.k8s.io"}, Names: []string{"kubernetes.io:*"}, Why: "it holds the cluster's own authorities"},
		{Name: "system-config", Kinds: []string{"ConfigMap"}, Namespace: "kube-system", Names: []string{
			"extension-apiserver-authentication", "kube-apiserver-legacy-service-account-token-tracking", "kubeadm-config", "kubelet-config*",
			"kube-proxy", "kube-proxy-config", "cluster-autoscaler-status", "aws-auth",
		}, Why: "it holds what is the cluster's own: its addresses, authorities, node roles or state"},
		{Name: "cluster-data", Kinds: []string{"ConfigMap"}, Namespace: "kube-public", Names: []string{"cluster-info"}, Why: "it holds the cluster's own address and authority"},
		{Name: "system-accounts", Kinds: []string{"ServiceAccount"}, Namespace: "kube-system", Names: systemAccounts(), Why: "a controller of the control plane makes it when it first needs it"},
		{Name: "eks-rights", Kinds: []string{"*.rbac.authorization.k8s.io"}, Names: []string{"eks:*", "vpc-resource-controller-*"}, Why: "EKS or Kubernetes writes it for its own version"},
		{Name: "eks-services", Kinds: []string{"Service", "APIService.apiregistration.k8s.io"}, Names: []string{"eks-extension-metrics-api", "v?.metrics.eks.amazonaws.com"}, Why: "EKS writes it for its own version"},
		{Name: "eks-webhooks", Kinds: []string{"*WebhookConfiguration.admissionregistration.k8s.io"}, Names: []string{"eks-*", "vpc-resource-*", "pod-identity-webhook"}, Why: "EKS writes it for its own version"},
	}
}

// systemAccounts names the accounts of the controllers in kube-controller-manager
// and in EKS's control plane. They are listed one by one: a pattern would take
// controllers of the users, whose accounts bear AWS roles.
func systemAccounts() []string {
	return []string{
		"attachdetach-controller", "aws-cloud-provider", "bootstrap-signer", "certificate-controller", "cloud-provider",
		"clusterrole-aggregation-controller", "cronjob-controller", "daemon-set-controller", "deployment-controller",
		"device-taint-eviction-controller", "disruption-controller", "endpoint-controller", "endpointslice-controller",
		"endpointslicemirroring-controller", "ephemeral-volume-controller", "expand-controller", "generic-garbage-collector",
		"horizontal-pod-autoscaler", "job-controller", "kube-apiserver-serving-clustertrustbundle-publisher",
		"legacy-service-account-token-cleaner", "namespace-controller", "node-controller", "persistent-volume-binder",
		"pod-garbage-collector", "podcertificaterequestcleaner", "pv-protection-controller", "pvc-protection-controller",
		"replicaset-controller", "replication-controller", "resource-claim-controller", "resourcequota-controller",
		"root-ca-cert-publisher", "route-controller", "selinux-warning-controller", "service-account-controller",
		"service-cidrs-controller", "service-controller", "statefulset-controller", "storage-version-migrator-controller",
		"taint-eviction-controller", "tagging-controller", "token-cleaner", "ttl-after-finished-controller", "ttl-controller",
		"validatingadmissionpolicy-status-controller", "volumeattributesclass-protection-controller",
		"eks-certificates-controller", "eks-vpc-resource-controller", "vpc-resource-controller",
	}
}
