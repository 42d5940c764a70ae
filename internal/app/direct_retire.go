package app

import (
	"context"
	"errors"
	"fmt"

	"go.uber.org/zap"
	"k8s.io/client-go/rest"

	"github.com/clusterswitch/clusterswitch/config"
	"github.com/clusterswitch/clusterswitch/internal/filejournal"
	"github.com/clusterswitch/clusterswitch/internal/journal"
	"github.com/clusterswitch/clusterswitch/internal/retire"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// ErrNoSuchCluster tells that the configuration names neither a pair nor a cluster so.
var ErrNoSuchCluster = errors.New("no such cluster")

// RetireOptions say which cluster is judged past the daemon.
type RetireOptions struct {
	// Cluster is a pair's name, or a cluster as the configuration names it.
	Cluster string
	// By is who asks, for the report.
	By string
	// Directory holds the pairs' journals; empty: the management cluster does.
	Directory string
	// Management reaches the management cluster, which holds the pairs' journals
	// where Directory is empty; Namespace is theirs.
	Management func() (*rest.Config, error)
	Namespace  string
	// UserAgent names this program in the API servers' audit logs.
	UserAgent string
}

// Retire judges whether a blue cluster may be deleted, without the daemon. What
// can't be reached or read is a finding; the error is ErrNoSuchCluster.
func (d *Direct) Retire(ctx context.Context, o RetireOptions) (retire.Report, error) {
	r, err := retireeNamed(d.config, o.Cluster)
	if err != nil {
		return retire.Report{}, fmt.Errorf("%w: %w", ErrNoSuchCluster, err)
	}
	secrets := managementSecrets{reach: o.Management, namespace: o.Namespace}
	look := newInspector(ways{sessions: d.sessions, secrets: secrets, management: o.Management, userAgent: o.UserAgent}, d.aws)
	return look.retire(ctx, d.config, r, storedStates(o), o.By), nil
}

// storedStates reads the pairs' journals as they are stored.
func storedStates(o RetireOptions) looksBack {
	if o.Directory != "" {
		files := filejournal.NewHand(o.Directory)
		return func(ctx context.Context, pair string) (shift.State, error) { return recalled(ctx, files.Look, pair) }
	}
	var kept *journal.Journal
	return func(ctx context.Context, pair string) (shift.State, error) {
		if kept == nil {
			management, err := o.Management()
			if err != nil {
				return shift.State{}, err
			}
			if kept, err = journal.New(journal.Options{Config: management, Namespace: o.Namespace, Logger: zap.NewNop()}); err != nil {
				return shift.State{}, err
			}
		}
		return recalled(ctx, kept.Look, pair)
	}
}

// lookToRetire makes one look of the daemon's own.
func (a *App) lookToRetire(ctx context.Context, c *config.Config, r retiree) retire.Report {
	journal := func(ctx context.Context, pair string) (shift.State, error) { return recalled(ctx, a.ledger.look, pair) }
	return newInspector(a.ways, a.aws).retire(ctx, c, r, journal, "")
}

// recalled reads one journal.
func recalled(ctx context.Context, look func(context.Context, string) (shift.Found, error), pair string) (shift.State, error) {
	found, err := look(ctx, pair)
	switch {
	case err != nil:
		return shift.State{}, err
	case found.Unreadable != "":
		return shift.State{}, errors.New(found.Unreadable)
	case !found.Present:
		return shift.NewState(), nil // no shift was ever begun
	}
	return found.State, nil
}
