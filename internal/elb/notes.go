package elb

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// groupTagsOf reads the tags of target groups, at most every five minutes.
// Without asking it gives what is kept of them.
func (a *Adapter) groupTagsOf(ctx context.Context, groups []string, ask bool) map[string]answer[[]types.Tag] {
	if ask {
		ctx, cancel := context.WithTimeout(ctx, attributesWithin)
		defer cancel()
		return a.tags.get(ctx, groups, ages{good: ownersKept, failed: ownersKept})
	}
	kept := map[string]answer[[]types.Tag]{}
	for _, arn := range groups {
		if k, ok := a.tags.keptEver(arn); ok {
			kept[arn] = k
		}
	}
	return kept
}

// notes says what else decides where users go, beside the two weights.
func (v view) notes(e shift.BalancerEntrance, a action) []string {
	var notes []string
	if isNetwork(a.arn) {
		notes = append(notes, "a network load balancer gives new connections by weight; those that are open stay where they are")
	}
	notes = append(notes, othersNote(e, a)...)
	for _, g := range []struct{ side, arn string }{{"blue", e.BlueTargetGroupARN}, {"green", e.GreenTargetGroupARN}} {
		if maker := controllerOf(v.groupTags[g.arn].value); maker != "" {
			notes = append(notes, fmt.Sprintf("%s's target group was made by %s, which deletes it together with what it was made for; use one that is owned outside, as %s shows", g.side, maker, layoutPage))
		}
		got, asked := v.attributes[g.arn]
		switch {
		case got.failed != nil:
			notes = append(notes, fmt.Sprintf("the attributes of %s's target group can't be read, such as slow start: %s", g.side, attributesAdvice(got, "DescribeTargetGroupAttributes")))
		case asked:
			notes = append(notes, groupNotes(g.side, got.value)...)
		}
		if t := v.health[g.arn]; g.side == "green" && t.zoneless > 0 && e.MinHealthyPerZone > 0 {
			notes = append(notes, fmt.Sprintf("AWS tells no zone of %d of green's targets, so that minHealthyTargetsPerZone can't be judged for them; it tells the zones of targets by IP address", t.zoneless))
		}
	}
	return append(notes, v.crossZoneNotes(e, a)...)
}

func attributesAdvice(got answer[map[string]string], right string) string {
	return got.failed.String() + got.failed.Remedy("elasticloadbalancing:"+right)
}

// othersNote says what other target groups do to green's share: of the users it
// gets G/(B+G+O), where O is the others' weight together.
func othersNote(e shift.BalancerEntrance, a action) []string {
	groups, other := a.others(e)
	w, ok := a.weights(e)
	total := w.Blue + w.Green + other
	if groups == 0 || !ok || total == 0 {
		return nil
	}
	return []string{fmt.Sprintf("%d other target groups have weight %d together, and keep it: green gets G/(B+G+O) = %d/%d, which is %.1f %% of all users",
		groups, other, w.Green, total, 100*float64(w.Green)/float64(total))}
}

// groupNotes says what a target group's attributes do.
func groupNotes(side string, attributes map[string]string) []string {
	var notes []string
	if s := attributes[attrSlowStart]; s != "" && s != "0" {
		notes = append(notes, fmt.Sprintf("%s's target group has a slow start of %s s: it counts from a target's registration, not from a change of weights", side, s))
	}
	if side == "green" {
		if count, percent := attributes[attrOpenCount], attributes[attrOpenPercent]; count != "" {
			limit := count
			if percent != "" && percent != "off" {
				limit += " or " + percent + " %"
			}
			notes = append(notes, fmt.Sprintf("green's target group fails open: with fewer than %s healthy targets it sends requests to all of them, healthy or not", limit))
		}
	}
	if s := attributes[attrDrain]; s != "" && s != "0" {
		notes = append(notes, fmt.Sprintf("a target that leaves %s's target group finishes its requests for up to %s s", side, s))
	}
	if attributes[attrSticky] == "true" {
		kind := attributes[attrStickyType]
		lasts := ""
		if s := attributes["stickiness."+kind+".duration_seconds"]; s != "" {
			if d, err := time.ParseDuration(s + "s"); err == nil {
				lasts = ", for " + d.String()
			}
		}
		notes = append(notes, fmt.Sprintf("%s's target group keeps each client on one target (%s%s)", side, kind, lasts))
	}
	return notes
}

// crossZoneNotes says which zones have no green targets where each zone sends
// users to its own targets only.
func (v view) crossZoneNotes(e shift.BalancerEntrance, a action) []string {
	lb := balancerOf(a.arn)
	parent, asked := v.attributes[lb]
	if parent.failed != nil {
		return []string{"the attributes of the load balancer can't be read, such as cross-zone: " + attributesAdvice(parent, "DescribeLoadBalancerAttributes")}
	}
	if !asked {
		return nil
	}
	setting := v.attributes[e.GreenTargetGroupARN].value[attrCrossZone]
	if setting == "" || setting == crossZoneByParent {
		setting = parent.value[attrCrossZone]
	}
	if setting != "false" {
		return nil
	}
	note := "cross-zone is off: each zone of the load balancer sends users to targets in that zone only"
	var bare []string
	for _, z := range v.health[e.BlueTargetGroupARN].Zones {
		if !slices.ContainsFunc(v.health[e.GreenTargetGroupARN].Zones, func(g shift.ZoneTargets) bool { return g.Zone == z.Zone }) {
			bare = append(bare, z.Zone)
		}
	}
	if len(bare) > 0 && v.health[e.GreenTargetGroupARN].Known {
		note += "; green has no targets in " + strings.Join(bare, ", ") + ", where blue has some: users there can't be served by green"
	}
	return []string{note}
}
