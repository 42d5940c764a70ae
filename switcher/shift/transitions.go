package shift

// Transition is one way from a phase to the next. The table is what the docs'
// diagram is drawn from; the property tests hold Decide against it.
type Transition struct {
	From, To Phase
	// When says in a few words what leads there.
	When string
}

// Transitions lists every change of phase that Decide makes.
func Transitions() []Transition {
	const (
		flag = "rollback flag"
		back = "serve: blue"

		withdrawn = "serve: green again, before the first step back"
	)
	return []Transition{
		{Idle, InPreflight, "an attempt is asked for, blue has all traffic"},
		{Idle, Shifting, "the same with the preflight switched off"},
		{InPreflight, Shifting, "no finding blocks, or a share was adopted"},
		{InPreflight, Returning, back},
		{InPreflight, RollingBack, flag},
		{Shifting, OnStandby, "100 % held, gates pass"},
		{OnStandby, Completed, "standby's time is over, gates pass"},
		{OnStandby, Shifting, "a lower share was adopted"},
		{Shifting, Returning, back},
		{OnStandby, Returning, back},
		{Completed, Returning, back},
		{Returning, Shifting, withdrawn},
		{Returning, OnStandby, withdrawn},
		{Returning, Completed, withdrawn},
		{Returning, RolledBack, "blue has all traffic"},
		{Shifting, RollingBack, flag + ", users suffer, or green set to 0 by hand"},
		{OnStandby, RollingBack, flag + ", or users suffer and autoRollback"},
		{Returning, RollingBack, flag + ", or users suffer"},
		{Completed, RollingBack, flag},
		{Idle, RollingBack, flag + " while green has traffic"},
		{RolledBack, RollingBack, flag + " while green has traffic"},
		{RollingBack, RolledBack, "blue has all traffic"},
		{RolledBack, InPreflight, "a new attempt"},
		{RolledBack, Shifting, "a new attempt with the preflight switched off"},
		{Completed, Idle, "the configuration names blue and green the other way round"},
		{Completed, InPreflight, "a new attempt, blue has all traffic"},
		{Completed, Shifting, "the same with the preflight switched off"},
	}
}
