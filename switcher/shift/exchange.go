package shift

import "slices"

// sidesTurned begins anew where the configuration names the sides of every entrance
// the other way round than the attempt that is complete: it is the next upgrade, and
// what was green is blue. By the old names `serve: blue`, and a rollback, would send
// all users to the cluster that came into the old one's place.
func (t *turn) sidesTurned() (Decision, bool) {
	if t.next.Phase != Completed || !turned(t.next.Targets(t.p), t.p.Entrances) {
		return Decision{}, false
	}
	if !t.allAt(Full) { // who serves is unclear: by either names it may be wrong
		return t.stay(EntrancesChanged, "the configuration names blue and green the other way round than attempt %d, which is complete, but not every entrance was read with all traffic on what was green then; nothing is written",
			t.next.Attempt), true
	}
	// Floors and singletons of the former attempt are let go of: by the new names they
	// would be tended in the wrong cluster.
	t.next = State{Schema: Schema, Phase: Idle, Attempt: t.next.Attempt, Epoch: t.next.Epoch, Version: t.next.Version + 1}
	return t.stay(ShiftCompleted, "attempt %d is complete, and the configuration names blue and green the other way round now: what was green is blue from here on; a new attempt starts the next shift",
		t.next.Attempt), true
}

// turned tells whether all entrances are the same with their sides exchanged.
func turned(before, now []Entrance) bool {
	return len(now) > 0 && len(before) == len(now) && !slices.ContainsFunc(now, func(e Entrance) bool {
		return !slices.ContainsFunc(before, func(b Entrance) bool { return e.exchanged().leadsAs(b) })
	})
}

// exchanged is the entrance with its sides the other way round.
func (e Entrance) exchanged() Entrance {
	if e.Route53 != nil {
		r := *e.Route53
		r.BlueSetIdentifier, r.GreenSetIdentifier = r.GreenSetIdentifier, r.BlueSetIdentifier
		e.Route53 = &r
	}
	if e.Balancer != nil {
		b := *e.Balancer
		b.BlueTargetGroupARN, b.GreenTargetGroupARN = b.GreenTargetGroupARN, b.BlueTargetGroupARN
		e.Balancer = &b
	}
	return e
}

// leadsAs tells whether two entrances are the same object at AWS, with the same sides.
func (e Entrance) leadsAs(f Entrance) bool {
	switch {
	case e.Route53 != nil && f.Route53 != nil:
		return e.Route53.HostedZoneID == f.Route53.HostedZoneID && slices.Equal(slices.Sorted(slices.Values(e.Route53.Names)), slices.Sorted(slices.Values(f.Route53.Names))) &&
			e.Route53.BlueSetIdentifier == f.Route53.BlueSetIdentifier && e.Route53.GreenSetIdentifier == f.Route53.GreenSetIdentifier
	case e.Balancer != nil && f.Balancer != nil:
		return e.Balancer.ActionARN() == f.Balancer.ActionARN() &&
			e.Balancer.BlueTargetGroupARN == f.Balancer.BlueTargetGroupARN && e.Balancer.GreenTargetGroupARN == f.Balancer.GreenTargetGroupARN
	}
	return false
}

// elsewhere holds a planned way back that the configuration would lead elsewhere than
// users came from.
func (t *turn) elsewhere() (Decision, bool) {
	for _, e := range t.next.Entrances {
		if !slices.ContainsFunc(t.p.Entrances, e.leadsAs) {
			return t.stay(EntrancesChanged, "the configuration doesn't name entrance %s of attempt %d, which is complete, with the sides it had: a way back goes by these only", e.Name, t.next.Attempt), true
		}
	}
	return Decision{}, false
}
