package mutants

// core is where the core is, which decides.
const core = "switcher/shift/"

// whereItRises are mistakes about what a rise needs.
func whereItRises() []Mutant {
	return []Mutant{
		{
			Name: "evidence isn't reset by a change", File: core + "decide.go",
			Old: "	t.next.ShownAt = time.Time{}\n	t.next.ReachedAt = time.Time{}\n",
			New: "",
		},
		{
			Name: "samples from before the last change count", File: core + "gate_users.go",
			Old: "	case t.next.ReachedAt.IsZero() || r.From.Before(t.next.ReachedAt):\n",
			New: "	case false:\n",
		},
		{
			Name: "resolvers are not waited for", File: core + "rise.go",
			Old: "		ttl = max(ttl, r.TTL)\n",
			New: "		ttl = max(ttl, 0)\n",
		},
		{
			Name: "AWS's own servers are not waited for", File: core + "rise.go",
			Old: "		if !t.inSync(e, r) {\n",
			New: "		if false {\n",
		},
		{
			Name: "the hold isn't held", File: core + "gates.go",
			Old: "	if left := t.next.ReachedAt.Add(hold).Sub(t.now); left > 0 {\n",
			New: "	if left := t.next.ReachedAt.Sub(t.now); left > 0 {\n",
		},
		{
			Name: "a rise takes two steps at once", File: core + "rise.go",
			Old: "	if !last {\n		to = t.next.Steps[t.next.Step].Share\n	}\n",
			New: "	if !last {\n		to = t.next.Steps[min(t.next.Step+1, len(t.next.Steps)-1)].Share\n	}\n",
		},
		{
			Name: "a rise goes off the plan", File: core + "rise.go",
			Old: "		to = t.next.Steps[t.next.Step].Share\n",
			New: "		to = min(Full, t.next.Steps[t.next.Step].Share+1)\n",
		},
		{
			Name: "what is stale passes for new", File: core + "gate.go",
			Old: "	return !at.IsZero() && age <= within && -age <= within\n",
			New: "	return !at.IsZero() || age == within\n",
		},
		{
			Name: "a gate that can't be measured passes", File: core + "gate_users.go",
			Old: "		return verdict(g.Name, Unmeasured, \"it can't be measured: %s\", r.Err)\n	case !t.fresh(r.At, t.p.StaleAfter) || !r.To",
			New: "		return verdict(g.Name, Pass, \"it can't be measured: %s\", r.Err)\n	case !t.fresh(r.At, t.p.StaleAfter) || !r.To",
		},
		{
			Name: "a gate that is absent passes", File: core + "gate_users.go",
			Old: "		return verdict(g.Name, Unmeasured, \"it was not measured\")\n",
			New: "		return verdict(g.Name, Pass, \"it was not measured\")\n",
		},
		{
			Name: "few replicas of green suffice", File: core + "gates.go",
			Old: "func replicasSuffice(t *turn, next Share) []Verdict {\n	const name = \"replicas\"\n",
			New: "func replicasSuffice(t *turn, next Share) []Verdict {\n	const name = \"replicas\"\n	if t.o.Green.Err == \"\" {\n		return one(name, Pass, \"%s\", next)\n	}\n",
		},
		{
			Name: "a green without healthy targets gets users", File: core + "gates.go",
			Old: "		case targets.Healthy < need:\n",
			New: "		case false:\n",
		},
	}
}

// whereItGoesBack are mistakes about the ways back.
func whereItGoesBack() []Mutant {
	return []Mutant{
		{
			Name: "a person's flag is ignored while green rises", File: core + "rollback.go",
			Old: "	case InPreflight, Shifting, OnStandby, Completed, Returning:\n",
			New: "	case InPreflight, Shifting:\n		return Decision{}, false\n	case OnStandby, Completed, Returning:\n",
		},
		{
			Name: "a rollback waits for metrics", File: core + "rollback.go",
			Old: "	if !t.o.Request.rollbackAsked() {\n		return Decision{}, false\n",
			New: "	if !t.o.Request.rollbackAsked() || t.next.Active() && len(t.o.Traffic) == 0 {\n		return Decision{}, false\n",
		},
		{
			Name: "a rollback waits until every entrance can be read", File: core + "rollback.go",
			Old: "			changes = append(changes, t.change(i, min(limit, e.lowest()), Rollback))\n",
			New: "",
		},
		{
			Name: "a rollback's record isn't kept once blue has all", File: core + "rollback.go",
			Old: "	t.next.Phase, t.next.EndedAt = RolledBack, t.now\n	return t.stay(BackOnBlue, \"blue has all traffic again (%s)%s\", t.next.Rollback.Why, t.stillOn(Green))\n",
			New: "	t.next.Phase, t.next.EndedAt, t.next.Rollback = RolledBack, t.now, nil\n	return t.stay(BackOnBlue, \"blue has all traffic again%s\", t.stillOn(Green))\n",
		},
		{
			Name: "nothing fences off a rise that is on its way", File: core + "fence.go",
			Old: "	if len(fences) == 0 {\n",
			New: "	if len(fences) >= 0 {\n",
		},
		{
			Name: "users who suffer send nobody back", File: core + "gate_users.go",
			Old: "	if t.next.Share == 0 {\n		return \"\", false\n	}\n	for _, g := range t.breachings() {\n",
			New: "	if t.next.Share >= 0 {\n		return \"\", false\n	}\n	for _, g := range t.breachings() {\n",
		},
		{
			Name: "standby goes back by itself although a person decides", File: core + "rollback.go",
			Old: "		if !t.p.Standby.AutoRollback {\n",
			New: "		if false {\n",
		},
		{
			Name: "all weights are zero at the end of a way back", File: core + "share.go",
			Old: "	return Weights{Blue: int(Full - s), Green: int(s)}\n",
			New: "	if s == 0 {\n		return Weights{}\n	}\n	return Weights{Blue: int(Full - s), Green: int(s)}\n",
		},
	}
}

// whereItRemembers are mistakes about what was, and whose it is.
func whereItRemembers() []Mutant {
	return []Mutant{
		{
			Name: "a merge clears the flag of a way back that is over", File: core + "recover.go",
			Old: "	// Memory first: it knows who asked, which its own mark doesn't tell.\n",
			New: "	if s.Phase == RolledBack {\n		s.Rollback = nil\n	}\n",
		},
		{
			Name: "an attempt that is over begins again", File: core + "rest.go",
			Old: "	case r.Attempt <= t.next.Attempt:\n		return t.stay(AttemptOver,",
			New: "	case r.Attempt < t.next.Attempt:\n		return t.stay(AttemptOver,",
		},
		{
			Name: "an edit by somebody else is fought", File: core + "drift.go",
			Old: "		if !known || !foreign(e, r) {\n			continue\n",
			New: "		if !known || !foreign(e, r) || !r.StandsAt(0) {\n			continue\n",
		},
		{
			Name: "the epoch isn't raised by who takes charge", File: core + "recover.go",
			Old: "	s = f.State.clone()\n	s.Epoch = max(s.Epoch, mark.Epoch) + 1\n",
			New: "	s = f.State.clone()\n	s.Epoch = max(1, s.Epoch, mark.Epoch)\n",
		},
		{
			Name: "a pause is ignored", File: core + "rest.go",
			Old: "	case r.Paused:\n",
			New: "	case false:\n",
		},
	}
}
