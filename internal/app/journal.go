package app

import (
	"context"
	"errors"
	"fmt"

	"github.com/clusterswitch/clusterswitch/internal/journal"
	"github.com/clusterswitch/clusterswitch/switcher"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// fencedJournal says the adapter's conflict in the loop's word: adapters don't
// know the loop.
type fencedJournal struct{ *journal.Journal }

// Save writes the state; see switcher.Journal.
func (j fencedJournal) Save(ctx context.Context, pair string, s shift.State, said shift.Said) error {
	err := j.Journal.Save(ctx, pair, s, said)
	if errors.Is(err, journal.ErrConflict) {
		return fmt.Errorf("%w: %w", switcher.ErrConflict, err)
	}
	return err
}
