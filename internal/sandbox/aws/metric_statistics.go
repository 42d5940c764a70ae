package aws

import (
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
)

// spread counts response times by their value in seconds, rounded up to three
// digits: a time is above a bound of three digits exactly when its rounded one is.
type spread map[float64]float64

func (s spread) add(seconds float64) spread {
	if s == nil {
		s = spread{}
	}
	s[threeDigits(seconds)]++
	return s
}

func (s spread) plus(other spread) spread {
	if s == nil && len(other) > 0 {
		s = spread{}
	}
	for v, n := range other {
		s[v] += n
	}
	return s
}

func threeDigits(v float64) float64 {
	if v <= 0 {
		return 0
	}
	unit := math.Pow(10, math.Floor(math.Log10(v))-2)
	up := math.Ceil(v/unit - 1e-6)
	// The number that is written so, and not one beside it.
	rounded, _ := strconv.ParseFloat(strconv.FormatFloat(up*unit, 'g', 3, 64), 64)
	return rounded
}

// between counts what lies above least and not above most.
func (s spread) between(least, most float64) float64 {
	n := 0.0
	for v, count := range s {
		if v > least && v <= most {
			n += count
		}
	}
	return n
}

// percentile is the least value that so much of all, 0 to 1, is not above.
func (s spread) percentile(part, all float64) float64 {
	below, last := 0.0, 0.0
	for _, v := range slices.Sorted(maps.Keys(s)) {
		below, last = below+s[v], v
		if below >= part*all {
			break
		}
	}
	return last
}

// statisticOf gives what is made of the samples of a period; nil: there is no such
// statistic. Those that look at single samples are kept of TargetResponseTime only.
// The lower bound of a range is exclusive, the upper one inclusive.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html
func statisticOf(stat, metric string) func(sample) float64 {
	switch stat {
	case "Sum":
		return func(a sample) float64 { return a.sum }
	case "Average":
		return func(a sample) float64 { return a.sum / a.count }
	case "SampleCount":
		return func(a sample) float64 { return a.count }
	case "Minimum":
		return func(a sample) float64 { return a.min }
	case "Maximum":
		return func(a sample) float64 { return a.max }
	}
	if metric != responseTime {
		return nil
	}
	if found := regexp.MustCompile(`^p(\d{1,3}(?:\.\d{1,10})?)$`).FindStringSubmatch(stat); found != nil {
		part, err := strconv.ParseFloat(found[1], 64)
		if err != nil || part > 100 {
			return nil
		}
		return func(a sample) float64 { return a.spread.percentile(part/100, a.count) }
	}
	found := regexp.MustCompile(`^(TC|PR)\((\d+(?:\.\d+)?)?:(\d+(?:\.\d+)?)?\)$`).FindStringSubmatch(stat)
	if found == nil || found[2] == "" && found[3] == "" {
		return nil
	}
	least, most := bound(found[2], math.Inf(-1)), bound(found[3], math.Inf(1))
	if found[1] == "PR" {
		return func(a sample) float64 { return 100 * a.spread.between(least, most) / a.count }
	}
	return func(a sample) float64 { return a.spread.between(least, most) }
}

// bound reads a bound; without one it is open.
func bound(text string, open float64) float64 {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return open
	}
	return v
}
