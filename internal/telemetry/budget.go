package telemetry

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/clusterswitch/clusterswitch/switcher"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// longestBlind bounds what one turn adds to the time in which something was unknown:
// between two turns that are further apart the daemon was asleep, or wasn't asked.
const longestBlind = 5 * time.Minute

// budgetMetrics are the daemon's own error budget: what it owes its users whatever
// AWS and the clusters do. Shares of them are for the one who queries.
type budgetMetrics struct {
	unknown *prometheus.CounterVec
	watched *prometheus.CounterVec
	shifts  *prometheus.CounterVec
	failed  *prometheus.CounterVec

	mu   sync.Mutex // guards last
	last map[string]time.Time
}

func newBudgetMetrics(m *Metrics) *budgetMetrics {
	return &budgetMetrics{
		unknown: m.counter("unknown_seconds_total", "Time in which something that a decision needs could not be read, in seconds, by what: entrances, blue, green or journal.", "pair", "of"),
		watched: m.counter("watched_seconds_total", "Time between turns that looked at AWS and the clusters, in seconds: what unknown_seconds_total is a part of.", "pair"),
		shifts:  m.counter("shifts_total", "Shifts by what became of them: begun, completed or rolled-back. One that is completed and then taken back counts as both.", "pair", "result"),
		failed:  m.counter("failed_writes_total", "Writes of weights to AWS that did not take effect, or of which that isn't known: those of writes_total whose outcome isn't applied.", "pair"),
		last:    map[string]time.Time{},
	}
}

// parts tells what of a turn's look was unknown; looked: it looked at all. A replica
// that stands by looks at nothing.
func parts(t switcher.Turn) (unknown map[string]bool, looked bool) {
	o := t.Observation
	entrances := len(o.Entrances) == 0
	for _, r := range o.Entrances {
		entrances = entrances || r.Err != "" || r.At.IsZero()
	}
	blue, green := o.Blue.Err != "" || o.Blue.At.IsZero(), o.Green.Err != "" || o.Green.At.IsZero()
	looked = len(o.Entrances) > 0 || !o.Blue.At.IsZero() || !o.Green.At.IsZero()
	return map[string]bool{"entrances": entrances, "blue": blue, "green": green, "journal": t.JournalErr != nil}, looked
}

// report takes over one turn.
func (b *budgetMetrics) report(t switcher.Turn) {
	pair := t.Plan.Pair
	b.spend(pair, t)
	for _, r := range t.Results {
		failed := 0.0
		if r.Outcome != shift.Applied {
			failed = 1
		}
		b.failed.WithLabelValues(pair).Add(failed)
	}
	before, next := t.Before, t.Decision.Next
	if next.Attempt > before.Attempt && next.Phase != shift.Idle {
		b.shifts.WithLabelValues(pair, "begun").Inc()
	}
	for result, phase := range map[string]shift.Phase{"completed": shift.Completed, "rolled-back": shift.RolledBack} {
		if next.Phase == phase && before.Phase != phase && before.Phase != "" {
			b.shifts.WithLabelValues(pair, result).Inc()
		}
	}
}

// spend adds the time since the turn before to what was unknown in this one.
func (b *budgetMetrics) spend(pair string, t switcher.Turn) {
	b.mu.Lock()
	last, known := b.last[pair]
	b.last[pair] = t.Now
	b.mu.Unlock()
	unknown, looked := parts(t)
	if !looked {
		return
	}
	passed := 0.0 // makes the series, so that its first increase is seen
	if known {
		passed = max(0, min(t.Now.Sub(last), longestBlind)).Seconds()
	}
	b.watched.WithLabelValues(pair).Add(passed)
	for part, is := range unknown {
		spent := 0.0
		if is {
			spent = passed
		}
		b.unknown.WithLabelValues(pair, part).Add(spent)
	}
}

// forget drops everything of a pair.
func (b *budgetMetrics) forget(pair string) {
	b.mu.Lock()
	delete(b.last, pair)
	b.mu.Unlock()
	for _, v := range []*prometheus.CounterVec{b.unknown, b.watched, b.shifts, b.failed} {
		v.DeletePartialMatch(prometheus.Labels{"pair": pair})
	}
}
