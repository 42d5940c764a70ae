package awscontract

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/internal/elb"
	"github.com/clusterswitch/clusterswitch/internal/route53"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// adapterContracts are the adapters themselves, for what all backends carry.
func adapterContracts() []contract {
	return []contract{
		{name: "the adapter reads a group and writes it once", holds: func(t *testing.T, b *backend) {
			zone, name, _ := b.seeded(t)
			writes(t, route53.New(route53.Options{API: b.route53}), shift.Entrance{Name: "dns", Route53: &shift.Route53Entrance{
				HostedZoneID: zone, Names: []string{name}, Types: []string{"A"}, BlueSetIdentifier: "blue", GreenSetIdentifier: "green", Mark: true,
			}})
		}},
		{name: "the adapter reads a rule and writes it once", holds: func(t *testing.T, b *backend) {
			w := b.web(t, form{})
			writes(t, elb.New(elb.Options{Rules: b.elb, Listeners: b.elb, Health: b.elb, Tags: b.elb, Attributes: b.elb}), shift.Entrance{
				Name: "rule", Balancer: &shift.BalancerEntrance{RuleARN: w.rule, BlueTargetGroupARN: w.blue, GreenTargetGroupARN: w.green, MinHealthyTargets: 1},
			})
		}},
	}
}

// writes reads an entrance that stands at 25 %, rolls it back, and reads again.
func writes(t *testing.T, a adapter, e shift.Entrance) {
	t.Helper()
	read := a.Read(t.Context(), []shift.Entrance{e}, shift.Watching)[0]
	if read.Err != "" || !read.StandsAt(25) {
		t.Fatalf("it reads as %+v", read)
	}
	mark := shift.Mark{Attempt: 1, Epoch: 1, Version: 2, Phase: shift.RollingBack, Rollback: true}
	change := shift.Change{Entrance: e, Expected: read, Wanted: 0, Control: mark, Priority: shift.Rollback}
	if result := a.Commit(t.Context(), []shift.Change{change})[0]; result.Outcome != shift.Applied {
		t.Fatalf("the rollback came to %+v", result)
	}
	read = a.Read(t.Context(), []shift.Entrance{e}, shift.Urgent)[0]
	if diff := cmp.Diff(&mark, read.Mark); read.Err != "" || !read.StandsAt(0) || diff != "" {
		t.Errorf("after the rollback it reads as %+v (-mark +read):\n%s", read, diff)
	}
}
