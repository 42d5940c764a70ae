package telemetry

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/clusterswitch/clusterswitch/switcher"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// evidenceMetrics say what request gates have counted, as far as the pair's journal
// remembers it.
type evidenceMetrics struct {
	times      *prometheus.GaugeVec
	passing    *prometheus.GaugeVec
	unmeasured *prometheus.GaugeVec
	faults     *prometheus.GaugeVec
	value      *prometheus.GaugeVec
}

func newEvidenceMetrics(m *Metrics) *evidenceMetrics {
	return &evidenceMetrics{
		times:      m.gauge("gate_odds", "By how much the evidence speaks for a bad green: a green that is no worse looks so bad once in so many shifts at most. At 1 / falseAlarms × request gates of the pair traffic goes back. Absent where no shift is under way.", "pair", "gate"),
		passing:    m.gauge("gate_proven_ratio", "Part of what a request gate looks at, errors and each latency edge, that is proven fine since the step began, 0 to 1.", "pair", "gate"),
		unmeasured: m.gauge("gate_unmeasured_seconds", "For how long a request gate could not be measured, in seconds; 0: it is.", "pair", "gate"),
		faults:     m.gauge("gate_faulty_intervals", "Intervals of this attempt that a request gate could not judge.", "pair", "gate"),
		value:      m.gauge("gate_value", "Value that a gate on a query, alerts or a webhook was answered last; absent while unknown.", "pair", "gate"),
	}
}

// report notes one turn.
func (m *evidenceMetrics) report(t switcher.Turn, say told) {
	pair, next := t.Plan.Pair, t.Decision.Next
	for _, g := range t.Plan.Gates.Requests {
		for _, e := range next.Evidence {
			if e.Gate != g.Name {
				continue
			}
			v := e.Book.Judge(shift.EvidenceSettings(t.Plan, next.Steps, g), e.Profile)
			say.set(m.times, v.Times, pair, g.Name)
			say.set(m.passing, float64(v.Passing)/float64(max(1, v.Metrics)), pair, g.Name)
			say.set(m.faults, float64(e.Unknown), pair, g.Name)
			since := 0.0
			if !e.UnknownSince.IsZero() {
				since = t.Now.Sub(e.UnknownSince).Seconds()
			}
			say.set(m.unmeasured, since, pair, g.Name)
		}
	}
	for _, r := range t.Observation.Limits {
		if r.Err == "" && t.Now.Sub(r.At) <= r.FreshFor {
			say.set(m.value, r.Value, pair, r.Gate)
		}
	}
}
