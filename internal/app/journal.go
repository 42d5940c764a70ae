package app

import (
	"context"
	"errors"
	"fmt"

	"github.com/clusterswitch/clusterswitch/internal/api/v1alpha1"
	"github.com/clusterswitch/clusterswitch/internal/filejournal"
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
	return fenced(j.Journal.Save(ctx, pair, s, said), journal.ErrConflict)
}

// fencedFiles does the same for the journal in files.
type fencedFiles struct{ *filejournal.Journal }

// Save writes the state; see switcher.Journal.
func (j fencedFiles) Save(ctx context.Context, pair string, s shift.State, said shift.Said) error {
	return fenced(j.Journal.Save(ctx, pair, s, said), filejournal.ErrConflict)
}

func fenced(err, conflict error) error {
	if errors.Is(err, conflict) {
		return fmt.Errorf("%w: %w", switcher.ErrConflict, err)
	}
	return err
}

// specs tells what people ask for beside the journal.
type specs interface {
	// Request gives what is known of it. unknown says why that may not be all; empty:
	// it is.
	Request(pair string) (spec v1alpha1.TrafficSwitchSpec, unknown string)
	// Place names where people ask, for other people.
	Place() string
}

// customResources are those of the management cluster.
type customResources struct{ journal *journal.Journal }

// Request gives the spec as the watch saw it last.
func (c customResources) Request(pair string) (v1alpha1.TrafficSwitchSpec, string) {
	spec, known := c.journal.Request(pair)
	if !known {
		return spec, "the custom resource is gone, or not read yet"
	}
	return spec, ""
}

// Place names the custom resource.
func (customResources) Place() string { return "the custom resource" }

// requestFiles are those of the journal's directory.
type requestFiles struct{ journal *filejournal.Journal }

// Request gives what the file says.
func (f requestFiles) Request(pair string) (v1alpha1.TrafficSwitchSpec, string) {
	return f.journal.Request(pair)
}

// Place names the file.
func (requestFiles) Place() string { return "the request file" }

// Hand is a person's side of a journal's directory.
type Hand interface {
	Get(ctx context.Context, pair string) (*v1alpha1.TrafficSwitch, error)
	List(ctx context.Context) ([]v1alpha1.TrafficSwitch, error)
	PatchSpec(ctx context.Context, pair string, change v1alpha1.SpecChange) (*v1alpha1.TrafficSwitch, error)
}

// NewHand makes a Hand; its errors are those of v1alpha1.Client. It touches nothing yet.
func NewHand(directory string) Hand { return filejournal.NewHand(directory) }
