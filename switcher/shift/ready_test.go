package shift

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestWhatIsNewsOfAReadiness(t *testing.T) {
	said := Readiness{
		Blue: SideCapacity{Known: true, Percent: 92, Weakest: "Deployment shop/web", Ready: 11, Need: 12}, Green: SideCapacity{Known: true, Percent: 300},
		Takes: 90 * time.Second, Tails: []Tail{{Entrance: "rule", Kind: TailCookie, For: time.Hour}},
	}
	for name, test := range map[string]struct {
		change func(r *Readiness)
		want   bool
	}{
		"nothing":                     {func(*Readiness) {}, false},
		"a point less":                {func(r *Readiness) { r.Blue.Percent-- }, false},
		"below the policy by a point": {func(r *Readiness) { r.Blue.Percent = 89 }, true},
		"five points more":            {func(r *Readiness) { r.Blue.Percent = 97 }, true},
		"another workload as weak":    {func(r *Readiness) { r.Blue.Weakest = "Deployment shop/api" }, false},
		"blue became unknown":         {func(r *Readiness) { r.Blue = SideCapacity{Why: "blue can't be read: timeout"} }, true},
		"green is cold":               {func(r *Readiness) { r.Green.Percent = 80 }, true},
		"it takes longer":             {func(r *Readiness) { r.Takes = time.Hour }, true},
		"the cookies are gone":        {func(r *Readiness) { r.Tails = nil }, true},
		"cookies that live until later": {func(r *Readiness) {
			r.Tails = []Tail{{Entrance: "rule", Kind: TailCookie, For: time.Hour, Until: time.Now()}}
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			now := said
			test.change(&now)
			if got := now.Differs(said, CapacityPolicy{AtLeast: 90}); got != test.want {
				t.Errorf("got %t, want %t", got, test.want)
			}
		})
	}
}

// What people should know besides the decision.
func TestNotesOnCapacityAndFloors(t *testing.T) {
	for name, test := range map[string]struct {
		spoil func(t *turn)
		want  []string
	}{
		"all is well": {nil, nil},
		"blue is weak": {
			func(t *turn) { t.o.Blue.Workloads[0].Ready = 4; t.p.Capacity.Warn = true },
			[]string{"blue is ready for 40 % of the load (Deployment shop/web: 4 ready, 10 needed by the measured load), less than the 90 % that are wanted"},
		},
		"blue is weak, and nobody minds": {func(t *turn) { t.o.Blue.Workloads[0].Ready = 4; t.p.Capacity.AtLeast = 0 }, nil},
		"somebody fights": {
			func(t *turn) { t.o.Floors.Blue[0].Min, t.o.Floors.Blue[0].RevertedBy = 2, "argocd-controller" },
			[]string{"HorizontalPodAutoscaler shop/web of blue: argocd-controller set its floor back to 2"},
		},
		"a side can't be written": {func(t *turn) { t.o.Floors.Err = "green: forbidden" }, []string{"autoscalers' floors: green: forbidden"}},
		"nothing is held":         {func(t *turn) { t.o.Floors.Err = "green: forbidden"; t.next.FloorsHeld = false }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			turn := pinned(test.spoil)
			if diff := cmp.Diff(test.want, CapacityNotes(turn.p, turn.next, turn.o, turn.now)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
