package load

import (
	"maps"
	"sync"
	"time"
)

// Cause is why a request failed; empty for one that did not.
type Cause string

// The causes of failure.
const (
	GreenError   Cause = "greenError"   // green answered 5xx
	BlueError    Cause = "blueError"    // blue answered 5xx
	DNSError     Cause = "dnsError"     // the name did not resolve
	ConnectError Cause = "connectError" // no connection could be opened
	Timeout      Cause = "timeout"      // no whole answer in time
	EdgeError    Cause = "edge5xx"      // the load balancer's own 5xx
	OtherError   Cause = "other"        // a broken answer, a 4xx
)

// lateAfter is the lateness from which a request counts as late. Timers and
// the scheduler alone cost a few milliseconds on a busy machine.
const lateAfter = 10 * time.Millisecond

// Count is what some part of the requests came to.
type Count struct {
	Requests      int64            `json:"requests"` // finished, failed ones included
	Failed        int64            `json:"failed"`
	FailedByCause map[Cause]int64  `json:"failedByCause"`
	ByCluster     map[string]int64 `json:"byCluster"` // by who answered
}

// Snapshot is the counts at one moment. It is a copy of its own.
type Snapshot struct {
	Count
	ByHost map[string]Count `json:"byHost"`

	Elapsed  time.Duration `json:"elapsed"`
	Sent     int64         `json:"sent"`     // finished or still in flight
	InFlight int64         `json:"inFlight"` // sent and not finished
	Late     int64         `json:"late"`     // sent more than 10 ms after they were due
	MaxLate  time.Duration `json:"maxLate"`  // the latest of all sent
	Repeated int64         `json:"repeated"` // repeated on another connection after a keep-alive race
	Lookups  int64         `json:"lookups"`  // questions sent to the name server

	// P50 and P99 are of all finished requests, from when they were due to
	// their last byte, with an error of at most one eighth.
	P50 time.Duration `json:"p50"`
	P99 time.Duration `json:"p99"`

	// Recent and RecentByHost are of the last second alone.
	Recent       Count            `json:"recent"`
	RecentByHost map[string]Count `json:"recentByHost"`
}

// Share is the percent of the answers that came from the cluster, 0 to 100,
// and 0 when nobody answered.
func (c Count) Share(cluster string) float64 {
	var answers int64
	for _, n := range c.ByCluster {
		answers += n
	}
	if answers == 0 {
		return 0
	}
	return 100 * float64(c.ByCluster[cluster]) / float64(answers)
}

// outcome is what became of one request.
type outcome struct {
	host     string
	cluster  string // empty unless a cluster answered
	cause    Cause
	latency  time.Duration
	repeated int64
}

// ledger counts. Its callers tell it the time, so its windows can be tested
// without waiting.
type ledger struct {
	start time.Time

	mu        sync.Mutex
	snap      Snapshot // only its totals are kept up to date
	latencies histogram
	recent    window
}

func newLedger(start time.Time) *ledger {
	return &ledger{start: start, snap: Snapshot{Count: newCount(), ByHost: map[string]Count{}}}
}

func newCount() Count {
	return Count{FailedByCause: map[Cause]int64{}, ByCluster: map[string]int64{}}
}

// sent counts a request that goes out now and was due before.
func (l *ledger) sent(now, due time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.snap.Sent++
	late := now.Sub(due)
	l.snap.MaxLate = max(l.snap.MaxLate, late)
	if late > lateAfter {
		l.snap.Late++
	}
}

// asked counts a question to the name server.
func (l *ledger) asked() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.snap.Lookups++
}

// enter counts a finished request.
func (l *ledger) enter(now time.Time, o outcome) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.snap.Repeated += o.repeated
	l.latencies.add(o.latency)
	l.snap.add(o)
	addTo(l.snap.ByHost, o)
	l.recent.add(now.Sub(l.start), o)
}

func (l *ledger) snapshot(now time.Time) Snapshot {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.snap
	s.Count = s.clone()
	s.ByHost = make(map[string]Count, len(l.snap.ByHost))
	for host, count := range l.snap.ByHost {
		s.ByHost[host] = count.clone()
	}
	s.Elapsed = now.Sub(l.start)
	s.InFlight = s.Sent - s.Requests
	s.P50, s.P99 = l.latencies.quantile(0.50), l.latencies.quantile(0.99)
	s.Recent, s.RecentByHost = l.recent.last(s.Elapsed)
	return s
}

func (c *Count) add(o outcome) {
	c.Requests++
	if o.cause != "" {
		c.Failed++
		c.FailedByCause[o.cause]++
	}
	if o.cluster != "" {
		c.ByCluster[o.cluster]++
	}
}

// merge adds another count to this one.
func (c *Count) merge(other Count) {
	c.Requests += other.Requests
	c.Failed += other.Failed
	for cause, n := range other.FailedByCause {
		c.FailedByCause[cause] += n
	}
	for cluster, n := range other.ByCluster {
		c.ByCluster[cluster] += n
	}
}

func (c Count) clone() Count {
	c.FailedByCause, c.ByCluster = maps.Clone(c.FailedByCause), maps.Clone(c.ByCluster)
	return c
}

func addTo(hosts map[string]Count, o outcome) {
	count, ok := hosts[o.host]
	if !ok {
		count = newCount()
	}
	count.add(o)
	hosts[o.host] = count
}
