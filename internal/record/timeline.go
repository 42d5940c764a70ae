package record

import (
	"slices"
	"unicode/utf8"

	"github.com/clusterswitch/clusterswitch/switcher"
)

const (
	// maxEvents bounds the timeline, maxText one sentence of it in bytes, and maxLives
	// the lists that grow with each restart or change of the configuration.
	maxEvents = 400
	maxText   = 400
	maxLives  = 50
)

// folds tells which kinds are told once for as long as nothing that moves users
// happens in between.
func folds(kind string) bool {
	return kind == "reason" || kind == "write" || kind == "failed-write" || kind == "journal"
}

// lesser tells which kinds may go where there is no room.
func lesser(kind string) bool {
	return folds(kind) || kind == "preflight" || kind == "configuration"
}

// add notes an event, or that it happened again.
func (n *Recorder) add(t switcher.Turn, kind, title, text string) {
	e := Event{
		At: t.Now.UTC(), Kind: kind, Phase: string(t.Decision.Next.Phase), GreenShare: int(t.Decision.Next.Share),
		Title: clip(title), Text: clip(text), Count: 1,
	}
	if i := n.r.foldable(e); i >= 0 {
		f := &n.r.Timeline[i]
		f.Count, f.Until, f.Text = f.Count+1, new(e.At), e.Text
		return
	}
	n.r.Timeline = append(n.r.Timeline, e)
	n.r.bound()
}

// again notes that the newest event's reason still stands.
func (n *Recorder) again(t switcher.Turn, reason string) {
	for i := len(n.r.Timeline) - 1; i >= 0; i-- {
		e := &n.r.Timeline[i]
		if e.Kind == "reason" && e.Title == reason {
			e.Count, e.Until, e.Text = e.Count+1, instant(t.Now), clip(t.Decision.Message)
			return
		}
		if !folds(e.Kind) {
			return
		}
	}
}

// foldable finds the event that e repeats; -1: there is none.
func (r *Record) foldable(e Event) int {
	if !folds(e.Kind) {
		return -1
	}
	for i, had := range slices.Backward(r.Timeline) {
		switch {
		case had.Kind == e.Kind && had.Title == e.Title && had.Phase == e.Phase && had.GreenShare == e.GreenShare:
			return i
		case !lesser(had.Kind):
			return -1
		}
	}
	return -1
}

// bound makes room: the oldest event that doesn't matter much goes, and where there
// is none, two of one kind become one that counts both. So no rise, no rollback, no
// question and no answer is lost.
func (r *Record) bound() {
	for len(r.Timeline) > maxEvents {
		r.LeftOut++
		if i := slices.IndexFunc(r.Timeline, func(e Event) bool { return lesser(e.Kind) }); i >= 0 {
			r.Timeline = slices.Delete(r.Timeline, i, i+1)
			continue
		}
		r.foldOldest()
	}
	for _, left := range []int{firstAndLast(&r.Daemons), firstAndLast(&r.Gaps), firstAndLast(&r.Configurations)} {
		r.LeftOut += left
	}
}

// firstAndLast keeps the first and the newest of a list, and tells how many it left
// out.
func firstAndLast[T any](list *[]T) int {
	left := max(0, len(*list)-maxLives)
	if left > 0 {
		*list = slices.Delete(slices.Clone(*list), 1, 1+left)
	}
	return left
}

// foldOldest joins the oldest event that has a later one of its kind with that. A
// list that is longer than there are kinds has one.
func (r *Record) foldOldest() {
	for i := range r.Timeline {
		for j := i + 1; j < len(r.Timeline); j++ {
			first, next := &r.Timeline[i], r.Timeline[j]
			if first.Kind != next.Kind {
				continue
			}
			first.Count += next.Count
			first.Until = new(next.At)
			if next.Until != nil {
				first.Until = next.Until
			}
			first.Title, first.Text, first.GreenShare = next.Title, next.Text, next.GreenShare
			r.Timeline = slices.Delete(r.Timeline, j, j+1)
			return
		}
	}
	r.Timeline = r.Timeline[1:]
}

// clip bounds a sentence.
func clip(s string) string { return clipTo(s, maxText) }

func clipTo(s string, end int) string {
	if len(s) <= end {
		return s
	}
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "…"
}
