package cli

import (
	"strings"
	"testing"
)

// A daemon without a management cluster has all of its own in the journal's directory.
func TestABundleHasWhatIsInTheJournalsDirectory(t *testing.T) {
	s := newFileStory(t)
	f := s.stage.(*files)
	for ending, content := range map[string]string{
		".request.json": "{}", ".runbook.md": "# Take shop back to blue by hand\n", ".preflight-report.json": "{}",
	} {
		f.write(f.path("shop", ending), content)
	}
	got := run(t.Context(), "debug", "bundle", "-o", "bundle.tar.gz")
	for _, file := range []string{"status.json", "pairs/shop/trafficswitch.json", "pairs/shop/runbook.md", "pairs/shop/preflight.json"} {
		if !strings.Contains(got.out, file) {
			t.Errorf("it has no %s:\n%s%s", file, got.out, got.err)
		}
	}
	if strings.Contains(got.out, "management cluster") {
		t.Errorf("it misses a management cluster:\n%s", got.out)
	}
}
