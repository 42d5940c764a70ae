package status

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clusterswitch/clusterswitch/internal/api/v1alpha1"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

func weakBlue() shift.Readiness {
	until := time.Date(2026, 11, 2, 10, 0, 0, 0, time.UTC)
	return shift.Readiness{
		Wanted: 90, Takes: 90 * time.Second,
		Blue:  shift.SideCapacity{Known: true, Percent: 40, Weakest: "Deployment shop/web", Ready: 4, Need: 10, ByLoad: true},
		Green: shift.SideCapacity{Why: "green was not read yet"},
		Tails: []shift.Tail{
			{Entrance: "dns", Side: shift.Green, Kind: shift.TailDNS, For: 90 * time.Second, Until: until},
			{Entrance: "tcp", Side: shift.Green, Kind: shift.TailConnection, For: shift.Endless},
		},
	}
}

const weakBlueSays = "blue is ready for 40 % of the load (Deployment shop/web: 4 ready, 10 needed by the measured load)" +
	"; going back takes up to 1m30s; at tcp clients with open connections would stay on green for as long as they keep them"

func TestReadinessGoesIntoTheStatus(t *testing.T) {
	status, err := New(shift.NewState(), shift.Said{Readiness: weakBlue()}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	want := &v1alpha1.Readiness{
		Message: weakBlueSays, BlueCapacityPercent: new(40), WantedPercent: 90, Takes: "1m30s",
		Blue:  v1alpha1.Capacity{Weakest: "Deployment shop/web", Ready: 4, Needed: 10, ByLoad: true},
		Green: v1alpha1.Capacity{Why: "green was not read yet"},
		Tails: []v1alpha1.Tail{
			{Entrance: "dns", Side: "green", Kind: "dns", For: "1m30s", Until: metav1.NewTime(weakBlue().Tails[0].Until)},
			{Entrance: "tcp", Side: "green", Kind: "connection", For: "endless"},
		},
	}
	if diff := cmp.Diff(want, status.Readiness); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if status, err = New(shift.NewState(), shift.Said{}, time.Now()); err != nil || status.Readiness != nil {
		t.Errorf("with nothing to go back: %+v (%v)", status.Readiness, err)
	}
}

func TestBlueReadyIsACondition(t *testing.T) {
	unknown, strong := weakBlue(), weakBlue()
	unknown.Blue = shift.SideCapacity{Why: "it is gone"}
	strong.Blue.Percent = 90
	for name, c := range map[string]struct {
		r      shift.Readiness
		status metav1.ConditionStatus
		reason string
	}{
		"where too little is ready":         {weakBlue(), metav1.ConditionFalse, "TooLittleReady"},
		"where enough is":                   {strong, metav1.ConditionTrue, "EnoughReady"},
		"where it can't be told":            {unknown, metav1.ConditionUnknown, "NotMeasured"},
		"where there is nothing to go back": {shift.Readiness{}, metav1.ConditionUnknown, "NothingToGoBack"},
	} {
		t.Run(name, func(t *testing.T) {
			got := blueReady(c.r)
			if got.Status != c.status || got.Reason != c.reason || got.Message == "" {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestConditionsKeepTheirTimesAndThoseOfOthers(t *testing.T) {
	old := metav1.NewTime(time.Date(2026, 11, 2, 10, 0, 0, 0, time.UTC))
	list := []metav1.Condition{
		{Type: "Watched", Status: metav1.ConditionTrue, Reason: "ByOthers", LastTransitionTime: old},
		{Type: "BlueReady", Status: metav1.ConditionFalse, Reason: "TooLittleReady", Message: "30 %", LastTransitionTime: old},
	}
	shifting := shift.State{Phase: shift.Shifting}
	same := Conditions(list, 7, shifting, shift.Said{Readiness: weakBlue()}, time.Now())
	want := []metav1.Condition{list[0], {
		Type: "BlueReady", Status: metav1.ConditionFalse, Reason: "TooLittleReady", Message: weakBlueSays, ObservedGeneration: 7, LastTransitionTime: old,
	}}
	if diff := cmp.Diff(want, same); diff != "" {
		t.Errorf("with another sentence (-want +got):\n%s", diff)
	}
	strong := weakBlue()
	strong.Blue.Percent = 95
	if changed := Conditions(same, 7, shifting, shift.Said{Readiness: strong}, time.Now()); !changed[1].LastTransitionTime.After(old.Time) || changed[1].Status != metav1.ConditionTrue {
		t.Errorf("with another status: %+v", changed)
	}
}
