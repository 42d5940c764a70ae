package sim

import (
	"fmt"
	"math/rand/v2"
	"time"

	"go.uber.org/zap"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// world is everything that a seed plays.
type world struct {
	o      Options
	rng    *rand.Rand
	now    time.Duration // true time since the start
	agenda agenda
	mix    mix
	faults Faults
	result Result
	quiet  *zap.Logger

	plan     shift.Plan // as it was at first
	aws      *cloud
	api      *server
	users    *users
	people   *people
	replicas []*replica
	judge    *judge
	leased   bool          // replicas have a lease
	ledAt    time.Duration // when somebody was last seen to hold it, since the faults ended
}

// began is the true time at the start.
func began() time.Time { return time.Date(2026, 11, 2, 10, 0, 0, 0, time.UTC) }

func (w *world) trueTime() time.Time { return began().Add(w.now) }

const violated = "VIOLATED"

func stamp(d time.Duration) string {
	return fmt.Sprintf("%02d:%02d.%03d", d/time.Minute, d%time.Minute/time.Second, d%time.Second/time.Millisecond)
}

func (w *world) say(who, format string, args ...any) {
	if !w.o.Trace {
		return
	}
	w.result.Trace = append(w.result.Trace, stamp(w.now)+" "+fmt.Sprintf("%-6s ", who)+fmt.Sprintf(format, args...))
}

func newWorld(o Options) *world {
	w := &world{o: o, rng: rand.New(rand.NewPCG(o.Seed, 0x636c757374657273)), quiet: zap.NewNop()}
	w.drawMix()
	w.drawPlan()
	w.aws, w.api, w.users = newCloud(w), newServer(w), newUsers(w)
	w.judge = newJudge(w)
	w.people = newPeople(w)
	w.leased = w.rng.IntN(4) > 0
	if o.Calm {
		w.leased = o.Seed%2 == 1
	}
	n := 1
	if !o.Calm {
		n = 2 + w.rng.IntN(2)
	}
	for i := range n {
		w.replicas = append(w.replicas, newReplica(w, i))
	}
	return w
}

// drawPlan draws a plan that a shift takes a few minutes by.
func (w *world) drawPlan() {
	w.plan = shift.Plan{
		Pair: "shop",
		Gates: shift.Gates{
			Traffic: []shift.TrafficGate{{Name: "errors", MaxErrorRatio: 0.01, MinRequests: 50, Breaches: 1 + w.rng.IntN(2)}},
			Probes:  []string{"storefront"}, BlueProbes: []string{"storefront"}, ReplicasAtLeast: 80,
		},
		Standby:  shift.Standby{For: time.Duration(w.rng.IntN(90)) * time.Second, AutoRollback: w.rng.IntN(2) == 0},
		Interval: 10 * time.Second, StaleAfter: 30 * time.Second,
	}
	if w.rng.IntN(3) == 0 {
		w.plan.Capacity.AtLeast = 90
	}
	if w.rng.IntN(3) == 0 && !w.o.Calm {
		w.plan.Preflight = shift.PreflightBlock
	}
	if w.rng.IntN(4) == 0 && !w.o.Calm {
		w.plan.Gates.Requests = []shift.RequestGate{requestGate()}
	}
	if w.o.Calm {
		w.plan.Standby.For = 30 * time.Second
	}
	w.plan.Steps = w.drawSteps()
	dns := shift.Entrance{Name: "dns", Route53: &shift.Route53Entrance{
		HostedZoneID: "Z1", Names: []string{"shop.example.com"}, Types: []string{"A"}, BlueSetIdentifier: "blue", GreenSetIdentifier: "green", Mark: true,
	}}
	rule := shift.Entrance{Name: "rule", Balancer: &shift.BalancerEntrance{
		RuleARN: "arn:rule", BlueTargetGroupARN: "arn:blue", GreenTargetGroupARN: "arn:green", MinHealthyTargets: 1,
	}}
	switch kind := w.rng.IntN(5); {
	case w.o.Calm || kind < 2:
		w.plan.Entrances = []shift.Entrance{dns, rule}
	case kind < 4:
		w.plan.Entrances = []shift.Entrance{dns}
	default:
		w.plan.Entrances = []shift.Entrance{rule}
	}
}

func (w *world) drawSteps() []shift.Step {
	if w.o.Calm {
		return []shift.Step{{Share: 25, Hold: 20 * time.Second}, {Share: 100, Hold: 20 * time.Second}}
	}
	var steps []shift.Step
	for share := 0; share < 100; {
		share = min(100, share+15+w.rng.IntN(60))
		steps = append(steps, shift.Step{Share: shift.Share(share), Hold: time.Duration(w.rng.IntN(4)) * 10 * time.Second, Approval: w.rng.IntN(8) == 0})
	}
	return steps
}

// play lets faults happen for their time, ends them all, and sees that what
// people want in the end comes about.
func (w *world) play() {
	for _, r := range w.replicas {
		w.at(time.Duration(w.rng.Int64N(int64(5*time.Second))), r.start)
	}
	if w.o.Calm {
		w.people.journey()
		return
	}
	w.people.plan()
	w.run(w.mix.span, nil)
	if len(w.result.Violations) > 0 {
		return
	}
	w.heal()
	if w.ledAt = w.now; w.leased {
		w.listen()
	}
	w.people.want()
}

// heal ends every fault. Requests that are on their way stay on their way.
func (w *world) heal() {
	w.say("world", "all faults end")
	for _, r := range w.replicas {
		r.heal()
	}
	w.aws.heal()
	w.users.heal()
	w.api.heal()
}

func (w *world) violate(rule, format string, args ...any) {
	v := Violation{Rule: rule, At: w.now, Message: fmt.Sprintf(format, args...)}
	w.say("judge", "%s %s", violated, v)
	w.result.Violations = append(w.result.Violations, v)
}

func (w *world) end() End {
	e := End{Phase: string(w.api.state().Phase), Attempt: w.api.state().Attempt, Share: int(w.api.state().Share)}
	for i, g := range w.aws.groups {
		e.Green[i] = int(g.now.w.Share())
	}
	return e
}

func (w *world) close() {
	for _, r := range w.replicas {
		r.kill()
	}
}
