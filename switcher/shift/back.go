package shift

import "fmt"

// wayBackCase is all that the extent of a rollback depends on.
type wayBackCase struct {
	// Person: somebody asked for it. Else the daemon decided by itself.
	Person bool
	// GreenDead: an entrance was freshly read on which green has no healthy
	// target, and blue isn't known to be as bad.
	GreenDead bool
	// Blue is blue's capacity for all of the load.
	Blue SideCapacity
	// Present is green's share now.
	Present Share
	// Enough is the percentage of the need below which a person is warned.
	Enough int
}

// wayBack is how far and how fast a rollback goes.
type wayBack struct {
	// Limit is the share up to which green may keep users. Green keeps what it
	// has where that is less: a rollback raises nothing. What stays goes back as
	// blue gets more ready; all else goes at once.
	Limit Share
	// Warns: a person is told that blue is weak.
	Warns bool
	// Why is for a person.
	Why string
}

// stays is the share that stays on green.
func (b wayBack) stays(present Share) Share { return min(b.Limit, present) }

// howFarBack decides how far and how fast a rollback goes. Users on a green that
// is bad are better off on any blue that can carry them; those that it can't
// carry would take the others down with them.
func howFarBack(c wayBackCase) wayBack {
	switch {
	case c.Person && c.Blue.Known && c.Blue.Percent < c.Enough:
		return wayBack{Warns: true, Why: "a person asks for it, and is told that blue is weak"}
	case c.Person:
		return wayBack{Why: "a person asks for it"}
	case c.GreenDead:
		return wayBack{Why: "green has no healthy target: nobody is served there"}
	case !c.Blue.Known:
		return wayBack{Why: "what is unknown about blue blocks nothing"}
	case c.Blue.Percent >= int(Full):
		return wayBack{Why: "blue can carry everything"}
	}
	limit := Full - Share(c.Blue.Percent)
	if c.Present <= limit {
		return wayBack{Limit: limit, Why: fmt.Sprintf("blue can carry %d %% and has %s already", c.Blue.Percent, Full-c.Present)}
	}
	return wayBack{Limit: limit, Why: fmt.Sprintf("blue can carry %d %% now, the rest follows as it gets more ready", c.Blue.Percent)}
}

// wayBack judges the rollback that is under way.
func (t *turn) wayBack() wayBack {
	c := wayBackCase{
		Person: !t.next.Rollback.Automatic, Blue: t.capacity(Blue, Full), Present: t.next.Share, Enough: t.p.Capacity.enough(),
	}
	for _, e := range t.next.Entrances { // even where the weight is 0 by now
		if r, known := t.reading(e.Name); known && greenIsDead(r) {
			c.GreenDead = true
		}
	}
	return howFarBack(c)
}
