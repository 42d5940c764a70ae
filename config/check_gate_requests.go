package config

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/promql"
)

// maxEdges bounds the edges of one requests gate: each is a metric that shares in the chance of a false alarm.
const maxEdges = 3

func (c *checker) requests(path string, r *Requests, p *Pair) {
	c.exactlyOne(path, map[string]bool{"prometheus": r.Prometheus != nil, "cloudwatch": r.CloudWatch != nil}, "prometheus or cloudwatch")
	c.latency(path+".latency", r)
	switch {
	case r.Prometheus != nil:
		c.requestsPrometheus(path+".prometheus", r.Prometheus)
	case r.CloudWatch != nil:
		c.cloudWatchPeriod(path+".interval", r.Interval)
		c.requestsCloudWatch(path+".cloudwatch", r.CloudWatch, p)
	}
}

// latency checks edges. Whether they are bounds of the buckets only Prometheus can tell.
func (c *checker) latency(path string, r *Requests) {
	edges := r.Latency.Edges
	if len(edges) == 0 {
		return
	}
	at := path + ".edges"
	if len(edges) > maxEdges {
		c.faultf(at, "has %d entries; use up to %d", len(edges), maxEdges)
	}
	var before time.Duration
	for i, edge := range edges {
		if edge <= before && edge > 0 {
			c.faultf(fmt.Sprintf("%s[%d]", at, i), "%s is not more than the %s before it; let the edges rise", edge, before)
		}
		before = max(before, edge)
	}
	switch q := r.Prometheus; {
	case r.Latency.Off:
		c.faultf(at, "have no effect beside off; remove one of the two")
	case q != nil && q.Template == "" && q.Buckets == "":
		c.faultf(at, "have no effect without prometheus.buckets; name the histogram there, or remove them")
	}
}

func (c *checker) requestsPrometheus(path string, q *RequestsPrometheus) {
	c.prometheus(path+".blue", &q.Blue)
	c.prometheus(path+".green", &q.Green)
	if q.Blue.URL != "" && q.Green.URL != "" {
		c.sameSeries(path, &q.Blue, &q.Green)
	}
	if q.Template != "" || c.faulty[path+".template"] {
		c.template(path, q)
		return
	}
	if len(q.Select) > 0 {
		c.faultf(path+".select", "has no effect without a template; choose the service in your queries")
	}
	for key, query := range map[string]string{"requests": q.Requests, "errors": q.Errors} {
		if query == "" {
			c.faultf(path+"."+key, "is missing; set it to a query for counters, or name a template")
		}
	}
	for key, query := range map[string]string{"requests": q.Requests, "errors": q.Errors, "buckets": q.Buckets} {
		if query == "" {
			continue
		}
		if _, err := promql.Parse(query); err != nil {
			c.faultf(path+"."+key, "is not PromQL: %v", err)
		} else if err := promql.Counters(query); err != nil {
			c.faultf(path+"."+key, "%s", strings.TrimPrefix(err.Error(), "it "))
		}
	}
	if kept, err := promql.Keeps(q.Buckets, "le"); err == nil && !kept {
		c.faultf(path+".buckets", "leaves out the label le, by which buckets are told apart; sum by it too, such as sum by (pod, le) (…)")
	}
	if q.Errors != "" && q.Errors == q.Requests {
		c.faultf(path+".errors", "is the query of all requests, so that every request would be an error; choose the failed ones, such as by code=~\"5..\"")
	}
}

// template checks what a template leaves to say.
func (c *checker) template(path string, q *RequestsPrometheus) {
	for key, given := range map[string]bool{
		"requests": q.Requests != "", "errors": q.Errors != "", "buckets": q.Buckets != "", "errorsMayBeAbsent": q.ErrorsMayBeAbsent,
	} {
		if given {
			c.faultf(path+"."+key, "is given beside a template, which brings its own; keep one of the two")
		}
	}
	label := regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)
	for name, value := range q.Select {
		at := join(path+".select", name)
		_, onBlue := q.Blue.Match[name]
		_, onGreen := q.Green.Match[name]
		switch {
		case name == "__name__":
			c.faultf(at, "selects a metric, which the template names; use a label of the service")
		case !label.MatchString(name):
			c.faultf(at, "is not the name of a label; use letters, digits and _")
		case value == "":
			c.faultf(at, "is empty, which selects the series without the label; give the label's value")
		case onBlue || onGreen:
			c.faultf(at, "is a label of match too; keep one of the two")
		}
	}
}

func (c *checker) requestsCloudWatch(path string, q *RequestsCloudWatch, p *Pair) {
	c.region(path+".region", q.Region)
	c.roleARN(path+".roleARN", q.RoleARN)
	var albs []string
	for _, e := range p.Traffic {
		switch {
		case e.ALB != nil && e.Name == q.Entrance:
			return
		case e.ALB != nil:
			albs = append(albs, e.Name)
		}
	}
	at := path + ".entrance"
	switch {
	case len(albs) == 0:
		c.faultf(path, "has nothing to count, for the pair has no alb entrance; use prometheus")
	case q.Entrance == "":
		c.faultf(at, "is missing, and the pair has %d alb entrances; name one of %s", len(albs), strings.Join(albs, ", "))
	default:
		c.faultf(at, "%s is not an alb entrance of this pair; use %s", q.Entrance, alternatives(albs))
	}
}
