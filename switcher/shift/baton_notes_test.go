package shift

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestNotesOnSingletons(t *testing.T) {
	at := newWorld().now
	on, off := SingletonSide{At: at, On: true}, SingletonSide{At: at}
	unread := SingletonSide{Err: "timeout"}
	o := Observation{Singletons: []SingletonReading{
		{Key: "CronJob shop/a", Blue: off, Green: off},
		{Key: "CronJob shop/b", Blue: on, Green: on},
		{Key: "CronJob shop/c", Blue: on, Green: unread},
		{Key: "CronJob shop/d", Blue: on, Green: unread},
		{Key: "CronJob shop/e", Blue: on, Green: SingletonSide{At: at, Absent: true}},
		{Key: "CronJob shop/f", Blue: on, Green: SingletonSide{At: at, ChangedBy: "flux"}},
	}}
	s := State{
		Phase: Shifting, Gaps: []SingletonGap{{"CronJob shop/z", BatonGap{From: at.Add(-time.Hour), To: at.Add(-time.Minute), Missed: at.Add(-2 * time.Minute)}}},
		Baton: []BatonState{{Key: "CronJob shop/f", OffSince: at.Add(-time.Minute), NextRun: at.Add(-time.Second), Failed: "1 job did not end"}},
	}
	want := []string{
		"CronJob shop/z: told to be off in both clusters from 2026-11-02 09:00:00 to 2026-11-02 09:59:00; the run that was due at 2026-11-02 09:58:00 was missed",
		"CronJob shop/f: told to be off in both clusters since 2026-11-02 09:59:00; a run was due at 2026-11-02 09:59:59",
		"CronJob shop/f: its last hand-over was given up: 1 job did not end",
		"CronJob shop/b: it is on in both clusters",
		"CronJob shop/e: it isn't in green, so that it can't be handed over",
		"CronJob shop/f: flux changed it in green although this pair had set it",
		"singletons (CronJob shop/c, CronJob shop/d): green can't be read: timeout",
		"off in both clusters, and left so: CronJob shop/a",
	}
	if diff := cmp.Diff(want, Notes(s, o, at)); diff != "" {
		t.Error(diff)
	}
}
