package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/clusterswitch/clusterswitch/internal/api/v1alpha1"
)

// FuzzWords: of whatever a person types for a pair, a step, a side or a length of
// time, a command asks for a step that there is or for nothing, and says by its
// exit status whether it did. And of whatever a daemon wrote, nothing is read that
// can't be.
func FuzzWords(f *testing.F) {
	for _, word := range []string{"2", "0", "-1", "1e1", "99999999999999999999", "0x3", "5", "+4", " 3", "2/4", "-1/4", "4/2", "3/3", "1h", "-5m", "endless", "blue", "none", "1m0s", "3 d"} {
		f.Add("shop", word)
	}
	f.Add("../shop", "2")
	f.Add("--help", "2")
	f.Add("", "")
	f.Fuzz(func(t *testing.T, pair, word string) {
		if n, of, ok := parseOf(word); ok && (n < 0 || of < 0) {
			t.Errorf("%q was read as step %d of %d", word, n, of)
		}
		if r := newReplicas(word); r != nil && (r.Ready < 0 || r.Wanted < 0) {
			t.Errorf("%q was read as %+v", word, r)
		}
		dir := t.TempDir()
		journal := `{"apiVersion":"clusterswitch.io/v1alpha1","kind":"TrafficSwitch","metadata":{"name":"shop"},"status":{"phase":"Shifting","step":"1/4","attempt":2,"reason":"ApprovalNeeded","share":25,"singletons":[{"key":"CronJob a/b","side":"blue","stage":"held"}],"journal":{"schema":4,"phase":"Idle"}}}`
		for name, content := range map[string]string{"shop.journal.json": journal, "shop.request.json": "{}"} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		for _, args := range [][]string{{"approve", pair, "--step=" + word}, {"singletons", pair, "--take=" + word}, {"rollback", pair, "--timeout=" + word}} {
			got := run(t.Context(), append(args, "--journal-directory="+dir)...)
			content, err := os.ReadFile(filepath.Join(dir, "shop.request.json"))
			if err != nil {
				t.Fatal(err)
			}
			var spec v1alpha1.TrafficSwitchSpec
			if err := json.Unmarshal(content, &spec); err != nil {
				t.Fatalf("%q left %q: %v", args, content, err)
			}
			if a := spec.Approved; a != (v1alpha1.Approval{}) && (a.Attempt != 2 || a.Step < 2 || a.Step > 4) || spec.Rollback ||
				spec.Vouch != (v1alpha1.Vouch{}) && (spec.Vouch.Take != "blue" && spec.Vouch.Take != "green" || spec.Vouch.Attempt != 2) {
				t.Errorf("%q asks for %+v", args, spec)
			}
			if got.status < 0 || got.status > 2 || got.status != 0 && got.err == "" {
				t.Errorf("%q ended with %+v", args, got)
			}
		}
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if !strings.HasPrefix(e.Name(), "shop.") && e.Name() != ".requests.lock" {
				t.Errorf("%q made the file %s", pair, e.Name())
			}
		}
	})
}
