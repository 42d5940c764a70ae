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

// mostUntimed is how large a part of answers a histogram may miss.
const mostUntimed = 0.1

// within brings a part down to its whole. Counters of one source aren't read at
// exactly the same moment, an error may be counted before its request is, and two
// queries may be answered by two servers: what chance explains is let pass, because
// it must not hide that everything fails. more: the part is larger than that.
func within(part, whole float64) (brought float64, more bool) {
	return min(part, whole), part > 1.02*whole+3*math.Sqrt(whole)+1
}

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
	}
	good := s.count.Requests - s.count.Errors
	if s.timed && s.untimed > mostUntimed*good {
		return fmt.Sprintf("buckets has no series for %.0f of %.0f answers", s.untimed, good)
	}
	const different = "there are more %s (%.0f) than requests (%.0f): the queries count different things"
	errors, more := within(s.count.Errors, s.count.Requests)
	if more {
		return fmt.Sprintf(different, "errors", s.count.Errors, s.count.Requests)
	}
	s.count.Errors = errors
	for i, slow := range s.count.Slow {
		if s.count.Slow[i], more = within(slow, s.count.Requests); more {
			return fmt.Sprintf(different, "slow answers", slow, s.count.Requests)
		}
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
