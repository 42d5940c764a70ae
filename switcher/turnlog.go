package switcher

import (
	"errors"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/clusterswitch/clusterswitch/internal/logkey"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// turnLog writes one line for each change of the world or of mind; a turn that
// changes nothing is silent.
type turnLog struct {
	logger *zap.Logger
	phase  shift.Phase
	share  shift.Share
	reason shift.Reason
	// journalAway: the trouble was said and is not over.
	journalAway bool
	superseded  bool
	// failing holds, by entrance, the failed write that was said last.
	failing map[string]failedWrite
}

// failedWrite is what tells one failed write from the next.
type failedWrite struct {
	wanted  shift.Share
	outcome shift.Outcome
	note    string
}

func (l *turnLog) turn(t Turn) {
	l.journal(t)
	l.decision(t.Decision)
	l.results(t)
}

func (l *turnLog) decision(d shift.Decision) {
	if d.Next.Phase == l.phase && d.Next.Share == l.share && d.Reason == l.reason {
		return
	}
	l.phase, l.share, l.reason = d.Next.Phase, d.Next.Share, d.Reason
	l.logger.Log(level(d.Reason), "decided",
		logkey.Attempt(d.Next.Attempt), logkey.Phase(string(d.Next.Phase)), logkey.Step(d.Next.Step),
		logkey.Share(int(d.Next.Share)), logkey.Reason(string(d.Reason)), logkey.Explanation(d.Message),
	)
}

func level(r shift.Reason) zapcore.Level {
	switch r.Severity() {
	case shift.NeedsPerson:
		return zapcore.ErrorLevel
	case shift.Held:
		return zapcore.WarnLevel
	case shift.Normal:
	}
	return zapcore.InfoLevel
}

func (l *turnLog) journal(t Turn) {
	if t.Standby { // who is in charge is the lease's to say
		l.superseded = false
	}
	if t.Superseded && !l.superseded {
		l.superseded = true
		l.logger.Error("a newer daemon took charge of the pair, this one no longer writes", logkey.Epoch(t.Before.Epoch))
	}
	if !t.Superseded && l.superseded {
		l.superseded = false
		l.logger.Warn("this daemon takes charge of the pair again", logkey.Epoch(t.Before.Epoch))
	}
	switch away := t.JournalErr != nil; {
	case away && !l.journalAway && !saysJournal(t):
		l.journalAway = true
		l.logger.Error("state can't be written down", zap.Error(t.JournalErr))
	case !away && l.journalAway && !t.Standby: // who stands by has nothing to write
		l.journalAway = false
		l.logger.Info("state is written down again")
	}
}

// saysJournal tells whether the decision's own line tells of the trouble.
func saysJournal(t Turn) bool {
	r := t.Decision.Reason
	return r == shift.JournalUnreadable || r == shift.JournalUnwritable || r == shift.NotLeader || errors.Is(t.JournalErr, errNotJoined)
}

func (l *turnLog) results(t Turn) {
	for i, r := range t.Results {
		c := t.Decision.Changes[i]
		fields := []zap.Field{
			logkey.Entrance(c.Entrance.Name), logkey.Wanted(int(c.Wanted)), logkey.Priority(c.Priority.String()),
			logkey.Outcome(string(r.Outcome)), logkey.Note(r.Note),
		}
		if r.Outcome == shift.Applied {
			delete(l.failing, c.Entrance.Name)
			l.logger.Info("weight set", fields...)
			continue
		}
		failed := failedWrite{wanted: c.Wanted, outcome: r.Outcome, note: r.Note}
		if l.failing[c.Entrance.Name] != failed {
			l.failing[c.Entrance.Name] = failed
			l.logger.Error("weight not set", fields...)
		}
	}
}
