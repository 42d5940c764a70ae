package record

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/chronicle"
	"github.com/clusterswitch/clusterswitch/internal/preflight/finding"
	"github.com/clusterswitch/clusterswitch/switcher"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// longestLook bounds what one turn adds to the time in which something was unknown:
// between turns that are further apart the daemon was asleep.
const longestLook = 5 * time.Minute

// spend adds the time since the turn before to what was unknown in this one.
func (n *Recorder) spend(t switcher.Turn) {
	if n.last.IsZero() {
		return
	}
	passed := max(0, min(t.Now.Sub(n.last), longestLook)).Seconds()
	n.r.WatchedSeconds += passed
	o := t.Observation
	blind := func(r shift.EntranceReading) bool { return r.Err != "" || r.At.IsZero() }
	for _, part := range []struct {
		of string
		is bool
	}{
		{"entrances", slices.ContainsFunc(o.Entrances, blind)},
		{"blue", o.Blue.Err != "" || o.Blue.At.IsZero()},
		{"green", o.Green.Err != "" || o.Green.At.IsZero()},
		{"journal", t.JournalErr != nil},
	} {
		if part.is {
			n.unknown(part.of, passed)
		}
	}
	for _, v := range t.Decision.Verdicts {
		if v.Judgement == shift.Unmeasured {
			n.unknown("gate "+v.Gate, passed)
		}
	}
}

func (n *Recorder) unknown(of string, seconds float64) {
	i := slices.IndexFunc(n.r.Unknown, func(u Unknown) bool { return u.Of == of })
	if i < 0 {
		i, n.r.Unknown = len(n.r.Unknown), append(n.r.Unknown, Unknown{Of: clipTo(of, 100)})
	}
	n.r.Unknown[i].Seconds += seconds
}

// users notes what the gates on users' traffic say at the step that green has.
func (n *Recorder) users(t switcher.Turn) {
	at := t.Before.Step
	if t.Before.ReachedAt.IsZero() || t.Before.Share == 0 || at < 1 || at > len(n.r.Steps) || n.r.Steps[at-1].LeftAt != nil {
		return
	}
	step := &n.r.Steps[at-1]
	for _, v := range usersOf(t) {
		i := slices.IndexFunc(step.Users, func(had Verdict) bool { return had.Gate == v.Gate })
		if i < 0 {
			i, step.Users = len(step.Users), append(step.Users, Verdict{})
		}
		step.Users = slices.Clone(step.Users) // who writes it may have the list
		step.Users[i] = v
	}
}

// usersOf gives the gates on users' traffic with their numbers in a turn.
func usersOf(t switcher.Turn) []Verdict {
	users := []Verdict{}
	for _, g := range gatesOf(t.Plan) {
		v := Verdict{Gate: g.Name, At: t.Now.UTC(), Numbers: chronicle.Numbers(g.Name, t)}
		for _, judged := range t.Decision.Verdicts {
			if judged.Gate == g.Name {
				v.Judgement, v.Message = string(judged.Judgement), clip(judged.Message)
			}
		}
		if len(v.Numbers) > 0 || v.Judgement != "" {
			users = append(users, v)
		}
	}
	return users
}

// grant notes what let the pair go on.
func (n *Recorder) grant(t switcher.Turn, to string) {
	g := Grant{At: t.Now.UTC(), To: to, Verdicts: []Verdict{}}
	for _, v := range t.Decision.Verdicts {
		g.Verdicts = append(g.Verdicts, Verdict{
			Gate: clipTo(v.Gate, 100), Judgement: string(v.Judgement), Message: clip(v.Message), At: t.Now.UTC(), Numbers: chronicle.Numbers(v.Gate, t),
		})
	}
	n.r.Grants = append(n.r.Grants, g)
}

// planned gives what is planned.
func planned(t switcher.Turn) Plan {
	p := Plan{
		Gates: gatesOf(t.Plan), Probes: slices.Clone(t.Plan.Gates.Probes), Preflight: cmp.Or(string(t.Plan.Preflight), "off"),
		StandbySeconds: t.Plan.Standby.For.Seconds(), AutoRollback: t.Plan.Standby.AutoRollback, BlueAtLeast: t.Plan.Capacity.AtLeast,
	}
	for _, e := range t.Decision.Next.Targets(t.Plan) {
		p.Entrances = append(p.Entrances, entranceOf(e))
	}
	return p
}

func entranceOf(e shift.Entrance) Entrance {
	switch {
	case e.Route53 != nil:
		return Entrance{Name: e.Name, Kind: "route53", Target: clip(strings.Join(e.Route53.Names, ", "))}
	case e.Balancer != nil && e.Balancer.RuleARN != "":
		return Entrance{Name: e.Name, Kind: "rule", Target: e.Balancer.RuleARN}
	case e.Balancer != nil:
		return Entrance{Name: e.Name, Kind: "listener", Target: e.Balancer.ListenerARN}
	}
	return Entrance{Name: e.Name}
}

// gatesOf are the plan's gates on users' traffic.
func gatesOf(p shift.Plan) []PlannedGate {
	var gates []PlannedGate
	for _, g := range p.Gates.Requests {
		limit := fmt.Sprintf("requests on green against blue's, every %s", g.Interval)
		if g.HasLimit {
			limit += fmt.Sprintf("; at most %s %% of green's may fail", number(100*g.MaxErrorRatio))
		}
		gates = append(gates, PlannedGate{Name: g.Name, Limit: limit})
	}
	for _, g := range p.Gates.Traffic {
		gates = append(gates, PlannedGate{Name: g.Name, Limit: fmt.Sprintf("at most %s %% of requests may fail; %d in a row roll back", number(100*g.MaxErrorRatio), max(1, g.Breaches))})
	}
	for _, g := range p.Gates.Limits {
		if !g.UsersTraffic {
			continue
		}
		var limits []string
		if g.Max != nil {
			limits = append(limits, "at most "+number(*g.Max))
		}
		if g.Min != nil {
			limits = append(limits, "at least "+number(*g.Min))
		}
		gates = append(gates, PlannedGate{Name: g.Name, Limit: fmt.Sprintf("%s; %d in a row roll back", strings.Join(limits, ", "), max(1, g.Breaches))})
	}
	return gates
}

// maxFindings bounds the findings of one preflight.
const maxFindings = 60

// preflight takes over the newest report of the preflight.
func (n *Recorder) preflight(t switcher.Turn, b Beside) {
	if b.Report.At.IsZero() || b.Report.Attempt != n.r.Attempt {
		return
	}
	report := looked{at: b.Report.At, tally: b.Report.Tally()}
	if report == n.reported {
		return
	}
	n.reported = report
	p := Preflight{At: b.Report.At.UTC(), Summary: b.Report.Summary(), Findings: []Finding{}}
	for _, f := range b.Report.Findings {
		if f.Severity == finding.Note && f.Waived == nil {
			continue
		}
		if len(p.Findings) == maxFindings {
			n.r.LeftOut++
			continue
		}
		one := Finding{ID: clip(f.ID), Severity: string(f.Severity), Message: clip(f.Message)}
		if w := f.Waived; w != nil {
			one.Waiver, one.WaivedUntil, one.Expired = clip(w.Reason), instant(w.Until), w.Expired
		}
		p.Findings = append(p.Findings, one)
	}
	switch {
	case t.Before.Step == 0:
		n.r.PreflightAtStart = &p
	case !p.says(n.r.PreflightAtStart):
		n.r.Preflight = &p
	}
}

// addCalls adds counts to counts.
func addCalls(to, more []Call) []Call {
	for _, c := range more {
		i := slices.IndexFunc(to, func(had Call) bool {
			return had.Service == c.Service && had.Operation == c.Operation && had.Outcome == c.Outcome
		})
		if i < 0 {
			to = append(to, c)
			continue
		}
		to[i].Count += c.Count
	}
	slices.SortFunc(to, func(a, b Call) int {
		return cmp.Or(cmp.Compare(a.Service, b.Service), cmp.Compare(a.Operation, b.Operation), cmp.Compare(a.Outcome, b.Outcome))
	})
	return to
}

// number writes a number as people do: 0.5, 12, 4,210.
func number(f float64) string {
	text := strconv.FormatFloat(f, 'f', -1, 64)
	if len(text) > 7 {
		text = strconv.FormatFloat(f, 'g', 4, 64)
	}
	return text
}
