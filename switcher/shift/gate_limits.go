package shift

import (
	"cmp"
	"fmt"
	"math"
	"strconv"
	"time"
)

// limits judge all numbers from outside that are judged now.
func (t *turn) limits() []Verdict {
	var verdicts []Verdict
	for _, g := range t.p.Gates.Limits {
		if t.limitCounts(g) {
			verdicts = append(verdicts, t.limit(g))
		}
	}
	return verdicts
}

// limitCounts tells whether the gate is judged now: before green has users only
// some are, and an answer for a step only where there is a next one.
func (t *turn) limitCounts(g LimitGate) bool {
	switch {
	case g.PerStep && t.next.Phase != Shifting, g.PerStep && t.next.Step >= len(t.next.Steps):
		return false
	case t.next.Share == 0:
		return g.BeforeUsers || g.PerStep
	}
	return true
}

// limit judges one number from outside. It can fail on any value of this step; it
// passes only on one that speaks of nothing before the last change.
func (t *turn) limit(g LimitGate) Verdict {
	r, ok := t.o.limit(g.Name)
	asked, reached := t.next.Asking(), t.next.ReachedAt
	switch {
	case g.PerStep && ok && r.Err == "" && (r.Attempt != asked.Attempt || r.Step != asked.Step):
		return verdict(g.Name, Wait, "it has not answered for step %d yet", asked.Step)
	case !ok:
		return verdict(g.Name, Unmeasured, "it was not measured")
	case r.Err != "":
		return verdict(g.Name, Unmeasured, "it can't be measured: %s", r.Err)
	case math.IsNaN(r.Value):
		return verdict(g.Name, Unmeasured, "its value is no number%s", noted(r))
	case !t.fresh(r.At, cmp.Or(r.FreshFor, t.p.StaleAfter)):
		return verdict(g.Name, Unmeasured, "its newest value is older than %s", cmp.Or(r.FreshFor, t.p.StaleAfter))
	case g.Max != nil && r.Value > *g.Max:
		return verdict(g.Name, Fail, "it is %s, at most %s is good%s", value(r.Value), value(*g.Max), noted(r))
	case g.Min != nil && r.Value < *g.Min:
		return verdict(g.Name, Fail, "it is %s, at least %s is good%s", value(r.Value), value(*g.Min), noted(r))
	case reached.IsZero():
		return verdict(g.Name, Wait, "it is good (%s), but the share isn't reached yet", value(r.Value))
	case r.From.Before(reached):
		return verdict(g.Name, Wait, "it is good (%s), but looks back to before the last change until %s UTC", value(r.Value), reached.Add(r.At.Sub(r.From)).UTC().Format(time.TimeOnly))
	}
	return verdict(g.Name, Pass, "it is %s%s", value(r.Value), noted(r))
}

// limitBreach is what a limit on users' traffic counts for a way back. A value that
// looks back to before the attempt says nothing of green's users.
func (t *turn) limitBreach(g LimitGate) (breaching, bool) {
	if !g.UsersTraffic || !t.limitCounts(g) {
		return breaching{}, false
	}
	r, _ := t.o.limit(g.Name)
	b := breaching{t.limit(g), r.At, max(1, g.Breaches)}
	if b.verdict.Judgement == Fail && r.From.Before(t.next.StartedAt) {
		b.verdict.Judgement = Wait
	}
	return b, true
}

func noted(r LimitReading) string {
	if r.Note == "" {
		return ""
	}
	return fmt.Sprintf(" (%s)", r.Note)
}

// value writes a number as short as it is exact enough to be compared.
func value(v float64) string { return strconv.FormatFloat(v, 'g', 6, 64) }
