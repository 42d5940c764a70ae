package app

import (
	"context"
	"fmt"

	"k8s.io/client-go/rest"

	"github.com/clusterswitch/clusterswitch/internal/kube"
	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/internal/preflight/finding"
	"github.com/clusterswitch/clusterswitch/internal/preflight/keep"
)

// fieldManager is the author of what the daemon writes, in metadata.managedFields.
const fieldManager = "clusterswitch"

// PreflightOptions say which preflight is run past the daemon.
type PreflightOptions struct {
	// Pair is the name of one of the configuration's pairs.
	Pair string
	// Brief runs the checks that are cheap, and no others.
	Brief bool
	// Management reaches the management cluster. It is asked only where the
	// preflight reads something there: a kubeconfig in a Secret, Argo CD's Applications.
	Management func() (*rest.Config, error)
	// Namespace is the journal's.
	Namespace string
	// UserAgent names this program in the API servers' audit logs.
	UserAgent string
}

// Preflight answers whether green is complete, without the daemon. What can't
// be reached or read is a finding; the error is for a pair that isn't there.
func (d *Direct) Preflight(ctx context.Context, o PreflightOptions) (finding.Report, error) {
	pair, err := d.pair(o.Pair)
	if err != nil {
		return finding.Report{}, err
	}
	w := wish{scope: facts.Full}
	if o.Brief {
		w.scope = facts.Brief
	}
	secrets := managementSecrets{reach: o.Management, namespace: o.Namespace}
	look := newInspector(ways{sessions: d.sessions, secrets: secrets, management: o.Management, userAgent: o.UserAgent}, d.aws)
	return look.look(ctx, pair, w), nil
}

// managementSecrets reads Secrets of a management cluster that is looked for
// only when a Secret is asked for.
type managementSecrets struct {
	reach     func() (*rest.Config, error)
	namespace string
}

// Read gives one key of a Secret.
func (m managementSecrets) Read(ctx context.Context, name, key string) ([]byte, error) {
	management, err := m.reach()
	if err != nil {
		return nil, fmt.Errorf("reading Secret %s: %w", name, err)
	}
	secrets, err := kube.NewSecrets(management, m.namespace)
	if err != nil {
		return nil, err
	}
	return secrets.Read(ctx, name, key)
}

// StoredOptions say which of a pair's kept reports is wanted.
type StoredOptions struct {
	Pair string
	// AtStart asks for the last report before the attempt's first rise instead of
	// the newest.
	AtStart bool
	// Directory is the journal's; empty: the management cluster keeps the reports.
	Directory string
	// Management reaches the management cluster, Namespace is the journal's.
	Management *rest.Config
	Namespace  string
}

// StoredPreflight reads a report that the daemon keeps.
func StoredPreflight(ctx context.Context, o StoredOptions) (finding.Report, error) {
	key := keep.Newest
	if o.AtStart {
		key = keep.Start
	}
	if o.Directory != "" {
		return keep.NewFolder(o.Directory).Get(ctx, o.Pair, key)
	}
	shelf, err := keep.New(keep.Options{Config: o.Management, Namespace: o.Namespace, FieldManager: fieldManager})
	if err != nil {
		return finding.Report{}, err
	}
	return shelf.Get(ctx, o.Pair, key)
}
