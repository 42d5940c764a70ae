package config

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// Fault is one thing that is wrong with a document.
type Fault struct {
	// File is where the value was written: the document's name, or $NAME for an environment variable.
	File string

	// Line counts from 1; 0 means that the place has no lines.
	Line int

	// Path leads to the key, such as pairs[0].steps[2].share; it is empty for the document as a whole.
	Path string

	// Message says what is wrong and, after a semicolon, what to do.
	Message string
}

// Error gives the fault as one line: file:line: path: message.
func (f Fault) Error() string {
	var b strings.Builder
	b.WriteString(f.File)
	if f.Line > 0 {
		b.WriteString(":" + strconv.Itoa(f.Line))
	}
	b.WriteString(": ")
	if f.Path != "" {
		b.WriteString(f.Path + ": ")
	}
	b.WriteString(f.Message)
	return b.String()
}

// Faults are all the faults of a document, sorted by line. Load and Parse return them as their error.
type Faults []Fault

// Error gives one fault a line.
func (fs Faults) Error() string {
	lines := make([]string, len(fs))
	for i, f := range fs {
		lines[i] = f.Error()
	}
	return strings.Join(lines, "\n")
}

// sorted orders the faults as a reader meets them.
func (fs Faults) sorted() Faults {
	slices.SortStableFunc(fs, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Path, b.Path))
	})
	return fs
}
