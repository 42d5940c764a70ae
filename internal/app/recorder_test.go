package app

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/api/v1alpha1"
	"github.com/clusterswitch/clusterswitch/internal/record"
	"github.com/clusterswitch/clusterswitch/internal/record/archive"
)

// recorded reads a pair's newest record until it is as wanted.
func (s *story) recorded(what string, o RecordOptions, wanted func(record.Record) bool) record.Record {
	s.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	var last record.Record
	for bound := time.After(within); ; {
		r, err := StoredRecord(s.Context(), o)
		if err != nil && !errors.Is(err, archive.ErrNone) {
			s.Fatal(err)
		}
		if last = r; err == nil && wanted(r) {
			return r
		}
		select {
		case <-tick.C:
		case <-bound:
			s.Fatalf("%s was not recorded within %s:\n%s", what, within, last.Markdown())
		}
	}
}

// tells tells whether the timeline has an event of the kind whose title has the text.
func tells(r record.Record, kind, title string) bool {
	return slices.ContainsFunc(r.Timeline, func(e record.Event) bool { return e.Kind == kind && strings.Contains(e.Title, title) })
}

// madeCalls counts the calls to AWS of an operation that went well.
func madeCalls(r record.Record, operation string) (n int) {
	for _, c := range r.Calls {
		if c.Operation == operation && c.Outcome == "ok" {
			n += c.Count
		}
	}
	return n
}

// The real daemon keeps the record of an attempt at a real API server, and the next
// one goes on with it: with the gap between them, the rollback, and the calls to AWS
// that were made for the pair.
func TestARecordIsContinuedByTheNextDaemon(t *testing.T) {
	s := newStory(t)
	s.halfway()
	o := RecordOptions{Pair: "shop", Management: plane.Start(t).RESTConfig(), Namespace: s.namespace}
	stop := s.run()
	s.await("the shift under way", func(status v1alpha1.TrafficSwitchStatus) bool {
		return status.Phase == "Shifting" && status.Reason != "Holding" // the test's own word
	})
	first := s.recorded("the shift under way", o, func(r record.Record) bool { return r.Phase == "Shifting" })
	if first.Attempt != 3 || len(first.Gaps) != 1 || !strings.HasPrefix(first.Gaps[0].Why, "no record of the time before was found") {
		t.Errorf("attempt %d, gaps %+v", first.Attempt, first.Gaps)
	}
	stop()
	stopped := s.recorded("the end of the first daemon", o, func(r record.Record) bool { return madeCalls(r, "DescribeRules") > 0 })

	stop = s.run()
	s.await("the second daemon", func(status v1alpha1.TrafficSwitchStatus) bool { return status.UpdatedAt.After(stopped.SeenAt) })
	s.ask(`{"rollback": true}`)
	s.await("the rollback", backBy("the custom resource"))
	ended := s.recorded("the rollback", o, func(r record.Record) bool { return r.Ended() })
	stop()
	if len(ended.Daemons) != 2 || len(ended.Gaps) != 2 || !strings.Contains(ended.Gaps[1].Why, "was restarted") {
		t.Errorf("daemons %+v, gaps %+v", ended.Daemons, ended.Gaps)
	}
	if back := ended.Rollbacks; len(back) != 1 || back[0].By != "the custom resource" || back[0].Automatic || back[0].DoneAt == nil {
		t.Errorf("rollbacks %+v", back)
	}
	if madeCalls(ended, "ModifyRule") == 0 || madeCalls(ended, "ChangeResourceRecordSets") == 0 || madeCalls(ended, "DescribeRules") < madeCalls(stopped, "DescribeRules") {
		t.Errorf("calls %+v", ended.Calls)
	}
	if len(ended.Configurations) != 1 || ended.Configurations[0].Digest != s.config().Digest {
		t.Errorf("configurations %+v", ended.Configurations)
	}
	if !tells(ended, "rollback", "the custom resource") || !tells(ended, "gap", "Nothing is recorded until") {
		t.Errorf("the timeline doesn't tell all:\n%s", ended.Markdown())
	}
}
