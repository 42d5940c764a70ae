package sim

import (
	"fmt"
	"strings"
	"time"
)

// Kind is one kind of fault, or of trouble in the world.
type Kind int

// The kinds. The first group befalls single calls, the second processes, the
// third what is stored, the fourth what is measured, the last is what people do.
const (
	LostRequest Kind = iota
	LostReply
	Late
	Reordered
	Throttled
	PriorRequest
	ServerError
	Expired
	StaleRead

	CrashBefore
	CrashAfter
	Paused
	CutOut
	CutIn
	ClockOff
	ClockRate
	OlderBinary

	Conflicted
	StaleCache
	ObjectDeleted
	ObjectRestored
	ObjectOlder
	LeaseDeleted
	JournalEdited
	JournalGarbled
	RecordEdited
	RecordDeleted
	MarkEdited
	MarkDeleted

	MetricAway
	MetricStale
	MetricAbsent
	MetricNonsense
	MetricSwapped
	MetricReset
	MetricWide
	ProbeFails
	ClusterUnread
	GreenShrinks
	BlueShrinks
	TargetsGone
	UsersSuffer

	FlagSet
	FlagTaken
	ServeChanged
	NewAttempt
	PausedByHand
	HandsOff
	DoubleClick
	Answered
	ConfigChanged
	Direct

	kinds
)

func names() [kinds]string {
	return [kinds]string{
		LostRequest: "lostRequest", LostReply: "lostReply", Late: "late", Reordered: "reordered", Throttled: "throttled",
		PriorRequest: "priorRequestNotComplete", ServerError: "serverError", Expired: "expiredCredentials", StaleRead: "staleRead",
		CrashBefore: "crashBefore", CrashAfter: "crashAfter", Paused: "paused", CutOut: "cutOut", CutIn: "cutIn",
		ClockOff: "clockOffset", ClockRate: "clockRate", OlderBinary: "olderBinary",
		Conflicted: "conflict", StaleCache: "staleCache", ObjectDeleted: "objectDeleted", ObjectRestored: "objectRestoredWithoutStatus",
		ObjectOlder: "objectOlder", LeaseDeleted: "leaseDeleted", JournalEdited: "journalEdited", JournalGarbled: "journalGarbled",
		RecordEdited: "recordEdited", RecordDeleted: "recordDeleted", MarkEdited: "markEdited", MarkDeleted: "markDeleted",
		MetricAway: "metricAway", MetricStale: "metricStale", MetricAbsent: "metricAbsent", MetricNonsense: "metricNonsense",
		MetricSwapped: "metricSwapped", MetricReset: "metricReset", MetricWide: "metricWide", ProbeFails: "probeFails", ClusterUnread: "clusterUnread",
		GreenShrinks: "greenShrinks", BlueShrinks: "blueShrinks", TargetsGone: "targetsGone", UsersSuffer: "usersSuffer",
		FlagSet: "rollbackFlag", FlagTaken: "flagTaken", ServeChanged: "serveChanged", NewAttempt: "newAttempt",
		PausedByHand: "pause", HandsOff: "handsOff", DoubleClick: "doubleClick", Answered: "answered", ConfigChanged: "configChanged", Direct: "directRollback",
	}
}

// String names the kind as the statistics do.
func (k Kind) String() string { return names()[k] }

// Faults counts faults by Kind.
type Faults [kinds]int

// Add adds the counts of another run.
func (f *Faults) Add(g Faults) {
	for k, n := range g {
		f[k] += n
	}
}

// String gives the counts that are not zero, with how many there were in a seed
// of so many.
func (f Faults) String() string {
	var said []string
	for k, n := range f {
		said = append(said, fmt.Sprintf("%s=%d", Kind(k), n))
	}
	return strings.Join(said, " ")
}

// chance is the chance of a call-level fault, in 1/65536.
type chance uint32

func percent(p float64) chance { return chance(p * 655.36) }

func (w *world) drawn(c chance) bool { return c > 0 && chance(w.rng.Uint32()&0xffff) < c }

// mix is how often what befalls this world.
type mix struct {
	call    [StaleRead + 1]chance
	process [2]chance // crash, pause: at each call's boundary
	events  float64   // of the third to last groups, in each minute
	span    time.Duration
}

// drawMix draws the trouble of this seed: from a calm world to a very bad one.
func (w *world) drawMix() {
	if w.o.Calm {
		return
	}
	level := []float64{0, 0.3, 1, 1, 2, 4}[w.rng.IntN(6)]
	m := &w.mix
	for k := LostRequest; k <= StaleRead; k++ {
		m.call[k] = percent(level * []float64{0, 0.5, 2}[w.rng.IntN(3)])
	}
	m.call[Reordered] = 0 // follows from Late
	m.process = [2]chance{percent(level * []float64{0, 0.1, 0.5}[w.rng.IntN(3)]), percent(level * []float64{0, 0.1, 0.4}[w.rng.IntN(3)])}
	m.events = []float64{0.2, 0.5, 1, 2}[w.rng.IntN(4)]
	m.span = time.Duration(60+w.rng.IntN(420)) * time.Second
}

// count notes that a fault happened.
func (w *world) count(k Kind) { w.faults[k]++ }

// troubled tells whether faults are still planted.
func (w *world) troubled() bool { return w.now < w.mix.span }

// trouble is what goes wrong with one call.
type trouble struct {
	kind  Kind // of those of calls; -1: none
	delay time.Duration
}

// service is whom a replica talks to.
type service int

const (
	toAWS service = iota
	toAPI
	toMetrics
)

// befalls draws what happens to a call of a replica.
func (r *replica) befalls(to service, write bool) trouble {
	w := r.w
	if !w.troubled() {
		return trouble{kind: -1}
	}
	if r.cutOut[to] > w.now {
		return trouble{kind: LostRequest}
	}
	if r.cutIn[to] > w.now {
		return trouble{kind: LostReply}
	}
	weight := chance(1)
	if write && to == toAWS { // there are few of them, and all depends on them
		weight = 6
	}
	for k := LostRequest; k <= StaleRead; k++ {
		awsOnly := k == PriorRequest || k == Expired
		if awsOnly && to != toAWS || k == PriorRequest && !write || k == StaleRead && write || !w.drawn(w.mix.call[k]*weight) {
			continue
		}
		w.count(k)
		t := trouble{kind: k}
		if k == Late {
			t.delay = time.Duration(w.rng.Int64N(int64([]time.Duration{3 * time.Second, 12 * time.Second, 120 * time.Second}[w.rng.IntN(3)])))
		}
		return t
	}
	return trouble{kind: -1}
}

// boundary is before and after each call: here a process may die or stand still.
func (r *replica) boundary(p *proc, after bool) {
	w := r.w
	w.result.Boundaries++
	for _, at := range w.o.CrashAt {
		if at == w.result.Boundaries {
			r.die(map[bool]Kind{false: CrashBefore, true: CrashAfter}[after])
		}
	}
	if !w.troubled() {
		return
	}
	if w.drawn(w.mix.process[0]) {
		r.die(map[bool]Kind{false: CrashBefore, true: CrashAfter}[after])
	}
	if w.drawn(w.mix.process[1]) {
		w.count(Paused)
		r.pausedUntil = w.now + time.Duration(w.rng.Int64N(int64([]time.Duration{2 * time.Second, 20 * time.Second, 120 * time.Second}[w.rng.IntN(3)])))
		r.say("stands still until %s", stamp(r.pausedUntil))
	}
	r.stand(p)
}

// stand lets a process that is paused stand still: none of its probes run.
func (r *replica) stand(p *proc) {
	for r.pausedUntil > r.w.now {
		p.until(r.pausedUntil)
		r.probesFrom = r.w.now
	}
}
