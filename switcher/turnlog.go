package switcher

import (
	"go.uber.org/zap"

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
}

func (l *turnLog) turn(t Turn) {
	l.journal(t)
	l.results(t)
	d := t.Decision
	if d.Next.Phase == l.phase && d.Next.Share == l.share && d.Reason == l.reason {
		return
	}
	l.phase, l.share, l.reason = d.Next.Phase, d.Next.Share, d.Reason
	fields := []zap.Field{
		logkey.Attempt(d.Next.Attempt), logkey.Phase(string(d.Next.Phase)), logkey.Step(d.Next.Step),
		logkey.Share(int(d.Next.Share)), logkey.Reason(string(d.Reason)), logkey.Explanation(d.Message),
	}
	switch d.Reason.Severity() {
	case shift.NeedsPerson:
		l.logger.Error("a person is needed", fields...)
	case shift.Held:
		l.logger.Warn("held", fields...)
	case shift.Normal:
		l.logger.Info("decided", fields...)
	}
}

func (l *turnLog) journal(t Turn) {
	if t.Superseded != l.superseded {
		l.superseded = t.Superseded
		l.logger.Error("a newer daemon took charge of the pair, this one no longer writes", logkey.Epoch(t.Before.Epoch))
	}
	switch away := t.JournalErr != nil; {
	case away && !l.journalAway:
		l.logger.Error("journal can't be written", zap.Error(t.JournalErr))
	case !away && l.journalAway:
		l.logger.Info("journal is back")
	}
	l.journalAway = t.JournalErr != nil
}

func (l *turnLog) results(t Turn) {
	for i, r := range t.Results {
		c := t.Decision.Changes[i]
		fields := []zap.Field{
			logkey.Entrance(r.Entrance), logkey.Wanted(int(c.Wanted)), logkey.Priority(c.Priority.String()),
			logkey.Outcome(string(r.Outcome)), logkey.Note(r.Note),
		}
		if r.Outcome == shift.Applied {
			l.logger.Info("weight set", fields...)
		} else {
			l.logger.Error("weight not set", fields...)
		}
	}
}
