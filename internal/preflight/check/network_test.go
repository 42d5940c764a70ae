package check

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/internal/preflight/finding"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

const (
	arnHead    = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:"
	users      = arnHead + "loadbalancer/app/users/1"
	usersHost  = "users-1.eu-west-1.elb.amazonaws.com"
	listener   = arnHead + "listener/app/users/1/1"
	usersRule  = arnHead + "listener-rule/app/users/1/1/1"
	blueGroup  = arnHead + "targetgroup/shop-blue/1"
	greenGroup = arnHead + "targetgroup/shop-green/2"
	blueHost   = "k8s-blue-1.elb.eu-west-1.amazonaws.com"
	greenHost  = "k8s-green-1.elb.eu-west-1.amazonaws.com"
)

func nameOf(namespace, name string) facts.Name { return facts.Name{Namespace: namespace, Name: name} }

func bindingKind() facts.GroupKind {
	return facts.GroupKind{Group: "elbv2.k8s.aws", Kind: "TargetGroupBinding"}
}

func bindingTo(group string) facts.Binding {
	return facts.Binding{
		Object:   facts.Object{GroupKind: bindingKind(), Name: nameOf("ingress", "users")},
		GroupARN: group, TargetType: "ip", Service: "nginx", Port: "80",
	}
}

// aPair are two clusters that are alike: a load balancer's rule splits users
// between two target groups, to which each cluster binds its ingress controller,
// and green is tried at a listener of its own.
func aPair() *facts.Facts {
	at := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	healthy := shift.Targets{Known: true, Healthy: 2, Total: 2}
	f := &facts.Facts{
		Pair: "shop", Scope: facts.Full, At: at,
		Settings: facts.Settings{Probes: []facts.Probe{{
			Name: "front", Kind: "http", Address: "green.internal:8443", URL: "https://green.internal:8443/healthz", Host: "shop.example.com", Addresses: []string{"10.0.0.7"},
		}}},
		Traffic: facts.Traffic{
			Steps: []shift.Step{{Share: 10, Hold: 10 * time.Minute}, {Share: 100, Hold: 30 * time.Minute}},
			Entrances: []facts.Entrance{{
				Entrance: shift.Entrance{Name: "alb", Balancer: &shift.BalancerEntrance{
					RuleARN: usersRule, BlueTargetGroupARN: blueGroup, GreenTargetGroupARN: greenGroup, MinHealthyTargets: 1, MinHealthyPerZone: 1,
				}},
				Reading: shift.EntranceReading{Name: "alb", At: at, InSync: true, Weights: shift.Weights{Blue: 100}, BlueTargets: healthy, GreenTargets: healthy},
				Known:   true,
			}},
			Balancers: map[string]facts.Balancer{users: {
				ARN: users, DNSName: usersHost, Addresses: []string{"10.0.0.7", "10.0.0.8"}, Groups: []string{blueGroup, greenGroup}, Known: true,
				Listeners: []facts.Listener{
					{ARN: listener, Protocol: "HTTPS", Port: 443, Rules: []facts.ListenerRule{
						{ARN: listener, Default: true},
						{ARN: usersRule, Hosts: []string{"shop.example.com"}, Forwards: []facts.Forward{{Group: blueGroup, Weight: 100}, {Group: greenGroup}}},
					}},
					{ARN: listener + "t", Protocol: "HTTPS", Port: 8443, Rules: []facts.ListenerRule{{ARN: listener + "t", Default: true, Forwards: []facts.Forward{{Group: greenGroup, Weight: 1}}}}},
				},
			}},
			Groups: map[string]facts.TargetGroup{
				blueGroup:  {ARN: blueGroup, Name: "shop-blue", TargetType: "ip", Port: 80, Settings: map[string]string{"HealthCheckPath": "/healthz", "slow_start.duration_seconds": "0"}},
				greenGroup: {ARN: greenGroup, Name: "shop-green", TargetType: "ip", Port: 80, Settings: map[string]string{"HealthCheckPath": "/healthz"}},
			},
		},
	}
	for _, side := range []shift.Side{shift.Blue, shift.Green} {
		c := f.Side(side)
		group := map[shift.Side]string{shift.Blue: blueGroup, shift.Green: greenGroup}[side]
		c.Side, c.Name = side, "shop-"+string(side)
		c.Kinds = []facts.Kind{{GroupKind: bindingKind(), Version: "v1beta1", Resource: "targetgroupbindings", Namespaced: true}}
		c.Objects = map[facts.GroupKind]map[facts.Name]struct{}{
			bindingKind():                                 {nameOf("ingress", "users"): {}},
			{Kind: "Service"}:                             {nameOf("ingress", "nginx"): {}},
			{Group: "apps", Kind: "Deployment"}:           {nameOf("shop", "queue"): {}},
			{Group: "networking.k8s.io", Kind: "Ingress"}: {nameOf("shop", "web"): {}},
		}
		c.Network = facts.Network{
			IngressClasses: map[string]string{"nginx": "k8s.io/ingress-nginx", "public": "ingress.k8s.aws/alb"},
			Ingresses:      []facts.Ingress{{Name: nameOf("shop", "web"), Class: "nginx", Addresses: []string{"10.9.9.9"}, Hosts: []string{"shop.example.com"}, Services: []string{"web"}}},
			Bindings:       []facts.Binding{bindingTo(group)},
			Jobs:           []facts.CronJob{{Name: nameOf("shop", "clean"), Schedule: "@daily", Suspended: side == shift.Green}},
			Controllers: []facts.OutsideController{{
				Object:  facts.Object{GroupKind: facts.GroupKind{Group: "apps", Kind: "Deployment"}, Name: nameOf("kube-system", "aws-load-balancer-controller")},
				Program: facts.LoadBalancers, Settings: map[string][]string{"cluster-name": {"shop-" + string(side)}},
			}},
		}
	}
	return f
}

// byRecords makes the pair's entrance one of Route 53, whose records lead to
// blue's and green's own load balancers.
func byRecords(f *facts.Facts) {
	reading := f.Traffic.Entrances[0].Reading
	reading.Name, reading.TTL = "dns", time.Minute
	const blueBalancer, greenBalancer = arnHead + "loadbalancer/net/k8s-blue/1", arnHead + "loadbalancer/net/k8s-green/1"
	f.Traffic.Entrances = []facts.Entrance{{
		Entrance: shift.Entrance{Name: "dns", Route53: &shift.Route53Entrance{
			HostedZoneID: "Z1", Names: []string{"shop.example.com", "*.eu.example.com"}, Types: []string{"A"}, BlueSetIdentifier: "blue", GreenSetIdentifier: "green",
		}},
		Reading: reading, Known: true,
		Records: []facts.Record{
			{Name: "shop.example.com", Type: "A", Side: shift.Blue, SetIdentifier: "blue", Weight: 100, Targets: []string{blueHost}, Evaluates: true, Balancers: []string{blueBalancer}},
			{Name: "shop.example.com", Type: "A", Side: shift.Green, SetIdentifier: "green", Targets: []string{greenHost}, Evaluates: true, Balancers: []string{greenBalancer}},
		},
	}}
	healthy := shift.Targets{Known: true, Healthy: 2, Total: 2}
	f.Traffic.Balancers = map[string]facts.Balancer{
		blueBalancer:  {ARN: blueBalancer, DNSName: blueHost, Network: true, Groups: []string{blueGroup}, Known: true},
		greenBalancer: {ARN: greenBalancer, DNSName: greenHost, Network: true, Groups: []string{greenGroup}, Known: true},
	}
	for arn, g := range f.Traffic.Groups {
		g.Targets = healthy
		f.Traffic.Groups[arn] = g
	}
	f.Settings.Probes[0].Address = greenHost + ":443"
}

// story is what is changed of the pair, and the findings that come of it, each
// as "severity id".
type story struct {
	change func(*facts.Facts)
	want   []string
	// says is a part of the first finding's message.
	says string
}

func tell(t *testing.T, run func(*facts.Facts) []finding.Finding, check Check, stories map[string]story) {
	t.Helper()
	explained := map[finding.Code]bool{}
	for _, c := range check.Codes {
		explained[c.Code] = true
	}
	for name, s := range stories {
		t.Run(name, func(t *testing.T) {
			f := aPair()
			if s.change != nil {
				s.change(f)
			}
			found := finding.Waive(run(f), nil, f.At)
			var got []string
			for _, x := range found {
				got = append(got, string(x.Severity)+" "+x.ID)
				if x.Message == "" || x.Do == "" || !explained[x.Code] {
					t.Errorf("it says too little, or its code isn't explained: %+v", x)
				}
			}
			if diff := cmp.Diff(s.want, got); diff != "" {
				t.Errorf("findings (-want +got):\n%s\n%+v", diff, found)
			}
			if s.says != "" && (len(found) == 0 || !strings.Contains(found[0].Message, s.says)) {
				t.Errorf("it doesn't say %q: %+v", s.says, found)
			}
		})
	}
}

// Nothing of two clusters that are alike is a finding, however users come.
func TestTwoClustersThatAreAlikeHaveNoFindingsOfEntrances(t *testing.T) {
	for name, change := range map[string]func(*facts.Facts){"by a rule": func(*facts.Facts) {}, "by records": byRecords} {
		f := aPair()
		change(f)
		for _, c := range []Check{entrancesCheck(), singletonsCheck(), trafficCheck()} {
			if found := c.Run(f); len(found) > 0 {
				t.Errorf("%s: the check %s found %+v", name, c.Name, found)
			}
		}
	}
}
