package archtest

// tooLong lists what may be longer than the limits, each with its reason. An
// entry that is no longer needed fails the tests.
func tooLong() map[string]string {
	return map[string]string{
		"internal/journal/journal_test.go": "one story for each way in which a save can meet somebody else's write",
		"internal/kube/cluster_test.go":    "one story for each way in which a cluster can be out of reach, on one real control plane",
	}
}
