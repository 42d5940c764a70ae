// Package mutants plants mistakes in the real core, the real loop and the
// simulator's adapters, one at a time, and sees whether the simulator finds them:
// "no violation" says only as much as the judge that says it.
//
// A mistake is a text that stands once in a file, and what stands there instead.
// The go command builds the simulator with it by an overlay: no file is changed.
package mutants

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Mutant is one mistake.
type Mutant struct {
	Name string
	// File is below the module's folder. Old stands in it exactly once; New stands
	// there instead.
	File, Old, New string
}

var errNotOnce = errors.New("the text doesn't stand there exactly once")

// planted gives the file's text with the mistake in it.
func (m Mutant) planted(module string) ([]byte, error) {
	text, err := os.ReadFile(filepath.Join(module, filepath.FromSlash(m.File)))
	if err != nil {
		return nil, fmt.Errorf("reading what %q is planted in: %w", m.Name, err)
	}
	if n := strings.Count(string(text), m.Old); n != 1 {
		return nil, fmt.Errorf("planting %q in %s: %w, but %d times", m.Name, m.File, errNotOnce, n)
	}
	return []byte(strings.Replace(string(text), m.Old, m.New, 1)), nil
}

// All lists every mistake.
func All() []Mutant {
	return slices.Concat(whereItRises(), whereItGoesBack(), whereItRemembers(), inLoop(), inAdapters())
}
