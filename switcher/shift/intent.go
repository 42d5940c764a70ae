package shift

// clusterIntent is what follows from the state for the clusters, besides
// traffic. It chooses nothing: the state has it all.
func (t *turn) clusterIntent() ClusterIntent {
	i := ClusterIntent{Attempt: t.next.Attempt, Singletons: t.batonIntents()}
	i.Leave = !t.next.FloorsHeld && len(i.Singletons) == 0
	i.Hold, i.Blue, i.Green = t.floors()
	return i
}
