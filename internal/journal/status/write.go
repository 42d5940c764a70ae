package status

import (
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/clusterswitch/clusterswitch/internal/api/v1alpha1"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// New puts the journal and what people read beside it into a status.
func New(s shift.State, said shift.Said, now time.Time) (v1alpha1.TrafficSwitchStatus, error) {
	content, err := encode(s)
	if err != nil {
		return v1alpha1.TrafficSwitchStatus{}, err
	}
	status := v1alpha1.TrafficSwitchStatus{
		Phase:     string(s.Phase),
		Share:     int(s.Share),
		Attempt:   s.Attempt,
		Reason:    string(said.Reason),
		Message:   said.Message,
		BlueReady: said.BlueReady,
		Readiness: readiness(said.Readiness),
		Notes:     said.Notes,
		UpdatedAt: metav1.NewTime(now),
		Journal:   &runtime.RawExtension{Raw: content},
	}
	if len(s.Steps) > 0 {
		status.Step = fmt.Sprintf("%d/%d", s.Step, len(s.Steps))
	}
	for _, v := range said.Verdicts {
		status.Gates = append(status.Gates, v1alpha1.Gate{Gate: v.Gate, Judgement: string(v.Judgement), Message: v.Message})
	}
	if q := s.Asks(); q != nil {
		status.Question = &v1alpha1.Question{ID: q.ID, Reason: string(q.Reason), Message: q.Message}
	}
	if r := s.Rollback; r != nil {
		status.Rollback = &v1alpha1.Rollback{By: r.By, Why: r.Why, At: metav1.NewTime(r.At), Automatic: r.Automatic}
	}
	for _, b := range s.Baton {
		status.Singletons = append(status.Singletons, singletonOf(b))
	}
	return status, nil
}

func singletonOf(b shift.BatonState) v1alpha1.Singleton {
	out := v1alpha1.Singleton{
		Key: b.Key, Side: string(b.Side), Stage: string(b.Stage), Since: metav1.NewTime(b.Since), OffSince: optionalTime(b.OffSince), Failed: b.Failed,
	}
	if g := b.Gap; g != nil {
		out.Gap = &v1alpha1.SingletonGap{From: metav1.NewTime(g.From), To: metav1.NewTime(g.To), Missed: optionalTime(g.Missed)}
	}
	return out
}

func optionalTime(t time.Time) *metav1.Time {
	if t.IsZero() {
		return nil
	}
	return new(metav1.NewTime(t))
}

// Beside puts what is said beside a journal that can't be read and stays, or isn't
// begun yet. Where nothing was done since, what was last known of the way stays too:
// it is truer than a beginning.
func Beside(stored, said v1alpha1.TrafficSwitchStatus) v1alpha1.TrafficSwitchStatus {
	said.Journal = stored.Journal
	if said.Phase == string(shift.Idle) {
		said.Phase, said.Share, said.Step, said.Attempt = stored.Phase, stored.Share, stored.Step, stored.Attempt
		said.Singletons = stored.Singletons
	}
	return said
}
