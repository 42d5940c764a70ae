package shift

// Said is what the daemon says of one pair beside its State: the why of its
// last decision, for people to read where the state is kept.
type Said struct {
	Reason  Reason
	Message string
	// Verdicts are the gates that were judged last.
	Verdicts []Verdict
	// BlueReady is how many replicas of blue are ready, of how many that are
	// wanted: "3/3". Empty: blue is unknown.
	BlueReady string
}
