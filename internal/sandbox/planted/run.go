package planted

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// ErrFailed says that the preflight found too little or too much; the table says
// what.
var ErrFailed = errors.New("the preflight did not find exactly what was planted")

// tally is what the run has come to.
type tally struct {
	planted, found, wrong, falseBlocks int
}

// run is one run under way.
type run struct {
	*world
	began time.Time
	tally tally
	// known are the findings on the clusters filled alike.
	known map[string]finding
	table table
}

// Run fills two clusters alike, plants the differences and judges what the
// preflight finds. It ends with one line of sums; ErrFailed says that they are not
// as they must be.
func Run(ctx context.Context, o Options) (err error) {
	began := time.Now()
	w, err := startWorld(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	w.say("two control planes with controllers and nodes: %s", since(began))
	if err := w.fill(ctx); err != nil {
		return err
	}
	if err := w.settle(ctx, nil); err != nil {
		return err
	}
	w.say("filled alike: %s", since(began))
	r := &run{world: w, began: began}
	return r.play(ctx)
}

// play looks at the clusters alike, plants all rows, and sums up.
func (r *run) play(ctx context.Context) error {
	if err := r.alike(ctx); err != nil {
		return err
	}
	if err := r.alikeOtherwise(ctx); err != nil {
		return err
	}
	if err := r.plantAll(ctx); err != nil {
		r.table.print(r.options.Out)
		return err
	}
	r.table.print(r.options.Out)
	r.say("%s in all", since(r.began))
	r.say("planted=%d found=%d wrong=%d falseBlocks=%d", r.tally.planted, r.tally.found, r.tally.wrong, r.tally.falseBlocks)
	if t := r.tally; t.planted == 0 || t.found != t.planted || t.wrong != 0 || t.falseBlocks != 0 {
		return ErrFailed
	}
	return nil
}

func (r *run) plantAll(ctx context.Context) error {
	for i, batch := range batches(rows(), r.options.Only) {
		if err := r.batch(ctx, i, batch); err != nil {
			return err
		}
	}
	return r.mended(ctx)
}

func since(began time.Time) time.Duration { return time.Since(began).Round(100 * time.Millisecond) }

// batch plants some rows, runs the preflight once, judges, and takes all back.
func (r *run) batch(ctx context.Context, number int, rows []row) error {
	s := r.newStage()
	planted := rows[:0:0]
	for _, row := range rows {
		if err := row.plant(ctx, s); err != nil {
			r.tally.planted++
			r.table.add(row, nil, fmt.Sprintf("not planted: %s", err))
			continue
		}
		planted = append(planted, row)
	}
	if err := r.settle(ctx, s.restless); err != nil {
		return fmt.Errorf("after planting %s: %w", names(rows), err)
	}
	report, err := r.preflight(ctx, fmt.Sprintf("planted-%02d-%s", number, rows[0].check), s.settings)
	if err != nil {
		return fmt.Errorf("after planting %s: %w", names(rows), err)
	}
	r.judge(s, planted, report)
	if err := s.mend(ctx); err != nil {
		return err
	}
	return r.settle(ctx, nil)
}

func names(rows []row) (names []string) {
	for _, row := range rows {
		names = append(names, row.name)
	}
	return names
}

// judge looks for each row's finding, and for findings that no row stands for.
func (r *run) judge(s *stage, rows []row, report report) {
	found := report.byID()
	var expected []string
	for _, row := range rows {
		r.tally.planted++
		want := s.expand(row.want)
		expected = append(expected, want)
		for _, id := range row.also {
			expected = append(expected, s.expand(id))
		}
		f, ok := found[want]
		_, before := r.known[want]
		switch {
		case !ok:
			r.table.add(row, nil, "")
		case before:
			r.table.add(row, nil, "it was there before anything was planted")
		default:
			r.tally.found++
			r.table.add(row, &f, "")
		}
		if row.stays {
			r.known[want] = f
		}
	}
	r.surprises(found, expected)
}

// surprises counts findings that nobody planted.
func (r *run) surprises(found map[string]finding, expected []string) {
	for _, id := range slices.Sorted(maps.Keys(found)) {
		_, before := r.known[id]
		if !before && !slices.ContainsFunc(expected, func(e string) bool { return fits(e, id) }) {
			r.tally.wrong++
			r.table.wrong = append(r.table.wrong, found[id])
		}
	}
}

// fits tells whether an id is the expected one; a * stands for any text.
func fits(expected, id string) bool {
	parts := strings.Split(expected, "*")
	rest, begins := strings.CutPrefix(id, parts[0])
	if len(parts) == 1 || !begins {
		return begins && rest == ""
	}
	last := len(parts) - 1
	for _, part := range parts[1:last] {
		_, after, found := strings.Cut(rest, part)
		if !found {
			return false
		}
		rest = after
	}
	return strings.HasSuffix(rest, parts[last])
}

// mended looks again after everything was taken back: all must be as in the
// beginning.
func (r *run) mended(ctx context.Context) error {
	report, err := r.preflight(ctx, "mended", r.usual())
	if err != nil {
		return err
	}
	r.surprises(report.byID(), nil)
	return nil
}
