package route53

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// declared says what keeps even a rollback from swapping: the two records must
// be there, be different, and carry weights.
func (g group) declared(e shift.Route53Entrance) error {
	blue, green := e.BlueSetIdentifier, e.GreenSetIdentifier
	switch {
	case len(g.members) == 0:
		return fmt.Errorf("there is no %s record %s in zone %s: create two weighted ones with the set identifiers %q and %q",
			g.typ, plain(g.name), e.HostedZoneID, blue, green)
	case g.members[0].SetIdentifier == nil:
		return fmt.Errorf("%s is a simple record, not two weighted ones: %s", g, weightedInstead(e, g.members[0]))
	case blue == green:
		return fmt.Errorf("blue and green of %s have the same set identifier %q: give them two", g, blue)
	}
	for _, id := range []string{blue, green} {
		m, ok := g.member(id)
		switch {
		case !ok:
			return fmt.Errorf("%s has no record with the set identifier %q: create it with weight 0, or correct the name (there are %s)", g, id, g.identifiers())
		case m.Weight == nil:
			return fmt.Errorf("%s %q is not routed by weight but by %s: make all its records weighted ones, or point an alias of another name at a weighted one",
				g, id, routing(m))
		case *m.Weight < 0 || *m.Weight > maxWeight:
			return fmt.Errorf("%s %q was answered with the weight %d, which no record can have: look at it in Route 53", g, id, *m.Weight)
		case m.TrafficPolicyInstanceId != nil:
			return fmt.Errorf("%s %q belongs to the traffic policy instance %s, and only that may change it: replace the policy by weighted records",
				g, id, *m.TrafficPolicyInstanceId)
		}
	}
	return nil
}

// weightedInstead shows the change that makes two weighted records of a simple
// one: blue answers as before, green has weight 0.
func weightedInstead(e shift.Route53Entrance, simple types.ResourceRecordSet) string {
	const missing = "GREEN"
	blue, green := simple, simple
	blue.SetIdentifier, blue.Weight = &e.BlueSetIdentifier, aws.Int64(int64(shift.Full))
	green.SetIdentifier, green.Weight = &e.GreenSetIdentifier, aws.Int64(0)
	if simple.AliasTarget != nil {
		target := *simple.AliasTarget
		target.DNSName, target.HostedZoneId = aws.String(missing), aws.String("ZONE_OF_"+missing)
		green.AliasTarget = &target
	} else {
		green.ResourceRecords = []types.ResourceRecord{{Value: aws.String(missing)}}
	}
	command, err := changeCommand(e, []types.Change{remove(simple), create(blue), create(green)})
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("run this, with green's own target in place of %s: %s", missing, command)
}

// usable says what keeps the group from being shifted, as one sentence with
// what to do.
func (g group) usable(e shift.Route53Entrance) error {
	if err := g.declared(e); err != nil {
		return err
	}
	for _, m := range g.others(e) {
		if m.Weight == nil {
			return fmt.Errorf("%s %q is not routed by weight but by %s: delete it", g, aws.ToString(m.SetIdentifier), routing(m))
		}
	}
	w, _ := g.weights(e)
	if w.Blue+w.Green == 0 {
		return fmt.Errorf("blue and green of %s both have weight 0, so neither has a share: set blue to 100", g)
	}
	if err := g.oneTTL(); err != nil {
		return err
	}
	if w.Blue+w.Green != int(shift.Full) && g.othersWeight(e) > 0 {
		return g.rescale(e)
	}
	return nil
}

// oneTTL refuses a group whose members have different TTLs: AWS demands one.
func (g group) oneTTL() error {
	var first *types.ResourceRecordSet
	for _, m := range g.members {
		switch {
		case m.AliasTarget != nil:
		case first == nil:
			first = &m
		case aws.ToInt64(m.TTL) != aws.ToInt64(first.TTL):
			return fmt.Errorf("the records of %s have different TTLs (%d s and %d s): give them one", g, aws.ToInt64(first.TTL), aws.ToInt64(m.TTL))
		}
	}
	return nil
}

// rescale says which weights to set so that those of blue and green sum to 100.
// Any share is written with that sum. With another sum before, and with other
// members there, the first write would change what the others get.
func (g group) rescale(e shift.Route53Entrance) error {
	w, _ := g.weights(e)
	sum := w.Blue + w.Green
	exact := w.Blue*int(shift.Full)%sum == 0
	// Neither side may go from some to none, nor from none to some.
	green := int(math.Round(float64(w.Green) * float64(shift.Full) / float64(sum)))
	if w.Green > 0 && w.Blue > 0 {
		green = min(max(green, 1), int(shift.Full)-1)
	}
	set := []string{
		fmt.Sprintf("%q to %d", e.BlueSetIdentifier, int(shift.Full)-green),
		fmt.Sprintf("%q to %d", e.GreenSetIdentifier, green),
	}
	for _, m := range g.others(e) {
		was := int(aws.ToInt64(m.Weight))
		is := int(math.Round(float64(was) * float64(shift.Full) / float64(sum)))
		if was > 0 {
			is = min(max(is, 1), maxWeight)
		}
		exact = exact && is*sum == was*int(shift.Full)
		set = append(set, fmt.Sprintf("%q to %d", aws.ToString(m.SetIdentifier), is))
	}
	how := "which keeps all proportions"
	if !exact {
		how = "the nearest to the same proportions"
	}
	return fmt.Errorf("%s has other members with the weight %d, and blue and green sum to %d: a change of the share would change what the others get; set %s, %s",
		g, g.othersWeight(e), sum, strings.Join(set, ", "), how)
}

// usable says what keeps the name from being shifted.
func (s spot) usable(e shift.Route53Entrance) error {
	for _, g := range s.groups {
		if err := g.usable(e); err != nil {
			return err
		}
	}
	if _, err := s.readMark(); s.markBlocked {
		return fmt.Errorf("%w: move it, give the mark another prefix, or switch the mark off", err)
	} else if err != nil {
		return fmt.Errorf("%w: look at it, then delete it", err)
	}
	return nil
}

// usable says what keeps the entrance from being shifted: the first fault, and
// how many names have one.
func usable(e shift.Route53Entrance, spots []spot) error {
	var first error
	faulty := 0
	for _, s := range spots {
		if err := s.usable(e); err != nil {
			faulty++
			if first == nil {
				first = err
			}
		}
	}
	switch {
	case len(spots) == 0 || len(e.Types) == 0:
		return errors.New("the entrance has no names or no types: declare them")
	case faulty > 1:
		return fmt.Errorf("%w (and %d more names have a fault)", first, faulty-1)
	}
	return first
}

// shiftable are the groups that a rollback can write, and why the others can't
// be.
func (s spot) shiftable(e shift.Route53Entrance) (groups []group, faults []error) {
	for _, g := range s.groups {
		if err := g.declared(e); err != nil {
			faults = append(faults, err)
		} else {
			groups = append(groups, g)
		}
	}
	return groups, faults
}

// apart gives every weights that occurs in the spots, each proportion once, and
// those which give green the most.
func apart(e shift.Route53Entrance, spots []spot) (most shift.Weights, all []shift.Weights) {
	for _, s := range spots {
		for _, g := range s.groups {
			w, ok := g.weights(e)
			if !ok || slices.ContainsFunc(all, func(v shift.Weights) bool { return alike(v, w) }) {
				continue
			}
			if len(all) == 0 || moreGreen(w, most) {
				most = w
			}
			all = append(all, w)
		}
	}
	return most, all
}

// alike tells whether two weights give the same proportion.
func alike(v, w shift.Weights) bool {
	return v == w || v.Blue+v.Green > 0 && w.Blue+w.Green > 0 && v.Blue*w.Green == v.Green*w.Blue
}

// moreGreen tells whether v gives green more than w. Weights that are all zero
// split evenly.
func moreGreen(v, w shift.Weights) bool {
	for _, each := range []*shift.Weights{&v, &w} {
		if each.Blue+each.Green == 0 {
			*each = shift.Weights{Blue: 1, Green: 1}
		}
	}
	return v.Green*(w.Blue+w.Green) > w.Green*(v.Blue+v.Green)
}
