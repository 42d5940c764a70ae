package status

import (
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clusterswitch/clusterswitch/internal/api/v1alpha1"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// Conditions brings those of a status up to date; their times tell of changes
// alone. What others wrote beside them stays.
func Conditions(stored []metav1.Condition, generation int64, s shift.State, said shift.Said, now time.Time) []metav1.Condition {
	next := slices.Clone(stored)
	set := func(kind string, c metav1.Condition) {
		c.Type, c.ObservedGeneration, c.LastTransitionTime = kind, generation, metav1.NewTime(now)
		meta.SetStatusCondition(&next, c)
	}
	set(v1alpha1.BlueReady, blueReady(said.Readiness))
	if s.Phase == shift.Completed {
		set(v1alpha1.SafeToRetire, safeToRetire(said.Retire))
	} else {
		meta.RemoveStatusCondition(&next, v1alpha1.SafeToRetire)
	}
	return next
}

// blueReady sums the readiness up as Kubernetes' tools read it.
func blueReady(r shift.Readiness) metav1.Condition {
	c := metav1.Condition{Status: metav1.ConditionFalse, Reason: "TooLittleReady", Message: bounded(r.Sentence())}
	switch {
	case !r.Measured():
		c.Status, c.Reason, c.Message = metav1.ConditionUnknown, "NothingToGoBack", "no shift has users on green"
	case !r.Blue.Known:
		c.Status, c.Reason = metav1.ConditionUnknown, "NotMeasured"
	case r.Enough():
		c.Status, c.Reason = metav1.ConditionTrue, "EnoughReady"
	}
	return c
}

// safeToRetire says whether blue may be deleted. What isn't known is Unknown, which
// nobody may take for True.
func safeToRetire(r shift.RetireReading) metav1.Condition {
	at := " (looked at " + r.At.UTC().Format(time.RFC3339) + ")"
	switch {
	case r.At.IsZero():
		return metav1.Condition{Status: metav1.ConditionUnknown, Reason: "NotLookedAt", Message: "nobody has looked yet; `clusterswitch retire-check` does"}
	case r.Safe:
		return metav1.Condition{Status: metav1.ConditionTrue, Reason: "Safe", Message: bounded(r.Message + at)}
	case r.Unknown:
		return metav1.Condition{Status: metav1.ConditionUnknown, Reason: "NotKnown", Message: bounded(r.Message + at)}
	}
	return metav1.Condition{Status: metav1.ConditionFalse, Reason: "NotSafe", Message: bounded(r.Message + at)}
}

// bounded keeps a message within what the API takes of one, in letters.
func bounded(message string) string {
	const most = 2000
	if runes := []rune(message); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return message
}
