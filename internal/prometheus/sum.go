package prometheus

import (
	"fmt"
	"math"
)

// sum adds up what all sources had within one interval.
type sum struct {
	timed bool
	count Count
	// untimed are answers that the histogram doesn't have.
	untimed                       float64
	steady, gone, first, returned int
	setBack, odd                  int
}

func (s *sum) add(ch change) {
	switch ch.kind {
	case gone:
		s.gone++
	case first:
		s.first++
	case returned:
		s.returned++
	case steady:
		s.steady++
	}
	if ch.odd {
		s.odd++
		return
	}
	if ch.setBack {
		s.setBack++
	}
	s.count.Requests += ch.count.Requests
	s.count.Errors += ch.count.Errors
	s.untimed += ch.untimed
	for i, slow := range ch.count.Slow {
		s.count.Slow[i] += slow
	}
}

// Counters of one source aren't read at exactly the same moment, and an error may
// be counted before its request is: so much more of a part than of the whole is
// taken as the whole.
const (
	skewRatio = 1.02
	skew      = 1
	// mostUntimed is how large a part of answers a histogram may miss.
	mostUntimed = 0.1
)

// fault says why the interval can't be counted; empty: it can, and is whole.
func (s *sum) fault() string {
	before, now, counted := s.steady+s.gone, s.steady+s.first+s.returned, s.steady+s.returned
	switch {
	case before == 0 && now == 0:
		return "a gap: there are no samples of requests"
	case now == 0:
		return "a gap: there are no samples of requests at its end"
	case before == 0:
		return "a gap: there are no samples of requests at its start"
	case 2*s.gone > before:
		return fmt.Sprintf("a gap: %d of %d sources of requests went away", s.gone, before)
	case 2*s.returned > now:
		return fmt.Sprintf("a gap: %d of %d sources of requests came back only now", s.returned, now)
	case 2*s.setBack > counted:
		return fmt.Sprintf("the counters of %d of %d sources were set back", s.setBack, counted)
	case 2*s.odd > counted:
		return fmt.Sprintf("the counters of %d of %d sources lost series or got old ones back", s.odd, counted)
	case s.count.Errors > skewRatio*s.count.Requests+skew:
		return fmt.Sprintf("there are more errors (%.0f) than requests (%.0f): the queries count different things", s.count.Errors, s.count.Requests)
	}
	good := s.count.Requests - s.count.Errors
	if s.timed && s.untimed > mostUntimed*good {
		return fmt.Sprintf("buckets has no series for %.0f of %.0f answers", s.untimed, good)
	}
	s.count.Errors = min(s.count.Errors, s.count.Requests)
	for i, slow := range s.count.Slow {
		if slow > skewRatio*s.count.Requests+skew {
			return fmt.Sprintf("there are more slow answers (%.0f) than requests (%.0f): the queries count different things", slow, s.count.Requests)
		}
		s.count.Slow[i] = math.Min(slow, s.count.Requests)
	}
	return ""
}

// absent says what is wrong where there was no sample of requests or of errors at
// all; empty: nothing.
func (t *tally) absent(errorsMayBe bool) (string, error) {
	if !t.requests {
		return "requests has no series; check the name of its metric and its labels", nil
	}
	if t.errors || errorsMayBe {
		return "", nil
	}
	if t.known == nil {
		known, err := t.earlier()
		if err != nil {
			return "", err
		}
		t.known = known
	}
	if len(t.known) > 0 {
		return "", nil
	}
	return "errors has no series, and had none within a day; if that means no errors, set errorsMayBeAbsent", nil
}
