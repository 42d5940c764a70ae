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
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"
	"pgregory.net/rapid"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// readAll lets every entrance be read by a loop of its own, and gives the
// readings.
func readAll(t *testing.T, a *Adapter, entrances []shift.Entrance, attention shift.Attention) []shift.EntranceReading {
	t.Helper()
	readings := make([]shift.EntranceReading, len(entrances))
	var wg sync.WaitGroup
	for i, e := range entrances {
		wg.Go(func() { readings[i] = a.Read(t.Context(), []shift.Entrance{e}, attention)[0] })
	}
	wg.Wait()
	for _, r := range readings {
		if r.Err != "" {
			t.Fatalf("%s: %s", r.Name, r.Err)
		}
	}
	return readings
}

// settled is a zone of many pairs whose owners are known already.
func settled(t *testing.T, pairs int, o Options) (*fakeZone, []shift.Entrance, *Adapter) {
	t.Helper()
	z, entrances := manyPairs(pairs, 1, 25)
	z.latency = 50 * time.Millisecond
	o.API = z
	a := New(o)
	readAll(t, a, entrances, shift.Watching)
	time.Sleep(time.Minute)
	z.calls = nil
	return z, entrances, a
}

func TestAThousandPairsShareTheListingsOfTheirZone(t *testing.T) {
	t.Parallel()
	for name, attention := range map[string]shift.Attention{"watching": shift.Watching, "at rest": shift.Resting, "going back": shift.Urgent} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				z, entrances, a := settled(t, 1000, Options{OwnerEvery: time.Hour})
				pages := (len(z.sets) + 299) / 300
				began := time.Now()
				for _, r := range readAll(t, a, entrances, attention) {
					if r.At.Before(began) {
						t.Fatalf("%s is %s older than the question", r.Name, began.Sub(r.At))
					}
				}
				// The first urgent Read goes at once and alone.
				if calls := z.count("list"); calls > pages+2 || attention != shift.Urgent && calls > pages {
					t.Errorf("%d calls for %d pages", calls, pages)
				}
			})
		})
	}
}

func TestAListingIsReusedOnlyForAMoment(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		z, entrances, a := settled(t, 2, Options{OwnerEvery: time.Hour, Reuse: 300 * time.Millisecond})
		read := func(i int, attention shift.Attention) int {
			z.calls = nil
			readAll(t, a, entrances[i:i+1], attention)
			return z.count("list")
		}
		steps := []struct {
			wait      time.Duration
			pair      int
			attention shift.Attention
			calls     int
		}{
			{0, 0, shift.Watching, 1},
			{0, 1, shift.Watching, 0},                      // the page had both
			{240 * time.Millisecond, 0, shift.Resting, 0},  // 290 ms old
			{0, 0, shift.Urgent, 1},                        // too old for that
			{200 * time.Millisecond, 1, shift.Urgent, 0},   // 250 ms
			{time.Millisecond, 0, shift.Urgent, 1},         // 251 ms
			{300 * time.Millisecond, 0, shift.Resting, 1},  // 350 ms
			{250 * time.Millisecond, 1, shift.Watching, 0}, // 300 ms
			{time.Millisecond, 0, shift.Watching, 1},
		}
		for i, s := range steps {
			time.Sleep(s.wait)
			if calls := read(s.pair, s.attention); calls != s.calls {
				t.Errorf("step %d: %d listings, want %d", i, calls, s.calls)
			}
		}
	})
}

func TestNoListingAnswersThatBeganBeforeTheLastWrite(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		z, entrances, a := settled(t, 2, Options{OwnerEvery: time.Hour, Reuse: time.Minute, Gather: -1})
		readings := readAll(t, a, entrances, shift.Watching)
		c := wish(readings[0], 50, shift.Rise)
		c.Entrance = entrances[0]
		// While the write is on its way, another pair's listing passes by.
		var passing []shift.EntranceReading
		var wg sync.WaitGroup
		wg.Go(func() {
			time.Sleep(10 * time.Millisecond)
			passing = a.Read(t.Context(), entrances[1:], shift.Watching)
		})
		if got := a.Commit(t.Context(), []shift.Change{c})[0]; got.Outcome != shift.Applied {
			t.Fatalf("got %+v", got)
		}
		wg.Wait()
		if r := readAll(t, a, entrances[:1], shift.Resting)[0]; !r.Weights.At(50) {
			t.Errorf("after the write it reads %s", r.Weights)
		}
		if passing[0].Err != "" || z.count("list") == 0 {
			t.Errorf("the other pair: %+v", passing[0])
		}
	})
}

func TestAnUrgentReadDoesNotWaitForASweep(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, entrances, a := settled(t, 1000, Options{OwnerEvery: time.Hour, Reuse: -1})
		var wg sync.WaitGroup
		wg.Go(func() { a.Read(t.Context(), entrances, shift.Resting) })
		time.Sleep(20 * time.Millisecond)
		began := time.Now()
		readAll(t, a, entrances[500:501], shift.Urgent)
		if took := time.Since(began); took > 50*time.Millisecond {
			t.Errorf("it took %s, one call takes 50 ms", took)
		}
		wg.Wait()
	})
}

func TestASweepOutlivesTheReadThatLedIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, entrances, a := settled(t, 700, Options{OwnerEvery: time.Hour})
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			if r := a.Read(ctx, entrances[:1], shift.Watching)[0]; r.Err == "" {
				t.Error("a Read that was called off answers")
			}
		})
		time.Sleep(time.Millisecond)
		wg.Go(func() { readAll(t, a, entrances[1:], shift.Watching) })
		time.Sleep(10 * time.Millisecond)
		cancel()
		wg.Wait()
	})
}

func TestAskingWhetherAChangeIsInSyncTakesOneCallForAllItsPairs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		z, entrances, a := settled(t, 50, Options{OwnerEvery: time.Hour})
		var changes []shift.Change
		for i, r := range readAll(t, a, entrances, shift.Watching) {
			c := wish(r, 50, shift.Rise)
			c.Entrance = entrances[i]
			changes = append(changes, c)
		}
		a.Commit(t.Context(), changes)
		z.pending, z.calls = true, nil
		for _, r := range readAll(t, a, entrances, shift.Watching) {
			if r.InSync {
				t.Fatalf("%s is in sync while its change is pending", r.Name)
			}
		}
		if n := z.count("get"); n != 1 {
			t.Errorf("%d questions for one change", n)
		}
		time.Sleep(2 * time.Second)
		z.pending = false
		for _, r := range readAll(t, a, entrances, shift.Watching) {
			if !r.InSync {
				t.Fatalf("%s is not in sync", r.Name)
			}
		}
		if n := z.count("get"); n != 2 {
			t.Errorf("%d questions in the end", n)
		}
	})
}

// unruly lists in another order than Route 53 documents.
type unruly struct {
	*fakeZone
	order func(a, b types.ResourceRecordSet) int
}

func (u unruly) ListResourceRecordSets(_ context.Context, in *route53.ListResourceRecordSetsInput, _ ...func(*route53.Options)) (*route53.ListResourceRecordSetsOutput, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.calls = append(u.calls, "list "+aws.ToString(in.StartRecordName))
	sets := slices.SortedFunc(slices.Values(u.sets), u.order)
	from := types.ResourceRecordSet{Name: in.StartRecordName, Type: in.StartRecordType, SetIdentifier: in.StartRecordIdentifier}
	if in.StartRecordName != nil {
		sets = slices.DeleteFunc(sets, func(r types.ResourceRecordSet) bool { return u.order(r, from) < 0 })
	}
	const size = 5
	out := &route53.ListResourceRecordSetsOutput{ResourceRecordSets: sets[:min(size, len(sets))]}
	if len(sets) > size {
		next := sets[size]
		out.IsTruncated, out.NextRecordName, out.NextRecordType, out.NextRecordIdentifier = true, next.Name, next.Type, next.SetIdentifier
	}
	return out, nil
}

// TestAnyOrderOfAListingIsReadRight: whatever the order, what is there is found
// and what isn't there isn't.
func TestAnyOrderOfAListingIsReadRight(t *testing.T) {
	t.Parallel()
	orders := map[string]func(name string) string{
		"as documented":                         reversed,
		"with the asterisk as itself":           func(n string) string { return reversed(plain(n)) },
		"without the final dot":                 func(n string) string { return strings.TrimSuffix(reversed(n), ".") },
		"by the name from its beginning":        func(n string) string { return n },
		"backwards, which nobody could foresee": func(n string) string { return invert(reversed(n)) },
	}
	for name, key := range orders {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(rt *rapid.T) {
				labels := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "a-b", "a.b", "*", "*.a", "0", "b", "a0", "_x", "-a", "z.a-b", "A.b"}), 1, 8, strings.ToLower).Draw(rt, "names")
				z := &fakeZone{script: map[string][]fault{}}
				var entrances []shift.Entrance
				for i, l := range labels {
					e := entrance()
					e.Name, e.Route53.Names = fmt.Sprint(i), []string{l + ".example.com"}
					entrances = append(entrances, e)
					if rapid.Bool().Draw(rt, "it is there") {
						z.add(recordsOf(e, shift.Share(i))...)
					}
					if rapid.Bool().Draw(rt, "it has a mark") {
						z.add(markRecord(canonical(e.Route53.MarkName(l+".example.com")), mark(1, int64(i), 0)))
					}
				}
				api := unruly{z, func(a, b types.ResourceRecordSet) int {
					return slices.Compare(
						[]string{key(*a.Name), string(a.Type), aws.ToString(a.SetIdentifier)}, []string{key(*b.Name), string(b.Type), aws.ToString(b.SetIdentifier)})
				}}
				a := New(Options{API: api, Gather: -1, Reuse: -1})
				for range 2 {
					for i, r := range a.Read(t.Context(), entrances, shift.Watching) {
						there := standsIn(z.sets, entrances[i])[0]
						if r.Err == "" && r.Weights != there || r.Err != "" && there != (shift.Weights{}) {
							rt.Fatalf("%s stands at %s, but reads %s, error %q", labels[i], there, r.Weights, r.Err)
						}
						_, marked := z.get(canonical(entrances[i].Route53.MarkName(labels[i]+".example.com")), types.RRTypeTxt, "")
						if r.Err == "" && marked != (r.Mark != nil) {
							rt.Fatalf("%s has a mark: %t, but reads %v", labels[i], marked, r.Mark)
						}
					}
				}
			})
		})
	}
}

// invert turns the order of texts around.
func invert(s string) string {
	b := []byte(s + "\x00")
	for i := range b {
		b[i] = 255 - b[i]
	}
	return string(b)
}
