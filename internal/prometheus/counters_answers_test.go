package prometheus_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/internal/prometheus"
)

// ask counts n intervals from the origin on.
func ask(t *testing.T, h http.Handler, n int, change func(*prometheus.CounterQuery)) ([]prometheus.Counted, error) {
	t.Helper()
	q := prometheus.CounterQuery{
		Requests: "r", Errors: "e", ErrorsMayBeAbsent: true, From: origin(), To: origin().Add(time.Duration(n) * interval), Interval: interval,
	}
	if change != nil {
		change(&q)
	}
	return client(t, h).Counters(t.Context(), q)
}

func TestCountersTellSlowAnswersByTheHistogram(t *testing.T) {
	ms := func(all ...int) []time.Duration {
		var edges []time.Duration
		for _, n := range all {
			edges = append(edges, time.Duration(n)*time.Millisecond)
		}
		return edges
	}
	requests, errors := written{"pod=a": "0 10 20 30"}, written{"pod=a": "0 0 4 5"}
	seconds := written{
		"pod=a le=0.1": "0 7 14 20", "pod=a le=0.30": "0 8 16 22", "pod=a le=1.0": "0 9 18 25", "pod=a le=+Inf": "0 10 20 30",
	}
	for name, test := range map[string]struct {
		requests, errors, buckets written
		query                     string
		edges                     []time.Duration
		want                      []string
		fails                     string
	}{
		"slower than each edge": {
			requests: requests, errors: errors, buckets: seconds, query: "b", edges: ms(300, 1000), want: []string{"10/0/2/1", "10/4/2/1", "10/1/4/3"},
		},
		"edges in any order": {
			requests: requests, errors: errors, buckets: seconds, query: "b", edges: ms(1000, 100), want: []string{"10/0/1/3", "10/4/1/3", "10/1/3/4"},
		},
		"no edges": {requests: requests, errors: errors, buckets: seconds, query: "b", want: []string{"10/0", "10/4", "10/1"}},
		"a histogram in milliseconds": {
			requests: requests, errors: errors, query: "sum by (le) (response_latency_ms_bucket)", edges: ms(100),
			buckets: written{"pod=a le=100": "0 7 14 20", "pod=a le=+Inf": "0 10 20 30"}, want: []string{"10/0/3", "10/4/3", "10/1/4"},
		},
		"an edge that is none": {
			requests: requests, errors: errors, buckets: seconds, query: "b", edges: ms(250),
			fails: "buckets: the histogram has no bucket up to 250ms; it has 100ms, 300ms, 1s",
		},
		"buckets without le": {
			requests: requests, errors: errors, buckets: requests, query: "b", edges: ms(100), fails: `no bucket with the label le="+Inf"; keep le in it`,
		},
		"buckets without a last one": {
			requests: requests, errors: errors, buckets: written{"pod=a le=0.1": "0 7 14 20"}, query: "b", edges: ms(100), fails: `no bucket with the label le="+Inf"`,
		},
		"buckets that come later begin at nothing": {
			requests: requests, errors: errors, query: "b", edges: ms(100),
			buckets: written{"pod=a le=0.1": "- - 7 15", "pod=a le=+Inf": "- - 10 20"},
			want:    []string{"buckets has no series for 10 of 10 answers", "10/4/3", "10/1/2"},
		},
		"old buckets that come later don't": {
			requests: written{"pod=a": "0 10 20 30", "pod=b": "0 10 20 30"}, errors: written{"pod=b": "0 10 20 30"}, query: "b", edges: ms(100),
			buckets: written{"pod=a le=0.1": "0 7 14 20", "pod=a le=+Inf": "0 10 20 30", "pod=b le=0.1": "- - 500 501", "pod=b le=+Inf": "- - 900 901"},
			want:    []string{"20/10/3", "10/0/3", "20/10/4"},
		},
		"a source whose every request fails unanswered": {
			requests: requests, errors: requests, buckets: written{}, query: "b", edges: ms(100), want: []string{"10/10/0", "10/10/0", "10/10/0"},
		},
		"a histogram that is gone": {
			requests: requests, errors: errors, query: "b", edges: ms(100),
			buckets: written{"pod=a le=0.1": "0 7 - -", "pod=a le=+Inf": "0 10 - -"},
			want:    []string{"10/0/3", "buckets has no series for 6 of 6 answers", "buckets has no series for 9 of 9 answers"},
		},
		"nothing of a histogram that lost a series": {
			requests: written{"pod=a": "1000 1010 1020 1030", "pod=b": "0 10 20 30"}, errors: written{}, query: "b", edges: ms(100),
			buckets: written{
				"pod=a le=0.1": "900 905 800 805", "pod=a le=+Inf": "1000 1010 1020 1030", "pod=b le=0.1": "0 10 20 30", "pod=b le=+Inf": "0 10 20 30",
			},
			want: []string{"20/0/5", "10/0/0", "20/0/5"},
		},
		"buckets that were away for a moment, from where they were": {
			requests: written{"pod=a": "100 110 120 130", "pod=b": "0 10 20 30"}, errors: written{}, query: "b", edges: ms(100),
			buckets: written{
				"pod=a le=0.1": "90 - 105 115", "pod=a le=+Inf": "100 - 120 130", "pod=b le=0.1": "0 10 20 30", "pod=b le=+Inf": "0 10 20 30",
			},
			want: []string{"buckets has no series for 10 of 20 answers", "20/0/5", "20/0/0"},
		},
		"more slow answers than requests": {
			requests: requests, errors: errors, query: "b", edges: ms(100),
			buckets: written{"pod=a le=0.1": "0 0 0 0", "pod=a le=+Inf": "0 100 110 121"},
			want:    []string{"there are more slow answers (100) than requests (10): the queries count different things", "10/4/10", "10/1/10"},
		},
		"a pod of two set back": {
			requests: written{"pod=a": "100 110 3 13", "pod=b": "0 10 20 30"}, errors: written{}, query: "b", edges: ms(100),
			buckets: written{
				"pod=a le=0.1": "50 60 2 12", "pod=a le=+Inf": "100 110 3 13", "pod=b le=0.1": "0 10 20 30", "pod=b le=+Inf": "0 10 20 30",
			},
			want: []string{"20/0/0", "13/0/1", "20/0/0"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &store{origin: origin(), interval: interval, series: map[string]written{"r": test.requests, "e": test.errors, test.query: test.buckets}}
			got, err := ask(t, s, 3, func(q *prometheus.CounterQuery) { q.Buckets, q.Edges = test.query, test.edges })
			if (err != nil) != (test.fails != "") || err != nil && !strings.Contains(err.Error(), test.fails) {
				t.Fatalf("error %v, want %q", err, test.fails)
			}
			if diff := cmp.Diff(test.want, brief(got)); diff != "" {
				t.Errorf("counted (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWhatCountersCantBeTakenFromIsAnError(t *testing.T) {
	matrix := func(result string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintf(w, `{"status":"success","data":{"resultType":"matrix","result":[%s]}}`, result)
		}
	}
	status := func(code int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(code)
			fmt.Fprint(w, body)
		}
	}
	for name, test := range map[string]struct {
		answer http.HandlerFunc
		want   string
	}{
		"a vector": {status(200, `{"status":"success","data":{"resultType":"vector","result":[]}}`), `requests: its answer is a "vector" and no matrix`},
		"two metrics with the same labels": {
			matrix(`{"metric":{"__name__":"a","pod":"x"},"values":[]},{"metric":{"__name__":"b","pod":"x"},"values":[]}`),
			`several series have the labels {pod="x"}; put sum by (pod) (...) around them`,
		},
		"a native histogram": {matrix(`{"metric":{},"histograms":[[1,{}]]}`), "is a native histogram"},
		"other moments":      {matrix(`{"metric":{},"values":[[1800000003.1,"1"]]}`), "is of other moments than asked for"},
		"what is no number":  {matrix(`{"metric":{},"values":[[1800000000,"many"]]}`), "other data than asked for"},
		"what is no moment":  {matrix(`{"metric":{},"values":[["1"]]}`), "other data than asked for"},
		"what isn't whole": {
			status(200, `{"status":"success","data":{"resultType":"matrix","result":[]},"warnings":["a store is down"]}`), "its answer is not whole: a store is down",
		},
		"a query that fails":       {status(422, `{"status":"error","errorType":"execution","error":"many-to-many matching not allowed"}`), "422 Unprocessable Entity: many-to-many"},
		"too much at any length":   {status(422, `{"status":"error","errorType":"execution","error":"query processing would load too many samples into memory in query execution"}`), "too many samples"},
		"a proxy without a server": {status(503, "no upstream"), "503 Service Unavailable"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := ask(t, test.answer, 2, nil)
			if err == nil || got != nil || !strings.Contains(err.Error(), test.want) || !strings.HasPrefix(err.Error(), "counting at 127.0.0.1:") {
				t.Errorf("got %v and error %v, want none and one with %q", got, err, test.want)
			}
		})
	}
	for name, q := range map[string]prometheus.CounterQuery{
		"no length":       {Interval: 0, From: origin(), To: origin().Add(time.Hour)},
		"nothing is over": {Interval: interval, From: origin(), To: origin().Add(interval - 1)},
		"backwards":       {Interval: interval, From: origin(), To: origin().Add(-time.Hour)},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := client(t, http.NotFoundHandler()).Counters(t.Context(), q)
			if err != nil || got != nil {
				t.Errorf("got %v and error %v, want neither", got, err)
			}
		})
	}
}

func TestAnIntervalCountsTheSameWhicheverWasTheFirst(t *testing.T) {
	s := &store{origin: origin(), interval: interval, series: map[string]written{
		"r": {
			"pod=a": "0 10 20 30 40 50 60 70 80 90", "pod=b": "0 10 20 - - - 60 70 80 90", "pod=c": "0 10 20 30 40 7 17 27 37 47",
			"pod=d": "- - - 500 510 520 530 540 550 560", "pod=e": "0 0 0 0 0 0 0 0 0 0",
		},
		"e": {"pod=b": "0 1 2 - - - 9 9 9 10", "pod=a": "- - - - - 3 3 4 4 4", "pod=d": "- - - - - - - 2 3 3"},
	}}
	at := func(i int) time.Time { return origin().Add(time.Duration(i) * interval) }
	all, err := ask(t, s, 9, nil)
	if err != nil {
		t.Fatal(err)
	}
	for from := range 9 {
		got, err := ask(t, s, 0, func(q *prometheus.CounterQuery) { q.From, q.To = at(from), at(9) })
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(all[from:], got); diff != "" {
			t.Errorf("from interval %d on (-from the first on +got):\n%s", from, diff)
		}
	}
	var requests, errors float64
	for _, c := range all {
		requests, errors = requests+c.Count.Requests, errors+c.Count.Errors
	}
	// d's first sample is a base, and c had counted 7 since it was set back.
	if requests != 90+90+(40+47)+60 || errors != 4+10+3 {
		t.Errorf("all together there were %v requests and %v errors", requests, errors)
	}
}

func TestLatePointsAreNeverCountedTwice(t *testing.T) {
	s := &store{origin: origin(), interval: interval, series: map[string]written{"r": {"pod=a": "0 10 10 30", "pod=b": "0 10 20 30"}, "e": {}}}
	early, err := ask(t, s, 2, nil)
	if err != nil {
		t.Fatal(err)
	}
	s.series["r"] = written{"pod=a": "0 10 20 30", "pod=b": "0 10 20 30"} // what was read as 10 was 20
	late, err := ask(t, s, 0, func(q *prometheus.CounterQuery) { q.From, q.To = origin().Add(2*interval), origin().Add(3*interval) })
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"20/0", "10/0", "20/0"}, brief(append(early, late...))); diff != "" {
		t.Errorf("counted (-want +got):\n%s", diff)
	}
}

func TestALongHistoryIsReadInParts(t *testing.T) {
	const intervals = 25_000
	var values strings.Builder
	for i := range intervals + 1 {
		fmt.Fprintf(&values, "%d ", 3*i)
	}
	s := &store{origin: origin(), interval: interval, series: map[string]written{"r": {"pod=a": values.String()}, "e": {"pod=a": "0"}}}
	got, err := ask(t, s, intervals, nil)
	if err != nil {
		t.Fatal(err)
	}
	wrong := slices.IndexFunc(got, func(c prometheus.Counted) bool { return c.Fault != "" || c.Count.Requests != 3 })
	if len(got) != intervals || wrong > 0 {
		t.Errorf("there are %d intervals, %d is %v", len(got), wrong, got[max(wrong, 0)])
	}
	want := []string{"r -20..10979", "e -20..10979", "r 10980..21979", "e 10980..21979", "r 21980..25000", "e 21980..25000"}
	if diff := cmp.Diff(want, s.asked); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
}

func TestAnswersThatAreTooLargeAreAskedForInSmallerParts(t *testing.T) {
	s := &store{origin: origin(), interval: interval, series: map[string]written{"r": {"pod=a": strings.Repeat("7 ", 401)}, "e": {}}}
	refused := 0
	tooMuch := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.place(r.URL.Query().Get("end"))-s.place(r.URL.Query().Get("start")) > 110 {
			refused++
			w.WriteHeader(http.StatusUnprocessableEntity)
			fmt.Fprint(w, `{"status":"error","errorType":"execution","error":"query processing would load too many samples into memory in query execution"}`)
			return
		}
		s.ServeHTTP(w, r)
	})
	got, err := ask(t, tooMuch, 400, nil)
	if err != nil {
		t.Fatal(err)
	}
	if wrong := slices.IndexFunc(got, func(c prometheus.Counted) bool { return c.Fault != "" }); len(got) != 400 || wrong >= 0 {
		t.Errorf("there are %d intervals, and %d can't be counted", len(got), wrong)
	}
	if refused != 2 {
		t.Errorf("it was refused %d times; what is too much is to be known from then on", refused)
	}
}
