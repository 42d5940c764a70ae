package app

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/clusterswitch/clusterswitch/internal/logkey"
	"github.com/clusterswitch/clusterswitch/internal/runbook"
	"github.com/clusterswitch/clusterswitch/switcher"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// bookOf writes a book of what the adapters know by now.
func (a *aws) bookOf(pair, version string, attempt int, entrances []shift.Entrance, now time.Time) runbook.Book {
	book := runbook.Book{Pair: pair, Attempt: attempt, At: now, Version: version}
	for _, e := range entrances {
		part := runbook.Entrance{Name: e.Name}
		part.What, part.RoleARN = whereIs(e)
		commands, err := a.of(e).Runbook(e)
		switch {
		case err != nil:
			part.Fault = err.Error()
		case len(commands) == 0:
			part.Fault = "none is known"
		default:
			part.Commands = commands
		}
		book.Entrances = append(book.Entrances, part)
	}
	return book
}

// whereIs says where an entrance is at AWS, and which role reaches it.
func whereIs(e shift.Entrance) (what, roleARN string) {
	switch {
	case e.Balancer == nil:
		return fmt.Sprintf("records of %s in hosted zone %s", strings.Join(e.Route53.Names, ", "), e.Route53.HostedZoneID), e.Route53.RoleARN
	case e.Balancer.RuleARN != "":
		return "listener rule " + e.Balancer.RuleARN, e.Balancer.RoleARN
	}
	return "default action of listener " + e.Balancer.ListenerARN, e.Balancer.RoleARN
}

// shelf keeps books.
type shelf interface {
	Put(ctx context.Context, b runbook.Book) error
}

const (
	// putWithin bounds one try to keep a book.
	putWithin = 10 * time.Second
	// putAgain is the least time between two tries to keep a book of one attempt.
	putAgain = 30 * time.Second
)

// scribe keeps a pair's runbook: it is written when a shift starts, or is found
// under way, and anew when what AWS shows gives other commands. It is a
// switcher.Reporter that never blocks; run does the work.
type scribe struct {
	pair, version string
	aws           *aws
	shelf         shelf
	standing      standing
	log           *zap.Logger
	wake          chan struct{}

	// For run alone.
	kept     runbook.Book // the last that was kept; of attempt 0: none
	triedFor int          // the attempt of the last try to keep one, and when
	triedAt  time.Time

	mu        sync.Mutex // guards all below
	attempt   int        // 0: none is this daemon's to write of
	entrances []shift.Entrance
	fault     string // why there is no book, or an old one; empty: it is there
}

// Report notes what a turn tells of the shift under way.
func (s *scribe) Report(t switcher.Turn) {
	next := t.Decision.Next
	if t.Superseded || t.Standby || !next.Active() && next.Phase != shift.Completed {
		s.mu.Lock()
		s.attempt, s.fault = 0, ""
		s.mu.Unlock()
		return
	}
	s.mu.Lock()
	s.attempt, s.entrances = next.Attempt, next.Targets(t.Plan)
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default: // it is awake already
	}
}

// notes says to those who read the journal that the runbook isn't there.
func (s *scribe) notes() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fault == "" {
		return nil
	}
	return []string{"the runbook of this attempt could not be written: " + s.fault}
}

func (s *scribe) run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.wake:
		}
		s.write(ctx, time.Now())
	}
}

// write keeps a book where there is anything new to write.
func (s *scribe) write(ctx context.Context, now time.Time) {
	s.mu.Lock()
	attempt, entrances := s.attempt, s.entrances
	s.mu.Unlock()
	if attempt == 0 {
		return // it ended before its turn came
	}
	book := s.aws.bookOf(s.pair, s.version, attempt, entrances, now)
	switch {
	case book.Same(s.kept):
		s.say(attempt, "")
		return
	case !book.Whole():
		if s.kept.Attempt != attempt { // else the one that is kept is better than half a new one
			s.say(attempt, book.Faults())
		}
		return
	case s.triedFor == attempt && now.Sub(s.triedAt) < putAgain:
		return
	}
	ctx, done := s.standing.While(ctx)
	defer done()
	if ctx.Err() != nil {
		return // the daemon stops, or lost its lease
	}
	s.triedFor, s.triedAt = attempt, now
	bounded, cancel := context.WithTimeout(ctx, putWithin)
	defer cancel()
	err := s.shelf.Put(bounded, book)
	switch {
	case err == nil:
		s.kept = book
		s.say(attempt, "")
		s.log.Info("runbook written", logkey.Attempt(attempt))
	case ctx.Err() == nil: // else the daemon stops, or lost its lease
		s.say(attempt, err.Error())
	}
}

// say notes why there is no book, and logs it once for as long as nothing
// changes.
func (s *scribe) say(attempt int, fault string) {
	s.mu.Lock()
	if s.attempt != attempt {
		s.mu.Unlock()
		return // it is over
	}
	before := s.fault
	s.fault = fault
	s.mu.Unlock()
	if fault != "" && fault != before {
		s.log.Warn("runbook not written, the shift goes on without", logkey.Attempt(attempt), zap.Error(errors.New(fault)))
	}
}
