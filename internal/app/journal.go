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
// know the loop. Whoever stands by only reads.
type fencedJournal struct {
	*journal.Journal
	standing standing
}

// Load reads the state; see switcher.Journal. Only who may write makes a custom
// resource that isn't there.
func (j fencedJournal) Load(ctx context.Context, pair string) (shift.Found, error) {
	if !leads(j.standing) {
		return j.Follow(ctx, pair)
	}
	return j.Journal.Load(ctx, pair)
}

// Save writes the state; see switcher.Journal.
func (j fencedJournal) Save(ctx context.Context, pair string, s shift.State, said shift.Said) error {
	err := j.Journal.Save(ctx, pair, s, said)
	if errors.Is(err, journal.ErrConflict) {
		return fmt.Errorf("%w: %w", switcher.ErrConflict, err)
	}
	return err
}
