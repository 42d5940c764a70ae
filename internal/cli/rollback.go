package cli

import (
	"cmp"
	"context"
	"fmt"

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

After a rollback nothing rises again until somebody starts a new attempt.

With --direct the command writes the weights at AWS itself, for several pairs if
you name them, and tries again until green has nothing or --timeout is over. It
needs the configuration file and AWS credentials only: it is for the day when
the management cluster or the daemon is away. Where the daemon runs, leave
--direct out. One that runs or comes back all the same sees the mark at AWS and
goes on with the rollback. The entrances are those of the configuration file. A
handsOff there stops the daemon only, not this. Exit status 0: green has nothing
on any entrance, as AWS shows it.`,
	}, func(ctx context.Context, h *hand, args []string) error { return h.rollback(ctx, args[0], force) })
	command.Flags().BoolVar(&force, "force", false, "go back even when blue is proven to have no healthy target")
	p.orDirect(command, &force)
	return command
}

// rollback asks first and looks afterwards: nothing may stand before the write.
func (h *hand) rollback(ctx context.Context, pair string, force bool) error {
	c := v1alpha1.SpecChange{Rollback: new(true)}
	if force {
		c.RollbackForce = new(true)
	}
	t, err := h.change(ctx, pair, c)
	switch {
	case isType[noPairError](err):
		return err
	case err != nil:
		away := "the management cluster is away"
		if h.place.directory != "" {
			away = "the directory can't be written"
		}
		return fmt.Errorf("%w\nNothing is known to be asked for. The daemon also obeys rollback: true for %s in its configuration, and run --rollback %s: "+
			"these work while %s. So does: %s", err, pair, pair, away, pastManagement(h.name, pair, h.config))
	}
	h.out.say("The rollback flag of %s is set.", pair)
	switch phase := shift.Phase(t.Status.Phase); {
	case t.Spec.HandsOff, t.Status.Reason == string(shift.HandsOff):
		h.out.say("The daemon obeys it as soon as handsOff is taken away.")
	case phase == "":
		h.out.say("No daemon has said anything about %s yet. One that runs sends all traffic to blue.", pair)
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
	h.out.say("Nothing rises again until: %s", h.next("start "+pair))
	h.out.say("Watch it: %s", h.watch(pair))
	return nil
}

// pastManagement is the command that goes back without the management cluster, by the
// configuration that the person gave.
func pastManagement(name, pair, config string) string {
	command := cmp.Or(name, programName) + " rollback " + pair + " --direct"
	if config != "" {
		command += " --config " + word(config)
	}
	return command
}

// waysLeft adds to an error of a rollback that could not even be asked for what else
// there is. What is wrong with the configuration or the flags says so itself.
func (p *program) waysLeft(pair string, err error) error {
	if !isType[unreachedError](err) || isType[configError](err) || isType[usageError](err) {
		return err
	}
	return fmt.Errorf("%w\nNothing was asked for. Give --kubeconfig and --namespace for the way from here, or go past the management cluster: %s",
		err, pastManagement(p.name, pair, p.config))
}

// daemonLives warns where perhaps nobody is there to obey.
func (h *hand) daemonLives(t *v1alpha1.TrafficSwitch) {
	if t.Status.UpdatedAt.IsZero() {
		return
	}
	if silence := silence(t.Status.UpdatedAt.Time, h.now()); silence != "" {
		h.err.say("WARNING: the status was last written at %s%s.", moment(t.Status.UpdatedAt.Time), silence)
	}
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
