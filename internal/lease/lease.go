// Package lease holds the right to write in a Lease object of the management
// cluster, so that of several daemons one writes and the others stand by. It
// campaigns by client-go's leader election, which bounds nothing by itself: how
// long the lease is held for sure is reckoned here, by this process's own clock.
package lease

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"go.uber.org/zap"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	coordinationv1 "k8s.io/client-go/kubernetes/typed/coordination/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"

	"github.com/clusterswitch/clusterswitch/internal/logkey"
)

// Options say which lease is held, and how.
type Options struct {
	// Config reaches the management cluster.
	Config *rest.Config
	// Namespace and Name are those of the Lease object.
	Namespace, Name string
	// Identity names this process and no other, as NewIdentity gives it.
	Identity string
	// Duration is how long others wait after the last renewal that they saw; whole
	// seconds.
	Duration time.Duration
	// RenewDeadline is how long a renewal is tried before a new campaign begins,
	// RetryPeriod the time between tries.
	RenewDeadline, RetryPeriod time.Duration
	Logger                     *zap.Logger
	// Changed is told when the lease was won or lost, by the goroutine of Run. It
	// must not block; nil: nobody wants to know.
	Changed func(held bool)
}

// Lease is the right to write. Its methods may be called by any goroutine.
type Lease struct {
	log     *zap.Logger
	changed func(held bool)
	elector *leaderelection.LeaderElector
	lock    *lock
	// noted wakes watch: something of what mu guards changed.
	noted chan struct{}

	mu sync.Mutex // guards all below
	// term counts how often the lease was won; sure is how long a renewal counts
	// from sent, which was before the request for it left.
	term int64
	sent time.Time
	sure time.Duration // 0: the lease is not held
	// transitions is the record's own count of holders.
	transitions int
	holder      string // as last seen
	fault       string // why the record could not be read or written
	// during are those who write for as long as the lease is held.
	during map[*context.CancelFunc]struct{}
	told   bool // what changed was told last
}

// NewIdentity names this process: its host, and what tells it from another
// process there. A process that was started anew is another: what the one before
// sent may still land.
func NewIdentity() (string, error) {
	host, err := os.Hostname()
	if err != nil {
		return "", fmt.Errorf("naming this process: %w", err)
	}
	var token [4]byte
	_, _ = rand.Read(token[:]) // never fails
	return host + "_" + hex.EncodeToString(token[:]), nil
}

// New makes a lease that is not held. It asks nobody anything yet.
func New(o Options) (*Lease, error) {
	reach := rest.CopyConfig(o.Config)
	// A request that hangs must leave time for another within the deadline.
	reach.Timeout = o.RenewDeadline / 2
	// The pairs' journals must not stand in the way of a renewal.
	reach.QPS, reach.Burst, reach.RateLimiter = -1, 0, nil
	client, err := coordinationv1.NewForConfig(reach)
	if err != nil {
		return nil, fmt.Errorf("making a client for the lease: %w", err)
	}
	l := &Lease{log: o.Logger, changed: o.Changed, noted: make(chan struct{}, 1), during: map[*context.CancelFunc]struct{}{}}
	if l.changed == nil {
		l.changed = func(bool) {}
	}
	l.lock = &lock{lease: l, Interface: &resourcelock.LeaseLock{
		LeaseMeta: metav1.ObjectMeta{Namespace: o.Namespace, Name: o.Name}, Client: client,
		LockConfig: resourcelock.ResourceLockConfig{Identity: o.Identity},
	}}
	l.elector, err = leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
		Lock: l.lock, LeaseDuration: o.Duration, RenewDeadline: o.RenewDeadline, RetryPeriod: o.RetryPeriod, Name: o.Name,
		// What of this process holds the lease is reckoned from the renewals.
		Callbacks: leaderelection.LeaderCallbacks{OnStartedLeading: func(context.Context) {}, OnStoppedLeading: func() {}},
	})
	if err != nil {
		return nil, fmt.Errorf("preparing the election: %w", err)
	}
	return l, nil
}

// Run campaigns for the lease until ctx ends, and then gives it back: nothing
// may be written any more by then. A lost lease ends nothing; the next campaign
// begins at once.
func (l *Lease) Run(ctx context.Context) error {
	watching, stop := context.WithCancel(context.WithoutCancel(ctx))
	var watch sync.WaitGroup
	watch.Go(func() { l.watch(watching) })
	silent := logr.NewContext(ctx, logr.Discard()) // a line with each try would be too much
	for ctx.Err() == nil {
		l.elector.Run(silent)
	}
	stop()
	watch.Wait()
	l.giveBack(context.WithoutCancel(silent))
	return nil
}

// giveBackWithin bounds how long a daemon that stops tries to give its lease
// back: if it can't, others wait for its end.
const giveBackWithin = 5 * time.Second

func (l *Lease) giveBack(ctx context.Context) {
	l.mu.Lock()
	held := l.left(time.Now()) > 0
	l.sure, l.told = 0, false // before anybody else can have it
	l.end()
	l.mu.Unlock()
	if !held {
		return
	}
	l.changed(false)
	ctx, cancel := context.WithTimeout(ctx, giveBackWithin)
	defer cancel()
	if err := l.lock.giveBack(ctx); err != nil {
		l.log.Warn("the lease was not given back, others get it when it ends", zap.Error(err))
		return
	}
	l.log.Info("lease given back")
}

// Term counts how often this process won the lease. left is how long it is held
// for sure: 0 or less, it isn't.
func (l *Lease) Term() (term int64, left time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.term, l.left(time.Now())
}

// Holder is who holds the lease as far as was last seen; empty: nobody, or it
// could not be read yet.
func (l *Lease) Holder() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.holder
}

// left is for those who hold mu. A clock that stood still while the machine was
// paused is corrected by the one on the wall; that one going back adds nothing.
func (l *Lease) left(now time.Time) time.Duration {
	passed := max(now.Sub(l.sent), now.Round(0).Sub(l.sent.Round(0)))
	return max(0, l.sure-passed)
}

// While gives a context that ends with ctx, and when the lease is lost. Where it
// isn't held the context has ended. What is written by it must be harmless for the
// moment that it takes to end: only Term bounds a write for sure.
func (l *Lease) While(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.left(time.Now()) <= 0 {
		cancel()
		return ctx, cancel
	}
	l.during[&cancel] = struct{}{}
	return ctx, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.during, &cancel)
		cancel()
	}
}

// slack is the part of a lease by which clocks may go at another rate than those
// of the API server's other clients.
const slack = 10

// renewed takes over a renewal whose request left at sent. fresh: the record was
// made by it, so that others may have held the one before.
func (l *Lease) renewed(sent time.Time, r resourcelock.LeaderElectionRecord, fresh bool) {
	l.mu.Lock()
	if l.left(time.Now()) <= 0 || fresh || r.LeaderTransitions != l.transitions {
		l.term++
		l.end()
	}
	duration := time.Duration(r.LeaseDurationSeconds) * time.Second
	l.sent, l.sure, l.transitions = sent, duration-duration/slack, r.LeaderTransitions
	l.holder, l.fault = r.HolderIdentity, ""
	l.mu.Unlock()
	l.wake()
}

// seen takes over a record that was read. A record of somebody else's ends this
// process's lease, however long it was meant to last.
func (l *Lease) seen(r resourcelock.LeaderElectionRecord, own bool) {
	l.mu.Lock()
	if !own {
		l.sure = 0
	}
	l.holder, l.fault = r.HolderIdentity, ""
	l.mu.Unlock()
	l.wake()
}

// forfeit ends the lease here, whatever the record says.
func (l *Lease) forfeit() {
	l.mu.Lock()
	l.sure = 0
	l.mu.Unlock()
	l.wake()
}

// failed says once why the record can't be read or written.
func (l *Lease) failed(err error) {
	l.mu.Lock()
	before := l.fault
	l.fault = err.Error()
	l.mu.Unlock()
	if before != err.Error() {
		l.log.Warn("the lease can't be asked for or renewed, it will be tried again", zap.Error(err))
	}
}

func (l *Lease) wake() {
	select {
	case l.noted <- struct{}{}:
	default: // it is awake already
	}
}

// end stops those who write only while the lease is held; for those who hold mu.
func (l *Lease) end() {
	for cancel := range l.during {
		(*cancel)()
	}
	clear(l.during)
}

// watch tells when the lease was won, and when it ran out or was lost.
func (l *Lease) watch(ctx context.Context) {
	for {
		timer := time.NewTimer(l.settle())
		select {
		case <-ctx.Done():
			timer.Stop()
			l.settle()
			return
		case <-l.noted:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// settle tells of what changed, and gives the time until the lease runs out.
func (l *Lease) settle() time.Duration {
	l.mu.Lock()
	left := l.left(time.Now())
	held, news, holder, term := left > 0, (left > 0) != l.told, l.holder, l.term
	if l.told = held; !held {
		l.end()
	}
	l.mu.Unlock()
	if news && held {
		l.log.Info("lease won, this daemon writes", logkey.Holder(holder), logkey.Term(term))
	}
	if news && !held {
		l.log.Warn("lease lost, this daemon stands by", logkey.Holder(holder), logkey.Term(term))
	}
	if news {
		l.changed(held)
	}
	if !held {
		return time.Hour // a renewal wakes
	}
	return left
}
