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
	"github.com/clusterswitch/clusterswitch/internal/kube"
	"github.com/clusterswitch/clusterswitch/internal/preflight/keep"
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
	// run tells of each change of what people ask for.
	run func(ctx context.Context, onChange func(pair string)) error
	// close gives back what the ledger holds.
	close func() error
	books shelf
	// preflights keeps the preflights' reports.
	preflights reports
	secrets    secrets
	management func() (*rest.Config, error)
}

// errNoManagement: what was asked for is in a management cluster, and there is none.
var errNoManagement = errors.New("there is no management cluster: the configuration keeps the journal in a directory")

func newLedger(o Options, userAgent string) (ledger, error) {
	if o.Config.Journal.Directory != "" {
		return ledgerInFiles(o.Config, o.Logger)
	}
	return ledgerInCluster(o.Config, userAgent, o.Logger)
}

func ledgerInCluster(c *config.Config, userAgent string, log *zap.Logger) (ledger, error) {
	management, err := kube.Connect(accessOf(c.Journal.Kubeconfig, userAgent))
	if err != nil {
		return ledger{}, fmt.Errorf("reaching the management cluster: %w", err)
	}
	management.QPS, management.Burst = managementQPS, managementBurst
	kept, err := journal.New(journal.Options{Config: management, Namespace: c.Journal.Namespace, Logger: log})
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
	return ledger{
		journal: fencedJournal{kept}, asked: customResources{kept}, look: kept.Look, run: kept.Run, close: func() error { return nil },
		books: books, preflights: preflights, secrets: secrets,
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
	none := func() (*rest.Config, error) { return nil, errNoManagement }
	return ledger{
		journal: fencedFiles{kept}, asked: requestFiles{kept}, look: kept.Look, run: kept.Run, close: kept.Close,
		books: books, preflights: keep.NewFolder(c.Journal.Directory), secrets: managementSecrets{reach: none}, management: none,
	}, nil
}
