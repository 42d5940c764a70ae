package prometheus_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/internal/prometheus"
)

// written are series as a test writes them: labels, and a sample for each moment
// from the first on. "-" is none, "/" stands for 20 moments without a sample.
type written map[string]string

// samples gives the samples by their place.
func samples(text string) map[int]string {
	values, at := map[int]string{}, 0
	for word := range strings.FieldsSeq(text) {
		switch word {
		case "/":
			at += 19
		case "-":
		default:
			values[at] = word
		}
		at++
	}
	return values
}

// store answers range queries from series, by expression. earlier answers the
// question for the day before: labels with a value.
type store struct {
	origin   time.Time
	interval time.Duration
	series   map[string]written
	earlier  map[string]string
	// asked are all queries, from and to of the range ones, as places.
	asked []string
}

func (s *store) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	expression := query.Get("query")
	if strings.HasSuffix(r.URL.Path, "/query") {
		s.asked = append(s.asked, expression)
		result := []any{}
		for labels, value := range s.earlier {
			result = append(result, map[string]any{"metric": parsed(labels), "value": []any{1, value}})
		}
		reply(w, "vector", result)
		return
	}
	from, to := s.place(query.Get("start")), s.place(query.Get("end"))
	s.asked = append(s.asked, fmt.Sprintf("%s %d..%d", expression, from, to))
	result := []any{}
	for labels, text := range s.series[expression] {
		values := []any{}
		all := samples(text)
		for at := from; at <= to; at++ {
			if v, ok := all[at]; ok {
				moment := float64(s.origin.Add(time.Duration(at)*s.interval).UnixMilli()) / 1e3
				values = append(values, []any{moment, v})
			}
		}
		if len(values) > 0 {
			result = append(result, map[string]any{"metric": parsed(labels), "values": values})
		}
	}
	reply(w, "matrix", result)
}

func (s *store) place(seconds string) int {
	at, err := strconv.ParseFloat(seconds, 64)
	if err != nil {
		panic(err)
	}
	return int(time.UnixMilli(int64(at*1e3+0.5)).Sub(s.origin) / s.interval)
}

func parsed(labels string) map[string]string {
	all := map[string]string{"__name__": "any"}
	for pair := range strings.FieldsSeq(labels) {
		name, value, _ := strings.Cut(pair, "=")
		all[name] = value
	}
	return all
}

func reply(w http.ResponseWriter, kind string, result any) {
	body, err := json.Marshal(map[string]any{"status": "success", "data": map[string]any{"resultType": kind, "result": result}})
	if err != nil {
		panic(err)
	}
	w.Write(body) //nolint:errcheck // the client says what it missed
}

// origin is where tests begin to count: a whole interval.
func origin() time.Time { return time.Unix(1_800_000_000, 0).UTC() }

const interval = 15 * time.Second

func client(t *testing.T, h http.Handler) *prometheus.Client {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	c, err := prometheus.New(prometheus.Options{URL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// brief writes what was counted in a line: requests/errors/slow..., or the fault.
func brief(counted []prometheus.Counted) []string {
	var lines []string
	for _, c := range counted {
		line := c.Fault
		if line == "" {
			line = fmt.Sprintf("%v/%v", c.Count.Requests, c.Count.Errors)
			for _, slow := range c.Count.Slow {
				line += fmt.Sprintf("/%v", slow)
			}
		}
		lines = append(lines, line)
	}
	return lines
}

func TestCountersCountByDifferences(t *testing.T) {
	const (
		gap      = "a gap: there are no samples of requests"
		gapEnd   = gap + " at its end"
		gapStart = gap + " at its start"
		noSeries = "requests has no series; check the name of its metric and its labels"
	)
	tenPods := func(one string) written {
		w := written{"pod=0": one}
		for i := 1; i < 10; i++ {
			w[fmt.Sprintf("pod=%d", i)] = "1000 1010 1020 1030 1040 1050"
		}
		return w
	}
	none, always := written{}, strings.Repeat("0 ", 30)
	for name, test := range map[string]struct {
		requests, errors written
		earlier          map[string]string
		absent           bool
		from             int
		want             []string
	}{
		"what was added in each interval": {
			requests: written{"pod=a": "100 110 130 130", "pod=b": "7 7 8 108"}, errors: written{"pod=a": "5 5 6 6", "pod=b": "0 0 0 50"},
			want: []string{"10/0", "21/1", "100/50"},
		},
		"of the first sample nothing": {
			requests: written{"pod=a": "- 5000 5010 5030"}, errors: written{"pod=a": "- 40 41 41"},
			want: []string{gapStart, "10/1", "20/0"},
		},
		"of a new pod nothing before its second sample": {
			requests: written{"pod=a": "0 10 20 30", "pod=b": "- 9000 9001 9003"}, errors: written{"pod=a": "0 0 0 0", "pod=b": "- 900 901 901"},
			want: []string{"10/0", "11/1", "12/0"},
		},
		"a pod that is gone no more": {
			requests: written{"pod=a": "0 10 20 30", "pod=b": "0 10 20 30", "pod=c": "0 10 -"}, absent: true,
			want: []string{"30/0", "20/0", "20/0"},
		},
		"errors from 0 that were not there": {
			requests: written{"pod=a": "0 100 200 300"}, errors: written{"pod=a": "- - 3 7"},
			want: []string{"100/0", "100/3", "100/4"},
		},
		"errors on from what they were in the day before": {
			requests: written{"pod=a": "0 100 200 300"}, errors: written{"pod=a": "- - 50 57"}, earlier: map[string]string{"pod=a": "48"},
			want: []string{"100/0", "100/2", "100/7"},
		},
		"errors of a restarted pod that had more in the day before": {
			requests: written{"pod=a": "0 100 200 300"}, errors: written{"pod=a": "- - 50 57"}, earlier: map[string]string{"pod=a": "999"},
			want: []string{"100/0", "100/50", "100/7"},
		},
		"no old errors that come back": {
			requests: written{"pod=a": "0 10 20 30", "pod=b": "0 10 20 30"}, errors: written{"pod=a": "- - 900 901", "pod=b": "0 0 0 1"},
			want: []string{"20/0", "10/0", "20/2"},
		},
		"no errors where there may be none": {
			requests: written{"pod=a": "0 100 200"}, absent: true,
			want: []string{"100/0", "100/0"},
		},
		"no errors where there were some within a day": {
			requests: written{"pod=a": "0 100 200"}, earlier: map[string]string{"pod=z": "3"},
			want: []string{"100/0", "100/0"},
		},
		"nothing where errors were never seen": {
			requests: written{"pod=a": "0 100 200 - 400"},
			want: []string{
				"errors has no series, and had none within a day; if that means no errors, set errorsMayBeAbsent",
				"errors has no series, and had none within a day; if that means no errors, set errorsMayBeAbsent", gapEnd, gapStart,
			},
		},
		"one pod of ten restarted": {
			requests: tenPods("1000 1010 4 14 24"), errors: tenPods("0 0 1 1 2"),
			want: []string{"100/90", "94/91", "100/90", "100/91"},
		},
		"a restart that only errors show": {
			requests: written{"pod=a": "10 20 45 55", "pod=b": "0 10 20 30"}, errors: written{"pod=a": "8 9 3 3", "pod=b": "0 0 0 0"},
			want: []string{"20/1", "55/3", "20/0"},
		},
		"nothing where all were set back": {
			requests: written{"pod=a": "1000 1010 5 15", "pod=b": "1000 1010 7 17"}, errors: written{"pod=a": "0 0 0 0", "pod=b": "0 0 0 0"},
			want: []string{"20/0", "the counters of 2 of 2 sources were set back", "20/0"},
		},
		"half of them set back": {
			requests: written{"pod=a": "1000 1010 5 15", "pod=b": "1000 1010 1020 1030"}, absent: true,
			want: []string{"20/0", "15/0", "20/0"},
		},
		"nothing of a sum that lost a series": {
			requests: written{"pod=a": "100000 100010 40000 40010", "pod=b": "0 10 20 30"}, absent: true,
			want: []string{"20/0", "10/0", "20/0"},
		},
		"a restart right after the first sample": {
			requests: written{"pod=a": "- 1000 400 410", "pod=b": "0 10 20 30", "pod=c": "0 0 0 0"}, absent: true,
			want: []string{"10/0", "410/0", "20/0"},
		},
		"no sum that lost a series right after the first sample": {
			requests: written{"pod=a": "- 1000 600 610", "pod=b": "0 10 20 30", "pod=c": "0 0 0 0"}, absent: true,
			want: []string{"10/0", "10/0", "20/0"},
		},
		"errors that were away for a moment, from where they were": {
			requests: written{"pod=a": "0 10 20 30", "pod=b": "0 10 20 30"}, errors: written{"pod=a": "5 - 6 7", "pod=b": "0 0 0 0"},
			want: []string{"10/0", "20/1", "20/1"},
		},
		"a gap of one": {
			requests: written{"pod=a": "0 10 - 30 40"}, errors: written{"pod=a": "0 1 - 3 4"},
			want: []string{"10/1", gapEnd, gapStart, "10/1"},
		},
		"a gap of two": {
			requests: written{"pod=a": "0 10 - - 40 50"}, errors: written{"pod=a": "0 1 - - 4 5"},
			want: []string{"10/1", gapEnd, gap, gapStart, "10/1"},
		},
		"what one pod of three counted while it could not be asked, when it is back": {
			requests: written{"pod=a": "0 10 20 30 40", "pod=b": "0 10 20 30 40", "pod=c": "0 10 - - 40"}, errors: written{"pod=a": "0 0 0 0 0", "pod=b": "0 0 0 0 0", "pod=c": "0 1 - - 9"},
			want: []string{"30/1", "20/0", "20/0", "50/8"},
		},
		"nothing while most pods can't be asked": {
			requests: written{"pod=a": "0 10 20 30", "pod=b": "0 10 - 30", "pod=c": "0 10 - 30"}, absent: true,
			want: []string{"30/0", "a gap: 2 of 3 sources of requests went away", "a gap: 2 of 3 sources of requests came back only now"},
		},
		"nothing that was away for longer than five minutes": {
			requests: written{"pod=a": "10 / 5000 5010", "pod=b": always, "pod=c": always}, absent: true, from: 20,
			want: []string{"0/0", "10/0"},
		},
		"what was away for five minutes": {
			requests: written{"pod=a": "- 10 " + strings.Repeat("- ", 19) + "5000 5010", "pod=b": always, "pod=c": always}, absent: true, from: 20,
			want: []string{"4990/0", "10/0"},
		},
		"nothing beside NaN": {
			requests: written{"pod=a": "0 10 NaN 30 40"}, absent: true,
			want: []string{"10/0", `{pod="a"} is NaN, which no counter can be`, `{pod="a"} is NaN, which no counter can be`, "10/0"},
		},
		"nothing beside errors without end": {
			requests: written{"pod=a": "0 10 20 30 40"}, errors: written{"pod=a": "0 1 +Inf 3 4"},
			want: []string{"10/1", `{pod="a"} is +Inf, which no counter can be`, `{pod="a"} is +Inf, which no counter can be`, "10/1"},
		},
		"nothing beside less than nothing": {
			requests: written{"pod=a": "0 10 -20 30 40"}, absent: true,
			want: []string{"10/0", `{pod="a"} is -20, which no counter can be`, `{pod="a"} is -20, which no counter can be`, "10/0"},
		},
		"not more errors than requests": {
			requests: written{"pod=a": "0 10 20 30"}, errors: written{"pod=a": "0 30 40 51"},
			want: []string{"there are more errors (30) than requests (10): the queries count different things", "10/10", "10/10"},
		},
		"all as errors where chance brings a few more": {
			requests: written{"pod=a": "0 100 200 300 10300"}, errors: written{"pod=a": "0 130 230 370 10872"},
			want: []string{"100/100", "100/100", "there are more errors (140) than requests (100): the queries count different things", "there are more errors (10502) than requests (10000): the queries count different things"},
		},
		"nothing where nothing is": {requests: none, errors: written{"pod=a": "0 1 2"}, want: []string{noSeries, noSeries}},
		"nothing of a metric that was renamed": {
			requests: written{"pod=a": "0 10 20 - -"}, errors: written{"pod=a": "0 0 0 - -"},
			want: []string{"10/0", "10/0", gapEnd, gap},
		},
		"nothing where only errors were renamed": {
			requests: written{"pod=a": "0 10 20 30"}, errors: written{"pod=a": "0 0 - -"},
			want: []string{"10/0", "the counters of 1 of 1 sources lost series or got old ones back", "10/0"},
		},
		"nothing where errors are of other sources": {
			requests: written{"pod=a": "0 10 20"}, errors: written{"instance=a": "0 1 2"},
			want: []string{
				`requests has no series with the labels {instance="a"} that errors or buckets has; all must be grouped by the same labels`,
				`requests has no series with the labels {instance="a"} that errors or buckets has; all must be grouped by the same labels`,
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &store{origin: origin(), interval: interval, earlier: test.earlier, series: map[string]written{"r": test.requests, "e": test.errors}}
			from := origin().Add(time.Duration(test.from) * interval)
			got, err := client(t, s).Counters(t.Context(), prometheus.CounterQuery{
				Requests: "r", Errors: "e", ErrorsMayBeAbsent: test.absent,
				From: from, To: from.Add(time.Duration(len(test.want)) * interval), Interval: interval,
			})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, brief(got)); diff != "" {
				t.Errorf("counted (-want +got):\n%s", diff)
			}
			for i, c := range got {
				if start := from.Add(time.Duration(i) * interval); !c.Start.Equal(start) || !c.End.Equal(start.Add(interval)) {
					t.Errorf("interval %d is from %s to %s", i, c.Start, c.End)
				}
			}
		})
	}
}
