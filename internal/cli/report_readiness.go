package cli

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clusterswitch/clusterswitch/internal/api/v1alpha1"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

func newReadinessReport(r *v1alpha1.Readiness) *readinessReport {
	if r == nil {
		return nil
	}
	out := &readinessReport{
		Message: r.Message, WantedPercent: r.WantedPercent,
		Blue: newCapacityReport(r.BlueCapacityPercent, r.Blue), Green: newCapacityReport(r.GreenCapacityPercent, r.Green),
		Tails: []tailReport{},
	}
	if r.Takes != "" {
		out.TakesSeconds = new(lengthOf(r.Takes).Seconds())
	}
	for _, t := range r.Tails {
		tail := tailReport{Entrance: t.Entrance, Side: t.Side, Kind: t.Kind}
		if length := lengthOf(t.For); length != shift.Endless {
			tail.ForSeconds = new(length.Seconds())
		}
		if !t.Until.IsZero() {
			tail.Until = new(t.Until.UTC())
		}
		out.Tails = append(out.Tails, tail)
	}
	return out
}

func newCapacityReport(percent *int, c v1alpha1.Capacity) capacityReport {
	return capacityReport{Percent: percent, Why: c.Why, Weakest: c.Weakest, Ready: c.Ready, Needed: c.Needed, ByLoad: c.ByLoad}
}

func newConditions(conditions []metav1.Condition) []conditionReport {
	out := []conditionReport{}
	for _, c := range conditions {
		out = append(out, conditionReport{
			Type: c.Type, Status: string(c.Status), Reason: c.Reason, Message: c.Message, Since: c.LastTransitionTime.UTC(),
		})
	}
	return out
}
