package shift

// clusterIntent is what follows from the state for the clusters, besides
// traffic. It chooses nothing: the state has it all.
func (t *turn) clusterIntent() ClusterIntent {
	i := ClusterIntent{Attempt: t.next.Attempt, Singletons: t.batonIntents()}
	i.Leave = !t.next.FloorsHeld && len(i.Singletons) == 0
	return i
}

// keepFloors notes whether floors are to be held, so that whoever comes after a
// crash knows that there is something to give back.
func (t *turn) keepFloors() {}
