package journal_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/internal/journal"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

func TestAnUnreadableJournalIsNeverOverwritten(t *testing.T) {
	for name, stored := range map[string]string{
		"a newer schema":      `{"schema": 99, "phase": "Idle", "news": {"kept": 1}}`,
		"an unknown phase":    `{"schema": 1, "phase": "Flying"}`,
		"an object of nobody": `{"hello": "world"}`,
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			j := w.journal()
			w.load(j)
			w.edit(`{"status": {"journal": `+stored+`}}`, "status")
			if found := w.load(j); found.Unreadable == "" || found.Present {
				t.Errorf("found %+v, want unreadable", found)
			}
			before := w.object().Status.Journal
			for _, edit := range []string{`{}`, `{"spec": {"rollback": true}}`} {
				w.edit(edit)
				said := shift.Said{Reason: shift.JournalUnreadable}
				if err := j.Save(t.Context(), pair, shift.NewState(), said); !errors.Is(err, journal.ErrUnreadable) {
					t.Errorf("Save: %v, want %v", err, journal.ErrUnreadable)
				}
			}
			after := w.object().Status
			if diff := cmp.Diff(before, after.Journal); diff != "" {
				t.Errorf("the unreadable journal was changed:\n%s", diff)
			}
			if after.Reason != string(shift.JournalUnreadable) {
				t.Errorf("beside the journal people read the reason %q, want %s", after.Reason, shift.JournalUnreadable)
			}
		})
	}
}

func TestWhatIsSaidBesideNoJournalBeginsNone(t *testing.T) {
	w := newWorld(t)
	j := w.journal()
	w.load(j)
	said := shift.Said{Beside: true, Reason: shift.EntranceUnknown, Message: "entrance dns can't be read: AccessDenied"}
	if err := j.Save(t.Context(), pair, shift.NewState(), said); err != nil {
		t.Fatal(err)
	}
	read := w.object().Status
	if read.Journal != nil || read.Phase != "" || read.Reason != string(said.Reason) || read.Message != said.Message {
		t.Errorf("people read %+v, want the reason and the sentence alone", read)
	}
	if diff := cmp.Diff(shift.Found{}, w.load(j)); diff != "" {
		t.Errorf("load (-want +got):\n%s", diff)
	}
	w.save(j, shift.NewState())
	if w.object().Status.Journal == nil {
		t.Error("the journal was not begun afterwards")
	}
}
