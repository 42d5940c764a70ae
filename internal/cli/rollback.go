package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/clusterswitch/clusterswitch/internal/api/v1alpha1"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

func (p *program) rollbackCommand() *cobra.Command {
	var force bool
	command := p.handCommand(&cobra.Command{
		Use:   "rollback PAIR",
		Short: "Send all traffic of a pair back to blue, at once",
		Long: `Send all traffic of a pair back to blue, at once. The daemon obeys within
seconds.

It waits only while a fresh look proves that blue has no healthy target and
green has some, and goes as soon as blue has one; --force overrules even that.
What is unknown about blue refuses nothing.

It is done when "clusterswitch wait PAIR --for rolledback" ends with 0. After a
rollback nothing rises again until somebody starts a new attempt.

With --direct the command writes the weights at AWS itself, for several pairs if
you name them, and tries again until green has nothing or --timeout is over. It
needs the configuration file and AWS credentials only: it is for the day when
the management cluster or the daemon is away. Where the daemon runs, leave
--direct out. One that runs or comes back all the same sees the mark at AWS and
goes on with the rollback. The entrances are those of the configuration file;
faults elsewhere in it, and a handsOff there, stop the daemon only, not this.
Exit status 0: green has nothing on any entrance, as AWS shows it.`,
	}, func(ctx context.Context, h *hand, args []string) error { return h.rollback(ctx, args[0], force) })
	command.Flags().BoolVar(&force, "force", false, "go back even when blue is proven to have no healthy target")
	asked := command.RunE
	command.RunE = func(command *cobra.Command, args []string) error {
		return p.orElse(command, args[0], asked(command, args))
	}
	p.orDirect(command, &force)
	return command
}

// rollback asks first and looks afterwards: nothing may stand before the write.
func (h *hand) rollback(ctx context.Context, pair string, force bool) error {
	c := v1alpha1.SpecChange{Rollback: new(true)}
	if force {
		c.RollbackForce = new(true)
	}
	t, err := h.changeSoon(ctx, pair, c)
	if err != nil {
		return err
	}
	h.out.say("The rollback flag of %s is set.", pair)
	switch phase := shift.Phase(t.Status.Phase); {
	case t.Spec.HandsOff, t.Status.Reason == string(shift.HandsOff):
		h.out.say("The daemon obeys it as soon as handsOff is taken away. What goes back in spite of it: %s", h.direct(pair))
	case phase == "":
		h.out.say("A daemon that runs sends all traffic to blue.")
	case phase == shift.RollingBack:
		h.out.say("The way back is under way already. The daemon sends all traffic to blue, whatever blue's capacity.")
	case t.Status.Share == 0 && t.Status.Question == nil && (phase == shift.Idle || phase == shift.RolledBack):
		h.out.say("Blue is meant to have all traffic already. While the flag is set nothing starts.")
	case t.Status.Share == 0:
		h.out.say("The daemon sends all traffic to blue at once, whatever green has by now.")
	default:
		h.out.say("The daemon sends all traffic to blue at once: green is meant to go from %d%% to 0%%.", t.Status.Share)
	}
	if t.Spec.RollbackForce {
		h.out.say("It goes back even when blue is proven to have no healthy target (rollbackForce).")
	} else {
		h.out.say("It waits only while blue is proven to have no healthy target and green has some; --force overrules that.")
	}
	h.daemonLives(t)
	h.blueStands(t)
	h.handsOff(t)
	h.out.say("It is done when this ends well: %s", h.next("wait "+pair+" --for rolledback"))
	h.out.say("Nothing rises again until: %s", h.next("start "+pair))
	h.out.say("Watch it: %s", h.watch(pair))
	return nil
}

// slowAfter is how long a person in an emergency waits without a word.
const slowAfter = 3 * time.Second

// changeSoon is change, and says what works all the same while there is no answer.
func (h *hand) changeSoon(ctx context.Context, pair string, c v1alpha1.SpecChange) (t *v1alpha1.TrafficSwitch, err error) {
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		t, err = h.change(ctx, pair, c)
	}()
	select {
	case <-answered:
	case <-time.After(slowAfter):
		h.err.say("No answer for %s yet; still trying. Without one, from another terminal: %s", slowAfter, h.direct(pair))
		<-answered
	}
	return t, err
}

// daemonLives warns where perhaps nobody is there to obey.
func (h *hand) daemonLives(t *v1alpha1.TrafficSwitch) {
	silence := "no daemon has said anything yet"
	if !unsaid(t.Status) {
		if silence = h.silent(t); silence == "" {
			return
		}
	}
	h.err.say("WARNING: %s. If none runs, go back by: %s", silence, h.direct(t.Name))
}

// silent tells of a status that a daemon would have written anew by now.
func (h *hand) silent(t *v1alpha1.TrafficSwitch) string {
	written := t.Status.UpdatedAt
	if written.IsZero() {
		return ""
	}
	if silence := silence(written.Time, h.now()); silence != "" {
		return fmt.Sprintf("the status of %s was last written at %s%s", t.Name, moment(written.Time), silence)
	}
	return ""
}

// blueStands warns where blue looks weak. A person's rollback is not refused
// for it.
func (h *hand) blueStands(t *v1alpha1.TrafficSwitch) {
	blue := newReplicas(t.Status.BlueReady)
	switch {
	case t.Status.Phase == "":
	case blue == nil:
		h.err.say("WARNING: how ready blue is, is not known.")
	case blue.Ready < blue.Wanted:
		h.err.say("WARNING: blue looks weak: %d of %s are ready (when the daemon last wrote).", blue.Ready, count(blue.Wanted, "replica"))
	}
}
