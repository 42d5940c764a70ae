package shift

import "testing"

func TestBlueServesAsAskedOnlyWhereGreenHasNothing(t *testing.T) {
	for name, c := range map[string]struct {
		green Share
		want  Reason
	}{
		"blue has all traffic":         {0, NothingToDo},
		"somebody gave green a little": {10, NotAtStart},
		"somebody gave green all":      {100, NotAtStart},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			w.tick(0) // the journal is there
			w.hand(w.groups[1], c.green.Weights())
			d := w.tick(w.plan.Interval)
			if d.Reason != c.want || len(d.Changes) > 0 || d.Next.Phase != Idle {
				t.Errorf("got %s in %s with %d changes (%s), want %s and nothing done", d.Reason, d.Next.Phase, len(d.Changes), d.Message, c.want)
			}
		})
	}
}
