package gather

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
)

// Annotations and labels of those who make load balancers.
const (
	serviceScheme = "service.beta.kubernetes.io/aws-load-balancer-scheme"
	// serviceInternal is the older annotation for the same.
	serviceInternal   = "service.beta.kubernetes.io/aws-load-balancer-internal"
	ingressScheme     = "alb.ingress.kubernetes.io/scheme"
	ingressTargetType = "alb.ingress.kubernetes.io/target-type"
	// ingressClass is what named a class before Ingresses had a field for it.
	ingressClass = "kubernetes.io/ingress.class"
)

const gatewayGroup = "gateway.networking.k8s.io"

// routeKinds are the routes of the Gateway API that users come by.
func routeKinds() []string {
	return []string{"HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute", "UDPRoute"}
}

// bindingGroups are the API groups of TargetGroupBindings: those of the
// aws-load-balancer-controller and of EKS Auto Mode.
func bindingGroups() []string { return []string{"elbv2.k8s.aws", "eks.amazonaws.com"} }

// entrances keeps what lets users into a cluster.
func entrances(Options) topic {
	t := topic{brief: true, retire: true, whole: map[facts.GroupKind]func(*facts.Cluster, runtime.Object){
		{Kind: "Service"}: func(c *facts.Cluster, o runtime.Object) {
			if s, ok := as[*corev1.Service](c, facts.GroupKind{Kind: "Service"}, o); ok {
				addOpenService(c, s)
			}
		},
		{Group: "networking.k8s.io", Kind: "Ingress"}: func(c *facts.Cluster, o runtime.Object) {
			if i, ok := as[*networkingv1.Ingress](c, facts.GroupKind{Group: "networking.k8s.io", Kind: "Ingress"}, o); ok {
				c.Network.Ingresses = append(c.Network.Ingresses, ingressOf(i))
			}
		},
		{Group: "networking.k8s.io", Kind: "IngressClass"}: func(c *facts.Cluster, o runtime.Object) {
			if i, ok := as[*networkingv1.IngressClass](c, facts.GroupKind{Group: "networking.k8s.io", Kind: "IngressClass"}, o); ok {
				set(&c.Network.IngressClasses, i.Name, i.Spec.Controller)
			}
		},
		{Group: gatewayGroup, Kind: "GatewayClass"}: takeCustom(func(c *facts.Cluster, u *unstructured.Unstructured) {
			set(&c.Network.GatewayClasses, u.GetName(), textAt(u.Object, "spec", "controllerName"))
		}),
		{Group: gatewayGroup, Kind: "Gateway"}: takeCustom(func(c *facts.Cluster, u *unstructured.Unstructured) {
			c.Network.Gateways = append(c.Network.Gateways, gatewayOf(u))
		}),
	}}
	for _, kind := range routeKinds() {
		k := facts.GroupKind{Group: gatewayGroup, Kind: kind}
		t.whole[k] = takeCustom(func(c *facts.Cluster, u *unstructured.Unstructured) {
			c.Network.Routes = append(c.Network.Routes, routeOf(k, u))
		})
	}
	for _, group := range bindingGroups() {
		k := facts.GroupKind{Group: group, Kind: "TargetGroupBinding"}
		t.whole[k] = takeCustom(func(c *facts.Cluster, u *unstructured.Unstructured) {
			c.Network.Bindings = append(c.Network.Bindings, bindingOf(k, u))
		})
	}
	return t
}

// takeCustom takes the objects of a kind that client-go doesn't know.
func takeCustom(take func(*facts.Cluster, *unstructured.Unstructured)) func(*facts.Cluster, runtime.Object) {
	return func(c *facts.Cluster, o runtime.Object) {
		if u, ok := o.(*unstructured.Unstructured); ok {
			take(c, u)
		}
	}
}

func addOpenService(c *facts.Cluster, s *corev1.Service) {
	if s.Spec.Type != corev1.ServiceTypeLoadBalancer && s.Spec.Type != corev1.ServiceTypeNodePort {
		return
	}
	out := facts.Service{Name: nameOf(s), Type: string(s.Spec.Type)}
	internal := s.Annotations[serviceInternal]
	out.Internal = s.Annotations[serviceScheme] == "internal" || internal != "" && internal != "false"
	for _, at := range s.Status.LoadBalancer.Ingress {
		out.Addresses = append(out.Addresses, cmp.Or(at.Hostname, at.IP))
	}
	for _, p := range s.Spec.Ports {
		if p.NodePort > 0 {
			out.NodePorts = append(out.NodePorts, int(p.NodePort))
		}
	}
	c.Network.Services = append(c.Network.Services, out)
}

func ingressOf(i *networkingv1.Ingress) facts.Ingress {
	out := facts.Ingress{
		Name: nameOf(i), Class: i.Annotations[ingressClass], TargetType: i.Annotations[ingressTargetType],
		Internal: i.Annotations[ingressScheme] == "internal",
	}
	if i.Spec.IngressClassName != nil {
		out.Class = *i.Spec.IngressClassName
	}
	for _, at := range i.Status.LoadBalancer.Ingress {
		out.Addresses = append(out.Addresses, cmp.Or(at.Hostname, at.IP))
	}
	backend := func(b *networkingv1.IngressBackend) {
		if b != nil && b.Service != nil {
			out.Services = append(out.Services, b.Service.Name)
		}
	}
	backend(i.Spec.DefaultBackend)
	for _, rule := range i.Spec.Rules {
		if rule.Host != "" {
			out.Hosts = append(out.Hosts, rule.Host)
		}
		if rule.HTTP == nil {
			continue
		}
		for p := range rule.HTTP.Paths {
			backend(&rule.HTTP.Paths[p].Backend)
		}
	}
	out.Hosts, out.Services = sortedSet(out.Hosts), sortedSet(out.Services)
	return out
}

func gatewayOf(u *unstructured.Unstructured) facts.Gateway {
	out := facts.Gateway{Name: nameOf(u), Class: textAt(u.Object, "spec", "gatewayClassName")}
	for _, at := range objectsAt(u.Object, "status", "addresses") {
		if value, ok := at["value"].(string); ok && value != "" {
			out.Addresses = append(out.Addresses, value)
		}
	}
	for _, l := range objectsAt(u.Object, "spec", "listeners") {
		if host, ok := l["hostname"].(string); ok && host != "" {
			out.Hosts = append(out.Hosts, host)
		}
	}
	out.Hosts = sortedSet(out.Hosts)
	return out
}

func routeOf(k facts.GroupKind, u *unstructured.Unstructured) facts.Route {
	out := facts.Route{Object: facts.Object{GroupKind: k, Name: nameOf(u)}}
	hosts, _, _ := unstructured.NestedStringSlice(u.Object, "spec", "hostnames")
	out.Hosts = sortedSet(hosts)
	out.Gateways = namesAt(u, objectsAt(u.Object, "spec", "parentRefs"), "Gateway")
	for _, rule := range objectsAt(u.Object, "spec", "rules") {
		out.Services = append(out.Services, namesAt(u, objectsAt(rule, "backendRefs"), "Service")...)
	}
	slices.SortFunc(out.Services, facts.Name.Compare)
	out.Services = slices.Compact(out.Services)
	return out
}

// namesAt gives what references of a route name of one kind, which is the one
// that is meant where none is said.
func namesAt(u *unstructured.Unstructured, references []map[string]any, kind string) []facts.Name {
	var names []facts.Name
	for _, r := range references {
		of, _ := r["kind"].(string)
		name, _ := r["name"].(string)
		namespace, _ := r["namespace"].(string)
		if of == "" || of == kind {
			names = append(names, facts.Name{Namespace: cmp.Or(namespace, u.GetNamespace()), Name: name})
		}
	}
	return names
}

func bindingOf(k facts.GroupKind, u *unstructured.Unstructured) facts.Binding {
	out := facts.Binding{
		Object:   facts.Object{GroupKind: k, Name: nameOf(u)},
		GroupARN: textAt(u.Object, "spec", "targetGroupARN"), GroupName: textAt(u.Object, "spec", "targetGroupName"),
		TargetType: textAt(u.Object, "spec", "targetType"), Service: textAt(u.Object, "spec", "serviceRef", "name"),
	}
	if port, ok, _ := unstructured.NestedFieldNoCopy(u.Object, "spec", "serviceRef", "port"); ok {
		out.Port = fmt.Sprint(port)
	}
	out.Maker = makerOf(u.GetLabels())
	return out
}

// makerOf tells what the aws-load-balancer-controller made a binding for, by the
// labels that it puts on all that belongs to one Ingress, group of Ingresses,
// Service or Gateway.
func makerOf(labels map[string]string) facts.Object {
	kinds := map[string]facts.GroupKind{
		"ingress.": {Group: "networking.k8s.io", Kind: "Ingress"},
		"service.": {Kind: "Service"},
		"gateway.": {Group: gatewayGroup, Kind: "Gateway"},
	}
	for key, name := range labels {
		stack, ok := strings.CutSuffix(key, "/stack-name")
		if !ok {
			continue
		}
		for prefix, kind := range kinds {
			if strings.HasPrefix(stack, prefix) {
				return facts.Object{GroupKind: kind, Name: facts.Name{Namespace: labels[stack+"/stack-namespace"], Name: name}}
			}
		}
	}
	return facts.Object{}
}

func sortedSet(all []string) []string {
	slices.Sort(all)
	return slices.Compact(all)
}
