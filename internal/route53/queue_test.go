package route53

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"
	"pgregory.net/rapid"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// commitAll lets every change be committed by a loop of its own, the i-th after
// i times a pause.
func commitAll(ctx context.Context, a *Adapter, changes []shift.Change, apart time.Duration) []shift.Result {
	results := make([]shift.Result, len(changes))
	var wg sync.WaitGroup
	for i, c := range changes {
		wg.Go(func() {
			time.Sleep(time.Duration(i) * apart)
			results[i] = a.Commit(ctx, []shift.Change{c})[0]
		})
	}
	wg.Wait()
	return results
}

// wishes reads the entrances and makes a change of each.
func wishes(t *testing.T, a *Adapter, entrances []shift.Entrance, to shift.Share, p shift.Priority) []shift.Change {
	t.Helper()
	return changesOf(readAll(t, a, entrances, shift.Watching), entrances, to, p)
}

func mustApply(t *testing.T, results []shift.Result) {
	t.Helper()
	for _, r := range results {
		if r.Outcome != shift.Applied {
			t.Fatalf("got %+v", r)
		}
	}
}

func TestChangesOfManyPairsShareABatch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		z, entrances, a := settled(t, 30, Options{})
		changes := wishes(t, a, entrances, 50, shift.Rise)
		z.calls = nil
		mustApply(t, commitAll(t.Context(), a, changes, 100*time.Microsecond))
		if want := []string{"change 150"}; !slices.Equal(z.calls, want) {
			t.Errorf("calls %q, want %q", z.calls, want)
		}
	})
}

func TestALoneRollbackGoesAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, entrances, a := settled(t, 2, Options{Gather: time.Second})
		changes := wishes(t, a, entrances[:1], 0, shift.Rollback)
		began := time.Now()
		mustApply(t, commitAll(t.Context(), a, changes, 0))
		if took := time.Since(began); took != 50*time.Millisecond {
			t.Errorf("it took %s, one call takes 50 ms", took)
		}
	})
}

func TestARollbackDoesNotWaitForRisesToGather(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		z, entrances, a := settled(t, 3, Options{Gather: time.Second})
		rises := wishes(t, a, entrances[:2], 50, shift.Rise)
		back := wishes(t, a, entrances[2:], 0, shift.Rollback)
		z.calls = nil
		var wg sync.WaitGroup
		wg.Go(func() { mustApply(t, commitAll(t.Context(), a, rises, 0)) })
		time.Sleep(10 * time.Millisecond)
		began := time.Now()
		mustApply(t, commitAll(t.Context(), a, back, 0))
		if took := time.Since(began); took != 50*time.Millisecond {
			t.Errorf("it took %s, one call takes 50 ms", took)
		}
		wg.Wait()
		if want := []string{"change 5", "change 10"}; !slices.Equal(z.calls, want) {
			t.Errorf("calls %q, want the rollback, then both rises", z.calls)
		}
	})
}

// TestAThousandRollbacksTakeFewBatches measures the policy: the first goes at
// once, the others share what AWS's limits allow.
func TestAThousandRollbacksTakeFewBatches(t *testing.T) {
	t.Parallel()
	cases := []struct{ latency, apart time.Duration }{
		{50 * time.Millisecond, 0},
		{time.Millisecond, 2 * time.Millisecond},
		{time.Millisecond, 0},
		{50 * time.Millisecond, 100 * time.Microsecond},
		{time.Millisecond, 100 * time.Microsecond},
		{5 * time.Millisecond, time.Millisecond},
	}
	if testing.Short() { // with the race detector each takes several seconds
		cases = cases[:2]
	}
	for _, c := range cases {
		synctest.Test(t, func(t *testing.T) {
			z, entrances, a := settled(t, 1000, Options{OwnerEvery: time.Hour})
			z.latency = c.latency
			changes := wishes(t, a, entrances, 0, shift.Rollback)
			var sizes []BatchSize
			for _, change := range changes {
				parts, err := (&swap{Change: change}).plan([]wished{wishedOf(t, a, change)})
				if err != nil {
					t.Fatal(err)
				}
				sizes = append(sizes, parts[0].size)
			}
			z.calls = nil
			began := time.Now()
			mustApply(t, commitAll(t.Context(), a, changes, c.apart))
			batches, fewest := z.count("change"), FewestBatches(sizes)
			t.Logf("calls of %s, rollbacks %s apart: %d batches, at least %d, in %s", c.latency, c.apart, batches, fewest, time.Since(began))
			// While they trickle in, one batch for each longest wait is as good.
			if most := fewest + atOnce + int(1000*c.apart/longestGather); batches > most {
				t.Errorf("%d batches, want at most %d", batches, most)
			}
		})
	}
}

func wishedOf(t *testing.T, a *Adapter, c shift.Change) wished {
	t.Helper()
	p, ok := a.zone("Z1").remembered(*c.Entrance.Route53)
	if !ok {
		t.Fatal("it isn't remembered")
	}
	return wished{spot: p.spots[0], groups: []planned{{group: p.spots[0].groups[0], weights: c.Wanted.Weights()}}}
}

// TestARiseThatWaitedTooLongStays: what can't be sent in time isn't sent (S5).
func TestARiseThatWaitedTooLongStays(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		z, entrances, a := settled(t, 2, Options{})
		rise, back := wishes(t, a, entrances[:1], 50, shift.Rise), wishes(t, a, entrances[1:], 0, shift.Rollback)
		z.script["change"] = slices.Repeat([]fault{{err: apiError("Throttling")}}, 200)
		var lowered []shift.Result
		var wg sync.WaitGroup
		wg.Go(func() { lowered = commitAll(t.Context(), a, back, 0) })
		time.Sleep(time.Millisecond)
		z.mu.Lock()
		z.sent = func(b *types.ChangeBatch) {
			if !strings.HasSuffix(*b.Comment, "rollback") {
				t.Error("the rise left")
			}
		}
		z.mu.Unlock()
		began := time.Now()
		got := commitAll(t.Context(), a, rise, 0)[0]
		if got.Outcome != shift.Refused || !strings.Contains(got.Note, "until the time was over") || time.Since(began) > commitBudget {
			t.Errorf("after %s: %+v", time.Since(began), got)
		}
		wg.Wait()
		if lowered[0].Outcome == shift.Applied || !strings.Contains(lowered[0].Note, "gave up for now") {
			t.Errorf("the rollback: %+v", lowered[0])
		}
	})
}

func TestARiseThatIsCalledOffLeavesTheQueueOrTheAir(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		z, entrances, a := settled(t, 2, Options{})
		z.latency = time.Second
		changes := wishes(t, a, entrances, 50, shift.Rise)
		ctx, cancel := context.WithCancel(t.Context())
		var alone, other shift.Result
		var wg sync.WaitGroup
		wg.Go(func() { alone = a.Commit(ctx, changes[:1])[0] })
		time.Sleep(100 * time.Millisecond) // it is on its way by now
		ctx2, cancel2 := context.WithCancel(t.Context())
		wg.Go(func() { other = a.Commit(ctx2, changes[1:])[0] })
		time.Sleep(100 * time.Millisecond)
		began := time.Now()
		cancel2()
		cancel()
		wg.Wait()
		if alone.Outcome != shift.Unknown || other.Outcome != shift.Refused || time.Since(began) > 0 {
			t.Errorf("after %s: on its way %+v, in the queue %+v", time.Since(began), alone, other)
		}
	})
}

func TestOneCallerLessDoesNotCallOffABatch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		z, entrances, a := settled(t, 2, Options{})
		z.latency = time.Second
		changes := wishes(t, a, entrances, 50, shift.Rise)
		ctx, cancel := context.WithCancel(t.Context())
		var left, stayed shift.Result
		var wg sync.WaitGroup
		wg.Go(func() { left = a.Commit(ctx, changes[:1])[0] })
		wg.Go(func() { stayed = a.Commit(t.Context(), changes[1:])[0] })
		time.Sleep(100 * time.Millisecond)
		cancel()
		wg.Wait()
		if left.Outcome != shift.Unknown || stayed.Outcome != shift.Applied {
			t.Errorf("who left %+v, who stayed %+v", left, stayed)
		}
	})
}

func TestOneCulpritIsFoundWithFewBatches(t *testing.T) {
	t.Parallel()
	for _, terse := range []bool{false, true} {
		for p, to := range map[shift.Priority]shift.Share{shift.Rise: 50, shift.Rollback: 0} {
			synctest.Test(t, func(t *testing.T) {
				z, entrances, a := settled(t, 100, Options{})
				z.terse = terse
				changes := wishes(t, a, entrances, to, p)
				z.refuse = func(changes []types.Change) error { // AWS dislikes one for a reason that no reading shows
					for _, c := range changes {
						if *c.ResourceRecordSet.Name == "n0.p42.example.com." {
							return &types.InvalidChangeBatch{Messages: []string{"no"}}
						}
					}
					return nil
				}
				z.calls = nil
				got := a.Commit(t.Context(), changes)
				for i, r := range got {
					if (r.Outcome == shift.Applied) != (i != 42) {
						t.Errorf("%s of pair %d: %+v", p, i, r)
					}
				}
				// Halving a hundred takes seven steps of two, and the culprit is tried
				// with and without its mark.
				if n := z.count("change"); n > 18 {
					t.Errorf("%s: %d batches", p, n)
				}
			})
		}
	}
}

// TestALargeEntranceIsWrittenInSeveralBatches of whole names, each with its mark.
func TestALargeEntranceIsWrittenInSeveralBatches(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spoil    func(z *fakeZone, e shift.Entrance)
		p        shift.Priority
		outcome  shift.Outcome
		note     string
		complete bool
	}{
		"a rise":     {p: shift.Rise, outcome: shift.Applied, complete: true},
		"a rollback": {p: shift.Rollback, outcome: shift.Applied, complete: true},
		"a rise with an edit in the last batch": {
			spoil: func(z *fakeZone, e shift.Entrance) {
				z.set(canonical(e.Route53.Names[299]), "blue", func(r *types.ResourceRecordSet) { r.Weight = aws.Int64(1) })
			},
			p: shift.Rise, outcome: shift.Unknown, note: "1 of 2 batches were written",
		},
		"a rollback of which one name has lost a record": {
			spoil: func(z *fakeZone, e shift.Entrance) {
				z.sets = slices.DeleteFunc(z.sets, func(r types.ResourceRecordSet) bool {
					return *r.Name == canonical(e.Route53.Names[7]) && *r.SetIdentifier == "green"
				})
			},
			p: shift.Rollback, outcome: shift.Unknown, note: `n7.p0.example.com A has no record with the set identifier "green"`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				z, entrances := manyPairs(1, 300, 25)
				a := New(Options{API: z})
				to := shift.Share(50)
				if c.p == shift.Rollback {
					to = 0
				}
				changes := wishes(t, a, entrances, to, c.p)
				if c.spoil != nil {
					c.spoil(z, entrances[0])
				}
				got := a.Commit(t.Context(), changes)[0]
				if got.Outcome != c.outcome || !strings.Contains(got.Note, c.note) {
					t.Errorf("got %+v", got)
				}
				wrote := 0
				for i, w := range stands(z, entrances[0]) {
					_, marked := z.get(canonical(entrances[0].Route53.MarkName(entrances[0].Route53.Names[i])), types.RRTypeTxt, "")
					if done := w == to.Weights(); done {
						wrote++
						if !marked {
							t.Fatalf("name %d was written without its mark", i)
						}
					}
				}
				if complete := wrote == 300; complete != c.complete || wrote < 100 {
					t.Errorf("%d of 300 names were written", wrote)
				}
			})
		})
	}
}

func TestBatchesAreCountedAsAWSCounts(t *testing.T) {
	t.Parallel()
	record := weighted(shop, "blue", 1, "192.0.2.1") // one value of 9 characters
	for want, changes := range map[BatchSize][]types.Change{
		{Records: 1, Characters: 9}:  {create(record)},
		{Records: 2, Characters: 18}: {remove(record), create(record)},
		{Records: 2, Characters: 19}: {upsert(weighted(shop, "blue", 1, "192.0.2.1")), upsert(text(shop))},
		{Records: 3}:                 {create(alias(record, true)), upsert(alias(record, true))},
	} {
		if want.Characters == 19 {
			want.Characters = 18 // an UPSERT counts twice; a record without values counts nothing
		}
		if got := SizeOf(changes); got != want {
			t.Errorf("%v: %+v, want %+v", dumpChanges(changes), got, want)
		}
	}
	for _, c := range []struct {
		n    int
		size BatchSize
		want int
	}{{0, BatchSize{}, 0}, {1000, BatchSize{Records: 6, Characters: 100}, 6}, {1000, BatchSize{Records: 6, Characters: 300}, 10}, {166, BatchSize{Records: 6}, 1}, {167, BatchSize{Records: 6}, 2}} {
		if got := FewestBatches(slices.Repeat([]BatchSize{c.size}, c.n)); got != c.want {
			t.Errorf("%d of %+v: %d batches, want %d", c.n, c.size, got, c.want)
		}
	}
}

// TestPartsFitIntoBatches: whatever the entrance, every part fits and nothing is
// lost.
func TestPartsFitIntoBatches(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		e := pairOf(0, rapid.IntRange(1, 600).Draw(rt, "names"), rapid.Bool().Draw(rt, "dual"))
		e.Route53.Mark = rapid.Bool().Draw(rt, "marked")
		at := map[string][]types.ResourceRecordSet{}
		for _, r := range recordsOf(e, 25) {
			if rapid.IntRange(0, 99).Draw(rt, "alias") == 0 {
				r = alias(r, true)
			}
			at[*r.Name] = append(at[*r.Name], r)
		}
		s := &swap{Change: shift.Change{Entrance: e, Wanted: 50, Control: mark(1, 2, 50)}}
		var spots []spot
		for _, n := range e.Route53.Names {
			spots = append(spots, spotOf(*e.Route53, n, at[canonical(n)], nil))
		}
		all, _ := s.wishes(spots)
		parts, err := s.plan(all)
		if err != nil {
			rt.Fatal(err)
		}
		names, changes := map[string]int{}, 0
		var sizes []BatchSize
		for i, p := range parts {
			if err := withinLimits(p.changes); err != nil {
				rt.Fatal(err)
			}
			for _, c := range p.changes {
				names[fmt.Sprint(*c.ResourceRecordSet.Name, c.ResourceRecordSet.Type, aws.ToString(c.ResourceRecordSet.SetIdentifier), c.Action)] = i
			}
			changes += len(p.changes)
			sizes = append(sizes, p.size)
		}
		per := 4 * len(e.Route53.Types)
		if e.Route53.Mark {
			per++
		}
		if want := per * len(e.Route53.Names); changes != want || len(names) != want {
			rt.Fatalf("%d changes of %d record sets, want %d", changes, len(names), want)
		}
		if fewest := FewestBatches(sizes); len(parts) > fewest+1 {
			rt.Fatalf("%d parts where %d would do", len(parts), fewest)
		}
	})
}
