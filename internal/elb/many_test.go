package elb

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// busyELB answers each call after a while, and throttles as AWS does: so many
// calls a second, and some more at once.
type busyELB struct {
	*fakeELB
	perSecond, burst float64

	mu        sync.Mutex
	tokens    float64
	filled    time.Time
	calls     int // all, throttled ones too
	throttled int
	writes    []string // what was carried out: "weights", "unstick", "tags"
	began     time.Time
	stood     map[string]time.Duration // when the weights of each rule stood
}

func newBusy(f *fakeELB) *busyELB {
	return &busyELB{fakeELB: f, perSecond: 10, burst: 40, tokens: 40, filled: time.Now(), began: time.Now(), stood: map[string]time.Duration{}}
}

func (b *busyELB) take() error {
	time.Sleep(20 * time.Millisecond)
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	b.tokens = min(b.burst, b.tokens+now.Sub(b.filled).Seconds()*b.perSecond)
	b.filled = now
	b.calls++
	if b.tokens < 1 {
		b.throttled++
		return apiError("ThrottlingException")
	}
	b.tokens--
	return nil
}

func (b *busyELB) did(what, arn string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.writes = append(b.writes, what)
	if _, ok := b.stood[arn]; !ok && what == "weights" {
		b.stood[arn] = time.Since(b.began)
	}
}

func (b *busyELB) DescribeRules(ctx context.Context, in *elbv2.DescribeRulesInput, o ...func(*elbv2.Options)) (*elbv2.DescribeRulesOutput, error) {
	if err := b.take(); err != nil {
		return nil, err
	}
	return b.fakeELB.DescribeRules(ctx, in, o...)
}

func (b *busyELB) DescribeTags(ctx context.Context, in *elbv2.DescribeTagsInput, o ...func(*elbv2.Options)) (*elbv2.DescribeTagsOutput, error) {
	if err := b.take(); err != nil {
		return nil, err
	}
	return b.fakeELB.DescribeTags(ctx, in, o...)
}

func (b *busyELB) DescribeTargetHealth(ctx context.Context, in *elbv2.DescribeTargetHealthInput, o ...func(*elbv2.Options)) (*elbv2.DescribeTargetHealthOutput, error) {
	if err := b.take(); err != nil {
		return nil, err
	}
	return b.fakeELB.DescribeTargetHealth(ctx, in, o...)
}

func (b *busyELB) ModifyRule(ctx context.Context, in *elbv2.ModifyRuleInput, o ...func(*elbv2.Options)) (*elbv2.ModifyRuleOutput, error) {
	if err := b.take(); err != nil {
		return nil, err
	}
	out, err := b.fakeELB.ModifyRule(ctx, in, o...)
	if err == nil {
		written := action{arn: *in.RuleArn, actions: in.Actions}
		b.did(map[bool]string{true: "weights", false: "unstick"}[written.sticky() > 0], written.arn)
	}
	return out, err
}

func (b *busyELB) AddTags(ctx context.Context, in *elbv2.AddTagsInput, o ...func(*elbv2.Options)) (*elbv2.AddTagsOutput, error) {
	if err := b.take(); err != nil {
		return nil, err
	}
	b.did("tags", in.ResourceArns[0])
	return b.fakeELB.AddTags(ctx, in, o...)
}

// manyRules gives so many pairs a rule of their own, all sticky and at 50 %.
func manyRules(n int) (*fakeELB, []shift.Entrance) {
	f := webAt(50)
	f.rules = map[string][]types.Action{}
	var entrances []shift.Entrance
	for i := range n {
		e := entrance()
		e.Balancer = new(*e.Balancer)
		e.Name, e.Balancer.RuleARN = fmt.Sprintf("web-%d", i), fmt.Sprintf("arn:aws:elasticloadbalancing:eu-west-1:1:listener-rule/app/web-%d/a/b/%d", i/100, i)
		f.rules[e.Balancer.RuleARN] = []types.Action{oidc(), forwardTo(map[string]int32{blueTG: 50, greenTG: 50}, true)}
		entrances = append(entrances, e)
	}
	return f, entrances
}

// rollBackAll lets each pair's loop go back by itself, as the core does: look,
// write, and again until it stands. It gives how many turns that took.
func rollBackAll(ctx context.Context, a *Adapter, entrances []shift.Entrance) (turns int) {
	var mu sync.Mutex
	var loops sync.WaitGroup
	for _, e := range entrances {
		loops.Go(func() {
			for delay := time.Duration(0); ; delay = min(2*delay+100*time.Millisecond, 5*time.Second) {
				time.Sleep(delay)
				mu.Lock()
				turns++
				mu.Unlock()
				r := a.Read(ctx, []shift.Entrance{e}, shift.Urgent)[0]
				if r.Err == "" && r.Weights.AtMost(0) {
					return
				}
				c := wish(r, 0, shift.Rollback)
				c.Entrance = e
				a.Commit(ctx, []shift.Change{c})
			}
		})
	}
	loops.Wait()
	return turns
}

// With many rollbacks at once no rule's weights wait for another rule's
// stickiness or mark, and in the end all of it is written.
func TestOfManyRollbacksAllWeightsGoFirst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const n = 120
		f, entrances := manyRules(n)
		b := newBusy(f)
		a := New(Options{Rules: b, Listeners: b, Health: b, Tags: b, Attributes: b})
		a.Read(t.Context(), entrances, shift.Resting)
		time.Sleep(10 * time.Second) // AWS's bucket fills again
		b.began, b.calls, b.throttled = time.Now(), 0, 0
		turns := rollBackAll(t.Context(), a, entrances)

		var last time.Duration
		for _, when := range b.stood {
			last = max(last, when)
		}
		fewest := time.Duration((n - b.burst) / b.perSecond * float64(time.Second))
		t.Logf("%d rules: all weights stood after %s (AWS's limits allow %s), all else after %s; %d turns, %d calls, %d of them throttled",
			n, last, fewest, time.Since(b.began), turns, b.calls, b.throttled)
		first := slices.IndexFunc(b.writes, func(w string) bool { return w != "weights" })
		if len(b.stood) != n || slices.Contains(b.writes[first:], "weights") {
			t.Errorf("%d weights stood, the first other write was number %d", len(b.stood), first)
		}
		if last > 2*fewest {
			t.Errorf("the weights took %s, AWS's limits allow %s", last, fewest)
		}
		for arn, actions := range f.rules {
			r := action{arn: arn, actions: actions}
			if w, _ := r.weight(greenTG); w != 0 || r.sticky() != 0 || !strings.Contains(f.tags[arn][MarkTag], "rollback=true") || !strings.Contains(f.tags[arn][StickinessTag], "seconds=3600") {
				t.Fatalf("%s ends at %d, sticky for %s, with tags %v", arn, w, r.sticky(), f.tags[arn])
			}
		}
	})
}

// Many pairs that look at the same time take few calls, each for many of them.
func TestManyPairsShareTheirCalls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, entrances := manyRules(1000)
		a := newAdapter(f)
		look := func(attention shift.Attention) map[string]int {
			f.calls = nil
			var loops sync.WaitGroup
			for i, e := range entrances {
				loops.Go(func() {
					time.Sleep(time.Duration(i%4) * time.Millisecond) // the loops' turns are not quite together
					if r := a.Read(t.Context(), []shift.Entrance{e}, attention)[0]; r.Err != "" || r.Weights.Green != 50 {
						t.Errorf("%s: %+v", e.Name, r)
					}
				})
			}
			loops.Wait()
			calls := map[string]int{}
			for _, op := range f.calls {
				calls[op]++
			}
			return calls
		}
		first := look(shift.Resting)
		if want := (1000 + 20) / maxTagged; first["DescribeRules"] != 10 || first["DescribeTags"] > want+2 || len(first) != 2 {
			t.Errorf("the first look at rest takes %v", first)
		}
		time.Sleep(5 * time.Second)
		if diff := cmp.Diff(map[string]int{"DescribeRules": 10}, look(shift.Resting)); diff != "" {
			t.Errorf("a look at rest takes (-want +got):\n%s", diff)
		}
		time.Sleep(5 * time.Second)
		watched := look(shift.Watching)
		if watched["DescribeRules"] > 13 || watched["DescribeTargetHealth"] != 2 || watched["DescribeTargetGroupAttributes"] != 2 || watched["DescribeLoadBalancerAttributes"] != 10 {
			t.Errorf("a watching look takes %v", watched)
		}
		time.Sleep(time.Second)
		f.takes = 2 * time.Millisecond
		// The first 20 ask, the rest go by what was read before: so many rollbacks need the
		// calls themselves. Who asks while a call is on its way waits for one that begins
		// afterwards, and shares it.
		if urgent := look(shift.Urgent); urgent["DescribeRules"] > 8 || len(urgent) > 1 {
			t.Errorf("an urgent look takes %v", urgent)
		}
	})
}

func TestARiseWaitsForRollbacks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := webAt(25)
		a := newAdapter(f)
		c := wish(readWeb(t, a), 50, shift.Rise)
		a.lane.enter("arn:other")
		if got := a.Commit(t.Context(), []shift.Change{c})[0]; got.Outcome != shift.Refused || !strings.Contains(got.Note, "rollbacks of other pairs go first") {
			t.Errorf("got %+v", got)
		}
		a.lane.enter("arn:other")
		time.AfterFunc(time.Second, func() { a.lane.leave("arn:other", false) })
		if got := a.Commit(t.Context(), []shift.Change{c})[0]; got.Outcome != shift.Applied {
			t.Errorf("got %+v", got)
		}
	})
}

// While other rollbacks wait for their weights, what follows a rule's own is
// owed: an urgent reading says so, and the next Commit pays.
func TestWhatARollbackOwesIsWrittenByTheNextCommit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := webAt(25)
		sticky(f)
		a := newAdapter(f)
		c := wish(readWeb(t, a), 0, shift.Rollback)
		a.lane.enter("arn:other")
		got := a.Commit(t.Context(), []shift.Change{c})[0]
		if got.Outcome != shift.Applied || !strings.Contains(got.Note, "wait for the weights of other rollbacks") || f.count("ModifyRule") != 1 || f.count("AddTags") != 0 {
			t.Fatalf("got %+v by %q", got, f.calls)
		}
		urgent := a.Read(t.Context(), []shift.Entrance{entrance()}, shift.Urgent)[0]
		if !strings.Contains(urgent.Err, "it stands at blue 100, green 0") {
			t.Errorf("an urgent reading: %+v", urgent)
		}
		a.lane.leave("arn:other", false)
		got = a.Commit(t.Context(), []shift.Change{wish(shift.EntranceReading{}, 0, shift.Rollback)})[0]
		if got.Outcome != shift.Applied || got.Note != "stickiness was switched off" || f.count("ModifyRule") != 2 {
			t.Errorf("got %+v by %q", got, f.calls)
		}
		urgent = a.Read(t.Context(), []shift.Entrance{entrance()}, shift.Urgent)[0]
		if urgent.Err != "" || urgent.Unstuck == nil || urgent.Unstuck.For != time.Hour || urgent.Mark == nil || !urgent.Mark.Rollback {
			t.Errorf("an urgent reading after it: %+v", urgent)
		}
	})
}
