package shift

// NeedsLoads tells whether what users ask for is to be measured now: while the
// capacity of either side counts, or is about to. At rest nobody looks.
func (s State) NeedsLoads(r Request) bool {
	switch s.Phase {
	case InPreflight, Shifting, OnStandby, Returning:
		return true
	case RollingBack: // capacity limits the automatic one only
		return s.Rollback != nil && s.Rollback.Automatic
	case Completed:
		if r.Serve == Blue {
			return true
		}
	case Idle, RolledBack:
	}
	return s.begins(r)
}

// begins tells whether a new attempt is asked for.
func (s State) begins(r Request) bool { return r.Serve == Green && r.Attempt > s.Attempt }

// NeedsPast tells whether what blue's load was before is to be measured with it:
// until green's first users, as long as it can still be the baseline's.
func (s State) NeedsPast(r Request) bool {
	switch s.Phase {
	case InPreflight:
		return true
	case Shifting:
		return s.Step == 0
	case Idle, RolledBack, Completed:
		return s.begins(r)
	case OnStandby, Returning, RollingBack:
	}
	return false
}
