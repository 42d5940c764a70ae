package mutants

import (
	"go/parser"
	"go/token"
	"strings"
	"testing"
)

const module = "../../.."

// TestEachMistakeHasItsPlace: a change of the code must not make a mistake vanish
// from the list unseen. `make mutants` plants them.
func TestEachMistakeHasItsPlace(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for _, m := range All() {
		text, err := m.planted(module)
		if err != nil {
			t.Error(err)
			continue
		}
		if _, err := parser.ParseFile(token.NewFileSet(), m.File, text, 0); err != nil {
			t.Errorf("%s: %v", m.Name, err)
		}
		if names[m.Name] {
			t.Errorf("two mistakes are called %q", m.Name)
		}
		names[m.Name] = true
	}
	if len(names) < 25 {
		t.Errorf("there are %d mistakes, at least 25 are wanted", len(names))
	}
}

// TestAMistakeWithoutAPlaceIsAnError: it must not pass for one that was caught, or
// for one that was not.
func TestAMistakeWithoutAPlaceIsAnError(t *testing.T) {
	t.Parallel()
	for name, m := range map[string]Mutant{
		"a text that stands nowhere":     {Name: "a", File: "switcher/step.go", Old: "nothing of the kind"},
		"a text that stands there often": {Name: "b", File: "switcher/step.go", Old: "return"},
		"a file that isn't there":        {Name: "c", File: "switcher/none.go", Old: "return"},
	} {
		if _, err := m.planted(module); err == nil || !strings.Contains(err.Error(), `"`+m.Name+`"`) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
