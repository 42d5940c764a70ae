package shift

import (
	"testing"
	"time"
)

var tenOClock = time.Date(2026, 11, 2, 10, 0, 0, 0, time.UTC)

func ready() ClusterReading {
	return ClusterReading{At: tenOClock, Nodes: 3, NodesReady: 3, Workloads: []Workload{{Kind: "Deployment", Namespace: "shop", Name: "web", Wanted: 8, Ready: 8}}}
}

// planOf is the plan that the state goes by.
func planOf(s State) Plan {
	return Plan{StaleAfter: time.Minute, Steps: s.Steps, Entrances: s.Targets(Plan{}), Gates: Gates{SoakOnly: true}}
}

// A rise whose answer could not be written down looks, to who reads the journal, as
// one that is still on its way. Where the mark isn't the one it was decided beside,
// somebody wrote since then, and to send it again would undo that.
func TestARiseIsNotSentAgainOverWhatSomebodyWroteSince(t *testing.T) {
	before := Mark{Attempt: 2, Epoch: 3, Version: 8, Phase: RolledBack, Rollback: true}
	older := Mark{Attempt: 1, Epoch: 3, Version: 4, Phase: RollingBack, Rollback: true}
	own := Mark{Attempt: 3, Epoch: 3, Version: 11, Phase: Shifting, Share: 47}
	earlier := own // the planned way back was asked for since, and withdrawn
	earlier.Version = 9
	for name, c := range map[string]struct {
		was, found *Mark
		share      Share
		reason     Reason
	}{
		"the mark is as it was: the rise never landed":       {&before, &before, 0, Rising},
		"the mark was taken away, which tells nothing":       {&before, nil, 0, Rising},
		"there was none, and there is none":                  {nil, nil, 0, Rising},
		"there was none, and now there is one":               {nil, &older, 0, Drift},
		"an older attempt's daemon wrote":                    {&before, &older, 0, Drift},
		"the rise landed, and somebody set green to 0":       {&before, &own, 0, RollbackRequested},
		"the same, and the state went on in between":         {&before, &earlier, 0, RollbackRequested},
		"the rise landed, and somebody set something else":   {&before, &own, 20, Drift},
		"somebody set something else before the rise landed": {&before, &before, 20, Drift},
	} {
		t.Run(name, func(t *testing.T) {
			e := Entrance{Name: "dns", Route53: &Route53Entrance{Mark: true}}
			s := State{
				Phase: Shifting, Attempt: 3, Epoch: 3, Version: 11, Baseline: Baseline{At: tenOClock, Ready: 8}, Share: 47, Step: 1, Steps: []Step{{Share: 47}, {Share: 100}},
				Entrances: []EntranceState{{Entrance: e, Share: 47, Pending: true, Was: Share(0).Weights(), WasMark: c.was}},
			}
			o := Observation{
				Request: Request{Serve: Green, Attempt: 3}, Green: ready(), Blue: ready(),
				Entrances: []EntranceReading{{Name: "dns", At: tenOClock, Weights: c.share.Weights(), Mark: c.found, InSync: true}},
			}
			d := Decide(planOf(s), s, o, tenOClock)
			if d.Reason != c.reason {
				t.Errorf("%s: %s", d.Reason, d.Message)
			}
		})
	}
}

// A clock that is set while the daemon looks passes for right by AWS's answers, but
// not the time that the turn began by.
func TestATurnThatTheClockWasSetInJudgesNothing(t *testing.T) {
	for name, c := range map[string]struct {
		lookedAt time.Time
		settles  bool
	}{
		"a quick look":                    {tenOClock.Add(time.Second), true},
		"nobody says when it ended":       {time.Time{}, true},
		"the clock was set ahead":         {tenOClock.Add(5 * time.Minute), false},
		"the clock was set back":          {tenOClock.Add(-time.Minute), false},
		"a little back, as NTP may do it": {tenOClock.Add(-time.Second), true},
	} {
		t.Run(name, func(t *testing.T) {
			s := State{
				Phase: Shifting, Attempt: 1, Epoch: 1, Version: 2, Share: 40, Step: 1, Steps: []Step{{Share: 40}, {Share: 100}},
				ReachedAt: tenOClock.Add(4 * time.Minute), // by a clock that was right
				Entrances: []EntranceState{{Entrance: Entrance{Name: "dns", Route53: &Route53Entrance{}}, Share: 40}},
			}
			o := Observation{
				LookedAt: c.lookedAt, Request: Request{Serve: Green, Attempt: 1},
				Entrances: []EntranceReading{{Name: "dns", At: tenOClock, Weights: Share(40).Weights(), InSync: true}},
			}
			d := Decide(planOf(s), s, o, tenOClock)
			if moved := !d.Next.ReachedAt.Equal(s.ReachedAt); moved != c.settles {
				t.Errorf("the time since when the share stands was moved: %t: %s: %s", moved, d.Reason, d.Message)
			}
			s.ReachedAt = time.Time{}
			if d = Decide(planOf(s), s, o, tenOClock); (d.Reason == ClockWrong) == c.settles {
				t.Errorf("a share that is reached: %s: %s", d.Reason, d.Message)
			}
		})
	}
}

// While the hands are off others may set what they like, also twice and back again.
func TestWhatIsMeasuredCountsAnewAfterHandsOff(t *testing.T) {
	s := State{
		Phase: Shifting, Attempt: 1, Epoch: 1, Version: 2, Share: 40, Step: 1, Steps: []Step{{Share: 40}, {Share: 100}}, ReachedAt: tenOClock.Add(-time.Hour),
		Entrances: []EntranceState{{Entrance: Entrance{Name: "dns", Route53: &Route53Entrance{}}, Share: 40}},
	}
	o := Observation{
		Request: Request{Serve: Green, Attempt: 1, HandsOff: true}, Green: ready(), Blue: ready(),
		Entrances: []EntranceReading{{Name: "dns", At: tenOClock, Weights: Share(40).Weights(), InSync: true}},
	}
	d := Decide(planOf(s), s, o, tenOClock)
	o.Request.HandsOff = false
	if d = Decide(planOf(s), d.Next, o, tenOClock); !d.Next.ReachedAt.Equal(tenOClock) {
		t.Errorf("the share stands since %s: %s: %s", d.Next.ReachedAt, d.Reason, d.Message)
	}
}

// Who stood still between the beginning of a turn and its look finds readings that
// aren't fresh by the turn's time. A flag goes by them all the same.
func TestAFlagActsOnAReadingThatIsNotFresh(t *testing.T) {
	for _, age := range []time.Duration{-5 * time.Minute, 0, 5 * time.Minute} {
		s := State{
			Phase: RolledBack, Attempt: 1, Epoch: 1, Version: 4, Rollback: &RollbackRecord{By: "the custom resource"},
			Entrances: []EntranceState{{Entrance: Entrance{Name: "dns", Route53: &Route53Entrance{Mark: true}}}},
		}
		o := Observation{
			Request:   Request{Serve: Green, Attempt: 1, RollbackBy: []string{"the custom resource"}},
			Entrances: []EntranceReading{{Name: "dns", At: tenOClock.Add(-age), Weights: Share(31).Weights(), InSync: true}},
		}
		d := Decide(planOf(s), s, o, tenOClock)
		if len(d.Changes) != 1 || d.Changes[0].Wanted != 0 {
			t.Errorf("read %s ago: %s: %s, changes %v", age, d.Reason, d.Message, d.Changes)
		}
	}
}

// Who took over from the daemon that made the last change has no change to ask AWS
// about, and waits for as long as AWS takes to bring it to all its servers.
func TestAChangeOfAnotherDaemonIsWaitedFor(t *testing.T) {
	for name, c := range map[string]struct {
		raised  time.Duration // ago
		unheard bool
		reason  Reason
	}{
		"its own change, which AWS says is through":        {10 * time.Second, false, Holding},
		"another daemon's, just before this one took over": {10 * time.Second, true, Settling},
		"another daemon's, long ago":                       {2 * time.Minute, true, Holding},
	} {
		t.Run(name, func(t *testing.T) {
			s := State{
				Phase: Shifting, Attempt: 1, Epoch: 2, Version: 2, Share: 40, Step: 1, Steps: []Step{{Share: 40, Hold: time.Hour}, {Share: 100}},
				Baseline: Baseline{At: tenOClock, Ready: 8}, StartedAt: tenOClock.Add(-time.Hour),
				Entrances: []EntranceState{{Entrance: Entrance{Name: "dns", Route53: &Route53Entrance{}}, Share: 40, RaisedAt: tenOClock.Add(-c.raised)}},
			}
			o := Observation{
				Request: Request{Serve: Green, Attempt: 1}, Green: ready(), Blue: ready(),
				Entrances: []EntranceReading{{Name: "dns", At: tenOClock, Weights: Share(40).Weights(), InSync: true, SyncUnheard: c.unheard}},
			}
			if d := Decide(planOf(s), s, o, tenOClock); d.Reason != c.reason {
				t.Errorf("%s: %s", d.Reason, d.Message)
			}
		})
	}
}

// What another daemon sent may have landed long after: until this one has seen it land,
// nobody knows when it did.
func TestAWriteOfAnotherDaemonLandsLate(t *testing.T) {
	s := State{
		Phase: Shifting, Attempt: 1, Epoch: 2, Version: 2, Share: 40, Step: 1, Steps: []Step{{Share: 40, Hold: time.Hour}, {Share: 100}},
		Baseline: Baseline{At: tenOClock, Ready: 8}, StartedAt: tenOClock.Add(-time.Hour),
		Entrances: []EntranceState{{
			Entrance: Entrance{Name: "dns", Route53: &Route53Entrance{}}, Share: 40, RaisedAt: tenOClock.Add(-time.Hour),
			Pending: true, Was: Share(0).Weights(),
		}},
	}
	now := tenOClock
	turn := func() Decision {
		d := Decide(planOf(s), s, Observation{
			Request: Request{Serve: Green, Attempt: 1}, Green: ready(), Blue: ready(),
			Entrances: []EntranceReading{{Name: "dns", At: now, Weights: Share(40).Weights(), InSync: true, SyncUnheard: true}},
		}, now)
		s = d.Next
		return d
	}
	if d := turn(); d.Reason != Settling {
		t.Errorf("as soon as it is seen: %s: %s", d.Reason, d.Message)
	}
	now = now.Add(2 * propagation)
	if d := turn(); d.Reason == Settling {
		t.Errorf("%s after it was seen: %s: %s", 2*propagation, d.Reason, d.Message)
	}
}

// A daemon that can't read what a newer one wrote down lowers green again where that
// one raised it. Its mark is another one each time, or the newer would take its rise
// for one that never landed.
func TestLoweringAgainIsSeenAsANewWrite(t *testing.T) {
	s := State{
		Phase: RollingBack, Attempt: 1, Epoch: 1, Version: 1, Rollback: &RollbackRecord{By: "the custom resource"},
		Entrances: []EntranceState{{Entrance: Entrance{Name: "dns", Route53: &Route53Entrance{Mark: true}}}},
	}
	newer := Mark{Attempt: 2, Epoch: 3, Version: 8, Phase: Shifting, Share: 74}
	o := Observation{Entrances: []EntranceReading{{Name: "dns", At: tenOClock, Weights: Share(74).Weights(), Mark: &newer}}}
	d := Decide(planOf(s), s, o, tenOClock)
	if len(d.Changes) != 1 || d.Changes[0].Wanted != 0 || d.Changes[0].Control == s.Mark() {
		t.Errorf("%s: %s, changes %+v", d.Reason, d.Message, d.Changes)
	}
	if again := Decide(planOf(s), d.Next, o, tenOClock); again.Changes[0].Control == d.Changes[0].Control {
		t.Error("the next time it has the same mark")
	}
}
