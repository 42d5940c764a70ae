package gatescenes

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"net"
	"strconv"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/backend"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/prometheus"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/world"
)

const (
	// past is how long blue served before a scene begins, as Prometheus has it; each
	// sample is pastStep after the one before.
	past     = 190 * time.Minute
	pastStep = 2 * time.Second
)

func at(ip string) string { return net.JoinHostPort(ip, strconv.Itoa(world.PodPort)) }

// makePast gives blue's pods what they would have counted had they served all users
// up to now, as usual says. Nobody has hours to wait for it.
func (st *stage) makePast(now time.Time) (pods []*madePod) {
	chance := rand.New(rand.NewPCG(st.options.Seed, 6))
	each := float64(st.options.Rate) * pastStep.Seconds() / float64(len(st.world.Blue.Addresses))
	for i, ip := range st.world.Blue.Addresses {
		made := newPod(fmt.Sprintf("web-%d", i), at(ip))
		made.live(now, each, chance)
		st.world.Blue.Pods.SetCounts(at(ip), made.counts)
		pods = append(pods, made)
	}
	return pods
}

// live serves so many requests in each step up to now.
func (p *madePod) live(now time.Time, each float64, chance *rand.Rand) {
	for t := now.Add(-past).Truncate(pastStep); t.Before(now); t = t.Add(pastStep) {
		p.serve(t, each, drawn(chance, each*usual().ErrorRatio), drawn(chance, each*usual().SlowRatio))
	}
}

// drawn is a number of rare events of which so many are expected, as chance has it:
// how many fit into a time that is measured by their distances.
func drawn(chance *rand.Rand, expected float64) (n float64) {
	for at := chance.ExpFloat64(); at < expected; at += chance.ExpFloat64() {
		n++
	}
	return n
}

// madePod is the past of one pod.
type madePod struct {
	pod, instance string
	counts        backend.Counts
	made          map[string]*prometheus.Series
}

func newPod(pod, instance string) *madePod {
	return &madePod{
		pod: pod, instance: instance, made: map[string]*prometheus.Series{},
		counts: backend.Counts{ByCode: map[int]float64{}, Buckets: make([]float64, len(backend.Bounds())+1)},
	}
}

// serve counts what was answered up to a time since the one before.
func (p *madePod) serve(to time.Time, requests, failed, slow float64) {
	p.counts.ByCode[200] += requests - failed
	p.counts.ByCode[500] += failed
	p.counts.Buckets[0] += requests - slow
	p.counts.Buckets[slowBucket()] += slow
	p.counts.Seconds += slow * usual().Slow.Seconds()
	for code, n := range p.counts.ByCode {
		p.sample(to, n, backend.RequestsMetric, "code", strconv.Itoa(code))
	}
	within := 0.0
	for i, n := range p.counts.Buckets {
		le := "+Inf"
		if i < len(backend.Bounds()) {
			le = bound(backend.Bounds()[i])
		}
		within += n
		p.sample(to, within, backend.DurationMetric+"_bucket", "le", le)
	}
}

// bound writes the end of a bucket as Prometheus does when it scrapes: 1 as 1.0.
func bound(le float64) string {
	text := strconv.FormatFloat(le, 'g', -1, 64)
	if le == math.Trunc(le) {
		text += ".0"
	}
	return text
}

// slowBucket is the bucket that a slow answer falls into.
func slowBucket() int {
	for i, bound := range backend.Bounds() {
		if usual().Slow.Seconds() <= bound {
			return i
		}
	}
	return len(backend.Bounds())
}

func (p *madePod) sample(to time.Time, value float64, name, label, is string) {
	key := name + label + is
	if p.made[key] == nil {
		p.made[key] = &prometheus.Series{Name: name, Labels: map[string]string{
			"job": "blue", "instance": p.instance, "cluster": "blue", "pod": p.pod, label: is,
		}}
	}
	p.made[key].Samples = append(p.made[key].Samples, prometheus.Sample{At: to, Value: value})
}

func (p *madePod) series() (all []prometheus.Series) {
	for one := range maps.Values(p.made) {
		all = append(all, *one)
	}
	return all
}
