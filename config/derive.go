package config

import (
	"cmp"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/reach"
)

// staleReadings is how many readings in a row may be missed before what was read counts as unknown.
const staleReadings = 3

// derive fills in the defaults that hang on other keys, and brings record names into their one form.
func derive(c *Config) {
	deriveReach(reflect.ValueOf(c).Elem(), reach.Policy{Allow: c.AllowLinkLocal})
	for i := range c.Pairs {
		p := &c.Pairs[i]
		if c.Journal.Directory != "" {
			p.Preflight.ArgoCD.Management = false
		}
		if p.StaleAfter == 0 {
			p.StaleAfter = staleReadings * c.Interval
			for _, probe := range p.Probes {
				p.StaleAfter = max(p.StaleAfter, staleReadings*probe.Interval)
			}
		}
		for _, eks := range []*EKS{p.Blue.EKS, p.Green.EKS} {
			if eks != nil && eks.Region == "" {
				eks.Region = c.AWS.Region
			}
		}
		for _, l := range p.Standby.Capacity.Loads {
			if l.CloudWatch != nil && l.CloudWatch.GreenLoadBalancer == "" {
				l.CloudWatch.GreenLoadBalancer = l.CloudWatch.BlueLoadBalancer
			}
		}
		deriveTraffic(p)
		for _, g := range p.Gates {
			if g.Requests != nil {
				deriveRequests(g.Requests, p)
			}
		}
	}
}

func deriveTraffic(p *Pair) {
	for j := range p.Traffic {
		e := &p.Traffic[j]
		if e.Name == "" {
			e.Name = fmt.Sprintf("%s-%d", e.kind(), j)
		}
		if e.Route53 == nil {
			continue
		}
		for n, name := range e.Route53.Names {
			e.Route53.Names[n] = strings.ToLower(strings.TrimSuffix(name, "."))
		}
	}
}

// deriveRequests knows how the sources differ: a Prometheus scrapes several times a minute, CloudWatch has points by the
// minute that grow for two more.
func deriveRequests(r *Requests, p *Pair) {
	interval, settle := 15*time.Second, 30*time.Second
	if r.CloudWatch != nil {
		interval, settle = time.Minute, 2*time.Minute
		if r.CloudWatch.Entrance == "" {
			r.CloudWatch.Entrance = onlyALB(p.Traffic)
		}
	}
	r.Interval, r.Settle = cmp.Or(r.Interval, interval), cmp.Or(r.Settle, settle)
}

// onlyALB names the alb entrance where there is exactly one.
func onlyALB(traffic []Entrance) string {
	only := ""
	for _, e := range traffic {
		switch {
		case e.ALB == nil:
		case only != "":
			return ""
		default:
			only = e.Name
		}
	}
	return only
}
