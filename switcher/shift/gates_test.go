package shift

import (
	"testing"
	"time"
)

// judged is a turn in the middle of a shift: 25 % reached five minutes ago, 50 %
// is next, everything is fine. The tables below spoil one thing each.
func judged(spoil func(t *turn)) *turn {
	now := time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)
	reached := now.Add(-5 * time.Minute)
	w := newWorld()
	w.now = now
	s := State{
		Schema: Schema, Attempt: 1, Phase: Shifting, Steps: w.plan.Steps, Step: 1, Share: 25, Baseline: Baseline{Ready: 10},
		Entrances: freeze(w.plan.Entrances, 25), StartedAt: now.Add(-time.Hour), ChangedAt: reached, ShownAt: reached, ReachedAt: reached,
	}
	w.probes[0].results = []ProbeResult{{At: now.Add(-20 * time.Second)}, {At: now.Add(-10 * time.Second)}}
	t := newTurn(w.plan, s, w.observe(s), now)
	if spoil != nil {
		spoil(t)
	}
	return t
}

func TestGatesOnGreensWorkloads(t *testing.T) {
	for name, test := range map[string]struct {
		spoil func(t *turn)
		want  Judgement
	}{
		"everything is ready":                            {nil, Pass},
		"a workload is not ready":                        {func(t *turn) { t.o.Green.Workloads[0].NotReady = "image can't be pulled" }, Fail},
		"no node of green is ready":                      {func(t *turn) { t.o.Green.NodesReady = 0 }, Fail},
		"green can't be read":                            {func(t *turn) { t.o.Green.Err = "timeout" }, Unmeasured},
		"green was never read":                           {func(t *turn) { t.o.Green.At = time.Time{} }, Unmeasured},
		"green was read long ago":                        {func(t *turn) { t.o.Green.At = t.now.Add(-31 * time.Second) }, Unmeasured},
		"green was read just in time":                    {func(t *turn) { t.o.Green.At = t.now.Add(-30 * time.Second) }, Pass},
		"a clock is wrong: green was read in the future": {func(t *turn) { t.o.Green.At = t.now.Add(time.Minute) }, Unmeasured},
		"blue can't be read, so nothing can be compared": {func(t *turn) { t.o.Blue.Err = "timeout" }, Unmeasured},
		"green lacks a workload that blue has":           {func(t *turn) { t.o.Green.Workloads[0].Name = "other" }, Fail},
		"green lacks the replica of one that may run in one cluster only": {func(t *turn) {
			t.o.Blue.Workloads = append(t.o.Blue.Workloads, Workload{Kind: "Deployment", Namespace: "shop", Name: "mailer", Ready: 1, Single: true})
		}, Pass},
		"green has 79 % of blue's replicas, 80 is needed": {func(t *turn) { t.o.Blue.Workloads[0].Ready, t.o.Green.Workloads[0].Ready = 100, 79 }, Fail},
		"green has 80 % of blue's replicas":               {func(t *turn) { t.o.Blue.Workloads[0].Ready, t.o.Green.Workloads[0].Ready = 100, 80 }, Pass},
		"blue shrank, but half of the load still needs half of what it had": {func(t *turn) {
			t.o.Blue.Workloads[0].Ready, t.o.Green.Workloads[0].Ready = 1, 4
		}, Fail},
		"and is carried by it": {func(t *turn) {
			t.o.Blue.Workloads[0].Ready, t.o.Green.Workloads[0].Ready = 1, 5
		}, Pass},
	} {
		t.Run(name, func(t *testing.T) {
			turn := judged(test.spoil)
			if got := worst(turn.judge([]gate{workloadsReady, replicasSuffice}, 50)); got.Judgement != test.want {
				t.Errorf("got %+v, want %s", got, test.want)
			}
		})
	}
}

func TestGateOnProbes(t *testing.T) {
	probe := func(spoil func(t *turn, p *ProbeReading)) func(t *turn) {
		return func(t *turn) { spoil(t, &t.o.Probes[0]) }
	}
	for name, test := range map[string]struct {
		spoil func(t *turn)
		rise  Judgement // for the next step
		goOn  Judgement // for the next entrance of the same step
	}{
		"two successes, two needed":                 {nil, Pass, Pass},
		"two successes, three needed":               {probe(func(_ *turn, p *ProbeReading) { p.Needed = 3 }), Wait, Pass},
		"none needed still means one":               {probe(func(t *turn, p *ProbeReading) { p.Needed = 0; t.next.ReachedAt = t.now }), Wait, Pass},
		"a success is from before the last change":  {probe(func(t *turn, _ *ProbeReading) { t.next.ReachedAt = t.now.Add(-15 * time.Second) }), Wait, Pass},
		"the last try failed, within the threshold": {probe(func(_ *turn, p *ProbeReading) { p.Results[1].Err = "503" }), Wait, Pass},
		"the probe fails":                           {probe(func(_ *turn, p *ProbeReading) { p.Results[1].Err = "503"; p.Passing = false }), Fail, Fail},
		"it fell silent":                            {probe(func(t *turn, p *ProbeReading) { p.Results[1].At = t.now.Add(-time.Minute) }), Unmeasured, Unmeasured},
		"it has not run yet":                        {probe(func(_ *turn, p *ProbeReading) { p.Results, p.Passing = nil, false }), Wait, Wait},
		"a planned probe has no reading at all":     {func(t *turn) { t.o.Probes = nil }, Unmeasured, Unmeasured},
	} {
		t.Run(name, func(t *testing.T) {
			turn := judged(test.spoil)
			if got := worst(probesPass(turn, 50)); got.Judgement != test.rise {
				t.Errorf("for the next step: got %+v, want %s", got, test.rise)
			}
			if got := worst(probesStillPass(turn, 50)); got.Judgement != test.goOn {
				t.Errorf("for the next entrance: got %+v, want %s", got, test.goOn)
			}
		})
	}
}

func TestGateOnTargets(t *testing.T) {
	rule := func(o *Observation) *EntranceReading { return &o.Entrances[1] }
	for name, test := range map[string]struct {
		spoil func(t *turn)
		want  Judgement
	}{
		"green has healthy targets":    {nil, Pass},
		"one healthy target is enough": {func(t *turn) { rule(&t.o).GreenTargets.Healthy = 1 }, Pass},
		"unless two are needed": {func(t *turn) {
			rule(&t.o).GreenTargets.Healthy = 1
			t.next.Entrances[1].Balancer = &BalancerEntrance{MinHealthyTargets: 2}
		}, Fail},
		"a zone with no healthy one is one too few": {func(t *turn) {
			rule(&t.o).GreenTargets.Zones = []ZoneTargets{{"a", 3, 3}, {"b", 0, 1}}
			t.next.Entrances[1].Balancer = &BalancerEntrance{MinHealthyPerZone: 1}
		}, Fail},
		"unless zones don't count": {func(t *turn) { rule(&t.o).GreenTargets.Zones = []ZoneTargets{{"a", 3, 3}, {"b", 0, 1}} }, Pass},
		"a zone without targets needs none": {func(t *turn) {
			rule(&t.o).GreenTargets.Zones = []ZoneTargets{{"a", 3, 3}, {"b", 0, 0}}
			t.next.Entrances[1].Balancer = &BalancerEntrance{MinHealthyPerZone: 1}
		}, Pass},
		"none is healthy":                      {func(t *turn) { rule(&t.o).GreenTargets.Healthy = 0 }, Fail},
		"none is needed still means one":       {func(t *turn) { rule(&t.o).GreenTargets.Healthy = 0; t.next.Entrances[1].Balancer = &BalancerEntrance{} }, Fail},
		"target health is unknown":             {func(t *turn) { rule(&t.o).GreenTargets.Known = false }, Unmeasured},
		"the rule can't be read":               {func(t *turn) { rule(&t.o).Err = "AccessDenied" }, Unmeasured},
		"records don't tell health of targets": {func(t *turn) { t.next.Entrances = t.next.Entrances[:1] }, Pass},
	} {
		t.Run(name, func(t *testing.T) {
			if got := worst(targetsHealthy(judged(test.spoil), 50)); got.Judgement != test.want {
				t.Errorf("got %+v, want %s", got, test.want)
			}
		})
	}
}

func TestGateOnUsersTraffic(t *testing.T) {
	traffic := func(spoil func(t *turn, r *TrafficReading)) func(t *turn) {
		return func(t *turn) { spoil(t, &t.o.Traffic[0]) }
	}
	for name, test := range map[string]struct {
		spoil func(t *turn)
		want  Judgement
	}{
		"no errors":                               {nil, Pass},
		"just the highest good ratio":             {traffic(func(_ *turn, r *TrafficReading) { r.Requests, r.Errors = 1000, 10 }), Pass},
		"one error more may be chance":            {traffic(func(_ *turn, r *TrafficReading) { r.Requests, r.Errors = 1000, 11 }), Wait},
		"so many may be one time in a thousand":   {traffic(func(_ *turn, r *TrafficReading) { r.Requests, r.Errors = 1000, 21 }), Wait},
		"so many are more than chance":            {traffic(func(_ *turn, r *TrafficReading) { r.Requests, r.Errors = 1000, 22 }), Fail},
		"a trickle in which every request failed": {traffic(func(_ *turn, r *TrafficReading) { r.Requests, r.Errors = 50, 50 }), Fail},
		"none may fail, and one did": {func(t *turn) {
			t.p.Gates.Traffic[0].MaxErrorRatio = 0
			t.o.Traffic[0].Requests, t.o.Traffic[0].Errors = 1000, 1
		}, Fail},
		"too few requests": {traffic(func(_ *turn, r *TrafficReading) { r.Requests, r.Errors = 49, 49 }), Wait},
		"no datapoint yet": {traffic(func(_ *turn, r *TrafficReading) { r.From, r.To, r.Requests = time.Time{}, time.Time{}, 0 }), Wait},
		"samples from before the last change can't pass": {traffic(func(t *turn, r *TrafficReading) { r.From = t.next.ReachedAt.Add(-time.Second) }), Wait},
		"but they can fail":                            {traffic(func(t *turn, r *TrafficReading) { r.From, r.Errors = t.next.ReachedAt.Add(-time.Second), r.Requests }), Fail},
		"samples from before this attempt say nothing": {traffic(func(t *turn, r *TrafficReading) { r.From, r.Errors = t.next.StartedAt.Add(-time.Second), r.Requests }), Wait},
		"the share isn't reached yet":                  {func(t *turn) { t.next.ReachedAt = time.Time{} }, Wait},
		"it can't be measured":                         {traffic(func(_ *turn, r *TrafficReading) { r.Err = "throttled" }), Unmeasured},
		"it was asked long ago":                        {traffic(func(t *turn, r *TrafficReading) { r.At = t.now.Add(-time.Minute) }), Unmeasured},
		"its newest sample is old":                     {traffic(func(t *turn, r *TrafficReading) { r.To = t.now.Add(-time.Minute) }), Unmeasured},
		"a late source isn't stale":                    {traffic(func(t *turn, r *TrafficReading) { r.To, r.FreshFor = t.now.Add(-3*time.Minute), 4*time.Minute }), Pass},
		"more errors than requests":                    {traffic(func(_ *turn, r *TrafficReading) { r.Errors = r.Requests + 1 }), Unmeasured},
		"negative counts":                              {traffic(func(_ *turn, r *TrafficReading) { r.Errors = -1 }), Unmeasured},
		"there is no reading of the gate":              {func(t *turn) { t.o.Traffic = nil }, Unmeasured},
		"the plan has no gate on users' traffic":       {func(t *turn) { t.p.Gates.Traffic = nil }, Unmeasured},
		"the plan says soakOnly":                       {func(t *turn) { t.p.Gates.Traffic, t.p.Gates.SoakOnly = nil, true }, Pass},
		"green has no users yet":                       {func(t *turn) { t.next.Share, t.o.Traffic = 0, nil }, Pass},
	} {
		t.Run(name, func(t *testing.T) {
			if got := worst(usersServed(judged(test.spoil), 50)); got.Judgement != test.want {
				t.Errorf("got %+v, want %s", got, test.want)
			}
		})
	}
}

func TestTheWorstVerdictIsReported(t *testing.T) {
	for name, test := range map[string]struct {
		verdicts []Verdict
		want     Judgement
	}{
		"nothing was judged":            {nil, Pass},
		"all pass":                      {[]Verdict{{Judgement: Pass}, {Judgement: Pass}}, Pass},
		"waiting is worse than passing": {[]Verdict{{Judgement: Pass}, {Judgement: Wait}}, Wait},
		"unknown is worse than waiting": {[]Verdict{{Judgement: Wait}, {Judgement: Unmeasured}}, Unmeasured},
		"failing is worst":              {[]Verdict{{Judgement: Unmeasured}, {Judgement: Fail}}, Fail},
	} {
		t.Run(name, func(t *testing.T) {
			if got := worst(test.verdicts); got.Judgement != test.want {
				t.Errorf("got %s, want %s", got.Judgement, test.want)
			}
		})
	}
}

func TestHoldEndsToTheSecond(t *testing.T) {
	for name, test := range map[string]struct {
		since time.Duration
		want  Judgement
	}{
		"a second early": {59 * time.Second, Wait},
		"just in time":   {time.Minute, Pass},
	} {
		t.Run(name, func(t *testing.T) {
			turn := judged(func(t *turn) { t.next.ReachedAt = t.now.Add(-test.since) })
			if got := worst(soaked(turn, 50)); got.Judgement != test.want {
				t.Errorf("got %+v, want %s", got, test.want)
			}
		})
	}
}
