package ready

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/load"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/played"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/story"
)

// scene is one story with its expected end.
type scene struct {
	name, title string
	play        func(ctx context.Context, g *ground, f *figures) error
}

func scenes() []scene {
	return []scene{
		{"pins", "with pins blue stays ready for all users, through a rollback, a kill -9 and a whole shift; then everything is given back", pinned},
		{"unpinned", "without pins blue's autoscaler shrinks it after 50 %, and the shift holds", unpinned},
		{"rollback", "blue was shrunk to 40 %, and green fails: the daemon's rollback beside an immediate full one", rollback},
		{"cold", "green begins with one pod, and gets no share that it can't carry", cold},
		{"kills", "kill -9 before and after each write to the clusters: the end is the same", kills},
		{"baton", "many pairs hand over what may run once, with crashes and rollbacks at any time", baton},
	}
}

// figures are what the last line tells.
type figures struct {
	// capacityMin is the least that blue could carry of all users with pins, and
	// need what it must, in percent.
	capacityMin, need int
	same, fields      int
	// heldAt is the share at which the shift held without pins.
	heldAt     int
	heldReason string
	heldFailed int64
	// aware and full are failed requests, of so many each.
	aware, full, requests int64
	// refused is how often a step waited for green's capacity, coldMin the least
	// that green could carry of its share, in percent.
	refused, coldMin int
	coldFailed       int64
	// kills are ways with a crash, and sameEnd those that ended as the one without.
	kills, sameEnd int
	// Of the baton: runs, crashes of the daemon, times when a side was switched on
	// while the other wasn't off, times when none was on, and those that were told.
	batonRuns, batonKills, overlaps, gaps, reported int
	played                                          map[string]bool
}

// line is the line of figures; a scene that wasn't played has none.
func (f figures) line() (parts []string) {
	if f.played["pins"] {
		parts = append(parts, fmt.Sprintf("pins capacityMin=%d%% need=%d%% restored=%d/%d fields", f.capacityMin, f.need, f.same, f.fields))
	}
	if f.played["unpinned"] {
		parts = append(parts, fmt.Sprintf("unpinned heldAt=%d%% reason=%s failed=%d", f.heldAt, f.heldReason, f.heldFailed))
	}
	if f.played["rollback"] {
		parts = append(parts, fmt.Sprintf("rollback40 aware=%d full=%d of %d requests", f.aware, f.full, f.requests))
	}
	if f.played["cold"] {
		parts = append(parts, fmt.Sprintf("coldGreen refused=%d capacityMin=%d%% failed=%d", f.refused, f.coldMin, f.coldFailed))
	}
	if f.played["kills"] {
		parts = append(parts, fmt.Sprintf("kills=%d sameEnd=%d", f.kills, f.sameEnd))
	}
	if f.played["baton"] {
		parts = append(parts, fmt.Sprintf("baton runs=%d kills=%d overlaps=%d gaps=%d reported=%d", f.batonRuns, f.batonKills, f.overlaps, f.gaps, f.reported))
	}
	return parts
}

// on plays on a stage of its own.
func (g *ground) on(ctx context.Context, namespace string, s setting, play func(ctx context.Context, st *stage) error) error {
	ctx, stop := context.WithTimeoutCause(ctx, g.options.Patience, fmt.Errorf("the scene took longer than %s", g.options.Patience))
	defer stop()
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	st, err := g.raise(ctx, fail, namespace, s)
	if err != nil {
		return err
	}
	if err := st.configure(s.policy); err != nil {
		return errors.Join(err, st.strike(ctx))
	}
	return errors.Join(play(ctx, st), st.strike(ctx))
}

// usual are the steps of every scene.
func usual(hold time.Duration) []step { return []step{{10, hold}, {50, hold}, {90, hold}, {100, hold}} }

// pinned goes to 50 %, back by a person's wish, and then all the way with a crash.
func pinned(ctx context.Context, g *ground, f *figures) error {
	p := policy{Steps: usual(2 * time.Second), Standby: 4 * time.Second, AtLeast: 90, OnBreach: "hold", Pin: true, Failing: "1%"}
	return g.on(ctx, "pins", setting{blueLeast: 2, greenReplicas: 2, greenLeast: 2, others: true, policy: p}, func(ctx context.Context, st *stage) error {
		before, err := g.read(ctx, st.namespace, autoscalers())
		if err != nil {
			return err
		}
		began := time.Now()
		if err := st.Start(); err != nil {
			return err
		}
		from, err := st.held(ctx, 0, 50)
		if err != nil {
			return err
		}
		if err := st.Command(ctx, "rollback", pair); err != nil {
			return err
		}
		if from, err = st.phase(ctx, from, "RolledBack"); err != nil {
			return err
		}
		f.need, f.capacityMin = 100, st.leastOfBlue(began, time.Now())
		if err := st.giveBack(ctx, f, before, "after the rollback"); err != nil {
			return err
		}
		// A person starts anew.
		if err := st.Command(ctx, "start", pair); err != nil {
			return err
		}
		began = time.Now()
		if from, err = st.held(ctx, from, 50); err != nil {
			return err
		}
		st.Story.Tell("kill -9: the daemon is gone")
		if err := st.Kill(); err != nil {
			return err
		}
		// The autoscalers would shrink blue within this time.
		if err := played.Sleep(ctx, 5*time.Second); err != nil {
			return err
		}
		st.Story.Tell("the daemon is started again")
		if err := st.Start(); err != nil {
			return err
		}
		if from, err = st.phase(ctx, from, "Completed"); err != nil {
			return err
		}
		// From then on blue may shrink.
		f.capacityMin = min(f.capacityMin, st.leastOfBlue(began, st.Story.When(from-1)))
		if err := st.giveBack(ctx, f, before, "after the shift"); err != nil {
			return err
		}
		if err := st.shrinks(ctx); err != nil {
			return err
		}
		if f.capacityMin < f.need {
			return fmt.Errorf("blue could carry %d %% of the users only", f.capacityMin)
		}
		return st.nobodyFailed()
	})
}

// giveBack waits until all fields are as before, and counts them.
func (st *stage) giveBack(ctx context.Context, f *figures, before fields, when string) error {
	ctx, stop := context.WithTimeoutCause(ctx, 15*time.Second, errors.New("it took longer than 15 s"))
	defer stop()
	same, all, err := st.given(ctx, st.namespace, autoscalers(), before)
	f.same, f.fields = f.same+same, f.fields+all
	if err != nil {
		return fmt.Errorf("%s: %w", when, err)
	}
	st.Story.Tell(fmt.Sprintf("%s all %d fields of the autoscalers are as they were", when, all))
	return nil
}

// shrinks waits until blue's autoscaler does what the floor kept it from: without that
// the scene would prove nothing.
func (st *stage) shrinks(ctx context.Context) error {
	err := eventually(ctx, func() (string, error) {
		if n := st.targets("blue"); n > int(st.setting.blueLeast) {
			return fmt.Sprintf("blue's autoscaler to shrink it to %d pods; it has %d", st.setting.blueLeast, n), nil
		}
		return "", nil
	})
	if err == nil {
		st.Story.Tell(fmt.Sprintf("now blue's autoscaler shrinks it, to %d pods", st.setting.blueLeast))
	}
	return err
}

// leastOfBlue is the least that blue could carry of all users in a time, in percent.
func (st *stage) leastOfBlue(from, to time.Time) int {
	least := percent(int(st.blueReplicas()), float64(st.options.Rate))
	for _, s := range st.look.since(from) {
		if !s.at.After(to) {
			least = min(least, percent(s.blue, float64(st.options.Rate)))
		}
	}
	return least
}

// unpinned lets blue's autoscaler do as it does.
func unpinned(ctx context.Context, g *ground, f *figures) error {
	p := policy{Steps: []step{{10, 2 * time.Second}, {50, 8 * time.Second}, {90, 2 * time.Second}, {100, 2 * time.Second}}, Standby: 4 * time.Second, AtLeast: 80, OnBreach: "hold", Failing: "1%"}
	warm := int32((g.options.Rate*100 + perPod*utilization - 1) / (perPod * utilization))
	return g.on(ctx, "unpinned", setting{blueLeast: 2, greenReplicas: warm, greenLeast: warm, policy: p}, func(ctx context.Context, st *stage) error {
		if err := st.Start(); err != nil {
			return err
		}
		from, err := st.held(ctx, 0, 50)
		if err != nil {
			return err
		}
		if _, err := st.Await(ctx, from, "the shift holds for blue's capacity", func(m story.Moment) bool {
			return m.Phase == "Shifting" && m.Share == 50 && m.Reason == "BlueTooWeak"
		}); err != nil {
			return err
		}
		// It holds on.
		if err := played.Sleep(ctx, 5*time.Second); err != nil {
			return err
		}
		last := st.Story.Last()
		f.heldAt, f.heldReason, f.heldFailed = last.Share, last.Reason, st.users.Snapshot().Failed
		if last.Share != 50 || last.Reason != "BlueTooWeak" || st.region.GreenShare() > 50 {
			return fmt.Errorf("the daemon went on to %.0f %%: %s: %s", st.region.GreenShare(), last.Reason, last.Message)
		}
		return st.nobodyFailed()
	})
}

// cold begins with one pod of green.
func cold(ctx context.Context, g *ground, f *figures) error {
	p := policy{Steps: usual(time.Second), Standby: 2 * time.Second, AtLeast: 90, OnBreach: "hold", Pin: true, Failing: "1%"}
	return g.on(ctx, "cold", setting{blueLeast: 2, greenReplicas: 1, greenLeast: 1, policy: p}, func(ctx context.Context, st *stage) error {
		began := time.Now()
		if err := st.Start(); err != nil {
			return err
		}
		if _, err := st.phase(ctx, 0, "Standby"); err != nil {
			return err
		}
		f.coldMin = 1000
		for _, s := range st.look.since(began) {
			f.coldMin = min(f.coldMin, percent(s.green, s.share*float64(st.options.Rate)/100))
		}
		moments, _ := st.Story.All()
		for _, m := range moments {
			if m.Phase == "Shifting" && (m.Reason == "GateFailed" || m.Reason == "GateWaits" || m.Reason == "GateUnknown") {
				f.refused++
			}
		}
		f.coldFailed = st.users.Snapshot().Failed
		if f.coldMin < 100 || f.refused == 0 {
			return fmt.Errorf("green could carry %d %% of its share only, and was refused %d times", f.coldMin, f.refused)
		}
		return st.nobodyFailed()
	})
}

// held waits until the share is written and read back, whatever keeps the next step.
func (st *stage) held(ctx context.Context, from, share int) (int, error) {
	return st.Await(ctx, from, fmt.Sprintf("%d %% is held", share), func(m story.Moment) bool {
		return m.Phase == "Shifting" && m.Share == share && m.Reason != "Rising" && m.Reason != "AwaitingReadBack" && m.Reason != "Settling"
	})
}

// phase waits until the phase is reached.
func (st *stage) phase(ctx context.Context, from int, phase string) (int, error) {
	return st.Await(ctx, from, "the phase is "+phase, func(m story.Moment) bool { return m.Phase == phase })
}

// nobodyFailed complains about every failed request of the scene.
func (st *stage) nobodyFailed() error {
	if counts := st.users.Snapshot(); counts.Failed > 0 {
		return fmt.Errorf("%d of %d requests failed: %v", counts.Failed, counts.Requests, causes(counts))
	}
	return nil
}

func causes(counts load.Snapshot) map[load.Cause]int64 { return counts.FailedByCause }
