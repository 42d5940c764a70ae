package check

import (
	"testing"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/internal/preflight/finding"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

func TestEntrancesCanBeShifted(t *testing.T) {
	reading := func(change func(r *shift.EntranceReading)) func(*facts.Facts) {
		return func(f *facts.Facts) { change(&f.Traffic.Entrances[0].Reading) }
	}
	tell(t, traffic, trafficCheck(), map[string]story{
		"AWS wasn't asked": {change: func(f *facts.Facts) { f.Traffic = facts.Traffic{Fault: "no credentials"} }, want: []string{"block TrafficNotRead/Traffic"}, says: "no credentials"},
		"something can't be read": {
			change: func(f *facts.Facts) {
				f.Traffic.Gaps = []facts.Gap{{What: "the records of entrance dns", Why: "throttled"}, {What: "the list of load balancers", Why: "access denied", Optional: true}}
			},
			want: []string{"block TrafficNotChecked/Traffic/the records of entrance dns", "warn TrafficNotChecked/Traffic/the list of load balancers"},
		},
		"an entrance can't be used": {
			change: reading(func(r *shift.EntranceReading) { r.Err, r.Owner = "rule x has no forward action", "external-dns" }),
			want:   []string{"block EntranceOwned/Entrance/alb", "block EntranceUnusable/Entrance/alb"}, says: "is written by external-dns",
		},
		"an entrance was not read": {change: reading(func(r *shift.EntranceReading) { r.At = time.Time{} }), want: []string{"block EntranceUnusable/Entrance/alb"}, says: "it was not read"},
		"green has a share already": {
			change: reading(func(r *shift.EntranceReading) { r.Weights = shift.Weights{Blue: 90, Green: 10} }),
			want:   []string{"block GreenHasTraffic/Entrance/alb"}, says: "before the shift begins: ",
		},
		"green has a share in the shift": {change: func(f *facts.Facts) {
			f.Traffic.Begun = true
			f.Traffic.Entrances[0].Reading.Weights = shift.Weights{Blue: 90, Green: 10}
		}},
		"green has the share that the mark tells": {change: reading(func(r *shift.EntranceReading) {
			r.Weights, r.Mark = shift.Weights{Blue: 90, Green: 10}, &shift.Mark{Share: 10, Phase: shift.Shifting}
		})},
		"green has another share than the mark tells": {
			change: reading(func(r *shift.EntranceReading) {
				r.Weights, r.Mark = shift.Weights{Blue: 50, Green: 50}, &shift.Mark{Share: 10, Phase: shift.Shifting}
			}),
			want: []string{"block GreenHasTraffic/Entrance/alb"},
		},
		"records stand apart in the shift": {
			change: func(f *facts.Facts) {
				f.Traffic.Begun = true
				f.Traffic.Entrances[0].Reading.Apart = []shift.Weights{{Blue: 100}, {Blue: 90, Green: 10}}
				f.Traffic.Entrances[0].Reading.Where = "A at 0 %, AAAA at 10 %"
			},
			want: []string{"warn EntranceApart/Entrance/alb"}, says: "A at 0 %, AAAA at 10 %",
		},
		"green's targets aren't known": {change: reading(func(r *shift.EntranceReading) { r.GreenTargets = shift.Targets{} }), want: []string{"block GreenTargetsUnhealthy/Entrance/alb"}, says: "is not known"},
		"green has no targets": {
			change: reading(func(r *shift.EntranceReading) {
				r.GreenTargets = shift.Targets{Known: true, Note: "the target group has no targets"}
			}),
			want: []string{"block GreenTargetsUnhealthy/Entrance/alb"}, says: "green has 0 healthy targets of 0 behind entrance alb, where blue has 2 of 2; at least 1 are needed: the target group has no targets",
		},
		"green has none in one zone": {
			change: reading(func(r *shift.EntranceReading) {
				r.GreenTargets.Zones = []shift.ZoneTargets{{Zone: "a", Healthy: 2, Total: 2}, {Zone: "c", Total: 1}}
			}),
			want: []string{"block GreenTargetsUnhealthy/Entrance/alb"}, says: "in zone c",
		},
		"cookies, and what else is to be known": {
			change: reading(func(r *shift.EntranceReading) {
				r.Sticky, r.Notes = 10*time.Minute, []string{"a network load balancer", "it fails open"}
			}),
			want: []string{"note EntranceNotes/Entrance/alb", "note Sticky/Entrance/alb"}, says: "a network load balancer; it fails open",
		},
		"answers that live longer than a step": {
			change: func(f *facts.Facts) { byRecords(f); f.Traffic.Entrances[0].Reading.TTL = time.Hour },
			want:   []string{"warn TTLAboveHold/Entrance/dns"}, says: "for up to 1h0m0s, and step 10 % is held for 10m0s only",
		},
	})
}

func TestWhereEntrancesLead(t *testing.T) {
	rules := func(l int, change func(r []facts.ListenerRule) []facts.ListenerRule) func(*facts.Facts) {
		return func(f *facts.Facts) {
			b := f.Traffic.Balancers[users]
			b.Listeners[l].Rules = change(b.Listeners[l].Rules)
		}
	}
	dns := func(change func(f *facts.Facts, r []facts.Record)) func(*facts.Facts) {
		return func(f *facts.Facts) { byRecords(f); change(f, f.Traffic.Entrances[0].Records) }
	}
	group := func(arn string, change func(g *facts.TargetGroup)) func(*facts.Facts) {
		return func(f *facts.Facts) {
			byRecords(f)
			g := f.Traffic.Groups[arn]
			change(&g)
			f.Traffic.Groups[arn] = g
		}
	}
	toBlue := []facts.Forward{{Group: blueGroup, Weight: 1}}
	const admin = arnHead + "listener-rule/app/users/1/1/9"
	const otherwise = "block BlueServedOtherwise/Entrance/alb/"
	tell(t, traffic, trafficCheck(), map[string]story{
		"a third member of a rule": {
			change: rules(0, func(r []facts.ListenerRule) []facts.ListenerRule {
				r[1].Forwards = append(r[1].Forwards, facts.Forward{Group: "arn:other", Weight: 5}, facts.Forward{Group: "arn:idle"})
				return r
			}),
			want: []string{"warn OtherMembers/Entrance/alb"}, says: "also sends users to target group arn:other (weight 5), and",
		},
		"a third record": {
			change: func(f *facts.Facts) {
				byRecords(f)
				f.Traffic.Entrances[0].Records = append(f.Traffic.Entrances[0].Records, facts.Record{Name: "shop.example.com", Type: "A", SetIdentifier: "old", Weight: 7})
			},
			want: []string{"warn OtherMembers/Entrance/dns"}, says: `shop.example.com A "old" (weight 7)`,
		},
		"another rule leads to blue": {
			change: rules(0, func(r []facts.ListenerRule) []facts.ListenerRule {
				return append(r, facts.ListenerRule{ARN: admin, Hosts: []string{"admin.example.com"}, Forwards: toBlue})
			}),
			want: []string{otherwise + admin}, says: "rule " + admin + " (admin.example.com) of port 443 also forwards to blue's target group",
		},
		"another rule has blue with weight 0": {change: rules(0, func(r []facts.ListenerRule) []facts.ListenerRule {
			return append(r, facts.ListenerRule{ARN: admin, Forwards: []facts.Forward{{Group: blueGroup}, {Group: greenGroup, Weight: 1}}})
		})},
		"another listener leads to blue": {
			change: func(f *facts.Facts) {
				b := f.Traffic.Balancers[users]
				b.Listeners = append(b.Listeners, facts.Listener{ARN: "arn:plain", Protocol: "HTTP", Port: 80, Rules: []facts.ListenerRule{{ARN: "arn:plain", Default: true, Forwards: toBlue}}})
				f.Traffic.Balancers[users] = b
			},
			want: []string{otherwise + "arn:plain"}, says: "the default action of listener arn:plain of port 80",
		},
		"a listener by which blue is probed": {change: func(f *facts.Facts) {
			b := f.Traffic.Balancers[users]
			b.Listeners = append(b.Listeners, facts.Listener{ARN: "arn:test", Protocol: "HTTP", Port: 8080, Rules: []facts.ListenerRule{{ARN: "arn:test", Default: true, Forwards: toBlue}}})
			f.Traffic.Balancers[users] = b
			f.Settings.Probes = append(f.Settings.Probes, facts.Probe{Kind: "http", Address: usersHost + ":8080", URL: "http://" + usersHost + ":8080/"})
		}},
		"both records lead to one load balancer": {
			change: dns(func(_ *facts.Facts, r []facts.Record) { r[1].Targets, r[1].Balancers = r[0].Targets, r[0].Balancers }),
			want:   []string{"block SidesNotApart/Entrance/dns/shop.example.com/A", "warn NoProbeThroughGreenTargets/Entrance/dns"}, says: `"blue" and "green" of shop.example.com A both lead to ` + blueHost,
		},
		"records of a type that isn't declared": {
			change: func(f *facts.Facts) {
				byRecords(f)
				six := facts.Record{Name: "shop.example.com", Type: "AAAA", SetIdentifier: "blue", Weight: 100, Targets: []string{blueHost}, Beside: true}
				f.Traffic.Entrances[0].Records = append(f.Traffic.Entrances[0].Records, six, six)
			},
			want: []string{"block RecordsBeside/Entrance/dns/shop.example.com/AAAA"}, says: "shop.example.com also has records of type AAAA, which entrance dns doesn't declare and which lead to " + blueHost,
		},
		"a record in front of the rule": {
			change: func(f *facts.Facts) {
				rule := f.Traffic
				byRecords(f)
				f.Traffic.Entrances = append(f.Traffic.Entrances, rule.Entrances[0])
				f.Traffic.Balancers[users] = rule.Balancers[users]
				f.Traffic.Entrances[0].Records[0].Balancers = []string{users}
				f.Settings.Probes = append(f.Settings.Probes, aPair().Settings.Probes...)
			},
			want: []string{"block EntrancesInSeries/Entrance/dns/alb"}, says: "so that their shares multiply",
		},
		"a target group without targets behind green's alias": {
			change: group(greenGroup, func(g *facts.TargetGroup) { g.Targets.Healthy, g.Targets.Total = 0, 0 }),
			want:   []string{"block TargetlessGroup/Entrance/dns/green/shop-green"}, says: "has 0 healthy targets of 0, so that Route 53 counts the load balancer as unhealthy",
		},
		"a target group without targets where nobody evaluates it": {change: func(f *facts.Facts) {
			group(greenGroup, func(g *facts.TargetGroup) { g.Targets.Healthy = 0 })(f)
			f.Traffic.Entrances[0].Records[1].Evaluates = false
		}},
		"a function behind green's alias": {change: group(greenGroup, func(g *facts.TargetGroup) { g.Targets.Healthy, g.TargetType = 0, "lambda" })},
	})
}

func TestTargetGroupsAreAlike(t *testing.T) {
	settings := func(blue, green map[string]string) func(*facts.Facts) {
		return func(f *facts.Facts) {
			for arn, s := range map[string]map[string]string{blueGroup: blue, greenGroup: green} {
				g := f.Traffic.Groups[arn]
				g.Settings = s
				f.Traffic.Groups[arn] = g
			}
		}
	}
	type told = map[string]string
	const differ = " TargetGroupsDiffer/Entrance/alb/"
	tell(t, traffic, trafficCheck(), map[string]story{
		"another path and other codes": {
			change: settings(told{"HealthCheckPath": "/ready", "Matcher": "200"}, told{"HealthCheckPath": "/", "Matcher": "200-499"}),
			want:   []string{"warn" + differ + "HealthCheckPath", "warn" + differ + "Matcher"}, says: "(what targets are asked): blue's has /ready, green's has /",
		},
		"times": {
			change: settings(told{"deregistration_delay.timeout_seconds": "30", "slow_start.duration_seconds": "60"}, told{"HealthCheckIntervalSeconds": "5", "deregistration_delay.timeout_seconds": "300"}),
			want:   []string{"warn" + differ + "slow_start.duration_seconds", "note" + differ + "HealthCheckIntervalSeconds", "note" + differ + "deregistration_delay.timeout_seconds"},
		},
		"a standard that one doesn't tell": {change: settings(told{"stickiness.enabled": "false", "stickiness.type": "lb_cookie"}, told{})},
		"other targets": {
			change: func(f *facts.Facts) {
				g := f.Traffic.Groups[blueGroup]
				g.TargetType, g.Maker = "instance", "the aws-load-balancer-controller"
				f.Traffic.Groups[blueGroup] = g
			},
			want: []string{"warn TargetGroupOfController/Entrance/alb/blue", "note" + differ + "TargetType"},
		},
		"one isn't known": {change: func(f *facts.Facts) { delete(f.Traffic.Groups, blueGroup) }},
	})
}

func TestGreenIsTriedOnTheWayOfItsUsers(t *testing.T) {
	const none = "warn NoProbeThroughGreenTargets/Entrance/alb"
	probe := func(p facts.Probe) func(*facts.Facts) {
		return func(f *facts.Facts) { f.Settings.Probes = []facts.Probe{p} }
	}
	ruled := func(r facts.ListenerRule, p facts.Probe) func(*facts.Facts) {
		return func(f *facts.Facts) {
			b := f.Traffic.Balancers[users]
			b.Listeners[1].Rules[0].Forwards = nil
			r.ARN = "arn:test"
			if r.Forwards == nil {
				r.Forwards = []facts.Forward{{Group: greenGroup, Weight: 1}}
			}
			b.Listeners[1].Rules = append(b.Listeners[1].Rules, r)
			p.Kind, p.Address = "http", usersHost+":8443"
			f.Settings.Probes = []facts.Probe{p}
		}
	}
	network := func(protocol, kind string) func(*facts.Facts) {
		return func(f *facts.Facts) {
			f.Traffic.Balancers[users].Listeners[1].Protocol = protocol
			f.Settings.Probes = []facts.Probe{{Kind: kind, Address: usersHost + ":8443"}}
		}
	}
	tell(t, traffic, trafficCheck(), map[string]story{
		"no probes":                                    {change: func(f *facts.Facts) { f.Settings.Probes = nil }, want: []string{none}, says: "(there are no probes)"},
		"probes of the API server alone":               {change: probe(facts.Probe{Kind: "service"}), want: []string{none}, says: "(all 1 probes go through green's API server)"},
		"a probe by the load balancer's name":          {change: probe(facts.Probe{Kind: "http", Address: "DUALSTACK." + usersHost + ":8443", URL: "https://x/"})},
		"a probe by the address alone":                 {change: probe(facts.Probe{Kind: "http", Address: "10.0.0.8:8443", URL: "https://10.0.0.8/"})},
		"a probe of another port":                      {change: probe(facts.Probe{Kind: "http", Address: usersHost + ":9443", URL: "https://x/"}), want: []string{none}, says: "(none of the 1 probes does)"},
		"a probe of the users' rule":                   {change: probe(facts.Probe{Kind: "http", Address: usersHost + ":443", URL: "https://shop.example.com/"}), want: []string{none}},
		"a probe of another load balancer":             {change: probe(facts.Probe{Kind: "http", Address: "other.example.com:8443", URL: "https://x/", Addresses: []string{"10.9.9.9"}}), want: []string{none}},
		"a connection to an application load balancer": {change: network("HTTPS", "tcp"), want: []string{none}},
		"a connection through a network load balancer": {change: network("TCP", "tcp")},
		"a connection that ends at the load balancer":  {change: network("TLS", "tcp"), want: []string{none}},
		"a handshake at an application load balancer":  {change: network("HTTPS", "tls"), want: []string{none}},
		"a handshake through a network load balancer":  {change: network("TCP", "tls")},
		"a handshake with the load balancer":           {change: network("TLS", "tls"), want: []string{none}},
		"a gRPC call by the load balancer's name":      {change: probe(facts.Probe{Kind: "grpc", Address: usersHost + ":8443", URL: "https://x/grpc.health.v1.Health/Check"})},
		"a WebSocket by the load balancer's name":      {change: probe(facts.Probe{Kind: "websocket", Address: usersHost + ":8443", URL: "https://x/live"})},
		"a question to a DNS server":                   {change: probe(facts.Probe{Kind: "dns"}), want: []string{none}, says: "(none of the 1 probes does)"},
		"a rule for the probe's host and path":         {change: ruled(facts.ListenerRule{Hosts: []string{"*.Example.com"}, Paths: []string{"/test/*"}}, facts.Probe{URL: "https://x/test/a/b", Host: "shop.example.com"})},
		"a rule for another host":                      {change: ruled(facts.ListenerRule{Hosts: []string{"green.example.com"}}, facts.Probe{URL: "https://x/"}), want: []string{none}},
		"a rule for a header that the probe sends":     {change: ruled(facts.ListenerRule{Headers: []string{"X-Green"}}, facts.Probe{URL: "https://x/", Headers: []string{"x-green"}})},
		"a rule for a header that it doesn't send":     {change: ruled(facts.ListenerRule{Headers: []string{"X-Green"}}, facts.Probe{URL: "https://x/"}), want: []string{none}},
		"a rule with other conditions":                 {change: ruled(facts.ListenerRule{Others: true}, facts.Probe{URL: "https://x/"}), want: []string{none}},
		"a rule that also leads elsewhere":             {change: ruled(facts.ListenerRule{Forwards: []facts.Forward{{Group: greenGroup, Weight: 9}, {Group: "arn:other", Weight: 1}}}, facts.Probe{URL: "https://x/"}), want: []string{none}},
		"what the load balancer leads to isn't known": {change: func(f *facts.Facts) {
			f.Settings.Probes = nil
			b := f.Traffic.Balancers[users]
			b.Known = false
			f.Traffic.Balancers[users] = b
		}},
		"a probe where green's record leads": {change: func(f *facts.Facts) {
			byRecords(f)
			f.Traffic.Entrances[0].Records[1].Targets = []string{"192.0.2.9"}
			f.Traffic.Entrances[0].Records[1].Balancers = nil
			f.Settings.Probes = []facts.Probe{{Kind: "tcp", Address: "green.internal:443", Addresses: []string{"192.0.2.9"}}}
		}},
		"a probe where blue's record leads": {
			change: func(f *facts.Facts) { byRecords(f); f.Settings.Probes[0].Address = blueHost + ":443" },
			want:   []string{"warn NoProbeThroughGreenTargets/Entrance/dns"},
		},
	})
}

// Every code is explained once, for those who read the reference.
func TestCodesAreExplained(t *testing.T) {
	seen := map[finding.Code]string{}
	for _, c := range []Check{entrancesCheck(), singletonsCheck(), trafficCheck()} {
		for _, code := range c.Codes {
			if code.Meaning == "" || code.Do == "" || seen[code.Code] != "" {
				t.Errorf("%s of %s is explained badly, or also by %s", code.Code, c.Name, seen[code.Code])
			}
			seen[code.Code] = c.Name
		}
	}
}
