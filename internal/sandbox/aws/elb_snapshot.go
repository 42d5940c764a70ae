package aws

import (
	"time"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/routing"
)

// elbSnapshot is what the edge knows: immutable, and swapped whole on a write,
// since every request reads it.
type elbSnapshot struct {
	listeners []routing.Listener
	groups    []routing.TargetGroup
	names     map[string]namedBalancer // by DNS name
	until     time.Time                // when the next draining target disappears; zero for never
}

// snapshot returns the newest snapshot.
func (s *elbStore) snapshot() *elbSnapshot {
	if now := s.current.Load(); now.until.IsZero() || s.opts.Now().Before(now.until) {
		return now
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.publishLocked()
	return s.current.Load()
}

// publishLocked brings the states of targets in line with what is attached and
// publishes a new snapshot; the caller holds mu. Only what is stale is made
// anew; the rest is copied, so that a write costs little beside a thousand rules.
func (s *elbStore) publishLocked() {
	now := s.opts.Now()
	before := s.current.Load()
	next := &elbSnapshot{
		listeners: make([]routing.Listener, 0, len(before.listeners)+1),
		groups:    make([]routing.TargetGroup, 0, len(before.groups)+1),
	}
	for _, a := range s.accounts {
		for _, l := range a.listeners.all {
			if l.protocol == "UDP" {
				continue // the edge has no UDP
			}
			if l.stale {
				l.refresh()
			}
			next.listeners = append(next.listeners, l.edge)
		}
		for _, g := range a.groups.all {
			if g.stale || g.isDue(now) {
				s.refresh(g, now)
			}
			next.groups = append(next.groups, g.edge)
			if !g.until.IsZero() && (next.until.IsZero() || g.until.Before(next.until)) {
				next.until = g.until
			}
		}
	}
	next.names = s.namesLocked()
	s.current.Store(next)
}

// refresh makes a group anew for the edge and for CloudWatch.
func (s *elbStore) refresh(g *targetGroup, now time.Time) {
	g.forgetDrained(now)
	g.settle()
	g.edge, g.stale = g.forEdge(s.opts.HealthCheckInterval), false
	g.until = time.Time{}
	for _, t := range g.targets {
		if t.state == routing.Draining && (g.until.IsZero() || t.gone.Before(g.until)) {
			g.until = t.gone
		}
	}
	s.countHosts(g)
}

func (g *targetGroup) isDue(now time.Time) bool { return !g.until.IsZero() && !now.Before(g.until) }

// settle makes targets unused while their group is attached nowhere, and starts
// them anew when it is attached.
func (g *targetGroup) settle() {
	for _, t := range g.targets {
		switch {
		case t.state == routing.Draining:
		case g.balancer == nil:
			t.state, t.reason = routing.Unused, reasonNotInUse
		case t.state == routing.Unused:
			t.state, t.reason = routing.Initial, reasonRegistering
		}
	}
}

// countHosts counts for AWS/ApplicationELB; the metrics of network load
// balancers are in a namespace that isn't here.
func (s *elbStore) countHosts(g *targetGroup) {
	healthy, unhealthy := 0, 0
	for _, t := range g.targets {
		switch t.state {
		case routing.Healthy:
			healthy++
		case routing.Unhealthy, routing.UnhealthyDraining:
			unhealthy++
		case routing.Initial, routing.Unused, routing.Draining, routing.Unavailable: // counted as neither
		}
	}
	suffix := ""
	if g.balancer != nil && g.balancer.kind == applicationType {
		suffix = g.balancer.suffix()
	}
	s.hosts.recordHosts("targetgroup/"+g.name+"/"+g.id, suffix, healthy, unhealthy)
}

func (g *targetGroup) forEdge(interval time.Duration) routing.TargetGroup {
	out := routing.TargetGroup{ARN: g.arn, Attached: g.balancer != nil, HealthCheck: g.check.forEdge(interval)}
	for _, t := range g.targets {
		out.Targets = append(out.Targets, routing.Target{Address: t.address, Port: t.port, State: t.state})
	}
	return out
}

// refresh makes a listener anew for the edge, from what its rules are there.
func (l *listener) refresh() {
	l.edge = routing.Listener{
		ARN: l.arn, LoadBalancerARN: l.balancer.arn, Address: l.balancer.address, Port: l.port,
		TCP: l.balancer.kind == networkType, Rules: make([]routing.Rule, 0, len(l.rules)),
	}
	for _, r := range l.rules {
		if r.usable {
			l.edge.Rules = append(l.edge.Rules, r.edge)
		}
	}
	l.stale = false
}

// refresh makes a rule anew for the edge, which evaluates hosts and paths. A rule
// with another condition would match too much there, so it matches nothing instead.
func (r *rule) refresh() {
	r.listener.stale = true
	r.edge, r.usable = routing.Rule{ARN: r.arn}, true
	for _, c := range r.conditions {
		switch c.field {
		case "host-header":
			r.edge.Hosts = c.values
		case "path-pattern":
			r.edge.Paths = c.values
		default:
			r.usable = false
		}
	}
	last := r.actions[len(r.actions)-1]
	r.edge.FixedStatus, r.edge.Redirect = last.fixedStatus, last.redirect
	for _, g := range last.groups {
		r.edge.Forward = append(r.edge.Forward, routing.WeightedGroup{TargetGroupARN: g.arn, Weight: g.weight})
	}
	if last.sticky {
		r.edge.Stickiness = time.Duration(last.stickySeconds) * time.Second
	}
}
