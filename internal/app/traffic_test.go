package app

import (
	"context"
	"errors"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/internal/preflight/check"
	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/internal/preflight/gather"
	cloud "github.com/clusterswitch/clusterswitch/internal/sandbox/aws"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// underWay is a look in the middle of a shift, when green may have a share.
func underWay(l looked) looked {
	l.begun = true
	return l
}

// ofTraffic gives what the traffic check says, as "severity id".
func ofTraffic(f *facts.Facts) []string {
	var said []string
	for _, c := range check.All() {
		if c.Name != "traffic" {
			continue
		}
		for _, x := range c.Run(f) {
			said = append(said, string(x.Severity)+" "+x.ID)
		}
	}
	slices.Sort(said)
	return said
}

// The traffic layer is read by the adapters over the wire, with no rights but
// those of the printed policy.
func TestTrafficIsReadForThePreflight(t *testing.T) {
	s := newStory(t)
	g := &guard{next: s.cloud}
	server := httptest.NewServer(g)
	t.Cleanup(server.Close)
	balancers, err := s.rules.DescribeLoadBalancers(t.Context(), &elasticloadbalancingv2.DescribeLoadBalancersInput{})
	s.ok(err)
	lb := balancers.LoadBalancers[0]
	_, err = s.rules.CreateListener(t.Context(), &elasticloadbalancingv2.CreateListenerInput{
		LoadBalancerArn: lb.LoadBalancerArn, Port: new(int32(8080)), Protocol: elbtypes.ProtocolEnumHttp,
		DefaultActions: []elbtypes.Action{{Type: elbtypes.ActionTypeEnumForward, TargetGroupArn: &s.greenARN}},
	})
	s.ok(err)
	_, err = s.rules.ModifyTargetGroupAttributes(t.Context(), &elasticloadbalancingv2.ModifyTargetGroupAttributesInput{
		TargetGroupArn: &s.greenARN, Attributes: []elbtypes.TargetGroupAttribute{{Key: new("slow_start.duration_seconds"), Value: new("60")}},
	})
	s.ok(err)
	s.configure(`    probes:
      - {name: front, http: {url: "http://` + *lb.DNSName + `:8080/healthz", host: "shop.example.com", headers: {X-Probe: "1"}}}
    preflight: {entrances: [{kind: Ingress, namespace: shop, name: web}]}
`)
	c := s.config()
	c.AWS.EndpointURL = server.URL
	d, err := NewDirect(t.Context(), c)
	s.ok(err)
	i := newInspector(ways{}, d.aws)
	i.lookUp = func(context.Context, string) ([]string, error) { return nil, errors.New("no such host") }
	pair := c.Pairs[0]

	f := &facts.Facts{Settings: settingsOf(pair), Traffic: i.traffic(t.Context(), pair, wish{})}
	want := []string{
		"block GreenHasTraffic/Entrance/alb-1", "block GreenHasTraffic/Entrance/route53-0",
		"note EntranceNotes/Entrance/alb-1", "warn NoProbeThroughGreenTargets/Entrance/route53-0",
		"warn TargetGroupsDiffer/Entrance/alb-1/slow_start.duration_seconds",
	}
	if diff := cmp.Diff(want, ofTraffic(f)); diff != "" {
		t.Errorf("before the shift (-want +got):\n%s", diff)
	}
	if records := f.Traffic.Entrances[0].Records; len(records) != 2 || !slices.Equal(records[0].Targets, []string{"192.0.2.4"}) || records[0].Side != shift.Blue || records[1].Side != shift.Green {
		t.Errorf("the records are %+v", records)
	}
	wanted := []facts.Object{{GroupKind: facts.GroupKind{Group: "networking.k8s.io", Kind: "Ingress"}, Name: facts.Name{Namespace: "shop", Name: "web"}}}
	if diff := cmp.Diff(wanted, f.Settings.Entrances); diff != "" {
		t.Errorf("declared entrances (-want +got):\n%s", diff)
	}
	if p := f.Settings.Probes[0]; p.Host != "shop.example.com" || !slices.Equal(p.Headers, []string{"X-Probe"}) {
		t.Errorf("the probe is %+v", p)
	}
	if again := ofTraffic(&facts.Facts{Settings: f.Settings, Traffic: i.traffic(t.Context(), pair, wish{begun: true})}); slices.ContainsFunc(again, func(id string) bool { return strings.HasPrefix(id, "block") }) {
		t.Errorf("in the shift: %q", again)
	}
	policy := RightsOf(c)[""].Policy()
	for _, call := range g.calls {
		if !allows(policy, call) {
			t.Errorf("the policy doesn't allow %+v", call)
		}
	}
	if len(g.calls) == 0 {
		t.Error("AWS was not asked")
	}
}

// Who may read weights but not more still gets a report, which says so.
func TestTrafficWithoutTheNewRightsIsNotBlocked(t *testing.T) {
	s := newStory(t)
	for _, operation := range []string{"DescribeLoadBalancers", "DescribeTargetGroups"} {
		_, err := s.cloud.Inject(cloud.Fault{Kind: cloud.AccessDenied, Service: cloud.ELB, Operation: operation})
		s.ok(err)
	}
	c := s.config()
	d, err := NewDirect(t.Context(), c)
	s.ok(err)
	i := newInspector(ways{}, d.aws)
	i.lookUp = nil
	got := ofTraffic(&facts.Facts{Traffic: i.traffic(t.Context(), c.Pairs[0], wish{begun: true})})
	want := []string{"note EntranceNotes/Entrance/alb-1", "warn NoProbeThroughGreenTargets/Entrance/route53-0", "warn TrafficNotChecked/Traffic/the list of load balancers"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}

// bare is an adapter that only reads and writes weights.
type bare struct{ entrances }

func TestAdaptersThatDoNotTellMoreAreGaps(t *testing.T) {
	f := frontOf{newAWS(adapters{route53: func(place) entrances { return bare{} }, elb: func(place) entrances { return bare{} }})}
	if _, err := f.Records(t.Context(), shift.Route53Entrance{}); err == nil {
		t.Error("records that nobody read")
	}
	if got := f.Survey(t.Context(), gather.Sought{}); len(got.Gaps) != 1 {
		t.Errorf("a survey that nobody made: %+v", got)
	}
}
