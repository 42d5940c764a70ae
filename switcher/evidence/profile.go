package evidence

import (
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

// What a history needs for its scatter to be measured, and what is assumed
// otherwise.
const (
	LeastHistory      = time.Hour
	AssumedDispersion = 10.0
)

// blockLengths are the lengths of time over which scatter is looked for: errors in
// bursts show in the short ones, slow waves in the long ones.
func blockLengths() [3]time.Duration {
	return [...]time.Duration{15 * time.Second, time.Minute, 5 * time.Minute}
}

// Measure makes a profile of blue's intervals before the shift, of one length and
// the oldest first. names has the metrics' Name and Edge; all else is measured.
func Measure(names []Metric, history []Interval) Profile {
	p := Profile{Metrics: slices.Clone(names)}
	var sound []Interval
	covered, requests := time.Duration(0), 0.0
	for _, iv := range history {
		if len(iv.Blue) == len(names) && iv.Fault == "" && !slices.ContainsFunc(iv.Blue, func(c Count) bool { return !c.sound() }) {
			sound = append(sound, iv)
			covered += iv.End.Sub(iv.Start)
			if len(iv.Blue) > 0 {
				requests += iv.Blue[0].Requests
			}
		}
	}
	if covered > 0 {
		p.From, p.To = sound[0].Start, sound[len(sound)-1].End
		p.Rate = requests / covered.Seconds()
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

// measured gives a metric's ratio and dispersion.
func measured(history []Interval, m int) (ratio, dispersion float64) {
	var all Count
	for _, iv := range history {
		all.Requests += iv.Blue[m].Requests
		all.Bad += iv.Blue[m].Bad
	}
	if all.Requests > 0 {
		ratio = all.Bad / all.Requests
	}
	dispersion = 1
	for _, length := range blockLengths() {
		dispersion = max(dispersion, scatter(inBlocks(history, m, length)))
	}
	return round(ratio), round(dispersion)
}

// inBlocks adds up neighbouring intervals until each sum is at least so long. A
// hole between intervals ends a block, and what is left of it is dropped.
func inBlocks(history []Interval, m int, length time.Duration) []Count {
	var blocks []Count
	var block Count
	var begun, end time.Time
	for _, iv := range history {
		if !iv.Start.Equal(end) {
			block, begun = Count{}, iv.Start
		}
		end = iv.End
		block.Requests += iv.Blue[m].Requests
		block.Bad += iv.Blue[m].Bad
		if end.Sub(begun) >= length {
			blocks = append(blocks, block)
			block, begun = Count{}, end
		}
	}
	return blocks
}

// scatter compares neighbouring blocks as the gate compares the sides: by how
// their bad requests divide between them. Both have seen almost the same rate, so
// that only what differs from block to block counts.
func scatter(blocks []Count) float64 {
	sum, pairs := 0.0, 0
	for i := 1; i < len(blocks); i++ {
		a, b := blocks[i], blocks[i-1]
		total := a.Bad + b.Bad
		if total <= 0 || a.Requests <= 0 || b.Requests <= 0 {
			continue
		}
		p := a.Requests / (a.Requests + b.Requests)
		d := a.Bad - total*p
		sum += d * d / (total * p * (1 - p))
		pairs++
	}
	if pairs == 0 {
		return 1
	}
	return sum / float64(pairs)
}
