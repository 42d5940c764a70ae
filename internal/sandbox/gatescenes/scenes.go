package gatescenes

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/backend"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/load"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/played"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/story"
)

// scene is one story with its expected end.
type scene struct {
	name, title string
	policy      policy
	// play drives the stage. It gives the scene's part of the last line.
	play func(ctx context.Context, st *stage) (figure string, err error)
}

// steps are those of every scene: green fails, where it does, when it has 10 %.
func steps() []int { return []int{10, 50, 100} }

func scenes() []scene {
	counted := policy{Steps: steps(), Hold: time.Second, History: past - 5*time.Minute}
	byCloud := policy{Steps: steps(), Hold: time.Second, History: 3 * time.Hour, CloudWatch: true}
	swapped, hard := counted, counted
	swapped.Swapped, swapped.Approval = true, true
	hard.Steps = shares(troubles())
	return []scene{
		{"healthy", "green is as good as blue: to 100 % by evidence alone", counted, healthy},
		{"bad-green", "30 % of green's answers are errors from 10 % on", counted, failing(0.3)},
		{"five-times", "green fails five times as often as blue from 10 % on", counted, failing(0.05)},
		{"bad-luck", "what both sides depend on fails 30 % of their answers", counted, badLuck},
		{"troubles", "on the way counting goes wrong, each time in another way", hard, troubled},
		{"swapped", "the gate asks for blue where green is, and the other way round", swapped, mixedUp},
		{"cloudwatch", "a disaster, counted by CloudWatch: half of green's answers are errors from 10 % on", byCloud, failing(0.5)},
	}
}

func healthy(ctx context.Context, st *stage) (string, error) {
	began := time.Now()
	if err := st.Start(); err != nil {
		return "", err
	}
	if _, err := st.Await(ctx, 0, "the shift is complete", func(m story.Moment) bool { return m.Phase == "Completed" }); err != nil {
		return "", err
	}
	return fmt.Sprintf("completed=%.0fs", time.Since(began).Seconds()), nil
}

// failing gives a scene in which such a part of green's answers fails as soon as it
// has its first users; the daemon must go back by itself for what they suffer.
func failing(ratio float64) func(context.Context, *stage) (string, error) {
	return func(ctx context.Context, st *stage) (string, error) {
		if err := st.Start(); err != nil {
			return "", err
		}
		from, err := st.held(ctx, 0, steps()[0])
		if err != nil {
			return "", err
		}
		before := st.users.Snapshot()
		st.Story.Tell(fmt.Sprintf("%.0f %% of green's answers are errors from now on", ratio*100))
		bad := usual()
		bad.ErrorRatio = ratio
		began := time.Now()
		if err := st.green(bad); err != nil {
			return "", err
		}
		if from, err = st.Await(ctx, from, "the daemon goes back by itself for what users suffer", func(m story.Moment) bool {
			return m.Phase == "RollingBack" && m.Reason == "UsersSuffer"
		}); err != nil {
			return "", err
		}
		if _, err := st.Await(ctx, from, "blue has all users again", func(m story.Moment) bool { return m.Phase == "RolledBack" }); err != nil {
			return "", err
		}
		calls := st.written(began)
		if len(calls) != 1 || st.region.GreenShare() > 0 {
			return "", fmt.Errorf("weights were written %d times after green began to fail, and green has %.0f %%; want one write, to blue", len(calls), st.region.GreenShare())
		}
		after := st.users.Snapshot()
		return fmt.Sprintf("back=%.1fs failed=%d of %d", calls[0].Done.Sub(began).Seconds(),
			after.FailedByCause[load.GreenError]-before.FailedByCause[load.GreenError], after.Requests-before.Requests), nil
	}
}

// stays is how long a scene watches that nothing moves.
const stays = 3 * time.Second

// badLuck lets both sides fail alike, and then recover.
func badLuck(ctx context.Context, st *stage) (string, error) {
	if err := st.Start(); err != nil {
		return "", err
	}
	from, err := st.held(ctx, 0, steps()[0])
	if err != nil {
		return "", err
	}
	st.Story.Tell("30 % of the answers of both sides are errors from now on")
	bad := usual()
	bad.ErrorRatio = 0.3
	if err := st.sides(bad); err != nil {
		return "", err
	}
	if _, err := st.Await(ctx, from, "the daemon says that both suffer", func(m story.Moment) bool { return m.Reason == "BothSuffer" }); err != nil {
		return "", err
	}
	if err := st.unmoved(ctx); err != nil {
		return "", err
	}
	last := st.Story.Last()
	st.Story.Tell("nothing moved; both sides are well again")
	if err := st.sides(usual()); err != nil {
		return "", err
	}
	well := time.Now()
	if _, err := st.held(ctx, from, steps()[1]); err != nil {
		return "", err
	}
	return fmt.Sprintf("held=%d%% reason=%s wentOnAfter=%.0fs", last.Share, last.Reason, time.Since(well).Seconds()), nil
}

// unmoved watches for a while that no weight is written, and that the shift isn't
// given up.
func (st *stage) unmoved(ctx context.Context) error {
	began := time.Now()
	if err := played.Sleep(ctx, stays); err != nil {
		return err
	}
	if calls := st.written(began); len(calls) > 0 {
		return fmt.Errorf("weights were written %d times: green has %.0f %%", len(calls), st.region.GreenShare())
	}
	if last := st.Story.Last(); last.Phase != "Shifting" {
		return fmt.Errorf("the shift was given up: %s: %s: %s", last.Phase, last.Reason, last.Message)
	}
	return nil
}

// taken is how long a daemon may need to take a new configuration over.
const taken = 3 * time.Second

// mixedUp swaps the sides where they are measured: what is wrong must be named, and
// nothing may move for it. Before the shift blue is the one without requests; once
// green has a few, it seems to have most.
func mixedUp(ctx context.Context, st *stage) (string, error) {
	if err := st.Start(); err != nil {
		return "", err
	}
	if err := st.named(ctx, "no request to blue was counted"); err != nil {
		return "", err
	}
	if err := st.unmoved(ctx); err != nil {
		return "", err
	}
	st.Story.Tell("somebody puts it right")
	right := st.policy
	right.Swapped = false
	if err := st.configure(right); err != nil {
		return "", err
	}
	from, err := st.Await(ctx, 0, "the first step waits for a person", func(m story.Moment) bool { return m.Reason == "ApprovalNeeded" })
	if err != nil {
		return "", err
	}
	st.Story.Tell("somebody swaps them again")
	if err := errors.Join(st.configure(st.policy), played.Sleep(ctx, taken)); err != nil {
		return "", err
	}
	if err := st.Command(ctx, "approve", pair); err != nil {
		return "", err
	}
	if _, err := st.held(ctx, from, steps()[0]); err != nil {
		return "", err
	}
	if err := st.named(ctx, "the sides seem to be swapped"); err != nil {
		return "", err
	}
	if err := st.unmoved(ctx); err != nil {
		return "", err
	}
	return "named=2 risen=0 back=0", nil
}

func shares(all []trouble) []int {
	var shares []int
	for i := range all {
		shares = append(shares, 30+10*i)
	}
	return append(shares, 100)
}

// trouble is one thing that goes wrong with what counts.
type trouble struct {
	name string
	// begin and end switch it on and off.
	begin, end func(ctx context.Context, st *stage) error
	// says is what the daemon must say meanwhile; empty: it need not notice.
	says string
}

// metrics switches a fault of green's metrics on, and off.
func metrics(f backend.MetricsFaults) func(context.Context, *stage) error {
	return func(_ context.Context, st *stage) error {
		faults := usual()
		faults.Metrics = f
		return st.green(faults)
	}
}

func nothing(context.Context, *stage) error { return nil }

func troubles() []trouble {
	sound := metrics(backend.MetricsFaults{})
	return []trouble{
		{"Prometheus is killed", killPrometheus, startPrometheus, "connection refused"},
		{"green's metrics hang", metrics(backend.MetricsFaults{Hang: true}), sound, "green: a gap"},
		{"green's counter of requests has another name", metrics(backend.MetricsFaults{Renamed: true}), sound, "green: a gap"},
		{"green's counters are no numbers", metrics(backend.MetricsFaults{NaN: true}), sound, "NaN"},
		{"a pod of green is restarted: its counters begin anew", restartPod, nothing, ""},
	}
}

func killPrometheus(_ context.Context, st *stage) error { return st.prometheus.Kill() }

func restartPod(_ context.Context, st *stage) error {
	st.world.Green.Pods.SetCounts(at(st.world.Green.Addresses[0]), backend.Counts{})
	return nil
}

// troubled goes from share to share; at each something else goes wrong. Nothing may
// rise for it and nobody goes back for it, and when it is over the shift goes on.
func troubled(ctx context.Context, st *stage) (string, error) {
	began := time.Now()
	if err := st.Start(); err != nil {
		return "", err
	}
	from := 0
	for i, t := range troubles() {
		var err error
		if from, err = st.held(ctx, from, shares(troubles())[i]); err != nil {
			return "", err
		}
		if err = st.suffer(ctx, t); err != nil {
			return "", fmt.Errorf("%s: %w", t.name, err)
		}
	}
	if _, err := st.Await(ctx, from, "green gets all users", func(m story.Moment) bool { return m.Phase == "Shifting" && m.Share == 100 }); err != nil {
		return "", err
	}
	return fmt.Sprintf("%d risen=0 back=0 wentOn=%.0fs", len(troubles()), time.Since(began).Seconds()), nil
}

// suffer goes through one trouble.
func (st *stage) suffer(ctx context.Context, t trouble) error {
	st.Story.Tell(t.name)
	if err := t.begin(ctx, st); err != nil {
		return err
	}
	if t.says == "" {
		return t.end(ctx, st)
	}
	share := st.region.GreenShare()
	if err := st.named(ctx, t.says); err != nil {
		return err
	}
	if err := st.unmoved(ctx); err != nil {
		return err
	}
	if now := st.region.GreenShare(); now != share {
		return fmt.Errorf("green has %.0f %%, and had %.0f %%", now, share)
	}
	st.Story.Tell("that is over; nothing moved")
	return t.end(ctx, st)
}

// named waits until the daemon says so of its gate, while users are on green.
func (st *stage) named(ctx context.Context, says string) error {
	return st.Story.AwaitNow(ctx, fmt.Sprintf("the daemon says %q", says), func(m story.Moment) bool {
		return m.Phase == "Shifting" && m.Reason == "GateUnknown" && strings.Contains(m.Message, says)
	})
}
