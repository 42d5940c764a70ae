package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/clusterswitch/clusterswitch/internal/api/v1alpha1"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// startTries bounds how often start begins anew because the daemon wrote the
// status between its look and its change.
const startTries = 5

func (p *program) startCommand() *cobra.Command {
	return p.handCommand(&cobra.Command{
		Use:   "start PAIR",
		Short: "Ask for a new attempt to shift a pair to green",
		Long: `Ask for a new attempt to shift a pair to green: the attempt after the last one.
A rollback flag in the pair's TrafficSwitch, or in its request file, is taken
away in the same write.

The shift begins when the configuration says "serve: green" for the pair, and
has no rollback flag of its own. While an attempt is under way, a rollback isn't
finished, or a question waits for an answer, start is refused.`,
		Args: onePair,
	}, func(ctx context.Context, h *hand, args []string) error { return h.start(ctx, args[0]) })
}

func (h *hand) start(ctx context.Context, pair string) error {
	before, err := h.get(ctx, pair)
	if err != nil {
		return err
	}
	for seen, try := before, 1; ; try++ {
		if err := h.startable(seen); err != nil {
			return err
		}
		after, err := h.change(ctx, pair, v1alpha1.SpecChange{
			Attempt:  new(max(seen.Spec.Attempt, seen.Status.Attempt) + 1),
			Rollback: new(false), RollbackForce: new(false),
			// A flag that somebody sets this very moment must not be taken away unseen.
			IfVersion: seen.ResourceVersion,
		})
		if err == nil {
			h.started(seen, after)
			return nil
		}
		if !errors.Is(err, v1alpha1.ErrConflict) || try == startTries {
			return err
		}
		if seen, err = h.get(ctx, pair); err != nil {
			return err
		}
		// The generation counts changes of the spec; the daemon's writes to the
		// status leave it alone.
		if seen.Generation != before.Generation {
			return fmt.Errorf("somebody else changed what is asked for %s at this moment, so nothing was started; look at it with: %s", pair, h.next("status "+pair))
		}
	}
}

// startable refuses what would be misunderstood: an attempt that is asked for
// while another is on its way would start by itself later, and taking away a
// flag that the daemon hasn't obeyed yet would undo somebody's rollback.
func (h *hand) startable(t *v1alpha1.TrafficSwitch) error {
	look := h.next("status " + t.Name)
	switch phase := shift.Phase(t.Status.Phase); {
	case t.Status.Question != nil:
		return fmt.Errorf("%s can't start: a question waits for an answer (%s); see: %s", t.Name, t.Status.Question.Message, look)
	case phase == shift.RollingBack || t.Spec.Rollback && phase == shift.Completed:
		return fmt.Errorf("%s can't start: the rollback isn't finished; see: %s", t.Name, look)
	case phase != "" && phase != shift.Idle && !phase.Terminal():
		return fmt.Errorf("%s is on its way already: attempt %d, phase %s, %d%% on green; see: %s",
			t.Name, t.Status.Attempt, phase, t.Status.Share, look)
	}
	return nil
}

func (h *hand) started(before, after *v1alpha1.TrafficSwitch) {
	h.out.say("Attempt %d of %s is asked for.", after.Spec.Attempt, after.Name)
	if before.Spec.Rollback {
		h.out.say("The rollback flag in %s is taken away.", h.place.request(after.Name))
	}
	h.out.say("It starts when the configuration says serve: green for %s. If the configuration also", after.Name)
	h.out.say("says rollback: true, nothing starts: take that away first, then start again.")
	h.stops(after)
	h.out.say("Watch it: %s", h.watch(after.Name))
}

// stops says what else holds the pair.
func (h *hand) stops(t *v1alpha1.TrafficSwitch) {
	h.handsOff(t)
	if silent := h.silent(t); silent != "" {
		h.err.say("WARNING: %s.", silent)
	}
	if t.Spec.Paused {
		h.out.say("%s is paused: nothing rises until: %s", t.Name, h.next("resume "+t.Name))
	}
}

// handsOff warns that nothing of what was asked for will be done.
func (h *hand) handsOff(t *v1alpha1.TrafficSwitch) {
	if t.Spec.HandsOff {
		h.err.say("WARNING: handsOff is set in %s: the daemon writes nothing for %s, not even a rollback.", h.place.request(t.Name), t.Name)
		if h.place.directory != "" {
			h.err.say("Take it away: edit that file, and leave handsOff out.")
			return
		}
		h.err.say(`Take it away: %s patch trafficswitch %s --type merge -p '{"spec":{"handsOff":null}}'`, h.place.kubectl(), t.Name)
	} else if t.Status.Reason == string(shift.HandsOff) {
		h.err.say("WARNING: handsOff is set in the configuration: the daemon writes nothing for %s, not even a rollback, until that is taken away.", t.Name)
	}
}
