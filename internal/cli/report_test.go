package cli

import (
	"bytes"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clusterswitch/clusterswitch/internal/api/v1alpha1"
)

// TestStatusJSON keeps the shape that scripts rely on.
func TestStatusJSON(t *testing.T) { golden(t, "testdata/status.json", exampleJSON(t)) }

// exampleJSON has every field filled in once, and every one empty.
func exampleJSON(t *testing.T) string {
	t.Helper()
	at := metav1.NewTime(time.Date(2026, 3, 2, 11, 2, 0, 0, time.FixedZone("CET", 3600)))
	filled := v1alpha1.TrafficSwitch{
		ObjectMeta: metav1.ObjectMeta{Name: "shop"},
		Spec: v1alpha1.TrafficSwitchSpec{
			Paused: true, HandsOff: true, Rollback: true, RollbackForce: true, Attempt: 2,
			Approved: v1alpha1.Approval{Attempt: 2, Step: 3}, Resolve: v1alpha1.Resolution{ID: "2-1772445720000", How: "adopt"},
			Vouch: v1alpha1.Vouch{Attempt: 2, Take: "blue"},
		},
		Status: v1alpha1.TrafficSwitchStatus{
			Phase: "RollingBack", Share: 25, Step: "2/4", Attempt: 2, BlueReady: "9/10",
			Reason: "RollbackLimitedByCapacity", Message: "blue can carry 75% now; 25% stays on green until blue has more", UpdatedAt: at, Holder: "clusterswitch-7c9d8_1f0e9d8c",
			Question: &v1alpha1.Question{ID: "2-1772445720000", Reason: "Drift", Message: "entrance shop stands at 60/40 instead of 75/25"},
			Readiness: &v1alpha1.Readiness{
				Message:             "blue is ready for 40 % of the load (Deployment shop/web: 4 ready, 10 needed by the measured load); going back takes up to 2m0s",
				BlueCapacityPercent: new(40), WantedPercent: 90, Takes: "2m0s",
				Blue:  v1alpha1.Capacity{Weakest: "Deployment shop/web", Ready: 4, Needed: 10, ByLoad: true},
				Green: v1alpha1.Capacity{Why: "green was not read within 30s"},
				Tails: []v1alpha1.Tail{
					{Entrance: "dns", Side: "green", Kind: "dns", For: "2m0s", Until: at},
					{Entrance: "tcp", Side: "green", Kind: "connection", For: v1alpha1.TailEndless},
				},
			},
			Conditions: []metav1.Condition{{Type: "BlueReady", Status: metav1.ConditionFalse, Reason: "TooLittleReady", Message: "blue is ready for 40 % of the load", LastTransitionTime: at}},
			Notes:      []string{"web: clients that hold its cookie may stay on green until 2026-03-02 11:31:00"},
			Gates:      []v1alpha1.Gate{{Gate: "errors", Judgement: "fail", Message: "3% of 1200 requests failed, 1% is allowed"}},
			Rollback:   &v1alpha1.Rollback{By: "clusterswitch", Why: "errors: 3% failed & 1% is allowed", At: at, Automatic: true},
			Singletons: []v1alpha1.Singleton{{
				Key: "CronJob shop/report", Side: "green", Stage: "giving", Since: at, OffSince: &at, Failed: "1 job in blue did not end within 10m",
				Gap: &v1alpha1.SingletonGap{From: at, To: at, Missed: &at},
			}},
		},
	}
	empty := v1alpha1.TrafficSwitch{ObjectMeta: metav1.ObjectMeta{Name: "web"}}
	var out bytes.Buffer
	h := &hand{out: &paper{w: &out}, now: storyTime}
	if err := h.printReport([]v1alpha1.TrafficSwitch{filled, empty}, "json"); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestReplicas(t *testing.T) {
	for text, want := range map[string]*replicas{
		"3/4": {Ready: 3, Wanted: 4}, "0/0": {}, "": nil, "3": nil, "3/": nil, "/4": nil, "unknown": nil, "1/2/3": nil,
	} {
		if diff := cmp.Diff(want, newReplicas(text)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
}

func TestSilence(t *testing.T) {
	now := storyTime()
	tests := map[string]struct {
		written time.Time
		want    string
	}{
		"a status of a daemon that runs":        {now.Add(-40 * time.Second), ""},
		"a clock that runs ahead":               {now.Add(time.Minute), ""},
		"a status that nobody renewed for long": {now.Add(-3 * time.Minute), ", 3m0s ago: unless the configured interval is that long, no daemon is running"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := silence(test.written, now); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
