package elb

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/clusterswitch/clusterswitch/internal/awsapi"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

const (
	// healthKept is how old the health of targets may be that an urgent look is
	// given: it must not wait for many calls of its own.
	healthKept = 5 * time.Second
	// maxUrgentGroups is of how many target groups the health is asked for at once
	// while rollbacks wait. With more, many pairs go back together, and their
	// weights need the calls: what is unknown of blue stops no rollback.
	maxUrgentGroups = 20
)

// counted are the targets of one group, how many of them AWS tells no zone of,
// and their ports.
type counted struct {
	shift.Targets
	zoneless int
	ports    []int
}

// healthOf counts the targets of groups. What can't be read is unknown. at is
// when the oldest of the looks began; zero: there was none.
func (a *Adapter) healthOf(ctx context.Context, groups []string, attention shift.Attention) (counts map[string]counted, at time.Time) {
	counts = map[string]counted{}
	if attention == shift.Resting {
		return counts, at
	}
	old := ages{}
	if attention == shift.Urgent {
		old.good = healthKept
		n := int32(len(groups))
		defer a.urgentGroups.Add(-n)
		if a.urgentGroups.Add(n) > maxUrgentGroups || a.lane.crowded() {
			groups = slices.DeleteFunc(slices.Clone(groups), func(arn string) bool {
				kept, ok := a.health.keptEver(arn)
				return !ok || a.now().Sub(kept.at) > healthKept
			})
		}
	}
	for arn, got := range a.health.get(ctx, groups, old) {
		if got.failed != nil {
			continue
		}
		counts[arn] = got.value
		if at.IsZero() || got.at.Before(at) {
			at = got.at
		}
	}
	return counts, at
}

// lookAtHealth reads the health of one target group.
func (a *Adapter) lookAtHealth(ctx context.Context, groups []string) map[string]answer[counted] {
	answers := map[string]answer[counted]{}
	a.inTurn(ctx, func() (throttled bool) {
		for _, arn := range groups {
			out, err := bounded(ctx, a.callTimeout, func(ctx context.Context) (*elbv2.DescribeTargetHealthOutput, error) {
				return a.ports.Health.DescribeTargetHealth(ctx, &elbv2.DescribeTargetHealthInput{TargetGroupArn: &arn})
			})
			if err != nil {
				f := awsapi.Classify(err)
				answers[arn] = answer[counted]{failed: &f}
				continue
			}
			answers[arn] = answer[counted]{value: count(out.TargetHealthDescriptions)}
		}
		return anyThrottled(answers)
	})
	return answers
}

// count counts as healthy only what ELB calls healthy: a target that is initial,
// unhealthy, unused or unavailable doesn't prove that it would answer. One that
// is draining gets no new connections, and counts as none.
func count(targets []types.TargetHealthDescription) counted {
	c := counted{Targets: shift.Targets{Known: true}}
	zones := map[string]shift.ZoneTargets{}
	why := map[string]int{}
	draining := 0
	for _, d := range targets {
		state, reason := types.TargetHealthStateEnumUnavailable, types.TargetHealthReasonEnum("")
		if d.TargetHealth != nil {
			state, reason = d.TargetHealth.State, d.TargetHealth.Reason
		}
		if state == types.TargetHealthStateEnumDraining || state == types.TargetHealthStateEnumUnhealthyDraining {
			draining++
			continue
		}
		healthy := 0
		if state == types.TargetHealthStateEnumHealthy {
			healthy = 1
		} else {
			why[because(state, reason)]++
		}
		c.Total++
		c.Healthy += healthy
		zone := ""
		if d.Target != nil {
			zone = aws.ToString(d.Target.AvailabilityZone)
			if port := int(aws.ToInt32(d.Target.Port)); port > 0 && !slices.Contains(c.ports, port) {
				c.ports = append(c.ports, port)
			}
		}
		if zone == "" || zone == "all" {
			c.zoneless++
			continue
		}
		z := zones[zone]
		zones[zone] = shift.ZoneTargets{Zone: zone, Healthy: z.Healthy + healthy, Total: z.Total + 1}
	}
	c.Zones = slices.SortedFunc(maps.Values(zones), func(a, b shift.ZoneTargets) int { return cmp.Compare(a.Zone, b.Zone) })
	c.Note = noteOf(c.Total, draining, why)
	return c
}

// noteOf says why targets that are there don't count.
func noteOf(total, draining int, why map[string]int) string {
	switch {
	case total == 0 && draining > 0:
		return fmt.Sprintf("all of its %d targets are draining", draining)
	case total == 0:
		return "the target group has no targets: attach the cluster's pods to it, by a TargetGroupBinding for instance"
	}
	parts := make([]string, 0, len(why))
	for _, text := range slices.Sorted(maps.Keys(why)) {
		parts = append(parts, fmt.Sprintf("%d %s", why[text], text))
	}
	return strings.Join(parts, "; ")
}

// because says in words why a target isn't healthy. ELBv2 API reference,
// TargetHealth.
func because(state types.TargetHealthStateEnum, reason types.TargetHealthReasonEnum) string {
	switch {
	case state == types.TargetHealthStateEnumUnused && reason == types.TargetHealthReasonEnumNotInUse:
		return "unused (Target.NotInUse: no rule or listener forwards to the target group, or its load balancer isn't in the target's zone; add the group with weight 0, which starts its health checks)"
	case state == types.TargetHealthStateEnumInitial:
		return "initial (its first health checks are under way)"
	case state == types.TargetHealthStateEnumUnavailable && reason == types.TargetHealthReasonEnumHealthCheckDisabled:
		return "unavailable (health checks of the target group are switched off: switch them on)"
	case reason != "":
		return fmt.Sprintf("%s (%s)", state, reason)
	}
	return string(state)
}

// enough tells whether green's targets would do for a rise; else it says why not.
func (c counted) enough(e shift.BalancerEntrance) (lack string) {
	if need := max(1, e.MinHealthyTargets); c.Healthy < need {
		return fmt.Sprintf("green has %d healthy targets of %d, at least %d are needed", c.Healthy, c.Total, need)
	}
	for _, z := range c.Zones {
		if z.Healthy < e.MinHealthyPerZone {
			return fmt.Sprintf("green has %d healthy targets of %d in zone %s, at least %d are needed in each", z.Healthy, z.Total, z.Zone, e.MinHealthyPerZone)
		}
	}
	return ""
}
