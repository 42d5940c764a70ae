package app

import (
	"strings"
	"time"

	"github.com/clusterswitch/clusterswitch/config"
	"github.com/clusterswitch/clusterswitch/internal/measure"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// load is one stream of users' requests of a pair, measured by exactly one of
// cloudwatch and prometheus.
type load struct {
	shift.LoadSource
	cloudwatch *loadQuery
	prometheus *config.LoadPrometheus
	window     time.Duration
}

// loadQuery is a load to ask CloudWatch for, and where.
type loadQuery struct {
	place
	measure.LoadQuery
}

// What a load has that nobody configured: CloudWatch's periods, and time enough
// for them to settle.
const (
	loadWindow = 5 * time.Minute
	loadPeriod = time.Minute
	loadSettle = 2 * time.Minute
)

// capacityOf is what the plan wants of blue while green has users.
func capacityOf(c *config.Config, p config.Pair) shift.CapacityPolicy {
	policy := shift.CapacityPolicy{
		AtLeast: p.Standby.Capacity.AtLeast, Warn: p.Standby.Capacity.OnBreach == "warn", Pin: p.Standby.Capacity.PinAutoscalers,
	}
	for _, l := range loadsOf(c, p) {
		policy.Loads = append(policy.Loads, l.LoadSource)
	}
	return policy
}

// loadsOf gives the configured loads of a pair; without any, those of its entrances
// at an Application Load Balancer.
func loadsOf(c *config.Config, p config.Pair) []load {
	if len(p.Standby.Capacity.Loads) == 0 {
		return loadsOfEntrances(c, p)
	}
	var loads []load
	for _, l := range p.Standby.Capacity.Loads {
		next := load{
			LoadSource: shift.LoadSource{Name: l.Name, PerReplica: l.PerReplica},
			prometheus: l.Prometheus, window: l.Window,
		}
		for _, w := range l.Workloads {
			kind, named, _ := strings.Cut(w, "/")
			next.Workloads = append(next.Workloads, kind+" "+named)
		}
		if w := l.CloudWatch; w != nil {
			next.cloudwatch = &loadQuery{place{w.RoleARN, w.Region}, measure.LoadQuery{
				Name:   l.Name,
				Blue:   measure.Group{LoadBalancer: w.BlueLoadBalancer, TargetGroup: w.BlueTargetGroup},
				Green:  measure.Group{LoadBalancer: w.GreenLoadBalancer, TargetGroup: w.GreenTargetGroup},
				Window: l.Window, Period: w.Period, Settle: w.Settle,
			}}
		}
		loads = append(loads, next)
	}
	return loads
}

// loadsOfEntrances gives one load for each pair of target groups that an entrance
// at an Application Load Balancer splits traffic between. Two entrances with the
// same groups would count each request twice.
func loadsOfEntrances(c *config.Config, p config.Pair) []load {
	var loads []load
	seen := map[[2]measure.Group]bool{}
	for _, e := range p.Traffic {
		if e.ALB == nil {
			continue
		}
		at := groupsOf(e)
		q := loadQuery{at.place, measure.LoadQuery{
			Name: e.Name, Blue: at.blue, Green: at.green, Window: loadWindow, Period: loadPeriod, Settle: loadSettle,
		}}
		if q.region == c.AWS.Region {
			q.region = "" // as gates leave it out: one session, and one call, for both
		}
		for _, g := range p.Gates {
			if w := g.CloudWatch; w != nil && w.TargetGroup == q.Green.TargetGroup {
				q.place = place{w.RoleARN, w.Region} // whoever may read this gate's metrics may read these
				q.Window, q.Period, q.Settle = w.Window, w.Period, w.Settle
				break
			}
		}
		if groups := [2]measure.Group{q.Blue, q.Green}; q.Blue.LoadBalancer != "" && !seen[groups] {
			seen[groups] = true
			loads = append(loads, load{LoadSource: shift.LoadSource{Name: e.Name}, cloudwatch: &q, window: q.Window})
		}
	}
	return loads
}

// balancerOfAction gives the load balancer of a listener rule or a listener as
// CloudWatch names it, app/NAME/ID; empty: the ARN doesn't tell.
func balancerOfAction(arn string) string {
	kind, rest, _ := strings.Cut(arnResource(arn), "/")
	parts := strings.Split(rest, "/")
	if (kind != "listener-rule" && kind != "listener") || len(parts) < 3 {
		return ""
	}
	return strings.Join(parts[:3], "/")
}

// arnResource is what follows an ARN's account.
func arnResource(arn string) string { return arn[strings.LastIndex(arn, ":")+1:] }
