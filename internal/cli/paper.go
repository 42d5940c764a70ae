package cli

import (
	"fmt"
	"io"
)

// paper is what a command writes on. It remembers the first error, so that a
// full disk doesn't look like success and no line needs its own check.
type paper struct {
	w   io.Writer
	err error
}

// Write is io.Writer's.
func (p *paper) Write(b []byte) (int, error) {
	if p.err != nil {
		return 0, p.err
	}
	n, err := p.w.Write(b)
	p.err = err
	return n, err
}

// say writes one line.
func (p *paper) say(format string, args ...any) {
	_, _ = fmt.Fprintf(p, format+"\n", args...) // p keeps the error
}

func (p *paper) failure() error {
	if p.err != nil {
		return fmt.Errorf("writing the output: %w", p.err)
	}
	return nil
}
