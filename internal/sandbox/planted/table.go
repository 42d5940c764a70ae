package planted

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// table is what a person reads before the sums.
type table struct {
	lines []line
	wrong []finding
}

type line struct {
	row   row
	found *finding // nil: it was not found
	why   string
}

func (t *table) add(r row, found *finding, why string) {
	t.lines = append(t.lines, line{row: r, found: found, why: why})
}

func (t *table) print(out io.Writer) {
	columns := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(columns, "CHECK\tPLANTED\tFOUND\tSEVERITY\tFINDING")
	for _, l := range t.lines {
		if l.found != nil {
			fmt.Fprintf(columns, "%s\t%s\tyes\t%s\t%s\n", l.row.check, l.row.name, l.found.Severity, l.found.Message)
			continue
		}
		fmt.Fprintf(columns, "%s\t%s\tNO\t\t%s (wanted %s)\n", l.row.check, l.row.name, l.why, l.row.want)
	}
	_ = columns.Flush()
	for _, f := range t.wrong {
		fmt.Fprintf(out, "WRONG %s %s: %s\n", f.Severity, f.ID, f.Message)
	}
}
