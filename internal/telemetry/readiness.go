package telemetry

import (
	"math"
	"strings"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/clusterswitch/clusterswitch/switcher"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// readinessMetrics say how the way back stands, and what is held in the clusters
// for it.
type readinessMetrics struct {
	percent    *prometheus.GaugeVec
	ready      *prometheus.GaugeVec
	needed     *prometheus.GaugeVec
	takes      *prometheus.GaugeVec
	tail       *prometheus.GaugeVec
	load       *prometheus.GaugeVec
	floors     *prometheus.GaugeVec
	singletons *prometheus.GaugeVec
	gap        *prometheus.GaugeVec
	evidence   *evidenceMetrics

	mu   sync.Mutex // guards told
	told map[string]told
}

// told are the series of one pair by metric and labels, with their values.
type told map[series]float64

// series is one of a metric: its labels are joined by a byte that none of them
// has.
type series struct {
	of     *prometheus.GaugeVec
	labels string
}

const joint = "\xff"

// set notes a value for the turn.
func (t told) set(of *prometheus.GaugeVec, value float64, labels ...string) {
	t[series{of, strings.Join(labels, joint)}] = value
}

func newReadinessMetrics(m *Metrics) *readinessMetrics {
	return &readinessMetrics{
		told: map[string]told{},

		percent:    m.gauge("capacity_percent", "Ready against needed replicas in percent, of the workload where that is least: blue against all of the present load, green against the share that it is to get next or has. Absent while unknown, and where nothing is to go back.", "pair", "side"),
		ready:      m.gauge("capacity_ready_replicas", "Ready replicas of the workload that capacity_percent speaks of; absent like it.", "pair", "side"),
		needed:     m.gauge("capacity_needed_replicas", "Replicas that the workload needs that capacity_percent speaks of; absent like it.", "pair", "side"),
		takes:      m.gauge("way_back_seconds", "How long it would last until the last user whom weights can move is on blue, in seconds. Absent where nothing is to go back.", "pair"),
		tail:       m.gauge("tail_seconds", "How long users would stay on a side, were they sent to the other now, by why they stay: dns, cookie, connection or deregistration; +Inf: nothing bounds it.", "pair", "entrance", "side", "kind"),
		load:       m.gauge("load_requests_per_second", "Requests a second that were measured last on each side; absent while unknown.", "pair", "load", "side"),
		floors:     m.gauge("floors_held", "Autoscalers of each side whose floor is held. Absent before the first look.", "pair", "side"),
		singletons: m.gauge("singletons", "Singletons by the side that has, gives or takes them, and the stage: held, giving or taking.", "pair", "side", "stage"),
		evidence:   newEvidenceMetrics(m),
		gap:        m.gauge("singleton_gap_seconds", "How long neither side began a singleton's work, in seconds: now, or the last time it was handed over.", "pair", "singleton"),
	}
}

// answer notes what would be, if all users went back now.
func (t told) answer(r *readinessMetrics, pair string, now shift.Readiness) {
	for side, c := range map[shift.Side]shift.SideCapacity{shift.Blue: now.Blue, shift.Green: now.Green} {
		if c.Known {
			t.set(r.percent, float64(c.Percent), pair, string(side))
			t.set(r.ready, float64(c.Ready), pair, string(side))
			t.set(r.needed, float64(c.Need), pair, string(side))
		}
	}
	if now.Takes > 0 {
		t.set(r.takes, now.Takes.Seconds(), pair)
	}
	for _, tail := range now.Tails {
		lasts := tail.For.Seconds()
		if tail.For == shift.Endless {
			lasts = math.Inf(1)
		}
		t.set(r.tail, lasts, pair, tail.Entrance, string(tail.Side), string(tail.Kind))
	}
}

// report takes over one turn.
func (r *readinessMetrics) report(t switcher.Turn) {
	pair, next, say := t.Plan.Pair, t.Decision.Next, told{}
	say.answer(r, pair, shift.MeasureReadiness(t.Plan, next, t.Observation, t.Now))
	for _, l := range t.Observation.Loads {
		if l.Err == "" && t.Now.Sub(l.To) <= l.FreshFor {
			say.set(r.load, l.Blue, pair, l.Name, string(shift.Blue))
			say.set(r.load, l.Green, pair, l.Name, string(shift.Green))
		}
	}
	if f := t.Observation.Floors; !f.At.IsZero() {
		say.set(r.floors, held(f.Blue), pair, string(shift.Blue))
		say.set(r.floors, held(f.Green), pair, string(shift.Green))
	}
	for _, b := range next.Baton {
		say[series{r.singletons, strings.Join([]string{pair, string(b.Side), string(b.Stage)}, joint)}]++
		say.set(r.gap, b.GapSeconds(t.Now), pair, b.Key)
	}
	r.evidence.report(t, say)
	r.tell(pair, say)
}

// tell sets what is known of a pair and takes away what isn't any more. What stays
// is never away in between: a scrape may come at any time.
func (r *readinessMetrics) tell(pair string, say told) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for s, value := range say {
		s.of.WithLabelValues(strings.Split(s.labels, joint)...).Set(value)
	}
	for s := range r.told[pair] {
		if _, still := say[s]; !still {
			s.of.DeleteLabelValues(strings.Split(s.labels, joint)...)
		}
	}
	if r.told[pair] = say; len(say) == 0 {
		delete(r.told, pair)
	}
}

// forget drops everything of a pair.
func (r *readinessMetrics) forget(pair string) { r.tell(pair, nil) }

func held(autoscalers []shift.Autoscaler) float64 {
	n := 0.0
	for _, a := range autoscalers {
		if a.Held > 0 {
			n++
		}
	}
	return n
}
