package retire

import (
	"slices"
	"testing"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/internal/preflight/finding"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

const (
	blueGroup  = "arn:aws:elasticloadbalancing:eu-west-1:1:targetgroup/web-blue/0b"
	greenGroup = "arn:aws:elasticloadbalancing:eu-west-1:1:targetgroup/web-green/0c"
	sharedLB   = "arn:aws:elasticloadbalancing:eu-west-1:1:loadbalancer/app/shared/01"
	blueLB     = "arn:aws:elasticloadbalancing:eu-west-1:1:loadbalancer/net/blue/02"
	blueHost   = "blue-02.elb.eu-west-1.amazonaws.com"
)

func at(hour int) time.Time { return time.Date(2026, 3, 2, hour, 0, 0, 0, time.UTC) }

// quiet is a cluster that may be deleted: its pair has an entrance of a shared
// load balancer and one of records that lead to a load balancer of blue's own.
// Each call gives one that a case may spoil.
func quiet() *Facts {
	alb := facts.Entrance{Known: true}
	alb.Name = "alb-0"
	alb.Balancer = &shift.BalancerEntrance{RuleARN: "rule", BlueTargetGroupARN: blueGroup, GreenTargetGroupARN: greenGroup}
	alb.Reading = shift.EntranceReading{Name: "alb-0", At: at(12), Weights: shift.Weights{Green: 100}, Sticky: time.Hour}
	dns := facts.Entrance{Known: true, Records: []facts.Record{
		{Name: "shop.example.com", Type: "A", Side: shift.Blue, SetIdentifier: "blue", Targets: []string{blueHost}, Balancers: []string{blueLB}},
		{Name: "shop.example.com", Type: "A", Side: shift.Green, SetIdentifier: "green", Weight: 100, Targets: []string{"192.0.2.9"}},
	}}
	dns.Name = "dns-0"
	dns.Route53 = &shift.Route53Entrance{Names: []string{"shop.example.com"}}
	dns.Reading = shift.EntranceReading{Name: "dns-0", At: at(12), Weights: shift.Weights{Green: 100}, TTL: time.Minute, Connection: time.Hour}
	f := &Facts{
		Cluster: "shop-blue", At: at(12), SilentFor: 6 * time.Hour, SecretsSearched: true,
		Blue: facts.Cluster{Side: shift.Blue, Name: "shop-blue", Network: facts.Network{
			Services: []facts.Service{{Name: facts.Name{Namespace: "shop", Name: "web"}, Type: "LoadBalancer", Addresses: []string{blueHost}}},
			Jobs:     []facts.CronJob{{Name: facts.Name{Namespace: "shop", Name: "nightly"}, Suspended: true}},
		}},
		Greens: []facts.Cluster{{Side: shift.Green, Name: "shop-green", Retiring: facts.Retiring{Searched: 40}}},
		Traffic: facts.Traffic{
			Entrances: []facts.Entrance{alb, dns},
			Balancers: map[string]facts.Balancer{
				sharedLB: {ARN: sharedLB, DNSName: "shared-01.eu-west-1.elb.amazonaws.com", Groups: []string{blueGroup, greenGroup}, Known: true, Created: at(0)},
				blueLB:   {ARN: blueLB, DNSName: blueHost, Network: true, Known: true, Created: at(0)},
			},
		},
		Pairs: []Pair{{Name: "shop", Entrances: []facts.Entrance{alb, dns}, State: shift.State{
			Phase: shift.Completed, Share: shift.Full, Attempt: 1, ShownAt: at(1), ReachedAt: at(1), EndedAt: at(5),
		}}},
	}
	f.measure()
	return f
}

// measure answers all that is asked of CloudWatch with nothing.
func (f *Facts) measure() {
	f.Measured = nil
	for _, m := range Measures(f) {
		f.Measured = append(f.Measured, Measured{Measure: m, From: at(6), To: at(12)})
	}
}

// metric finds what was measured of a load balancer or target group.
func (f *Facts) metric(t *testing.T, name, of string) *Measured {
	t.Helper()
	i := slices.IndexFunc(f.Measured, func(m Measured) bool {
		return m.Name == name && (m.TargetGroup == of || m.TargetGroup == "" && m.LoadBalancer == of)
	})
	if i < 0 {
		t.Fatalf("%s of %s was not asked for: %+v", name, of, f.Measured)
	}
	return &f.Measured[i]
}

// entrance gives an entrance of the pair to spoil.
func (f *Facts) entrance(i int) *facts.Entrance { return &f.Pairs[0].Entrances[i] }

// against gives the ids of what keeps a cluster from counting as safe; what isn't
// known begins with a question mark.
func against(r Report) []string {
	var ids []string
	for _, x := range r.Findings {
		switch {
		case x.Unknown:
			ids = append(ids, "? "+x.ID)
		case x.Severity == finding.Block:
			ids = append(ids, x.ID)
		}
	}
	return ids
}
