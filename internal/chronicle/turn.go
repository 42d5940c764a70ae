package chronicle

import (
	"math"
	"slices"
	"strings"
	"time"

	"github.com/clusterswitch/clusterswitch/switcher"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// ofTurn makes a pair's document of a turn, without history.
func (c *Chronicle) ofTurn(t switcher.Turn) Detail {
	o, d := t.Observation, t.Decision
	detail := c.ofState(t.Plan.Pair, d.Next, d.Reason, d.Message)
	s := &detail.Summary
	s.Source, s.UpdatedAt = "loop", instant(t.Now)
	s.SeenShare = seenShare(o.Entrances)
	s.BlueReady = replicasOf(o.Blue.ReadyOf())
	s.WaitsUntil = waitsUntil(d.Next, &t.Plan, t.Now)
	if len(d.Next.Steps) == 0 {
		detail.Steps = stepsOf(t.Plan.Steps)
	}
	detail.Asked = askedOf(o.Request, d.Next.Attempt)
	detail.Entrances = entrancesOf(d.Next, t.Plan, o.Entrances)
	for _, v := range atMost(d.Verdicts, maxList) {
		detail.Gates = append(detail.Gates, Gate{Gate: v.Gate, Judgement: string(v.Judgement), Message: clip(v.Message), Numbers: Numbers(v.Gate, t)})
	}
	detail.Probes = slices.Concat(probesOf(shift.Green, o.Probes), probesOf(shift.Blue, o.BlueProbes))
	detail.Clusters = []Cluster{clusterOf(shift.Blue, o.Blue), clusterOf(shift.Green, o.Green)}
	if r := shift.MeasureReadiness(t.Plan, d.Next, o, t.Now); r.Measured() {
		detail.Readiness = readinessOf(r)
		s.BluePercent, s.WantedPercent = detail.Readiness.Blue.Percent, &detail.Readiness.WantedPercent
	}
	if p := detail.Preflight; p == nil && o.Preflight.Err != "" && d.Next.Active() {
		detail.Preflight = &Preflight{}
	}
	if p := detail.Preflight; p != nil {
		p.Trouble = clip(o.Preflight.Err)
	}
	detail.Notes = clipped(append(shift.Notes(d.Next, o, t.Now), shift.CapacityNotes(t.Plan, d.Next, o, t.Now)...))
	return detail
}

// ofState is what a state and a decision's why say of a pair, whoever made them.
func (c *Chronicle) ofState(pair string, s shift.State, reason shift.Reason, message string) Detail {
	d := Detail{
		Summary: Summary{
			Pair: pair, Phase: string(s.Phase), PhaseMeaning: s.Phase.Meaning(),
			Severity: severityOf(reason.Severity()), Reason: string(reason), Message: clip(message), ToDo: c.reasons[reason].Do,
			Attempt: s.Attempt, GreenShare: int(s.Share), Since: instant(s.ChangedAt),
		},
		Steps: stepsOf(s.Steps),
	}
	if len(s.Steps) > 0 {
		d.Summary.Step = &Step{Entered: s.Step, Of: len(s.Steps)}
	}
	if q := s.Asks(); q != nil {
		d.Question = &Question{ID: q.ID, Reason: string(q.Reason), Message: clip(q.Message)}
		d.Summary.Severity = severityOf(shift.NeedsPerson)
	}
	if r := s.Rollback; r != nil {
		d.Rollback = &Rollback{By: clip(r.By), Why: clip(r.Why), At: r.At.UTC(), Automatic: r.Automatic}
	}
	if p := s.Preflight; p != nil {
		d.Preflight = &Preflight{At: instant(p.At), Blocks: p.Blocks, Warns: p.Warns, Waived: p.Waived, Digest: p.Digest}
	}
	for _, b := range atMost(s.Baton, maxList) {
		d.Singletons = append(d.Singletons, Singleton{Key: b.Key, Side: string(b.Side), Stage: string(b.Stage), Since: b.Since.UTC(), Failed: clip(b.Failed)})
	}
	return d
}

func severityOf(s shift.Severity) string {
	switch s {
	case shift.NeedsPerson:
		return "person"
	case shift.Held:
		return "held"
	case shift.Normal:
	}
	return "normal"
}

// seenShare is green's share at AWS where it is most; nil where any entrance is
// unknown.
func seenShare(readings []shift.EntranceReading) *int {
	most := 0
	for _, r := range readings {
		if r.Err != "" || r.At.IsZero() {
			return nil
		}
		most = max(most, int(r.Share()))
	}
	if len(readings) == 0 {
		return nil
	}
	return &most
}

// waitsUntil is when what is waited for by the clock is over; nil: nothing is.
func waitsUntil(s shift.State, p *shift.Plan, now time.Time) *time.Time {
	var end time.Time
	switch {
	case s.Phase == shift.Shifting && s.Step >= 1 && s.Step <= len(s.Steps) && !s.ReachedAt.IsZero():
		end = s.ReachedAt.Add(s.Steps[s.Step-1].Hold)
	case s.Phase == shift.OnStandby && p != nil:
		end = s.ChangedAt.Add(p.Standby.For)
	}
	if !end.After(now) {
		return nil
	}
	return instant(end)
}

func stepsOf(steps []shift.Step) []PlannedStep {
	var out []PlannedStep
	for i, s := range atMost(steps, 100) {
		out = append(out, PlannedStep{Number: i + 1, Share: int(s.Share), HoldSeconds: s.Hold.Seconds(), Approval: s.Approval})
	}
	return out
}

func askedOf(r shift.Request, attempt int) Asked {
	a := Asked{Serve: string(r.Serve), Attempt: r.Attempt, Paused: r.Paused, HandsOff: r.HandsOff, RollbackBy: r.RollbackBy}
	if r.Approved.Attempt == attempt {
		a.ApprovedStep = r.Approved.Step
	}
	return a
}

// entrancesOf are the entrances of the attempt, before one those of the plan.
func entrancesOf(s shift.State, p shift.Plan, readings []shift.EntranceReading) []Entrance {
	intended := s.Entrances
	if len(intended) == 0 {
		for _, e := range p.Entrances {
			intended = append(intended, shift.EntranceState{Entrance: e})
		}
	}
	var out []Entrance
	for _, e := range atMost(intended, maxList) {
		one := Entrance{Name: e.Name, GreenShare: int(e.Share), Pending: e.Pending}
		one.Kind, one.Target = targetOf(e.Entrance)
		for _, r := range readings {
			if r.Name == e.Name {
				one.Trouble, one.Seen = clip(r.Err), seenOf(r)
			}
		}
		out = append(out, one)
	}
	return out
}

func targetOf(e shift.Entrance) (kind, target string) {
	switch {
	case e.Route53 != nil:
		return "route53", clip(strings.Join(e.Route53.Names, ", "))
	case e.Balancer != nil && e.Balancer.RuleARN != "":
		return "rule", e.Balancer.RuleARN
	case e.Balancer != nil:
		return "listener", e.Balancer.ListenerARN
	}
	return "", ""
}

func seenOf(r shift.EntranceReading) *Seen {
	if r.Err != "" || r.At.IsZero() {
		return nil
	}
	return &Seen{At: r.At.UTC(), GreenShare: int(r.Share()), Says: clip(r.String()), BlueTargets: targetsOf(r.BlueTargets), GreenTargets: targetsOf(r.GreenTargets)}
}

func targetsOf(t shift.Targets) *Targets {
	if !t.Known {
		return nil
	}
	return &Targets{Healthy: t.Healthy, Total: t.Total}
}

func probesOf(side shift.Side, readings []shift.ProbeReading) []Probe {
	var out []Probe
	for _, r := range atMost(readings, maxList) {
		p := Probe{Name: r.Name, Side: string(side), Passing: r.Passing, Needed: r.Needed, Results: []ProbeResult{}}
		for _, result := range r.Results[max(0, len(r.Results)-maxResults):] {
			p.Results = append(p.Results, ProbeResult{At: result.At.UTC(), Error: clip(result.Err)})
		}
		out = append(out, p)
	}
	return out
}

// maxNotReady bounds the workloads that are named.
const maxNotReady = 20

func clusterOf(side shift.Side, r shift.ClusterReading) Cluster {
	c := Cluster{Side: string(side), At: instant(r.At), Trouble: clip(r.Err), NodesReady: r.NodesReady, Nodes: r.Nodes, Workloads: len(r.Workloads), NotReady: []NotReady{}}
	for _, w := range r.Workloads {
		c.Replicas.Ready += w.Ready
		c.Replicas.Wanted += w.Wanted
		if w.NotReady == "" {
			continue
		}
		if c.NotReadyTotal++; c.NotReadyTotal <= maxNotReady {
			c.NotReady = append(c.NotReady, NotReady{Workload: w.Key(), Why: clip(w.NotReady)})
		}
	}
	return c
}

func readinessOf(r shift.Readiness) *Readiness {
	out := &Readiness{Message: clip(r.Sentence()), WantedPercent: r.Wanted, Blue: capacityOf(r.Blue), Green: capacityOf(r.Green), Tails: []Tail{}}
	if r.Takes > 0 {
		out.TakesSeconds = new(r.Takes.Seconds())
	}
	for _, t := range atMost(r.Tails, maxList) {
		tail := Tail{Entrance: t.Entrance, Side: string(t.Side), Kind: string(t.Kind)}
		if t.For != shift.Endless {
			tail.ForSeconds = new(t.For.Seconds())
		}
		out.Tails = append(out.Tails, tail)
	}
	return out
}

func capacityOf(c shift.SideCapacity) Capacity {
	if !c.Known {
		return Capacity{Why: clip(c.Why)}
	}
	return Capacity{Percent: &c.Percent, Weakest: c.Weakest, Ready: c.Ready, Needed: c.Need, ByLoad: c.ByLoad}
}

// Numbers are what a gate was judged by in a turn; none: only its sentence tells.
func Numbers(gate string, t switcher.Turn) []Number {
	numbers := []Number{}
	for _, g := range t.Plan.Gates.Traffic {
		for _, r := range t.Observation.Traffic {
			if g.Name != gate || r.Gate != gate || r.Err != "" {
				continue
			}
			numbers = append(numbers, Number{Name: "requests", Value: float64(r.Requests), Unit: "count", AtLeast: new(float64(g.MinRequests))})
			if r.Requests > 0 {
				numbers = append(numbers, Number{Name: "errors", Value: 100 * float64(r.Errors) / float64(r.Requests), Unit: "percent", AtMost: new(100 * g.MaxErrorRatio)})
			}
		}
	}
	numbers = append(numbers, limitNumbers(gate, t)...)
	for _, g := range t.Plan.Gates.Requests {
		for _, e := range t.Decision.Next.Evidence {
			if g.Name == gate && e.Gate == gate {
				numbers = append(numbers, evidenceNumbers(t, g, e)...)
			}
		}
	}
	return numbers
}

// limitNumbers are the value that a gate with limits read.
func limitNumbers(gate string, t switcher.Turn) (numbers []Number) {
	for _, g := range t.Plan.Gates.Limits {
		for _, r := range t.Observation.Limits {
			if g.Name == gate && r.Gate == gate && r.Err == "" && !math.IsNaN(r.Value) && !math.IsInf(r.Value, 0) {
				numbers = append(numbers, Number{Name: "value", Value: r.Value, AtMost: g.Max, AtLeast: g.Min})
			}
		}
	}
	return numbers
}

// evidenceNumbers are what a request gate has counted since the step began.
func evidenceNumbers(t switcher.Turn, g shift.RequestGate, e shift.GateEvidence) []Number {
	v := e.Book.Judge(shift.EvidenceSettings(t.Plan, t.Decision.Next.Steps, g), e.Profile)
	numbers := []Number{
		{Name: "requests on green", Value: v.Green[0], Unit: "count"},
		{Name: "bad on green", Value: 100 * v.GreenRatio, Unit: "percent"},
		{Name: "bad on blue", Value: 100 * v.BlueRatio, Unit: "percent"},
		{Name: "odds against green", Value: v.Times, Unit: "times", AtMost: new(v.Needed)},
		{Name: "proven fine", Value: float64(v.Passing), Unit: "count", AtLeast: new(float64(v.Metrics))},
	}
	return slices.DeleteFunc(numbers, func(n Number) bool { return math.IsNaN(n.Value) || math.IsInf(n.Value, 0) })
}
