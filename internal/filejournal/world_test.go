package filejournal

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap/zaptest"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

const pair = "shop"

// world is a directory with what people and daemons do there.
type world struct {
	*testing.T
	dir string
}

func newWorld(t *testing.T) *world {
	return &world{T: t, dir: filepath.Join(t.TempDir(), "journal")}
}

func (w *world) ok(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// journal takes the directory until the test ends or it is closed.
func (w *world) journal() *Journal {
	w.Helper()
	j, err := Open(Options{Directory: w.dir, Every: time.Millisecond, Logger: zaptest.NewLogger(w)})
	w.ok(err)
	w.Cleanup(func() { _ = j.Close() }) // a second time where the test did
	return j
}

func (w *world) load(j *Journal) shift.Found {
	w.Helper()
	found, err := j.Load(w.Context(), pair)
	w.ok(err)
	return found
}

func (w *world) save(j *Journal, s shift.State) {
	w.Helper()
	w.ok(j.Save(w.Context(), pair, s, shift.Said{Reason: shift.Holding, Message: "it holds"}))
}

func (w *world) saveFailsWith(j *Journal, s shift.State, want error) {
	w.Helper()
	if err := j.Save(w.Context(), pair, s, shift.Said{}); !errors.Is(err, want) {
		w.Errorf("Save: %v, want %v", err, want)
	}
}

func (w *world) path(name string) string { return filepath.Join(w.dir, name) }

func (w *world) write(name, content string) {
	w.Helper()
	w.ok(os.WriteFile(w.path(name), []byte(content), 0o600))
}

// replace changes a file as an editor or a command does, at once.
func (w *world) replace(name, content string) {
	w.Helper()
	w.write("edited", content)
	w.ok(os.Rename(w.path("edited"), w.path(name)))
}

func (w *world) read(name string) string {
	w.Helper()
	content, err := os.ReadFile(w.path(name))
	w.ok(err)
	return string(content)
}

func (w *world) is(what string, want, got any) {
	w.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		w.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func (w *world) says(err error, parts ...string) {
	w.Helper()
	for _, part := range parts {
		if err == nil || !strings.Contains(err.Error(), part) {
			w.Errorf("the error is %v, want one that says %q", err, part)
		}
	}
}

func at(minute int) time.Time { return time.Date(2026, 3, 2, 10, minute, 0, 0, time.UTC) }

// stateOf is a shift under way, as it is written the n-th time.
func stateOf(n int64) shift.State {
	return shift.State{
		Schema: shift.Schema, Attempt: 2, Epoch: 5, Version: n, Phase: shift.Shifting,
		Steps: []shift.Step{{Share: 25}, {Share: 100}}, Step: 1, Share: 25, StartedAt: at(0), ChangedAt: at(1),
	}
}
