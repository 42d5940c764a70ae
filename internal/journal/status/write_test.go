package status

import (
	"testing"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/api/v1alpha1"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

func TestWhatIsSaidBesideAJournal(t *testing.T) {
	stored := v1alpha1.TrafficSwitchStatus{Phase: "Shifting", Share: 25, Step: "1/3", Attempt: 2}
	asking := func(reason shift.Reason) shift.State {
		s := shift.NewState()
		s.Question = &shift.Question{ID: "0-1", Reason: reason, Message: "it can't be read"}
		return s
	}
	back := shift.NewState()
	back.Phase = shift.RollingBack
	for name, c := range map[string]struct {
		stored v1alpha1.TrafficSwitchStatus
		state  shift.State
		phase  string
		share  int
		asks   bool
	}{
		"where nothing was done since, people read on what was last known":  {stored, asking(shift.JournalUnreadable), "Shifting", 25, true},
		"where no journal is begun, the share is as unknown as AWS":         {v1alpha1.TrafficSwitchStatus{}, asking(shift.EntranceUnknown), "", 0, false},
		"a way back is said to be under way, be the journal readable or no": {stored, back, "RollingBack", 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			said, err := New(c.state, shift.Said{Beside: true}, time.Now())
			if err != nil {
				t.Fatal(err)
			}
			got := Beside(c.stored, said)
			if got.Phase != c.phase || got.Share != c.share || (got.Question != nil) != c.asks {
				t.Errorf("people read %+v", got)
			}
		})
	}
}
