package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestStories plays the commands of testdata/stories against a real API server.
//
// A line of a story is a comment (#), a command ($), or what happens in the
// cluster meanwhile (+ pair NAME; + status NAME JSON; + spec NAME JSON), or a
// question (? NAME: what is asked for the pair by now). What follows is the
// answer: standard output (|), standard error (!), and an exit status other
// than 0 (=).
func TestStories(t *testing.T) {
	paths, err := filepath.Glob("testdata/stories/*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatalf("stories: %q, %v", paths, err)
	}
	for _, path := range paths {
		path, err := filepath.Abs(path)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) {
			written, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			played := newStory(t).play(string(written))
			if updating() {
				if err := os.WriteFile(path, []byte(played), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(string(written), played); diff != "" {
				t.Errorf("%s (-written +played), after a look renew it with -update:\n%s", path, diff)
			}
		})
	}
}

// stage is where a story is played: what people and the daemon do there besides.
type stage interface {
	pair(name string)
	edit(name, part, content string)
	// spec tells what is asked for, as JSON.
	spec(name string) string
}

// story is a story that is played, and the transcript.
type story struct {
	stage
	t *testing.T
	// wording leaves out of an answer what is of this stage alone.
	wording    func(string) string
	transcript strings.Builder
}

func newStory(t *testing.T) *story {
	w := newWorld(t)
	s := &story{t: t, stage: w, wording: func(text string) string { return strings.ReplaceAll(text, w.namespace, "clusterswitch") }}
	alone(t)
	t.Setenv("KUBECONFIG", w.kubeconfig)
	document := strings.ReplaceAll(validConfig, "namespace: clusterswitch", "namespace: "+w.namespace)
	if err := os.WriteFile("clusterswitch.yaml", []byte(document), 0o600); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *story) play(written string) string {
	for line := range strings.Lines(written) {
		line = strings.TrimSuffix(line, "\n")
		if strings.HasPrefix(line, "|") || strings.HasPrefix(line, "!") || strings.HasPrefix(line, "=") {
			continue // the answer of the last time
		}
		s.transcript.WriteString(line + "\n")
		words := strings.SplitN(line, " ", 4)
		switch {
		case strings.HasPrefix(line, "$ clusterswitch "):
			s.command(strings.Fields(line)[2:])
		case strings.HasPrefix(line, "+ pair "):
			s.pair(words[2])
		case strings.HasPrefix(line, "+ status "), strings.HasPrefix(line, "+ spec "):
			s.edit(words[2], words[1], words[3])
		case strings.HasPrefix(line, "? "):
			s.answer("|", s.spec(words[1]))
		case line != "" && !strings.HasPrefix(line, "#"):
			s.t.Fatalf("what does this line mean? %s", line)
		}
	}
	return s.transcript.String()
}

func (s *story) command(args []string) {
	result := run(s.t.Context(), args...)
	s.answer("|", result.out)
	s.answer("!", result.err)
	if result.status != 0 {
		s.answer("=", fmt.Sprint(result.status))
	}
}

func (s *story) answer(mark, text string) {
	text = s.wording(text)
	for line := range strings.Lines(text) {
		s.transcript.WriteString(strings.TrimRight(mark+" "+line, " \n") + "\n")
	}
}
