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
	s.changedLocked()
	return s.current.Load()
}

// changedLocked brings the states of targets in line with what is attached and
// publishes a new snapshot; the caller holds mu.
func (s *elbStore) changedLocked() {
	s.forgetDrained()
	next := &elbSnapshot{}
	for _, l := range s.listeners {
		next.listeners = append(next.listeners, l.forEdge())
	}
	for _, g := range s.groups {
		b := s.balancerOf(g)
		g.settle(b != nil)
		next.groups = append(next.groups, g.forEdge(b != nil, s.opts.HealthCheckInterval))
		for _, t := range g.targets {
			if t.state == routing.Draining && (next.until.IsZero() || t.gone.Before(next.until)) {
				next.until = t.gone
			}
		}
		s.countHosts(g, b)
	}
	next.names = s.namesLocked()
	s.current.Store(next)
}

// settle makes targets unused while their group is attached nowhere, and starts
// them anew when it is attached.
func (g *targetGroup) settle(attached bool) {
	for _, t := range g.targets {
		switch {
		case t.state == routing.Draining:
		case !attached:
			t.state, t.reason = routing.Unused, reasonNotInUse
		case t.state == routing.Unused:
			t.state, t.reason = routing.Initial, reasonRegistering
		}
	}
}

func (s *elbStore) countHosts(g *targetGroup, b *loadBalancer) {
	healthy, unhealthy := 0, 0
	for _, t := range g.targets {
		switch t.state {
		case routing.Healthy:
			healthy++
		case routing.Unhealthy:
			unhealthy++
		case routing.Initial, routing.Unused, routing.Draining: // counted as neither
		}
	}
	suffix := ""
	if b != nil {
		suffix = b.suffix()
	}
	s.hosts.recordHosts("targetgroup/"+g.name+"/"+g.id, suffix, healthy, unhealthy)
}

func (g *targetGroup) forEdge(attached bool, interval time.Duration) routing.TargetGroup {
	out := routing.TargetGroup{ARN: g.arn, Attached: attached, HealthCheck: g.check.forEdge(interval)}
	for _, t := range g.targets {
		out.Targets = append(out.Targets, routing.Target{Address: t.address, Port: t.port, State: t.state})
	}
	return out
}

func (l *listener) forEdge() routing.Listener {
	out := routing.Listener{ARN: l.arn, LoadBalancerARN: l.balancer.arn, Address: l.balancer.address, Port: l.port}
	for _, r := range l.rules {
		// The edge evaluates hosts and paths. A rule with another condition would
		// match too much there, so it matches nothing instead.
		if edge, ok := r.forEdge(); ok {
			out.Rules = append(out.Rules, edge)
		}
	}
	return out
}

func (r *rule) forEdge() (routing.Rule, bool) {
	out := routing.Rule{ARN: r.arn}
	for _, c := range r.conditions {
		switch c.field {
		case "host-header":
			out.Hosts = c.values
		case "path-pattern":
			out.Paths = c.values
		default:
			return out, false
		}
	}
	last := r.actions[len(r.actions)-1]
	out.FixedStatus = last.fixedStatus
	for _, g := range last.groups {
		out.Forward = append(out.Forward, routing.WeightedGroup{TargetGroupARN: g.arn, Weight: g.weight})
	}
	if last.sticky {
		out.Stickiness = time.Duration(last.stickySeconds) * time.Second
	}
	return out, true
}
