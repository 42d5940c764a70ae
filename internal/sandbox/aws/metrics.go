package aws

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/routing"
)

// keptPoints is how many data points of each series are kept: 7.5 days of
// minutes, or three hours of seconds.
const keptPoints = 10_800

// metricKey names one series of AWS/ApplicationELB by its dimensions.
type metricKey struct {
	name            string
	balancer, group string // dimension values, ARN suffixes; empty when absent
}

// responseTime is the metric whose single samples are kept.
const responseTime = "TargetResponseTime"

// sample is a CloudWatch statistic set.
type sample struct {
	count    float64
	sum      float64
	min, max float64
	spread   spread // of responseTime only
}

// plus adds two statistic sets up, but for their spread.
func (a sample) plus(b sample) sample {
	a.spread, b.spread = nil, nil
	switch {
	case a.count == 0:
		return b
	case b.count == 0:
		return a
	}
	return sample{count: a.count + b.count, sum: a.sum + b.sum, min: min(a.min, b.min), max: max(a.max, b.max)}
}

func single(v float64) sample { return sample{count: 1, sum: v, min: v, max: v} }

type point struct {
	at     time.Time
	sample sample
}

func reverse(points []point) { slices.Reverse(points) }

// hostCount is how many targets of a group were in which state from a time on.
type hostCount struct {
	from               time.Time
	balancer           string // empty while the group is attached nowhere
	healthy, unhealthy int
}

// metricStore counts what the edge reports, at the metric resolution.
type metricStore struct {
	resolution time.Duration
	now        func() time.Time

	mu     sync.Mutex
	series map[metricKey]map[int64]sample // guarded by mu; by unix second of the point
	hosts  map[string][]hostCount         // guarded by mu; by target group, oldest first
}

func newMetricStore(opts Options) *metricStore {
	return &metricStore{
		resolution: opts.MetricResolution, now: opts.Now,
		series: map[metricKey]map[int64]sample{}, hosts: map[string][]hostCount{},
	}
}

// record counts one request. RequestCount and the target metrics exist per load
// balancer and per group; what the load balancer itself answered, per load balancer.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html
func (s *metricStore) record(r routing.Request) {
	if r.At.IsZero() {
		r.At = s.now()
	}
	balancer, group := arnSuffix(r.LoadBalancerARN, "loadbalancer/"), arnSuffix(r.TargetGroupARN, "")
	s.mu.Lock()
	defer s.mu.Unlock()
	add := func(name string, v float64) {
		s.addLocked(metricKey{name, balancer, ""}, r.At, v)
		if group != "" {
			s.addLocked(metricKey{name, balancer, group}, r.At, v)
		}
	}
	if group != "" {
		add("RequestCount", 1)
	}
	switch class := r.Status / 100; {
	case r.FromTarget && class >= 2 && class <= 5:
		add("HTTPCode_Target_"+string(rune('0'+class))+"XX_Count", 1)
	case !r.FromTarget && class == 5:
		s.addLocked(metricKey{"HTTPCode_ELB_5XX_Count", balancer, ""}, r.At, 1)
	}
	if r.Unreached {
		add("TargetConnectionErrorCount", 1)
	}
	if r.FromTarget {
		add(responseTime, r.Duration.Seconds())
	}
}

func (s *metricStore) addLocked(key metricKey, at time.Time, v float64) {
	points := s.series[key]
	if points == nil {
		points = map[int64]sample{}
		s.series[key] = points
	}
	slot := at.Truncate(s.resolution).Unix()
	had := points[slot]
	next := had.plus(single(v))
	if key.name == responseTime {
		next.spread = had.spread.add(v)
	}
	points[slot] = next
	if len(points) > keptPoints+keptPoints/8 {
		for _, old := range slices.Sorted(maps.Keys(points))[:len(points)-keptPoints] {
			delete(points, old)
		}
	}
}

// recordHosts notes how many targets of a group are in which state from now on.
func (s *metricStore) recordHosts(group, balancer string, healthy, unhealthy int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	history := s.hosts[group]
	next := hostCount{from: s.now(), balancer: balancer, healthy: healthy, unhealthy: unhealthy}
	if n := len(history); n > 0 {
		last := history[n-1]
		if last.balancer == balancer && last.healthy == healthy && last.unhealthy == unhealthy {
			return
		}
	}
	if len(history) > keptPoints {
		history = slices.Clone(history[len(history)-keptPoints/2:])
	}
	s.hosts[group] = append(history, next)
}

// points returns the data points of a series from start up to, but not at, end,
// oldest first. The point of the running period is there, as far as it has come.
func (s *metricStore) points(key metricKey, start, end time.Time, period time.Duration) []point {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []point
	for at := start; at.Before(end); at = at.Add(period) {
		if p := s.sampleLocked(key, at, at.Add(period)); p.count > 0 {
			out = append(out, point{at: at.UTC(), sample: p})
		}
	}
	return out
}

func (s *metricStore) sampleLocked(key metricKey, from, to time.Time) sample {
	if key.name == "HealthyHostCount" || key.name == "UnHealthyHostCount" {
		return s.hostSampleLocked(key, from, to)
	}
	var total sample
	points := s.series[key]
	if points == nil {
		return total
	}
	var times spread
	for at := from; at.Before(to); at = at.Add(s.resolution) {
		p := points[at.Unix()]
		total, times = total.plus(p), times.plus(p.spread)
	}
	total.spread = times
	return total
}

// hostSampleLocked samples the state once in each resolution step that is over,
// at its end.
func (s *metricStore) hostSampleLocked(key metricKey, from, to time.Time) sample {
	var total sample
	history := s.hosts[key.group]
	for at := from.Add(s.resolution); !at.After(to) && !at.After(s.now()); at = at.Add(s.resolution) {
		i, _ := slices.BinarySearchFunc(history, at, func(h hostCount, t time.Time) int {
			if h.from.Before(t) {
				return -1
			}
			return 1
		})
		if i == 0 || history[i-1].balancer == "" || history[i-1].balancer != key.balancer {
			continue
		}
		n := history[i-1].healthy
		if key.name == "UnHealthyHostCount" {
			n = history[i-1].unhealthy
		}
		total = total.plus(single(float64(n)))
	}
	return total
}

func unitOf(name string) string {
	if name == responseTime {
		return "Seconds"
	}
	return "Count"
}

// arnSuffix is the part of an ARN that CloudWatch uses as a dimension value.
func arnSuffix(arn, cut string) string {
	parts := strings.SplitN(arn, ":", 6)
	return strings.TrimPrefix(parts[len(parts)-1], cut)
}
