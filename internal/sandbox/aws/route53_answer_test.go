package aws_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	r53types "github.com/aws/aws-sdk-go-v2/service/route53/types"
	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/aws"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/edge"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/routing"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/vnet"
)

// addresses of the load balancers web-blue and web-green.
const (
	blueV4, greenV4 = "192.0.2.10", "192.0.2.20"
	blueV6, greenV6 = "2001:db8::10", "2001:db8::20"
)

func addresses() aws.Options {
	pick := func(blue, green string) func(string) string {
		return func(name string) string {
			return map[string]string{"web-blue": blue, "web-green": green}[name]
		}
	}
	return aws.Options{LoadBalancerAddress: pick(blueV4, greenV4), LoadBalancerIPv6: pick(blueV6, greenV6)}
}

// served is a named world with a name server in front of it.
type served struct {
	named
	dns string // its address
}

func serve(t *testing.T, n named) served {
	t.Helper()
	e, err := edge.Start(edge.Options{
		Records: n.Cloud, LoadBalancers: noBalancers{}, Reports: n.Cloud, Network: vnet.New(),
		Rand: rand.New(rand.NewPCG(1, 2)), Refresh: time.Hour,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(t.Context()); err != nil {
			t.Logf("closing the edge: %v", err)
		}
	})
	return served{named: n, dns: e.DNSAddress()}
}

// noBalancers keeps the edge to its name server.
type noBalancers struct{}

func (noBalancers) Listeners() []routing.Listener       { return nil }
func (noBalancers) TargetGroups() []routing.TargetGroup { return nil }

func (s served) ask(t *testing.T, name string, typ uint16) *dns.Msg {
	t.Helper()
	answer, _, err := new(dns.Client).ExchangeContext(t.Context(), new(dns.Msg).SetQuestion(name, typ), s.dns)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// shares asks often and returns how large a part each last word of an answer had.
func (s served) shares(t *testing.T, name string) map[string]float64 {
	t.Helper()
	const questions = 1000
	got := map[string]float64{}
	for range questions {
		for _, rr := range s.ask(t, name, dns.TypeA).Answer {
			fields := strings.Fields(rr.String())
			got[fields[len(fields)-1]] += 1.0 / questions
		}
	}
	return got
}

// TestAnswersFollowWeightAndHealth asks the name server after what the API was
// told. Route 53 developer guide, health-checks-how-route-53-chooses-records.
func TestAnswersFollowWeightAndHealth(t *testing.T) {
	const one, two, three = "192.0.2.1", "192.0.2.2", "192.0.2.3"
	type m struct {
		weight  int64
		checked bool
		fails   bool
	}
	for name, c := range map[string]struct {
		members [3]m
		want    map[string]float64
	}{
		"by weight":                            {[3]m{{weight: 1}, {weight: 3}, {weight: 0}}, map[string]float64{one: 0.25, two: 0.75}},
		"all zero means even":                  {[3]m{{}, {}, {}}, map[string]float64{one: 1.0 / 3, two: 1.0 / 3, three: 1.0 / 3}},
		"all zero and one unhealthy":           {[3]m{{checked: true, fails: true}, {}, {}}, map[string]float64{two: 0.5, three: 0.5}},
		"an unhealthy member is left out":      {[3]m{{weight: 200, checked: true, fails: true}, {weight: 1}, {weight: 1}}, map[string]float64{two: 0.5, three: 0.5}},
		"a healthy check changes nothing":      {[3]m{{weight: 1, checked: true}, {weight: 1, checked: true}, {}}, map[string]float64{one: 0.5, two: 0.5}},
		"zero weights when no other is well":   {[3]m{{weight: 9, checked: true, fails: true}, {weight: 0}, {weight: 0}}, map[string]float64{two: 0.5, three: 0.5}},
		"zero weights that are unhealthy too":  {[3]m{{weight: 9, checked: true, fails: true}, {checked: true, fails: true}, {weight: 0}}, map[string]float64{three: 1}},
		"all unhealthy means all are healthy":  {[3]m{{weight: 1, checked: true, fails: true}, {weight: 3, checked: true, fails: true}, {checked: true, fails: true}}, map[string]float64{one: 0.25, two: 0.75}},
		"a zero weight isn't a share of a sum": {[3]m{{weight: 0}, {weight: 255}, {weight: 0, checked: true}}, map[string]float64{two: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := served{named: named{world: newWorld(t, aws.Options{})}}
			n.zone = n.world.zone(t, "example.com")
			n.dns = serve(t, n.named).dns
			var batch []r53types.Change
			for i, member := range c.members {
				id := fmt.Sprintf("m%d", i)
				set := weighted("app.example.com", id, member.weight, fmt.Sprintf("192.0.2.%d", i+1))
				if member.checked {
					check := n.healthCheck(t, id)
					set = checked(set, check)
					if err := n.SetHealthCheck(check, !member.fails); err != nil {
						t.Fatal(err)
					}
				}
				batch = append(batch, create(set))
			}
			if err := n.change(t, n.zone, batch...); err != nil {
				t.Fatal(err)
			}
			expectShares(t, c.want, n.shares(t, "app.example.com."))
		})
	}
}

func expectShares(t *testing.T, want, got map[string]float64) {
	t.Helper()
	for value, share := range want {
		bound := 5*math.Sqrt(share*(1-share)/1000) + 1e-9 // five standard deviations
		if math.Abs(got[value]-share) > bound {
			t.Errorf("%s was answered at %.3f, want %.3f ± %.3f", value, got[value], share, bound)
		}
	}
	if len(got) != len(want) {
		t.Errorf("answers %v, want only %v", got, want)
	}
}

// TestAliasesFollowTheirTargets: what a name is answered with that leads
// elsewhere.
func TestAliasesFollowTheirTargets(t *testing.T) {
	n := newNamed(t, addresses())
	own := func(name, typ, target string) r53types.Change {
		return create(alias(name, typ, n.zone, target))
	}
	err := n.change(t, n.zone,
		create(alias("example.com", "A", n.elbZone, n.blueName)),
		create(alias("six.example.com", "AAAA", n.elbZone, "dualstack."+n.greenName)),
		own("www2.example.com", "A", "www.example.com"),
		own("www3.example.com", "A", "www2.example.com"),
		own("cname.example.com", "CNAME", "alias.example.com"),
		create(simple("elb.example.com", "CNAME", n.greenName)),
		create(simple("*.wild.example.com", "A", "192.0.2.77")),
		own("star.example.com", "A", "*.wild.example.com"),
	)
	if err != nil {
		t.Fatal(err)
	}
	s := serve(t, n)
	soa := n.blueName[strings.Index(n.blueName, ".")+1:] + ". SOA"
	for name, c := range map[string]struct {
		name  string
		typ   uint16
		rcode int
		want  []string
	}{
		"a load balancer at the apex":              {"example.com.", dns.TypeA, 0, []string{"example.com. 60 A " + blueV4}},
		"a load balancer's IPv6 address":           {"six.example.com.", dns.TypeAAAA, 0, []string{"six.example.com. 60 AAAA " + greenV6}},
		"no IPv4 address of an AAAA alias":         {"six.example.com.", dns.TypeA, 0, nil},
		"a simple record of the zone":              {"www2.example.com.", dns.TypeA, 0, []string{"www2.example.com. 60 A 192.0.2.10", "www2.example.com. 60 A 192.0.2.11"}},
		"an alias of an alias, as it was asked":    {"WWW3.example.com.", dns.TypeA, 0, []string{"WWW3.example.com. 60 A 192.0.2.10", "WWW3.example.com. 60 A 192.0.2.11"}},
		"an alias of a CNAME":                      {"cname.example.com.", dns.TypeA, 0, []string{"cname.example.com. 60 CNAME www.example.com.", "www.example.com. 60 A 192.0.2.10", "www.example.com. 60 A 192.0.2.11"}},
		"a CNAME to a load balancer":               {"elb.example.com.", dns.TypeA, 0, []string{"elb.example.com. 60 CNAME " + n.greenName + ".", n.greenName + ". 60 A " + greenV4}},
		"a CNAME to a load balancer by IPv6":       {"elb.example.com.", dns.TypeAAAA, 0, []string{"elb.example.com. 60 CNAME " + n.greenName + ".", n.greenName + ". 60 AAAA " + greenV6}},
		"a load balancer's own name":               {n.blueName + ".", dns.TypeA, 0, []string{n.blueName + ". 60 A " + blueV4}},
		"its name with dualstack":                  {"dualstack." + n.blueName + ".", dns.TypeA, 0, []string{"dualstack." + n.blueName + ". 60 A " + blueV4}},
		"a load balancer that there isn't":         {"gone-1." + strings.TrimSuffix(soa, " SOA"), dns.TypeA, dns.RcodeNameError, nil},
		"a network load balancer that there isn't": {"gone-1.elb.ap-northeast-1.amazonaws.com.", dns.TypeA, dns.RcodeNameError, nil},
		"the zone of load balancers' names":        {strings.TrimSuffix(soa, " SOA"), dns.TypeA, 0, nil},
		"an alias of a wildcard":                   {"star.example.com.", dns.TypeA, 0, []string{"star.example.com. 60 A 192.0.2.77"}},
		"a type that the target's group has not":   {"www2.example.com.", dns.TypeTXT, 0, nil},
	} {
		t.Run(name, func(t *testing.T) {
			answer := s.ask(t, c.name, c.typ)
			var got []string
			for _, rr := range answer.Answer {
				got = append(got, strings.ReplaceAll(strings.ReplaceAll(rr.String(), "\tIN", ""), "\t", " "))
			}
			if diff := cmp.Diff(c.want, got); diff != "" || answer.Rcode != c.rcode {
				t.Errorf("%s (-want +got):\n%s", dns.RcodeToString[answer.Rcode], diff)
			}
			if len(c.want) == 0 && (len(answer.Ns) != 1 || answer.Ns[0].Header().Rrtype != dns.TypeSOA) {
				t.Errorf("a negative answer without SOA: %v", answer.Ns)
			}
		})
	}
	expectShares(t, map[string]float64{blueV4: 0.9, greenV4: 0.1}, s.shares(t, "app.example.com."))
}

// TestAliasesEvaluateTheirTargets: the load balancer's health decides by each of
// its target groups, idle ones included.
func TestAliasesEvaluateTheirTargets(t *testing.T) {
	type state = routing.State
	for name, c := range map[string]struct {
		blue, idle []state // of the targets of blue's two groups
		fails      bool    // green's health check
		off        bool    // EvaluateTargetHealth of blue
		want       []string
	}{
		"all is well":                            {blue: []state{routing.Healthy}, idle: []state{routing.Healthy}, want: []string{"blue"}},
		"one of two targets is enough":           {blue: []state{routing.Healthy, routing.Unhealthy}, idle: []state{routing.Healthy}, want: []string{"blue"}},
		"no healthy target":                      {blue: []state{routing.Unhealthy}, idle: []state{routing.Healthy}, want: []string{"green"}},
		"no target was checked yet":              {blue: []state{routing.Initial}, idle: []state{routing.Healthy}, want: []string{"green"}},
		"another group of it has no healthy one": {blue: []state{routing.Healthy}, idle: []state{routing.Unhealthy}, want: []string{"green"}},
		"another group of it is empty":           {blue: []state{routing.Healthy}, want: []string{"green"}},
		"nobody looks at the target":             {off: true, want: []string{"blue"}},
		"neither is healthy":                     {fails: true, want: []string{"blue"}},
	} {
		t.Run(name, func(t *testing.T) {
			n := newNamed(t, addresses())
			blue := must[*elbv2.DescribeLoadBalancersOutput](t)(n.elb.DescribeLoadBalancers(t.Context(), &elbv2.DescribeLoadBalancersInput{Names: []string{"web-blue"}}))
			groups := map[string][]state{"main": c.blue, "idle": c.idle}
			arns := map[string]string{}
			for group, targets := range groups {
				var ips []string
				for i := range targets {
					ips = append(ips, fmt.Sprintf("10.0.0.%d", i+1))
				}
				arns[group] = n.group(t, group, ips...)
			}
			n.listener(t, *blue.LoadBalancers[0].LoadBalancerArn, 80, forward(share{arns["main"], 100}, share{arns["idle"], 0}))
			for group, targets := range groups {
				for i, s := range targets {
					n.SetTargetHealth(arns[group], fmt.Sprintf("10.0.0.%d", i+1), 8080, s, "")
				}
			}
			err := n.change(t, n.zone,
				upsert(withEvaluate(member(n.blue, "blue", 255), !c.off)),
				upsert(member(checked(n.green, n.check), "green", 0)),
				create(withEvaluate(alias("only.example.com", "A", n.elbZone, n.blueName), !c.off)),
				create(member(alias("deep.example.com", "A", n.zone, "only.example.com"), "blue", 255)),
				create(member(simple("deep.example.com", "A", "192.0.2.99"), "green", 0)),
			)
			if err == nil && c.fails {
				err = n.SetHealthCheck(n.check, false)
			}
			if err != nil {
				t.Fatal(err)
			}
			s := serve(t, n)
			seen := map[string]bool{}
			for range 50 {
				seen[map[string]string{blueV4: "blue", greenV4: "green"}[s.ask(t, "app.example.com.", dns.TypeA).Answer[0].(*dns.A).A.String()]] = true
			}
			for _, want := range c.want {
				if !seen[want] || len(seen) != len(c.want) {
					t.Errorf("answered with %v, want %v", seen, c.want)
				}
			}
			if deep, alone := n.RecordSets("deep.example.com", "A")[0].Unhealthy, n.RecordSets("app.example.com", "A")[0].Unhealthy; deep != alone {
				t.Errorf("through another alias blue is unhealthy: %t, directly: %t", deep, alone)
			}
		})
	}
}

func TestOtherPoliciesAreAnswered(t *testing.T) {
	n := newNamed(t, aws.Options{})
	main := checked(with(simple("pair.example.com", "A", "192.0.2.1"), "main", primary), n.check)
	batch := []r53types.Change{
		create(main), create(with(simple("pair.example.com", "A", "192.0.2.2"), "spare", secondary)),
		create(with(simple("far.example.com", "A", "192.0.2.3"), "eu", latency)),
	}
	for i := range 10 {
		batch = append(batch, create(with(simple("multi.example.com", "A", fmt.Sprintf("192.0.2.%d", 30+i)), fmt.Sprint(i), multi)))
	}
	sick := checked(with(simple("multi.example.com", "A", "192.0.2.50"), "sick", multi), n.check)
	if err := n.change(t, n.zone, append(batch, create(sick))...); err != nil {
		t.Fatal(err)
	}
	s := serve(t, n)
	values := func(name string) (out []string) {
		for _, rr := range s.ask(t, name, dns.TypeA).Answer {
			out = append(out, rr.(*dns.A).A.String())
		}
		return out
	}
	pair := values("pair.example.com.")
	if err := n.SetHealthCheck(n.check, false); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"192.0.2.1", "192.0.2.2", "192.0.2.3"}, slices.Concat(pair, values("pair.example.com."), values("far.example.com."))); diff != "" {
		t.Errorf("primary, secondary, latency (-want +got):\n%s", diff)
	}
	all := map[string]bool{}
	for range 100 {
		got := values("multi.example.com.")
		if len(got) != 8 || slices.Contains(got, "192.0.2.50") {
			t.Fatalf("multivalue answered %v, want eight healthy ones", got)
		}
		for _, v := range got {
			all[v] = true
		}
	}
	if len(all) != 10 {
		t.Errorf("of ten multivalue answers only %v were seen", all)
	}
}

func TestADeletedLoadBalancerHasNoAddresses(t *testing.T) {
	n := newNamed(t, addresses())
	out := must[*elbv2.DescribeLoadBalancersOutput](t)(n.elb.DescribeLoadBalancers(t.Context(), &elbv2.DescribeLoadBalancersInput{Names: []string{"web-blue"}}))
	must[*elbv2.DeleteLoadBalancerOutput](t)(n.elb.DeleteLoadBalancer(t.Context(), &elbv2.DeleteLoadBalancerInput{LoadBalancerArn: out.LoadBalancers[0].LoadBalancerArn}))
	if blue := n.RecordSets("app.example.com", "A")[0]; !blue.Unhealthy || len(blue.Targets) != 0 || !blue.Alias {
		t.Errorf("the alias to it is %+v, want an unhealthy one without targets", blue)
	}
	if n.HasName(n.blueName) {
		t.Error("its name still exists")
	}
	// It can't be aimed at again, but what is there can be deleted as it is.
	if c := code(t, n.change(t, n.zone, upsert(n.blue))); c != "InvalidChangeBatch" {
		t.Errorf("an UPSERT of the alias: %q", c)
	}
	if err := n.change(t, n.zone, remove(n.blue)); err != nil {
		t.Errorf("the DELETE of the alias: %v", err)
	}
}

func TestPrivateZonesAreListedButNotPublished(t *testing.T) {
	w := newWorld(t, aws.Options{})
	vpc := &r53types.VPC{VPCId: new("vpc-0a1b2c3d"), VPCRegion: r53types.VPCRegionApNortheast1}
	in := route53.CreateHostedZoneInput{Name: new("example.com"), CallerReference: new("private"), VPC: vpc, HostedZoneConfig: &r53types.HostedZoneConfig{PrivateZone: true}}
	out, err := w.route53.CreateHostedZone(t.Context(), &in)
	if err != nil {
		t.Fatal(err)
	}
	zone := *out.HostedZone.Id
	if err := w.change(t, zone, create(weighted("shop.example.com", "blue", 1, "10.0.0.1"))); err != nil {
		t.Fatal(err)
	}
	if _, found := w.Zone("shop.example.com"); found || w.HasName("shop.example.com") {
		t.Error("the private zone is published")
	}
	got, err := w.route53.GetHostedZone(t.Context(), &route53.GetHostedZoneInput{Id: &zone})
	if err != nil {
		t.Fatal(err)
	}
	if !got.HostedZone.Config.PrivateZone || len(got.VPCs) != 1 || *got.VPCs[0].VPCId != *vpc.VPCId || got.DelegationSet != nil {
		t.Errorf("GetHostedZone: %+v", got)
	}
	if names := w.list(t, zone); *names[len(names)-1].SetIdentifier != "blue" {
		t.Errorf("the listing is %+v", names)
	}
	// A public zone of the same name is another zone.
	if err := w.change(t, w.zone(t, "example.com"), create(simple("shop.example.com", "A", "192.0.2.1"))); err != nil || !w.HasName("shop.example.com") {
		t.Errorf("the public zone beside it: %v", err)
	}
	in.CallerReference = new("again")
	if _, err := w.route53.CreateHostedZone(t.Context(), &in); code(t, err) != "ConflictingDomainExists" {
		t.Errorf("the same name twice in one VPC: %v", err)
	}
	in.CallerReference, in.VPC = new("third"), nil
	if _, err := w.route53.CreateHostedZone(t.Context(), &in); code(t, err) != "InvalidInput" {
		t.Errorf("a private zone without VPC: %v", err)
	}
}
