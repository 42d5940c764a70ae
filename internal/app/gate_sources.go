package app

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"time"

	"github.com/clusterswitch/clusterswitch/config"
	"github.com/clusterswitch/clusterswitch/internal/measure"
	"github.com/clusterswitch/clusterswitch/internal/webhook"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// countedAt are the target groups that a gate counts at, and where.
type countedAt struct {
	place
	blue, green measure.Group
}

// specsOfGates gives what each gate that is asked beside the loop is measured by.
func specsOfGates(c *config.Config, p config.Pair) []gateSpec {
	var specs []gateSpec
	for _, g := range p.Gates {
		if g.CloudWatch != nil {
			continue // the look itself asks
		}
		spec := gateSpec{gate: g, pair: p.Name, staleAfter: p.StaleAfter}
		if g.Requests != nil && g.Requests.CloudWatch != nil {
			spec.counted = countedAtEntrance(c, p, *g.Requests.CloudWatch)
		}
		specs = append(specs, spec)
	}
	return specs
}

// countedAtEntrance gives the target groups of a pair's alb entrance.
func countedAtEntrance(c *config.Config, p config.Pair, r config.RequestsCloudWatch) countedAt {
	for _, e := range p.Traffic {
		if e.ALB == nil || r.Entrance != "" && r.Entrance != e.Name {
			continue
		}
		at := groupsOf(e)
		at.region = cmp.Or(r.Region, at.region)
		at.role = cmp.Or(r.RoleARN, at.role)
		if at.region == c.AWS.Region {
			at.region = "" // one session for all
		}
		return at
	}
	return countedAt{}
}

// groupsOf gives the target groups of an entrance at an Application Load Balancer as
// CloudWatch names them, read by the entrance's role in its region. A load balancer
// that its ARN doesn't tell is empty.
func groupsOf(e config.Entrance) countedAt {
	balancer := balancerOfAction(cmp.Or(e.ALB.RuleARN, e.ALB.ListenerARN))
	return countedAt{
		place: place{e.ALB.RoleARN, entranceOf(e).Balancer.Region()},
		blue:  measure.Group{LoadBalancer: balancer, TargetGroup: arnResource(e.ALB.BlueTargetGroupARN)},
		green: measure.Group{LoadBalancer: balancer, TargetGroup: arnResource(e.ALB.GreenTargetGroupARN)},
	}
}

// gaugeOf makes a gate's gauge. What keeps it from being asked is its answer.
func (m *gateMeter) gaugeOf(spec gateSpec) gauge {
	if spec.gate.Requests != nil {
		return m.requestGaugeOf(spec)
	}
	return limitGaugeOf(spec)
}

func (m *gateMeter) requestGaugeOf(spec gateSpec) gauge {
	r := spec.gate.Requests
	g := &requestGauge{
		gate: spec.gate.Name, interval: r.Interval, settle: r.Settle, history: r.History,
		freshFor: r.Settle + 3*r.Interval + spec.staleAfter,
		given:    r.Latency.Edges, chosen: !r.Latency.Off && len(r.Latency.Edges) == 0,
	}
	if r.Latency.Off {
		g.given = nil
	}
	if r.Prometheus != nil {
		g.counter = prometheusCounterOf(*r.Prometheus)
		return g
	}
	g.counter = cloudCounter{aws: m.aws, gate: spec.gate.Name, at: spec.counted}
	return g
}

// limitGaugeOf makes the gauge of a number from outside.
func limitGaugeOf(spec gateSpec) gauge {
	g, within := &limitGauge{gate: spec.gate.Name}, time.Duration(0)
	switch p, a, w := spec.gate.Prometheus, spec.gate.Alertmanager, spec.gate.Webhook; {
	case p != nil:
		g.window, g.interval, within = p.Window, p.Interval, p.Server.Timeout
		number := valueOf(config.LoadQuery{Server: p.Server, Query: p.Query})
		g.ask = func(ctx context.Context, at time.Time, _ shift.Asking) (float64, string, error) {
			n, err := number(ctx, at)
			return n, "", err
		}
	case a != nil:
		g.interval, within = a.Interval, a.Server.Timeout
		g.ask = alertsOf(*a)
	case w != nil:
		g.interval, within, g.perStep = w.Interval, w.Timeout, true
		g.ask = hookOf(spec.pair, spec.gate.Name, *w)
	default:
		g.interval, g.ask = time.Hour, refusing(errors.New("this version of clusterswitch doesn't know its kind"))
	}
	g.freshFor = g.interval + within + spec.staleAfter
	return g
}

func refusing(err error) limitOf {
	return func(context.Context, time.Time, shift.Asking) (float64, string, error) { return 0, "", err }
}

// alertsOf counts the alerts that fire.
func alertsOf(a config.Alertmanager) limitOf {
	client, err := prometheusOf(a.Server)
	if err != nil {
		return refusing(err)
	}
	return func(ctx context.Context, _ time.Time, _ shift.Asking) (float64, string, error) {
		alerts, err := client.Alerts(ctx, a.Matchers)
		return float64(alerts.Firing), strings.Join(alerts.Names, "; "), err
	}
}

// hookOf asks a service about a step: 0 is its yes, 1 its no.
func hookOf(pair, gate string, w config.Webhook) limitOf {
	hook, err := webhook.New(webhook.Options{
		URL: w.URL, SecretFile: w.SecretFile, CAFile: w.CAFile, Headers: w.Headers, Reach: w.Reach, Timeout: w.Timeout,
	})
	if err != nil {
		return refusing(err)
	}
	return func(ctx context.Context, at time.Time, about shift.Asking) (float64, string, error) {
		answer, err := hook.Ask(ctx, webhook.Question{
			Pair: pair, Gate: gate, Attempt: about.Attempt, Step: about.Step,
			Share: int(about.Share), Now: int(about.Now), Since: about.Since, Asked: at.Truncate(w.Interval),
		})
		if err != nil || answer.Good {
			return 0, answer.Note, err
		}
		return 1, answer.Note, nil
	}
}
