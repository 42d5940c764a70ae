// Package telemetry keeps the daemon's metrics. docs/metrics.md is generated
// from what is registered here.
package telemetry

import (
	"math"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/clusterswitch/clusterswitch/switcher"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// Metrics are the daemon's own measurements. It is a switcher.Reporter.
type Metrics struct {
	registry *prometheus.Registry

	share      *prometheus.GaugeVec
	entrance   *prometheus.GaugeVec
	known      *prometheus.GaugeVec
	phase      *prometheus.GaugeVec
	severity   *prometheus.GaugeVec
	question   *prometheus.GaugeVec
	gate       *prometheus.GaugeVec
	blueReady  *prometheus.GaugeVec
	sticky     *prometheus.GaugeVec
	tail       *prometheus.GaugeVec
	turns      *prometheus.CounterVec
	lastTurn   *prometheus.GaugeVec
	writes     *prometheus.CounterVec
	rollbacks  *prometheus.CounterVec
	journal    *prometheus.CounterVec
	superseded *prometheus.GaugeVec
	leader     prometheus.Gauge
	reloads    *prometheus.CounterVec
	refused    prometheus.Gauge
	awsCalls   *prometheus.CounterVec
	notified   *prometheus.CounterVec
	awsWaits   *prometheus.CounterVec

	preflightFindings *prometheus.GaugeVec
	preflightRun      *prometheus.GaugeVec
	preflightTook     *prometheus.GaugeVec
	retire            *prometheus.GaugeVec

	readiness *readinessMetrics
	budget    *budgetMetrics

	mu sync.Mutex // guards all below
	// entrances are the names of those that each pair's last look read.
	entrances map[string][]string
}

// New registers every metric. version is shown by clusterswitch_build_info.
func New(version string) *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry(), entrances: map[string][]string{}}
	m.share = m.gauge("share_percent", "Share of users' traffic that green is intended to have, in percent.", "pair")
	m.entrance = m.gauge("entrance_share_percent", "Share of traffic that AWS stores for green, in percent; absent while the entrance is unknown.", "pair", "entrance")
	m.known = m.gauge("entrance_known", "1 while the entrance could be read and may be written, else 0.", "pair", "entrance")
	m.phase = m.gauge("phase", "1 for the phase that the pair is in, 0 for the others.", "pair", "phase")
	m.severity = m.gauge("severity", "Who should care about the last decision: 0 nobody, 1 it is held up, 2 a person is needed.", "pair")
	m.question = m.gauge("question_open", "1 while a question stands that only a person can answer.", "pair")
	m.gate = m.gauge("gate", "1 for the judgement that the gate gave last, 0 for the others.", "pair", "gate", "judgement")
	m.blueReady = m.gauge("blue_ready_replicas", "Ready replicas of blue's workloads; absent while blue is unknown.", "pair")
	m.sticky = m.gauge("sticky_until_timestamp_seconds", "Until when clients may stay on green by a load balancer's cookie although green was told to get less, in seconds since 1970; 0: nobody does.", "pair")
	m.tail = m.gauge("tail_until_timestamp_seconds", "Until when users may stay on a side that they were told to leave, by kind (dns, connection, cookie), in seconds since 1970; +Inf: nothing bounds it; 0: nobody does.", "pair", "entrance", "side", "kind")
	m.turns = m.counter("turns_total", "Turns of the loop.", "pair")
	m.lastTurn = m.gauge("last_turn_timestamp_seconds", "When the loop last took a turn, in seconds since 1970.", "pair")
	m.writes = m.counter("writes_total", "Writes of weights to AWS by outcome.", "pair", "entrance", "priority", "outcome")
	m.rollbacks = m.counter("rollbacks_total", "Rollbacks that began, by who decided: person or automatic. The planned way back is none.", "pair", "decided_by")
	m.journal = m.counter("journal_errors_total", "Turns in which the state could not be written down.", "pair")
	m.superseded = m.gauge("superseded", "1 when a newer daemon took charge and this one no longer writes.", "pair")
	m.leader = m.plainGauge("leader", "1 while this daemon holds the lease, or needs none; 0 while it stands by.")
	m.reloads = m.counter("config_reloads_total", "Changes of the configuration file by result: applied or refused.", "result")
	m.refused = m.plainGauge("config_refused", "1 while the file on disk is invalid and the configuration before it goes on.")
	m.notified = m.counter("notifications_total", "News by what became of it: sent, refused, or dropped after many tries.", "target", "outcome")
	m.awsCalls = m.counter("aws_calls_total", "Calls to AWS by outcome, the SDK's repetitions included; held: the daemon's own budget kept it from going out.", "service", "operation", "outcome")
	m.awsWaits = m.counter("aws_budget_wait_seconds_total", "Time that calls to AWS waited for the daemon's own budget, in seconds.", "service")
	m.preflightFindings = m.gauge("preflight_findings", "Findings of the preflight's newest report by severity: block, warn, note; waived: those that a waiver covers. Absent before the first.", "pair", "severity")
	m.preflightRun = m.gauge("preflight_last_run_timestamp_seconds", "When the preflight's last look that gave a report began, full or brief, in seconds since 1970.", "pair")
	m.preflightTook = m.gauge("preflight_duration_seconds", "How long that look lasted, in seconds.", "pair")
	m.readiness = newReadinessMetrics(m)
	m.budget = newBudgetMetrics(m)
	m.retire = m.gauge("safe_to_retire", "1 while blue may be deleted by the newest look, 0 while it may not or that isn't known; absent while the pair is not Completed.", "pair")
	build := m.gauge("build_info", "1, with the build's version.", "version")
	build.WithLabelValues(version).Set(1)
	m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

const namespace = "clusterswitch"

func (m *Metrics) gauge(name, help string, labels ...string) *prometheus.GaugeVec {
	v := prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: namespace, Name: name, Help: help}, labels)
	m.registry.MustRegister(v)
	return v
}

func (m *Metrics) plainGauge(name, help string) prometheus.Gauge {
	v := prometheus.NewGauge(prometheus.GaugeOpts{Namespace: namespace, Name: name, Help: help})
	m.registry.MustRegister(v)
	return v
}

func (m *Metrics) counter(name, help string, labels ...string) *prometheus.CounterVec {
	v := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}, labels)
	m.registry.MustRegister(v)
	return v
}

// Gatherer gives the metrics to the /metrics page.
func (m *Metrics) Gatherer() prometheus.Gatherer { return m.registry }

// Notified counts what became of a piece of news.
func (m *Metrics) Notified(target, outcome string) {
	m.notified.WithLabelValues(target, outcome).Inc()
}

// Reloaded counts a change of the configuration file.
func (m *Metrics) Reloaded(err error) {
	if err != nil {
		m.refused.Set(1)
		m.reloads.WithLabelValues("refused").Inc()
		return
	}
	m.refused.Set(0)
	m.reloads.WithLabelValues("applied").Inc()
}

// Leads takes over whether this daemon may write.
func (m *Metrics) Leads(leads bool) { m.leader.Set(one(leads)) }

// Called counts one try of a call to AWS.
func (m *Metrics) Called(service, operation, outcome string) {
	m.awsCalls.WithLabelValues(service, operation, outcome).Inc()
}

// Waited adds the time that a call to AWS was held back by the daemon itself.
func (m *Metrics) Waited(service string, waited time.Duration) {
	m.awsWaits.WithLabelValues(service).Add(waited.Seconds())
}

// Preflight takes over when a preflight began, and how long it lasted.
func (m *Metrics) Preflight(pair string, began time.Time, took time.Duration) {
	m.preflightRun.WithLabelValues(pair).Set(float64(began.UnixMilli()) / 1000)
	m.preflightTook.WithLabelValues(pair).Set(took.Seconds())
}

// PreflightFindings takes over how many findings of a severity the newest report
// has.
func (m *Metrics) PreflightFindings(pair, severity string, n int) {
	m.preflightFindings.WithLabelValues(pair, severity).Set(float64(n))
}

// Report takes over one turn of a pair's loop.
func (m *Metrics) Report(t switcher.Turn) {
	pair, d := t.Plan.Pair, t.Decision
	m.turns.WithLabelValues(pair).Inc()
	m.lastTurn.WithLabelValues(pair).Set(float64(t.Now.UnixMilli()) / 1000)
	m.share.WithLabelValues(pair).Set(float64(d.Next.Share))
	m.severity.WithLabelValues(pair).Set(float64(d.Reason.Severity()))
	m.question.WithLabelValues(pair).Set(one(d.Next.Asks() != nil))
	m.superseded.WithLabelValues(pair).Set(one(t.Superseded))
	for _, p := range shift.Phases() {
		m.phase.WithLabelValues(pair, string(p)).Set(one(p == d.Next.Phase))
	}
	if t.JournalErr != nil {
		m.journal.WithLabelValues(pair).Inc()
	}
	if t.Standby {
		m.standsBy(pair, t)
		return
	}
	if m.retire.DeleteLabelValues(pair); d.Next.Phase == shift.Completed {
		m.retire.WithLabelValues(pair).Set(one(t.Observation.Retire.Safe))
	}
	m.sticky.WithLabelValues(pair).Set(0)
	if until := d.Next.Tail(t.Observation); until.After(t.Now) {
		m.sticky.WithLabelValues(pair).Set(float64(until.Unix()))
	}
	m.readiness.report(t)
	m.budget.report(t)
	m.tails(pair, t)
	m.observed(pair, t.Observation)
	m.decided(pair, t)
}

// standsBy forgets what only the daemon that holds the lease measures: two that
// tell of the same would tell different things.
func (m *Metrics) standsBy(pair string, t switcher.Turn) {
	m.readiness.forget(pair)
	for _, v := range []*prometheus.GaugeVec{
		m.entrance, m.known, m.gate, m.blueReady, m.sticky, m.tail, m.retire,
		m.preflightFindings, m.preflightRun, m.preflightTook, // the looks that it made while it led
	} {
		v.DeletePartialMatch(prometheus.Labels{"pair": pair})
	}
	m.observed(pair, t.Observation)
	m.decided(pair, t)
}

// tails takes over who stays behind. Targets that are taken away aren't moved by
// weights, so nothing of them counts down here.
func (m *Metrics) tails(pair string, t switcher.Turn) {
	m.tail.DeletePartialMatch(prometheus.Labels{"pair": pair})
	for _, tail := range shift.Tails(t.Decision.Next, t.Observation, t.Now) {
		until := 0.0
		switch {
		case tail.Kind == shift.TailDeregistration:
			continue
		case tail.Alive(t.Now) && tail.For == shift.Endless:
			until = math.Inf(1)
		case tail.Alive(t.Now):
			until = float64(tail.Until.Unix())
		}
		m.tail.WithLabelValues(pair, tail.Entrance, string(tail.Side), string(tail.Kind)).Set(until)
	}
}

// read takes over which entrances a look read, and forgets those that the pair no
// longer has: nothing would ever tell of them again, and an alert on one that was
// unknown would never end.
func (m *Metrics) read(pair string, readings []shift.EntranceReading) {
	if len(readings) == 0 {
		return // it looked at none
	}
	var names []string
	for _, r := range readings {
		names = append(names, r.Name)
	}
	m.mu.Lock()
	before := m.entrances[pair]
	m.entrances[pair] = names
	m.mu.Unlock()
	for _, name := range before {
		if !slices.Contains(names, name) {
			m.entrance.DeleteLabelValues(pair, name)
			m.known.DeleteLabelValues(pair, name)
		}
	}
}

func (m *Metrics) observed(pair string, o shift.Observation) {
	m.read(pair, o.Entrances)
	for _, r := range o.Entrances {
		known := r.Err == "" && !r.At.IsZero()
		m.known.WithLabelValues(pair, r.Name).Set(one(known))
		if !known {
			m.entrance.DeleteLabelValues(pair, r.Name)
			continue
		}
		m.entrance.WithLabelValues(pair, r.Name).Set(float64(r.Share()))
	}
	if o.Blue.Err != "" || o.Blue.At.IsZero() {
		m.blueReady.DeleteLabelValues(pair)
		return
	}
	m.blueReady.WithLabelValues(pair).Set(float64(o.Blue.Ready()))
}

func (m *Metrics) decided(pair string, t switcher.Turn) {
	if len(t.Decision.Verdicts) > 0 {
		m.gate.DeletePartialMatch(prometheus.Labels{"pair": pair})
	}
	for _, v := range t.Decision.Verdicts {
		for _, j := range shift.Judgements() {
			m.gate.WithLabelValues(pair, v.Gate, string(j)).Set(one(j == v.Judgement))
		}
	}
	for i, r := range t.Results {
		m.writes.WithLabelValues(pair, r.Entrance, t.Decision.Changes[i].Priority.String(), string(r.Outcome)).Inc()
	}
	if next := t.Decision.Next; next.Phase == shift.RollingBack && t.Before.Phase != shift.RollingBack {
		decidedBy := "person"
		if next.Rollback.Automatic {
			decidedBy = "automatic"
		}
		m.rollbacks.WithLabelValues(pair, decidedBy).Inc()
	}
}

// Forget drops everything that was measured of a pair that is gone.
func (m *Metrics) Forget(pair string) {
	m.readiness.forget(pair)
	m.budget.forget(pair)
	m.mu.Lock()
	delete(m.entrances, pair)
	m.mu.Unlock()
	for _, v := range []interface {
		DeletePartialMatch(labels prometheus.Labels) int
	}{
		m.share, m.entrance, m.known, m.phase, m.severity, m.question, m.gate, m.blueReady, m.sticky, m.tail,
		m.turns, m.lastTurn, m.writes, m.rollbacks, m.journal, m.superseded,
		m.preflightFindings, m.preflightRun, m.preflightTook, m.retire,
	} {
		v.DeletePartialMatch(prometheus.Labels{"pair": pair})
	}
}

func one(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
