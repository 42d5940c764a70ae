package config

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/promql"
)

// maxLoads bounds a pair's loads, so that what was measured of them fits into the journal.
const maxLoads = 20

func (c *checker) capacity(path string, p *Pair) {
	loads := p.Standby.Capacity.Loads
	if len(loads) > maxLoads {
		c.faultf(path+".loads", "has %d entries; name up to %d", len(loads), maxLoads)
	}
	seen := unique{}
	for i := range loads {
		at := fmt.Sprintf("%s.loads[%d]", path, i)
		c.label(at+".name", loads[i].Name)
		c.unique(seen, at+".name", loads[i].Name, "is the name of another load of this pair", "choose a name of its own")
		c.load(at, &loads[i], p.Workloads)
	}
}

func (c *checker) load(path string, l *LoadSource, counted Workloads) {
	c.exactlyOne(path, map[string]bool{"cloudwatch": l.CloudWatch != nil, "prometheus": l.Prometheus != nil}, "cloudwatch or prometheus")
	c.loadWorkloads(path+".workloads", l.Workloads, counted)
	if l.PerReplica > 0 && len(l.Workloads) == 0 && !c.faulty[path+".workloads"] {
		c.faultf(path+".perReplica", "says what a replica carries, but not of which workloads; name them in workloads")
	}
	switch {
	case l.CloudWatch != nil:
		c.loadCloudWatch(path, l)
	case l.Prometheus != nil:
		c.loadPrometheus(path+".prometheus", l.Prometheus)
	}
}

// loadWorkloads checks that the workloads of a load are among those that the pair counts: of others nothing is known.
func (c *checker) loadWorkloads(path string, workloads []string, counted Workloads) {
	form := regexp.MustCompile(`^(Deployment|StatefulSet|DaemonSet)/[a-z0-9]([-a-z0-9]*[a-z0-9])?/[a-z0-9]([-.a-z0-9]*[a-z0-9])?$`)
	seen := unique{}
	for i, w := range workloads {
		at := fmt.Sprintf("%s[%d]", path, i)
		c.matches(at, w, form, "a workload", "kind/namespace/name, such as Deployment/shop/web")
		c.unique(seen, at, w, "is listed twice", "keep one")
		if c.faulty[at] {
			continue
		}
		named := w[strings.Index(w, "/")+1:]
		namespace, _, _ := strings.Cut(named, "/")
		switch {
		case len(counted.Namespaces) > 0 && !slices.Contains(counted.Namespaces, namespace):
			c.faultf(at, "%s is in none of workloads.namespaces, so that its replicas aren't known; add its namespace there", w)
		case slices.Contains(counted.Ignore, named) || slices.Contains(counted.Ignore, namespace+"/*"):
			c.faultf(at, "%s is left out by workloads.ignore, so that its replicas aren't known; remove it there or here", w)
		}
	}
}

func (c *checker) loadCloudWatch(path string, l *LoadSource) {
	at, w := path+".cloudwatch", l.CloudWatch
	for key, value := range map[string]string{"blueLoadBalancer": w.BlueLoadBalancer, "greenLoadBalancer": w.GreenLoadBalancer} {
		if key == "greenLoadBalancer" && value == w.BlueLoadBalancer {
			continue // derived from blue's, or the same: it gets no second fault
		}
		c.loadBalancerDimension(at+"."+key, value)
	}
	c.targetGroupDimension(at+".blueTargetGroup", w.BlueTargetGroup)
	c.targetGroupDimension(at+".greenTargetGroup", w.GreenTargetGroup)
	if w.BlueTargetGroup != "" && w.BlueTargetGroup == w.GreenTargetGroup {
		c.faultf(at+".greenTargetGroup", "is blue's target group too, so that its requests would count twice; name green's")
	}
	c.roleARN(at+".roleARN", w.RoleARN)
	c.region(at+".region", w.Region)
	c.cloudWatchPeriod(at+".period", w.Period)
	if w.Period > 0 && (l.Window < w.Period || l.Window%w.Period != 0) && !c.faulty[at+".period"] && !c.faulty[path+".window"] {
		c.faultf(path+".window", "%s is not a multiple of the period of %s; make it one", l.Window, w.Period)
	}
}

func (c *checker) loadBalancerDimension(path, value string) {
	c.matches(path, value, regexp.MustCompile(`^app/[A-Za-z0-9-]{1,32}/[0-9a-f]+$`), "the end of an Application Load Balancer's ARN", "app/NAME/ID")
}

func (c *checker) targetGroupDimension(path, value string) {
	c.matches(path, value, regexp.MustCompile(`^targetgroup/[A-Za-z0-9-]{1,32}/[0-9a-f]+$`), "the end of a target group's ARN", "targetgroup/NAME/ID")
}

// cloudWatchPeriod checks a period of GetMetricData, which takes 1, 5, 10, 30 and multiples of 60 seconds.
func (c *checker) cloudWatchPeriod(path string, period time.Duration) {
	switch period {
	case time.Second, 5 * time.Second, 10 * time.Second, 30 * time.Second:
	default:
		if period%time.Minute != 0 {
			c.faultf(path, "%s is not a period of CloudWatch; use 1s, 5s, 10s, 30s or a multiple of 60s", period)
		}
	}
}

func (c *checker) loadPrometheus(path string, l *LoadPrometheus) {
	c.loadQuery(path+".blue", l.Blue)
	c.loadQuery(path+".green", l.Green)
	same := l.Blue.Query == l.Green.Query && maps.Equal(l.Blue.Server.Match, l.Green.Server.Match) && l.Blue.Server.sameServer(&l.Green.Server)
	if same && l.Blue.Query != "" && l.Blue.Server.URL != "" {
		c.faultf(path+".green", "asks the same server the same as blue, so that its requests would count twice; choose green's series by match or in the query")
	}
}

func (c *checker) loadQuery(path string, q LoadQuery) {
	c.prometheus(path+".server", &q.Server)
	c.numberQuery(path+".query", q.Query)
}

// numberQuery checks PromQL that gives a number.
func (c *checker) numberQuery(path, query string) {
	number, err := promql.Number(query)
	switch {
	case query == "" || c.faulty[path]:
	case err != nil:
		c.faultf(path, "is not PromQL: %v", err)
	case !number:
		c.faultf(path, "gives no number; use an expression such as sum(rate(http_requests_total[5m]))")
	}
}
