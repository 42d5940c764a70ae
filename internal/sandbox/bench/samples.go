package bench

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// samples are durations by what they measure.
type samples struct {
	total []time.Duration // request → last write acknowledged
	patch []time.Duration // request → the API server's answer to it
	seen  []time.Duration // request → the daemon's first call to AWS
	work  []time.Duration // that first call → last write acknowledged
	same  []time.Duration // raw: the same reads and writes as the daemon's
	least []time.Duration // raw: read both, write both
	write []time.Duration // raw: write both
	told  []time.Duration // raw: request → a watch tells of it
	whole []time.Duration // raw: request → watch → the same reads and writes
}

func (s *samples) add(asked, patched, first, last time.Time) {
	s.total = append(s.total, last.Sub(asked))
	s.patch = append(s.patch, patched.Sub(asked))
	s.seen = append(s.seen, first.Sub(asked))
	s.work = append(s.work, last.Sub(first))
}

// quantile of the sorted durations, by the nearest rank.
func quantile(sorted []time.Duration, q float64) time.Duration {
	i := int(q*float64(len(sorted))+0.999999) - 1
	return sorted[min(max(i, 0), len(sorted)-1)]
}

func (s *samples) print(o Options) error {
	var b strings.Builder
	fmt.Fprintf(&b, "\n%d rollbacks (%d pairs of two entrances, one at a time), and as many raw measurements in between\n\n", len(s.total), o.Pairs)
	fmt.Fprintf(&b, "%-62s %10s %10s %10s\n", "", "p50", "p99", "max")
	for _, row := range []struct {
		name string
		of   []time.Duration
	}{
		{"rollback: request → last entrance's write acknowledged", s.total},
		{"  of which request → the API server's own answer to it", s.patch},
		{"  of which request → the daemon's first call to AWS", s.seen},
		{"  of which first call → last write acknowledged", s.work},
		{"raw: request → watch event → five reads → two writes", s.whole},
		{"  of which request → watch event", s.told},
		{"raw SDK calls: the daemon's five reads, then its two writes", s.same},
		{"raw SDK calls: read record group and rule, then write both", s.least},
		{"raw SDK calls: write both", s.write},
	} {
		slices.Sort(row.of)
		fmt.Fprintf(&b, "%-62s %10s %10s %10s\n", row.name, ms(quantile(row.of, 0.5)), ms(quantile(row.of, 0.99)), ms(row.of[len(row.of)-1]))
	}
	fmt.Fprintf(&b, "\n÷ the same path by raw calls (request, watch, reads, writes): %.1f at p50, %.1f at p99\n",
		ratio(s.total, s.whole, 0.5), ratio(s.total, s.whole, 0.99))
	fmt.Fprintf(&b, "÷ the same raw calls to AWS, at p50: %.1f from the request, %.1f from the daemon's first call\n",
		ratio(s.total, s.same, 0.5), ratio(s.work, s.same, 0.5))
	fmt.Fprintf(&b, "÷ the fewest raw calls, at p50: %.1f from the request, %.1f from the daemon's first call\n",
		ratio(s.total, s.least, 0.5), ratio(s.work, s.least, 0.5))
	fmt.Fprintf(&b, "The embedded AWS answers in well under a millisecond; at AWS each call takes tens of them, and the ratio falls towards 1.\n")
	_, err := fmt.Fprint(o.Out, b.String())
	return err
}

func ratio(a, b []time.Duration, q float64) float64 {
	return float64(quantile(a, q)) / float64(quantile(b, q))
}

func ms(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000) }
