package status

import (
	"testing"

	"github.com/clusterswitch/clusterswitch/internal/api/v1alpha1"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

func TestWhatIsSaidBesideAJournal(t *testing.T) {
	stored := v1alpha1.TrafficSwitchStatus{Phase: "Shifting", Share: 25, Step: "1/3", Attempt: 2}
	asking := func(reason shift.Reason) v1alpha1.TrafficSwitchStatus {
		return v1alpha1.TrafficSwitchStatus{
			Phase: "Idle", Reason: string(reason), Message: "a question waits for an answer",
			Question: &v1alpha1.Question{ID: "0-1", Reason: string(reason), Message: "it can't be read"},
		}
	}
	for name, c := range map[string]struct {
		stored, said v1alpha1.TrafficSwitchStatus
		phase        string
		share        int
		message      string
		asks         bool
	}{
		"where nothing was done since, people read on what was last known":  {stored, asking(shift.JournalUnreadable), "Shifting", 25, "a question waits for an answer", true},
		"where no journal is begun, the share is as unknown as AWS":         {v1alpha1.TrafficSwitchStatus{}, asking(shift.EntranceUnknown), "", 0, "it can't be read", false},
		"a way back is said to be under way, be the journal readable or no": {stored, v1alpha1.TrafficSwitchStatus{Phase: "RollingBack"}, "RollingBack", 0, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			got := Beside(c.stored, c.said)
			if got.Phase != c.phase || got.Share != c.share || got.Message != c.message || (got.Question != nil) != c.asks {
				t.Errorf("people read %+v", got)
			}
		})
	}
}
