package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/internal/preflight/finding"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// recordFaults judges where the records of a Route 53 entrance lead.
func recordFaults(t *facts.Traffic, e facts.Entrance) []finding.Finding {
	var found []finding.Finding
	beside := map[string]bool{}
	for _, blue := range e.Records {
		if place := blue.Name + "/" + blue.Type; blue.Beside && !beside[place] {
			beside[place] = true
			x := ofEntrance(RecordsBeside, finding.Block, e, place)
			x.Message = fmt.Sprintf("%s also has records of type %s, which entrance %s doesn't declare and which lead to %s: who asks for these doesn't move",
				blue.Name, blue.Type, e.Name, listNames(blue.Targets))
			x.Do = fmt.Sprintf("Make two weighted records of type %s, and declare the type too; or remove them.", blue.Type)
			found = append(found, x)
		}
		if blue.Side != shift.Blue {
			continue
		}
		for _, green := range e.Records {
			if green.Side == shift.Green && green.Name == blue.Name && green.Type == blue.Type && meetAt(blue, green) {
				x := ofEntrance(SidesNotApart, finding.Block, e, blue.Name+"/"+blue.Type)
				x.Message = fmt.Sprintf("the records %q and %q of %s %s both lead to %s, so that their weights change nothing",
					blue.SetIdentifier, green.SetIdentifier, blue.Name, blue.Type, listNames(green.Targets))
				x.Do = "Let green's record lead to green."
				found = append(found, x)
			}
		}
	}
	return slices.Concat(found, series(t, e), targetless(t, e))
}

// meetAt tells whether two records lead to the same place.
func meetAt(a, b facts.Record) bool {
	either := func(x, y []string) bool {
		return slices.ContainsFunc(x, func(v string) bool { return slices.Contains(y, v) })
	}
	return either(a.Targets, b.Targets) || either(a.Balancers, b.Balancers)
}

// series looks for records in front of another entrance's load balancer.
func series(t *facts.Traffic, e facts.Entrance) []finding.Finding {
	var found []finding.Finding
	for _, other := range t.Entrances {
		if other.Balancer == nil {
			continue
		}
		b := balancerOf(t, other)
		if b == nil || !slices.ContainsFunc(e.Records, func(r facts.Record) bool { return r.Side != "" && slices.Contains(r.Balancers, b.ARN) }) {
			continue
		}
		x := ofEntrance(EntrancesInSeries, finding.Block, e, other.Name)
		x.Message = fmt.Sprintf("records of entrance %s lead to the load balancer of entrance %s (%s), so that their shares multiply", e.Name, other.Name, b.DNSName)
		x.Do = "Keep one of the two in `traffic`: the record or the rule."
		found = append(found, x)
	}
	return found
}

// targetless looks for target groups that make a load balancer count as unhealthy
// to the records that evaluate its health: one without a healthy target is enough,
// whether its rule ever gets a request or not. Route 53 API reference, AliasTarget,
// EvaluateTargetHealth.
func targetless(t *facts.Traffic, e facts.Entrance) []finding.Finding {
	var found []finding.Finding
	seen := map[string]bool{}
	for _, r := range e.Records {
		if !r.Evaluates || r.Side == "" {
			continue
		}
		for _, arn := range r.Balancers {
			for _, group := range t.Balancers[arn].Groups {
				g := t.Groups[group]
				if seen[group] || !g.Targets.Known || g.Targets.Healthy > 0 || g.TargetType == "lambda" {
					continue
				}
				seen[group] = true
				x := ofEntrance(TargetlessGroup, finding.Block, e, string(r.Side)+"/"+g.Name)
				x.Side = r.Side
				x.Message = fmt.Sprintf("target group %s of %s's load balancer %s has %d healthy targets of %d, so that Route 53 counts the load balancer as unhealthy and leaves %s's records of entrance %s out, whatever their weight",
					g.Name, r.Side, t.Balancers[arn].DNSName, g.Targets.Healthy, g.Targets.Total, r.Side, e.Name)
				x.Do = "Remove the target group from the load balancer's rules, give it healthy targets, or switch EvaluateTargetHealth off."
				found = append(found, x)
			}
		}
	}
	return found
}

// otherRules looks for rules and listeners beside the declared ones that lead to
// blue: their users stay there. One that a probe uses is for tests.
func otherRules(f *facts.Facts, e facts.Entrance) []finding.Finding {
	b := balancerOf(&f.Traffic, e)
	if b == nil {
		return nil
	}
	declared := func(arn string) bool {
		return slices.ContainsFunc(f.Traffic.Entrances, func(o facts.Entrance) bool { return o.Balancer != nil && o.Balancer.ActionARN() == arn })
	}
	var found []finding.Finding
	for _, l := range b.Listeners {
		for _, r := range l.Rules {
			to := slices.IndexFunc(r.Forwards, func(w facts.Forward) bool { return w.Group == e.Balancer.BlueTargetGroupARN && w.Weight > 0 })
			// Where users come, a probe proves nothing.
			tested := ruleOf(l, e.Balancer.ActionARN()) == nil &&
				slices.ContainsFunc(f.Settings.Probes, func(p facts.Probe) bool { return enters(p, *b, l, r) })
			if to < 0 || declared(r.ARN) || tested {
				continue
			}
			x := ofEntrance(BlueServedOtherwise, finding.Block, e, r.ARN)
			x.Side = shift.Blue
			x.Message = fmt.Sprintf("%s of port %d also forwards to blue's target group of entrance %s, and no traffic entry declares it: its users would stay on blue", ruleName(r), l.Port, e.Name)
			x.Do = "Declare it in `traffic`, let a probe use it if it is for tests, or remove it."
			found = append(found, x)
		}
	}
	return found
}

func ruleName(r facts.ListenerRule) string {
	conditions := slices.Concat(r.Hosts, r.Paths, r.Headers)
	switch {
	case r.Default:
		return "the default action of listener " + r.ARN
	case len(conditions) > 0:
		return fmt.Sprintf("rule %s (%s)", r.ARN, strings.Join(conditions, ", "))
	}
	return "rule " + r.ARN
}

// settingDoc says what a setting of a target group does, and how much a
// difference matters.
type settingDoc struct {
	name     string
	does     string
	severity finding.Severity
	// standard is the value that counts where none is told.
	standard string
}

// groupSettings are those that are compared. ELBv2 API reference, TargetGroup and
// TargetGroupAttribute.
func groupSettings() []settingDoc {
	return []settingDoc{
		{"Protocol", "how the load balancer speaks with the targets", finding.Warn, ""},
		{"ProtocolVersion", "how the load balancer speaks with the targets", finding.Warn, ""},
		{"HealthCheckEnabled", "whether targets are checked", finding.Warn, ""},
		{"HealthCheckProtocol", "how targets are checked", finding.Warn, ""},
		{"HealthCheckPort", "at which port targets are checked", finding.Warn, ""},
		{"HealthCheckPath", "what targets are asked", finding.Warn, ""},
		{"Matcher", "which answers count as healthy", finding.Warn, ""},
		{"HealthCheckIntervalSeconds", "how soon a sick target is noticed", finding.Note, ""},
		{"HealthCheckTimeoutSeconds", "how soon a sick target is noticed", finding.Note, ""},
		{"HealthyThresholdCount", "how soon a target counts as healthy", finding.Note, ""},
		{"UnhealthyThresholdCount", "how soon a sick target is left out", finding.Note, ""},
		{"slow_start.duration_seconds", "how slowly a new target gets its share", finding.Warn, "0"},
		{"deregistration_delay.timeout_seconds", "how long a target that leaves may finish its requests", finding.Note, "300"},
		{"stickiness.enabled", "whether clients stay on one target", finding.Warn, "false"},
		{"stickiness.type", "how clients are kept on one target", finding.Warn, ""},
		{"load_balancing.cross_zone.enabled", "whether a zone sends users to targets in others", finding.Warn, "use_load_balancer_configuration"},
		{"load_balancing.algorithm.type", "how requests are shared out", finding.Note, "round_robin"},
		{"load_balancing.algorithm.anomaly_mitigation", "whether targets that err get less", finding.Note, "off"},
		{"proxy_protocol_v2.enabled", "whether targets are told the client's address in a header of the connection", finding.Warn, "false"},
		{"preserve_client_ip.enabled", "whether targets see the client's address", finding.Warn, ""},
		{"deregistration_delay.connection_termination.enabled", "whether connections to a target that left are cut", finding.Note, "false"},
		{"target_group_health.unhealthy_state_routing.minimum_healthy_targets.count", "with how few healthy targets all get requests", finding.Note, "1"},
	}
}

// groupsDiffer compares the two target groups of an entrance.
func groupsDiffer(t *facts.Traffic, e facts.Entrance) []finding.Finding {
	blue, okBlue := t.Groups[e.Balancer.BlueTargetGroupARN]
	green, okGreen := t.Groups[e.Balancer.GreenTargetGroupARN]
	var found []finding.Finding
	for _, side := range []shift.Side{shift.Blue, shift.Green} {
		if g := t.Groups[groupOf(e, side)]; g.Maker != "" {
			x := ofEntrance(TargetGroupOfController, finding.Warn, e, string(side))
			x.Side = side
			x.Message = fmt.Sprintf("%s's target group %s of entrance %s was made by %s, which deletes it together with what it was made for", side, g.Name, e.Name, g.Maker)
			x.Do = "Use a target group that is owned outside, as docs/load-balancers.md shows."
			found = append(found, x)
		}
	}
	if !okBlue || !okGreen {
		return found // a gap or the entrance's reading tells why
	}
	differ := func(setting, does, b, g string, severity finding.Severity) {
		x := ofEntrance(TargetGroupsDiffer, severity, e, setting)
		x.Side = shift.Green
		x.Message = fmt.Sprintf("the target groups of entrance %s differ in %s (%s): blue's has %s, green's has %s", e.Name, setting, does, orNone(b), orNone(g))
		x.Do = "Give green's target group the setting of blue's, or waive the finding if it is meant."
		found = append(found, x)
	}
	if blue.TargetType != green.TargetType {
		differ("TargetType", "what is registered", blue.TargetType, green.TargetType, finding.Note)
	}
	for _, s := range groupSettings() {
		b, toldBlue := blue.Settings[s.name]
		g, toldGreen := green.Settings[s.name]
		if !toldBlue && !toldGreen || s.standard == "" && toldBlue != toldGreen && strings.Contains(s.name, ".") {
			continue // an attribute that only one kind of target group has
		}
		if !toldBlue {
			b = s.standard
		}
		if !toldGreen {
			g = s.standard
		}
		if b != g {
			differ(s.name, s.does, b, g, s.severity)
		}
	}
	return found
}

func orNone(value string) string {
	if value == "" {
		return "none"
	}
	return value
}
