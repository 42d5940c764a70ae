package awscontract

import (
	"slices"
	"strings"
	"sync"
	"time"

	sandbox "github.com/clusterswitch/clusterswitch/internal/sandbox/aws"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// The epochs of this daemon's marks, and of an older and a newer leader's.
const (
	olderEpoch = 4
	ourEpoch   = 5
	newerEpoch = 6
)

// foreignShare is what somebody else sets green to.
const foreignShare shift.Share = 60

// ending is how a subject stands when all is over.
type ending int

const (
	reached  ending = iota // it stands at the wanted share
	unmoved                // it stands as before
	foreigns               // it stands as somebody else left it
)

// fault is something that goes wrong with a write.
type fault struct {
	name string
	// arm switches it on before the commit; cancel ends the commit's context.
	arm func(s *scene, cancel func())
	// lasts: AWS goes on with it until everything is cleared.
	lasts bool
	// meanwhile is how the first subject stands while a lasting fault lasts.
	meanwhile func(sub *subject) ending
	// end is how the first subject stands in the end; nil: reached.
	end func(sub *subject) ending
	// conflicts: whatever isn't a rollback must be answered as a conflict at first.
	conflicts bool
	// says is what a note tells while the fault lasts; nil: nothing is asked for.
	says func(sub *subject) string
	// few: it is also tried where cases are expensive.
	few bool
	// only restricts it to scenes where it means something; nil: all.
	only func(s *scene) bool
}

func onRoute53(s *scene) bool { return s.service == sandbox.Route53 }

func onELB(s *scene) bool { return s.service == sandbox.ELB }

func withMark(s *scene) bool { return onELB(s) || s.subjects[0].Route53.Mark }

func markedOnRoute53(s *scene) bool { return onRoute53(s) && withMark(s) }

func always(e ending) func(*subject) ending { return func(*subject) ending { return e } }

// toGrant: the note says what right is missing.
func toGrant(*subject) string { return "grant " }

// unmarked: what goes without the mark says so, and what doesn't says why not.
func unmarked(sub *subject) string {
	switch {
	case sub.restick:
		return "" // it writes no mark
	case sub.Balancer != nil || sub.priority == shift.Rollback:
		return "without the mark"
	}
	return "TXT"
}

// unlessRollback: only a rollback gets through.
func unlessRollback(e ending) func(*subject) ending {
	return func(sub *subject) ending {
		if sub.priority == shift.Rollback && !sub.restick {
			return reached
		}
		return e
	}
}

// hits makes a fault of the write itself.
func hits(kind sandbox.FaultKind, times int, delay time.Duration) func(*scene, func()) {
	return func(s *scene, _ func()) {
		s.inject(sandbox.Fault{Kind: kind, Service: s.service, Operation: s.writes, Times: times, Delay: delay})
	}
}

// everything makes a fault of all that is asked of the service.
func everything(kind sandbox.FaultKind) func(*scene, func()) {
	return func(s *scene, _ func()) { s.inject(sandbox.Fault{Kind: kind, Service: s.service}) }
}

// late lets the first write land after the time, though nobody waits for it.
func late(after time.Duration) func(*scene, func()) {
	return func(s *scene, cancel func()) {
		s.bePatient()
		s.mu.Lock()
		s.late = true
		s.mu.Unlock()
		hits(sandbox.Delay, 1, after)(s, cancel)
	}
}

// once runs something at the first write that sets weights.
func once(s *scene, add func(func(string)), do func()) {
	var first sync.Once
	add(func(operation string) {
		if operation == s.writes {
			first.Do(do)
		}
	})
}

func before(what foreign) func(*scene, func()) {
	return func(s *scene, _ func()) { s.intrude(what) }
}

func arriving(what foreign) func(*scene, func()) {
	return func(s *scene, _ func()) { once(s, s.whenArriving, func() { s.intrude(what) }) }
}

func after(what foreign) func(*scene, func()) {
	return func(s *scene, _ func()) { once(s, s.whenLeft, func() { s.intrude(what) }) }
}

func faults() []fault {
	return slices.Concat(answers(), refusals(), rivals(), deaths(), lags())
}

// answers are faults of the network and of servers.
func answers() []fault {
	return []fault{
		{name: "none", arm: func(*scene, func()) {}, few: true},
		{name: "a lost request", arm: hits(sandbox.LostRequest, 1, 0), few: true},
		{name: "a lost reply", arm: hits(sandbox.LostReply, 1, 0), few: true},
		{name: "a lost reply, then a lost request", arm: func(s *scene, c func()) { hits(sandbox.LostReply, 1, 0)(s, c); hits(sandbox.LostRequest, 2, 0)(s, c) }},
		{name: "a lost reply, and no reading back", arm: func(s *scene, c func()) {
			hits(sandbox.LostReply, 1, 0)(s, c)
			once(s, s.whenLeft, func() {
				s.inject(sandbox.Fault{Kind: sandbox.ServerError, Service: s.service, Operation: s.reads, Times: 7})
			})
		}},
		{name: "a short delay", arm: hits(sandbox.Delay, 1, time.Second)},
		{name: "a delay that nobody waits for", arm: hits(sandbox.Delay, 1, time.Minute)},
		{name: "a delay, and it lands late", arm: late(6 * time.Second)},
		{name: "a delay, and it lands very late", arm: late(15 * time.Second)},
		{name: "500 once", arm: hits(sandbox.ServerError, 1, 0)},
		{name: "500 throughout", arm: hits(sandbox.ServerError, 0, 0), lasts: true, meanwhile: always(unmoved)},
		{name: "503 once", arm: hits(sandbox.ServiceUnavailable, 1, 0)},
		{name: "503 throughout", arm: everything(sandbox.ServiceUnavailable), lasts: true, meanwhile: always(unmoved)},
	}
}

// refusals are what AWS says no to, for a time.
func refusals() []fault {
	return []fault{
		{name: "throttled once", arm: hits(sandbox.Throttle, 1, 0), few: true},
		{name: "throttled three times", arm: hits(sandbox.Throttle, 3, 0)},
		{name: "throttled throughout", arm: everything(sandbox.Throttle), lasts: true, meanwhile: always(unmoved)},
		{name: "a prior request once", arm: hits(sandbox.PriorRequestNotComplete, 1, 0), only: onRoute53, few: true},
		{name: "a prior request throughout", arm: hits(sandbox.PriorRequestNotComplete, 0, 0), only: onRoute53, lasts: true, meanwhile: always(unmoved)},
		{name: "denied once", arm: hits(sandbox.AccessDenied, 1, 0)},
		{name: "the write denied throughout", arm: hits(sandbox.AccessDenied, 0, 0), lasts: true, meanwhile: always(unmoved), says: toGrant},
		{name: "everything denied throughout", arm: everything(sandbox.AccessDenied), lasts: true, meanwhile: always(unmoved), says: toGrant},
		{name: "TXT denied throughout", only: markedOnRoute53, lasts: true, meanwhile: unlessRollback(unmoved), says: unmarked, arm: func(s *scene, _ func()) {
			s.inject(sandbox.Fault{Kind: sandbox.AccessDenied, Service: s.service, Operation: s.writes, RecordType: "TXT"})
		}},
		{name: "the mark's tag denied throughout", only: onELB, lasts: true, meanwhile: always(reached), says: unmarked, arm: func(s *scene, _ func()) {
			s.inject(sandbox.Fault{Kind: sandbox.AccessDenied, Service: s.service, Operation: "AddTags"})
		}},
		{name: "credentials that expire for once", arm: hits(sandbox.ExpiredCredentials, 1, 0)},
		{name: "credentials expired throughout", arm: everything(sandbox.ExpiredCredentials), lasts: true, meanwhile: always(unmoved)},
	}
}

// rivals are others who write.
func rivals() []fault {
	older := shift.Mark{Attempt: 1, Epoch: olderEpoch, Version: 9, Phase: shift.Shifting, Share: foreignShare}
	newer := shift.Mark{Attempt: 1, Epoch: newerEpoch, Version: 9, Phase: shift.Shifting, Share: foreignShare}
	edit := foreign{share: foreignShare}
	return []fault{
		{name: "a foreign edit before", arm: before(edit), few: true, conflicts: true},
		{name: "a foreign edit as the write arrives", arm: arriving(edit), only: onRoute53, conflicts: true},
		{name: "a foreign edit right after", arm: after(edit)},
		{name: "a foreign edit of one type", arm: before(foreign{share: foreignShare, apart: true}), only: func(s *scene) bool {
			return onRoute53(s) && len(s.subjects[0].Route53.Types) > 1
		}},
		{name: "an older leader's mark", arm: before(foreign{mark: &older}), only: withMark},
		{name: "an older leader's mark right after", arm: after(foreign{mark: &older}), only: withMark},
		{name: "a newer leader's mark", arm: before(foreign{mark: &newer}), only: withMark, conflicts: true, end: unlessRollback(unmoved)},
		{name: "a newer leader's mark as the write arrives", arm: arriving(foreign{mark: &newer}), only: markedOnRoute53, conflicts: true, end: unlessRollback(unmoved)},
		{name: "green's part is gone", arm: before(foreign{remove: true}), end: always(foreigns)},
		{name: "green's part goes as the write arrives", arm: arriving(foreign{remove: true}), end: always(foreigns), only: onRoute53},
	}
}

// deaths are of the daemon, in the middle.
func deaths() []fault {
	return []fault{
		{name: "a death as the write arrives", arm: func(s *scene, cancel func()) { once(s, s.whenArriving, cancel) }},
		{name: "a death before the answer", arm: func(s *scene, cancel func()) { once(s, s.whenLeft, cancel) }, few: true},
	}
}

// lags are what AWS takes its time for.
func lags() []fault {
	return []fault{
		{name: "slow INSYNC", arm: hits(sandbox.SlowSync, 1, 5*time.Minute), only: onRoute53},
		{name: "stale reads", arm: func(s *scene, _ func()) {
			s.inject(sandbox.Fault{Kind: sandbox.StaleReads, Service: s.service, Times: 3})
		}, only: onELB},
		{name: "reads stale for a time", arm: func(s *scene, _ func()) {
			s.inject(sandbox.Fault{Kind: sandbox.StaleReads, Service: s.service, Delay: 3 * time.Second})
		}, only: onELB},
	}
}

// tellsHow tells whether one of the notes says what is to be done.
func tellsHow(results []shift.Result, readings []shift.EntranceReading, says string) bool {
	return slices.ContainsFunc(results, func(r shift.Result) bool { return strings.Contains(r.Note, says) }) ||
		slices.ContainsFunc(readings, func(r shift.EntranceReading) bool { return strings.Contains(r.Err, says) })
}
