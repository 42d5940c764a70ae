package gates

import (
	"fmt"
	"io"
)

// summary is what the last line says.
type summary struct {
	falseUpper float64
	falseRow   string
	hits, n    int
	wrong      float64
	wrongRow   string
	x5, x2     string
	disaster   string
}

func (s *summary) add(t table, tallies []tally) {
	x5, x2 := plain(1000, 0.25, 0.001).name+", x5", plain(1000, 0.25, 0.001).name+", x2"
	for _, one := range tallies {
		if t.healthy || t.name == "latency" && one.row.onset < 0 {
			s.hits, s.n = s.hits+one.alarms, s.n+one.hours
			if upper := upper95(one.alarms, one.hours); upper > s.falseUpper {
				s.falseUpper, s.falseRow = upper, one.row.name
			}
		}
		if share := float64(one.passes) / float64(one.hours); t.wrongPass && share >= s.wrong {
			s.wrong, s.wrongRow = share, one.row.name
		}
		switch one.row.name {
		case x5:
			s.x5 = minutes(one)
		case x2:
			if t.name == "detect" {
				s.x2 = minutes(one)
			}
		case disasterRow(0.2).name:
			s.disaster = minutes(one)
		}
	}
}

func minutes(t tally) string {
	at, found := median(t.times, t.hours)
	if !found {
		return "never"
	}
	return fmt.Sprintf("%.2fmin", float64(at)*interval.Minutes())
}

func (s *summary) print(out io.Writer) {
	if s.n > 0 {
		fmt.Fprintf(out, "\nworst row for false rollbacks: %s; of all %d healthy hours %s %% went back (upper 95 %%: %s)\n",
			s.falseRow, s.n, percent(s.hits, s.n), fraction(upper95(s.hits, s.n)))
	}
	if s.wrongRow != "" {
		fmt.Fprintf(out, "worst row for wrong passes: %s\n", s.wrongRow)
	}
	fmt.Fprintf(out, "falseRollbackUpper95=%s%% detectX5Median=%s detectX2Median=%s wrongPass=%s%% tripwireMedian=%s\n",
		fraction(s.falseUpper), s.x5, s.x2, fraction(s.wrong), s.disaster)
}
