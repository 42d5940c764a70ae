package shift

// clusterIntent is what follows from the state for the clusters, besides
// traffic. It chooses nothing: the state has it all.
func (t *turn) clusterIntent() ClusterIntent {
	i := ClusterIntent{Attempt: t.next.Attempt, Leave: !t.next.FloorsHeld && len(t.next.Baton) == 0}
	i.Hold, i.Blue, i.Green = t.floors()
	return i
}

// passBaton takes each singleton one stage on.
func (t *turn) passBaton() {}
