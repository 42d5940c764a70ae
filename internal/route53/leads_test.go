package route53_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"
	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/internal/awsapi"
	"github.com/clusterswitch/clusterswitch/internal/route53"
	sandbox "github.com/clusterswitch/clusterswitch/internal/sandbox/aws"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

func alias(name string, typ types.RRType, id, zone, to string, evaluates bool) types.ResourceRecordSet {
	r := types.ResourceRecordSet{
		Name: aws.String(name + ".example.com"), Type: typ,
		AliasTarget: &types.AliasTarget{HostedZoneId: &zone, DNSName: &to, EvaluateTargetHealth: evaluates},
	}
	if id != "" {
		r.SetIdentifier, r.Weight = &id, aws.Int64(50)
	}
	return r
}

// Records lead to load balancers and addresses; what leads to another name of the
// zone is followed to where that leads.
func TestWhereRecordsLead(t *testing.T) {
	w := newWorld(t, 0)
	cfg, err := awsapi.Load(t.Context(), awsapi.Options{Region: "ap-northeast-1", EndpointURL: w.url})
	if err != nil {
		t.Fatal(err)
	}
	made, err := elbv2.NewFromConfig(cfg).CreateLoadBalancer(t.Context(), &elbv2.CreateLoadBalancerInput{Name: aws.String("Web"), Subnets: []string{"subnet-a", "subnet-c"}})
	if err != nil {
		t.Fatal(err)
	}
	lb := made.LoadBalancers[0]
	host := strings.ToLower(*lb.DNSName)
	w.send(t, types.ChangeActionCreate,
		alias("front", types.RRTypeA, "blue", *lb.CanonicalHostedZoneId, "dualstack."+*lb.DNSName, true),
		values("front", types.RRTypeA, "green", 50, "192.0.2.2"),
		values("front", types.RRTypeA, "old", 1, "192.0.2.9"),
		values("front", types.RRTypeAaaa, "blue", 7, "2001:db8::7"),
		alias("by-lb", types.RRTypeA, "", *lb.CanonicalHostedZoneId, *lb.DNSName, false),
		values("by-cname", types.RRTypeCname, "", 0, "By-LB.example.com."),
		values("www", types.RRTypeCname, "blue", 50, "by-cname.example.com"),
		values("www", types.RRTypeCname, "green", 50, "Green.Example.net."),
	)
	w.send(t, types.ChangeActionCreate,
		values("plain", types.RRTypeA, "", 0, "192.0.2.7"),
	)
	w.send(t, types.ChangeActionCreate,
		alias("own", types.RRTypeA, "blue", w.zone, "plain.example.com.", false),
		alias("own", types.RRTypeA, "green", w.zone, "by-lb.example.com.", false),
	)
	entrance := func(typ string, names ...string) shift.Route53Entrance {
		e := *w.entrance("shop").Route53
		e.Names, e.Types = names, []string{typ}
		return e
	}
	lead := func(name, typ string, side shift.Side, id string, weight int, to string) route53.Lead {
		return route53.Lead{Name: name + ".example.com", Type: typ, Side: side, SetIdentifier: id, Weight: weight, TTL: 30 * time.Second, Targets: []string{to}}
	}
	aliased := func(l route53.Lead, evaluates bool) route53.Lead {
		l.TTL, l.Evaluates = 0, evaluates
		return l
	}
	for name, test := range map[string]struct {
		of   shift.Route53Entrance
		want []route53.Lead
	}{
		"to a load balancer and to addresses": {entrance("A", "front.example.com"), []route53.Lead{
			aliased(lead("front", "A", shift.Blue, "blue", 50, host), true),
			lead("front", "A", shift.Green, "green", 50, "192.0.2.2"),
			lead("front", "A", "", "old", 1, "192.0.2.9"),
			{Name: "front.example.com", Type: "AAAA", SetIdentifier: "blue", Weight: 7, TTL: 30 * time.Second, Targets: []string{"2001:db8::7"}, Beside: true},
		}},
		"to names of the zone, and to others": {entrance("CNAME", "www.example.com"), []route53.Lead{
			lead("www", "CNAME", shift.Blue, "blue", 50, host),
			lead("www", "CNAME", shift.Green, "green", 50, "green.example.net"),
		}},
		"by aliases within the zone": {entrance("A", "own.example.com"), []route53.Lead{
			aliased(lead("own", "A", shift.Blue, "blue", 50, "192.0.2.7"), false),
			aliased(lead("own", "A", shift.Green, "green", 50, host), false),
		}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := w.adapter().Leads(t.Context(), test.of)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("leads (-want +got):\n%s", diff)
			}
		})
	}
	if _, err := w.cloud.Inject(sandbox.Fault{Kind: sandbox.AccessDenied, Service: sandbox.Route53, Operation: "ListResourceRecordSets"}); err != nil {
		t.Fatal(err)
	}
	if got, err := w.adapter().Leads(t.Context(), entrance("A", "front.example.com")); err == nil || !strings.Contains(err.Error(), "grant route53:ListResourceRecordSets") {
		t.Errorf("without the right: %v, %v", got, err)
	}
}

// CNAMEs that lead in a circle lead nowhere, but end.
func TestCirclesOfRecordsEnd(t *testing.T) {
	w := newWorld(t, 0)
	w.send(t, types.ChangeActionCreate,
		values("www", types.RRTypeCname, "blue", 100, "a.example.com"),
		values("www", types.RRTypeCname, "green", 0, "gone.example.com"),
		values("a", types.RRTypeCname, "", 0, "b.example.com"),
		values("b", types.RRTypeCname, "", 0, "a.example.com"),
	)
	e := *w.entrance("shop").Route53
	e.Names, e.Types = []string{"www.example.com"}, []string{"CNAME"}
	got, err := w.adapter().Leads(t.Context(), e)
	if err != nil || len(got) != 2 || len(got[0].Targets) != 1 || cmp.Diff([]string{"gone.example.com"}, got[1].Targets) != "" {
		t.Errorf("got %+v, %v", got, err)
	}
}
