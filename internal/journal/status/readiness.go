package status

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clusterswitch/clusterswitch/internal/api/v1alpha1"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// readiness puts the answer to "if we went back now" into its place; nil: there is
// nothing to go back.
func readiness(r shift.Readiness) *v1alpha1.Readiness {
	if !r.Measured() {
		return nil
	}
	out := &v1alpha1.Readiness{
		Message: r.Sentence(), WantedPercent: r.Wanted,
		BlueCapacityPercent: percent(r.Blue), GreenCapacityPercent: percent(r.Green),
		Blue: capacity(r.Blue), Green: capacity(r.Green),
	}
	if r.Takes > 0 {
		out.Takes = r.Takes.String()
	}
	for _, t := range r.Tails {
		tail := v1alpha1.Tail{Entrance: t.Entrance, Side: string(t.Side), Kind: string(t.Kind), For: t.For.String()}
		if t.For == shift.Endless {
			tail.For = v1alpha1.TailEndless
		}
		if !t.Until.IsZero() {
			tail.Until = metav1.NewTime(t.Until)
		}
		out.Tails = append(out.Tails, tail)
	}
	return out
}

func percent(c shift.SideCapacity) *int {
	if !c.Known {
		return nil
	}
	return &c.Percent
}

func capacity(c shift.SideCapacity) v1alpha1.Capacity {
	if !c.Known {
		return v1alpha1.Capacity{Why: c.Why}
	}
	return v1alpha1.Capacity{Weakest: c.Weakest, Ready: c.Ready, Needed: c.Need, ByLoad: c.ByLoad}
}
