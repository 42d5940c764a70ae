package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/clusterswitch/clusterswitch/internal/api/v1alpha1"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

func (p *program) pauseCommand() *cobra.Command {
	return p.handCommand(&cobra.Command{
		Use:   "pause PAIR",
		Short: "Stop a pair from rising; rollbacks still happen",
		Long: `Stop a pair from rising. Green keeps the share it has. Everything else goes on:
the daemon looks, says what it sees, and rolls back when it must.`,
		Args: onePair,
	}, func(ctx context.Context, h *hand, args []string) error { return h.pause(ctx, args[0]) })
}

func (h *hand) pause(ctx context.Context, pair string) error {
	t, err := h.change(ctx, pair, v1alpha1.SpecChange{Paused: new(true)})
	if err != nil {
		return err
	}
	h.out.say("%s is paused: green keeps its share and gets no more. Rollbacks still happen.", pair)
	h.out.say("Go on: %s", h.next("resume "+pair))
	h.handsOff(t)
	return nil
}

func (p *program) resumeCommand() *cobra.Command {
	var adopt, restore bool
	command := p.handCommand(&cobra.Command{
		Use:   "resume PAIR",
		Short: "Take a pause away, or answer the daemon's question",
		Long: `Without a flag, take away the pause that "clusterswitch pause" set.

With --adopt or --restore, answer the question that the daemon asks when it
found weights that it did not write, or no journal. The answer is bound to the
question that stands now; a pause stays.`,
		Args: onePair,
		PreRunE: func(*cobra.Command, []string) error {
			if adopt && restore {
				return usagef("--adopt and --restore are two different answers; give one")
			}
			return nil
		},
	}, func(ctx context.Context, h *hand, args []string) error {
		switch {
		case adopt:
			return h.answer(ctx, args[0], shift.Adopt)
		case restore:
			return h.answer(ctx, args[0], shift.Restore)
		}
		return h.resume(ctx, args[0])
	})
	command.Flags().BoolVar(&adopt, "adopt", false, "go on from the weights that are there")
	command.Flags().BoolVar(&restore, "restore", false, "write the intended share again")
	return command
}

func (h *hand) resume(ctx context.Context, pair string) error {
	before, err := h.get(ctx, pair)
	if err != nil {
		return err
	}
	t, err := h.change(ctx, pair, v1alpha1.SpecChange{Paused: new(false)})
	if err != nil {
		return err
	}
	if before.Spec.Paused {
		h.out.say("The pause of %s is taken away: it goes on as soon as all gates pass.", pair)
	} else {
		h.out.say("%s was not paused here, so nothing changed.", pair)
	}
	h.out.say("If the configuration says paused: true for %s, it stays paused until that is taken away.", pair)
	if q := t.Status.Question; q != nil {
		h.out.say("A question waits for an answer: %s", q.Message)
		h.out.say("Answer it: %s", h.answers(t))
	}
	h.handsOff(t)
	h.out.say("Watch it: %s", h.watch(pair))
	return nil
}

// answers gives the commands that answer the question that stands.
func (h *hand) answers(t *v1alpha1.TrafficSwitch) string {
	adopt := h.next("resume " + t.Name + " --adopt")
	if !restorable(t.Status.Question) {
		return adopt
	}
	return adopt + ", or " + h.next("resume "+t.Name+" --restore")
}

// restorable tells whether there is an intended share to write again: only a
// drift leaves one.
func restorable(q *v1alpha1.Question) bool { return shift.Reason(q.Reason) == shift.Drift }

func (h *hand) answer(ctx context.Context, pair string, how shift.ResolveHow) error {
	before, err := h.get(ctx, pair)
	if err != nil {
		return err
	}
	q := before.Status.Question
	switch {
	case q == nil:
		return fmt.Errorf("%s asks no question, so there is nothing to %s; its reason is %s: %s", pair, how,
			orNone(before.Status.Reason), orNone(before.Status.Message))
	case shift.Reason(q.Reason) == shift.JournalUnreadable:
		return fmt.Errorf("%s: a journal that can't be read can't be answered, only mended: %s", pair, q.Message)
	case how == shift.Restore && !restorable(q):
		return fmt.Errorf("%s: %s leaves no intended share to restore; look at the weights at AWS, then: %s, or: %s",
			pair, q.Reason, h.next("resume "+pair+" --adopt"), h.next("rollback "+pair))
	}
	t, err := h.change(ctx, pair, v1alpha1.SpecChange{Resolve: &v1alpha1.Resolution{ID: q.ID, How: string(how)}})
	if err != nil {
		return err
	}
	h.out.say("The question was: %s", q.Message)
	if how == shift.Adopt {
		h.out.say("The answer is adopt: the daemon goes on from the weights that are there.")
	} else {
		h.out.say("The answer is restore: the daemon writes its intended share, %d%% on green, again.", t.Status.Share)
	}
	h.stops(t)
	h.out.say("Watch it: %s", h.watch(pair))
	return nil
}
