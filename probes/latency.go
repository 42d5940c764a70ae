package probes

import (
	"fmt"
	"slices"
	"time"
)

const (
	// latencyAnswers is how many of the last answers a limit of latency looks at.
	latencyAnswers = 20
	// leastAnswers is how many answers a limit of latency needs to judge, and how many successes in a row a probe with such
	// a limit needs to pass at least.
	leastAnswers = 10
)

// latency holds the times of the last answers against a limit. The zero value has no limit.
type latency struct {
	maxP95  time.Duration
	answers []time.Duration
}

// judge takes in a result. A success that leaves the 95th percentile above the limit is a failure, and says so: that is the
// second slowest of the last 20 answers, so that a single slow one is no failure. The second slowest counts too while there
// are from 10 to 19 answers; fewer aren't judged. What failed by itself is no answer.
func (l *latency) judge(r Result) Result {
	if l.maxP95 == 0 || !r.OK() {
		return r
	}
	if len(l.answers) == latencyAnswers {
		l.answers = slices.Delete(l.answers, 0, 1)
	}
	l.answers = append(l.answers, r.Duration)
	n := len(l.answers)
	if n < leastAnswers {
		return r
	}
	p95 := slices.Sorted(slices.Values(l.answers))[n-2]
	if p95 <= l.maxP95 {
		return r
	}
	shown := p95.Round(time.Millisecond)
	if shown <= l.maxP95 {
		shown = p95
	}
	r.Err = fmt.Sprintf("p95 of the last %d answers is %s, at most %s is wanted", n, shown, l.maxP95)
	return r
}
