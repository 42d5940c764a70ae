package check

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/internal/preflight/finding"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// The codes of the traffic layer.
const (
	TrafficNotRead             finding.Code = "TrafficNotRead"
	TrafficNotChecked          finding.Code = "TrafficNotChecked"
	EntranceUnusable           finding.Code = "EntranceUnusable"
	EntranceOwned              finding.Code = "EntranceOwned"
	GreenHasTraffic            finding.Code = "GreenHasTraffic"
	EntranceApart              finding.Code = "EntranceApart"
	GreenTargetsUnhealthy      finding.Code = "GreenTargetsUnhealthy"
	RecordsBeside              finding.Code = "RecordsBeside"
	OtherMembers               finding.Code = "OtherMembers"
	Sticky                     finding.Code = "Sticky"
	EntranceNotes              finding.Code = "EntranceNotes"
	TTLAboveHold               finding.Code = "TTLAboveHold"
	SidesNotApart              finding.Code = "SidesNotApart"
	EntrancesInSeries          finding.Code = "EntrancesInSeries"
	TargetlessGroup            finding.Code = "TargetlessGroup"
	BlueServedOtherwise        finding.Code = "BlueServedOtherwise"
	TargetGroupsDiffer         finding.Code = "TargetGroupsDiffer"
	TargetGroupOfController    finding.Code = "TargetGroupOfController"
	NoProbeThroughGreenTargets finding.Code = "NoProbeThroughGreenTargets"
)

func trafficCheck() Check {
	return Check{
		Name: "traffic", Answers: "Can the declared entrances be shifted, and is green tried behind them?", Brief: true, Run: traffic,
		Codes: []finding.Doc{
			{Code: TrafficNotRead, Meaning: "AWS was not asked, so nothing of the entrances was checked.", Do: "Let AWS be read."},
			{Code: TrafficNotChecked, Meaning: "Something at AWS can't be read, so it was not checked.", Do: "Grant the right to read it; `clusterswitch policy` prints what is needed."},
			{Code: EntranceUnusable, Meaning: "An entrance can't be read, or is not of a shape that can be shifted.", Do: "Do what the message says."},
			{Code: EntranceOwned, Meaning: "Another controller writes the entrance and would write its own weights back.", Do: "Take it from that controller, or declare another entrance."},
			{Code: GreenHasTraffic, Meaning: "Green has a share of an entrance before the shift begins.", Do: "Set green's weight to 0 and blue's to 100."},
			{Code: EntranceApart, Meaning: "The records of one entrance stand at different shares.", Do: "Look who changed them; the daemon brings them together at its next step."},
			{Code: GreenTargetsUnhealthy, Meaning: "Green's target group has fewer healthy targets than a rise needs.", Do: "Make green's targets healthy."},
			{Code: OtherMembers, Meaning: "An entrance sends a part of the users to members that are neither blue's nor green's; that part doesn't move.", Do: "Remove the other members, or set their weight to 0, if all users must move."},
			{Code: RecordsBeside, Meaning: "A declared name has records of another type, so that the users who ask for that type don't move: those who come by IPv6, for instance.", Do: "Declare that type too, or remove the records."},
			{Code: Sticky, Meaning: "The load balancer keeps clients on their side by a cookie, whatever the weights say.", Do: "Expect that tail, or switch stickiness off."},
			{Code: EntranceNotes, Meaning: "What else decides where an entrance's users go.", Do: "Read it once."},
			{Code: TTLAboveHold, Meaning: "Resolvers keep answers for longer than a step is held, so that the step is judged before its users come.", Do: "Lower the TTL, or hold the step for longer."},
			{Code: SidesNotApart, Meaning: "Blue's and green's records lead to the same place, so that weights change nothing.", Do: "Let green's record lead to green."},
			{Code: EntrancesInSeries, Meaning: "A record leads to the load balancer of another entrance of the pair, so that their shares multiply.", Do: "Keep one of the two in `traffic`."},
			{Code: TargetlessGroup, Meaning: "A record evaluates the health of a load balancer that has a target group without a healthy target, so that Route 53 leaves the record out whatever its weight.", Do: "Remove the target group from the load balancer's rules, give it targets, or switch off the evaluation of target health."},
			{Code: BlueServedOtherwise, Meaning: "Another rule or listener forwards to blue's target group, and no entrance declares it: its users stay on blue.", Do: "Declare it in `traffic`, let a probe use it if it is for tests, or remove it."},
			{Code: TargetGroupsDiffer, Meaning: "Blue's and green's target groups have different settings.", Do: "Give green's the setting of blue's, or waive the finding if it is meant."},
			{Code: TargetGroupOfController, Meaning: "A controller of a cluster made the target group, and deletes it together with what it was made for.", Do: "Use a target group that is owned outside, as docs/load-balancers.md shows."},
			{Code: NoProbeThroughGreenTargets, Meaning: "No probe enters by green's own target group or record, so that green isn't tried on the way that users will come.", Do: "Add a listener or rule that forwards to green's target group alone, and a probe for it."},
		},
	}
}

// traffic judges the declared entrances by what AWS tells of them.
func traffic(f *facts.Facts) []finding.Finding {
	t := &f.Traffic
	if t.Fault != "" {
		x := finding.New(TrafficNotRead, finding.Block, finding.Object{Kind: "Traffic"}, "")
		x.Message = "what AWS has of the entrances was not read: " + t.Fault
		x.Do = "Let AWS be read; nothing of the entrances was checked."
		return []finding.Finding{x}
	}
	var found []finding.Finding
	for _, g := range t.Gaps {
		severity := finding.Block
		if g.Optional {
			severity = finding.Warn
		}
		x := finding.New(TrafficNotChecked, severity, finding.Object{Kind: "Traffic"}, g.What)
		x.Message = fmt.Sprintf("%s can't be read: %s", g.What, g.Why)
		x.Do = "Grant the right to read it (`clusterswitch policy` prints what is needed), or waive this finding."
		found = append(found, x)
	}
	for _, e := range t.Entrances {
		found = append(found, shiftable(t, e)...)
		found = append(found, besides(t, e)...)
		if e.Balancer != nil {
			found = append(found, otherRules(f, e)...)
			found = append(found, groupsDiffer(t, e)...)
		} else {
			found = append(found, recordFaults(t, e)...)
		}
		found = append(found, probed(f, e)...)
	}
	return found
}

func ofEntrance(code finding.Code, severity finding.Severity, e facts.Entrance, detail string) finding.Finding {
	return finding.New(code, severity, finding.Object{Kind: "Entrance", Name: e.Name}, detail)
}

// shiftable says what keeps an entrance from being shifted.
func shiftable(t *facts.Traffic, e facts.Entrance) []finding.Finding {
	r := e.Reading
	if r.Err != "" || r.At.IsZero() {
		x := ofEntrance(EntranceUnusable, finding.Block, e, "")
		x.Message = fmt.Sprintf("entrance %s can't be shifted: %s", e.Name, r.Err)
		if r.Err == "" {
			x.Message = fmt.Sprintf("entrance %s can't be shifted: it was not read", e.Name)
		}
		x.Do = "Do what the message says; without it no step is made."
		return append(owned(e), x)
	}
	found := owned(e)
	// The mark tells that a daemon set what stands there.
	begun := t.Begun || r.Mark != nil && r.StandsAt(r.Mark.Share)
	switch {
	case !begun && !r.StandsAt(0):
		x := ofEntrance(GreenHasTraffic, finding.Block, e, "")
		x.Side = shift.Green
		x.Message = fmt.Sprintf("entrance %s sends users to green before the shift begins: %s", e.Name, r)
		x.Do = "Look who set it, then set green's weight to 0 and blue's to 100."
		found = append(found, x)
	case len(r.Apart) > 0:
		x := ofEntrance(EntranceApart, finding.Warn, e, "")
		x.Message = fmt.Sprintf("the records of entrance %s stand apart: %s", e.Name, r)
		x.Do = "Look who changed them; the daemon brings them together at its next step."
		found = append(found, x)
	}
	if e.Balancer != nil {
		found = append(found, greenHealth(e)...)
	}
	return found
}

func owned(e facts.Entrance) []finding.Finding {
	if e.Reading.Owner == "" {
		return nil
	}
	x := ofEntrance(EntranceOwned, finding.Block, e, "")
	x.Message = fmt.Sprintf("entrance %s is written by %s", e.Name, e.Reading.Owner)
	x.Do = "Take it from that controller, or declare another entrance: the daemon doesn't fight over weights."
	return []finding.Finding{x}
}

// greenHealth judges green's healthy targets as a rise will.
func greenHealth(e facts.Entrance) []finding.Finding {
	green, need := e.Reading.GreenTargets, max(1, e.Balancer.MinHealthyTargets)
	x := ofEntrance(GreenTargetsUnhealthy, finding.Block, e, "")
	x.Side = shift.Green
	x.Do = "Make green's targets healthy; without them no step is made."
	why := ""
	if green.Note != "" {
		why = ": " + green.Note
	}
	thin := slices.IndexFunc(green.Zones, func(z shift.ZoneTargets) bool { return z.Total > 0 && z.Healthy < e.Balancer.MinHealthyPerZone })
	switch {
	case !green.Known:
		x.Message = fmt.Sprintf("how many targets of green are healthy behind entrance %s is not known", e.Name)
		x.Do = "Grant elasticloadbalancing:DescribeTargetHealth, and look whether the target group is there."
	case green.Healthy < need:
		x.Message = fmt.Sprintf("green has %d healthy targets of %d behind entrance %s, where blue has %d of %d; at least %d are needed%s",
			green.Healthy, green.Total, e.Name, e.Reading.BlueTargets.Healthy, e.Reading.BlueTargets.Total, need, why)
	case thin >= 0:
		z := green.Zones[thin]
		x.Message = fmt.Sprintf("green has %d healthy targets of %d in zone %s behind entrance %s; at least %d are needed in each%s",
			z.Healthy, z.Total, z.Zone, e.Name, e.Balancer.MinHealthyPerZone, why)
	default:
		return nil
	}
	return []finding.Finding{x}
}

// besides says what else decides where users go.
func besides(t *facts.Traffic, e facts.Entrance) []finding.Finding {
	var found []finding.Finding
	if others := otherMembers(t, e); len(others) > 0 {
		x := ofEntrance(OtherMembers, finding.Warn, e, "")
		x.Message = fmt.Sprintf("entrance %s also sends users to %s, and these users don't move", e.Name, listNames(others))
		x.Do = "Remove the other members, or set their weight to 0, if all users must move."
		found = append(found, x)
	}
	if e.Reading.Sticky > 0 {
		x := ofEntrance(Sticky, finding.Note, e, "")
		x.Message = fmt.Sprintf("entrance %s keeps a client on its side for up to %s, whatever the weights say: users leave blue and, after a way back, green by that much later", e.Name, e.Reading.Sticky)
		x.Do = "Expect that tail, or switch the stickiness of the action off. A rollback switches it off by itself."
		found = append(found, x)
	}
	if len(e.Reading.Notes) > 0 {
		x := ofEntrance(EntranceNotes, finding.Note, e, "")
		x.Message = fmt.Sprintf("of entrance %s is to be known: %s", e.Name, strings.Join(e.Reading.Notes, "; "))
		x.Do = "Read it once."
		found = append(found, x)
	}
	if step, hold := shortestHold(t.Steps); step >= 0 && e.Reading.TTL > hold {
		x := ofEntrance(TTLAboveHold, finding.Warn, e, "")
		x.Message = fmt.Sprintf("resolvers keep the answers of entrance %s for up to %s, and step %s is held for %s only: it is judged before all of its users have come",
			e.Name, e.Reading.TTL, t.Steps[step].Share, hold)
		x.Do = "Lower the TTL of the records, or hold the step for longer."
		found = append(found, x)
	}
	return found
}

func shortestHold(steps []shift.Step) (step int, hold time.Duration) {
	step = -1
	for i, s := range steps {
		if step < 0 || s.Hold < hold {
			step, hold = i, s.Hold
		}
	}
	return step, hold
}

// otherMembers are those that get users beside blue and green.
func otherMembers(t *facts.Traffic, e facts.Entrance) []string {
	var others []string
	for _, r := range e.Records {
		if r.Side == "" && r.Weight > 0 && !r.Beside {
			others = append(others, fmt.Sprintf("%s %s %q (weight %d)", r.Name, r.Type, r.SetIdentifier, r.Weight))
		}
	}
	if e.Balancer == nil {
		return others
	}
	if rule := declaredRule(t, e); rule != nil {
		for _, to := range rule.Forwards {
			if to.Weight > 0 && to.Group != e.Balancer.BlueTargetGroupARN && to.Group != e.Balancer.GreenTargetGroupARN {
				others = append(others, fmt.Sprintf("target group %s (weight %d)", to.Group, to.Weight))
			}
		}
	}
	return others
}
