package awsapi

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
)

var (
	names    = bucketKey{account: "123456789012", service: serviceRoute53}
	otherOne = bucketKey{account: "123456789012", service: serviceELB, region: "eu-west-1"}
)

// small are budgets that a test can empty: 10 a second, 5 at once, 2 of them in reserve.
func small() *budgets {
	return newBudgets(Budgets{Route53: Rate{PerSecond: 10, Burst: 5, Reserve: 2}})
}

// took is how long a call waited in the bubble; it must have been let out.
func took(ctx context.Context, t *testing.T, b *budgets, k bucketKey) time.Duration {
	t.Helper()
	waited, err := b.admit(ctx, k)
	if err != nil {
		t.Fatal(err)
	}
	return waited.Round(time.Millisecond)
}

func throttled(code string) error {
	return &smithy.GenericAPIError{Code: code, Message: "Rate exceeded"}
}

func (b *budgets) told(k bucketKey, urgent bool, err error) {
	b.answered(k, answer{urgent: urgent, sent: time.Now(), err: err})
}

func TestOrdinaryCallsLeaveTheReserveAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, ordinary, urgent := small(), t.Context(), Urgent(t.Context())
		var waits []time.Duration
		for range 5 {
			waits = append(waits, took(ordinary, t, b, names))
		}
		want := []time.Duration{0, 0, 0, 100 * time.Millisecond, 100 * time.Millisecond}
		if diff := cmp.Diff(want, waits); diff != "" {
			t.Errorf("waits of ordinary calls (-want +got):\n%s", diff)
		}
		for i := range 100 {
			if wait := took(urgent, t, b, names); wait != 0 {
				t.Fatalf("urgent call %d waited for %s", i, wait)
			}
		}
		if wait := took(ordinary, t, b, names); wait != 300*time.Millisecond {
			t.Errorf("with the reserve used up an ordinary call waited for %s, want it filled first", wait)
		}
		if wait := took(ordinary, t, b, otherOne); wait != 0 {
			t.Errorf("a call to another service waited for %s", wait)
		}
	})
}

func TestCallsWaitInTheOrderTheyCame(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := small()
		began := time.Now()
		var (
			mu    sync.Mutex
			order []int
			waits []time.Duration
			calls sync.WaitGroup
		)
		for i := range 6 {
			calls.Go(func() {
				_ = took(t.Context(), t, b, names)
				mu.Lock()
				defer mu.Unlock()
				order, waits = append(order, i), append(waits, time.Since(began).Round(time.Millisecond))
			})
			synctest.Wait()
		}
		calls.Wait()
		if diff := cmp.Diff([]int{0, 1, 2, 3, 4, 5}, order); diff != "" {
			t.Errorf("order (-want +got):\n%s", diff)
		}
		ms := time.Millisecond
		if diff := cmp.Diff([]time.Duration{0, 0, 0, 100 * ms, 200 * ms, 300 * ms}, waits); diff != "" {
			t.Errorf("waits (-want +got):\n%s", diff)
		}
		if left := b.buckets[names].waiting; left != 0 {
			t.Errorf("%d calls are still in line", left)
		}
	})
}

// What can't be served in time fails at once, as throttled, and says that it was
// the daemon itself: nobody at AWS was asked.
func TestACallThatWouldComeTooLateFailsAtOnce(t *testing.T) {
	t.Parallel()
	empty := func(t *testing.T, b *budgets) {
		for range 3 {
			_ = took(t.Context(), t, b, names)
		}
	}
	cases := map[string]struct {
		before func(t *testing.T, b *budgets)
		within time.Duration
		says   string // empty: it goes out
	}{
		"no token in time":             {empty, 99 * time.Millisecond, "own budget of 10 calls a second to Route 53 (burst 5, 2 of them kept for rollbacks): its turn would come in 100ms"},
		"a token just in time":         {empty, 101 * time.Millisecond, ""},
		"a rollback that is throttled": {func(_ *testing.T, b *budgets) { b.told(otherOne, true, throttled("ThrottlingException")) }, 9 * time.Second, "AWS throttles a rollback's calls, and all others wait for up to 10s"},
		"a pause after throttling":     {func(_ *testing.T, b *budgets) { b.told(names, false, throttled(codePriorRequest)) }, 50 * time.Millisecond, "AWS throttled its calls"},
		"an empty bucket after it":     {func(_ *testing.T, b *budgets) { b.told(names, false, throttled("Throttling")) }, 250 * time.Millisecond, "its turn would come in 300ms"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := small()
				c.before(t, b)
				ctx, cancel := context.WithTimeout(t.Context(), c.within)
				defer cancel()
				began := time.Now()
				_, err := b.admit(ctx, names)
				if c.says == "" {
					if err != nil {
						t.Error(err)
					}
					return
				}
				if waited := time.Since(began); waited != 0 {
					t.Errorf("it failed after %s", waited)
				}
				if f := Classify(err); f.Class != Throttled || !strings.Contains(f.Message, c.says) {
					t.Errorf("got %s, want %q in it", f, c.says)
				}
			})
		})
	}
}

func TestACallInLineEndsWithItsContext(t *testing.T) {
	t.Parallel()
	for name, ahead := range map[string]int{"as the next": 0, "further behind": 1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := small()
				for range 3 {
					_ = took(t.Context(), t, b, names)
				}
				var others sync.WaitGroup
				for range ahead {
					others.Go(func() { _ = took(t.Context(), t, b, names) })
				}
				synctest.Wait()
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(50*time.Millisecond, cancel)
				waited, err := b.admit(ctx, names)
				if Classify(err).Class != Throttled || !errors.Is(err, context.Canceled) || waited != 50*time.Millisecond {
					t.Errorf("got %v after %s", err, waited)
				}
				others.Wait()
				if wait := took(t.Context(), t, b, names); wait > 150*time.Millisecond {
					t.Errorf("who gave up took a token: the next waited for %s", wait)
				}
			})
		})
	}
}

// Rule S14: throttled by AWS, everything but the rollback stops.
func TestAThrottledRollbackHoldsEverythingElse(t *testing.T) {
	t.Parallel()
	denied := &smithy.GenericAPIError{Code: "AccessDenied"}
	cases := map[string]struct {
		// after the throttled urgent answer, with the bubble's clock
		after func(b *budgets)
		want  time.Duration // how long everything else is held from the first throttled answer
	}{
		"and nothing more is heard":        {func(*budgets) {}, 10 * time.Second},
		"and it is throttled again":        {func(b *budgets) { time.Sleep(3 * time.Second); b.told(names, true, throttled(codePriorRequest)) }, 13 * time.Second},
		"and it gets through":              {func(b *budgets) { time.Sleep(3 * time.Second); b.told(names, true, nil) }, 3 * time.Second},
		"and it is refused for good":       {func(b *budgets) { time.Sleep(3 * time.Second); b.told(names, true, denied) }, 3 * time.Second},
		"and it gets through at once":      {func(b *budgets) { b.told(names, true, nil) }, time.Second},
		"and its answer is lost":           {func(b *budgets) { b.told(names, true, errors.New("EOF")) }, 10 * time.Second},
		"and an ordinary call is answered": {func(b *budgets) { b.told(names, false, nil) }, 10 * time.Second},
		"and one elsewhere gets through":   {func(b *budgets) { b.told(otherOne, true, nil) }, 10 * time.Second},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := small()
				began := time.Now()
				b.told(names, true, throttled("Throttling"))
				var others sync.WaitGroup
				for _, k := range []bucketKey{names, otherOne, {service: "CloudWatch", region: "eu-west-1"}, {account: "2", service: serviceRoute53}} {
					others.Go(func() {
						_ = took(t.Context(), t, b, k)
						if held := time.Since(began).Round(time.Millisecond); held != c.want {
							t.Errorf("%v was held for %s, want %s", k, held, c.want)
						}
					})
				}
				c.after(b)
				if wait := took(Urgent(t.Context()), t, b, names); wait != 0 {
					t.Errorf("the rollback itself waited for %s", wait)
				}
				others.Wait()
			})
		})
	}
}

func TestThrottledCallsPauseLongerEachTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := small()
		k := otherOne
		for n := 1; n <= 8; n++ {
			sent := time.Now()
			time.Sleep(time.Millisecond)
			for range 3 { // calls that were under way together count as one
				b.answered(k, answer{sent: sent, err: throttled(codePriorRequest)})
			}
			limit := pauseLimit(n)
			if wait := took(t.Context(), t, b, k); wait < limit/2-time.Millisecond || wait > limit {
				t.Errorf("after %d throttled answers in a row a call waited for %s, want %s to %s", n, wait, limit/2, limit)
			}
			if wait := took(t.Context(), t, b, names); wait != 0 {
				t.Errorf("another bucket's call waited for %s", wait)
			}
			time.Sleep(time.Second)
		}
		b.told(k, false, nil)
		b.told(k, false, throttled(codePriorRequest))
		if wait := took(t.Context(), t, b, k); wait > firstPause {
			t.Errorf("after a good answer a call paused for %s, want the first pause again", wait)
		}
	})
}

func TestWhatIsNotSaidIsTheDefault(t *testing.T) {
	t.Parallel()
	given := Budgets{ELB: Rate{PerSecond: 3, Burst: 4}}
	want := Budgets{Route53: DefaultBudgets().Route53, ELB: given.ELB}
	if diff := cmp.Diff(want, newBudgets(given).limits); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
