package chronicle

import (
	"strings"
	"testing"
	"time"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// Where the journal is in a directory there is nothing that kubectl could ask.
func TestWithoutAManagementClusterNoCommandIsForOne(t *testing.T) {
	const folder = "/var/lib/my journal"
	c := New(Options{Namespace: "clusterswitch", Directory: folder, Now: time.Now})
	c.Expect("shop")
	for _, phase := range shift.Phases() {
		for _, doc := range shift.Reasons() {
			d := Detail{
				Summary: Summary{Pair: "shop", Phase: string(phase), Reason: string(doc.Reason), Attempt: 1, Step: &Step{1, 4}},
				Asked:   Asked{Paused: true, HandsOff: true}, Question: &Question{ID: "1-2", Reason: string(shift.Drift)},
			}
			for _, a := range c.commands("shop").fitting(d) {
				if a.Kubectl != "" || strings.Contains(a.Command, "kubectl") || strings.Contains(a.Why, "management") {
					t.Fatalf("%+v", a)
				}
			}
		}
	}
	back := c.commands("shop").fitting(Detail{Summary: Summary{Pair: "shop", Phase: string(shift.Shifting)}})[0]
	if want := "clusterswitch rollback shop --journal-directory '/var/lib/my journal'"; back.Command != want {
		t.Errorf("the way back is %s, want %s", back.Command, want)
	}
}
