package shift

import (
	"fmt"
	"math"
	"time"
)

func usersServed(t *turn, _ Share) []Verdict {
	limits := t.limits()
	if t.next.Share == 0 {
		return append(t.profiles(), limits...) // green has no users yet
	}
	if !t.p.Gates.watchUsers() && !t.p.Gates.SoakOnly {
		limits = append(one("traffic", Unmeasured, "the plan has no gate on users' traffic and doesn't say soakOnly"), limits...)
	}
	var verdicts []Verdict
	for _, g := range t.p.Gates.Traffic {
		verdicts = append(verdicts, t.traffic(g))
	}
	for _, g := range t.p.Gates.Requests {
		verdicts = append(verdicts, t.requests(g).Verdict)
	}
	return append(verdicts, limits...)
}

// watchUsers tells whether any gate judges what users feel.
func (g Gates) watchUsers() bool {
	for _, l := range g.Limits {
		if l.UsersTraffic {
			return true
		}
	}
	return len(g.Traffic)+len(g.Requests) > 0
}

// usersNotSuffering asks less than usersServed: right after a change there are
// no samples yet, so waiting is good enough, but unknown is not.
func usersNotSuffering(t *turn, next Share) []Verdict {
	verdicts := usersServed(t, next)
	for i := range verdicts {
		if verdicts[i].Judgement == Wait {
			verdicts[i].Judgement = Pass
		}
	}
	return verdicts
}

// luck is the chance up to which too many errors aren't called bad luck.
const luck = 0.001

// traffic judges one gate on users' traffic. It can fail on anything measured
// in this attempt; it passes only on samples that began after the last change.
func (t *turn) traffic(g TrafficGate) Verdict {
	r, ok := t.o.traffic(g.Name)
	switch {
	case !ok:
		return verdict(g.Name, Unmeasured, "it was not measured")
	case r.Err != "":
		return verdict(g.Name, Unmeasured, "it can't be measured: %s", r.Err)
	case !t.fresh(r.At, t.p.StaleAfter) || !r.To.IsZero() && !t.fresh(r.To, r.FreshFor):
		return verdict(g.Name, Unmeasured, "its newest measurement is too old")
	case r.Requests < 0 || r.Errors < 0 || r.Errors > r.Requests:
		return verdict(g.Name, Unmeasured, "%d errors in %d requests can't be", r.Errors, r.Requests)
	case r.To.IsZero() || r.From.Before(t.next.StartedAt) || r.Requests < max(1, g.MinRequests):
		return verdict(g.Name, Wait, "%d of %d requests seen on green", r.Requests, max(1, g.MinRequests))
	}
	ratio := float64(r.Errors) / float64(max(1, r.Requests))
	switch {
	case ratio > g.MaxErrorRatio && likely(r.Errors, r.Requests, g.MaxErrorRatio):
		return verdict(g.Name, Wait, "%d of %d requests to green failed (%.2f %%, at most %.2f %% may): too few to tell from chance", r.Errors, r.Requests, ratio*100, g.MaxErrorRatio*100)
	case ratio > g.MaxErrorRatio:
		return verdict(g.Name, Fail, "%.2f %% of %d requests to green failed, at most %.2f %% may", ratio*100, r.Requests, g.MaxErrorRatio*100)
	case t.next.ReachedAt.IsZero() || r.From.Before(t.next.ReachedAt):
		return verdict(g.Name, Wait, "its samples are from before the last change")
	}
	return verdict(g.Name, Pass, "%.2f %% of %d requests to green failed", ratio*100, r.Requests)
}

// likely tells whether a green that is just at the limit has so many errors, or
// more, with a chance above luck. It adds up the binomial's tail.
func likely(errors, requests int, limit float64) bool {
	if limit <= 0 {
		return false // none may fail, so one is one too many
	}
	n, k := float64(requests), float64(errors)
	choose := logFactorial(n) - logFactorial(k) - logFactorial(n-k)
	term := math.Exp(choose + k*math.Log(limit) + (n-k)*math.Log1p(-limit))
	tail := 0.0
	for ; k <= n && tail <= luck; k++ {
		tail += term
		next := term * (n - k) / (k + 1) * limit / (1 - limit)
		if next < luck*1e-9 && next < term {
			tail += next
			break
		}
		term = next
	}
	return tail > luck
}

func logFactorial(n float64) float64 {
	l, _ := math.Lgamma(n + 1)
	return l
}

// breaching is a gate on users' traffic that sends them back when it fails often
// enough in a row.
type breaching struct {
	verdict Verdict
	at      time.Time // of the measurement: each counts once
	needed  int
}

func (t *turn) breachings() []breaching {
	var all []breaching
	for _, g := range t.p.Gates.Traffic {
		r, _ := t.o.traffic(g.Name)
		all = append(all, breaching{t.traffic(g), r.To, max(1, g.Breaches)})
	}
	for _, g := range t.p.Gates.Limits {
		if b, judged := t.limitBreach(g); judged {
			all = append(all, b)
		}
	}
	return all
}

// countBreaches counts failing measurements in a row, each measurement once.
func (t *turn) countBreaches() {
	if !t.next.Active() || t.next.Share == 0 {
		t.next.Breaches = nil // green has no users
		return
	}
	var kept []Breach
	for _, g := range t.breachings() {
		b := t.breach(g.verdict.Gate)
		switch g.verdict.Judgement {
		case Fail:
			if g.at.After(b.To) {
				b.Count, b.To = b.Count+1, g.at
			}
		case Pass:
			b.Count = 0
		case Wait, Unmeasured: // says nothing for or against
		}
		if b.Count > 0 {
			kept = append(kept, b)
		}
	}
	t.next.Breaches = kept
}

func (t *turn) breach(gate string) Breach {
	for _, b := range t.next.Breaches {
		if b.Gate == gate {
			return b
		}
	}
	return Breach{Gate: gate}
}

// usersSuffer says by which gate on users' traffic it is proven that green is bad
// for them.
func (t *turn) usersSuffer() (why string, suffer bool) {
	if t.next.Share == 0 {
		return "", false
	}
	for _, g := range t.breachings() {
		if b := t.breach(g.verdict.Gate); g.verdict.Judgement == Fail && b.Count >= g.needed {
			return fmt.Sprintf("%s: %s (%d in a row)", b.Gate, g.verdict.Message, b.Count), true
		}
	}
	for _, g := range t.p.Gates.Requests {
		if v := t.requests(g); v.suffer {
			return v.Gate + ": " + v.Message, true
		}
	}
	return "", false
}
