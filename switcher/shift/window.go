package shift

import (
	"slices"
	"time"
)

const (
	windowGate = "window"
	// farOpening is how many days ahead an opening is looked for.
	farOpening = 370
	// zonesApart is by how many days the dates of two zones can differ, and one more.
	zonesApart = 2
)

// inWindow lets a step begin only in the windows and outside of freezes. A step that
// has begun is finished on all entrances; to lower green needs no window.
func inWindow(t *turn, _ Share) []Verdict {
	if t.next.Step >= len(t.next.Steps) {
		return nil // nothing rises any more
	}
	return t.windows()
}

// windows judges whether green may rise now.
func (t *turn) windows() []Verdict {
	g := t.p.Gates
	if len(g.Windows) == 0 && len(g.Freezes) == 0 {
		return nil
	}
	if g.OpenAt(t.now) {
		return one(windowGate, Pass, "green may rise now")
	}
	why, on := "green rises in its windows only", "the next opens on"
	for _, f := range g.Freezes {
		if f.contains(t.now) {
			why, on = "rises are frozen", "the next rise may be on"
			if f.Why != "" {
				why += " (" + f.Why + ")"
			}
		}
	}
	opens, found := g.NextOpening(t.now)
	if !found {
		return one(windowGate, Wait, "%s, and there is no time within a year at which it may", why)
	}
	return one(windowGate, Wait, "%s; %s %s", why, on, opens.Format("Mon 2006-01-02 15:04 MST"))
}

// outsideWindow holds what would begin a rise outside of the windows.
func (t *turn) outsideWindow() (Decision, bool) {
	if w := worst(t.windows()); w.Judgement != Pass {
		return t.blocked(w, []Verdict{w}), true
	}
	return Decision{}, false
}

// wakeForWindow brings the next look forward to the next opening.
func (t *turn) wakeForWindow(d Decision) Decision {
	if opens, found := t.p.Gates.NextOpening(t.now); found {
		return d.wakeAt(opens, t.now)
	}
	return d
}

// OpenAt tells whether green may rise at a time, by windows and freezes.
func (g Gates) OpenAt(at time.Time) bool {
	if slices.ContainsFunc(g.Freezes, func(f Freeze) bool { return f.contains(at) }) {
		return false
	}
	return len(g.Windows) == 0 || slices.ContainsFunc(g.Windows, func(w Window) bool { return w.contains(at) })
}

// NextOpening is the first time after at from which green may rise, where it may not
// at that time; false: there is none within a year. It is told by the clock on the
// wall that it follows from.
func (g Gates) NextOpening(at time.Time) (opens time.Time, found bool) {
	consider := func(c time.Time) {
		if c.After(at) && (!found || c.Before(opens)) && g.OpenAt(c) {
			opens, found = c, true
		}
	}
	for _, f := range g.Freezes {
		consider(f.To)
	}
	for day := 0; day <= farOpening; day++ {
		if found && at.AddDate(0, 0, day-zonesApart).After(opens) {
			break
		}
		for _, w := range g.Windows {
			for _, c := range w.openings(at, day) {
				consider(c)
			}
		}
	}
	return opens, found
}

func (f Freeze) contains(at time.Time) bool { return !at.Before(f.From) && at.Before(f.To) }

func (w Window) zone() *time.Location {
	if w.Zone == nil {
		return time.UTC
	}
	return w.Zone
}

func (w Window) on(day time.Weekday) bool { return len(w.Days) == 0 || slices.Contains(w.Days, day) }

// contains goes by the clock on the wall: an hour that is skipped there never is,
// and one that comes twice is so both times.
func (w Window) contains(at time.Time) bool {
	local := at.In(w.zone())
	clock := time.Duration(local.Hour())*time.Hour + time.Duration(local.Minute())*time.Minute +
		time.Duration(local.Second())*time.Second + time.Duration(local.Nanosecond())
	today, yesterday := local.Weekday(), (local.Weekday()+6)%7
	if w.From < w.To {
		return w.on(today) && clock >= w.From && clock < w.To
	}
	return w.on(today) && clock >= w.From || w.on(yesterday) && clock < w.To
}

// openings are the times at which the window may open so many days after a time:
// when the clock shows From, and when it is set forward over it.
func (w Window) openings(at time.Time, days int) []time.Time {
	y, m, d := at.In(w.zone()).Date()
	on := func(clock time.Duration) time.Time {
		return time.Date(y, m, d+days, 0, 0, int(clock/time.Second), int(clock%time.Second), w.zone())
	}
	all := []time.Time{on(w.From)}
	start, end := on(12 * time.Hour).ZoneBounds()
	for _, set := range []time.Time{start, end} {
		if !set.IsZero() {
			all = append(all, set)
		}
	}
	return all
}
