package switcher

import (
	"context"
	"errors"
	"time"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// ErrConflict is what a Journal's Save wraps when somebody else wrote the
// journal since it was last loaded or saved.
var ErrConflict = errors.New("the journal was written by somebody else")

// Observer gathers what there is to know of one pair. Gathering never fails as
// a whole: what couldn't be read is unknown in the observation.
type Observer interface {
	// Request is what people ask for now, from memory: it must not block. joined
	// is false while the state is not the journal's yet: then the attempt that
	// is under way isn't known. Any goroutine may ask.
	Request(s shift.State, joined bool) shift.Request
	// Observe looks at the world.
	Observe(ctx context.Context, look Look) shift.Observation
}

// Look says what to look at.
type Look struct {
	Plan shift.Plan
	// Entrances are those of the shift that is under way.
	Entrances []shift.Entrance
	// MeasureFrom is the time from which samples of users' traffic count; zero:
	// there is nothing to measure.
	MeasureFrom time.Time
	// Evidence is what request gates remember: how far they have counted, and by what
	// profile. Empty before a shift: profiles are wanted then.
	Evidence []shift.GateEvidence
	// Asking is the rise that gates are asked about.
	Asking shift.Asking
	// Loads: what users ask of both sides is to be known.
	Loads bool
	// Past: so is what blue's load was just before (shift.LoadPast).
	Past bool
	// Attention is how closely to look. Urgent asks for the entrances only: a
	// rollback doesn't wait for metrics or clusters; of those it takes what is known.
	Attention shift.Attention
}

// Journal keeps the state of one pair with compare-and-swap.
type Journal interface {
	// Load gives what is there. An error means that it could not be asked. Who
	// stands by loads too, to read along: then it must leave everything as it is.
	Load(ctx context.Context, pair string) (shift.Found, error)
	// Save writes the state and what was said of it. It wraps ErrConflict when
	// somebody else wrote in between; then nothing was written. A journal that
	// Load called unreadable is never overwritten: only what was said is written
	// beside it, and the answer is an error. Said.Beside asks for just that, also
	// where there is no journal.
	Save(ctx context.Context, pair string, s shift.State, said shift.Said) error
}

// Committer brings entrances to shares. It answers each change, in order.
type Committer interface {
	Commit(ctx context.Context, changes []shift.Change) []shift.Result
}

// Steward brings the clusters to what is intended for them besides traffic. It is
// told in each turn, and only after the state that the intent follows from was
// journaled. It must not block.
type Steward interface {
	Intend(i shift.ClusterIntent)
}

// Reporter is told of every turn: metrics, status, web page.
type Reporter interface {
	Report(t Turn)
}

// Turn is one turn of the loop, for those who report it.
type Turn struct {
	Now         time.Time
	Plan        shift.Plan
	Before      shift.State
	Observation shift.Observation
	Decision    shift.Decision
	Results     []shift.Result
	// JournalErr says why the state could not be written down; nil: it was, or
	// there was nothing to write. Then a rise is not carried out, and the
	// decision says so.
	JournalErr error
	// Superseded: a newer daemon took charge; this one no longer writes.
	Superseded bool
	// Standby: this process doesn't hold the lease. Its state is what it read in
	// the journal, or a way back of its own that it lowers at Route 53 only.
	Standby bool
}

// Lease tells whether this process is the one that may write. It is asked from
// memory and must not block.
type Lease interface {
	// Term counts how often this process got the lease; left is how long it holds
	// it for sure by this process's own clock: 0 or less, it doesn't hold it. A
	// write that needs the lease must end within left: each rise, and whatever is
	// written at a load balancer. The first term is 1.
	Term() (term int64, left time.Duration)
}
