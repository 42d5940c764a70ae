package cli

import (
	"fmt"
	"strconv"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/api/v1alpha1"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// canTake shows how much of the load blue could carry.
func canTake(r *v1alpha1.Readiness) string {
	if r == nil {
		return "-"
	}
	return percentOr(r.BlueCapacityPercent, "-")
}

func percentOr(p *int, unknown string) string {
	if p == nil {
		return unknown
	}
	return strconv.Itoa(*p) + "%"
}

// wayBack answers: if all went back to blue now, how much could it carry, how long
// would it take, and who would notice?
func (h *hand) wayBack(r v1alpha1.Readiness) {
	takes := ""
	if r.Takes != "" {
		takes = ", which would take up to " + r.Takes
	}
	h.out.say("\nIf all went back to blue now%s:", takes)
	rows := [][]string{{"SIDE", "CAN TAKE", "OF", "WEAKEST", "READY", "NEEDED"}}
	for _, side := range []struct {
		name, of string
		percent  *int
		capacity v1alpha1.Capacity
	}{
		{"blue", fmt.Sprintf("all of the load, %d%% wanted", r.WantedPercent), r.BlueCapacityPercent, r.Blue},
		{"green", "its share, or the next", r.GreenCapacityPercent, r.Green},
	} {
		c := side.capacity
		if side.percent == nil {
			rows = append(rows, []string{side.name, "unknown", side.of, orNone(c.Why), "-", "-"})
			continue
		}
		weakest, needed := c.Weakest, strconv.Itoa(c.Needed)
		if weakest == "" {
			weakest = "all workloads"
		}
		if c.ByLoad {
			needed += " by the load"
		}
		rows = append(rows, []string{side.name, percentOr(side.percent, ""), side.of, weakest, strconv.Itoa(c.Ready), needed})
	}
	table(h.out, rows)
	if len(r.Tails) == 0 {
		return
	}
	h.out.say("\nWho would notice, and who is still there:")
	for _, t := range r.Tails {
		h.out.say("  %s: %s", t.Entrance, tailText(t))
	}
}

func tailText(t v1alpha1.Tail) string {
	tail := shift.Tail{Side: shift.Side(t.Side), Kind: shift.TailKind(t.Kind), For: lengthOf(t.For)}
	text := tail.Would()
	if !t.Until.IsZero() {
		text += "; the last who were sent away are gone at " + moment(t.Until.Time)
	}
	return text
}

// lengthOf reads what a Tail says of its length.
func lengthOf(text string) time.Duration {
	if text == v1alpha1.TailEndless {
		return shift.Endless
	}
	d, _ := time.ParseDuration(text) // the daemon wrote it
	return d
}
