package app

import (
	"time"

	"github.com/clusterswitch/clusterswitch/config"
	"github.com/clusterswitch/clusterswitch/internal/measure"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// planOf turns one pair's configuration into the core's plan. It is the only
// bridge between the two vocabularies.
func planOf(c *config.Config, p config.Pair) shift.Plan {
	plan := shift.Plan{
		Pair:       p.Name,
		Standby:    shift.Standby{For: p.Standby.For, AutoRollback: p.Standby.AutoRollback},
		Capacity:   capacityOf(c, p),
		Preflight:  preflightMode(p.Preflight),
		Interval:   c.Interval,
		StaleAfter: p.StaleAfter,
		Gates:      gatesOf(p),
	}
	if s := p.Singletons; s.Named() {
		plan.Singletons = shift.SingletonPolicy{At: shift.Share(s.At), Drain: s.Drain, Overlap: s.Overlap}
	}
	for _, s := range p.Steps {
		plan.Steps = append(plan.Steps, stepOf(s))
	}
	for _, e := range p.Traffic {
		plan.Entrances = append(plan.Entrances, entranceOf(e))
	}
	return plan
}

func stepOf(s config.Step) shift.Step {
	return shift.Step{Share: shift.Share(s.Share), Hold: s.Hold, Approval: s.Approval}
}

func preflightMode(p config.Preflight) shift.PreflightMode {
	switch p.Mode {
	case "off":
		return shift.PreflightOff
	case "warn":
		return shift.PreflightWarn
	}
	return shift.PreflightBlock
}

func entranceOf(e config.Entrance) shift.Entrance {
	switch {
	case e.ALB != nil:
		return shift.Entrance{Name: e.Name, Balancer: &shift.BalancerEntrance{
			RuleARN: e.ALB.RuleARN, ListenerARN: e.ALB.ListenerARN,
			BlueTargetGroupARN: e.ALB.BlueTargetGroupARN, GreenTargetGroupARN: e.ALB.GreenTargetGroupARN,
			MinHealthyTargets: e.ALB.MinHealthyTargets, MinHealthyPerZone: e.ALB.MinHealthyTargetsPerZone,
			RestoreStickiness: e.ALB.RestoreStickiness, RoleARN: e.ALB.RoleARN,
		}}
	case e.NLB != nil:
		return shift.Entrance{Name: e.Name, Balancer: &shift.BalancerEntrance{
			ListenerARN:        e.NLB.ListenerARN,
			BlueTargetGroupARN: e.NLB.BlueTargetGroupARN, GreenTargetGroupARN: e.NLB.GreenTargetGroupARN,
			MinHealthyTargets: e.NLB.MinHealthyTargets, MinHealthyPerZone: e.NLB.MinHealthyTargetsPerZone,
			RoleARN: e.NLB.RoleARN,
		}}
	}
	return shift.Entrance{Name: e.Name, Route53: &shift.Route53Entrance{
		HostedZoneID: e.Route53.HostedZoneID, Names: e.Route53.Names, Types: e.Route53.Types,
		BlueSetIdentifier: e.Route53.BlueSetIdentifier, GreenSetIdentifier: e.Route53.GreenSetIdentifier,
		Mark: e.Route53.Mark, MarkPrefix: e.Route53.MarkPrefix, RoleARN: e.Route53.RoleARN,
	}}
}

// connectionsOf gives how long clients of each group of records keep a
// connection.
func connectionsOf(p config.Pair) map[string]time.Duration {
	lasting := map[string]time.Duration{}
	for _, e := range p.Traffic {
		if e.Route53 != nil {
			lasting[e.Name] = e.Route53.Connections
		}
	}
	return lasting
}

func queriesOf(p config.Pair) []query {
	var queries []query
	for _, g := range p.Gates {
		if g.CloudWatch == nil {
			continue
		}
		queries = append(queries, query{place{g.CloudWatch.RoleARN, g.CloudWatch.Region}, measure.Query{
			Gate: g.Name, LoadBalancer: g.CloudWatch.LoadBalancer, TargetGroup: g.CloudWatch.TargetGroup,
			Window: g.CloudWatch.Window, Period: g.CloudWatch.Period, Settle: g.CloudWatch.Settle,
		}})
	}
	return queries
}

// turnBound is how long a loop may go without a turn before it counts as
// stuck: several looks, and every call of one turn timing out.
func turnBound(c *config.Config) time.Duration { return 5*c.Interval + time.Minute }
