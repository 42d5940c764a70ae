package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/clusterswitch/clusterswitch/internal/api/v1alpha1"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

func (p *program) approveCommand() *cobra.Command {
	var step int
	command := p.handCommand(&cobra.Command{
		Use:   "approve PAIR",
		Short: "Let a pair rise to the step that waits for approval",
		Long: `Let a pair rise to the step that waits for approval. The approval names this
attempt and this step, so it can't leak into another. Gates are still asked: it
rises only while all of them pass.

With --step it is given in advance, for a step that isn't reached yet. One
approval stands at a time; the newest replaces the one before.`,
		Args: onePair,
		PreRunE: func(command *cobra.Command, _ []string) error {
			if command.Flags().Changed("step") && step < 1 {
				return usagef("--step %d: steps count from 1", step)
			}
			return nil
		},
	}, func(ctx context.Context, h *hand, args []string) error { return h.approve(ctx, args[0], step) })
	command.Flags().IntVar(&step, "step", 0, "approve this step, `number` from 1 (default the step that waits now)")
	return command
}

func (h *hand) approve(ctx context.Context, pair string, step int) error {
	before, err := h.get(ctx, pair)
	if err != nil {
		return err
	}
	entered, steps, err := h.underWay(before)
	if err != nil {
		return err
	}
	switch waits := shift.Reason(before.Status.Reason) == shift.ApprovalNeeded; {
	case step == 0 && !waits:
		return fmt.Errorf("no step of %s waits for approval; its reason is %s: %s. To approve a step in advance, give --step", pair,
			orNone(before.Status.Reason), orNone(before.Status.Message))
	case step == 0:
		step = entered + 1
	case step > steps:
		return usagef("--step %d: %s has steps 1 to %d", step, pair, steps)
	case step <= entered:
		return fmt.Errorf("step %d of %s was entered already; the next is %d", step, pair, entered+1)
	}
	t, err := h.change(ctx, pair, v1alpha1.SpecChange{Approved: &v1alpha1.Approval{Attempt: before.Status.Attempt, Step: step}})
	if err != nil {
		return err
	}
	h.out.say("Step %d of %d of %s is approved, for attempt %d only.", step, steps, pair, t.Spec.Approved.Attempt)
	if step > entered+1 {
		h.out.say("It does not approve the steps before it: %d of them are still to come.", step-entered-1)
	}
	h.out.say("Green rises as soon as that step is next and all gates pass.")
	h.stops(t)
	h.out.say("Watch it: %s", h.watch(pair))
	return nil
}

// underWay gives the steps that the attempt entered, and all it has.
func (h *hand) underWay(t *v1alpha1.TrafficSwitch) (entered, steps int, err error) {
	switch phase := shift.Phase(t.Status.Phase); phase {
	case shift.InPreflight, shift.Shifting:
	case "":
		return 0, 0, fmt.Errorf("where %s stands is not known, so no step can be approved; see: %s", t.Name, h.next("status "+t.Name))
	default:
		return 0, 0, fmt.Errorf("%s isn't on its way up (its phase is %s), so there is no step to approve; see: %s",
			t.Name, phase, h.next("status "+t.Name))
	}
	entered, steps, ok := parseOf(t.Status.Step)
	if !ok {
		return 0, 0, fmt.Errorf("%s tells its step as %q, which this program can't read; is the daemon newer?", t.Name, t.Status.Step)
	}
	return entered, steps, nil
}
