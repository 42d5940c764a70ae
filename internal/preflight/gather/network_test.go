package gather

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"sigs.k8s.io/yaml"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane/cptest"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// crd is a kind of others, of which the API server keeps whatever it is given.
func crd(group, version, kind, plural string, scope apiextensionsv1.ResourceScope) *apiextensionsv1.CustomResourceDefinition {
	keep := true
	annotations := map[string]string{"api-approved.kubernetes.io": "https://github.com/kubernetes-sigs/gateway-api"}
	return &apiextensionsv1.CustomResourceDefinition{
		ObjectMeta: metav1.ObjectMeta{Name: plural + "." + group, Annotations: annotations},
		Spec: apiextensionsv1.CustomResourceDefinitionSpec{
			Group: group, Scope: scope, Names: apiextensionsv1.CustomResourceDefinitionNames{Kind: kind, ListKind: kind + "List", Plural: plural, Singular: strings.ToLower(kind)},
			Versions: []apiextensionsv1.CustomResourceDefinitionVersion{{
				Name: version, Served: true, Storage: true,
				Schema: &apiextensionsv1.CustomResourceValidation{OpenAPIV3Schema: &apiextensionsv1.JSONSchemaProps{Type: "object", XPreserveUnknownFields: &keep}},
			}},
		},
	}
}

// fill writes documents into a cluster, each with its resource, and its status
// where it has one.
func fill(t *testing.T, d dynamic.Interface, manager, documents string) {
	t.Helper()
	resources := map[string]string{"Ingress": "ingresses", "IngressClass": "ingressclasses", "GatewayClass": "gatewayclasses", "TargetGroupBinding": "targetgroupbindings"}
	for document := range strings.SplitSeq(documents, "---\n") {
		o := &unstructured.Unstructured{}
		if err := yaml.Unmarshal([]byte(document), &o.Object); err != nil {
			t.Fatalf("%v in\n%s", err, document)
		}
		resource := resources[o.GetKind()]
		if resource == "" {
			resource = strings.ToLower(o.GetKind()) + "s"
		}
		at := d.Resource(schema.GroupVersionResource{Group: o.GroupVersionKind().Group, Version: o.GroupVersionKind().Version, Resource: resource}).Namespace(o.GetNamespace())
		status := o.Object["status"]
		made, err := at.Create(t.Context(), o, metav1.CreateOptions{FieldManager: manager})
		if err != nil {
			t.Fatalf("%v in\n%s", err, document)
		}
		if status == nil || o.GroupVersionKind().Group == gatewayGroup { // whose CRD here has no status of its own
			continue
		}
		made.Object["status"] = status
		if _, err := at.UpdateStatus(t.Context(), made, metav1.UpdateOptions{}); err != nil {
			t.Fatalf("%v in\n%s", err, document)
		}
	}
}

const waysIn = `
apiVersion: v1
kind: Service
metadata: {name: api, namespace: default, annotations: {service.beta.kubernetes.io/aws-load-balancer-scheme: internal}}
spec: {type: LoadBalancer, ports: [{port: 443, nodePort: 30443}], selector: {app: api}}
status: {loadBalancer: {ingress: [{hostname: api-1.elb.eu-west-1.amazonaws.com}, {ip: 192.0.2.1}]}}
---
apiVersion: v1
kind: Service
metadata: {name: plain, namespace: default}
spec: {ports: [{port: 80}], selector: {app: api}}
---
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: public}
spec: {controller: ingress.k8s.aws/alb}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web, namespace: default, annotations: {alb.ingress.kubernetes.io/scheme: internal, alb.ingress.kubernetes.io/target-type: ip}}
spec:
  ingressClassName: public
  defaultBackend: {service: {name: fallback, port: {number: 80}}}
  rules:
    - host: shop.example.com
      http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}, {path: /a, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}
    - http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: any, port: {number: 80}}}}]}
status: {loadBalancer: {ingress: [{hostname: internal-web-1.eu-west-1.elb.amazonaws.com}]}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: nlb}
spec: {controllerName: gateway.k8s.aws/nlb}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: gw, namespace: default}
spec: {gatewayClassName: nlb, listeners: [{name: a, hostname: a.example.com}, {name: b}]}
status: {addresses: [{type: Hostname, value: gw-1.elb.eu-west-1.amazonaws.com}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: r, namespace: default}
spec: {hostnames: [b.example.com], parentRefs: [{name: gw}, {name: mesh, kind: Service}], rules: [{backendRefs: [{name: web, port: 80}, {name: far, namespace: other, kind: Service}, {name: x, kind: Other}]}]}
---
apiVersion: elbv2.k8s.aws/v1beta1
kind: TargetGroupBinding
metadata: {name: users, namespace: default}
spec: {targetGroupARN: "arn:group", targetType: ip, serviceRef: {name: web, port: http}}
---
apiVersion: elbv2.k8s.aws/v1beta1
kind: TargetGroupBinding
metadata: {name: k8s-web, namespace: default, labels: {ingress.k8s.aws/stack-name: web, ingress.k8s.aws/stack-namespace: default}}
spec: {targetGroupName: web-blue, serviceRef: {name: web, port: 80}}
`

const once = `
apiVersion: batch/v1
kind: CronJob
metadata: {name: clean, namespace: default}
spec: {schedule: "0 3 * * *", jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: "clean:1"}]}}}}}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: evict, namespace: default, annotations: {clusterswitch.io/runs-twice: allowed}}
spec: {schedule: "@daily", suspend: true, jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: "registry.k8s.io/descheduler/descheduler:v1@sha256:0000000000000000000000000000000000000000000000000000000000000000"}]}}}}}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: queue, namespace: default, annotations: {clusterswitch.io/singleton: "true"}}
spec: {replicas: 0, serviceName: q, selector: {matchLabels: {app: q}}, template: {metadata: {labels: {app: q}}, spec: {containers: [{name: c, image: "q:1"}]}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: dns, namespace: default}
spec:
  selector: {matchLabels: {app: d}}
  template:
    metadata: {labels: {app: d}}
    spec:
      containers:
        - name: c
          image: registry.example.com:5000/mirror/external-dns:v0.19
          args: [--source=ingress, --txt-owner-id, $(OWNER), --domain-filter=b.example.com, --domain-filter=a.example.com]
          env: [{name: OWNER, value: shop}, {name: EXTERNAL_DNS_POLICY, value: upsert-only}, {name: EXTERNAL_DNS_PROVIDER, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: karpenter, namespace: default}
spec:
  selector: {matchLabels: {app: k}}
  template: {metadata: {labels: {app: k}}, spec: {containers: [{name: c, image: "public.ecr.aws/karpenter/controller:1.8", env: [{name: CLUSTER_NAME, value: shop-blue}]}]}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: lbc, namespace: default}
spec:
  selector: {matchLabels: {app: l}}
  template: {metadata: {labels: {app: l}}, spec: {containers: [{name: c, image: "eks/aws-load-balancer-controller:v2", args: [--cluster-name=$(NAME)], envFrom: [{configMapRef: {name: x}}]}]}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: idle-dns, namespace: default}
spec:
  replicas: 0
  selector: {matchLabels: {app: i}}
  template: {metadata: {labels: {app: i}}, spec: {containers: [{name: c, image: "external-dns:v1"}]}}
---
apiVersion: velero.io/v1
kind: Schedule
metadata: {name: daily, namespace: default}
spec: {schedule: "@daily", paused: true}
`

func objectOf(group, kind, name string) facts.Object {
	return facts.Object{GroupKind: facts.GroupKind{Group: group, Kind: kind}, Name: facts.Name{Namespace: "default", Name: name}}
}

// A real API server tells what lets users in, and what exists once in the world;
// a brief look is enough.
func TestWaysInAndSingletonsAreRead(t *testing.T) {
	cp := cptest.Start(t, cptest.Options{Name: "network", CRDs: []*apiextensionsv1.CustomResourceDefinition{
		crd(gatewayGroup, "v1", "GatewayClass", "gatewayclasses", apiextensionsv1.ClusterScoped),
		crd(gatewayGroup, "v1", "Gateway", "gateways", apiextensionsv1.NamespaceScoped),
		crd(gatewayGroup, "v1", "HTTPRoute", "httproutes", apiextensionsv1.NamespaceScoped),
		crd("elbv2.k8s.aws", "v1beta1", "TargetGroupBinding", "targetgroupbindings", apiextensionsv1.NamespaceScoped),
		crd("velero.io", "v1", "Schedule", "schedules", apiextensionsv1.NamespaceScoped),
	}})
	d, err := dynamic.NewForConfig(cp.RESTConfig())
	if err != nil {
		t.Fatal(err)
	}
	fill(t, d, "helm", waysIn)
	fill(t, d, "helm", once)
	fill(t, d, "clusterswitch-baton", strings.ReplaceAll(once[:strings.Index(once, "---")], "name: clean", "name: handed")[1:])
	got := Cluster(t.Context(), shift.Blue, Source{Name: "blue", Config: cp.RESTConfig()}, Options{Scope: facts.Brief, Timeout: time.Minute})
	if got.Fault != "" || len(got.Gaps) > 0 {
		t.Fatalf("fault %q, gaps %+v", got.Fault, got.Gaps)
	}
	name := func(n string) facts.Name { return facts.Name{Namespace: "default", Name: n} }
	users, made := objectOf("elbv2.k8s.aws", "TargetGroupBinding", "users"), objectOf("elbv2.k8s.aws", "TargetGroupBinding", "k8s-web")
	want := facts.Network{
		Services: []facts.Service{{
			Name: name("api"), Type: "LoadBalancer", Addresses: []string{"api-1.elb.eu-west-1.amazonaws.com", "192.0.2.1"}, NodePorts: []int{30443}, Internal: true,
		}},
		Ingresses: []facts.Ingress{{
			Name: name("web"), Class: "public", Addresses: []string{"internal-web-1.eu-west-1.elb.amazonaws.com"}, Hosts: []string{"shop.example.com"},
			Services: []string{"any", "fallback", "web"}, TargetType: "ip", Internal: true,
		}},
		IngressClasses: map[string]string{"public": "ingress.k8s.aws/alb"}, GatewayClasses: map[string]string{"nlb": "gateway.k8s.aws/nlb"},
		Gateways: []facts.Gateway{{Name: name("gw"), Class: "nlb", Addresses: []string{"gw-1.elb.eu-west-1.amazonaws.com"}, Hosts: []string{"a.example.com"}}},
		Routes: []facts.Route{{
			Object: objectOf(gatewayGroup, "HTTPRoute", "r"), Hosts: []string{"b.example.com"}, Gateways: []facts.Name{name("gw")}, Services: []facts.Name{name("web"), {Namespace: "other", Name: "far"}},
		}},
		Bindings: []facts.Binding{
			{Object: made, GroupName: "web-blue", Service: "web", Port: "80", Maker: objectOf("networking.k8s.io", "Ingress", "web")},
			{Object: users, GroupARN: "arn:group", TargetType: "ip", Service: "web", Port: "http"},
		},
		Jobs: []facts.CronJob{
			{Name: name("clean"), Schedule: "0 3 * * *"},
			{Name: name("evict"), Schedule: "@daily", Suspended: true, Allowed: true, Local: true},
			{Name: name("handed"), Schedule: "0 3 * * *", Handed: true},
		},
		Singletons: []facts.Singleton{{Object: objectOf("apps", "StatefulSet", "queue")}},
		Controllers: []facts.OutsideController{
			{
				Object: objectOf("apps", "Deployment", "dns"), Program: facts.ExternalDNS, Unknown: []string{"provider"},
				Settings: map[string][]string{"txt-owner-id": {"shop"}, "domain-filter": {"a.example.com", "b.example.com"}, "policy": {"upsert-only"}},
			},
			{Object: objectOf("apps", "Deployment", "karpenter"), Program: facts.Karpenter, Settings: map[string][]string{"cluster-name": {"shop-blue"}}},
			{Object: objectOf("apps", "Deployment", "lbc"), Program: facts.LoadBalancers, Settings: map[string][]string{}, Unknown: []string{"aws-region", "cluster-name"}},
		},
		Schedules: []facts.Schedule{{Object: objectOf("velero.io", "Schedule", "daily"), Paused: true}},
	}
	slices.SortFunc(got.Network.Controllers, func(a, b facts.OutsideController) int { return strings.Compare(a.Name.Name, b.Name.Name) })
	if diff := cmp.Diff(want, got.Network, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("the network (-want +got):\n%s", diff)
	}
}
