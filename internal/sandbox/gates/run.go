package gates

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// Options are what a run needs.
type Options struct {
	// Hours is how many hours each row is played, at least 1.
	Hours int
	// Seed decides all draws; 0 takes one from the clock, and says which.
	Seed uint64
	// Only names the tables to make; empty: all.
	Only []string
	// Out gets the tables and, as its last line, the figures.
	Out io.Writer
}

// Names lists the tables in their order.
func Names() []string {
	var names []string
	for _, t := range tables() {
		names = append(names, t.name)
	}
	return names
}

// Run plays all tables. It prints figures and judges none of them: an aim that is
// missed is no error.
func Run(ctx context.Context, options Options) error {
	if options.Hours < 1 {
		return errors.New("hours: at least 1")
	}
	for _, name := range options.Only {
		if !slices.Contains(Names(), name) {
			return fmt.Errorf("there is no table %q; there are %s", name, strings.Join(Names(), ", "))
		}
	}
	began := time.Now()
	if options.Seed == 0 {
		options.Seed = uint64(began.UnixNano())
	}
	fmt.Fprintf(options.Out, "gates-sim: %d hours a row, seed %d\n", options.Hours, options.Seed)
	var all summary
	for _, t := range tables() {
		if len(options.Only) > 0 && !slices.Contains(options.Only, t.name) {
			continue
		}
		fmt.Fprintf(options.Out, "\n%s\n", t.title)
		tallies, err := playAll(ctx, t.rows, options.Hours, options.Seed)
		if err != nil {
			return fmt.Errorf("playing %s: %w", t.name, err)
		}
		w := tabwriter.NewWriter(options.Out, 0, 0, 2, ' ', 0)
		t.print(w, tallies)
		if err := w.Flush(); err != nil {
			return fmt.Errorf("printing %s: %w", t.name, err)
		}
		all.add(t, tallies)
		fmt.Fprintf(options.Out, "(%s: %d rows, %s so far)\n", t.name, len(t.rows), time.Since(began).Round(time.Second))
	}
	all.print(options.Out)
	return nil
}
