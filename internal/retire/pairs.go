package retire

import (
	"fmt"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/internal/preflight/finding"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// The codes of pairs.
const (
	NoPair           finding.Code = "NoPair"
	ClusterIsGreen   finding.Code = "ClusterIsGreen"
	PairNotCompleted finding.Code = "PairNotCompleted"
	JournalUnknown   finding.Code = "JournalUnknown"
	BlueHasShare     finding.Code = "BlueHasShare"
	WeightsUnknown   finding.Code = "WeightsUnknown"
)

func pairsCheck() Check {
	return Check{
		Name: "pairs", Answers: "Is every pair of the cluster completed, with nothing left for blue?", run: pairs,
		Codes: []finding.Doc{
			{Code: NoPair, Meaning: "No pair names the cluster as blue, so nothing says that its users were moved.", Do: "Name it as `blue` of the pair whose users it had."},
			{Code: ClusterIsGreen, Meaning: "A pair names the cluster as green: users are moved there.", Do: "Don't delete it."},
			{Code: PairNotCompleted, Meaning: "A pair's shift isn't completed.", Do: "Complete the shift, with its standby."},
			{Code: JournalUnknown, Meaning: "What the daemon knows of a pair can't be read.", Do: "Let the management cluster be reached."},
			{Code: BlueHasShare, Meaning: "The weights at AWS give blue a share of an entrance.", Do: "Find out who changed them; complete the shift anew."},
			{Code: WeightsUnknown, Meaning: "The weights of an entrance can't be read.", Do: "Let AWS be read."},
		},
	}
}

// freshWithin is how old a reading of weights may be.
const freshWithin = 10 * time.Minute

func pairs(f *Facts) outcome {
	var o outcome
	for _, name := range f.AsGreen {
		o.add(of(ClusterIsGreen, finding.Block, pairObject(name), "",
			fmt.Sprintf("pair %s names this cluster as green: users are moved there", name), "Don't delete it."))
	}
	if len(f.Pairs) == 0 {
		o.add(of(NoPair, finding.Block, finding.Object{Kind: "Cluster", Name: f.Cluster}, "",
			"no pair names this cluster as blue", "Name it as `blue` of the pair whose users it had."))
	}
	for _, p := range f.Pairs {
		o.completed(p)
		for _, e := range p.Entrances {
			o.weights(f, p.Name, e)
		}
	}
	return o
}

func (o *outcome) completed(p Pair) {
	s := p.State
	switch {
	case p.Fault != "":
		o.add(unknown(JournalUnknown, pairObject(p.Name), "", fmt.Sprintf("where pair %s stands is not known: %s", p.Name, p.Fault),
			"Let the management cluster be reached (--kubeconfig, or the configuration's journal section)."))
	case s.Phase != shift.Completed || s.Share != shift.Full:
		o.add(of(PairNotCompleted, finding.Block, pairObject(p.Name), "",
			fmt.Sprintf("pair %s is in phase %s, and green is meant to have %s", p.Name, s.Phase, s.Share), "Complete its shift: all users on green, and the standby over."))
	default:
		o.show(fmt.Sprintf("Pair %s is Completed at %s in attempt %d; its standby ended at %s.", p.Name, s.Share, s.Attempt, moment(s.EndedAt)))
	}
}

func (o *outcome) weights(f *Facts, pair string, e facts.Entrance) {
	r, about := e.Reading, entranceObject(pair, e.Name)
	age := f.At.Sub(r.At)
	all := append([]shift.Weights{r.Weights}, r.Apart...)
	switch {
	case r.Err != "":
		o.add(unknown(WeightsUnknown, about, "", fmt.Sprintf("the weights of entrance %s of pair %s can't be read: %s", e.Name, pair, r.Err), "Let AWS be read; `clusterswitch policy` prints what it takes."))
		return
	case r.At.IsZero() || age > freshWithin:
		o.add(unknown(WeightsUnknown, about, "", fmt.Sprintf("the weights of entrance %s of pair %s were not freshly read", e.Name, pair), "Run the check again."))
		return
	}
	for _, w := range all {
		if w.Blue > 0 {
			o.add(of(BlueHasShare, finding.Block, about, "", fmt.Sprintf("entrance %s of pair %s gives blue the weight %d and green %d", e.Name, pair, w.Blue, w.Green),
				"Find out who changed the weights; complete the shift anew."))
			return
		}
	}
	o.show(fmt.Sprintf("Entrance %s of pair %s gives blue the weight 0 and green %d, read at %s.", e.Name, pair, r.Weights.Green, moment(r.At)))
}

func moment(t time.Time) string {
	if t.IsZero() {
		return "a time that isn't known"
	}
	return finding.Moment(t)
}
