package app

import (
	"context"
	"errors"
	"fmt"

	"go.uber.org/zap"
	"k8s.io/client-go/rest"

	"github.com/clusterswitch/clusterswitch/config"
	"github.com/clusterswitch/clusterswitch/internal/api/v1alpha1"
	"github.com/clusterswitch/clusterswitch/internal/filejournal"
	"github.com/clusterswitch/clusterswitch/internal/journal"
	"github.com/clusterswitch/clusterswitch/internal/kube"
	"github.com/clusterswitch/clusterswitch/internal/lease"
	"github.com/clusterswitch/clusterswitch/internal/preflight/finding"
	"github.com/clusterswitch/clusterswitch/internal/preflight/keep"
	"github.com/clusterswitch/clusterswitch/internal/record/archive"
	"github.com/clusterswitch/clusterswitch/internal/runbook"
	"github.com/clusterswitch/clusterswitch/switcher"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// ledger is where the daemon keeps what it must not lose and finds what people
// ask for: a management cluster, or a directory.
type ledger struct {
	journal switcher.Journal
	asked   specs
	// look reads a journal and leaves it as it is.
	look func(ctx context.Context, pair string) (shift.Found, error)
	// standing tells whether this process may write; campaign strives for that, nil
	// where it always may.
	standing standing
	campaign func(context.Context) error
	// leader tells who leads, from memory; nil: there is no election.
	leader func() (holder string, mine bool)
	// list reads what all daemons wrote down.
	list func(context.Context) ([]v1alpha1.TrafficSwitch, error)
	// run tells of each change of what people ask for.
	run func(ctx context.Context, onChange func(pair string)) error
	// close gives back what the ledger holds.
	close func() error
	books shelf
	// preflights keeps the preflights' reports; report reads one.
	preflights reports
	report     func(ctx context.Context, pair, key string) (finding.Report, error)
	// records keeps the records of attempts.
	records    records
	secrets    secrets
	management func() (*rest.Config, error)
}

// errNoManagement: what was asked for is in a management cluster, and there is none.
var errNoManagement = errors.New("there is no management cluster: the configuration keeps the journal in a directory")

// newLedger opens the ledger; stood hears each time that the right to write is won or
// lost.
func newLedger(o Options, userAgent string, stood func(leads bool)) (ledger, error) {
	if o.Config.Journal.Directory != "" {
		return ledgerInFiles(o.Config, o.Logger)
	}
	return ledgerInCluster(o.Config, userAgent, o.Logger, stood)
}

// reachManagement makes the way to the management cluster. It talks to nobody yet.
func reachManagement(c *config.Config, userAgent string) (*rest.Config, error) {
	management, err := kube.Connect(accessOf(c.Journal.Kubeconfig, userAgent))
	switch {
	case errors.Is(err, rest.ErrNotInCluster):
		return nil, fmt.Errorf("reaching the management cluster: %w; outside of it give journal.kubeconfig, or journal.directory where there is none", err)
	case err != nil:
		return nil, fmt.Errorf("reaching the management cluster: %w", err)
	}
	management.QPS, management.Burst = managementQPS, managementBurst
	return management, nil
}

func ledgerInCluster(c *config.Config, userAgent string, log *zap.Logger, stood func(leads bool)) (ledger, error) {
	management, err := reachManagement(c, userAgent)
	if err != nil {
		return ledger{}, err
	}
	identity, err := lease.NewIdentity()
	if err != nil {
		return ledger{}, err
	}
	kept, err := journal.New(journal.Options{Config: management, Namespace: c.Journal.Namespace, Holder: identity, Logger: log})
	if err != nil {
		return ledger{}, err
	}
	secrets, err := kube.NewSecrets(management, c.Journal.Namespace)
	if err != nil {
		return ledger{}, err
	}
	books, err := runbook.NewShelf(runbook.Options{Config: management, Namespace: c.Journal.Namespace, Dir: c.Runbook.Dir})
	if err != nil {
		return ledger{}, err
	}
	preflights, err := keep.New(keep.Options{Config: management, Namespace: c.Journal.Namespace, FieldManager: fieldManager})
	if err != nil {
		return ledger{}, err
	}
	records, err := archive.New(archive.Options{Config: management, Namespace: c.Journal.Namespace, FieldManager: fieldManager})
	if err != nil {
		return ledger{}, err
	}
	switches, err := v1alpha1.NewClient(v1alpha1.ClientOptions{Config: management, Namespace: c.Journal.Namespace})
	if err != nil {
		return ledger{}, err
	}
	standing, campaign, leader, err := newStanding(c, management, identity, log, stood)
	if err != nil {
		return ledger{}, err
	}
	return ledger{
		standing: standing, campaign: campaign, leader: leader, list: switches.List,
		journal: fencedJournal{kept, standing}, asked: customResources{kept}, look: kept.Look, run: kept.Run, close: func() error { return nil },
		books: books, preflights: preflights, report: preflights.Get, records: records, secrets: secrets,
		management: func() (*rest.Config, error) { return management, nil },
	}, nil
}

// ledgerInFiles takes the directory for this process.
func ledgerInFiles(c *config.Config, log *zap.Logger) (ledger, error) {
	kept, err := filejournal.Open(filejournal.Options{Directory: c.Journal.Directory, Logger: log})
	if err != nil {
		return ledger{}, err
	}
	books, err := runbook.NewShelf(runbook.Options{Journal: c.Journal.Directory, Dir: c.Runbook.Dir})
	if err != nil {
		return ledger{}, errors.Join(err, kept.Close())
	}
	folder := keep.NewFolder(c.Journal.Directory)
	none := func() (*rest.Config, error) { return nil, errNoManagement }
	return ledger{
		standing: alone{}, // the directory's lock is held, or Open had failed
		list:     filejournal.NewHand(c.Journal.Directory).List,
		journal:  fencedFiles{kept}, asked: requestFiles{kept}, look: kept.Look, run: kept.Run, close: kept.Close,
		books: books, preflights: folder, report: folder.Get, records: archive.NewFolder(c.Journal.Directory), secrets: managementSecrets{reach: none}, management: none,
	}, nil
}
