package route53

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// maxListed is how many names a sentence lists: it stands in a journal.
const maxListed = 5

// listed joins names for a sentence, the first ones only where there are many.
func listed(names []string) string {
	if len(names) > maxListed {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:maxListed], ", "), len(names)-maxListed)
	}
	return strings.Join(names, ", ")
}

// sayings collects sentences of which each holds for some groups.
type sayings struct {
	order  []string // in the order of their first group
	groups map[string][]string
}

func (s *sayings) add(g group, format string, args ...any) {
	sentence := fmt.Sprintf(format, args...)
	if s.groups == nil {
		s.groups = map[string][]string{}
	}
	if len(s.groups[sentence]) == 0 {
		s.order = append(s.order, sentence)
	}
	s.groups[sentence] = append(s.groups[sentence], g.String())
}

func (s *sayings) sentences() []string {
	var out []string
	for _, sentence := range s.order {
		out = append(out, listed(s.groups[sentence])+": "+sentence)
	}
	if len(out) > maxListed {
		out = append(out[:maxListed], fmt.Sprintf("%d more notes on other names are left out", len(out)-maxListed))
	}
	return out
}

// notes says what else than the weights of blue and green decides where users
// go.
func notes(e shift.Route53Entrance, spots []spot) []string {
	var s sayings
	for _, each := range spots {
		for _, g := range each.groups {
			g.noteOthers(e, &s)
			g.noteHealth(e, &s)
		}
		for _, g := range each.beside {
			s.add(g, "these records stand beside those of the entrance and stay as they are; users who ask for them go where they point")
		}
	}
	return s.sentences()
}

// noteOthers says what the other members do to green's share: shares are counted
// between blue and green, but Route 53 answers green for G/(B+G+O) of the
// questions.
func (g group) noteOthers(e shift.Route53Entrance, s *sayings) {
	others := g.others(e)
	if len(others) == 0 {
		return
	}
	var each []string
	for _, m := range others {
		each = append(each, fmt.Sprintf("%q %d", aws.ToString(m.SetIdentifier), aws.ToInt64(m.Weight)))
	}
	w, _ := g.weights(e)
	o := g.othersWeight(e)
	if o == 0 {
		s.add(g, "other members have weight 0 (%s) and are left as they are", listed(each))
		return
	}
	sum := w.Blue + w.Green + o
	s.add(g, "other members have weights too (%s) and are left as they are: of all answers green really gets %d/(%d+%d+%d), which is %.1f %%, and shares are counted between blue and green only",
		listed(each), w.Green, w.Blue, w.Green, o, float64(w.Green)*100/float64(sum))
}

// noteHealth says where health overrules weights.
func (g group) noteHealth(e shift.Route53Entrance, s *sayings) {
	var checked, idle []string
	failover, byCheck := true, false
	for _, m := range g.members {
		name := sideOf(e, m)
		switch {
		case evaluates(m):
			checked = append(checked, name+" (evaluates the health of "+strings.TrimSuffix(aws.ToString(m.AliasTarget.DNSName), ".")+")")
		case m.HealthCheckId != nil:
			checked = append(checked, name+" (health check "+*m.HealthCheckId+")")
			byCheck = true
		}
		if aws.ToInt64(m.Weight) == 0 {
			idle = append(idle, name)
		} else {
			failover = failover && healthDecides(m)
		}
		if evaluates(m) {
			s.add(g, "%s is an alias that evaluates its target's health: a load balancer counts as unhealthy as soon as one of its target groups has no healthy target or none at all, and then Route 53 leaves %s out whatever its weight", name, name)
		}
	}
	switch {
	case len(checked) == 0:
	case len(idle) > 0 && failover && len(idle) < len(g.members):
		s.add(g, "weight 0 is no guarantee for %s: it is answered when every member with a weight is unhealthy; health is looked at for %s", listed(idle), listed(checked))
	case byCheck:
		s.add(g, "Route 53 looks at the health of %s: an unhealthy member is left out whatever its weight", listed(checked))
	}
}

// sideOf names a member by its side, another by its identifier.
func sideOf(e shift.Route53Entrance, m types.ResourceRecordSet) string {
	switch id := aws.ToString(m.SetIdentifier); id {
	case e.BlueSetIdentifier:
		return "blue"
	case e.GreenSetIdentifier:
		return "green"
	default:
		return fmt.Sprintf("%q", id)
	}
}

// where says which groups stand at what.
func where(e shift.Route53Entrance, spots []spot) string {
	type stand struct {
		weights shift.Weights
		groups  []string
	}
	var stands []stand
	for _, s := range spots {
		for _, g := range s.groups {
			w, ok := g.weights(e)
			if !ok {
				continue
			}
			i := slices.IndexFunc(stands, func(s stand) bool { return s.weights == w })
			if i < 0 {
				i = len(stands)
				stands = append(stands, stand{weights: w})
			}
			stands[i].groups = append(stands[i].groups, g.String())
		}
	}
	slices.SortStableFunc(stands, func(x, y stand) int { // the exceptions are what a person looks for
		return cmp.Compare(len(x.groups), len(y.groups))
	})
	var out []string
	for _, s := range stands {
		out = append(out, fmt.Sprintf("%s at %s", listed(s.groups), s.weights))
	}
	if len(out) > maxListed {
		out = append(out[:maxListed], fmt.Sprintf("%d more weights elsewhere", len(out)-maxListed))
	}
	return strings.Join(out, "; ")
}

// found describes the spots for a note on a conflict.
func found(e shift.Route53Entrance, spots []spot) string {
	for _, s := range spots {
		if _, faults := s.shiftable(e); len(faults) > 0 {
			return faults[0].Error()
		}
	}
	stands := ""
	if most, all := apart(e, spots); len(all) > 1 {
		stands = where(e, spots)
	} else {
		stands = most.String()
	}
	mark := "no mark"
	marks, err := legible(spots)
	if m := joinMarks(marks); m != nil {
		mark = "mark: " + m.String()
	} else if err != nil {
		mark = "the mark can't be read"
	}
	return fmt.Sprintf("it stands at %s, %s", stands, mark)
}
