package status

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clusterswitch/clusterswitch/internal/api/v1alpha1"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

func TestTheConditionSafeToRetire(t *testing.T) {
	then, now := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC), time.Date(2026, 3, 2, 11, 0, 0, 0, time.UTC)
	others := metav1.Condition{Type: "Watched", Status: metav1.ConditionTrue, Reason: "ByOthers", LastTransitionTime: metav1.NewTime(then)}
	safe := func(status metav1.ConditionStatus, reason, message string, since time.Time) metav1.Condition {
		return metav1.Condition{Type: v1alpha1.SafeToRetire, Status: status, Reason: reason, Message: message, LastTransitionTime: metav1.NewTime(since)}
	}
	stood := []metav1.Condition{others, safe(metav1.ConditionFalse, "NotSafe", "before", then)}
	completed := shift.State{Phase: shift.Completed}
	for name, c := range map[string]struct {
		state  shift.State
		said   shift.RetireReading
		stored []metav1.Condition
		want   []metav1.Condition
	}{
		"nobody looked yet": {
			completed,
			shift.RetireReading{},
			nil,
			[]metav1.Condition{safe(metav1.ConditionUnknown, "NotLookedAt", "nobody has looked yet; `clusterswitch retire-check` does", now)},
		},
		"safe, which it was not": {
			completed,
			shift.RetireReading{At: now, Safe: true, Message: "blue: nothing was found"},
			stood,
			[]metav1.Condition{others, safe(metav1.ConditionTrue, "Safe", "blue: nothing was found (looked at 2026-03-02T11:00:00Z)", now)},
		},
		"not safe, as before": {
			completed,
			shift.RetireReading{At: now, Message: "blue: 1 against it"},
			stood,
			[]metav1.Condition{others, safe(metav1.ConditionFalse, "NotSafe", "blue: 1 against it (looked at 2026-03-02T11:00:00Z)", then)},
		},
		"not known": {
			completed,
			shift.RetireReading{At: now, Unknown: true, Message: "blue: 1 not known"},
			nil,
			[]metav1.Condition{safe(metav1.ConditionUnknown, "NotKnown", "blue: 1 not known (looked at 2026-03-02T11:00:00Z)", now)},
		},
		"a new attempt takes it away": {
			shift.State{Phase: shift.Shifting}, shift.RetireReading{At: now, Safe: true}, stood, []metav1.Condition{others},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := Conditions(c.stored, 0, c.state, shift.Said{Retire: c.said}, now)
			meta.RemoveStatusCondition(&got, v1alpha1.BlueReady)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("conditions (-want +got):\n%s", diff)
			}
		})
	}
	if got := bounded(strings.Repeat("ä", 5000)); len([]rune(got)) > 2001 {
		t.Errorf("a long message has %d letters", len([]rune(got)))
	}
}
