package check

import (
	"slices"

	"github.com/clusterswitch/clusterswitch/internal/preflight/finding"
)

// The codes of parity and releases.
const (
	MissingInGreen      finding.Code = "MissingInGreen"
	NamespaceMissing    finding.Code = "NamespaceMissing"
	KindNotServed       finding.Code = "KindNotServed"
	OnlyInGreen         finding.Code = "OnlyInGreen"
	DataStaysBehind     finding.Code = "DataStaysBehind"
	SecretsNotCompared  finding.Code = "SecretsNotCompared"
	WebhookServiceGone  finding.Code = "WebhookServiceGone"
	ImageDiffers        finding.Code = "ImageDiffers"
	RegistryDiffers     finding.Code = "RegistryDiffers"
	ReplicasDiffer      finding.Code = "ReplicasDiffer"
	ScalingDiffers      finding.Code = "ScalingDiffers"
	ResourcesDiffer     finding.Code = "ResourcesDiffer"
	ServiceDiffers      finding.Code = "ServiceDiffers"
	ConfigMapDiffers    finding.Code = "ConfigMapDiffers"
	SecretDiffers       finding.Code = "SecretDiffers"
	CertificateDiffers  finding.Code = "CertificateDiffers"
	HostsDiffer         finding.Code = "HostsDiffer"
	ListenersDiffer     finding.Code = "ListenersDiffer"
	ClassDiffers        finding.Code = "ClassDiffers"
	ControllerDiffers   finding.Code = "ControllerDiffers"
	StorageClassDiffers finding.Code = "StorageClassDiffers"
	DefaultDiffers      finding.Code = "DefaultDiffers"
	WebhookDiffers      finding.Code = "WebhookDiffers"
	RoleMissing         finding.Code = "RoleMissing"
	RoleDiffers         finding.Code = "RoleDiffers"
	PodIdentityMissing  finding.Code = "PodIdentityMissing"
	RulesDiffer         finding.Code = "RulesDiffer"
	PolicyDiffers       finding.Code = "PolicyDiffers"
	LimitsDiffer        finding.Code = "LimitsDiffer"
	BudgetDiffers       finding.Code = "BudgetDiffers"
	PriorityDiffers     finding.Code = "PriorityDiffers"
)

// existenceDocs explain what both checks may find.
func existenceDocs() []finding.Doc {
	return []finding.Doc{
		{Code: MissingInGreen, Meaning: "An object of blue is not in green. A Job or pod that ran to its end is only noted.", Do: "Create it in green, or leave it out by `preflight.ignore`, or waive the finding."},
		{Code: KindNotServed, Meaning: "Blue has objects of a kind that green's API server doesn't serve.", Do: "Install its CRD and its objects in green, or move to a kind that green serves."},
		{Code: OnlyInGreen, Meaning: "An object of green is not in blue. In standby it warns: the way back would lose it.", Do: "Nothing, if it is meant; otherwise remove it from green, or create it in blue too."},
	}
}

func releaseDocs() []finding.Doc {
	return append(existenceDocs(), []finding.Doc{
		{Code: NamespaceMissing, Meaning: "A namespace of blue is not in green, with all that is in it.", Do: "Deploy the namespace to green, or leave it out by `preflight.ignore`."},
		{Code: ImageDiffers, Meaning: "A container runs different images in the two clusters. For what EKS installs to fit the version of Kubernetes it is only noted.", Do: "Bring both clusters to the same release."},
		{Code: RegistryDiffers, Meaning: "A container's image comes from another ECR registry, under the same name and tag.", Do: "Nothing, if the registry is a copy of the other."},
		{Code: ReplicasDiffer, Meaning: "A workload is to have other numbers of pods, and no autoscaler sets them. Fewer in green than `replicas.atLeast` allows blocks, fewer warns, more is noted.", Do: "Scale it in green as in blue."},
		{Code: ScalingDiffers, Meaning: "An autoscaler has other limits. Lower ones in green block, higher ones are noted.", Do: "Give the autoscaler in green the limits that it has in blue."},
		{Code: ResourcesDiffer, Meaning: "A container has other requests or limits.", Do: "Bring both clusters to the same release."},
		{Code: ServiceDiffers, Meaning: "A Service has another type, other ports or another selector.", Do: "Bring both clusters to the same release."},
	}...)
}

func parityDocs() []finding.Doc {
	return append(existenceDocs(), []finding.Doc{
		{Code: DataStaysBehind, Meaning: "Blue keeps data in volumes, which doesn't come along by itself.", Do: "Move or replicate the data, and waive the finding with how that is done."},
		{Code: SecretsNotCompared, Meaning: "Secrets are not looked at, because `preflight.secrets` is off.", Do: "Set `preflight.secrets` to names or digests, or look yourself."},
		{Code: WebhookServiceGone, Meaning: "An admission webhook of green calls a Service that green doesn't have.", Do: "Install what serves the webhook, or remove the webhook."},
		{Code: ConfigMapDiffers, Meaning: "A ConfigMap has other contents in green, even with the names of the two clusters taken out.", Do: "Make it alike, or waive the finding if the difference is meant."},
		{Code: SecretDiffers, Meaning: "A Secret has other contents in green. They are compared by digests and never shown.", Do: "Make it alike, or waive the finding if the difference is meant."},
		{Code: CertificateDiffers, Meaning: "A Secret with a private key has other contents in green, which is right where each cluster makes its own.", Do: "Look whether users' certificates are the right ones in green."},
		{Code: HostsDiffer, Meaning: "An Ingress or a route has other hosts.", Do: "Make it alike: users of a host that green doesn't know get errors."},
		{Code: ListenersDiffer, Meaning: "A Gateway has other listeners.", Do: "Make them alike."},
		{Code: ClassDiffers, Meaning: "An Ingress or a Gateway belongs to another class.", Do: "Look whether the class's controller in green does what the one in blue does."},
		{Code: ControllerDiffers, Meaning: "A class of Ingresses or Gateways belongs to another controller.", Do: "Look whether green's controller does what the one in blue does."},
		{Code: StorageClassDiffers, Meaning: "A StorageClass makes other volumes.", Do: "Make it alike."},
		{Code: DefaultDiffers, Meaning: "A class is the default one in one cluster alone.", Do: "Make it alike: objects that name no class get another one."},
		{Code: WebhookDiffers, Meaning: "An admission webhook has other rules, or another failure policy.", Do: "Bring both clusters to the same release."},
		{Code: RoleMissing, Meaning: "A ServiceAccount has an AWS role in blue and none in green, so its pods have no rights at AWS.", Do: "Annotate it in green with a role that trusts green's OIDC issuer, or give it a Pod Identity association and waive the finding."},
		{Code: RoleDiffers, Meaning: "A ServiceAccount has other AWS roles in the two clusters.", Do: "Look whether green's role has the same rights and trusts green's OIDC issuer."},
		podIdentityDoc(),
		{Code: RulesDiffer, Meaning: "A Role or ClusterRole allows something else.", Do: "Bring both clusters to the same release."},
		{Code: PolicyDiffers, Meaning: "A network or admission policy says something else.", Do: "Make it alike."},
		{Code: LimitsDiffer, Meaning: "A ResourceQuota or LimitRange has other limits.", Do: "Make it alike: green may refuse pods that blue takes."},
		{Code: BudgetDiffers, Meaning: "A PodDisruptionBudget allows other disruptions.", Do: "Make it alike."},
		{Code: PriorityDiffers, Meaning: "A PriorityClass has another value.", Do: "Make it alike: pods of green may be displaced that are not in blue."},
	}...)
}

// podIdentityDoc is shared with the check of identities, which knows better where
// EKS can be asked.
func podIdentityDoc() finding.Doc {
	return finding.Doc{Code: PodIdentityMissing, Meaning: "Pods of a ServiceAccount have rights at AWS by EKS Pod Identity in blue, and pods of green have not. It warns where green has no such pod yet.", Do: "Make the Pod Identity association for green's cluster, then restart the pods."}
}

// described gives a finding what its code says about what to do.
func described(x finding.Finding) finding.Finding {
	for _, doc := range slices.Concat(parityDocs(), releaseDocs()) {
		if doc.Code == x.Code {
			x.Do = doc.Do
		}
	}
	return x
}
