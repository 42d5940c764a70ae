package lease

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// record is the Lease object as an API server keeps it.
type record struct {
	mu      sync.Mutex
	stored  *resourcelock.LeaderElectionRecord
	version int
}

// access is one daemon's way to the record.
type access struct {
	*record
	identity string
	seen     int // the version that was read or written last

	mu    sync.Mutex // guards all below
	away  bool
	delay time.Duration // of each answer to a write
	// lost writes land, and nobody hears of it.
	lost bool
}

var errAway = errors.New("connection refused")

func (a *access) reach() (delay time.Duration, lost bool, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.away {
		return 0, false, errAway
	}
	return a.delay, a.lost, nil
}

func (a *access) set(f func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	f()
}

func (a *access) Get(context.Context) (*resourcelock.LeaderElectionRecord, []byte, error) {
	if _, _, err := a.reach(); err != nil {
		return nil, nil, err
	}
	a.record.mu.Lock()
	defer a.record.mu.Unlock()
	if a.stored == nil {
		return nil, nil, apierrors.NewNotFound(schema.GroupResource{Resource: "leases"}, "clusterswitch")
	}
	a.seen = a.version
	return new(*a.stored), fmt.Append(nil, a.version), nil
}

func (a *access) Create(_ context.Context, r resourcelock.LeaderElectionRecord) error {
	return a.write(r, func() error {
		if a.stored != nil {
			return apierrors.NewAlreadyExists(schema.GroupResource{Resource: "leases"}, "clusterswitch")
		}
		return nil
	})
}

func (a *access) Update(_ context.Context, r resourcelock.LeaderElectionRecord) error {
	return a.write(r, func() error {
		if a.stored == nil || a.seen != a.version {
			return apierrors.NewConflict(schema.GroupResource{Resource: "leases"}, "clusterswitch", errors.New("modified"))
		}
		return nil
	})
}

func (a *access) write(r resourcelock.LeaderElectionRecord, may func() error) error {
	delay, lost, err := a.reach()
	if err != nil {
		return err
	}
	time.Sleep(delay) // the bubble's clock
	a.record.mu.Lock()
	defer a.record.mu.Unlock()
	if err := may(); err != nil {
		return err
	}
	a.version++
	a.stored = &r
	if lost {
		return errAway
	}
	a.seen = a.version
	return nil
}

func (a *access) RecordEvent(string) {}
func (a *access) Identity() string   { return a.identity }
func (a *access) Describe() string   { return "clusterswitch/clusterswitch" }

// candidate is a daemon that campaigns.
type candidate struct {
	*Lease
	*access
	stop func()
	told []bool
}

func (r *record) candidate(t *testing.T, identity string) *candidate {
	t.Helper()
	c := &candidate{access: &access{record: r, identity: identity}}
	var err error
	c.Lease, err = New(Options{
		Config: &rest.Config{}, Namespace: "clusterswitch", Name: "clusterswitch", Identity: identity,
		Duration: 15 * time.Second, RenewDeadline: 10 * time.Second, RetryPeriod: 2 * time.Second,
		Logger: zap.NewNop(), Changed: func(held bool) { c.told = append(c.told, held) },
	})
	if err != nil {
		t.Fatal(err)
	}
	c.lock.Interface = c.access
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := c.Run(ctx); err != nil {
			t.Error(err)
		}
	}()
	c.stop = sync.OnceFunc(func() { cancel(); <-ended })
	return c
}

func (c *candidate) held() bool { _, left := c.Term(); return left > 0 }

// tenure is a term, and what is left of it.
type tenure struct {
	Term int64
	Left time.Duration
}

func (c *candidate) tenure() tenure {
	term, left := c.Term()
	return tenure{term, left}
}

// pass lets time pass, and everybody come to rest.
func pass(span time.Duration) {
	time.Sleep(span)
	synctest.Wait()
}

// await waits until c holds the lease, judges all the while that it is the only
// one, and gives the time that it took.
func await(t *testing.T, c *candidate, others ...*candidate) time.Duration {
	t.Helper()
	began := time.Now()
	for !c.held() {
		if time.Since(began) > time.Minute {
			t.Fatal("nobody got the lease within a minute")
		}
		pass(10 * time.Millisecond)
		for _, o := range others {
			if c.held() && o.held() {
				t.Fatal("two hold the lease")
			}
		}
	}
	return time.Since(began)
}

func TestALeaseIsSureForTheTimeSinceItsRequestWasSent(t *testing.T) {
	tests := map[string]struct {
		delay time.Duration // of each answer
		wait  time.Duration
		want  tenure
	}{
		"right after it was won":               {wait: time.Millisecond, want: tenure{1, 13500*time.Millisecond - time.Millisecond}},
		"just before it is renewed":            {wait: 1999 * time.Millisecond, want: tenure{1, 13500*time.Millisecond - 1999*time.Millisecond}},
		"the answer took three seconds":        {delay: 3 * time.Second, wait: 3001 * time.Millisecond, want: tenure{1, 13500*time.Millisecond - 3001*time.Millisecond}},
		"nobody answered yet":                  {delay: 3 * time.Second, wait: time.Second, want: tenure{}},
		"the answer came when it had run out":  {delay: 14 * time.Second, wait: 14001 * time.Millisecond, want: tenure{Term: 1}},
		"it is renewed for as long as it runs": {wait: time.Hour + time.Millisecond, want: tenure{1, 13500*time.Millisecond - time.Millisecond}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := new(record).candidate(t, "a")
				a.set(func() { a.delay = tt.delay })
				pass(tt.wait)
				if diff := cmp.Diff(tt.want, a.tenure()); diff != "" {
					t.Error(diff)
				}
				a.stop()
			})
		})
	}
}

func TestTakeover(t *testing.T) {
	tests := map[string]struct {
		leave  func(a *candidate)
		within time.Duration
	}{
		"who stops gives it back":                  {func(a *candidate) { a.stop() }, 5 * time.Second},
		"who is cut off loses it within 30 s (L4)": {func(a *candidate) { a.set(func() { a.away = true }) }, 30 * time.Second},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := &record{}
				a := r.candidate(t, "a")
				await(t, a)
				b := r.candidate(t, "b")
				pass(time.Minute)
				if b.held() || b.Holder() != "a" {
					t.Fatalf("the standby holds it: %t; it names %q", b.held(), b.Holder())
				}
				tt.leave(a)
				if took := await(t, b, a); took > tt.within {
					t.Errorf("nobody held the lease for %s, want at most %s", took, tt.within)
				}
				a.set(func() { a.away = false })
				pass(time.Minute)
				if a.held() {
					t.Error("the first took it back from who holds it")
				}
				a.stop()
				b.stop()
				if diff := cmp.Diff([][]bool{{true, false}, {true, false}}, [][]bool{a.told, b.told}); diff != "" {
					t.Errorf("what was told:\n%s", diff)
				}
			})
		})
	}
}

func TestTermsOfOneDaemon(t *testing.T) {
	tests := map[string]struct {
		befalls func(a *candidate)
		want    int64
		told    []bool // nil: either way
	}{
		"an API server that is away for less than the lease ends no term": {
			befalls: func(a *candidate) {
				a.set(func() { a.away = true })
				pass(11 * time.Second)
				a.set(func() { a.away = false })
			}, want: 1, told: []bool{true},
		},
		"an API server that is away for longer ends it": {
			befalls: func(a *candidate) {
				a.set(func() { a.away = true })
				pass(20 * time.Second)
				if a.held() {
					panic("it holds a lease that nobody renewed for 20 s")
				}
				a.set(func() { a.away = false })
			}, want: 2, told: []bool{true, false, true},
		},
		"renewals whose answers are lost count for nothing": {
			befalls: func(a *candidate) {
				a.set(func() { a.lost = true })
				pass(20 * time.Second)
				a.set(func() { a.lost = false })
			}, want: 2, told: []bool{true, false, true},
		},
		"a lease that was deleted begins anew": {
			befalls: func(a *candidate) {
				a.record.mu.Lock()
				a.stored = nil
				a.record.mu.Unlock()
				pass(3 * time.Second)
			}, want: 2,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := new(record).candidate(t, "a")
				await(t, a)
				tt.befalls(a)
				pass(10 * time.Second)
				if got := a.tenure(); got.Term != tt.want || got.Left <= 0 {
					t.Errorf("%+v, want term %d", got, tt.want)
				}
				if diff := cmp.Diff(tt.told, a.told); tt.told != nil && diff != "" {
					t.Errorf("what was told:\n%s", diff)
				}
				a.stop()
			})
		})
	}
}

// Somebody deletes the lease, and another is quicker: the former holder learns it
// with its next renewal.
func TestALeaseThatAnotherTookEndsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &record{}
		a := r.candidate(t, "a")
		await(t, a)
		r.mu.Lock()
		r.stored, r.version = &resourcelock.LeaderElectionRecord{HolderIdentity: "b", LeaseDurationSeconds: 15}, r.version+1
		r.mu.Unlock()
		pass(2001 * time.Millisecond)
		if a.held() || a.Holder() != "b" {
			t.Errorf("it holds the lease: %t, and names %q", a.held(), a.Holder())
		}
		a.stop()
	})
}

func TestWhatIsDoneWhileTheLeaseIsHeldEndsWithIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := new(record).candidate(t, "a")
		if ctx, done := a.While(t.Context()); ctx.Err() == nil {
			t.Error("it began without the lease")
		} else {
			done()
		}
		await(t, a)
		ctx, done := a.While(t.Context())
		defer done()
		pass(time.Minute)
		if ctx.Err() != nil {
			t.Error("it ended although the lease was renewed")
		}
		a.set(func() { a.away = true })
		pass(14 * time.Second)
		if ctx.Err() == nil {
			t.Error("it goes on without the lease")
		}
		a.stop()
	})
}
