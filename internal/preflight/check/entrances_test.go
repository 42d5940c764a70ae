package check

import (
	"strings"
	"testing"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

func service(typ string, addresses ...string) facts.Service {
	return facts.Service{Name: nameOf("shop", "api"), Type: typ, Addresses: addresses, NodePorts: []int{30080}}
}

func TestEveryWayIntoBlueIsDeclared(t *testing.T) {
	const otherHost = "k8s-other-9.elb.eu-west-1.amazonaws.com"
	services := func(all ...facts.Service) func(*facts.Facts) {
		return func(f *facts.Facts) { f.Blue.Network.Services = all }
	}
	recorded := func(change func(*facts.Facts)) func(*facts.Facts) {
		return func(f *facts.Facts) { byRecords(f); change(f) }
	}
	const serviceID = "block EntranceNotDeclared/Service/shop/api"
	tell(t, entrances, entrancesCheck(), map[string]story{
		"a load balancer that nobody declared": {
			change: services(service("LoadBalancer", otherHost)), want: []string{serviceID},
			says: "Service shop/api of blue has the load balancer " + otherHost + ", and no traffic entry of the pair leads there: its users would stay on blue",
		},
		"an internal one has users too": {
			change: func(f *facts.Facts) {
				s := service("LoadBalancer", otherHost)
				s.Internal = true
				f.Blue.Network.Services = []facts.Service{s}
			},
			want: []string{serviceID}, says: "it is internal, but whoever comes by it would stay on blue",
		},
		"one that has no address yet": {change: services(service("LoadBalancer")), want: []string{serviceID}, says: "doesn't name yet"},
		"the load balancer of the declared rule, in any writing": {
			change: services(service("LoadBalancer", "dualstack."+strings.ToUpper(usersHost)+".")),
		},
		"one that a record of blue leads to": {change: recorded(services(service("LoadBalancer", "DUALSTACK."+blueHost+".")))},
		"one that a record of green leads to": {
			change: recorded(services(service("LoadBalancer", greenHost))), want: []string{serviceID},
		},
		"one by its address": {
			change: recorded(func(f *facts.Facts) {
				f.Traffic.Entrances[0].Records[0].Targets = []string{"192.0.2.7"}
				f.Traffic.Entrances[0].Records[0].Balancers = nil
				f.Blue.Network.Bindings, f.Green.Network.Bindings = nil, nil
				f.Blue.Network.Services = []facts.Service{service("LoadBalancer", "192.0.2.7")}
			}),
		},
		"one that people declared": {change: func(f *facts.Facts) {
			f.Blue.Network.Services = []facts.Service{service("LoadBalancer", otherHost)}
			f.Settings.Entrances = []facts.Object{{GroupKind: facts.GroupKind{Kind: "Service"}, Name: nameOf("shop", "api")}}
			f.Blue.Objects[facts.GroupKind{Kind: "Service"}][nameOf("shop", "api")] = struct{}{}
		}},
		"what people declared isn't there": {
			change: func(f *facts.Facts) {
				f.Settings.Entrances = []facts.Object{{GroupKind: facts.GroupKind{Kind: "Service"}, Name: nameOf("shop", "gone")}}
			},
			want: []string{"note DeclaredEntranceMissing/Service/shop/gone"},
		},
		"what people declared can't be read": {change: func(f *facts.Facts) {
			f.Settings.Entrances = []facts.Object{{GroupKind: facts.GroupKind{Kind: "Service"}, Name: nameOf("shop", "gone")}}
			delete(f.Blue.Objects, facts.GroupKind{Kind: "Service"})
		}},
		"a load balancer of its own in front of bound pods": {
			change: func(f *facts.Facts) {
				s := service("LoadBalancer", otherHost)
				s.Name = nameOf("ingress", "nginx")
				f.Blue.Network.Services = []facts.Service{s}
			},
			want: []string{"block EntranceNotDeclared/Service/ingress/nginx"},
		},
		"node ports that nobody declared": {change: services(service("NodePort")), want: []string{serviceID}, says: "open on the node ports 30080"},
		"node ports behind a binding of instances": {change: func(f *facts.Facts) {
			s := service("NodePort")
			s.Name = nameOf("ingress", "nginx")
			f.Blue.Network.Services = []facts.Service{s}
			f.Blue.Network.Bindings[0].TargetType = "instance"
		}},
		"node ports beside a binding of pods": {
			change: func(f *facts.Facts) {
				s := service("NodePort")
				s.Name = nameOf("ingress", "nginx")
				f.Blue.Network.Services = []facts.Service{s}
			},
			want: []string{"warn NodePortOpen/Service/ingress/nginx"}, says: "TargetGroupBinding.elbv2.k8s.aws ingress/users goes to its pods directly",
		},
		"node ports of nodes that are registered by hand": {change: func(f *facts.Facts) {
			f.Blue.Network.Services = []facts.Service{service("NodePort")}
			g := f.Traffic.Groups[blueGroup]
			g.TargetType, g.Port, g.TargetPorts = "instance", 80, []int{30080}
			f.Traffic.Groups[blueGroup] = g
		}},
		"node ports behind an Ingress of a load balancer": {change: recorded(func(f *facts.Facts) {
			f.Blue.Network.Services = []facts.Service{service("NodePort")}
			f.Blue.Network.Ingresses = []facts.Ingress{{Name: nameOf("shop", "api"), Class: "public", Addresses: []string{blueHost}, Services: []string{"api"}}}
		})},
		"node ports behind a route": {
			change: func(f *facts.Facts) {
				f.Blue.Network.Services = []facts.Service{service("NodePort")}
				f.Blue.Network.Routes = []facts.Route{{
					Object:   facts.Object{GroupKind: facts.GroupKind{Group: "gateway.networking.k8s.io", Kind: "HTTPRoute"}, Name: nameOf("shop", "api")},
					Services: []facts.Name{nameOf("shop", "api")},
				}}
			},
			want: []string{"warn NodePortOpen/Service/shop/api"},
		},
	})
}

func TestEveryIngressGatewayAndBindingOfBlueIsDeclared(t *testing.T) {
	const otherHost = "internal-k8s-other-9.eu-west-1.elb.amazonaws.com"
	ingresses := func(all ...facts.Ingress) func(*facts.Facts) {
		return func(f *facts.Facts) { f.Blue.Network.Ingresses = all }
	}
	gateways := func(all ...facts.Gateway) func(*facts.Facts) {
		return func(f *facts.Facts) { f.Blue.Network.Gateways = all }
	}
	const ingressID, gatewayID = "block EntranceNotDeclared/Ingress.networking.k8s.io/shop/admin", "block EntranceNotDeclared/Gateway.gateway.networking.k8s.io/shop/gw"
	admin, gw := nameOf("shop", "admin"), nameOf("shop", "gw")
	tell(t, entrances, entrancesCheck(), map[string]story{
		"an Ingress with a load balancer of its own": {
			change: ingresses(facts.Ingress{Name: admin, Class: "public", Addresses: []string{otherHost}}), want: []string{ingressID}, says: "it is internal",
		},
		"one that asks for a load balancer":    {change: ingresses(facts.Ingress{Name: admin, Class: "public"}), want: []string{ingressID}},
		"one by the older annotation":          {change: ingresses(facts.Ingress{Name: admin, Class: "alb"}), want: []string{ingressID}},
		"one of the controller in the cluster": {change: ingresses(facts.Ingress{Name: admin, Class: "nginx"})},
		"one with the address of the cluster":  {change: ingresses(facts.Ingress{Name: admin, Class: "nginx", Addresses: []string{"172.20.1.2"}})},
		"one with the declared load balancer":  {change: ingresses(facts.Ingress{Name: admin, Class: "public", Addresses: []string{usersHost}})},
		"one that nothing of the cluster bears": {
			change: func(f *facts.Facts) {
				f.Blue.Network = facts.Network{Ingresses: []facts.Ingress{{Name: admin, Class: "nginx"}}}
			},
			want: []string{ingressID}, says: "by none of blue's Services and TargetGroupBindings",
		},
		"one whose controller has an undeclared Service is said once": {
			change: func(f *facts.Facts) {
				f.Blue.Network.Ingresses = []facts.Ingress{{Name: admin, Class: "nginx", Addresses: []string{otherHost}}}
				f.Blue.Network.Services = []facts.Service{service("LoadBalancer", otherHost)}
			},
			want: []string{"block EntranceNotDeclared/Service/shop/api"},
		},
		"a Gateway with a load balancer of its own": {change: gateways(facts.Gateway{Name: gw, Addresses: []string{otherHost}}), want: []string{gatewayID}},
		"a Gateway without an address":              {change: gateways(facts.Gateway{Name: gw}), want: []string{gatewayID}, says: "names no address yet"},
		"a Gateway of the mesh":                     {change: gateways(facts.Gateway{Name: gw, Addresses: []string{"waypoint.shop.svc.cluster.local"}})},
		"a Gateway by a Service":                    {change: gateways(facts.Gateway{Name: gw, Addresses: []string{"10.2.3.4"}})},
		"a Gateway that is declared":                {change: gateways(facts.Gateway{Name: gw, Addresses: []string{usersHost}})},
		"a binding of another target group": {
			change: func(f *facts.Facts) {
				f.Blue.Network.Bindings = append(f.Blue.Network.Bindings, facts.Binding{
					Object: facts.Object{GroupKind: bindingKind(), Name: admin}, GroupName: "admin-blue", Service: "admin",
				})
			},
			want: []string{"block EntranceNotDeclared/TargetGroupBinding.elbv2.k8s.aws/shop/admin"}, says: "serves the target group admin-blue",
		},
		"a binding by the group's name": {change: func(f *facts.Facts) {
			f.Blue.Network.Bindings[0].GroupARN, f.Blue.Network.Bindings[0].GroupName = "", "shop-blue"
		}},
		"a binding behind a record": {change: byRecords},
		"a binding that a controller made": {
			change: func(f *facts.Facts) {
				f.Blue.Network.Ingresses = []facts.Ingress{{Name: admin, Class: "public", Addresses: []string{otherHost}}}
				f.Blue.Network.Bindings = append(f.Blue.Network.Bindings, facts.Binding{
					Object: facts.Object{GroupKind: bindingKind(), Name: nameOf("shop", "k8s-shop-admin")}, GroupARN: arnHead + "targetgroup/k8s-x/9",
					Maker: facts.Object{GroupKind: facts.GroupKind{Group: "networking.k8s.io", Kind: "Ingress"}, Name: admin},
				})
			},
			want: []string{ingressID},
		},
		"a binding with labels that were copied": {
			change: func(f *facts.Facts) {
				f.Blue.Network.Bindings = append(f.Blue.Network.Bindings, facts.Binding{
					Object: facts.Object{GroupKind: bindingKind(), Name: admin}, GroupARN: arnHead + "targetgroup/admin/9",
					Maker: facts.Object{GroupKind: facts.GroupKind{Kind: "Service"}, Name: admin},
				})
			},
			want: []string{"block EntranceNotDeclared/TargetGroupBinding.elbv2.k8s.aws/shop/admin"},
		},
		"it isn't known where the records lead": {
			change: func(f *facts.Facts) {
				byRecords(f)
				f.Traffic.Entrances[0].Known, f.Traffic.Entrances[0].Records = false, nil
				f.Blue.Network.Services = []facts.Service{service("LoadBalancer", blueHost)}
			},
			want: []string{"block EntrancesNotMatched/Cluster/blue"}, says: "these ways into blue can't be matched: Service shop/api, TargetGroupBinding.elbv2.k8s.aws ingress/users",
		},
		"AWS wasn't asked": {
			change: func(f *facts.Facts) {
				f.Traffic = facts.Traffic{Fault: "no credentials"}
				f.Blue.Network.Services = []facts.Service{service("LoadBalancer", blueHost)}
			},
			want: []string{"block EntrancesNotMatched/Cluster/blue"},
		},
		"the load balancer behind the records can't be seen": {
			change: func(f *facts.Facts) {
				byRecords(f)
				f.Traffic.Balancers = nil
				for i := range f.Traffic.Entrances[0].Records {
					f.Traffic.Entrances[0].Records[i].Balancers = nil
				}
				f.Blue.Network.Services = []facts.Service{service("LoadBalancer", blueHost)} // by its name
			},
			want: []string{"block EntrancesNotMatched/Cluster/blue"}, says: "can't be matched: TargetGroupBinding.elbv2.k8s.aws ingress/users",
		},
	})
}

func TestHostsThatBlueServesAreDeclared(t *testing.T) {
	hosts := func(all ...string) func(*facts.Facts) {
		return func(f *facts.Facts) {
			byRecords(f)
			f.Blue.Network.Ingresses[0].Hosts = all
		}
	}
	tell(t, entrances, entrancesCheck(), map[string]story{
		"a host that no record has": {
			change: hosts("Admin.example.com"), want: []string{"warn HostNotDeclared/Host/admin.example.com"},
			says: "Ingress.networking.k8s.io shop/web of blue serves the host admin.example.com, which no declared entrance has (they have *.eu.example.com, shop.example.com)",
		},
		"hosts below a wildcard, and others that aren't names of users": {change: hosts("a.eu.example.com", "b.c.eu.example.com", "*.x.eu.example.com", "localhost", "web.shop.svc.cluster.local")},
		"the name that the wildcard is of":                              {change: hosts("eu.example.com"), want: []string{"warn HostNotDeclared/Host/eu.example.com"}},
		"a wildcard above what is declared":                             {change: hosts("*.example.com"), want: []string{"warn HostNotDeclared/Host/*.example.com"}},
		"a route's host, said once": {
			change: func(f *facts.Facts) {
				hosts("shop.example.com")(f)
				k := facts.GroupKind{Group: "gateway.networking.k8s.io", Kind: "HTTPRoute"}
				for _, name := range []string{"a", "b"} {
					f.Blue.Network.Routes = append(f.Blue.Network.Routes, facts.Route{Object: facts.Object{GroupKind: k, Name: nameOf("shop", name)}, Hosts: []string{"www.example.com"}})
				}
			},
			want: []string{"warn HostNotDeclared/Host/www.example.com"}, says: "shop/a, HTTPRoute.gateway.networking.k8s.io shop/b of blue",
		},
		"a route of a Gateway that people declared": {change: func(f *facts.Facts) {
			hosts("shop.example.com")(f)
			gateway := facts.Object{GroupKind: facts.GroupKind{Group: "gateway.networking.k8s.io", Kind: "Gateway"}, Name: nameOf("shop", "inner")}
			f.Settings.Entrances = []facts.Object{gateway}
			f.Blue.Objects[gateway.GroupKind] = map[facts.Name]struct{}{gateway.Name: {}}
			f.Blue.Network.Gateways = []facts.Gateway{{Name: gateway.Name, Hosts: []string{"inner.example.com"}}}
			f.Blue.Network.Routes = []facts.Route{{Gateways: []facts.Name{gateway.Name}, Hosts: []string{"search.example.com"}}}
		}},
		"hosts of a rule, without any record, say nothing": {change: func(f *facts.Facts) { f.Blue.Network.Ingresses[0].Hosts = []string{"admin.example.com"} }},
		"a rule without hosts takes all": {change: func(f *facts.Facts) {
			rule := f.Traffic
			byRecords(f)
			f.Blue.Network.Ingresses[0].Hosts = []string{"admin.example.com"}
			f.Traffic.Entrances = append(f.Traffic.Entrances, rule.Entrances[0])
			b := rule.Balancers[users]
			b.Listeners[0].Rules[1].Hosts = nil
			f.Traffic.Balancers[users] = b
		}},
	})
}

func TestGreensTargetsAreBoundToGreensGroup(t *testing.T) {
	const otherSide = "block TargetGroupOfOtherSide/TargetGroupBinding.elbv2.k8s.aws/ingress/users/green"
	const notBound = "block GreenTargetsNotBound/TargetGroupBinding.elbv2.k8s.aws/ingress/users/"
	tell(t, entrances, entrancesCheck(), map[string]story{
		"green has no binding": {change: func(f *facts.Facts) { f.Green.Network.Bindings = nil }, want: []string{notBound + "alb"}},
		"green doesn't know bindings": {
			change: func(f *facts.Facts) {
				f.Green.Network.Bindings, f.Green.Kinds = nil, nil
				delete(f.Green.Objects, bindingKind())
			},
			want: []string{notBound + "alb"},
		},
		"green's bindings can't be read": {change: func(f *facts.Facts) {
			f.Green.Network.Bindings = nil
			delete(f.Green.Objects, bindingKind())
		}},
		"green can't be read": {change: func(f *facts.Facts) { f.Green = facts.Cluster{Side: shift.Green, Fault: "nobody answers"} }},
		"green's binding is a copy of blue's": {
			change: func(f *facts.Facts) { f.Green.Network.Bindings[0].GroupARN = blueGroup },
			want:   []string{notBound + "alb", otherSide},
		},
		"green's binding behind a record is a copy of blue's": {
			change: func(f *facts.Facts) { byRecords(f); f.Green.Network.Bindings[0].GroupARN = blueGroup },
			want:   []string{notBound + "dns", otherSide},
		},
		"green's binding is of another Service": {
			change: func(f *facts.Facts) { f.Green.Network.Bindings[0].Service = "other" },
			want:   []string{"warn GreenTargetsOfOtherService/TargetGroupBinding.elbv2.k8s.aws/ingress/users/alb"},
			says:   "Service ingress/nginx port 80 in blue and to Service ingress/other port 80 in green",
		},
		"blue's pods are registered by something else": {change: func(f *facts.Facts) { f.Blue.Network.Bindings, f.Green.Network.Bindings = nil, nil }, want: []string{
			"block EntranceNotDeclared/Ingress.networking.k8s.io/shop/web",
		}},
	})
}
