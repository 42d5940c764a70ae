package shift

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/clusterswitch/clusterswitch/switcher/evidence"
)

// saying puts what the evidence of a request gate says into words.
type saying struct {
	g RequestGate
	p evidence.Profile
	v evidence.Verdict
}

// bad says why users suffer on green. The newest intervals hold the numbers of a
// disaster, which nothing else may have counted yet.
func (s saying) bad(newest []evidence.Interval) string {
	switch {
	case s.v.Bad && s.v.Blind:
		return fmt.Sprintf("users suffer on green: %s; %s", s.sides(), s.odds("proves it"))
	case s.v.Bad:
		return fmt.Sprintf("users suffer on green, and not on blue: %s; %s", s.sides(), s.odds("proves it"))
	}
	text := "green fails users in great numbers, in two intervals in a row"
	m := 0
	for i := range s.p.Metrics {
		if s.p.Metrics[i].Edge == 0 {
			m = i
		}
	}
	for _, iv := range slices.Backward(newest) {
		if iv.Trouble(s.p) == "" {
			return fmt.Sprintf("%s: in the newest green %s, blue %s", text, s.part(m, tallied(iv.Green[m])), short(tallied(iv.Blue[m])))
		}
	}
	return text
}

// both says why to go back would help nobody.
func (s saying) both() string {
	return fmt.Sprintf("both sides suffer, going back helps nobody: %s; a person decides", s.sides())
}

func (s saying) good() string {
	return "proven fine: " + s.counts()
}

// waits says what is missing for a pass.
func (s saying) waits() string {
	switch {
	case s.v.Metrics == 0 || s.v.Green[0] <= 0:
		return "no request to green counts yet since the share was reached"
	case s.v.Times >= s.v.Needed:
		return fmt.Sprintf("green is worse, but by less than the %s above blue that would send users back: %s", percent(s.g.MinExcess), s.sides())
	case s.v.Leaning:
		return fmt.Sprintf("green looks worse, which may be chance: %s; %s", s.sides(), s.odds("would prove it"))
	case s.v.Metrics == 1:
		return "it isn't proven yet that green is fine: " + s.sides()
	}
	return fmt.Sprintf("%d of %d metrics are proven fine, most doubtful: %s", s.v.Passing, s.v.Metrics, s.sides())
}

// sides gives the numbers of the metric that says most against green, and what the
// configuration allows.
func (s saying) sides() string { return s.counts() + s.limit() }

func (s saying) counts() string {
	green := "green " + s.part(s.v.Metric, s.v.Green)
	if !s.v.Blind {
		return green + ", blue " + short(s.v.Blue)
	}
	return fmt.Sprintf("%s, blue has too few requests to compare with, and had %s before the shift", green, percent(s.v.BlueRatio))
}

// short is a part of so many, in a sentence that said before what is bad.
func short(of evidence.Tally) string { return percent(of.Ratio()) + " of " + number(of[0]) }

// limit says what the configuration allows, where it does.
func (s saying) limit() string {
	if !s.g.HasLimit || s.v.Metric >= len(s.p.Metrics) || s.p.Metrics[s.v.Metric].Edge != 0 {
		return ""
	}
	return fmt.Sprintf(", at most %s may", percent(s.g.MaxErrorRatio))
}

// part says how many of so many requests were bad in a metric's way.
func (s saying) part(metric int, of evidence.Tally) string {
	text := short(of) + " requests"
	if metric >= len(s.p.Metrics) || s.p.Metrics[metric].Edge == 0 {
		return text + " failed"
	}
	return text + " took longer than " + s.p.Metrics[metric].Edge.String()
}

// odds say how unlikely a green that is no worse looks like this.
func (s saying) odds(proves string) string {
	are := "are 1:" + number(s.v.Times)
	if s.v.Times > longOdds {
		are = "are below 1:" + number(longOdds)
	}
	return fmt.Sprintf("the odds that this is chance %s, 1:%s %s", are, number(s.v.Needed), proves)
}

// longOdds are those beyond which nobody cares how long they are.
const longOdds = 1e6

func tallied(c evidence.Count) evidence.Tally { return evidence.Tally{c.Requests, c.Bad} }

// profileSaid says what blue was like.
func profileSaid(p evidence.Profile) string {
	parts := make([]string, len(p.Metrics))
	for i, m := range p.Metrics {
		parts[i] = fmt.Sprintf("%s %s", m.Name, percent(m.Ratio))
	}
	text := fmt.Sprintf("%s requests a second, %s", number(p.Rate), strings.Join(parts, ", "))
	if p.Short != "" {
		text += " (" + p.Short + ", so much scatter is assumed)"
	}
	return text
}

// percent writes a ratio as people do: "2.10 %".
func percent(ratio float64) string {
	if p := ratio * 100; p == 0 || p >= 0.01 {
		return fmt.Sprintf("%.2f %%", p)
	}
	return strconv.FormatFloat(ratio*100, 'g', 2, 64) + " %"
}

// number writes a count with its thousands apart: "17,200". Small ones that aren't
// whole keep a digit.
func number(n float64) string {
	if n < 10 && n != math.Trunc(n) {
		return strconv.FormatFloat(n, 'f', 1, 64)
	}
	digits := strconv.FormatFloat(math.Round(n), 'f', 0, 64)
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
