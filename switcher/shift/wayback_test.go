package shift

import (
	"strings"
	"testing"
	"time"
)

// goingBack is a turn on the planned way back: 50 % was reached five minutes ago,
// 25 % is next, everything is fine. The table spoils one thing each.
func goingBack(spoil func(t *turn)) *turn {
	turn := judged(func(t *turn) {
		t.next.Phase, t.next.Step, t.next.Share = Returning, 2, 50
		t.next.Entrances = freeze(t.p.Entrances, 50)
		t.next.Rollback = &RollbackRecord{By: "serve: blue"}
		t.o.Request = Request{Serve: Blue, Attempt: 1}
		for i := range t.o.Entrances {
			t.o.Entrances[i].Weights, t.o.Entrances[i].InSync = Share(50).Weights(), true
		}
		results := []ProbeResult{{At: t.now.Add(-20 * time.Second)}, {At: t.now.Add(-10 * time.Second)}}
		t.o.BlueProbes = []ProbeReading{{Name: "storefront", Needed: 2, FreshFor: 45 * time.Second, Results: results, Passing: true}}
		if spoil != nil {
			spoil(t)
		}
	})
	return turn
}

func TestThePlannedWayBackWaitsForBlueAlone(t *testing.T) {
	t.Parallel()
	rule := func(t *turn) *EntranceReading { return &t.o.Entrances[1] }
	web := func(t *turn) *Workload { return &t.o.Blue.Workloads[0] }
	for name, test := range map[string]struct {
		spoil func(t *turn)
		want  Reason
		says  string
	}{
		"everything is ready": {nil, SteppingBack, "all but 25 %"},
		"green is as bad as can be": {func(t *turn) {
			t.o.Green.Err, t.o.Probes, t.o.Traffic, t.o.Preflight = "timeout", nil, nil, PreflightReading{Err: "it panicked"}
			rule(t).GreenTargets.Known = false
		}, SteppingBack, "all but 25 %"},
		"rises are paused and nobody approves": {func(t *turn) { t.o.Request.Paused = true; t.next.Steps[0].Approval = true }, SteppingBack, "all but 25 %"},
		"the hold isn't over":                  {func(t *turn) { t.next.ReachedAt = t.now.Add(-59 * time.Second) }, Holding, "on the way back 50 % is held for 1m0s"},
		"blue can't be read":                   {func(t *turn) { t.o.Blue.Err = "timeout" }, BlueNotReady, "blue's workloads: blue can't be read: timeout"},
		"blue was read long ago":               {func(t *turn) { t.o.Blue.At = t.now.Add(-time.Hour) }, BlueNotReady, "blue was not read within 30s"},
		"blue has no node":                     {func(t *turn) { t.o.Blue.NodesReady = 0 }, BlueNotReady, "no ready node"},
		"three quarters of a workload are enough for as much of the users": {func(t *turn) { web(t).Ready, web(t).NotReady = 8, "rolling out" }, SteppingBack, "all but 25 %"},
		"less isn't":                             {func(t *turn) { web(t).Ready, web(t).NotReady = 7, "rolling out" }, BlueNotReady, "Deployment shop/web has 7 ready replicas of 10, 8 are needed for 75 %: rolling out"},
		"one replica of one that wants none yet": {func(t *turn) { web(t).Ready, web(t).Wanted, web(t).NotReady = 0, 0, "its pods are refused" }, BlueNotReady, "0 ready replicas of 0, 1 are needed"},
		"what may run once is handed over apart": {func(t *turn) {
			t.o.Blue.Workloads = append(t.o.Blue.Workloads, Workload{Kind: "Deployment", Namespace: "shop", Name: "mailer", NotReady: "off", Single: true})
		}, SteppingBack, "all but 25 %"},
		"blue's autoscaler shrank it":             {func(t *turn) { web(t).Ready, web(t).Wanted = 5, 5 }, BlueNotReady, "blue's capacity: blue can carry 50 % now, the next step back gives it 75 %"},
		"it was never measured what blue carries": {func(t *turn) { t.next.Baseline = Baseline{} }, BlueNotReady, "it was never measured"},
		"blue has no healthy target":              {func(t *turn) { rule(t).BlueTargets.Healthy = 0 }, BlueNotReady, "blue's targets of rule: blue has 0 healthy targets of 3, at least 1 are needed"},
		"fewer than are needed": {func(t *turn) {
			t.next.Entrances[1].Balancer = &BalancerEntrance{MinHealthyTargets: 4}
		}, BlueNotReady, "at least 4 are needed"},
		"a zone without one": {func(t *turn) {
			rule(t).BlueTargets.Zones = []ZoneTargets{{"a", 3, 3}, {"b", 0, 1}}
			t.next.Entrances[1].Balancer = &BalancerEntrance{MinHealthyPerZone: 1}
		}, BlueNotReady, "in zone b"},
		"blue's targets are unknown":     {func(t *turn) { rule(t).BlueTargets.Known = false }, BlueNotReady, "blue's target health can't be read"},
		"blue's probe fails":             {func(t *turn) { p := &t.o.BlueProbes[0]; p.Results[1].Err, p.Passing = "503", false }, BlueNotReady, "blue's probe storefront: 503"},
		"it passed before the last step": {func(t *turn) { t.next.ReachedAt = t.now.Add(-15 * time.Second); t.next.Steps[1].Hold = 0 }, BlueNotReady, "1 of 2 successes in a row"},
		"it fell silent":                 {func(t *turn) { t.o.BlueProbes[0].Results[1].At = t.now.Add(-time.Minute) }, BlueNotReady, "older than 45s"},
		"it has no reading":              {func(t *turn) { t.o.BlueProbes = nil }, BlueNotReady, "blue's probe storefront: it has no reading"},
		"no probe can be run on blue":    {func(t *turn) { t.o.BlueProbes, t.p.Gates.BlueProbes = nil, nil }, SteppingBack, "all but 25 %"},
		"an entrance is unknown":         {func(t *turn) { t.o.Entrances[0].Err = "AccessDenied" }, EntranceUnknown, "AccessDenied"},
		"before the first step no share is held, and no probe need be newer than it": {func(t *turn) {
			t.next.From, t.next.Rollback, t.next.ReachedAt = Shifting, nil, t.now.Add(-time.Second)
		}, SteppingBack, "all but 25 %"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			turn := goingBack(test.spoil)
			got := turn.returning()
			if got.Reason != test.want || !strings.Contains(got.Message, test.says) {
				t.Errorf("got %s: %s; want %s: %s", got.Reason, got.Message, test.want, test.says)
			}
			if stepped := len(got.Changes) > 0; stepped != (test.want == SteppingBack) {
				t.Errorf("it writes %d changes", len(got.Changes))
			}
			if test.want == BlueNotReady && len(got.Verdicts) < 4 {
				t.Errorf("it shows the verdicts %+v", got.Verdicts)
			}
		})
	}
}

// A way back from a completed shift is an attempt of its own from its first move
// on, planned or not, and not before.
func TestAWayBackAfterCompletionIsAnAttemptOfItsOwn(t *testing.T) {
	t.Parallel()
	waits := func(t *turn) {
		t.next.Phase, t.next.From, t.next.Rollback, t.next.EndedAt = Returning, Completed, nil, t.now
		t.o.BlueProbes = nil
	}
	if d := goingBack(waits).returning(); d.Reason != BlueNotReady || d.Next.Attempt != 1 || d.Next.From != Completed || d.Next.EndedAt.IsZero() {
		t.Errorf("while it waits: %s: attempt %d, from %q", d.Reason, d.Next.Attempt, d.Next.From)
	}
	for name, move := range map[string]func(t *turn) Decision{
		"its first step": func(t *turn) Decision { t.p.Gates.BlueProbes = nil; return t.returning() },
		"a person's flag": func(t *turn) Decision {
			t.o.Request.RollbackBy = []string{"config"}
			return t.decide()
		},
		"users who suffer": func(t *turn) Decision {
			t.o.Traffic[0].Requests, t.o.Traffic[0].Errors, t.p.Gates.Traffic[0].Breaches = 1000, 500, 1
			return t.decide()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := move(goingBack(waits))
			if len(d.Changes) == 0 || d.Next.Attempt != 2 || d.Next.From != "" || !d.Next.EndedAt.IsZero() || d.Next.Rollback == nil {
				t.Errorf("%s: attempt %d, from %q, ended %s", d.Reason, d.Next.Attempt, d.Next.From, d.Next.EndedAt)
			}
		})
	}
}

// While a rise is on its way nothing is reached, whoever waits for blue: what is
// measured may still be of the share before.
func TestWaitingForBlueReachesNoShareThatIsNotSeen(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		stands  Share
		reached bool
	}{
		"the rise isn't seen yet": {25, false},
		"the rise is seen":        {50, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := goingBack(func(t *turn) {
				t.next.From, t.next.Rollback, t.o.BlueProbes = Shifting, nil, nil
				t.next.ShownAt, t.next.ReachedAt = time.Time{}, time.Time{}
				t.next.Entrances[1].pend(EntranceReading{Weights: Share(25).Weights()})
				t.o.Entrances[1].Weights = test.stands.Weights()
				t.o.Entrances[0].TTL = 0
			}).decide()
			if d.Reason != BlueNotReady || d.Next.ReachedAt.IsZero() == test.reached {
				t.Errorf("%s: %s; reached at %s", d.Reason, d.Message, d.Next.ReachedAt)
			}
		})
	}
}

func TestARollbackWithoutTheJournalEndsThePlannedWaiting(t *testing.T) {
	t.Parallel()
	turn := goingBack(func(t *turn) { t.next.From, t.next.Rollback = OnStandby, nil })
	if fault := turn.next.Fault(); fault != "" {
		t.Fatalf("the journal is refused: %s", fault)
	}
	turn.o.Entrances[0].Mark = &Mark{Attempt: 1, Version: 9, Phase: RollingBack, Rollback: true}
	s, final := Recover(Found{State: turn.next, Present: true}, turn.o, turn.now)
	if !final || s.Phase != RollingBack || s.From != "" || s.Rollback == nil {
		t.Errorf("it goes on in %s, from %q", s.Phase, s.From)
	}
}

func TestARiseTellsWhenBlueWasLeft(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.ask = Request{Serve: Green, Attempt: 1}
	rose := map[string]time.Time{}
	for w.mind.Phase != OnStandby {
		for _, c := range w.tick(10 * time.Second).Changes {
			rose[c.Entrance.Name] = w.now
		}
	}
	for _, e := range w.mind.Entrances {
		if !e.RaisedAt.Equal(rose[e.Name]) || !e.LoweredAt.IsZero() {
			t.Errorf("%s: raised at %s, lowered at %s; the last rise was sent at %s", e.Name, e.RaisedAt, e.LoweredAt, rose[e.Name])
		}
	}
}
