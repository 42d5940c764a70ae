package filejournal

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/api/v1alpha1"
	"github.com/clusterswitch/clusterswitch/internal/journal/status"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

func TestWhatIsSavedIsLoadedByTheNextDaemon(t *testing.T) {
	w := newWorld(t)
	j := w.journal()
	w.is("before the first shift", shift.Found{}, w.load(j))
	w.save(j, stateOf(1))
	w.save(j, stateOf(2))
	w.ok(j.Close())
	next := w.journal()
	w.is("after a restart", shift.Found{Present: true, State: stateOf(2)}, w.load(next))
	w.save(next, stateOf(3))
	looked, err := next.Look(t.Context(), pair)
	w.ok(err)
	w.is("a look", shift.Found{Present: true, State: stateOf(3)}, looked)
}

// The file is a TrafficSwitch with its status, as a cluster would have it.
func TestPeopleReadTheFileAsTheyReadTheCustomResource(t *testing.T) {
	w := newWorld(t)
	j := w.journal()
	w.load(j)
	w.save(j, stateOf(1))
	var got v1alpha1.TrafficSwitch
	w.ok(json.Unmarshal([]byte(w.read("shop.journal.json")), &got))
	w.is("kind and name", [3]string{"clusterswitch.io/v1alpha1", "TrafficSwitch", pair}, [3]string{got.APIVersion, got.Kind, got.Name})
	if s := got.Status; s.Phase != "Shifting" || s.Share != 25 || s.Step != "1/2" || s.Reason != "Holding" || s.Message != "it holds" || s.UpdatedAt.IsZero() {
		t.Errorf("the status is %+v", s)
	}
	since := got.Status.Conditions[0].LastTransitionTime
	w.save(j, stateOf(2))
	w.ok(json.Unmarshal([]byte(w.read("shop.journal.json")), &got))
	w.is("since when blue is as ready as it is", since, got.Status.Conditions[0].LastTransitionTime)
}

func TestOnlyTheDaemonsUserMayReadOrWrite(t *testing.T) {
	w := newWorld(t)
	j := w.journal()
	w.load(j)
	w.save(j, stateOf(1))
	_, err := NewHand(w.dir).PatchSpec(t.Context(), pair, v1alpha1.SpecChange{Paused: new(true)})
	w.ok(err)
	for name, want := range map[string]os.FileMode{
		".": 0o700, "lock": 0o600, ".requests.lock": 0o600, "shop.journal.json": 0o600, "shop.request.json": 0o600,
	} {
		about, err := os.Stat(w.path(name))
		w.ok(err)
		w.is("the rights of "+name, want, about.Mode().Perm())
	}
	w.ok(j.Close())
	w.ok(os.Chmod(w.dir, 0o777))
	_, err = Open(Options{Directory: w.dir})
	w.says(err, "everybody may write into "+w.dir, "chmod o-w")
}

func TestSomebodyElsesWriteIsAConflictUntilLoaded(t *testing.T) {
	for name, c := range map[string]struct {
		change func(w *world)
		want   shift.Found
	}{
		"a backup was put back": {
			func(w *world) { w.replace("shop.journal.json", w.read("backup")) }, shift.Found{Present: true, State: stateOf(1)},
		},
		"the file was removed": {func(w *world) { w.ok(os.Remove(w.path("shop.journal.json"))) }, shift.Found{}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			j := w.journal()
			w.load(j)
			w.save(j, stateOf(1))
			w.write("backup", w.read("shop.journal.json"))
			w.save(j, stateOf(2))
			c.change(w)
			w.saveFailsWith(j, stateOf(3), ErrConflict)
			w.is("what is there", c.want, w.load(j))
			w.save(j, stateOf(4))
		})
	}
	w := newWorld(t)
	j := w.journal()
	w.load(j)
	w.write("shop.journal.json", "{}")
	w.saveFailsWith(j, stateOf(1), ErrConflict) // of an empty place, too
	w.is("the file of somebody else", "{}", w.read("shop.journal.json"))
}

func TestAnUnreadableJournalIsNeverOverwritten(t *testing.T) {
	journal := func(content string) string {
		return `{"apiVersion": "clusterswitch.io/v1alpha1", "kind": "TrafficSwitch", "metadata": {"name": "shop"}, "status": {"share": 25, "attempt": 2, "phase": "Shifting", "journal": ` + content + `}}`
	}
	for name, c := range map[string]struct{ stored, why string }{
		"a newer schema":           {journal(`{"schema": 99, "phase": "Idle"}`), "its schema is 99"},
		"an unknown phase":         {journal(`{"schema": 4, "phase": "Flying"}`), "Flying"},
		"no state at all":          {journal(`null`), "holds no state"},
		"an empty file":            {"", "is empty"},
		"half a file":              {journal(`{"schema": 4}`)[:90], "form of a journal"},
		"a list":                   {`[]`, "form of a journal"},
		"the journal of another":   {strings.Replace(journal(`{"schema": 4, "phase": "Idle"}`), "shop", "blog", 1), "journal of pair blog, not of shop"},
		"an object of nobody":      {`{"hello": "world"}`, "a nothing of nothing"},
		"a version from elsewhere": {strings.Replace(journal(`{"schema": 4, "phase": "Idle"}`), "v1alpha1", "v7", 1), "clusterswitch.io/v7"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			j := w.journal()
			w.write("shop.journal.json", c.stored)
			found := w.load(j)
			if found.Present || !strings.Contains(found.Unreadable, c.why) || !strings.Contains(found.Unreadable, w.path("shop.journal.json")) {
				t.Errorf("found %+v, want unreadable for a reason with %q", found, c.why)
			}
			said := shift.Said{Reason: shift.JournalUnreadable, Message: "a person is needed"}
			for range 2 {
				if err := j.Save(t.Context(), pair, shift.NewState(), said); !errors.Is(err, ErrUnreadable) {
					t.Errorf("Save: %v, want %v", err, ErrUnreadable)
				}
			}
			w.is("the unreadable journal", c.stored, w.read("shop.journal.json"))
			seen, err := NewHand(w.dir).Get(t.Context(), pair)
			w.ok(err)
			w.is("what people read beside it", [2]string{"JournalUnreadable", "a person is needed"}, [2]string{seen.Status.Reason, seen.Status.Message})
			w.ok(os.Remove(w.path("shop.journal.json"))) // a person mends it
			w.load(j)
			w.save(j, stateOf(1))
			seen, err = NewHand(w.dir).Get(t.Context(), pair)
			w.ok(err)
			w.is("what people read afterwards", "Holding", seen.Status.Reason)
		})
	}
}

func TestWhatIsSaidBesideNoJournalBeginsNone(t *testing.T) {
	w := newWorld(t)
	j := w.journal()
	w.load(j)
	said := shift.Said{Beside: true, Reason: shift.EntranceUnknown, Message: "entrance dns can't be read: AccessDenied"}
	w.ok(j.Save(t.Context(), pair, shift.NewState(), said))
	seen, err := NewHand(w.dir).Get(t.Context(), pair)
	w.ok(err)
	w.is("what people read", [3]string{"", "EntranceUnknown", said.Message}, [3]string{seen.Status.Phase, seen.Status.Reason, seen.Status.Message})
	w.is("the journal", shift.Found{}, w.load(j))
	w.save(j, stateOf(1))
	seen, err = NewHand(w.dir).Get(t.Context(), pair)
	w.ok(err)
	w.is("what people read once it is begun", "Holding", seen.Status.Reason)
}

func TestASecondDaemonIsToldWhoHasTheDirectory(t *testing.T) {
	w := newWorld(t)
	j := w.journal()
	host, err := os.Hostname()
	w.ok(err)
	_, err = Open(Options{Directory: w.dir})
	if !errors.Is(err, ErrHeld) {
		t.Errorf("the second daemon got %v, want %v", err, ErrHeld)
	}
	w.says(err, "is in use by process", host, w.dir)
	w.ok(j.Close())
	w.journal() // free again
}

// Who takes the lock's file away lets a second daemon in; then the first stops
// writing.
func TestADaemonWhoseLockIsGoneWritesNoMore(t *testing.T) {
	for name, take := range map[string]func(w *world){
		"removed":  func(w *world) { w.ok(os.Remove(w.path("lock"))) },
		"replaced": func(w *world) { w.replace("lock", "{}") },
		"moved": func(w *world) {
			w.ok(os.Rename(w.dir, w.dir+".old"))
			w.ok(os.Mkdir(w.dir, 0o700))
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			j := w.journal()
			w.load(j)
			w.save(j, stateOf(1))
			take(w)
			w.says(j.Save(t.Context(), pair, stateOf(2), shift.Said{}), "lock", "restart")
			j.look(func(string) {})
			if _, unknown := j.Request(pair); !strings.Contains(unknown, "lock") {
				t.Errorf("what people ask for counts as known: %q", unknown)
			}
		})
	}
}

func TestWhatIsWrongWithADirectory(t *testing.T) {
	dir := t.TempDir()
	w := &world{T: t, dir: dir}
	w.write("file", "")
	for name, c := range map[string]struct{ dir, says string }{
		"the one above isn't there": {w.path("a/b"), "no such file or directory"},
		"it is a file":              {w.path("file"), "not a directory"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Open(Options{Directory: c.dir})
			w.says(err, "directory", c.says)
		})
	}
}

// fullDisk has no room left for what is written by one of its operations.
type fullDisk struct {
	disk
	at string
}

func (d fullDisk) Create(name string) (file, error) {
	if d.at == "create" {
		return nil, &os.PathError{Op: "openat", Path: name, Err: syscall.ENOSPC}
	}
	f, err := d.disk.Create(name)
	return fullFile{f, d.at}, err
}

type fullFile struct {
	file
	at string
}

func (f fullFile) Write(content []byte) (int, error) {
	if f.at == "write" {
		n, _ := f.file.Write(content[:len(content)/2])
		return n, &os.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}
	}
	return f.file.Write(content)
}

func (f fullFile) Sync() error {
	if f.at == "sync" {
		return &os.PathError{Op: "sync", Path: "x", Err: syscall.ENOSPC}
	}
	return f.file.Sync()
}

func TestAFullDiskLosesNothing(t *testing.T) {
	for _, at := range []string{"create", "write", "sync"} {
		t.Run(at, func(t *testing.T) {
			w := newWorld(t)
			j := w.journal()
			w.load(j)
			w.save(j, stateOf(1))
			room := j.folder.disk
			j.folder.disk = fullDisk{room, at}
			w.says(j.Save(t.Context(), pair, stateOf(2), shift.Said{}), "no space left on device", w.path("shop.journal.json"), "what was stored before stays")
			if _, err := os.Stat(w.path(".shop.journal.json.tmp")); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("half a file still takes room: %v", err)
			}
			w.is("what is stored", shift.Found{Present: true, State: stateOf(1)}, w.load(j))
			j.folder.disk = room
			w.save(j, stateOf(3))
		})
	}
}

// hangingDisk answers when it is let go.
type hangingDisk struct {
	disk
	begun, free chan struct{}
}

func (d hangingDisk) Sync() error {
	d.begun <- struct{}{}
	<-d.free
	return d.disk.Sync()
}

// A rollback doesn't wait for a disk: the loop's deadline ends the wait.
func TestADiskThatHangsHoldsNobodyUp(t *testing.T) {
	w := newWorld(t)
	j := w.journal()
	w.load(j)
	w.save(j, stateOf(1))
	hanging := hangingDisk{j.folder.disk, make(chan struct{}, 1), make(chan struct{})}
	j.folder.disk = hanging
	for range 2 { // the second doesn't even get the disk
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		w.says(j.Save(ctx, pair, stateOf(2), shift.Said{}), "doesn't answer")
		cancel()
	}
	<-hanging.begun
	close(hanging.free)
	j.working.Wait()
	w.saveFailsWith(j, stateOf(3), ErrConflict) // it landed after its answer was given up
	w.is("what landed late", shift.Found{Present: true, State: stateOf(2)}, w.load(j))
	w.save(j, stateOf(3))
}

func TestATooLargeStateIsRefusedAndTheOldOneStays(t *testing.T) {
	w := newWorld(t)
	j := w.journal()
	w.load(j)
	w.save(j, stateOf(1))
	large := stateOf(2)
	large.Question = &shift.Question{Message: strings.Repeat("x", status.MaxSize)}
	w.saveFailsWith(j, large, status.ErrTooLarge)
	w.is("what is stored", shift.Found{Present: true, State: stateOf(1)}, w.load(j))
}

func TestASaveWithoutALoadIsRefused(t *testing.T) {
	w := newWorld(t)
	w.says(w.journal().Save(t.Context(), pair, stateOf(1), shift.Said{}), "not loaded")
}

func TestNamesLeadNowhereElse(t *testing.T) {
	w := newWorld(t)
	j := w.journal()
	for _, name := range []string{"../shop", "", "shop/../../x", "Shop", ".", "a.b"} {
		if _, err := j.Load(t.Context(), name); err == nil {
			t.Errorf("%q was taken for a pair", name)
		}
		if _, err := NewHand(w.dir).Get(t.Context(), name); !errors.Is(err, v1alpha1.ErrNotFound) {
			t.Errorf("a person got %v for %q, want %v", err, name, v1alpha1.ErrNotFound)
		}
	}
	w.ok(os.Symlink("/etc/hostname", w.path("shop.journal.json")))
	if _, err := j.Load(t.Context(), pair); err == nil {
		t.Error("a link led out of the directory")
	}
}
