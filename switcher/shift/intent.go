package shift

// clusterIntent is what follows from the state for the clusters, besides
// traffic. It chooses nothing: the state has it all.
func (t *turn) clusterIntent() ClusterIntent {
	i := ClusterIntent{Attempt: t.next.Attempt, Leave: !t.next.FloorsHeld && len(t.next.Baton) == 0}
	return i
}

// keepFloors notes whether floors are to be held, so that whoever comes after a
// crash knows that there is something to give back.
func (t *turn) keepFloors() {}

// passBaton takes each singleton one stage on.
func (t *turn) passBaton() {}
