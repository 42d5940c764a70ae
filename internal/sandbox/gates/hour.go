package gates

import (
	"math/rand/v2"
	"time"

	"github.com/clusterswitch/clusterswitch/switcher/evidence"
)

const interval = 15 * time.Second

// intervals is how many an hour has.
const intervals = 240

// row is one line of a table: a traffic, how it is shifted, and what is asked.
type row struct {
	name    string
	traffic traffic
	// shares are green's, in steps of equal length over the hour.
	shares []float64
	// history is how many intervals of blue's past are known before the shift.
	history int
	// onset is the interval in which green begins to be bad; -1: it never does.
	onset int
	// settings of the gate; Interval, Planned and Steps are filled in.
	settings evidence.Settings
	// latency judges slow answers besides errors.
	latency bool
	// minutes counts by the minute, as CloudWatch does.
	minutes bool
	// bare leaves the scatter of the past out.
	bare bool
	// rivals makes those that judge the same counts.
	rivals func(row) []rival
}

// outcome is what came of one hour. Times are intervals from the onset, or from
// the beginning where there is none; -1: never.
type outcome struct {
	gate     int
	disaster bool
	bothBad  bool
	early    bool // it went back before the onset
	pass     int  // when it first passed, before it went back
	requests float64
	scatter  float64
	rivals   []int
}

func beginning() time.Time { return time.Unix(1_800_000_000, 0) }

// gateSettings are the row's, with what follows from its plan.
func (w row) gateSettings() evidence.Settings {
	s := w.settings
	s.Interval, s.Planned, s.Steps = w.length(), intervals*int(interval)/int(w.length()), len(w.shares)
	return s
}

func (w row) length() time.Duration {
	if w.minutes {
		return time.Minute
	}
	return interval
}

// play plays one hour.
func play(w row, r *rand.Rand) outcome {
	life := w.traffic.begin(r)
	profile, kindsOf := past(w, life)
	g := judge{settings: w.gateSettings(), profile: profile, kinds: kindsOf, out: outcome{gate: -1, pass: -1, scatter: profile.Metrics[0].Dispersion}}
	var others []rival
	if w.rivals != nil {
		others = w.rivals(w)
	}
	g.out.rivals = make([]int, len(others))
	for i := range others {
		g.out.rivals[i] = -1
	}
	for at := range intervals {
		step := at * len(w.shares) / intervals
		if at == 0 || step != (at-1)*len(w.shares)/intervals {
			g.book = g.book.BeginStep(beginning().Add(time.Duration(at) * interval))
		}
		seen := life.next(at, w.shares[step])
		for i, other := range others {
			if g.out.rivals[i] < 0 && other.alarm(at, seen) {
				g.out.rivals[i] = since(at, w.onset)
			}
		}
		if g.out.gate < 0 {
			g.look(at, seen, w.onset)
		}
	}
	return g.out
}

// since gives how many intervals lie between the onset and the end of this one.
func since(at, onset int) int { return at + 1 - max(0, onset) }

// judge is the gate under trial.
type judge struct {
	settings evidence.Settings
	profile  evidence.Profile
	kinds    []int // of each metric
	book     evidence.Book
	joined   pair // what of a minute was seen
	out      outcome
}

func (g *judge) look(at int, seen pair, onset int) {
	if at >= onset {
		g.out.requests += seen.green.requests
	}
	joined := int(g.settings.Interval / interval)
	g.joined = g.joined.plus(seen)
	if (at+1)%joined != 0 {
		return
	}
	iv := counted(at+1-joined, g.joined, g.kinds, g.settings.Interval)
	g.joined = pair{}
	g.book = g.book.Add(g.settings, g.profile, iv, true)
	v := g.book.Judge(g.settings, g.profile)
	g.out.bothBad = g.out.bothBad || v.BothBad
	switch {
	case v.Bad || v.Disaster:
		g.out.gate, g.out.disaster = since(at, onset), v.Disaster
		g.out.early = at < onset
	case v.Good && g.out.pass < 0:
		g.out.pass = at + 1
	}
}

// counted makes of counts what the gate's source would.
func counted(at int, seen pair, kindsOf []int, length time.Duration) evidence.Interval {
	start := beginning().Add(time.Duration(at) * interval)
	iv := evidence.Interval{Start: start, End: start.Add(length)}
	if seen.lost {
		iv.Fault = "gap"
		return iv
	}
	counts := make([]evidence.Count, 2*len(kindsOf))
	iv.Green, iv.Blue = counts[:len(kindsOf):len(kindsOf)], counts[len(kindsOf):]
	for i, kind := range kindsOf {
		iv.Green[i] = evidence.Count{Requests: seen.green.requests, Bad: seen.green.bad[kind]}
		iv.Blue[i] = evidence.Count{Requests: seen.blue.requests, Bad: seen.blue.bad[kind]}
	}
	return iv
}

// past measures blue's past, and chooses the edges of slow answers by it.
func past(w row, life *life) (evidence.Profile, []int) {
	seen := make([]pair, w.history)
	var all count
	for i := range seen {
		seen[i] = life.next(i-w.history, 0)
		all = all.plus(seen[i].blue)
	}
	names, kindsOf := []evidence.Metric{{Name: "errors"}}, []int{0}
	if w.latency {
		bounds := slowerThan()
		upper, within := make([]time.Duration, len(bounds)), make([]float64, len(bounds))
		for i, edge := range bounds {
			upper[i], within[i] = time.Duration(edge*float64(time.Second)), all.requests-all.bad[1+i]
		}
		for _, edge := range evidence.Edges(upper, within, all.requests) {
			names = append(names, evidence.Metric{Name: "slower than " + edge.String(), Edge: edge})
			for i := range upper {
				if upper[i] == edge {
					kindsOf = append(kindsOf, 1+i)
				}
			}
		}
	}
	joined := int(w.length() / interval)
	history := make([]evidence.Interval, 0, len(seen)/joined)
	for i := 0; i+joined <= len(seen); i += joined {
		var p pair
		for _, one := range seen[i : i+joined] {
			p = p.plus(one)
		}
		history = append(history, counted(i-w.history, p, kindsOf, w.length()))
	}
	profile := evidence.Measure(names, history)
	for i := range profile.Metrics {
		if w.bare {
			profile.Metrics[i].Dispersion = 1
		}
	}
	return profile, kindsOf
}
