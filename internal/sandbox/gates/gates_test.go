package gates

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// steady shows a rival the same counts until it goes back, and gives the interval.
func steady(r rival, seen func(at int) pair) int {
	for at := range intervals {
		if r.alarm(at, seen(at)) {
			return at + 1
		}
	}
	return -1
}

func bad(n, bad float64) count { return count{requests: n, bad: [kinds]float64{bad}} }

func TestRivals(t *testing.T) {
	t.Parallel()
	healthy := func(int) pair { return pair{green: bad(1000, 5), blue: bad(1000, 5)} }
	worse := func(int) pair { return pair{green: bad(1000, 20), blue: bad(1000, 5)} }
	slow := func(int) pair {
		return pair{green: count{requests: 1000, bad: [kinds]float64{0, 100, 50, 20, 0, 0, 0}}}
	}
	for name, test := range map[string]struct {
		rival rival
		seen  func(int) pair
		want  int
	}{
		"a threshold goes back at the fifth failed check":       {&threshold{limit: 0.01}, worse, 5 * perMinute},
		"a threshold that isn't reached doesn't":                {&threshold{limit: 0.01}, healthy, -1},
		"a good check forgives nothing":                         {&threshold{limit: 0.01}, alternating(worse, healthy), 9 * perMinute},
		"ranks answer at minute 10":                             {&ranks{ratio: badRatio}, worse, 10 * perMinute},
		"ranks find nothing where there is nothing":             {&ranks{ratio: badRatio}, healthy, -1},
		"the repeated test answers as soon as it is sure":       {&repeated{}, worse, 1},
		"the repeated test finds nothing in equal counts":       {&repeated{}, healthy, -1},
		"no counts at all are no reason":                        {&repeated{}, func(int) pair { return pair{} }, -1},
		"a slow percentile goes back at the fifth failed check": {&slowest{limit: 0.9}, slow, 5 * perMinute},
		"a percentile below its limit doesn't":                  {&slowest{limit: 2}, slow, -1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := steady(test.rival, test.seen); got != test.want {
				t.Errorf("got %d, want %d", got, test.want)
			}
		})
	}
}

func alternating(a, b func(int) pair) func(int) pair {
	return func(at int) pair {
		if at/perMinute%2 == 0 {
			return a(at)
		}
		return b(at)
	}
}

func TestARunIsRepeatedByItsSeed(t *testing.T) {
	t.Parallel()
	times := regexp.MustCompile(`(?m)^\(.* so far\)$`)
	run := func(seed uint64) string {
		var out bytes.Buffer
		if err := Run(t.Context(), Options{Hours: 1, Seed: seed, Only: []string{"late", "wrong-pass"}, Out: &out}); err != nil {
			t.Fatal(err)
		}
		return times.ReplaceAllString(out.String(), "")
	}
	first := run(7)
	if diff := cmp.Diff(first, run(7)); diff != "" {
		t.Error(diff)
	}
	if first == run(8) {
		t.Error("another seed plays the same hours")
	}
	last := first[strings.LastIndex(strings.TrimSpace(first), "\n")+1:]
	if !regexp.MustCompile(`^falseRollbackUpper95=[0-9.]+% detectX5Median=\S* detectX2Median=\S* wrongPass=[0-9.]+% tripwireMedian=\S*\n$`).MatchString(last) {
		t.Errorf("the last line is %q", last)
	}
}

func TestTheTablesHaveTheReferencesRows(t *testing.T) {
	t.Parallel()
	rows := map[string]int{}
	seen := map[string]bool{}
	for _, t2 := range tables() {
		rows[t2.name] = len(t2.rows)
		for _, w := range t2.rows {
			if name := t2.name + ": " + w.name; seen[name] {
				t.Errorf("%s: two rows have one name, and so the same draws", name)
			} else {
				seen[name] = true
			}
		}
	}
	least := map[string]int{"even": 18, "ramp": 14, "detect": 21, "late": 7, "latency": 20, "own": 12, "faults": 6, "pass": 8, "wrong-pass": 8}
	for name, n := range least {
		if rows[name] < n {
			t.Errorf("%s: %d rows, want at least %d", name, rows[name], n)
		}
	}
}

func TestWhatCannotBePlayedIsSaid(t *testing.T) {
	t.Parallel()
	for name, options := range map[string]Options{
		"no hours":   {},
		"no a table": {Hours: 1, Only: []string{"none"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			options.Out = &bytes.Buffer{}
			if Run(t.Context(), options) == nil {
				t.Error("it is played")
			}
		})
	}
}

// TestAHealthyAndASickHour plays the hours that the aims speak of, few of them.
func TestAHealthyAndASickHour(t *testing.T) {
	t.Parallel()
	sick := plain(1000, 0.25, 0.001).from(0, "x5", 5, 0)
	tallies, err := playAll(t.Context(), []row{plain(1000, 0.25, 0.001), sick, disasterRow(0.2)}, 6, 1)
	if err != nil {
		t.Fatal(err)
	}
	healthy, found, disaster := tallies[0], tallies[1], tallies[2]
	if healthy.alarms != 0 || healthy.passes != 6 {
		t.Errorf("of 6 healthy hours %d went back and %d passed", healthy.alarms, healthy.passes)
	}
	if at, all := median(found.times, found.hours); !all || at > 10 || found.passes > 0 {
		t.Errorf("five times the errors are found after %d intervals, and %d passed", at, found.passes)
	}
	if at, all := median(disaster.times, disaster.hours); !all || at > 2 {
		t.Errorf("a disaster is found after %d intervals", at)
	}
}
