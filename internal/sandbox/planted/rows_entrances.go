package planted

import (
	"context"
	"fmt"
	"strings"
)

// binding is a TargetGroupBinding of a side.
func binding() ref { return ref{"elbv2.k8s.aws/v1beta1", "TargetGroupBinding", shop, "api"} }

func entranceRows() []row {
	const check = "entrances"
	bound := "/TargetGroupBinding.elbv2.k8s.aws/shop/"
	return []row{
		created("a load balancer that nobody declared", check, "EntranceNotDeclared/Service/shop/mail", "", `
apiVersion: v1
kind: Service
metadata: {name: mail, namespace: shop}
spec: {type: LoadBalancer, allocateLoadBalancerNodePorts: false, selector: {app: mailer}, ports: [{port: 25}]}
`),
		created("a node port that nobody declared", check, "EntranceNotDeclared/Service/shop/partners-upload", "", `
apiVersion: v1
kind: Service
metadata: {name: partners-upload, namespace: shop}
spec: {type: NodePort, selector: {app: feeds}, ports: [{port: 21}]}
`),
		created("an Ingress with a load balancer that nobody declared", check, "EntranceNotDeclared/Ingress.networking.k8s.io/shop/partners", "", `
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: partners, namespace: shop}
spec:
  ingressClassName: alb
  rules: [{host: partners.shop.example, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: feeds, port: {name: http}}}}]}}]
status: {loadBalancer: {ingress: [{hostname: k8s-shop-partners-0123456789-987654321.ap-northeast-1.elb.amazonaws.com}]}}
`, "HostNotDeclared/Host/partners.shop.example"),
		created("a Gateway that names no address", check, "EntranceNotDeclared/Gateway.gateway.networking.k8s.io/shop/edge", "", `
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: edge, namespace: shop}
spec: {gatewayClassName: inner, listeners: [{name: http, port: 80, protocol: HTTP}]}
`),
		created("a target group that nobody declared", check, "EntranceNotDeclared"+bound+"legacy", "", `
apiVersion: elbv2.k8s.aws/v1beta1
kind: TargetGroupBinding
metadata: {name: legacy, namespace: shop}
spec: {serviceRef: {name: exports, port: http}, targetGroupARN: "arn:aws:elasticloadbalancing:ap-northeast-1:123456789012:targetgroup/legacy/0123456789abcdef", targetType: ip}
`),
		{
			name: "a host that no declared entrance has", check: check, want: "HostNotDeclared/Host/beta.shop.example",
			plant: func(ctx context.Context, s *stage) error {
				return s.createIn(ctx, "", `
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: beta, namespace: shop}
spec: {parentRefs: [{name: inner}], hostnames: [beta.shop.example], rules: [{backendRefs: [{name: web, port: 80}]}]}
`)
			},
		},
		{
			name: "a node port behind a target group of pods", check: check, want: "NodePortOpen/Service/shop/api",
			plant: func(ctx context.Context, s *stage) error {
				for _, at := range []side{blue, green} {
					if err := s.edit(ctx, at, ref{"v1", "Service", shop, "api"}, put("NodePort", "spec", "type")); err != nil {
						return err
					}
				}
				return nil
			},
		},
		alone(row{
			name: "green binds blue's target group", check: check, want: "TargetGroupOfOtherSide" + bound + "api/green", also: []string{"GreenTargetsNotBound" + bound + "api/api"},
			plant: func(ctx context.Context, s *stage) error {
				return s.edit(ctx, green, binding(), put(s.cloud.groups["api-blue"], "spec", "targetGroupARN"))
			},
		}),
		alone(edited("green binds another Service", check, "GreenTargetsOfOtherService"+bound+"api/api", binding(), put("web", "spec", "serviceRef", "name"))),
		alone(removed("nothing registers green's pods", check, "GreenTargetsNotBound"+bound+"api/api", binding(), "MissingInGreen"+bound+"api")),
	}
}

func singletonRows() []row {
	const check = "singletons"
	argument := func(name string, at int, value string) change { return put(value, container(name, at)...) }
	return []row{
		edited("a CronJob that runs in both", check, "RunsTwice/CronJob.batch/shop/nightly-report", ref{"batch/v1", "CronJob", shop, "nightly-report"}, put(false, "spec", "suspend")),
		{
			name: "a singleton that runs in both", check: check, want: "SingletonTwice/Deployment.apps/shop/exports",
			plant: func(ctx context.Context, s *stage) error {
				for _, at := range []side{blue, green} {
					if err := s.edit(ctx, at, deployment("exports"), put("true", "metadata", "annotations", "clusterswitch.io/singleton")); err != nil {
						return err
					}
				}
				return nil
			},
		},
		edited("an external-dns with the same owner", check, "ControllerTwice/Deployment.apps/external-dns/external-dns/external-dns",
			ref{"apps/v1", "Deployment", "external-dns", "external-dns"}, argumentThat("--txt-owner-id=", "--txt-owner-id=shop-blue")),
		edited("a cluster-autoscaler with the same groups", check, "ControllerTwice/Deployment.apps/kube-system/cluster-autoscaler/cluster-autoscaler",
			addon("Deployment", "cluster-autoscaler"), argument("command", 2, "--node-group-auto-discovery=asg:tag=k8s.io/cluster-autoscaler/shop-blue")),
		edited("a load balancer controller with the same cluster's name", check, "ControllerTwice/Deployment.apps/kube-system/aws-load-balancer-controller/aws-load-balancer-controller",
			addon("Deployment", "aws-load-balancer-controller"), argumentThat("--cluster-name=", "--cluster-name=shop-blue")),
		created("a schedule of backups in both", check, "BackupsTwice/Schedule.velero.io/platform/nightly", "", `
apiVersion: velero.io/v1
kind: Schedule
metadata: {name: nightly, namespace: platform}
spec: {schedule: "0 1 * * *", template: {ttl: 240h}}
`),
	}
}

// argumentThat replaces the argument of a container that begins so.
func argumentThat(begins, value string) change {
	return func(object map[string]any) {
		for _, list := range []string{"args", "command"} {
			arguments, _ := firstContainer(object)[list].([]any)
			for i, a := range arguments {
				if text := fmt.Sprint(a); strings.HasPrefix(text, begins) {
					arguments[i] = value
				}
			}
		}
	}
}

func firstContainer(object map[string]any) map[string]any {
	first, _ := follow(object, container()).(map[string]any)
	return first
}
