package gather

import (
	"context"
	"errors"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
)

// Served asks a cluster what it serves, which takes no right but that of every
// authenticated user. The gaps are groups that don't answer, such as those of an
// aggregated API server that is down. The error says that nothing is known.
func Served(ctx context.Context, from Source, timeout time.Duration) ([]facts.Kind, []facts.Gap, error) {
	if from.Config == nil {
		return nil, nil, errors.New(from.Fault)
	}
	ctx, done := context.WithTimeout(ctx, timeout)
	defer done()
	r, err := newReader(from.Config, Options{Scope: facts.Full, Timeout: timeout})
	if err != nil {
		return nil, nil, err
	}
	var c facts.Cluster
	if fault := r.discover(ctx, &c); fault != "" {
		return nil, nil, errors.New(fault)
	}
	return c.Kinds, c.Gaps, nil
}

// Listed gives those of the kinds that a full preflight lists where a cluster
// serves them all.
func Listed(served []facts.Kind, settings facts.Settings) []facts.Kind {
	r := reader{options: Options{Scope: facts.Full, Settings: settings}}
	c := facts.Cluster{Kinds: served}
	wanted := wanted(r.options)
	var listed []facts.Kind
	for _, k := range served {
		if r.lists(&c, k.GroupKind, wanted) {
			listed = append(listed, k)
		}
	}
	return listed
}
