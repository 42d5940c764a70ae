package backend

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"
)

// metricsPath is where a pod tells what it answered, in Prometheus' text format.
const metricsPath = "/metrics"

// Names of what a pod tells: a counter of answers by status code, and a histogram of
// how long they took, in seconds.
const (
	RequestsMetric = "http_requests_total"
	DurationMetric = "http_request_duration_seconds"
)

// Bounds are the upper ends of the histogram's buckets, in seconds; the last bucket
// has none.
func Bounds() []float64 { return []float64{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5} }

// MetricsFaults is what goes wrong with a pod's metrics. The zero value is nothing.
// Whatever it is, the pod counts on in silence.
type MetricsFaults struct {
	// Down answers 503.
	Down bool
	// Hang answers nothing until who asked gives up.
	Hang bool
	// Renamed gives the counter of requests another name, as a new version of a
	// library does.
	Renamed bool
	// NaN has no numbers in the counter of requests.
	NaN bool
	// Frozen repeats what was told when it began.
	Frozen bool
}

// Counts are what a pod's counters stand at.
type Counts struct {
	// ByCode are answers by HTTP status.
	ByCode map[int]float64
	// Buckets are answers by how long they took: one for each of Bounds, and those
	// beyond. An answer is in one of them only.
	Buckets []float64
	// Seconds is how long all answers took together.
	Seconds float64
}

// counters count the answers to users.
type counters struct {
	mu     sync.Mutex
	now    Counts // guarded by mu
	frozen []byte // guarded by mu; what is told while it is frozen
}

func (c *counters) add(status int, took time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.beginLocked()
	bucket, _ := slices.BinarySearch(Bounds(), took.Seconds())
	c.now.ByCode[status]++
	c.now.Buckets[bucket]++
	c.now.Seconds += took.Seconds()
}

func (c *counters) beginLocked() {
	if c.now.ByCode == nil {
		c.now.ByCode = map[int]float64{}
	}
	if c.now.Buckets == nil {
		c.now.Buckets = make([]float64, len(Bounds())+1)
	}
}

// SetCounts sets the counters of the pod at the address, if there is one: to nothing,
// as a restart does, or to what a past left behind.
func (c *Cluster) SetCounts(address string, to Counts) {
	c.mu.Lock()
	pod := c.pods[address]
	c.mu.Unlock()
	if pod == nil {
		return
	}
	pod.counters.mu.Lock()
	defer pod.counters.mu.Unlock()
	pod.counters.now = Counts{ByCode: maps.Clone(to.ByCode), Buckets: slices.Clone(to.Buckets), Seconds: to.Seconds}
}

// serveMetrics answers a Prometheus.
func (p *Pod) serveMetrics(w http.ResponseWriter, r *http.Request, faults MetricsFaults) {
	switch {
	case faults.Hang:
		<-r.Context().Done()
		return
	case faults.Down:
		http.Error(w, "the metrics are not available", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	// A client that went away is the only one who could be told.
	_, _ = w.Write(p.counters.text(p.options.Name, faults))
}

// text writes the counters in Prometheus' text format.
// https://prometheus.io/docs/instrumenting/exposition_formats/
func (c *counters) text(pod string, faults MetricsFaults) []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	if faults.Frozen && c.frozen != nil {
		return c.frozen
	}
	c.beginLocked()
	name := RequestsMetric
	if faults.Renamed {
		name = "http_server_requests_total"
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "# HELP %s Answers by status code.\n# TYPE %s counter\n", name, name)
	for _, code := range slices.Sorted(maps.Keys(c.now.ByCode)) {
		value := strconv.FormatFloat(c.now.ByCode[code], 'f', -1, 64)
		if faults.NaN {
			value = "NaN"
		}
		fmt.Fprintf(&b, "%s{pod=%q,code=\"%d\"} %s\n", name, pod, code, value)
	}
	fmt.Fprintf(&b, "# HELP %s How long answers took, in seconds.\n# TYPE %s histogram\n", DurationMetric, DurationMetric)
	within := 0.0
	for i, bound := range Bounds() {
		within += c.now.Buckets[i]
		fmt.Fprintf(&b, "%s_bucket{pod=%q,le=\"%v\"} %v\n", DurationMetric, pod, bound, within)
	}
	within += c.now.Buckets[len(Bounds())]
	fmt.Fprintf(&b, "%s_bucket{pod=%q,le=\"+Inf\"} %v\n", DurationMetric, pod, within)
	fmt.Fprintf(&b, "%s_sum{pod=%q} %v\n%s_count{pod=%q} %v\n", DurationMetric, pod, c.now.Seconds, DurationMetric, pod, within)
	c.frozen = nil
	if faults.Frozen {
		c.frozen = b.Bytes()
	}
	return b.Bytes()
}
