package app

import (
	"fmt"
	"slices"
	"time"

	"github.com/clusterswitch/clusterswitch/config"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// gatesOf turns the gates of a pair's configuration into the core's.
func gatesOf(p config.Pair) shift.Gates {
	gates := shift.Gates{
		SoakOnly: p.SoakOnly, ReplicasAtLeast: p.Replicas.AtLeast,
		ObservedShare: observedShareOf(p.ObservedShare), Windows: windowsOf(p.Windows), Freezes: freezesOf(p.Freezes),
	}
	for _, probe := range p.Probes {
		gates.Probes = append(gates.Probes, probe.Name)
	}
	for _, probe := range onBlue(p.Probes) {
		gates.BlueProbes = append(gates.BlueProbes, probe.Name)
	}
	for _, g := range p.Gates {
		switch {
		case g.CloudWatch != nil:
			gates.Traffic = append(gates.Traffic, shift.TrafficGate{
				Name: g.Name, MaxErrorRatio: g.CloudWatch.MaxErrorRatio,
				MinRequests: g.CloudWatch.MinRequests, Breaches: g.CloudWatch.Breaches,
			})
		case g.Requests != nil:
			gates.Requests = append(gates.Requests, requestGateOf(g.Name, *g.Requests))
		default:
			if limit, ok := limitGateOf(g); ok {
				gates.Limits = append(gates.Limits, limit)
			}
		}
	}
	return gates
}

func requestGateOf(name string, r config.Requests) shift.RequestGate {
	gate := shift.RequestGate{
		Name: name, Compare: !r.Compare.Off, Tolerate: r.Compare.Tolerate, MinExcess: r.Compare.MinExcess,
		FalseAlarms: r.Compare.FalseAlarms, SkipFirst: r.SkipFirst, Interval: r.Interval, Settle: r.Settle,
	}
	if r.MaxErrorRatio != nil {
		gate.MaxErrorRatio, gate.HasLimit = *r.MaxErrorRatio, true
	}
	return gate
}

// limitGateOf gives the gate of a number from outside. Alerts and a service's
// answer are good at 0.
func limitGateOf(g config.Gate) (shift.LimitGate, bool) {
	var onFail string
	gate := shift.LimitGate{Name: g.Name, Max: new(float64)}
	switch {
	case g.Prometheus != nil:
		gate.Max, gate.Min = g.Prometheus.Max, g.Prometheus.Min
		gate.Breaches, onFail = g.Prometheus.Breaches, g.Prometheus.OnFail
	case g.Alertmanager != nil:
		gate.Breaches, onFail = g.Alertmanager.Breaches, g.Alertmanager.OnFail
	case g.Webhook != nil:
		gate.Breaches, onFail = g.Webhook.Breaches, g.Webhook.OnFail
		gate.PerStep = true
	default:
		return gate, false
	}
	gate.UsersTraffic = onFail == "rollback"
	return gate, true
}

func observedShareOf(o config.ObservedShare) shift.ObservedShare {
	return shift.ObservedShare{
		Off: o.OnBreach == "off", Warn: o.OnBreach == "warn", Tolerance: o.Tolerance, Required: o.Required,
	}
}

// windowsOf gives the times in which green may rise. That they can be read was
// checked with the configuration.
func windowsOf(list []config.Window) []shift.Window {
	var windows []shift.Window
	for _, w := range list {
		next := shift.Window{From: clockOf(w.From), To: clockOf(w.To), Zone: zoneOf(w.Timezone)}
		for _, day := range w.Days {
			next.Days = append(next.Days, time.Weekday(slices.Index(weekdays(), day)))
		}
		windows = append(windows, next)
	}
	return windows
}

// freezesOf gives the times in which green doesn't rise: from the first moment of
// the first day up to that of the day after the last.
func freezesOf(list []config.Freeze) []shift.Freeze {
	var freezes []shift.Freeze
	for _, f := range list {
		zone := zoneOf(f.Timezone)
		freezes = append(freezes, shift.Freeze{From: dayOf(f.From, zone), To: dayOf(f.To, zone).AddDate(0, 0, 1), Why: f.Why})
	}
	return freezes
}

func weekdays() []string { return []string{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"} }

// zoneOf gives a time zone. The configuration's check has loaded it before.
func zoneOf(name string) *time.Location {
	zone, err := time.LoadLocation(name)
	if err != nil {
		return time.UTC
	}
	return zone
}

// dayOf gives the first moment of a day.
func dayOf(text string, zone *time.Location) time.Time {
	day, err := time.ParseInLocation(time.DateOnly, text, zone)
	if err != nil {
		return time.Time{}
	}
	return day
}

// clockOf reads a time of the day, up to 24:00.
func clockOf(text string) time.Duration {
	var hours, minutes int
	if _, err := fmt.Sscanf(text, "%d:%d", &hours, &minutes); err != nil {
		return 0
	}
	return time.Duration(hours)*time.Hour + time.Duration(minutes)*time.Minute
}
