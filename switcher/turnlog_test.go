package switcher_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap/zapcore"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// lines gives the log as level, message, and what tells the line apart.
func lines(w *world, least zapcore.Level) []string {
	var all []string
	for _, e := range w.log.All() {
		if e.Level < least {
			continue
		}
		f := e.ContextMap()
		line := fmt.Sprintf("%s: %s", e.Level, e.Message)
		switch {
		case f["reason"] != nil:
			line += fmt.Sprintf(": %s at %d %%, %s", f["phase"], f["share"], f["reason"])
		case f["entrance"] != nil:
			line += fmt.Sprintf(": %s to %d %%, %s", f["entrance"], f["wanted"], f["outcome"])
		}
		all = append(all, line)
	}
	return all
}

func TestLogTellsAShiftAndARollback(t *testing.T) {
	w := newWorld()
	d := at25(t, w)
	w.steps(t, d, 30*time.Second) // silent
	rollBack(w)
	w.steps(t, d, time.Minute)
	want := []string{
		"info: decided: Shifting at 0 %, ShiftStarted",
		"info: decided: Shifting at 25 %, Rising",
		"info: weight set: dns to 25 %, applied",
		"info: weight set: rule to 25 %, applied",
		"info: decided: Shifting at 25 %, Holding",
		"warn: decided: RollingBack at 0 %, RollbackRequested",
		"info: weight set: dns to 0 %, applied",
		"info: weight set: rule to 0 %, applied",
		"info: decided: RolledBack at 0 %, BackOnBlue",
		"info: decided: RolledBack at 0 %, AttemptOver",
	}
	if diff := cmp.Diff(want, lines(w, zapcore.InfoLevel)); diff != "" {
		t.Errorf("the log (-want +got):\n%s", diff)
	}
}

func TestLogSaysTroubleOnce(t *testing.T) {
	tests := map[string]struct {
		story func(t *testing.T, w *world)
		want  []string
	}{
		"a rollback by itself needs a person to look at green": {
			story: func(t *testing.T, w *world) { d := at25(t, w); w.errors = 0.5; w.steps(t, d, time.Minute) },
			want:  []string{"error: decided: RollingBack at 0 %, UsersSuffer"},
		},
		"a write that is refused at every try": {
			story: func(t *testing.T, w *world) {
				d := at25(t, w)
				rollBack(w)
				w.commits = func(shift.Change) (bool, shift.Outcome) { return false, shift.Refused }
				w.steps(t, d, 10*time.Minute)
			},
			want: []string{
				"warn: decided: RollingBack at 0 %, RollbackRequested",
				"error: weight not set: dns to 0 %, refused", "error: weight not set: rule to 0 %, refused",
			},
		},
		"a journal that can't be written for a while": {
			story: func(t *testing.T, w *world) {
				d := at25(t, w)
				w.book.saveErr = errors.New("etcd is full")
				w.steps(t, d, 5*time.Minute)
				w.book.saveErr = nil
				w.steps(t, d, time.Minute)
			},
			want: []string{"error: state can't be written down", "warn: decided: Shifting at 25 %, JournalUnwritable"},
		},
		"a journal that can't be read at the start": {
			story: func(t *testing.T, w *world) {
				w.book.loadErr = errors.New("connection refused")
				d := w.daemon()
				w.steps(t, d, 5*time.Minute)
				w.book.loadErr = nil
				w.steps(t, d, time.Minute)
			},
			want: []string{"error: decided: Idle at 0 %, JournalUnreadable"},
		},
		"a rollback without a journal": {
			story: func(t *testing.T, w *world) {
				d := at25(t, w)
				rollBack(w)
				w.book.saveErr = errors.New("etcd is full")
				w.steps(t, d, 5*time.Minute)
			},
			want: []string{"error: state can't be written down", "warn: decided: RollingBack at 0 %, RollbackRequested"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			test.story(t, w)
			if diff := cmp.Diff(test.want, lines(w, zapcore.WarnLevel)); diff != "" {
				t.Errorf("warnings and errors (-want +got):\n%s", diff)
			}
		})
	}
}
