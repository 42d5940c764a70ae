package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/internal/api/v1alpha1"
)

// TestStoriesWithoutAManagementCluster plays the same stories at a journal's
// directory: each command does there what it does at a custom resource, and says
// the same but for the place.
func TestStoriesWithoutAManagementCluster(t *testing.T) {
	paths, err := filepath.Glob("testdata/stories/*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatalf("stories: %q, %v", paths, err)
	}
	for _, path := range paths {
		written, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) {
			if diff := cmp.Diff(string(written), newFileStory(t).play(string(written))); diff != "" {
				t.Errorf("%s (-at a custom resource +at files):\n%s", path, diff)
			}
		})
	}
}

// files is a journal's directory, with what people and the daemon do there.
type files struct {
	t   *testing.T
	dir string
}

func newFileStory(t *testing.T) *story {
	dir := alone(t)
	f := &files{t: t, dir: filepath.Join(dir, "journal")}
	if err := os.Mkdir(f.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	document := strings.Replace(validConfig, "namespace: clusterswitch", "directory: "+f.dir, 1)
	f.write("clusterswitch.yaml", document)
	return &story{t: t, stage: f, wording: f.wording}
}

// wording says of a custom resource what was said of files.
func (f *files) wording(text string) string {
	for _, pair := range []string{"shop", "api"} {
		text = strings.NewReplacer(
			"clusterswitch status "+pair+" --watch", "kubectl -n clusterswitch get trafficswitch "+pair+" --watch",
			filepath.Join(f.dir, pair+".request.json"), "the TrafficSwitch",
			"says why in its log.", "says why in its log: kubectl -n clusterswitch logs --selector app.kubernetes.io/name=clusterswitch --tail 50",
			"Take it away: edit that file, and leave handsOff out.",
			`Take it away: kubectl -n clusterswitch patch trafficswitch `+pair+` --type merge -p '{"spec":{"handsOff":null}}'`,
		).Replace(text)
	}
	return strings.NewReplacer("directory "+f.dir, "namespace clusterswitch", "Directory "+f.dir, "Namespace clusterswitch", "file of a pair", "TrafficSwitch").Replace(text)
}

func (f *files) path(name, ending string) string { return filepath.Join(f.dir, name+ending) }

func (f *files) write(path, content string) {
	f.t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		f.t.Fatal(err)
	}
}

func (f *files) read(path string) []byte {
	f.t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		f.t.Fatal(err)
	}
	return content
}

// pair makes a pair's files, as the daemon does.
func (f *files) pair(name string) {
	f.t.Helper()
	f.write(f.path(name, ".request.json"), "{}\n")
	f.asked(name, 1)
	f.write(f.path(name, ".journal.json"), `{"apiVersion": "clusterswitch.io/v1alpha1", "kind": "TrafficSwitch", "metadata": {"name": "`+name+`"},
		"status": {"share": 0, "attempt": 0, "journal": {"schema": 4, "phase": "Idle"}}}`)
}

// edit merges a JSON object into the request or the status.
func (f *files) edit(name, part, content string) {
	f.t.Helper()
	path := f.path(name, ".request.json")
	if part == "status" {
		path, content = f.path(name, ".journal.json"), `{"status": `+content+`}`
	}
	var into, patch map[string]any
	if err := errors.Join(json.Unmarshal(f.read(path), &into), json.Unmarshal([]byte(content), &patch)); err != nil {
		f.t.Fatal(err)
	}
	merged, err := json.Marshal(merge(into, patch))
	if err != nil {
		f.t.Fatal(err)
	}
	f.write(path, string(merged))
	if part == "spec" {
		f.asked(name, 2)
	}
}

// asked says which generation a request is, as the stories count them.
func (f *files) asked(name string, generation int64) {
	f.t.Helper()
	at := time.Unix(0, generation)
	if err := os.Chtimes(f.path(name, ".request.json"), at, at); err != nil {
		f.t.Fatal(err)
	}
}

// merge is the JSON merge patch of RFC 7386.
func merge(into, patch map[string]any) map[string]any {
	for key, value := range patch {
		inner, isObject := value.(map[string]any)
		switch former, had := into[key].(map[string]any); {
		case value == nil:
			delete(into, key)
		case isObject && had:
			into[key] = merge(former, inner)
		default:
			into[key] = value
		}
	}
	return into
}

// spec tells what is asked for, as a custom resource would show it.
func (f *files) spec(name string) string {
	f.t.Helper()
	var spec v1alpha1.TrafficSwitchSpec
	strict := json.NewDecoder(bytes.NewReader(f.read(f.path(name, ".request.json"))))
	strict.DisallowUnknownFields()
	if err := strict.Decode(&spec); err != nil {
		f.t.Fatal(err)
	}
	content, err := json.Marshal(spec)
	if err != nil {
		f.t.Fatal(err)
	}
	return string(content)
}
