package record_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/record"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// approve lets the pair rise to the step.
func (w *world) approve(step int) {
	w.ask.Approved = shift.Approval{Attempt: w.ask.Attempt, Step: step}
}

// The reports of whole attempts, as the real loop takes them.
func TestReports(t *testing.T) {
	for name, play := range map[string]func(w *world) record.Record{
		"healthy": func(w *world) record.Record {
			w.steps(8 * time.Minute)
			w.approve(2)
			w.steps(75 * time.Minute)
			return w.keeps()
		},
		"rollback": func(w *world) record.Record {
			w.steps(5 * time.Minute)
			w.lost = true // the write of the second step's first entrance
			w.approve(2)
			w.steps(4 * time.Minute)
			w.unread = "throttled (Throttling: Rate exceeded)"
			w.steps(time.Minute)
			w.unread, w.away = "", true
			w.steps(20 * time.Second)
			w.away = false
			w.errors = 61
			w.steps(6 * time.Minute)
			return w.keeps()
		},
		"restart": func(w *world) record.Record {
			w.approve(2)
			w.steps(7 * time.Minute)
			w.keeps()
			w.steps(2 * time.Minute) // and dies: of these minutes nothing is kept
			w.starts("clusterswitch-7d4b9c6f5-k9wzt", "v1.9.0")
			w.now = w.now.Add(40 * time.Second)
			w.steps(time.Minute)
			w.goesOn()
			w.ask.RollbackBy = []string{"the custom resource"}
			w.steps(2 * time.Minute)
			return w.keeps()
		},
		// Nothing is left of the journal, and a person has gone back past the daemon.
		"direct": func(w *world) record.Record {
			for _, e := range w.plan.Entrances {
				w.marks[e.Name] = &shift.Mark{Attempt: 1, Version: 2, Phase: shift.RollingBack, Rollback: true}
			}
			w.steps(20 * time.Second)
			w.goesOn()
			var asked shift.State
			if err := json.Unmarshal(w.journal, &asked); err != nil {
				w.Fatal(err)
			}
			w.ask.Resolve = shift.Resolution{ID: asked.Question.ID, How: shift.Adopt}
			w.steps(time.Minute)
			return w.keeps()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			golden(t, "testdata/"+name+".md", play(newWorld(t)).Markdown())
		})
	}
}
