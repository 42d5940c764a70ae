// Package notify tells people and programs what happens to a pair: by Kubernetes
// Events, as CloudEvents to a URL, and in Slack's format. Nothing that it does can
// hold up a shift: what can't be told is dropped, counted and logged.
package notify

import (
	"fmt"
	"time"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// Severity tells who should care.
type Severity int

// The severities, from least to most.
const (
	Info     Severity = iota // things take their course
	Warning                  // something went another way than planned, or waits
	Critical                 // a person is needed
)

// String is the word in configurations and messages.
func (s Severity) String() string {
	switch s {
	case Warning:
		return "warning"
	case Critical:
		return "critical"
	case Info:
	}
	return "info"
}

// Kind is what happened, a CamelCase token as Kubernetes Events have it.
type Kind string

// The kinds.
const (
	ShiftStarted   Kind = "ShiftStarted"   // an attempt began
	StepReached    Kind = "StepReached"    // green was sent more
	StandbyBegan   Kind = "StandbyBegan"   // green has everything, blue is kept ready
	ShiftCompleted Kind = "ShiftCompleted" // the shift is over
	ReturnBegan    Kind = "ReturnBegan"    // the planned way back began
	RollbackBegan  Kind = "RollbackBegan"  // the fast way back began
	RolledBack     Kind = "RolledBack"     // blue has everything again
	Waits          Kind = "Waits"          // the daemon wants to go on and can't, for a while already
	NeedsPerson    Kind = "NeedsPerson"    // nothing goes on without a person
	GoesOn         Kind = "GoesOn"         // what was waited for is over
)

// News is one thing that happened to a pair.
type News struct {
	Pair     string
	Kind     Kind
	Severity Severity
	At       time.Time
	// Attempt, Version, Phase and Share are the state it came to.
	Attempt int
	Version int64
	Phase   shift.Phase
	Share   shift.Share
	// Reason and Message are the decision's.
	Reason  shift.Reason
	Message string
}

// ID is the same for the same happening, whoever tells it and how often.
func (n News) ID() string {
	return fmt.Sprintf("%s-%d-%d-%s-%s", n.Pair, n.Attempt, n.Version, n.Kind, n.Reason)
}

// waitsAfter is how long a pair must be held for one reason before that is news:
// most holds end by themselves.
const waitsAfter = 5 * time.Minute

// Watcher finds the news in what a loop decides, turn by turn. What it sees first is
// no news: the daemon may just have started.
type Watcher struct {
	pair   string
	begun  bool
	phase  shift.Phase
	share  shift.Share
	reason shift.Reason
	// since is when the reason began; told: it was told as news of waiting; silent: it
	// needs no telling.
	since  time.Time
	told   bool
	silent bool
}

// NewWatcher watches one pair.
func NewWatcher(pair string) *Watcher { return &Watcher{pair: pair} }

// Forget begins anew: another daemon is in charge, and tells.
func (w *Watcher) Forget() { *w = Watcher{pair: w.pair} }

// See gives what is new in a decision.
func (w *Watcher) See(d shift.Decision, now time.Time) (news []News) {
	say := func(kind Kind, severity Severity) {
		news = append(news, News{
			Pair: w.pair, Kind: kind, Severity: severity, At: now,
			Attempt: d.Next.Attempt, Version: d.Next.Version, Phase: d.Next.Phase, Share: d.Next.Share,
			Reason: d.Reason, Message: d.Message,
		})
	}
	if w.begun && d.Next.Phase != w.phase {
		if kind, severity, is := ofPhase(d.Next, w.phase); is {
			say(kind, severity)
		}
	}
	if w.begun && d.Next.Phase == shift.Shifting && d.Next.Share > w.share {
		say(StepReached, Info)
	}
	w.waiting(d, now, len(news) > 0, say)
	w.begun, w.phase, w.share = true, d.Next.Phase, d.Next.Share
	return news
}

// waiting tells of what stops a pair: at once where a person is needed, after a
// while where it may end by itself, and of its end where its begin was told. What
// came with other news was said by them: a rollback names its cause.
func (w *Watcher) waiting(d shift.Decision, now time.Time, said bool, say func(Kind, Severity)) {
	if d.Reason != w.reason {
		wasTold := w.told
		w.reason, w.since, w.told, w.silent = d.Reason, now, false, said
		if wasTold && d.Reason.Severity() == shift.Normal {
			say(GoesOn, Info)
		}
		// An old trouble that turns into another is told by that one.
		w.told = wasTold && d.Reason.Severity() == shift.Held
	}
	switch {
	case w.told || w.silent:
	case d.Reason.Severity() == shift.NeedsPerson:
		w.told = true
		say(NeedsPerson, Critical)
	case d.Reason.Severity() == shift.Held && d.Next.Active() && now.Sub(w.since) >= waitsAfter:
		w.told = true
		say(Waits, Warning)
	}
}

// ofPhase is the news in coming to a phase.
func ofPhase(s shift.State, before shift.Phase) (Kind, Severity, bool) {
	switch s.Phase {
	case shift.InPreflight:
		return ShiftStarted, Info, true
	case shift.Shifting:
		return ShiftStarted, Info, before == shift.Idle || before.Terminal()
	case shift.OnStandby:
		return StandbyBegan, Info, true
	case shift.Completed:
		return ShiftCompleted, Info, true
	case shift.Returning:
		return ReturnBegan, Warning, true
	case shift.RollingBack:
		if s.Rollback != nil && s.Rollback.Automatic {
			return RollbackBegan, Critical, true
		}
		return RollbackBegan, Warning, true
	case shift.RolledBack:
		return RolledBack, Warning, true
	case shift.Idle:
	}
	return "", Info, false
}
