package switcher_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/switcher"
	"github.com/clusterswitch/clusterswitch/switcher/evidence"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

const every = 10 * time.Second

// meter counts users' requests for a daemon, by what its looks tell: blue's past
// until a gate knows it, then the newest intervals, those that were counted too.
type meter struct {
	*daemon
	worse *time.Time // since when green fails five times as often as blue; zero: never
}

func (m meter) Observe(ctx context.Context, look switcher.Look) shift.Observation {
	o := m.daemon.Observe(ctx, look)
	now := m.w.clock()
	r := shift.RequestReading{Gate: "requests", At: now, FreshFor: time.Minute}
	switch {
	case len(look.Evidence) == 0:
		r.Profile = &evidence.Profile{Metrics: []evidence.Metric{{Name: "errors", Ratio: 0.01, Dispersion: 1}}, Rate: 1000, To: epoch}
	case !look.MeasureFrom.IsZero():
		for at := now.Truncate(every).Add(-40 * every); at.Before(now.Truncate(every)); at = at.Add(every) {
			iv := evidence.Interval{Start: at.UTC(), End: at.Add(every).UTC()}
			iv.Green, iv.Blue = []evidence.Count{{Requests: 2500, Bad: 25}}, []evidence.Count{{Requests: 7500, Bad: 75}}
			if !m.worse.IsZero() && !at.Before(*m.worse) {
				iv.Green[0].Bad *= 5
			}
			r.Intervals = append(r.Intervals, iv)
		}
	}
	o.Requests = append(o.Requests, r)
	return o
}

// counted is a life of a daemon whose requests are counted.
func (w *world) counted(worse *time.Time) *daemon {
	d := &daemon{w: w}
	d.Switcher = switcher.New(switcher.Options{
		Plan: w.plan, Observer: meter{d, worse}, Journal: d, Committer: d, Reporter: d, Logger: w.core,
	})
	return d
}

func TestEvidenceOutlivesTheDaemon(t *testing.T) {
	remembered := map[bool]shift.GateEvidence{}
	for _, dies := range []bool{false, true} {
		w := newWorld()
		w.plan.Steps[0].Hold = time.Hour
		w.plan.Gates.Traffic = nil
		w.plan.Gates.Requests = []shift.RequestGate{{Name: "requests", Compare: true, Tolerate: 1.25, MinExcess: 0.0005, FalseAlarms: 0.01, Interval: every}}
		var worse time.Time
		d := w.counted(&worse)
		for range 30 {
			if dies {
				d = w.counted(&worse)
			}
			w.steps(t, d, 10*time.Second)
		}
		s := w.journaled(t)
		if s.Share != 25 || len(s.Evidence) != 1 {
			t.Fatalf("it stands at %s with %d gates remembered", s.Share, len(s.Evidence))
		}
		remembered[dies] = s.Evidence[0]
		worse = w.clock()
		w.steps(t, d, 2*time.Minute)
		if s := w.journaled(t); s.Rollback == nil || !s.Rollback.Automatic || s.Phase != shift.RolledBack || len(s.Evidence) != 0 {
			t.Errorf("users suffer, and it is in %s with %d gates remembered (%+v)", s.Phase, len(s.Evidence), s.Rollback)
		}
	}
	if counted := remembered[false].Book.Metrics[0].Green[0]; counted < 20*2500 {
		t.Fatalf("only %v requests were counted", counted)
	}
	if diff := cmp.Diff(remembered[false], remembered[true]); diff != "" {
		t.Errorf("a daemon that dies after each turn remembers (+) something else (-):\n%s", diff)
	}
}

// While the journal can't be written what was counted is counted again, and users
// who suffer are sent back all the same.
func TestALostJournalDoesNotBlindTheEvidence(t *testing.T) {
	w := newWorld()
	w.plan.Steps[0].Hold = time.Hour
	w.plan.Gates.Traffic = nil
	w.plan.Gates.Requests = []shift.RequestGate{{Name: "requests", Compare: true, Tolerate: 1.25, MinExcess: 0.0005, FalseAlarms: 0.01, Interval: every}}
	var worse time.Time
	d := w.counted(&worse)
	w.steps(t, d, 2*time.Minute)
	if s := w.journaled(t); s.Share != 25 {
		t.Fatalf("it stands at %s", s.Share)
	}
	w.change(func() { w.book.saveErr = context.DeadlineExceeded })
	worse = w.clock()
	w.steps(t, d, 2*time.Minute)
	if got := w.shares(); got != [2]shift.Share{0, 0} {
		t.Errorf("users suffer, and green still has %v: %s", got, w.turn().Decision.Message)
	}
}
