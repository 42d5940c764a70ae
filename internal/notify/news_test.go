package notify_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/internal/notify"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

var noon = time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)

// turn is one decision, and how long after the one before.
type turn struct {
	after  time.Duration
	phase  shift.Phase
	share  shift.Share
	reason shift.Reason
}

func (t turn) decision(automatic bool) shift.Decision {
	s := shift.State{Phase: t.phase, Share: t.share, Attempt: 1}
	if t.phase == shift.RollingBack || t.phase == shift.RolledBack {
		s.Rollback = &shift.RollbackRecord{Automatic: automatic}
	}
	return shift.Decision{Next: s, Reason: t.reason, Message: "so it is"}
}

func TestWhatIsNews(t *testing.T) {
	const s = time.Second
	rest := turn{0, shift.Idle, 0, shift.NothingToDo}
	for name, c := range map[string]struct {
		turns     []turn
		automatic bool
		want      string
	}{
		"a whole shift": {turns: []turn{
			rest,
			{s, shift.InPreflight, 0, shift.ShiftStarted},
			{s, shift.Shifting, 0, shift.PreflightPassed},
			{s, shift.Shifting, 10, shift.Rising},
			{s, shift.Shifting, 10, shift.Settling},
			{s, shift.Shifting, 100, shift.Rising},
			{s, shift.OnStandby, 100, shift.StandingBy},
			{s, shift.Completed, 100, shift.ShiftCompleted},
		}, want: "ShiftStarted info, StepReached info, StepReached info, StandbyBegan info, ShiftCompleted info"},
		"an automatic rollback is told once, with its cause": {automatic: true, turns: []turn{
			{0, shift.Shifting, 10, shift.Holding}, {s, shift.RollingBack, 0, shift.UsersSuffer}, {s, shift.RollingBack, 0, shift.RollbackUnderWay}, {s, shift.RolledBack, 0, shift.BackOnBlue},
		}, want: "RollbackBegan critical, RolledBack warning"},
		"a person's rollback is no alarm": {turns: []turn{
			{0, shift.Shifting, 10, shift.Holding}, {s, shift.RollingBack, 0, shift.RollbackRequested}, {s, shift.RolledBack, 0, shift.BackOnBlue},
		}, want: "RollbackBegan warning, RolledBack warning"},
		"a daemon that starts tells nothing of what it finds": {turns: []turn{{0, shift.Shifting, 50, shift.Holding}, {s, shift.Shifting, 50, shift.Holding}}},
		"but that a person is needed":                         {turns: []turn{{0, shift.Shifting, 50, shift.Drift}, {s, shift.Shifting, 50, shift.Drift}}, want: "NeedsPerson critical"},
		"what holds for a moment is no news":                  {turns: []turn{{0, shift.Shifting, 10, shift.Holding}, {s, shift.Shifting, 10, shift.GateFailed}, {4 * time.Minute, shift.Shifting, 10, shift.GateFailed}, {s, shift.Shifting, 10, shift.Holding}}},
		"what holds for long is, and so is its end": {turns: []turn{
			{0, shift.Shifting, 10, shift.Holding},
			{s, shift.Shifting, 10, shift.GateFailed},
			{5 * time.Minute, shift.Shifting, 10, shift.GateFailed},
			{time.Hour, shift.Shifting, 10, shift.GateFailed},
			{s, shift.Shifting, 10, shift.Holding},
		}, want: "Waits warning, GoesOn info"},
		"of two troubles in a row each that needs a person is told": {turns: []turn{
			{0, shift.Shifting, 10, shift.Holding}, {s, shift.Shifting, 10, shift.Drift}, {s, shift.Shifting, 10, shift.BlueTooWeak}, {s, shift.Shifting, 10, shift.Holding},
		}, want: "NeedsPerson critical, NeedsPerson critical, GoesOn info"},
		"a flag that stands at rest is no news": {turns: []turn{{0, shift.RolledBack, 0, shift.AttemptOver}, {s, shift.RolledBack, 0, shift.RollbackFlagSet}, {time.Hour, shift.RolledBack, 0, shift.RollbackFlagSet}}},
		"the planned way back":                  {turns: []turn{{0, shift.Completed, 100, shift.ShiftCompleted}, {s, shift.Returning, 75, shift.SteppingBack}, {s, shift.RolledBack, 0, shift.BackOnBlue}}, want: "ReturnBegan warning, RolledBack warning"},
	} {
		t.Run(name, func(t *testing.T) {
			w, now := notify.NewWatcher("shop"), noon
			var said []string
			for _, each := range c.turns {
				now = now.Add(each.after)
				for _, n := range w.See(each.decision(c.automatic), now) {
					said = append(said, fmt.Sprintf("%s %s", n.Kind, n.Severity))
					if n.Pair != "shop" || !n.At.Equal(now) || n.Message != "so it is" {
						t.Errorf("it tells %+v", n)
					}
				}
			}
			if diff := cmp.Diff(c.want, strings.Join(said, ", ")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestAnotherDaemonsTurnsAreForgotten(t *testing.T) {
	w := notify.NewWatcher("shop")
	w.See(turn{0, shift.Idle, 0, shift.NothingToDo}.decision(false), noon)
	w.Forget()
	if news := w.See(turn{0, shift.Shifting, 50, shift.Holding}.decision(false), noon); len(news) > 0 {
		t.Errorf("what happened meanwhile is told again: %+v", news)
	}
}
