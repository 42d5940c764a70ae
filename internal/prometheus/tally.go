package prometheus

import (
	"cmp"
	"maps"
	"math"
	"slices"
)

// tally takes the differences, moment by moment.
type tally struct {
	sources map[string]*source
	// edges is how many bounds there are; timed: buckets are counted at all.
	edges int
	timed bool
	// remembered is for how many moments a source may be away.
	remembered int
	// earlier gives the last values of errors before the first moment.
	earlier func() (map[string]float64, error)
	known   map[string]float64 // what it gave; nil: it was not asked

	// counts and faults have an item for each moment: of the interval that ends there.
	counts []Count
	faults []string
	// wrong is what was wrong with a sample of the last moment.
	wrong string
	// errors: there was a sample of errors; requests: one of requests.
	errors, requests bool
}

// source is what was seen of one source, such as a pod.
type source struct {
	// at is the moment of the last sample of requests, before is that sample.
	at     int
	before reading
	// errorsAt is the moment of the last sample of errors.
	errorsAt int
	// most is the largest number of requests that it had within an interval; below
	// 0: it isn't known.
	most float64
}

// reading is a source's counters at a moment. NaN: there is no sample.
type reading struct {
	requests, errors float64
	// buckets are those of the edges, and at the end the one of all; nil: none are there.
	buckets []float64
}

// change is what happened to a source between two moments.
type change struct {
	kind int
	// setBack: its counters went back to 0 in between. odd: its counters changed as
	// no counters of one process do, so that nothing of it is counted.
	setBack, odd bool
	count        Count
	// untimed are the requests that were answered, but that no bucket has.
	untimed float64
}

const (
	absent   = iota // not there, and not lately
	gone            // there before, and not now
	first           // there now, and nothing is known of before
	returned        // there now, and before the last moment
	steady          // there at both ends
)

// take counts some more moments.
func (t *tally) take(p part, moments int) error {
	keys := slices.Collect(maps.Keys(t.sources))
	for key := range p.requests {
		if t.sources[key] == nil {
			t.sources[key] = &source{at: -1, errorsAt: -1, most: -1}
			keys = append(keys, key)
		}
	}
	slices.Sort(keys) // sums of fractions depend on the order
	offset := len(t.counts)
	for i := range moments {
		s := sum{timed: t.timed, count: Count{Slow: make([]float64, t.edges)}}
		for _, key := range keys {
			now := p.reading(key, i)
			t.errors = t.errors || !math.IsNaN(now.errors)
			t.requests = t.requests || !math.IsNaN(now.requests)
			ch, err := t.change(key, offset+i, now)
			if err != nil {
				return err
			}
			s.add(ch)
		}
		fault := s.fault()
		wrong := t.wrongAt(p, i)
		fault = cmp.Or(t.wrong, wrong, fault)
		t.wrong = wrong
		t.counts, t.faults = append(t.counts, s.count), append(t.faults, fault)
	}
	return nil
}

// reading gives a source's counters at a moment of the part.
func (p part) reading(key string, i int) reading {
	at := func(lines map[string]*line) float64 {
		if l := lines[key]; l != nil {
			return l.values[i]
		}
		return math.NaN()
	}
	r := reading{requests: at(p.requests), errors: at(p.errors)}
	for _, lines := range p.buckets {
		v := at(lines)
		if math.IsNaN(v) {
			r.buckets = nil
			break
		}
		r.buckets = append(r.buckets, v)
	}
	return r
}

// wrongAt says what is wrong with the samples of a moment, so that neither of the
// intervals beside it can be counted; empty: nothing.
func (t *tally) wrongAt(p part, i int) string {
	fault := ""
	for _, lines := range append([]map[string]*line{p.requests, p.errors}, p.buckets...) {
		for _, key := range slices.Sorted(maps.Keys(lines)) {
			l := lines[key]
			if l.wrong[i] != "" {
				return l.wrong[i]
			}
			if s := t.sources[key]; s == nil && !math.IsNaN(l.values[i]) {
				fault = "requests has no series with the labels " + brief(key) + " that errors or buckets has; all must be grouped by the same labels"
			}
		}
	}
	return fault
}

// change tells what happened to a source up to a moment, and remembers it.
func (t *tally) change(key string, at int, now reading) (change, error) {
	s := t.sources[key]
	known := s.at >= 0 && at-s.at <= t.remembered
	if math.IsNaN(now.requests) {
		if known && s.at == at-1 {
			return change{kind: gone}, nil
		}
		return change{kind: absent}, nil
	}
	before, last := s.before, s.at
	s.at, s.before = at, now
	vanished := math.IsNaN(now.errors) && s.errorsAt == last
	if !math.IsNaN(now.errors) {
		s.errorsAt = at
	}
	if !known {
		return change{kind: first}, nil
	}
	if math.IsNaN(now.errors) {
		s.before.errors = before.errors // it goes on from there
	}
	if now.buckets == nil {
		s.before.buckets = before.buckets
	}
	ch := change{kind: returned, odd: vanished}
	if last == at-1 {
		ch.kind = steady
	}
	if math.IsNaN(before.errors) && !math.IsNaN(now.errors) {
		began, err := t.began(key, now.errors)
		if err != nil {
			return change{}, err
		}
		before.errors = began
		ch.odd = ch.odd || now.errors-began > now.requests-before.requests && now.requests >= before.requests
	}
	s.difference(&ch, before, now)
	return ch, nil
}

// began gives what a counter of errors stood at that nothing is known of lately:
// what it had within the last day, or 0.
func (t *tally) began(key string, now float64) (float64, error) {
	if t.known == nil {
		known, err := t.earlier()
		if err != nil {
			return 0, err
		}
		t.known = known
	}
	if v := t.known[key]; v <= now {
		return v, nil
	}
	return 0, nil // set back since
}

// difference counts what was added between two readings.
func (s *source) difference(ch *change, before, now reading) {
	back := now.requests < before.requests || now.errors < before.errors
	for i := range min(len(before.buckets), len(now.buckets)) {
		back = back || now.buckets[i] < before.buckets[i]
	}
	if back {
		// One of several counters that were added up may have gone away: then what is
		// left is no count since a start.
		likely := 10*s.most + 100
		if s.most < 0 {
			likely = max(before.requests/2, 100)
		}
		if now.requests > likely {
			ch.odd = true
			return
		}
		ch.setBack = true
		before = reading{buckets: make([]float64, len(now.buckets))}
	}
	count := Count{Requests: now.requests - before.requests}
	if !math.IsNaN(now.errors) {
		count.Errors = now.errors - before.errors
	}
	switch {
	case now.buckets == nil:
		ch.untimed = max(count.Requests-count.Errors, 0)
	case before.buckets == nil:
		before.buckets = make([]float64, len(now.buckets))
		ch.odd = ch.odd || now.buckets[len(now.buckets)-1] > count.Requests
	}
	for i := range max(len(now.buckets)-1, 0) {
		all := now.buckets[len(now.buckets)-1] - before.buckets[len(now.buckets)-1]
		count.Slow = append(count.Slow, max(all-(now.buckets[i]-before.buckets[i]), 0))
	}
	if !ch.setBack && !ch.odd && ch.kind == steady {
		s.most = max(s.most, count.Requests)
	}
	ch.count = count
}
