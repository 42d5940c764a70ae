package probes

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Each run of a story takes so many milliseconds; 0 stands for a run that failed.
func TestLatencyJudgesTheLastAnswers(t *testing.T) {
	t.Parallel()
	const limit = 300 * time.Millisecond
	quick := func(n int) []int { return repeat(100, n) }
	tests := map[string]struct {
		story []int
		// want is the last result's error.
		want string
	}{
		"all are quick":                          {quick(25), ""},
		"all take just as long as they may":      {repeat(300, 20), ""},
		"one slow answer is no failure":          {join(quick(19), []int{412}), ""},
		"nor is one of the first ten":            {join([]int{900}, quick(9)), ""},
		"two slow answers of twenty are":         {join(quick(18), []int{900, 412}), "p95 of the last 20 answers is 412ms, at most 300ms is wanted"},
		"two slow answers of ten are":            {join(quick(8), []int{412, 900}), "p95 of the last 10 answers is 412ms, at most 300ms is wanted"},
		"they are as long as they are among 20":  {join([]int{412, 412}, quick(18)), "p95 of the last 20 answers is 412ms, at most 300ms is wanted"},
		"and no longer":                          {join([]int{412, 412}, quick(19)), ""},
		"fewer than ten aren't judged":           {repeat(900, 9), ""},
		"what failed is no answer":               {join(quick(9), repeat(0, 20), []int{900}), ""},
		"nor makes it older answers go":          {join([]int{900}, quick(9), repeat(0, 20), []int{900}), "p95 of the last 11 answers is 900ms, at most 300ms is wanted"},
		"a limit that is broken by next to none": {repeat(-1, 20), "p95 of the last 20 answers is 300.1ms, at most 300ms is wanted"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := latency{maxP95: limit}
			var got Result
			for i, took := range test.story {
				r := Result{At: at(i), Duration: time.Duration(took) * time.Millisecond}
				switch took {
				case 0:
					r.Err = "down"
				case -1:
					r.Duration = limit + 100*time.Microsecond
				}
				got = l.judge(r)
			}
			if got.Err != test.want {
				t.Errorf("got %q, want %q", got.Err, test.want)
			}
		})
	}
	var none latency
	slow := Result{At: at(0), Duration: time.Hour}
	for range 30 {
		if diff := cmp.Diff(slow, none.judge(slow)); diff != "" {
			t.Fatalf("without a limit (-want +got):\n%s", diff)
		}
	}
}

func repeat(took, n int) []int {
	story := make([]int, n)
	for i := range story {
		story[i] = took
	}
	return story
}

func join(parts ...[]int) []int {
	var story []int
	for _, part := range parts {
		story = append(story, part...)
	}
	return story
}
