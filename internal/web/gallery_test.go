package web

import (
	"slices"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/chronicle"
	"github.com/clusterswitch/clusterswitch/switcher"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// gallery tells a chronicle of pairs in every state that people meet.
type gallery struct {
	told *chronicle.Chronicle
	now  time.Time
}

func newGallery(now time.Time, leader func() (string, bool)) *gallery {
	return &gallery{now: now, told: chronicle.New(chronicle.Options{
		Version: "v1.8.0", Identity: "clusterswitch-7d4b9c6f5-x2x8p", Namespace: "clusterswitch", Leader: leader, Now: func() time.Time { return now },
	})}
}

func plan(pair string) shift.Plan {
	return shift.Plan{
		Pair: pair, Steps: []shift.Step{{Share: 1, Hold: 10 * time.Minute}, {Share: 10, Hold: 15 * time.Minute}, {Share: 50, Hold: 20 * time.Minute, Approval: true}, {Share: 100, Hold: 30 * time.Minute}},
		Entrances: []shift.Entrance{
			{Name: "shop.example.com", Route53: &shift.Route53Entrance{HostedZoneID: "Z1", Names: []string{pair + ".example.com"}, Types: []string{"A"}}},
			{Name: "public", Balancer: &shift.BalancerEntrance{RuleARN: "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener-rule/app/public/0a1b2c3d4e5f6071/8192a3b4c5d6e7f8/1029384756afbecd"}},
		},
		Gates: shift.Gates{
			Traffic: []shift.TrafficGate{{Name: "shop-errors", MaxErrorRatio: .005, MinRequests: 500, Breaches: 3}},
			Limits:  []shift.LimitGate{{Name: "checkout-p99", Max: new(0.8), UsersTraffic: true, Breaches: 2}},
		},
		Standby: shift.Standby{For: 72 * time.Hour}, Capacity: shift.CapacityPolicy{AtLeast: 90}, Interval: 10 * time.Second, StaleAfter: time.Minute,
	}
}

// scene is how a pair stands at one time.
type scene struct {
	ago    time.Duration
	phase  shift.Phase
	step   int
	share  shift.Share
	seen   shift.Share
	reason shift.Reason
	says   string
	edit   func(t *switcher.Turn)
}

// play tells of a pair's scenes, one after the other.
func (g *gallery) play(pair string, scenes ...scene) {
	g.told.Expect(pair)
	p := plan(pair)
	state := shift.NewState()
	for _, s := range scenes {
		at := g.now.Add(-s.ago)
		if state.Attempt == 0 && s.phase != shift.Idle {
			state.Attempt, state.Steps, state.StartedAt = 1, p.Steps, at
			state.Baseline = shift.Baseline{At: at, Ready: 14, Workloads: []shift.WorkloadBaseline{{Workload: "Deployment shop/web", Ready: 10}, {Workload: "Deployment shop/cart", Ready: 4}}}
			for _, e := range p.Entrances {
				state.Entrances = append(state.Entrances, shift.EntranceState{Entrance: e})
			}
		}
		if state.Share != s.share {
			state.ChangedAt, state.ReachedAt = at, time.Time{}
		}
		if s.seen == s.share && state.ReachedAt.IsZero() {
			state.ReachedAt = at
		}
		state.Phase, state.Step, state.Share = s.phase, s.step, s.share
		for i := range state.Entrances {
			state.Entrances[i].Share, state.Entrances[i].Pending = s.share, s.seen != s.share
		}
		t := switcher.Turn{Now: at, Plan: p, Observation: g.observed(at, s), Decision: shift.Decision{Next: state, Reason: s.reason, Message: s.says, WakeAt: at.Add(p.Interval)}}
		if s.phase == shift.Shifting || s.phase == shift.OnStandby {
			t.Decision.Verdicts = verdicts()
		}
		if s.edit != nil {
			s.edit(&t)
			state = t.Decision.Next
		}
		g.told.Report(t)
	}
}

func verdicts() []shift.Verdict {
	return []shift.Verdict{
		{Gate: "hold", Judgement: shift.Wait, Message: "the hold of 15m0s is over in 6m12s"},
		{Gate: "preflight", Judgement: shift.Pass, Message: "no finding blocks (2 warn, 1 waived)"},
		{Gate: "workloads", Judgement: shift.Pass, Message: "all 12 workloads of green are ready"},
		{Gate: "blue's capacity", Judgement: shift.Pass, Message: "blue is ready for 110 % of the load"},
		{Gate: "targets", Judgement: shift.Pass, Message: "green has 6 of 6 healthy targets at public"},
		{Gate: "shop-errors", Judgement: shift.Pass, Message: "3 of 4,210 requests on green failed (0.07 %), at most 0.5 % is good"},
		{Gate: "checkout-p99", Judgement: shift.Pass, Message: "it is 0.41, at most 0.8 is good"},
	}
}

func (g *gallery) observed(at time.Time, s scene) shift.Observation {
	ready := func(n int) []shift.Workload {
		return []shift.Workload{
			{Kind: "Deployment", Namespace: "shop", Name: "web", Wanted: 10, Ready: n}, {Kind: "Deployment", Namespace: "shop", Name: "cart", Wanted: 4, Ready: 4},
		}
	}
	probe := func(name string, failures ...int) shift.ProbeReading {
		r := shift.ProbeReading{Name: name, Needed: 3, FreshFor: time.Minute, Passing: true}
		for i := range 30 {
			result := shift.ProbeResult{At: at.Add(time.Duration(i-30) * 10 * time.Second)}
			for _, f := range failures {
				if f == i {
					result.Err = "503 Service Unavailable, wanted 200"
				}
			}
			r.Results = append(r.Results, result)
		}
		return r
	}
	o := shift.Observation{
		Request: shift.Request{Serve: shift.Green, Attempt: 1},
		Entrances: []shift.EntranceReading{
			{Name: "shop.example.com", At: at, Weights: s.seen.Weights(), TTL: time.Minute, InSync: true},
			{Name: "public", At: at, Weights: s.seen.Weights(), InSync: true, BlueTargets: shift.Targets{Known: true, Healthy: 10, Total: 10}, GreenTargets: shift.Targets{Known: true, Healthy: 6, Total: 6}},
		},
		Blue: shift.ClusterReading{At: at, NodesReady: 8, Nodes: 8, Workloads: ready(10)}, Green: shift.ClusterReading{At: at, NodesReady: 9, Nodes: 9, Workloads: ready(10)},
		Probes:     []shift.ProbeReading{probe("storefront"), probe("checkout", 8, 9, 21)},
		BlueProbes: []shift.ProbeReading{probe("storefront")},
		Traffic:    []shift.TrafficReading{{Gate: "shop-errors", From: at.Add(-time.Minute), To: at, At: at, Requests: 4210, Errors: 3}},
		Limits:     []shift.LimitReading{{Gate: "checkout-p99", At: at, Value: .41, FreshFor: time.Minute}},
	}
	if s.phase == shift.Idle {
		o.Request = shift.Request{Serve: shift.Blue}
	}
	return o
}

// hang fills the gallery.
func (g *gallery) hang() {
	up := []scene{
		{66 * time.Minute, shift.Idle, 0, 0, 0, shift.NothingToDo, "blue serves, as asked", nil},
		{62 * time.Minute, shift.InPreflight, 0, 0, 0, shift.PreflightRuns, "green is being compared with blue", nil},
		{58 * time.Minute, shift.Shifting, 0, 0, 0, shift.PreflightPassed, "no finding blocks (2 warn, 1 waived); blue carries everything on 14 ready replicas", preflighted},
		{57 * time.Minute, shift.Shifting, 1, 1, 0, shift.Rising, "public goes to 1 % on green", nil},
		{56 * time.Minute, shift.Shifting, 1, 1, 1, shift.Holding, "1 % on green is held for 10m0s", nil},
		{45 * time.Minute, shift.Shifting, 2, 10, 1, shift.Rising, "public goes to 10 % on green", wrote},
		{44 * time.Minute, shift.Shifting, 2, 10, 10, shift.Holding, "10 % on green is held for 15m0s", nil},
	}
	half := append(slices.Clip(up),
		scene{28 * time.Minute, shift.Shifting, 3, 50, 10, shift.Rising, "public goes to 50 % on green", wrote},
		scene{27 * time.Minute, shift.Shifting, 3, 50, 50, shift.Holding, "50 % on green is held for 20m0s", nil},
	)
	all := append(slices.Clip(half),
		scene{8 * time.Minute, shift.Shifting, 4, 100, 50, shift.Rising, "public goes to 100 % on green", wrote},
		scene{7 * time.Minute, shift.Shifting, 4, 100, 100, shift.Holding, "100 % on green is held for 30m0s", nil},
	)
	then := func(before []scene, more ...scene) []scene { return append(slices.Clip(before), more...) }
	g.play("shop", then(half, scene{12 * time.Second, shift.Shifting, 3, 50, 50, shift.GateWaits, "shop-errors: 310 of 500 requests seen since the last change", waiting})...)
	g.play("search", then(half, scene{40 * time.Second, shift.RollingBack, 3, 0, 50, shift.UsersSuffer, "search-errors: 214 of 3,120 requests on green failed (6.9 %), at most 0.5 % is good; all traffic goes to blue", suffering})...)
	g.play("billing", then(half, scene{3 * time.Minute, shift.Shifting, 3, 50, 35, shift.Drift, "public stands at blue 65, green 35, not at 50 %: somebody else changed it", drifted})...)
	g.play("login", then(up, scene{5 * time.Minute, shift.Shifting, 2, 10, 10, shift.ApprovalNeeded, "step 3 (50 %) waits for an approval", passing})...)
	g.play("media", then(up[:2], scene{9 * time.Minute, shift.InPreflight, 0, 0, 0, shift.PreflightBlocks, "2 findings block, the first: Deployment media/encoder is in blue only", blocked})...)
	g.play("web", then(all, scene{2 * time.Minute, shift.OnStandby, 4, 100, 100, shift.StandingBy, "green has all traffic; blue is kept ready for 72h0m0s", passing})...)
	g.play("api", then(all, scene{time.Minute, shift.Completed, 4, 100, 100, shift.ShiftCompleted, "green has all traffic, the shift is over", nil})...)
	g.play("mail", scene{time.Minute, shift.Idle, 0, 0, 0, shift.NothingToDo, "blue serves, as asked", nil})
	g.play("docs", then(half,
		scene{20 * time.Minute, shift.RollingBack, 3, 0, 50, shift.RollbackRequested, "the custom resource asks for a rollback; all traffic goes to blue", asked},
		scene{19 * time.Minute, shift.RolledBack, 0, 0, 0, shift.BackOnBlue, "blue has all traffic again", nil})...)
}

func preflighted(t *switcher.Turn) {
	t.Decision.Next.Preflight = &shift.PreflightOutcome{At: t.Now.Add(-3 * time.Minute), Digest: "digest", Warns: 2, Waived: 1}
}

func wrote(t *switcher.Turn) {
	for _, e := range t.Plan.Entrances {
		t.Decision.Changes = append(t.Decision.Changes, shift.Change{Entrance: e, Wanted: t.Decision.Next.Share})
		t.Results = append(t.Results, shift.Result{Entrance: e.Name, Outcome: shift.Applied, At: t.Now})
	}
}

func waiting(t *switcher.Turn) {
	t.Observation.Traffic[0].Requests, t.Observation.Traffic[0].Errors = 310, 0
	t.Decision.Verdicts[0] = shift.Verdict{Gate: "hold", Judgement: shift.Pass, Message: "the hold of 20m0s is over"}
	t.Decision.Verdicts[5] = shift.Verdict{Gate: "shop-errors", Judgement: shift.Wait, Message: "310 of 500 requests seen since the last change"}
}

func passing(t *switcher.Turn) {
	t.Decision.Verdicts[0] = shift.Verdict{Gate: "hold", Judgement: shift.Pass, Message: "the hold of 15m0s is over"}
}

func suffering(t *switcher.Turn) {
	t.Observation.Traffic[0].Requests, t.Observation.Traffic[0].Errors = 3120, 214
	t.Decision.Next.Rollback = &shift.RollbackRecord{By: "the daemon", Automatic: true, Why: "search-errors: 214 of 3,120 requests on green failed (6.9 %), at most 0.5 % is good", At: t.Now}
	t.Decision.Verdicts = []shift.Verdict{{Gate: "shop-errors", Judgement: shift.Fail, Message: "214 of 3,120 requests on green failed (6.9 %), at most 0.5 % is good"}}
	t.Results = []shift.Result{{Entrance: "public", Outcome: shift.Unknown, Note: "the answer was lost; it is read again", At: t.Now}}
	t.Decision.Changes = []shift.Change{{Entrance: t.Plan.Entrances[1], Priority: shift.Rollback}}
}

func drifted(t *switcher.Turn) {
	t.Decision.Next.Question = &shift.Question{ID: "1-1700000000000", Reason: shift.Drift, Entrance: "public", Message: "public stands at blue 65, green 35, not at 50 %: somebody else changed it", At: t.Now}
}

func blocked(t *switcher.Turn) {
	t.Decision.Next.Preflight = &shift.PreflightOutcome{At: t.Now, Digest: "digest", Blocks: 2, Warns: 1}
	t.Decision.Verdicts = []shift.Verdict{{Gate: "preflight", Judgement: shift.Fail, Message: "2 findings block, the first: Deployment media/encoder is in blue only"}}
}

func asked(t *switcher.Turn) {
	t.Observation.Request.RollbackBy = []string{"the custom resource"}
	t.Decision.Next.Rollback = &shift.RollbackRecord{By: "the custom resource", Why: "a person asked for it", At: t.Now}
}

func findings() []chronicle.Finding {
	return []chronicle.Finding{
		{ID: "OnlyInBlue/Deployment.apps/media/encoder", Severity: "block", Object: "Deployment.apps media/encoder", Message: "It is in blue only.", Do: "Deploy it to green, or waive the finding."},
		{ID: "ApiRemoved/Ingress", Severity: "block", Object: "Ingress.extensions media/front", Message: "Clients of blue use extensions/v1beta1, which green's version 1.37 doesn't serve.", Do: "Move the clients to networking.k8s.io/v1."},
		{ID: "ImageDiffers/Deployment.apps/media/web", Severity: "warn", Object: "Deployment.apps media/web", Message: "Its image is web:41 in blue and web:42 in green.", Do: "Make sure that this is meant."},
		{ID: "ReplicasDiffer/Deployment.apps/media/front", Severity: "note", Object: "Deployment.apps media/front", Message: "It has 4 replicas in blue and 6 in green.", Do: "Nothing.", Waived: true},
	}
}
