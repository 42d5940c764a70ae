package app

import (
	"context"

	"k8s.io/client-go/rest"

	"github.com/clusterswitch/clusterswitch/internal/record"
	"github.com/clusterswitch/clusterswitch/internal/record/archive"
)

// RecordOptions say which record is wanted.
type RecordOptions struct {
	Pair string
	// Attempt is the attempt; 0: the newest.
	Attempt int
	// Directory is the journal's; empty: the management cluster keeps the records.
	Directory string
	// Management reaches the management cluster, Namespace is the journal's.
	Management *rest.Config
	Namespace  string
}

// StoredRecord reads the record of an attempt that the daemon keeps.
func StoredRecord(ctx context.Context, o RecordOptions) (record.Record, error) {
	shelf := archive.NewFolder(o.Directory)
	if o.Directory == "" {
		var err error
		if shelf, err = archive.New(archive.Options{Config: o.Management, Namespace: o.Namespace, FieldManager: fieldManager}); err != nil {
			return record.Record{}, err
		}
	}
	return shelf.Get(ctx, o.Pair, o.Attempt)
}
