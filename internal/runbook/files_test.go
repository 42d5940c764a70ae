package runbook

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestABookIsKeptBesideAJournalInADirectory(t *testing.T) {
	journal, dir := t.TempDir(), t.TempDir()
	s, err := NewShelf(Options{Journal: journal, Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	b := Book{Pair: "shop", Attempt: 2, Version: "v1"}
	if err := s.Put(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{filepath.Join(journal, "shop.runbook.md"), filepath.Join(dir, "shop.md")} {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(b.Markdown(), string(text)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
	}
}
