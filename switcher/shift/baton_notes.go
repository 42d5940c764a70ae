package shift

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// batonNotes says of singletons what those who read the journal should know:
// when nobody began their work, which run was missed, who changed one against
// this pair, which side can't be read, and what runs nowhere or twice.
func batonNotes(s State, o Observation, now time.Time) []string {
	notes := gapNotes(s, now)
	unread, off := map[string][]string{}, []string(nil)
	for _, r := range o.Singletons {
		for _, side := range []Side{Blue, Green} {
			switch one := r.of(side); {
			case one.Err != "":
				text := fmt.Sprintf("%s can't be read: %s", side, one.Err)
				unread[text] = append(unread[text], r.Key)
			case one.Refused != "":
				notes = append(notes, fmt.Sprintf("%s: what is intended for it can't be written in %s: %s", r.Key, side, one.Refused))
			case one.ChangedBy != "":
				notes = append(notes, fmt.Sprintf("%s: %s changed it in %s although this pair had set it", r.Key, one.ChangedBy, side))
			}
		}
		if slices.ContainsFunc(s.Baton, func(e BatonState) bool { return e.Key == r.Key }) || !r.bothSeen() {
			continue
		}
		switch {
		case !r.Blue.On && !r.Green.On:
			off = append(off, r.Key)
		case r.Blue.On && r.Green.On:
			notes = append(notes, r.Key+": it is on in both clusters")
		case r.Blue.On && r.Green.Absent && s.Active():
			notes = append(notes, r.Key+": it isn't in green, so that it can't be handed over")
		}
	}
	for _, text := range slices.Sorted(maps.Keys(unread)) {
		notes = append(notes, fmt.Sprintf("singletons (%s): %s", few(unread[text]), text))
	}
	if len(off) > 0 {
		notes = append(notes, "off in both clusters, and left so: "+few(off))
	}
	return notes
}

// bothSeen tells whether both sides were read, and one of them has it.
func (r SingletonReading) bothSeen() bool {
	seen := func(s SingletonSide) bool { return s.Err == "" && !s.At.IsZero() }
	return seen(r.Blue) && seen(r.Green) && !(r.Blue.Absent && r.Green.Absent)
}

func gapNotes(s State, now time.Time) []string {
	var notes []string
	for _, g := range s.Gaps {
		notes = append(notes, gapNote(g.Key, g.BatonGap))
	}
	for _, e := range s.Baton {
		if e.Gap != nil {
			notes = append(notes, gapNote(e.Key, *e.Gap))
		}
		switch {
		case e.OffSince.IsZero():
		case !e.NextRun.IsZero() && e.NextRun.Before(now):
			notes = append(notes, fmt.Sprintf("%s: told to be off in both clusters since %s; a run was due at %s", e.Key, day(e.OffSince), day(e.NextRun)))
		default:
			notes = append(notes, fmt.Sprintf("%s: told to be off in both clusters since %s", e.Key, day(e.OffSince)))
		}
		if e.Failed != "" {
			notes = append(notes, fmt.Sprintf("%s: its last hand-over was given up: %s", e.Key, e.Failed))
		}
	}
	return notes
}

func gapNote(key string, g BatonGap) string {
	note := fmt.Sprintf("%s: told to be off in both clusters from %s to %s", key, day(g.From), day(g.To))
	if !g.Missed.IsZero() {
		note += fmt.Sprintf("; the run that was due at %s was missed", day(g.Missed))
	}
	return note
}

// few names the first of many.
func few(keys []string) string {
	const most = 5
	if len(keys) <= most {
		return strings.Join(keys, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(keys[:most], ", "), len(keys)-most)
}

func day(at time.Time) string { return at.UTC().Format(time.DateTime) }
