package retire

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/preflight/finding"
)

// The codes of silence.
const (
	BlueNotSilent              finding.Code = "BlueNotSilent"
	SilenceUnknown             finding.Code = "SilenceUnknown"
	ConnectionsWithoutRequests finding.Code = "ConnectionsWithoutRequests"
	QueryNotSilent             finding.Code = "QueryNotSilent"
	QueryUnknown               finding.Code = "QueryUnknown"
	MeasuredByQueries          finding.Code = "MeasuredByQueries"
	NothingMeasured            finding.Code = "NothingMeasured"
)

func silenceCheck() Check {
	return Check{
		Name: "silence", Answers: "Did no request and no new connection reach blue for `retire.silentFor`?", run: silence,
		Codes: []finding.Doc{
			{Code: BlueNotSilent, Meaning: "Requests or connections reached blue.", Do: "Find out who they come from, by the load balancer's access log; wait for `retire.silentFor` after the last."},
			{Code: SilenceUnknown, Meaning: "Whether anything reached blue by a load balancer can't be told for all of the time.", Do: "Let CloudWatch be read, or wait."},
			{Code: ConnectionsWithoutRequests, Meaning: "A load balancer of blue got connections, and no request over them: scanners, monitoring, or clients that hold connections open.", Do: "Look at its access log once, or close its security group."},
			{Code: QueryNotSilent, Meaning: "A query of `retire.queries` gave more than 0.", Do: "Find out who uses blue."},
			{Code: QueryUnknown, Meaning: "A query of `retire.queries` gave no answer for all of the time.", Do: "Let it give 0 where there is nothing, by `or vector(0)`."},
			{Code: MeasuredByQueries, Meaning: "CloudWatch tells nothing of a way into blue; the silence of `retire.queries` stands for it.", Do: "Make sure that they count who comes by it."},
			{Code: NothingMeasured, Meaning: "Nothing at all was measured.", Do: "Configure `retire.queries`."},
		},
	}
}

func silence(f *Facts) outcome {
	var o outcome
	for _, m := range f.Measured {
		o.measured(f, m)
	}
	queries := len(f.Queries) > 0
	for _, q := range f.Queries {
		queries = o.query(q) && queries
	}
	p := plan{f: f, had: map[string]bool{}}
	p.make()
	for _, b := range p.blind {
		if queries {
			o.add(of(MeasuredByQueries, finding.Warn, b.about, "", fmt.Sprintf("CloudWatch can't tell whether anything comes by %s: %s; that `retire.queries` are silent stands for it", b.about, b.why),
				"Make sure that the queries count who comes by it."))
			continue
		}
		o.add(unknown(SilenceUnknown, b.about, "", fmt.Sprintf("whether anything comes by %s can't be told: %s", b.about, b.why),
			"Configure `retire.queries` that count its requests or connections, or let the load balancer be read."))
	}
	if len(f.Measured)+len(f.Queries)+len(p.blind) == 0 {
		o.add(unknown(NothingMeasured, finding.Object{Kind: "Cluster", Name: f.Cluster}, "", "nothing tells whether anything reaches the cluster: it has no load balancer that is known, and no query is configured",
			"Configure `retire.queries`."))
	}
	return o
}

// measured judges one metric. What a younger load balancer never had is unknown.
func (o *outcome) measured(f *Facts, m Measured) {
	about := finding.Object{Kind: "LoadBalancer", Name: m.LoadBalancer}
	if m.TargetGroup != "" {
		about = finding.Object{Kind: "TargetGroup", Name: m.TargetGroup}
	}
	switch {
	case m.Err != "":
		o.add(unknown(SilenceUnknown, about, m.Name, fmt.Sprintf("%s of %s isn't known: %s", m.Name, m.Of, m.Err), "Let CloudWatch be read (cloudwatch:GetMetricData), and run the check again."))
	case m.Total > 0 && m.Soft:
		o.add(of(ConnectionsWithoutRequests, finding.Warn, about, m.Name, fmt.Sprintf("%s of %s was %g from %s to %s, the last at %s",
			m.Name, m.Of, m.Total, moment(m.From), moment(m.To), moment(m.Last)), "Look at its access log once; scanners make connections too. RequestCount is judged by itself."))
	case m.Total > 0:
		o.add(of(BlueNotSilent, finding.Block, about, m.Name, fmt.Sprintf("%s of %s was not 0 from %s to %s: %g in %d data points, the last at %s",
			m.Name, m.Of, moment(m.From), moment(m.To), m.Total, m.Points, moment(m.Last)), "Find out who comes there, by the access log; wait for `retire.silentFor` after the last."))
	case m.Created.After(m.From):
		o.add(unknown(SilenceUnknown, about, m.Name, fmt.Sprintf("%s was made at %s, so it can't have been silent for %s", m.Of, moment(m.Created), f.SilentFor), "Wait."))
	default:
		o.show(fmt.Sprintf("%s of %s was 0 from %s to %s (CloudWatch %s, %d data points).", m.Name, m.Of, moment(m.From), moment(m.To), m.Stat, m.Points))
	}
}

// query judges one answer, and tells whether it proves silence. An answer that is
// empty proves nothing: the metric may have another name, or its series may be
// gone with what was scraped.
func (o *outcome) query(q Query) bool {
	about := finding.Object{Kind: "Query", Namespace: q.Pair, Name: q.Name}
	switch {
	case q.Err != "":
		o.add(unknown(QueryUnknown, about, "", fmt.Sprintf("query %s of pair %s has no answer: %s", q.Name, q.Pair, q.Err), "Let Prometheus be asked."))
	case q.Series == 0:
		o.add(unknown(QueryUnknown, about, "", fmt.Sprintf("query %s of pair %s gave nothing from %s to %s, which may mean silence or a metric that isn't there", q.Name, q.Pair, moment(q.From), moment(q.To)),
			"Let it give 0 where there is nothing: append `or vector(0)` once you know that its metric is there."))
	case q.Value > 0:
		o.add(of(QueryNotSilent, finding.Block, about, "", fmt.Sprintf("query %s of pair %s gave up to %g from %s to %s", q.Name, q.Pair, q.Value, moment(q.From), moment(q.To)), "Find out who uses blue; wait for `retire.silentFor` after the last."))
	case q.Steps < q.Asked-1: // the first step may lie before the time
		o.add(unknown(QueryUnknown, about, "", fmt.Sprintf("query %s of pair %s gave something at %d of %d instants only from %s to %s", q.Name, q.Pair, q.Steps, q.Asked, moment(q.From), moment(q.To)),
			"Look why there are gaps; wait until there are none for `retire.silentFor`."))
	default:
		o.show(fmt.Sprintf("Query %s of pair %s was at most %g from %s to %s, at %d instants.", q.Name, q.Pair, q.Value, moment(q.From), moment(q.To), q.Steps))
		return true
	}
	return false
}

// silentBalancers are the ARNs of load balancers of which every metric is known
// to be 0, and of target groups alike.
func silentBalancers(f *Facts) map[string]bool {
	silent, noisy := map[string]bool{}, map[string]bool{}
	for _, m := range f.Measured {
		at := m.balancer
		if m.group != "" {
			at = m.group
		}
		if m.Err != "" || m.Total > 0 && !m.Soft || m.Created.After(m.From) {
			noisy[at] = true
			continue
		}
		silent[at] = true
	}
	for at := range noisy {
		delete(silent, at)
	}
	return silent
}

// lastSeen is when a metric of an entrance's blue side was last above zero.
func lastSeen(f *Facts, group string) time.Time {
	var last time.Time
	for _, m := range f.Measured {
		if m.group == group && m.Last.After(last) {
			last = m.Last
		}
	}
	return last
}

// UndeclaredButSilent is the code of a way into blue besides those of the
// preflight's check of entrances.
const UndeclaredButSilent finding.Code = "UndeclaredButSilent"

func waysCheck() Check {
	return Check{
		Name: "ways", Answers: "Does no other way lead into blue than the declared entrances?", run: ways,
		Codes: []finding.Doc{
			{Code: UndeclaredButSilent, Meaning: "Blue has a way in that no pair declares; nothing came by it.", Do: "Make sure that nobody needs it."},
		},
	}
}

// ways takes over what the preflight finds of ways in. One whose load balancer is
// known to be silent only warns.
func ways(f *Facts) outcome {
	var o outcome
	if f.Blue.Fault != "" {
		return o // which is a finding of its own
	}
	silent := silentBalancers(f)
	for _, x := range f.WaysIn {
		switch {
		case x.Severity == finding.Note:
			continue
		case x.Code == "EntrancesNotMatched":
			o.add(Finding{Finding: x, Unknown: true})
			continue
		case x.Severity == finding.Block && silentObject(f, x.Object, silent):
			was := x.Message
			x = finding.New(UndeclaredButSilent, finding.Warn, x.Object, "")
			x.Message = strings.TrimSuffix(was, ".") + "; nothing came by it for " + f.SilentFor.String()
			x.Do = "Make sure that nobody needs it; it goes with the cluster."
		case x.Code == "HostNotDeclared": // names count only where somebody comes
			x.Severity = finding.Warn
		}
		o.add(Finding{Finding: x})
	}
	if len(o.findings) == 0 {
		n := &f.Blue.Network
		o.show(fmt.Sprintf("All of blue's %d open Services, %d Ingresses, %d Gateways and %d TargetGroupBindings belong to declared entrances.",
			len(n.Services), len(n.Ingresses), len(n.Gateways), len(n.Bindings)))
	}
	return o
}

// silentObject tells whether all load balancers, or the target group, of an object
// of blue are silent.
func silentObject(f *Facts, about finding.Object, silent map[string]bool) bool {
	for _, open := range openObjects(&f.Blue.Network) {
		if open.about == about {
			return len(open.addresses) > 0 && !slices.ContainsFunc(open.addresses, func(at string) bool { return !silent[balancerAt(&f.Traffic, at)] })
		}
	}
	for _, b := range f.Blue.Network.Bindings {
		if finding.Of(b.GroupKind, b.Name) == about {
			return silent[groupOf(&f.Traffic, b)]
		}
	}
	return false
}
