// Package archive keeps the records of a pair's last attempts beside its journal: in
// ConfigMaps, or in files where there is no management cluster.
//
// Each pair has a fixed number of places, and a new attempt takes that of the oldest.
// So the daemon needs no right to list or to delete, and those that it needs can be
// limited by name.
package archive

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/record"
)

// Places is how many attempts of a pair are kept.
const Places = 5

var (
	// ErrNone is what Get wraps when no record is kept.
	ErrNone = errors.New("no record is kept")
	// ErrConflict is what Put wraps when another daemon wrote the record since it was
	// found.
	ErrConflict = errors.New("another daemon wrote the record since")
)

// kept is what one place holds.
type kept struct {
	// text is the record's JSON; empty: there is none.
	text []byte
	// version tells one write from the next; empty: the place was never used.
	version string
}

// places reads and writes the places of pairs. A write of what is no longer as it was
// read wraps ErrConflict.
type places interface {
	read(ctx context.Context, pair string, place int) (kept, error)
	write(ctx context.Context, r record.Record, place int, text []byte, version string) (newVersion string, err error)
}

// Shelf keeps records. It is safe for concurrent use.
type Shelf struct{ places places }

// Volume is the place of one attempt's record, as it was last seen.
type Volume struct {
	place   int
	version string
}

// Find finds the place of an attempt that started at that time, and what is recorded
// of it already; nil: nothing is.
func (s *Shelf) Find(ctx context.Context, pair string, attempt int, started time.Time) (*Volume, *record.Record, error) {
	all, err := s.all(ctx, pair)
	if err != nil {
		return nil, nil, err
	}
	for _, b := range all {
		r := b.record
		if r != nil && r.Attempt == attempt && (!r.Ended() || !r.EndedAt.Before(started)) {
			return &Volume{place: b.place, version: b.version}, r, nil
		}
	}
	oldest := slices.MinFunc(all, func(a, b bound) int { return a.age().Compare(b.age()) })
	return &Volume{place: oldest.place, version: oldest.version}, nil, nil
}

// bound is what is in one place.
type bound struct {
	kept
	place  int
	record *record.Record
}

// age is when its attempt began. What may be written over first is the oldest.
func (b bound) age() time.Time {
	if b.record == nil {
		return time.Time{}
	}
	return b.record.StartedAt
}

func (s *Shelf) all(ctx context.Context, pair string) ([]bound, error) {
	var all []bound
	for place := 1; place <= Places; place++ {
		k, err := s.places.read(ctx, pair, place)
		if err != nil {
			return nil, err
		}
		b := bound{kept: k, place: place}
		if len(k.text) > 0 {
			if r, err := record.Parse(k.text); err == nil { // what can't be read makes room
				b.record = &r
			}
		}
		all = append(all, b)
	}
	return all, nil
}

// Put writes a record into its place. It wraps ErrConflict where that is no longer as
// the Volume knows it.
func (s *Shelf) Put(ctx context.Context, v *Volume, r record.Record) error {
	text, err := r.JSON(false)
	if err != nil {
		return err
	}
	version, err := s.places.write(ctx, r, v.place, text, v.version)
	if err != nil {
		return err
	}
	v.version = version
	return nil
}

// Get gives the record of an attempt; attempt 0 is the newest. It wraps ErrNone where
// there is none.
func (s *Shelf) Get(ctx context.Context, pair string, attempt int) (record.Record, error) {
	all, err := s.all(ctx, pair)
	if err != nil {
		return record.Record{}, err
	}
	var found *record.Record
	var attempts []int
	for _, b := range all {
		if b.record == nil || b.record.Pair != pair {
			continue
		}
		attempts = append(attempts, b.record.Attempt)
		if fits := attempt == 0 || b.record.Attempt == attempt; fits && (found == nil || b.record.StartedAt.After(found.StartedAt)) {
			found = b.record
		}
	}
	slices.Sort(attempts)
	switch {
	case found != nil:
		return *found, nil
	case len(attempts) == 0:
		return record.Record{}, fmt.Errorf("%w for %s: the daemon writes one from the first attempt on", ErrNone, pair)
	}
	return record.Record{}, fmt.Errorf("%w for attempt %d of %s; there are records of %s", ErrNone, attempt, pair, list(attempts))
}

func list(attempts []int) string {
	var words []string
	for _, a := range attempts {
		words = append(words, strconv.Itoa(a))
	}
	return "attempts " + strings.Join(words, ", ")
}
