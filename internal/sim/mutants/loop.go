package mutants

// inLoop are mistakes of the loop: what it does with a decision.
func inLoop() []Mutant {
	const dir = "switcher/"
	return []Mutant{
		{
			Name: "a rise is written before it is written down", File: dir + "step.go",
			Old: "	if lowering && byPerson(d.Next) {\n",
			New: "	if len(d.Changes) > 0 {\n",
		},
		{
			Name: "a rise that could not be written down is done", File: dir + "step.go",
			Old: "	case t.JournalErr != nil && !lowering && !goesBack(d.Next):\n",
			New: "	case t.JournalErr != nil && len(d.Changes) == 0 && !goesBack(d.Next):\n",
		},
		{
			Name: "a rollback is not carried out without the journal", File: dir + "step.go",
			Old: "	if lowering && byPerson(d.Next) {\n		s.state = d.Next\n		t.Results = s.commit(ctx, d.Changes)\n		t.JournalErr = s.save(ctx, t, lowering)\n",
			New: "	if lowering && byPerson(d.Next) {\n		if t.JournalErr = s.save(ctx, t, lowering); t.JournalErr != nil {\n			return\n		}\n		s.state = d.Next\n		t.Results = s.commit(ctx, d.Changes)\n",
		},
		{
			Name: "what people ask for is not asked again after the look", File: dir + "step.go",
			Old: "	found, observation, whole := s.gather(ctx, t.Plan)\n	if !whole {\n		return now\n	}\n	s.join(found, observation, now)\n	// What people ask for by now counts, not what they asked before the look.\n	observation.Request = s.observer.Request(s.state, s.loaded)\n",
			New: "	asked := s.observer.Request(s.state, s.loaded)\n	found, observation, whole := s.gather(ctx, t.Plan)\n	if !whole {\n		return now\n	}\n	s.join(found, observation, now)\n	observation.Request = asked\n",
		},
		{
			Name: "the lease is ignored", File: dir + "step.go",
			Old: "	if !s.takeTerm() {\n",
			New: "	if s.takeTerm(); false {\n",
		},
		{
			Name: "a write goes on after the lease is lost", File: dir + "lease.go",
			Old: "	if left := s.left(); left >= s.timeouts.Write {\n",
			New: "	if left := s.left(); left >= 0 {\n",
		},
		{
			Name: "without the lease a load balancer is written too", File: dir + "lease.go",
			Old: "	return c.Entrance.Route53 == nil || c.Priority != shift.Rollback\n",
			New: "	return c.Priority != shift.Rollback\n",
		},
		{
			Name: "a new term of the lease forgets nothing", File: dir + "lease.go",
			Old: "		s.loaded, s.charged, s.superseded = false, false, false\n",
			New: "		s.superseded = false\n",
		},
		{
			Name: "a daemon that was superseded goes on", File: dir + "keep.go",
			Old: "	s.superseded = s.superseded || s.charged && found.State.Epoch > s.epoch\n",
			New: "",
		},
		{
			Name: "a conflict in the journal counts as written", File: dir + "keep.go",
			Old: "	if conflicted(err) {\n",
			New: "	if conflicted(err) {\n		err = nil\n	}\n	if err != nil && conflicted(err) {\n",
		},
		{
			Name: "a journal that can't be read counts as empty", File: dir + "keep.go",
			Old: "	if err != nil {\n		return &shift.Found{Unreadable: err.Error()}\n	}\n",
			New: "	if err != nil {\n		found, err = shift.Found{}, nil\n	}\n",
		},
		{
			Name: "a wake-up is lost", File: dir + "switcher.go",
			Old: "	if cut != nil && len(s.observer.Request(shift.State{}, false).RollbackBy) > 0 {\n",
			New: "	if false && len(s.observer.Request(shift.State{}, false).RollbackBy) > 0 {\n",
		},
		{
			Name: "a way back that was not written down is forgotten", File: dir + "keep.go",
			Old: "		found.Memory = new(s.state)\n",
			New: "		found.Memory = nil\n",
		},
	}
}
