package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clusterswitch/clusterswitch/internal/api/v1alpha1"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// takeNothing takes a person's word back.
const takeNothing = "none"

func (p *program) singletonsCommand() *cobra.Command {
	var take string
	command := p.handCommand(&cobra.Command{
		Use:   "singletons PAIR",
		Short: "Show where each singleton of a pair is, or vouch for one side",
		Long: `Show where each singleton of a pair is: which side has it, or how far it is on
its way from one side to the other, and the last time in which nobody began its
work. It is what the daemon last wrote down.

The daemon switches a singleton on in one cluster only after it saw that it is
off in the other and that nothing of it runs there. When a cluster can't be seen
it waits, however long that takes.

With --take you say what the daemon can't see: "I have made sure that nothing of
the singletons runs on the other side, and that nothing will." Then the side
that you name takes those whose other side can't be seen, or did not end in time
what it began. If you are wrong they run twice. It holds for the attempt that is
under way and for no later one; "--take none" takes it back.`,
		Args: onePair,
		PreRunE: func(command *cobra.Command, _ []string) error {
			switch shift.Side(take) {
			case shift.Blue, shift.Green, takeNothing:
				return nil
			}
			if command.Flags().Changed("take") {
				return usagef("--take %s: use blue, green or none", take)
			}
			return nil
		},
	}, func(ctx context.Context, h *hand, args []string) error {
		if take == "" {
			return h.singletons(ctx, args[0])
		}
		return h.vouch(ctx, args[0], take)
	})
	command.Flags().StringVar(&take, "take", "", "the `side` that takes them, because nothing of them runs on the other: blue, green; or none")
	return command
}

// singletons shows where each is.
func (h *hand) singletons(ctx context.Context, pair string) error {
	t, err := h.get(ctx, pair)
	if err != nil {
		return err
	}
	s := t.Status
	switch {
	case unsaid(s):
		h.out.say("No daemon has said anything about %s yet.", pair)
		return nil
	case s.Phase == "":
		h.out.say("Where %s stands is not known, nor are its singletons; see: %s", pair, h.next("status "+pair))
		return nil
	case len(s.Singletons) == 0:
		h.out.say("The daemon has handed over no singleton of %s: each is as it was before.", pair)
	default:
		rows := [][]string{{"SINGLETON", "WHERE", "SINCE", "NOBODY BEGAN ITS WORK"}}
		for _, one := range s.Singletons {
			rows = append(rows, []string{one.Key, whereIs(one), moment(one.Since.Time), gapOf(one)})
		}
		table(h.out, rows)
	}
	for _, one := range s.Singletons {
		if one.Failed != "" {
			h.out.say("\n%s was given back to blue: %s", one.Key, one.Failed)
		}
	}
	h.out.say("\nWritten by the daemon at %s%s", moment(s.UpdatedAt.Time), silence(s.UpdatedAt.Time, h.now()))
	if v := t.Spec.Vouch; v != (v1alpha1.Vouch{}) {
		h.out.say("A person vouches that nothing of them runs in %s, in attempt %d; take that back: %s", otherSide(v.Take), v.Attempt,
			h.next("singletons "+pair+" --take "+takeNothing))
	}
	return nil
}

// whereIs says in a few words where a singleton is.
func whereIs(s v1alpha1.Singleton) string {
	switch shift.BatonStage(s.Stage) {
	case shift.BatonHeld:
		return s.Side
	case shift.BatonGiving:
		return s.Side + " is to end it, then " + otherSide(s.Side)
	case shift.BatonTaking:
		return s.Side + " is to begin"
	case shift.BatonBack:
		return s.Side + ", being given back"
	}
	return strings.TrimSpace(s.Side + " " + s.Stage)
}

func otherSide(side string) string {
	if shift.Side(side) == shift.Green {
		return string(shift.Blue)
	}
	return string(shift.Green)
}

// gapOf tells of the time in which nobody began its work: the one that goes on, or
// the last.
func gapOf(s v1alpha1.Singleton) string {
	switch g := s.Gap; {
	case s.OffSince != nil:
		return "since " + moment(s.OffSince.Time)
	case g != nil && g.Missed != nil:
		return gapLength(g.From, g.To) + ", missed the run of " + moment(g.Missed.Time)
	case g != nil:
		return gapLength(g.From, g.To)
	}
	return "-"
}

func gapLength(from, to metav1.Time) string {
	return fmt.Sprintf("for %s until %s", to.Sub(from.Time).Round(time.Second), moment(to.Time))
}

// vouch writes down a person's word.
func (h *hand) vouch(ctx context.Context, pair, take string) error {
	if take == takeNothing {
		if _, err := h.change(ctx, pair, v1alpha1.SpecChange{Vouch: &v1alpha1.Vouch{}}); err != nil {
			return err
		}
		h.out.say("Nobody vouches for the singletons of %s any more. What was switched on by such a word stays on.", pair)
		return nil
	}
	before, err := h.get(ctx, pair)
	switch {
	case err != nil:
		return err
	case before.Status.Attempt == 0:
		return fmt.Errorf("no attempt of %s was begun, so nothing was handed over; see: %s", pair, h.next("status "+pair))
	case len(before.Status.Singletons) == 0:
		return fmt.Errorf("the daemon has handed over no singleton of %s in attempt %d, so there is nothing to vouch for", pair, before.Status.Attempt)
	}
	v := v1alpha1.Vouch{Attempt: before.Status.Attempt, Take: take}
	if _, err := h.change(ctx, pair, v1alpha1.SpecChange{Vouch: &v}); err != nil {
		return err
	}
	h.out.say("You vouch that nothing of the singletons of %s runs in %s, for attempt %d only.", pair, otherSide(take), v.Attempt)
	h.out.say("%s takes those whose other side the daemon can't see, or that did not end in time. All others go their usual way.", sentence(take))
	h.out.say("If %s comes back, the daemon switches them off there as soon as it can.", otherSide(take))
	h.out.say("Take it back: %s", h.next("singletons "+pair+" --take "+takeNothing))
	return nil
}

func sentence(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
