package evidence

import (
	"math"
	"slices"
	"time"
)

// Metric is one way in which a request can be bad.
type Metric struct {
	// Name is for people: "errors", or "slower than 250ms".
	Name string `json:"name"`
	// Edge is the time beyond which an answer is bad; 0: bad is an error.
	Edge time.Duration `json:"edge,omitempty"`
	// Ratio is blue's ratio of bad requests before the shift, 0 to 1.
	Ratio float64 `json:"ratio"`
	// Dispersion is how much more blue's counts scattered than chance alone has
	// them, by their variance; 1: not at all.
	Dispersion float64 `json:"dispersion"`
}

// Profile is what was measured of blue before the shift. It is fixed when the
// shift starts: a test whose bounds follow the data that it judges proves nothing.
type Profile struct {
	Metrics []Metric `json:"metrics"`
	// Rate is how many requests a second blue had.
	Rate float64 `json:"rate"`
	// From and To bound the history that it was measured in.
	From time.Time `json:"from,omitzero"`
	To   time.Time `json:"to,omitzero"`
	// Short says what the history lacks, where the dispersion is assumed; empty: it
	// was measured.
	Short string `json:"short,omitempty"`
}

// What a history needs for its scatter to be measured, also that of waves of a quarter of
// an hour, and what is assumed at least otherwise.
const (
	LeastHistory      = 3 * time.Hour
	AssumedDispersion = 10.0
	// fewDispersion is assumed where the history is long enough but hardly any
	// request in it was bad: clients try again, so that a bad request seldom comes alone.
	fewDispersion = 3.0
)

// blockLengths are the lengths of time over which scatter is looked for: errors in
// bursts show in the short ones, slow waves in the long ones.
func blockLengths() [4]time.Duration {
	return [...]time.Duration{15 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute}
}

// Measure makes a profile of blue's intervals before the shift, of one length and
// the oldest first. names has the metrics' Name and Edge; all else is measured.
func Measure(names []Metric, history []Interval) Profile {
	p := Profile{Metrics: slices.Clone(names)}
	var sound []Interval
	covered, requests := time.Duration(0), 0.0
	for _, iv := range history {
		switch {
		case len(iv.Blue) != len(names) || iv.Fault != "" || !iv.End.After(iv.Start) || slices.ContainsFunc(iv.Blue, unsound):
			continue
		case len(sound) > 0 && iv.Start.Before(sound[len(sound)-1].End):
			continue // it was counted already
		}
		sound = append(sound, iv)
		covered += iv.End.Sub(iv.Start)
		if len(iv.Blue) > 0 {
			requests += iv.Blue[0].Requests
		}
	}
	if covered > 0 {
		p.From, p.To = sound[0].Start, sound[len(sound)-1].End
		p.Rate = round(requests / covered.Seconds())
	}
	for m := range p.Metrics {
		p.Metrics[m].Ratio, p.Metrics[m].Dispersion = measured(sound, m)
	}
	if covered < LeastHistory {
		p.Short = "blue's history is " + covered.Round(time.Second).String() + " long, " + LeastHistory.String() + " are needed"
		for m := range p.Metrics {
			p.Metrics[m].Dispersion = max(AssumedDispersion, p.Metrics[m].Dispersion)
		}
	}
	return p
}

func unsound(c Count) bool { return !c.sound() }

// margin is by how much more than it measured scatter is taken for: the measurement
// errs, and bursts have longer tails than the law that the bets are made for.
const margin = 1.5

// Where scatter still grows with the length of the blocks, so that the longest have
// this many times what all shorter ones have, and more than chance gives, then there
// are slower waves than the blocks show: it is taken to grow on.
const (
	growing = 2.0
	grows   = 1.5
	growsTo = 3.0
)

// certainty is how many standard errors of the measurement, for counts that scatter by
// chance alone, scatter must exceed 1 by to be taken for any.
const certainty = 1.5

// measured gives a metric's ratio and dispersion.
func measured(history []Interval, m int) (ratio, dispersion float64) {
	var all Count
	for _, iv := range history {
		all.Requests += iv.Blue[m].Requests
		all.Bad += iv.Blue[m].Bad
	}
	if all.Requests > 0 {
		ratio = math.Round(all.Bad/all.Requests*1e9) / 1e9
	}
	known, onward := false, false
	dispersion = 1
	if len(history) == 0 {
		return 0, fewDispersion
	}
	for _, length := range blockLengths() {
		found, triples := scatter(inBlocks(history, m, length))
		if triples < leastTriples {
			continue
		}
		found = max(1, found-certainty*math.Sqrt(2/float64(triples)))
		onward = triples >= 2*leastTriples && found-1 > growing*(dispersion-1)+grows
		known, dispersion = true, max(dispersion, found)
	}
	if onward {
		dispersion = 1 + growsTo*(dispersion-1)
	}
	if !known {
		return ratio, fewDispersion
	}
	return ratio, round(1 + margin*(dispersion-1))
}

// inBlocks adds up the intervals of each length of time, counted from the first.
// Holes count for nothing, but of a block at least half must be there: else it is
// one without requests.
func inBlocks(history []Interval, m int, length time.Duration) []Count {
	first, one := history[0].Start, history[0].End.Sub(history[0].Start)
	if over := length % one; over > 0 {
		length += one - over // whole intervals
	}
	blocks := make([]Count, 0, history[len(history)-1].End.Sub(first)/length+1)
	var covered time.Duration
	closeLast := func() {
		if n := len(blocks); n > 0 && covered < length/2 {
			blocks[n-1] = Count{}
		}
		covered = 0
	}
	for _, iv := range history {
		at := int(iv.Start.Sub(first) / length)
		for len(blocks) <= at {
			closeLast()
			blocks = append(blocks, Count{})
		}
		blocks[at].Requests += iv.Blue[m].Requests
		blocks[at].Bad += iv.Blue[m].Bad
		covered += iv.End.Sub(iv.Start)
	}
	closeLast()
	return blocks
}

// What a measurement of scatter needs, and how many of the largest values are left
// out, but at most a fifth: an outage that began and ended in the history shows in so
// many, and it would make the gate blind.
const (
	leastTriples = 10
	leftOut      = 6
)

// scatter compares each block with the two beside it. What changes evenly from
// block to block cancels, as what both sides share does in the comparison. triples is how many
// could be compared: with fewer than the least nothing was measured.
func scatter(blocks []Count) (dispersion float64, triples int) {
	var values []float64
	for i := 2; i < len(blocks); i++ {
		a, b, c := blocks[i-2], blocks[i-1], blocks[i]
		total := a.Bad + b.Bad + c.Bad
		if total <= 0 || a.Requests <= 0 || b.Requests <= 0 || c.Requests <= 0 {
			continue
		}
		p := total / (a.Requests + b.Requests + c.Requests)
		d := a.Bad/a.Requests - 2*b.Bad/b.Requests + c.Bad/c.Requests
		variance := p * max(1-p, 1e-9) * (1/a.Requests + 4/b.Requests + 1/c.Requests)
		values = append(values, d*d/variance)
	}
	if len(values) < leastTriples {
		return 1, len(values)
	}
	slices.Sort(values)
	kept := len(values) - min(leftOut, len(values)/5)
	sum := 0.0
	for _, v := range values[:kept] {
		sum += v
	}
	return sum / float64(kept) / kepts(float64(kept)/float64(len(values))), len(values)
}

// kepts is the mean of a squared normal variable of variance 1 where only this part
// of its values, the smallest, is kept.
func kepts(part float64) float64 {
	if part >= 1 {
		return 1
	}
	bound := math.Sqrt2 * math.Erfinv(part)
	return 1 - math.Sqrt(2/math.Pi)*bound*math.Exp(-bound*bound/2)/part
}
