package switcher_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// Who reads the journal sees what would be, went all users back now.
func TestJournalTellsHowReadyBlueIs(t *testing.T) {
	const web = "Deployment shop/web"
	w := newWorld()
	w.load, w.plan.Capacity.Loads = 80, []shift.LoadSource{{Name: "shop"}}
	w.ask.Serve = shift.Blue
	d := w.daemon()
	w.step(t, d)
	if diff := cmp.Diff(shift.Readiness{}, w.book.said.Readiness); diff != "" {
		t.Errorf("before any shift (-want +got):\n%s", diff)
	}
	w.ask.Serve = shift.Green
	d = at25(t, w)
	w.load, w.blueReady = 160, 2
	w.steps(t, d, 15*time.Second)
	want := shift.Readiness{
		Blue:   shift.SideCapacity{Known: true, Percent: 25, Weakest: web, Ready: 2, Need: 8, ByLoad: true},
		Green:  shift.SideCapacity{Known: true, Percent: 50, Weakest: web, Ready: 4, Need: 8, ByLoad: true},
		Wanted: 100, Takes: time.Minute, Tails: []shift.Tail{
			{Entrance: "dns", Side: shift.Green, Kind: shift.TailDNS, For: time.Minute},
			{Entrance: "dns", Side: shift.Blue, Kind: shift.TailDNS, For: time.Minute},
		},
	}
	times := cmpopts.IgnoreFields(shift.Tail{}, "Since", "Until")
	if diff := cmp.Diff(want, w.book.said.Readiness, times); diff != "" {
		t.Errorf("at 25 %%, while the load doubled and blue shrank (-want +got):\n%s", diff)
	}
}

// A load that goes up and down a little is no news; that blue could no longer
// take everything back is.
func TestJournalIsNotWrittenForEachWobbleOfTheLoad(t *testing.T) {
	for name, c := range map[string]struct {
		load float64
		want int
	}{
		"as before":                         {112, 0},
		"a little more":                     {114, 0},
		"so much more that people are told": {140, 1},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			w.plan.Steps[0].Hold = time.Hour
			w.load, w.plan.Capacity.Loads = 100, []shift.LoadSource{{Name: "shop"}}
			d := at25(t, w)
			w.load = 112
			w.steps(t, d, time.Minute)
			for saves := 0; saves == 0; { // until a sign of life: the next is half a minute away
				n := w.noted()
				w.step(t, d)
				_, saves = withoutSaves(w.since(n))
			}
			n := w.noted()
			w.load = c.load
			w.step(t, d)
			w.step(t, d)
			if _, saves := withoutSaves(w.since(n)); saves != c.want {
				t.Errorf("%d saves within two turns, want %d", saves, c.want)
			}
		})
	}
}
