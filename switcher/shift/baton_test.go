package shift

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// batonScene is a shift whose singletons are handed over at 50 %, which stands
// since a minute, and one CronJob that runs in blue, read a second ago.
type batonScene struct {
	p    Plan
	s    State
	o    Observation
	now  time.Time
	blue SingletonSide
	// green is the same CronJob there.
	green SingletonSide
}

const nightly = "CronJob shop/nightly"

func newBatonScene() *batonScene {
	w := newWorld()
	w.plan.Singletons = SingletonPolicy{At: 50, Drain: 10 * time.Minute}
	for _, g := range w.groups {
		g.weights = Share(50).Weights()
	}
	w.probe()
	w.probe()
	c := &batonScene{p: w.plan, now: w.now}
	c.s = State{
		Schema: Schema, Attempt: 3, Epoch: 1, Version: 9, Phase: Shifting, Steps: w.plan.Steps, Step: 2, Share: 50,
		Entrances: freeze(w.plan.Entrances, 50), Baseline: Baseline{Ready: 10},
		StartedAt: c.ago(time.Hour), ChangedAt: c.ago(2 * time.Minute), ShownAt: c.ago(2 * time.Minute), ReachedAt: c.ago(time.Minute),
	}
	w.ask = Request{Serve: Green, Attempt: 3}
	c.o = w.observe(c.s)
	c.blue, c.green = SingletonSide{At: c.ago(time.Second), On: true}, SingletonSide{At: c.ago(time.Second)}
	return c
}

func (c *batonScene) ago(d time.Duration) time.Time { return c.now.Add(-d) }

// stands puts the singleton into a stage since some seconds; nobody has begun
// work since then, if it is giving or taking.
func (c *batonScene) stands(stage BatonStage, side Side, since time.Duration) *BatonState {
	e := BatonState{Key: nightly, Stage: stage, Side: side, Since: c.ago(since), SeenAt: c.ago(since + time.Minute)}
	if stage == BatonGiving || stage == BatonTaking {
		e.OffSince = c.ago(since)
	}
	c.s.Baton = []BatonState{e}
	return &c.s.Baton[0]
}

// goesBack puts the pair on its way back, or at its end.
func (c *batonScene) goesBack(p Phase) {
	c.s.Phase, c.s.Rollback = p, &RollbackRecord{By: "kubectl", Why: "the rollback flag is set in kubectl"}
	c.s.ReachedAt = c.ago(time.Second)
	if p == RolledBack {
		c.s.Share, c.s.Step = 0, 0
		for i := range c.s.Entrances {
			c.s.Entrances[i].Share = 0
			c.o.Entrances[i].Weights = Share(0).Weights()
		}
	}
}

func (c *batonScene) decide() Decision {
	c.o.Singletons = []SingletonReading{{Key: nightly, Blue: c.blue, Green: c.green}}
	return Decide(c.p, c.s, c.o, c.now)
}

// TestEachStageOfAHandOver goes through what can be seen in each stage. A word
// such as "giving blue" is the stage after the turn; "off/on" what is intended
// for blue and green.
func TestEachStageOfAHandOver(t *testing.T) {
	for name, test := range map[string]struct {
		given func(c *batonScene)
		want  string
		says  string // of the reason and message
	}{
		"it is given when the step is reached":    {func(*batonScene) {}, "giving blue off/off", "SingletonsDraining: singletons: CronJob shop/nightly is to be handed to green"},
		"not before the step is reached":          {func(c *batonScene) { c.s.ReachedAt, c.s.ShownAt = time.Time{}, time.Time{} }, "left", ""},
		"not below the step":                      {func(c *batonScene) { c.p.Singletons.At = 100 }, "left", ""},
		"one that is suspended in blue is left":   {func(c *batonScene) { c.blue.On = false }, "left", ""},
		"one that is in green only is left":       {func(c *batonScene) { c.blue.On, c.blue.Absent = false, true }, "left", ""},
		"one that isn't in green stays":           {func(c *batonScene) { c.green.Absent = true }, "left", "SingletonsStuck: singletons: CronJob shop/nightly runs in blue and isn't in green"},
		"one that is on in both is named":         {func(c *batonScene) { c.green.On = true }, "left", "SingletonTwice: singletons: CronJob shop/nightly is on in both clusters"},
		"one whose jobs still run in green waits": {func(c *batonScene) { c.green.Running = 1 }, "left", "1 job still in green"},
		"an unknown green gets nothing":           {func(c *batonScene) { c.green.Err = "timeout" }, "left", "SingletonsUnknown: singletons: CronJob shop/nightly: green can't be read: timeout"},
		"an old reading begins nothing":           {func(c *batonScene) { c.blue.At = c.ago(time.Hour) }, "left", "SingletonsUnknown"},
		"a pause begins nothing":                  {func(c *batonScene) { c.o.Request.Paused = true }, "left", "SingletonsDraining: singletons: CronJob shop/nightly is to be handed to green"},
		"a pause ends nothing either": {func(c *batonScene) {
			c.stands(BatonGiving, Blue, 20*time.Second)
			c.blue.On = false
			c.o.Request.Paused = true
		}, "taking green off/on", ""},
		"hands off leaves all":                                    {func(c *batonScene) { c.stands(BatonGiving, Blue, 20*time.Second); c.o.Request.HandsOff = true }, "giving blue leave", "HandsOff"},
		"a drift begins nothing":                                  {func(c *batonScene) { c.o.Entrances[0].Weights = Share(33).Weights() }, "left", "Drift"},
		"green takes what is off and over":                        {func(c *batonScene) { c.stands(BatonGiving, Blue, 20*time.Second); c.blue.On = false }, "taking green off/on", ""},
		"what was read before it was told to stop proves nothing": {func(c *batonScene) { c.stands(BatonGiving, Blue, time.Second); c.blue.On = false }, "giving blue off/off", ""},
		"nor what was read while it may still be switched on":     {func(c *batonScene) { c.stands(BatonGiving, Blue, 20*time.Second).LandsUntil = c.now; c.blue.On = false }, "giving blue off/off", ""},
		"running jobs are waited for":                             {func(c *batonScene) { c.stands(BatonGiving, Blue, 20*time.Second); c.blue.On, c.blue.Running = false, 2 }, "giving blue off/off", "when what runs in blue is over: 2 jobs"},
		"also those that end later than the overlap": {func(c *batonScene) {
			c.stands(BatonGiving, Blue, 20*time.Second)
			c.p.Singletons.Overlap = time.Minute
			c.blue.On, c.blue.Running, c.blue.EndsBy = false, 1, c.now.Add(61*time.Second)
		}, "giving blue off/off", ""},
		"but not those that end within the overlap": {func(c *batonScene) {
			c.stands(BatonGiving, Blue, 20*time.Second)
			c.p.Singletons.Overlap = time.Minute
			c.blue.On, c.blue.Running, c.blue.EndsBy = false, 1, c.now.Add(time.Minute)
		}, "taking green off/on", ""},
		"after the drain it goes back to blue":                       {func(c *batonScene) { c.stands(BatonGiving, Blue, 10*time.Minute); c.blue.On, c.blue.Running = false, 1 }, "taking blue on/off", ""},
		"and a drain of nothing still lets blue do what it was told": {func(c *batonScene) { c.p.Singletons.Drain = 0; c.stands(BatonGiving, Blue, time.Minute) }, "giving blue off/off", ""},
		"green vanished while blue gave": {func(c *batonScene) {
			c.stands(BatonGiving, Blue, 10*time.Minute)
			c.blue.On = false
			c.green.Absent = true
		}, "taking blue on/off", ""},
		"seen on, it is held": {func(c *batonScene) { c.stands(BatonTaking, Green, 20*time.Second); c.blue.On, c.green.On = false, true }, "held green off/on", "SingletonsHandedOver: CronJob shop/nightly runs in green now"},
		"green that doesn't begin must stop before blue has it again": {func(c *batonScene) { c.stands(BatonTaking, Green, 2*time.Minute); c.blue.On = false }, "giving green off/off", ""},
		"one that failed stays in blue for a while": {func(c *batonScene) {
			e := c.stands(BatonHeld, Blue, time.Minute)
			e.Failed, e.Tries = "1 job did not end", 2
		}, "held blue on/off", "SingletonsStuck: singletons: CronJob shop/nightly went back to blue: 1 job did not end"},
		"and is tried again at once when nothing runs": {func(c *batonScene) {
			e := c.stands(BatonHeld, Blue, time.Minute)
			e.Failed, e.Tries = "1 job did not end", 1
		}, "giving blue off/off", ""},
		"switched off by somebody it is said": {func(c *batonScene) {
			c.stands(BatonHeld, Green, time.Minute)
			c.blue.On = false
			c.green.ChangedBy = "argocd-controller"
		}, "held green off/on", "SingletonsStuck: singletons: CronJob shop/nightly is off in both clusters: it was switched off in green (argocd-controller changed it in green)"},
		"switched on by somebody in blue it is said": {func(c *batonScene) { c.stands(BatonHeld, Green, time.Minute); c.green.On = true }, "held green off/on", "SingletonTwice"},
		"taken out of the configuration it stays": {func(c *batonScene) {
			c.stands(BatonHeld, Green, time.Minute)
			c.p.Singletons = SingletonPolicy{}
			c.blue.On, c.green.On = false, true
		}, "held green off/on", ""},

		"a rollback turns round what blue gave": {func(c *batonScene) { c.stands(BatonGiving, Blue, 5*time.Second); c.goesBack(RollingBack) }, "taking blue on/off", ""},
		"but not while green is seen to be on": {func(c *batonScene) {
			c.stands(BatonGiving, Blue, 5*time.Second)
			c.green.On = true
			c.goesBack(RollingBack)
		}, "giving green off/off", ""},
		"and stops what green takes": {func(c *batonScene) {
			c.stands(BatonTaking, Green, 5*time.Second)
			c.blue.On = false
			c.goesBack(RollingBack)
		}, "giving green off/off", ""},
		"and what green has": {func(c *batonScene) {
			c.stands(BatonHeld, Green, time.Minute)
			c.blue.On, c.green.On = false, true
			c.goesBack(RollingBack)
		}, "giving green off/off", ""},
		"also while green can't be read": {func(c *batonScene) {
			c.stands(BatonHeld, Green, time.Minute)
			c.blue.On = false
			c.green.Err = "timeout"
			c.goesBack(RollingBack)
		}, "giving green off/off", ""},
		"blue takes what is over in green": {func(c *batonScene) {
			c.stands(BatonGiving, Green, time.Minute)
			c.blue.On = false
			c.goesBack(RollingBack)
		}, "taking blue on/off", ""},
		"or what ends there within the overlap": {func(c *batonScene) {
			c.stands(BatonGiving, Green, time.Minute)
			c.blue.On, c.green.Running, c.green.EndsBy = false, 1, c.now.Add(20*time.Second)
			c.p.Singletons.Overlap = 30 * time.Second
			c.goesBack(RollingBack)
		}, "taking blue on/off", ""},
		"but not while blue ends what it had before: two overlaps would be one long one": {func(c *batonScene) {
			c.stands(BatonGiving, Green, time.Minute)
			c.blue.On, c.blue.Running, c.blue.EndsBy = false, 1, c.now.Add(5*time.Second)
			c.green.Running, c.green.EndsBy = 1, c.now.Add(20*time.Second)
			c.p.Singletons.Overlap = 30 * time.Second
			c.goesBack(RollingBack)
		}, "giving green off/off", ""},
		"what runs in green keeps it off for ever": {func(c *batonScene) {
			c.stands(BatonGiving, Green, time.Hour)
			c.blue.On = false
			c.green.Running = 1
			c.goesBack(RolledBack)
		}, "giving green off/off", "SingletonsStuck: attempt 3 is over: blue serves until a person starts a new attempt; CronJob shop/nightly is off in both clusters since 09:00:00: 1 job in green did not end within 10m0s"},
		"so does a green that can't be read": {func(c *batonScene) {
			c.stands(BatonGiving, Green, time.Minute)
			c.blue.On = false
			c.green.Err = "timeout"
			c.goesBack(RolledBack)
		}, "giving green off/off", "clusterswitch singletons shop --take blue"},
		"unless a person vouches for it": {func(c *batonScene) {
			c.stands(BatonGiving, Green, time.Minute)
			c.blue.On = false
			c.green.Err = "timeout"
			c.goesBack(RolledBack)
			c.o.Request.Vouch = Vouch{Attempt: 3, Take: Blue}
		}, "taking blue on/off", ""},
		"for this attempt": {func(c *batonScene) {
			c.stands(BatonGiving, Green, time.Minute)
			c.blue.On = false
			c.green.Err = "timeout"
			c.goesBack(RolledBack)
			c.o.Request.Vouch = Vouch{Attempt: 2, Take: Blue}
		}, "giving green off/off", ""},
		"which doesn't count against what is seen": {func(c *batonScene) {
			c.stands(BatonGiving, Green, time.Minute)
			c.blue.On = false
			c.green.Running = 1
			c.goesBack(RolledBack)
			c.o.Request.Vouch = Vouch{Attempt: 3, Take: Blue}
		}, "giving green off/off", ""},
		"but for what is stuck": {func(c *batonScene) {
			c.stands(BatonGiving, Green, time.Hour)
			c.blue.On = false
			c.green.Running = 1
			c.goesBack(RolledBack)
			c.o.Request.Vouch = Vouch{Attempt: 3, Take: Blue}
		}, "taking blue on/off", ""},
		"never for what is on": {func(c *batonScene) {
			c.stands(BatonGiving, Green, time.Hour)
			c.blue.On = false
			c.green.On = true
			c.goesBack(RolledBack)
			c.o.Request.Vouch = Vouch{Attempt: 3, Take: Blue}
		}, "giving green off/off", "can't be switched off in green"},
		"vouched for, green is still to be off": {func(c *batonScene) {
			c.stands(BatonHeld, Blue, time.Minute)
			c.green.Err = "timeout"
			c.goesBack(RolledBack)
		}, "held blue on/off", ""},
		"home again, both are given back": {func(c *batonScene) { c.stands(BatonHeld, Blue, time.Minute); c.goesBack(RolledBack) }, "back blue back/back", ""},
		"until nothing of this pair is left": {func(c *batonScene) {
			c.stands(BatonBack, Blue, time.Minute)
			c.green.Handed = true
			c.goesBack(RolledBack)
		}, "back blue back/back", ""},
		"then it is let go": {func(c *batonScene) { c.stands(BatonBack, Blue, time.Minute); c.goesBack(RolledBack) }, "left", ""},
		"the planned way back keeps it from the step": {func(c *batonScene) {
			c.stands(BatonHeld, Green, time.Minute)
			c.blue.On, c.green.On = false, true
			c.goesBack(Returning)
		}, "held green off/on", ""},
		"and brings it back below": {func(c *batonScene) {
			c.p.Singletons.At = 51
			c.stands(BatonHeld, Green, time.Minute)
			c.blue.On, c.green.On = false, true
			c.goesBack(Returning)
		}, "giving green off/off", ""},

		"a journal that was lost is made up for": {func(c *batonScene) { c.blue.On, c.green.On, c.blue.Handed, c.green.Handed = false, true, true, true }, "held green off/on", ""},
		"also in the middle":                     {func(c *batonScene) { c.blue.On, c.blue.Handed = false, true }, "giving blue off/off", ""},
		"in the end green keeps it, unwritten": {func(c *batonScene) {
			c.stands(BatonHeld, Green, time.Minute)
			c.blue.On, c.green.On = false, true
			c.completed()
		}, "held green leave", ""},
		"one that was added then stays in blue": {func(c *batonScene) { c.completed() }, "left", ""},
		"one that failed before stays there, too": {func(c *batonScene) {
			c.stands(BatonHeld, Blue, time.Minute).Failed = "1 job did not end"
			c.completed()
		}, "held blue leave", "SingletonsStuck: attempt 3 is complete: green serves; CronJob shop/nightly went back to blue: 1 job did not end; the shift is over, so it stays there"},
	} {
		t.Run(name, func(t *testing.T) {
			c := newBatonScene()
			test.given(c)
			d := c.decide()
			if diff := cmp.Diff(test.want, stageOf(d)); diff != "" {
				t.Errorf("%s: %s\n%s", d.Reason, d.Message, diff)
			}
			if said := string(d.Reason) + ": " + d.Message; !strings.Contains(said, test.says) {
				t.Errorf("got  %s\nwant %s", said, test.says)
			}
		})
	}
}

func (c *batonScene) completed() {
	c.s.Phase, c.s.Share, c.s.Step, c.s.EndedAt = Completed, Full, 3, c.ago(time.Minute)
	for i := range c.s.Entrances {
		c.s.Entrances[i].Share = Full
		c.o.Entrances[i].Weights = Full.Weights()
	}
}

func stageOf(d Decision) string {
	if len(d.Next.Baton) == 0 && len(d.Clusters.Singletons) == 0 {
		return "left"
	}
	e := d.Next.Baton[0]
	stands := string(e.Stage) + " " + string(e.Side) + " "
	if d.Clusters.Leave {
		return stands + "leave"
	}
	return stands + string(d.Clusters.Singletons[0].Blue) + "/" + string(d.Clusters.Singletons[0].Green)
}

// What a side was told may still land when it is told the contrary: until then no
// reading proves anything.
func TestWhatASideWasToldMayStillLand(t *testing.T) {
	c := newBatonScene()
	c.stands(BatonTaking, Green, 5*time.Second)
	c.blue.On = false
	c.goesBack(RollingBack)
	e := c.decide().Next.Baton[0]
	if want := c.now.Add(WriteDeadline); e.Stage != BatonGiving || !e.LandsUntil.Equal(want) {
		t.Errorf("%s until %s, want giving until %s", e.Stage, e.LandsUntil, want)
	}
	c = newBatonScene() // and what blue was told
	c.stands(BatonGiving, Blue, 5*time.Second)
	c.goesBack(RollingBack)
	e = c.decide().Next.Baton[0]
	if want := c.now.Add(WriteDeadline); e.Stage != BatonTaking || !e.LandsUntil.Equal(want) {
		t.Errorf("%s until %s, want taking until %s", e.Stage, e.LandsUntil, want)
	}
}

// Kubernetes starts the last run that was due while nobody began, if
// startingDeadlineSeconds lets it.
func TestAGapTellsOfTheRunThatWasMissed(t *testing.T) {
	c := newBatonScene()
	at := func(s int) time.Time { return c.ago(time.Minute).Add(time.Duration(s) * time.Second) }
	for name, test := range map[string]struct {
		next, later time.Time
		deadline    time.Duration
		ran         time.Time
		missed      time.Time
	}{
		"none was due":                       {next: at(100), deadline: 0},
		"it is made up for":                  {next: at(20), deadline: -1},
		"within the deadline":                {next: at(20), deadline: 50 * time.Second},
		"after it":                           {next: at(20), deadline: 30 * time.Second, missed: at(20)},
		"the run was made all the same":      {next: at(20), deadline: 30 * time.Second, ran: at(20)},
		"of two the last one is made up for": {next: at(20), later: at(40), deadline: -1, missed: at(20)},
		"no run is known":                    {deadline: 0},
	} {
		t.Run(name, func(t *testing.T) {
			c := newBatonScene()
			e := c.stands(BatonTaking, Green, 30*time.Second)
			e.OffSince, e.NextRun, e.LaterRun = at(0), test.next, test.later
			c.blue.On, c.green = false, SingletonSide{At: at(59), On: true, LastRun: test.ran, StartingDeadline: test.deadline}
			d := c.decide()
			want := []BatonState{{
				Key: nightly, Stage: BatonHeld, Side: Green, Since: at(59), SeenAt: at(59),
				Gap: &BatonGap{From: at(0), To: at(59), Missed: test.missed},
			}}
			if diff := cmp.Diff(want, d.Next.Baton); diff != "" {
				t.Error(diff)
			}
			notes := strings.Join(Notes(d.Next, c.o, c.now), "\n")
			if !strings.Contains(notes, nightly+": told to be off in both clusters from 2026-11-02 09:59:00 to 2026-11-02 09:59:59") || strings.Contains(notes, "was missed") == test.missed.IsZero() {
				t.Errorf("the notes say %q", notes)
			}
		})
	}
}

// The side that takes a CronJob goes on from the last run of the side that gave
// it, also one that began after it was told to stop.
func TestTheTakingSideKnowsTheLastRun(t *testing.T) {
	c := newBatonScene()
	c.blue.LastRun, c.blue.NextRun = c.ago(time.Hour), c.now.Add(time.Second)
	c.s = c.decide().Next
	ran := c.now.Add(time.Second)
	c.now = c.now.Add(5 * time.Second)
	c.blue = SingletonSide{At: c.ago(time.Second), LastRun: ran, NextRun: ran.Add(time.Hour)}
	c.green.At = c.ago(time.Second)
	d := c.decide()
	want := []SingletonIntent{{Key: nightly, Blue: SwitchOff, Green: SwitchOn, LastRun: ran}}
	if diff := cmp.Diff(want, d.Clusters.Singletons); diff != "" {
		t.Error(diff)
	}
	if next := d.Next.Baton[0].NextRun; !next.Equal(ran.Add(time.Hour)) {
		t.Errorf("the next run is taken to be due at %s", next)
	}
}

func TestMoreSingletonsThanAJournalHoldsAreRefused(t *testing.T) {
	c := newBatonScene()
	c.p.Singletons.At = 100 // said before the first is handed over
	for i := range batonMost + 1 {
		c.o.Singletons = append(c.o.Singletons, SingletonReading{Key: nightly + strings.Repeat("x", i), Blue: c.blue, Green: c.green})
	}
	d := Decide(c.p, c.s, c.o, c.now)
	if d.Reason != SingletonsStuck || len(d.Next.Baton) > 0 || !strings.Contains(d.Message, "more than 40 run") {
		t.Errorf("%s: %s, %d are handed over", d.Reason, d.Message, len(d.Next.Baton))
	}
}
