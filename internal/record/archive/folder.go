package archive

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/clusterswitch/clusterswitch/internal/record"
)

// folder keeps records in the journal's directory. One process has the directory at
// a time, so nobody writes in between.
type folder struct{ dir string }

// NewFolder makes a Shelf in a journal's directory. It touches nothing yet.
func NewFolder(dir string) *Shelf { return &Shelf{places: folder{dir: dir}} }

// FileName is the name of the file of one of a pair's places, from 1 to Places.
func FileName(pair string, place int) string { return fmt.Sprintf("%s.record-%d.json", pair, place) }

func (f folder) read(_ context.Context, pair string, place int) (kept, error) {
	if filepath.Base(pair) != pair {
		return kept{}, fmt.Errorf("%w for %q: that is no pair's name", ErrNone, pair)
	}
	text, err := os.ReadFile(filepath.Join(f.dir, FileName(pair, place)))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return kept{}, nil
	case err != nil:
		return kept{}, fmt.Errorf("reading the record: %w", err)
	}
	return kept{text: text, version: "there"}, nil
}

// write puts a whole file into the place of another at once: who reads it never sees
// a half.
func (f folder) write(_ context.Context, r record.Record, place int, text []byte, _ string) (string, error) {
	name := FileName(r.Pair, place)
	temporary := filepath.Join(f.dir, "."+name+".tmp")
	err := os.WriteFile(temporary, text, 0o600)
	if err == nil {
		err = os.Rename(temporary, filepath.Join(f.dir, name))
	}
	if err != nil {
		return "", fmt.Errorf("writing the record %s: %w", name, errors.Join(err, os.Remove(temporary)))
	}
	return "there", nil
}
