package gather

// addon is one well-known part of a cluster.
type addon struct {
	id    string
	title string
	// images are the ends of its images' repositories: the last part, or the last
	// two where the last alone could be anybody's.
	images []string
}

// labelled begins the keys of what is known by a label's value.
const labelled = "label:"

// byLabel names those of which one workload alone has the label, by its value.
func byLabel() map[string]string {
	return map[string]string{
		"kube-dns": "coredns", "coredns": "coredns", "kube-proxy": "kube-proxy", "aws-node": "vpc-cni", "node-local-dns": "node-local-dns",
		"cilium": "cilium", "calico-node": "calico", "metrics-server": "metrics-server", "external-dns": "external-dns",
		"descheduler": "descheduler", "cluster-autoscaler": "cluster-autoscaler", "aws-cluster-autoscaler": "cluster-autoscaler",
		"karpenter": "karpenter", "aws-load-balancer-controller": "aws-load-balancer-controller", "traefik": "traefik",
		"sealed-secrets": "sealed-secrets", "kube-state-metrics": "kube-state-metrics", "prometheus-operator": "prometheus-operator",
	}
}

// addons gives the well-known parts by the ends of their images and by labels.
func addons() map[string]addon {
	known := map[string]addon{}
	for _, a := range []addon{
		// What the cluster itself needs.
		{"coredns", "CoreDNS", []string{"coredns"}},
		{"node-local-dns", "NodeLocal DNSCache", []string{"k8s-dns-node-cache"}},
		{"kube-proxy", "kube-proxy", []string{"kube-proxy"}},
		{"vpc-cni", "the VPC CNI", []string{"amazon-k8s-cni"}},
		{"cilium", "Cilium", []string{"cilium/cilium", "cilium"}},
		{"calico", "Calico", []string{"calico/node", "calico-node"}},
		{"ebs-csi", "the EBS CSI driver", []string{"aws-ebs-csi-driver"}},
		{"efs-csi", "the EFS CSI driver", []string{"aws-efs-csi-driver"}},
		{"fsx-csi", "the FSx CSI driver", []string{"aws-fsx-csi-driver"}},
		{"s3-csi", "the Mountpoint for S3 CSI driver", []string{"aws-s3-csi-driver", "aws-mountpoint-s3-csi-driver"}},
		{"snapshot-controller", "the CSI snapshot controller", []string{"snapshot-controller"}},
		{"pod-identity-agent", "the EKS Pod Identity agent", []string{"eks-pod-identity-agent"}},
		{"pod-identity-webhook", "the IRSA webhook", []string{"amazon-eks-pod-identity-webhook"}},
		{"metrics-server", "metrics-server", []string{"metrics-server"}},
		{"cluster-autoscaler", "the cluster autoscaler", []string{"cluster-autoscaler"}},
		{"karpenter", "Karpenter", []string{"karpenter/controller", "karpenter"}},
		{"node-termination-handler", "the AWS node termination handler", []string{"aws-node-termination-handler"}},
		{"descheduler", "the descheduler", []string{"descheduler"}},
		{"vpa", "the vertical pod autoscaler", []string{"vpa-recommender"}},
		{"keda", "KEDA", []string{"kedacore/keda", "keda"}},
		// What lets users in.
		{"aws-load-balancer-controller", "the AWS load balancer controller", []string{"aws-load-balancer-controller"}},
		{"ingress-nginx", "ingress-nginx", []string{"ingress-nginx/controller", "nginx-ingress-controller"}},
		{"nginx-ingress", "the NGINX ingress controller", []string{"nginx/nginx-ingress", "nginx-ingress"}},
		{"traefik", "Traefik", []string{"traefik"}},
		{"contour", "Contour", []string{"projectcontour/contour", "contour"}},
		{"envoy-gateway", "Envoy Gateway", []string{"envoyproxy/gateway"}},
		{"kong", "the Kong ingress controller", []string{"kubernetes-ingress-controller"}},
		{"haproxy-ingress", "the HAProxy ingress controller", []string{"haproxytech/kubernetes-ingress", "haproxy-ingress"}},
		{"nginx-gateway", "NGINX Gateway Fabric", []string{"nginx-gateway-fabric"}},
		{"gateway-api-controller", "the AWS gateway API controller", []string{"aws-gateway-controller"}},
		{"istio", "Istio", []string{"istio/pilot", "pilot"}},
		{"linkerd", "Linkerd", []string{"linkerd/controller"}},
		{"external-dns", "external-dns", []string{"external-dns"}},
		// What the platform brings.
		{"argocd", "Argo CD", []string{"argoproj/argocd", "argocd"}},
		{"argo-rollouts", "Argo Rollouts", []string{"argoproj/argo-rollouts", "argo-rollouts"}},
		{"argo-workflows", "Argo Workflows", []string{"argoproj/workflow-controller", "workflow-controller"}},
		{"flux", "Flux", []string{"fluxcd/kustomize-controller", "kustomize-controller"}},
		{"flagger", "Flagger", []string{"fluxcd/flagger", "flagger"}},
		{"cert-manager", "cert-manager", []string{"cert-manager-controller"}},
		{"external-secrets", "External Secrets", []string{"external-secrets/external-secrets", "external-secrets"}},
		{"sealed-secrets", "Sealed Secrets", []string{"sealed-secrets-controller"}},
		{"secrets-store-csi", "the Secrets Store CSI driver", []string{"csi-secrets-store/driver", "secrets-store-csi-driver"}},
		{"kyverno", "Kyverno", []string{"kyverno/kyverno", "kyverno"}},
		{"gatekeeper", "Gatekeeper", []string{"openpolicyagent/gatekeeper", "gatekeeper"}},
		{"reloader", "Reloader", []string{"stakater/reloader", "reloader"}},
		{"velero", "Velero", []string{"velero/velero", "velero"}},
		{"crossplane", "Crossplane", []string{"crossplane/crossplane", "crossplane"}},
		// What watches.
		{"prometheus-operator", "the Prometheus operator", []string{"prometheus-operator"}},
		{"kube-state-metrics", "kube-state-metrics", []string{"kube-state-metrics"}},
		{"node-exporter", "the node exporter", []string{"node-exporter"}},
		{"fluent-bit", "Fluent Bit", []string{"fluent-bit", "aws-for-fluent-bit"}},
		{"cloudwatch-agent", "the CloudWatch agent", []string{"cloudwatch-agent"}},
		{"datadog", "the Datadog agent", []string{"datadog/agent", "datadog-agent"}},
		{"opentelemetry-operator", "the OpenTelemetry operator", []string{"opentelemetry-operator"}},
	} {
		for _, image := range a.images {
			known[image] = a
		}
		for label, id := range byLabel() {
			if id == a.id {
				known[labelled+label] = a
			}
		}
	}
	return known
}
