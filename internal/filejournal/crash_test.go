package filejournal

import (
	"bufio"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

var errEnded = errors.New("the machine ended")

// mortalDisk keeps in memory what a disk would have, apart by what is durable
// and what the machine's end may take. It ends at one of its operations.
type mortalDisk struct {
	left int // operations until the end
	// entries are the names as the durable directory has them; pending are the
	// changes since.
	entries map[string]*blob
	pending []map[string]*blob
	blobs   []*blob
}

// blob is a file's content: what is durable, and what was written.
type blob struct{ durable, written []byte }

func (d *mortalDisk) tick() error {
	d.left--
	if d.left < 0 {
		return errEnded
	}
	return nil
}

func (d *mortalDisk) now() map[string]*blob {
	if len(d.pending) > 0 {
		return d.pending[len(d.pending)-1]
	}
	return d.entries
}

func (d *mortalDisk) change(with func(map[string]*blob)) {
	next := maps.Clone(d.now())
	with(next)
	d.pending = append(d.pending, next)
}

func (d *mortalDisk) Create(name string) (file, error) {
	if err := d.tick(); err != nil {
		return nil, err
	}
	b := &blob{}
	d.blobs = append(d.blobs, b)
	d.change(func(entries map[string]*blob) { entries[name] = b })
	return mortalFile{d, b}, nil
}

func (d *mortalDisk) Rename(from, to string) error {
	if err := d.tick(); err != nil {
		return err
	}
	d.change(func(entries map[string]*blob) {
		entries[to] = entries[from]
		delete(entries, from)
	})
	return nil
}

func (d *mortalDisk) Sync() error {
	if err := d.tick(); err != nil {
		return err
	}
	d.entries, d.pending = d.now(), nil
	return nil
}

type mortalFile struct {
	disk *mortalDisk
	blob *blob
}

func (f mortalFile) Write(content []byte) (int, error) {
	half := len(content) / 2
	f.blob.written = append(f.blob.written, content[:half]...)
	if err := f.disk.tick(); err != nil {
		return half, err
	}
	f.blob.written = append(f.blob.written, content[half:]...)
	return len(content), nil
}

func (f mortalFile) Sync() error {
	if err := f.disk.tick(); err != nil {
		return err
	}
	f.blob.durable = slices.Clone(f.blob.written)
	return nil
}

func (f mortalFile) Close() error { return f.disk.tick() }

// remains gives every directory that the machine's end may leave: the changes of
// names up to one of them, and of each file what is durable, half or all of
// what was written.
func (d *mortalDisk) remains() []map[string][]byte {
	var all []map[string][]byte
	for _, entries := range append([]map[string]*blob{d.entries}, d.pending...) {
		for _, part := range []func(*blob) []byte{
			func(b *blob) []byte { return b.durable },
			func(b *blob) []byte {
				return append(slices.Clone(b.durable), b.written[len(b.durable):][:(len(b.written)-len(b.durable))/2]...)
			},
			func(b *blob) []byte { return b.written },
		} {
			one := map[string][]byte{}
			for name, b := range entries {
				one[name] = part(b)
			}
			all = append(all, one)
		}
	}
	return all
}

// TestTheMachinesEndLeavesTheOldStateOrTheNew ends the machine at each operation
// of a save, and looks at each directory that may be there afterwards.
func TestTheMachinesEndLeavesTheOldStateOrTheNew(t *testing.T) {
	before := shift.Found{Present: true, State: stateOf(1)}
	after := shift.Found{Present: true, State: stateOf(2)}
	seen := map[int64]int{}
	ends, directories := 0, 0
	for finished := false; !finished; ends++ {
		w := newWorld(t)
		j := w.journal()
		w.load(j)
		w.save(j, stateOf(1))
		stored := []byte(w.read("shop.journal.json"))
		disk := &mortalDisk{left: ends, entries: map[string]*blob{"shop.journal.json": {stored, stored}}}
		j.folder.disk = disk
		err := j.Save(t.Context(), pair, stateOf(2), shift.Said{})
		finished = err == nil
		for _, files := range disk.remains() {
			directories++
			next := newWorld(t)
			w.ok(os.Mkdir(next.dir, 0o700))
			for name, content := range files {
				next.write(name, string(content))
			}
			got := next.load(next.journal())
			w.is("whether it can be read", "", got.Unreadable)
			want := before
			if got.State.Version == 2 {
				want = after
			}
			w.is(fmt.Sprintf("after the end at operation %d", ends), want, got)
			if finished {
				w.is("what was acknowledged", after, got)
			}
			seen[got.State.Version]++
		}
		w.ok(j.Close())
	}
	if ends < 7 || seen[1] == 0 || seen[2] == 0 {
		t.Errorf("%d ends left the old state %d times and the new one %d times: that tries too little", ends, seen[1], seen[2])
	}
	t.Logf("ends=%d directories=%d old=%d new=%d", ends, directories, seen[1], seen[2])
}

func TestHalfAFileUnderItsOtherNameIsIgnored(t *testing.T) {
	w := newWorld(t)
	j := w.journal()
	w.load(j)
	w.save(j, stateOf(1))
	for _, half := range []string{"", `{"apiVersion": "cluster`, w.read("shop.journal.json")} {
		w.write(".shop.journal.json.tmp", half)
		w.write(".shop.request.json.tmp", `{"rollback": tr`)
		w.is("what is stored", shift.Found{Present: true, State: stateOf(1)}, w.load(j))
		j.look(func(string) {})
		if _, unknown := j.Request(pair); unknown != "" {
			t.Errorf("half a request was read: %s", unknown)
		}
		list, err := NewHand(w.dir).List(t.Context())
		w.ok(err)
		w.is("pairs", 1, len(list))
	}
	w.save(j, stateOf(2))
}

// saver names the directory for the process that TestAKilledProcess starts.
const saver = "CLUSTERSWITCH_TEST_SAVER"

// TestAKilledProcessLosesNothingThatItWasToldIsSaved kills a process, as kill -9
// does, in the middle of its saves.
func TestAKilledProcessLosesNothingThatItWasToldIsSaved(t *testing.T) {
	if dir := os.Getenv(saver); dir != "" {
		save(t, dir)
		return
	}
	w := newWorld(t)
	acknowledged := int64(0)
	for round := range 8 {
		acknowledged = max(acknowledged, w.killed(acknowledged, 20+7*round))
		j := w.journal()
		found := w.load(j)
		if !found.Present || found.State.Version < acknowledged || found.State.Version > acknowledged+1 {
			t.Fatalf("round %d: %d saves were acknowledged, and there is %+v", round, acknowledged, found)
		}
		w.is("the state", stateOf(found.State.Version), found.State)
		acknowledged = found.State.Version
		w.ok(j.Close())
	}
}

// killed lets a process save until it has done so a number of times, kills it,
// and gives the last save that it was told of.
func (w *world) killed(last int64, times int) int64 {
	w.Helper()
	cmd := exec.CommandContext(w.Context(), os.Args[0], "-test.run=^TestAKilledProcessLosesNothingThatItWasToldIsSaved$")
	cmd.Env = append(os.Environ(), saver+"="+w.dir)
	out, err := cmd.StdoutPipe()
	w.ok(err)
	w.ok(cmd.Start())
	lines := bufio.NewScanner(out)
	for told := 0; lines.Scan(); {
		if n, is := strings.CutPrefix(lines.Text(), "saved "); is {
			version, err := strconv.ParseInt(n, 10, 64)
			w.ok(err)
			last = max(last, version)
			told++
		}
		if told == times {
			w.ok(cmd.Process.Kill())
		}
	}
	if err := cmd.Wait(); err == nil {
		w.Fatal("the process ended by itself")
	}
	return last
}

// save is the process that is killed.
func save(t *testing.T, dir string) {
	w := &world{T: t, dir: filepath.Clean(dir)}
	j, err := Open(Options{Directory: dir, Every: time.Hour, Logger: zap.NewNop()})
	w.ok(err)
	version := w.load(j).State.Version
	for range 100_000 {
		version++
		w.save(j, stateOf(version))
		_, _ = fmt.Printf("saved %d\n", version)
	}
}
