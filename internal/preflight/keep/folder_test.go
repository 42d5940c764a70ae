package keep

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/internal/preflight/finding"
)

// Files keep what the ConfigMap keeps: the newest report, and that of the start.
func TestReportsAreKeptInFiles(t *testing.T) {
	dir := t.TempDir()
	folder := NewFolder(dir)
	sentence := func(key string) string {
		r, err := folder.Get(t.Context(), "shop", key)
		if errors.Is(err, ErrNone) {
			return ""
		}
		if err != nil {
			t.Fatal(err)
		}
		return r.Findings[0].Message
	}
	put := func(r finding.Report, start bool, newest, first string) {
		t.Helper()
		digest, err := folder.Put(t.Context(), r, start)
		if err != nil {
			t.Fatal(err)
		}
		document, err := os.ReadFile(filepath.Join(dir, "shop.preflight-report.json"))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([3]string{finding.Digest(document), newest, first}, [3]string{digest, sentence(Newest), sentence(Start)}); diff != "" {
			t.Errorf("digest, the newest and the start's (-want +got):\n%s", diff)
		}
	}
	if got := sentence(Newest); got != "" {
		t.Errorf("before any there is %q", got)
	}
	put(report(1, 0, "one is lacking"), true, "one is lacking", "one is lacking")
	put(report(1, 5, "two are lacking"), true, "two are lacking", "two are lacking")
	put(report(1, 10, "three are lacking"), false, "three are lacking", "two are lacking")
	put(report(2, 15, "three are lacking"), false, "three are lacking", "")
	about, err := os.Stat(filepath.Join(dir, "shop.preflight-report.md"))
	if err != nil || about.Mode().Perm() != 0o600 {
		t.Errorf("the report for people: %v, %v", about, err)
	}
	if _, err := folder.Get(t.Context(), "../shop", Newest); !errors.Is(err, ErrNone) {
		t.Errorf("a name that leads elsewhere gives %v", err)
	}
}
