package lease

import (
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// lock is the record in the management cluster. It notes when a request that
// renewed it was sent: from then on the others wait at least the record's time,
// while the answer may take any time to come.
type lock struct {
	resourcelock.Interface
	lease *Lease
}

// Get reads the record.
func (l *lock) Get(ctx context.Context) (*resourcelock.LeaderElectionRecord, []byte, error) {
	record, raw, err := l.Interface.Get(ctx)
	switch {
	case apierrors.IsNotFound(err):
		l.lease.forfeit()
	case err != nil:
		l.failed(ctx, fmt.Errorf("reading the lease %s: %w", l.Describe(), err))
	default:
		l.lease.seen(*record, record.HolderIdentity == l.Identity())
	}
	return record, raw, err
}

// Create makes the record, held by this process.
func (l *lock) Create(ctx context.Context, r resourcelock.LeaderElectionRecord) error {
	sent := time.Now()
	err := l.Interface.Create(ctx, r)
	l.wrote(ctx, sent, r, err, true)
	return err
}

// Update renews the record, or takes over one that ran out.
func (l *lock) Update(ctx context.Context, r resourcelock.LeaderElectionRecord) error {
	sent := time.Now()
	err := l.Interface.Update(ctx, r)
	l.wrote(ctx, sent, r, err, false)
	return err
}

func (l *lock) wrote(ctx context.Context, sent time.Time, r resourcelock.LeaderElectionRecord, err error, fresh bool) {
	switch {
	case err == nil:
		l.lease.renewed(sent, r, fresh)
	case apierrors.IsConflict(err), apierrors.IsAlreadyExists(err), apierrors.IsNotFound(err):
		// Somebody else was quicker, or took it away: the next look tells.
	default:
		l.failed(ctx, fmt.Errorf("writing the lease %s: %w", l.Describe(), err))
	}
}

// failed passes on what isn't due to the daemon's own stopping.
func (l *lock) failed(ctx context.Context, err error) {
	if !errors.Is(ctx.Err(), context.Canceled) {
		l.lease.failed(err)
	}
}

// giveBack lets others have the lease at once, if it is still this process's. A
// renewal that was under way may have landed meanwhile: then it is read again.
func (l *lock) giveBack(ctx context.Context) error {
	for {
		record, _, err := l.Interface.Get(ctx)
		if err != nil {
			return fmt.Errorf("reading the lease %s: %w", l.Describe(), err)
		}
		if record.HolderIdentity != l.Identity() {
			return nil
		}
		record.HolderIdentity, record.LeaseDurationSeconds = "", 1
		err = l.Interface.Update(ctx, *record)
		if err == nil {
			return nil
		}
		if !apierrors.IsConflict(err) {
			return fmt.Errorf("giving back the lease %s: %w", l.Describe(), err)
		}
	}
}
