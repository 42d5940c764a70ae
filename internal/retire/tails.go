package retire

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/internal/preflight/finding"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// The codes of tails.
const (
	AnswersCached      finding.Code = "AnswersCached"
	CookiesAlive       finding.Code = "CookiesAlive"
	ConnectionsOpen    finding.Code = "ConnectionsOpen"
	TailUnknown        finding.Code = "TailUnknown"
	RecordLeadsToBlue  finding.Code = "RecordLeadsToBlue"
	RecordsNotKnown    finding.Code = "RecordsNotKnown"
	BlueRecordsRemain  finding.Code = "BlueRecordsRemain"
	BlueInSharedAction finding.Code = "BlueInSharedAction"
)

// propagation is how long Route 53 may take until all its servers answer by a
// change. Route 53 Developer Guide, "How long until changes take effect".
const propagation = time.Minute

func tailsCheck() Check {
	return Check{
		Name: "tails", Answers: "Is no DNS answer cached, no cookie alive and no connection open that leads to blue?", run: tails,
		Codes: []finding.Doc{
			{Code: AnswersCached, Meaning: "Resolvers may still give out an answer that leads to blue.", Do: "Wait."},
			{Code: CookiesAlive, Meaning: "A load balancer's cookie may still keep clients on blue.", Do: "Wait, or switch the stickiness off."},
			{Code: ConnectionsOpen, Meaning: "Clients may still hold connections to blue.", Do: "Wait."},
			{Code: TailUnknown, Meaning: "When users were last sent to blue is not known.", Do: "Let the journal be read."},
			{Code: RecordLeadsToBlue, Meaning: "A record beside the weighted ones leads to blue.", Do: "Remove it, or let it lead to green."},
			{Code: RecordsNotKnown, Meaning: "The records of an entrance can't be read.", Do: "Let Route 53 be read."},
			{Code: BlueRecordsRemain, Meaning: "Blue's records are still there with the weight 0.", Do: "Delete them before the cluster."},
			{Code: BlueInSharedAction, Meaning: "A load balancer's rule still names blue's target group, with the weight 0.", Do: "Take it out before the cluster is deleted."},
		},
	}
}

func tails(f *Facts) outcome {
	var o outcome
	for _, p := range f.Pairs {
		for _, e := range p.Entrances {
			if e.Route53 != nil {
				o.records(p, e)
			} else if e.Balancer != nil && e.Reading.Err == "" {
				o.add(of(BlueInSharedAction, finding.Warn, entranceObject(p.Name, e.Name), "",
					fmt.Sprintf("the action of entrance %s still names blue's target group %s, with the weight 0", e.Name, dimension(e.Balancer.BlueTargetGroupARN)),
					"Take it out of the action before the cluster is deleted, so that nobody gives an empty group a weight."))
			}
			o.tail(f, p, e)
		}
	}
	return o
}

// tail judges how long users of one entrance may stay on blue after the last rise.
func (o *outcome) tail(f *Facts, p Pair, e facts.Entrance) {
	about, r := entranceObject(p.Name, e.Name), e.Reading
	if p.Fault != "" || r.Err != "" || r.At.IsZero() {
		return // which are findings of the check of pairs
	}
	since := p.State.ShownAt
	if since.IsZero() {
		o.add(unknown(TailUnknown, about, "", fmt.Sprintf("when entrance %s of pair %s was last seen to give green all is not known", e.Name, p.Name), "Wait until the daemon has read it; it writes the time into the journal."))
		return
	}
	answers := since
	if e.Route53 != nil {
		answers = since.Add(propagation + ttlOf(e))
		o.ends(f, of(AnswersCached, finding.Block, about, "", fmt.Sprintf("resolvers may give out blue's address of entrance %s until %s: its records have a TTL of %s", e.Name, moment(answers), ttlOf(e)), "Wait."),
			answers, fmt.Sprintf("No resolver has an answer of entrance %s that leads to blue: the last change was seen at %s, the TTL is %s.", e.Name, moment(since), ttlOf(e)))
	}
	if r.Sticky > 0 {
		last := since
		if e.Balancer != nil {
			if seen := lastSeen(f, e.Balancer.BlueTargetGroupARN); seen.After(last) {
				last = seen // each request may have renewed a cookie
			}
		}
		until := last.Add(r.Sticky)
		o.ends(f, of(CookiesAlive, finding.Block, about, "", fmt.Sprintf("cookies of entrance %s may keep clients on blue until %s: they live for %s", e.Name, moment(until), r.Sticky), "Wait, or switch the stickiness of the action off."),
			until, fmt.Sprintf("No cookie of entrance %s is alive: the last can date from %s, and lives for %s.", e.Name, moment(last), r.Sticky))
	}
	switch {
	case r.Connection == shift.Endless:
		o.show(fmt.Sprintf("Nothing but the client ends a connection by entrance %s: the check `silence` looks for open ones.", e.Name))
	case r.Connection > 0:
		until := answers.Add(r.Connection)
		o.ends(f, of(ConnectionsOpen, finding.Block, about, "", fmt.Sprintf("clients of entrance %s may hold connections to blue until %s: they last for up to %s", e.Name, moment(until), r.Connection), "Wait."),
			until, fmt.Sprintf("No connection by entrance %s to blue is left: the last can date from %s, and lasts for up to %s.", e.Name, moment(answers), r.Connection))
	}
}

// ends adds the finding where it isn't over yet, and else shows what was found.
func (o *outcome) ends(f *Facts, open Finding, until time.Time, over string) {
	if f.At.Before(until) {
		o.add(open)
		return
	}
	o.show(over)
}

// ttlOf is the longest time for which a resolver may keep an answer. An alias has
// none of its own: Route 53 answers with 60 s for a load balancer.
func ttlOf(e facts.Entrance) time.Duration {
	longest := e.Reading.TTL
	for _, r := range e.Records {
		longest = max(longest, r.TTL)
	}
	return longest
}

// records judges the records of an entrance that lead to blue.
func (o *outcome) records(p Pair, e facts.Entrance) {
	about := entranceObject(p.Name, e.Name)
	if !e.Known {
		if e.Reading.Err == "" {
			o.add(unknown(RecordsNotKnown, about, "", fmt.Sprintf("where the records of entrance %s of pair %s lead can't be read", e.Name, p.Name), "Let Route 53 be read."))
		}
		return
	}
	var blue []facts.Record
	for _, r := range e.Records {
		if r.Side == shift.Blue {
			blue = append(blue, r)
		}
	}
	for _, r := range e.Records {
		if r.Side != "" || !r.Beside && r.Weight == 0 || !slices.ContainsFunc(blue, func(b facts.Record) bool { return meet(b, r) }) {
			continue
		}
		o.add(of(RecordLeadsToBlue, finding.Block, about, r.Name+"/"+r.Type+"/"+r.SetIdentifier,
			fmt.Sprintf("record %s %s %q beside those of entrance %s leads to blue (%s)", r.Name, r.Type, r.SetIdentifier, e.Name, strings.Join(r.Targets, ", ")),
			"Remove it, or let it lead to green."))
	}
	if len(blue) == 0 {
		o.show(fmt.Sprintf("Entrance %s has no records of blue any more.", e.Name))
		return
	}
	names := make([]string, len(blue))
	for i, r := range blue {
		names[i] = r.Name + " " + r.Type
	}
	o.add(of(BlueRecordsRemain, finding.Warn, about, "",
		fmt.Sprintf("blue's records of entrance %s are still there with the weight 0 (%s): should all of green's records be unhealthy, Route 53 answers with those of weight 0", e.Name, listed(names)),
		"Delete blue's records before the cluster, or users would be sent to addresses that are no longer blue's."))
}

// meet tells whether two records lead to the same place.
func meet(a, b facts.Record) bool {
	either := func(x, y []string) bool {
		return slices.ContainsFunc(x, func(v string) bool { return slices.Contains(y, v) })
	}
	return either(a.Targets, b.Targets) || either(a.Balancers, b.Balancers)
}

// mostListed is how many names a sentence lists.
const mostListed = 5

func listed(names []string) string {
	if len(names) > mostListed {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:mostListed], ", "), len(names)-mostListed)
	}
	return strings.Join(names, ", ")
}
