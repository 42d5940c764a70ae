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
	return r.Serve == Green && r.Attempt > s.Attempt
}
