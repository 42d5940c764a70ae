package manifests

// Bundle is a set of manifests within a module.
type Bundle struct {
	// Name is for people.
	Name   string
	Module Module
	// Files are patterns of files with objects.
	Files []string
	// Chart is the folder of a Helm chart; empty: it has none.
	Chart string
	// ChartVersion replaces the version of a chart that gets its own only when it is
	// released; empty: the chart has one.
	ChartVersion string
}

// The pinned versions are such as Go's module proxy hands out. AWS's controller
// has tags that no module path fits, so there is one commit of it only.

// GatewayAPI has the standard channel of the Gateway API's definitions.
func GatewayAPI() Bundle {
	return Bundle{Name: "Gateway API 1.6", Files: []string{"config/crd/standard/gateway.networking.k8s.io_[a-u]*.yaml"}, Module: Module{
		Path: "sigs.k8s.io/gateway-api", Version: "v1.6.3", Sum: "h1:lKpJa5bGlraC/QeACvCpsHLdmO6y0iKfzVl6gzaFEYc=",
	}}
}

// OlderGatewayAPI has those of two minor versions before.
func OlderGatewayAPI() Bundle {
	return Bundle{Name: "Gateway API 1.4", Files: []string{"config/crd/standard/*.yaml"}, Module: Module{
		Path: "sigs.k8s.io/gateway-api", Version: "v1.4.1", Sum: "h1:NPxFutNkKNa8UfLd2CMlEuhIPMQgDQ6DXNKG9sHbJU8=",
	}}
}

// CertManager has cert-manager's definitions and chart.
func CertManager() Bundle {
	return Bundle{Name: "cert-manager 1.21", Files: []string{"deploy/crds/*.yaml"}, Chart: "deploy/charts/cert-manager", ChartVersion: "v1.21.2", Module: Module{
		Path: "github.com/cert-manager/cert-manager", Version: "v1.21.2", Sum: "h1:UWgoYM+KLNtRlqmoWOKjKBOBUPVHeepQ6/ac3ERJW68=",
	}}
}

// OlderCertManager has those of the minor version before.
func OlderCertManager() Bundle {
	return Bundle{Name: "cert-manager 1.20", Files: []string{"deploy/crds/*.yaml"}, Chart: "deploy/charts/cert-manager", ChartVersion: "v1.20.0", Module: Module{
		Path: "github.com/cert-manager/cert-manager", Version: "v1.20.0", Sum: "h1:czZamsFJ1YdKPhpv+SopJZN9t3W68vQBnFYUevSHGqY=",
	}}
}

// ArgoCD is the whole of its installation, without its namespace.
func ArgoCD() Bundle {
	return Bundle{Name: "Argo CD 3.5", Files: []string{"manifests/install.yaml"}, Module: Module{
		Path: "github.com/argoproj/argo-cd/v3", Version: "v3.5.7", Sum: "h1:Xm1BF+I5OgDKUG3SDK49vn2/Y5AMyaNVko+/JT08gj0=",
	}}
}

// OlderArgoCD has the definitions of the minor version before.
func OlderArgoCD() Bundle {
	return Bundle{Name: "Argo CD 3.4", Files: []string{"manifests/crds/*-crd.yaml"}, Module: Module{
		Path: "github.com/argoproj/argo-cd/v3", Version: "v3.4.0", Sum: "h1:yZwfaOIzE/aQTA52mOfeZQbribmyxKYvMgirQja4eX0=",
	}}
}

// LoadBalancerController has the definitions and the chart of the AWS Load
// Balancer Controller.
func LoadBalancerController() Bundle {
	return Bundle{Name: "AWS Load Balancer Controller 2.4", Files: []string{"config/crd/bases/*.yaml"}, Chart: "helm/aws-load-balancer-controller", Module: Module{
		Path: "sigs.k8s.io/aws-load-balancer-controller", Version: "v0.0.0-20221203001353-edeb4f1c1312", Sum: "h1:iqmp1UXslxq7MuJDW/7arHBniplzp2MbItx0PXP7r/8=",
	}}
}

// PrometheusOperator is the whole of its installation, into the namespace default.
func PrometheusOperator() Bundle {
	return Bundle{Name: "Prometheus operator 0.85", Files: []string{"bundle.yaml"}, Module: Module{
		Path: "github.com/prometheus-operator/prometheus-operator", Version: "v0.85.0", Sum: "h1:M5xLCLEoaW2IJfnuCwFzzpL+jSVQu3KGT84Pye+fW8s=",
	}}
}

// OlderPrometheusOperator has the definitions of the minor version before.
func OlderPrometheusOperator() Bundle {
	return Bundle{Name: "Prometheus operator 0.84", Files: []string{"example/prometheus-operator-crd/*.yaml"}, Module: Module{
		Path: "github.com/prometheus-operator/prometheus-operator", Version: "v0.84.0", Sum: "h1:XXm7lKizTnnxeSwI01wjNAapKzw/4XAPdpcZqjRKgRU=",
	}}
}

// ExternalDNS has its definition and chart.
func ExternalDNS() Bundle {
	return Bundle{Name: "external-dns 0.19", Files: []string{"charts/external-dns/crds/*.yaml"}, Chart: "charts/external-dns", Module: Module{
		Path: "sigs.k8s.io/external-dns", Version: "v0.19.0", Sum: "h1:fyH3AN/WmOrbuAVYgtHPK4UhkNy9DR3gXMU65yQxuzQ=",
	}}
}

// KEDA has its definitions.
func KEDA() Bundle {
	return Bundle{Name: "KEDA 2.20", Files: []string{"config/crd/bases/*.yaml"}, Module: Module{
		Path: "github.com/kedacore/keda/v2", Version: "v2.20.2", Sum: "h1:SR60v8uIcelbveS8n/1jcl8tLdBBIbHMxmdOHw8tKqA=",
	}}
}

// Karpenter has its definitions.
func Karpenter() Bundle {
	return Bundle{Name: "Karpenter 1.8", Files: []string{"pkg/apis/crds/*.yaml"}, Module: Module{
		Path: "sigs.k8s.io/karpenter", Version: "v1.8.0", Sum: "h1:AmTHUPtnuL8IX9mbcD3NOohyk62idrBCBtM+8Wn6Jvk=",
	}}
}

// All lists every bundle.
func All() []Bundle {
	return []Bundle{
		GatewayAPI(), OlderGatewayAPI(), CertManager(), OlderCertManager(), ArgoCD(), OlderArgoCD(), LoadBalancerController(),
		PrometheusOperator(), OlderPrometheusOperator(), ExternalDNS(), KEDA(), Karpenter(),
	}
}
