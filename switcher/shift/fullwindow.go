package shift

import (
	"fmt"
	"math"
	"time"
)

// alike is how many times as many requests as in another one a window may have for
// both to count as full of the same users: in minutes no load changes by more, but
// for one that only began, or was only seen from then on.
const alike = 2

// notFull says why a reading is no measure of what blue carries; empty: it is one. A
// rate is an average. Where users came, or the source began to count, within its
// window, it is less than what they ask of blue, and all that they do later would
// look like more. So blue's load must have been alike for a whole window. What is too
// little to tell what a replica carries needs no such proof.
func (r LoadReading) notFull() string {
	switch p := r.Past; {
	case !tells(r.total()):
		return ""
	case p.Err != "":
		return "what it was before isn't known: " + p.Err
	case p.Windows == 0:
		return "what it was before isn't known"
	case !(p.Least*alike >= r.Blue): // NaN is no proof
		return fmt.Sprintf("it rose from %s to %s requests a second within its window of %s", rounded(p.Least), rounded(r.Blue), r.To.Sub(r.From))
	case !(p.Most <= r.Blue*alike):
		return fmt.Sprintf("it fell from %s to %s requests a second within its window of %s", rounded(p.Most), rounded(r.Blue), r.To.Sub(r.From))
	}
	return ""
}

func rounded(rate float64) string { return value(math.Round(rate*10) / 10) }

const blueLoadGate = "blue's load"

// blueLoadMeasured waits before the first step for a load that is read, but whose
// window isn't full: once green has users, what blue carried everything with can't be
// measured any more. It waits for as long as a source needs to fill its window twice;
// a load that goes up and down for longer is told by replicas. So is at once what
// can't be read at all. Where it is known what a replica carries, it need not be seen.
func blueLoadMeasured(t *turn, _ Share) []Verdict {
	if t.next.Step > 0 || t.next.Share > 0 {
		return nil
	}
	for _, s := range t.p.Capacity.Loads {
		r, known := t.load(s.Name)
		why := r.notFull()
		_, measured := t.next.Baseline.rate(s.Name)
		until := t.next.Baseline.At.Add(2 * r.FreshFor)
		if known && !measured && !s.carriedAsKnown() && why != "" && until.After(t.now) {
			return one(blueLoadGate, Wait, "load %s is no measure of blue yet: %s; ready replicas stand for it from %s UTC on", s.Name, why, until.UTC().Format(time.TimeOnly))
		}
	}
	return nil
}
