package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/clusterswitch/clusterswitch/internal/api/v1alpha1"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// waitLook is how often wait looks. The daemon writes a change down within a second.
const waitLook = 2 * time.Second

// The ends that wait waits for.
const (
	forCompleted  = "completed"
	forStandby    = "standby"
	forRolledBack = "rolledback"
)

func (p *program) waitCommand() *cobra.Command {
	var goal string
	var timeout time.Duration
	goals := []string{forCompleted, forStandby, forRolledBack}
	command := p.handCommand(&cobra.Command{
		Use:   "wait PAIR --for END",
		Short: "Wait until a pair's shift is over, for pipelines",
		Long: `Wait until a pair's shift is over, one way or the other, and say every change
on the way. It changes nothing: stopping it stops no shift.

The ends are completed: green has everything and standby is over; standby: green
has everything, and blue is kept ready; rolledback: blue has everything again.

What was asked for when the command began counts once the daemon has seen it:
the end of an earlier attempt is not taken for that of the one that start asked
for.
Reading that fails is tried again until --timeout is over.

Exit status: 0 the end is reached; 1 it can't be reached any more, for example
because the pair was rolled back; 3 the time is over and neither is so.`,
		Args: onePair,
		PreRunE: func(*cobra.Command, []string) error {
			switch {
			case !slices.Contains(goals, goal):
				return usagef("--for %s: use %s", word(goal), strings.Join(goals, ", "))
			case timeout < 0:
				return usagef("--timeout %s: a time can't be negative; 0s looks once", timeout)
			}
			return nil
		},
	}, func(ctx context.Context, h *hand, args []string) error {
		w := waiting{goal: goal, out: h.out, err: h.err, pair: args[0], every: waitLook, silent: h.silent}
		w.look = func(ctx context.Context) (*v1alpha1.TrafficSwitch, error) { return h.get(ctx, args[0]) }
		err := w.until(ctx, timeout)
		if isType[unknownError](err) {
			h.err.say("Look at it: %s", h.next("status "+args[0]))
		}
		return err
	})
	command.Flags().StringVar(&goal, "for", forCompleted, "the `end` to wait for: "+strings.Join(goals, ", "))
	command.Flags().DurationVar(&timeout, "timeout", time.Hour, "the longest `time` to wait; 0s looks once")
	return command
}

// waiting is one run of wait.
type waiting struct {
	goal, pair string
	out, err   *paper
	look       func(context.Context) (*v1alpha1.TrafficSwitch, error)
	every      time.Duration
	// silent tells of a status that a daemon would have written anew by now; nil: nobody asks.
	silent func(*v1alpha1.TrafficSwitch) string

	// asked and attempt are what was asked for at the first look: the generation of
	// the spec, and the attempt that counts.
	asked   int64
	attempt int
	begun   bool
	told    string    // the last line that was said
	trouble string    // the last error that was said
	old     time.Time // of which status it was last said that nobody writes it anew
}

// until looks until the end is reached, or can't be, or the time is over.
func (w *waiting) until(ctx context.Context, timeout time.Duration) error {
	bound := timeout
	if timeout == 0 { // one look
		bound = requestTimeout
	}
	ctx, stop := context.WithTimeout(ctx, bound)
	defer stop()
	tick := time.NewTicker(w.every)
	defer tick.Stop()
	for last := "nothing could be read"; ; {
		t, err := w.look(ctx)
		switch {
		case isType[noPairError](err) || errors.Is(err, v1alpha1.ErrNotFound):
			return err
		case err != nil && ctx.Err() == nil:
			w.failed(err)
			last = err.Error()
		case err == nil:
			w.trouble = ""
			w.begin(t)
			w.tell(t)
			reached, missed := w.judge(t)
			switch {
			case reached:
				w.out.say("%s is %s.", w.pair, w.goal)
				return nil
			case missed != "":
				return fmt.Errorf("%s is not %s: %s", w.pair, w.goal, missed)
			}
			last = standing(t)
		}
		if timeout > 0 {
			select {
			case <-ctx.Done():
			case <-tick.C:
				continue
			}
		}
		if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.DeadlineExceeded) {
			return unknownError{fmt.Errorf("waiting until %s is %s was broken off (%w); it stands at: %s", w.pair, w.goal, cause, last)}
		}
		return unknownError{fmt.Errorf("%s is not %s within %s; it stands at: %s", w.pair, w.goal, timeout, last)}
	}
}

// begin notes at the first look what is asked for.
func (w *waiting) begin(t *v1alpha1.TrafficSwitch) {
	if !w.begun {
		w.begun, w.asked, w.attempt = true, t.Generation, max(t.Spec.Attempt, t.Status.Attempt)
	}
}

// judge tells whether the end is reached, or why it can't be any more.
func (w *waiting) judge(t *v1alpha1.TrafficSwitch) (reached bool, missed string) {
	s := t.Status
	if s.Phase == "" || s.ObservedGeneration < w.asked || s.Attempt < w.attempt {
		return false, "" // the daemon has not seen yet what was asked for
	}
	phase := shift.Phase(s.Phase)
	if w.goal == forRolledBack {
		atRest := phase == shift.RolledBack || phase == shift.Idle && t.Spec.Rollback
		return atRest && s.Share == 0, ""
	}
	switch phase {
	case shift.Completed:
		return true, ""
	case shift.OnStandby:
		return w.goal == forStandby, ""
	case shift.RollingBack, shift.RolledBack:
		why := s.Message
		if s.Rollback != nil {
			why = fmt.Sprintf("it was rolled back by %s: %s", s.Rollback.By, s.Rollback.Why)
		}
		return false, why
	case shift.Returning:
		return false, "it is on its planned way back to blue"
	case shift.Idle, shift.InPreflight, shift.Shifting:
	}
	return false, ""
}

// tell says a change of phase, share or reason, and that there will be none.
func (w *waiting) tell(t *v1alpha1.TrafficSwitch) {
	s := t.Status
	if key := fmt.Sprint(s.Phase, s.Share, s.Reason, s.Attempt); key != w.told {
		w.told = key
		w.out.say("%s  %s", s.UpdatedAt.UTC().Format(time.TimeOnly), standing(t))
	}
	if w.silent == nil || w.old.Equal(s.UpdatedAt.Time) {
		return
	}
	if silent := w.silent(t); silent != "" {
		w.old = s.UpdatedAt.Time
		w.err.say("WARNING: %s.", silent)
	}
}

// failed says what keeps wait from looking, once.
func (w *waiting) failed(err error) {
	if err.Error() != w.trouble {
		w.trouble = err.Error()
		w.err.say("WARNING: %s; trying again.", err)
	}
}

func standing(t *v1alpha1.TrafficSwitch) string {
	switch {
	case unsaid(t.Status):
		return "no daemon has said anything yet"
	case t.Status.Phase == "":
		return fmt.Sprintf("unknown  %s: %s", orNone(t.Status.Reason), orNone(t.Status.Message))
	}
	return fmt.Sprintf("%s %d%%  %s: %s", t.Status.Phase, t.Status.Share, orNone(t.Status.Reason), orNone(t.Status.Message))
}
