package sim

import (
	"time"

	"github.com/clusterswitch/clusterswitch/switcher"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// soreness is how often in a row a daemon was told, each time by new samples, that
// green's users suffer beyond any doubt.
type soreness struct {
	times int
	to    time.Time // the newest sample
}

// suffering: L5. Who is in charge sends users back by the time that the gate failed as
// often in a row as the plan has it, and one more time: samples from before the daemon
// took charge may have counted for nothing.
func (j *judge) suffering(r *replica, t switcher.Turn) {
	b := t.Before
	watched := b.Phase == shift.Shifting || b.Phase == shift.Returning || b.Phase == shift.OnStandby && t.Plan.Standby.AutoRollback
	if !watched || b.Share == 0 || t.Observation.Request.HandsOff {
		r.sore = soreness{}
		return
	}
	for _, reading := range t.Observation.Traffic {
		if !beyondDoubt(reading, b, t.Now) {
			r.sore = soreness{}
			return
		}
		if reading.To.After(r.sore.to) {
			r.sore.times, r.sore.to = r.sore.times+1, reading.To
		}
		if needed := t.Plan.Gates.Traffic[0].Breaches + 1; r.sore.times > needed && t.Decision.Next.Rollback == nil {
			j.w.violate("L5", "%s was told %d times in a row that users suffer, the last time %d of %d requests, and doesn't send them back: %s: %s",
				r.name, r.sore.times, reading.Errors, reading.Requests, t.Decision.Reason, t.Decision.Message)
		}
	}
}

// beyondDoubt tells whether samples of this attempt, just taken, show more than twice
// as many errors as may be.
func beyondDoubt(r shift.TrafficReading, s shift.State, now time.Time) bool {
	fresh := now.Sub(r.To) < r.FreshFor && now.Sub(r.At) < 20*time.Second
	return r.Err == "" && fresh && !r.From.Before(s.StartedAt) && r.Errors <= r.Requests &&
		r.Requests >= 500 && float64(r.Errors) > 0.03*float64(r.Requests)
}
