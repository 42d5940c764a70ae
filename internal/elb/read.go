package elb

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/clusterswitch/clusterswitch/internal/awsapi"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// staleTries is how often a Read asks again when AWS answers a former state.
const staleTries = 3

// Read reads the entrances, each as one reading in the order given. What can't
// be read or must not be touched has its Err set to a sentence that says what
// to do.
//
// Readers that ask at about the same time share calls: a DescribeRules or
// DescribeListeners for many ARNs, a DescribeTags for 20, one
// DescribeTargetHealth for each target group. With Resting the answer may be as
// old as Options.Reuse, its tags a minute, and nobody asks for the health of
// targets. With Watching all of it is looked at now. With Urgent the calls wait
// for no ordinary ones; tags may be a minute old, the health of targets 5 s, and
// At is then when the oldest of them was looked at. No answer is of a look that
// began before this Adapter last wrote the action.
//
// While many rollbacks wait for their weights, an Urgent reading tells what was
// read or written a moment ago rather than to take a call from them.
// While a rollback's stickiness or mark wait for the weights of others (Commit),
// an Urgent reading says so in Err, so that Commit is called again.
func (a *Adapter) Read(ctx context.Context, entrances []shift.Entrance, attention shift.Attention) []shift.EntranceReading {
	if attention == shift.Urgent {
		ctx = awsapi.Urgent(ctx)
	}
	a.expect(entrances, attention)
	v := a.view(ctx, entrances, attention)
	readings := make([]shift.EntranceReading, len(entrances))
	for i, e := range entrances {
		if e.Balancer == nil {
			readings[i] = shift.EntranceReading{Name: e.Name, InSync: true, Err: "it is not a load balancer entrance"}
			continue
		}
		readings[i] = v.reading(e.Name, *e.Balancer)
		if attention == shift.Urgent && readings[i].Err == "" && readings[i].Weights.AtMost(0) {
			a.lane.unexpect(e.Balancer.ActionARN())
		}
		if owed := a.debts.owes(e.Balancer.ActionARN()); owed && attention == shift.Urgent && readings[i].Err == "" {
			readings[i].Err = fmt.Sprintf("it stands at %s; the rollback's stickiness and mark are written once the weights of other rollbacks stand", readings[i].Weights)
		}
	}
	return readings
}

// view is all that one Read was told.
type view struct {
	actions    map[string]answer[sighting]
	tags       map[string]tagged
	health     map[string]counted
	healthAt   time.Time
	attributes map[string]answer[map[string]string]
	groupTags  map[string]answer[[]types.Tag]
}

// view looks at everything side by side, because a rollback waits for the
// slowest of it. At rest nobody waits: there the tags come after the actions,
// whose change makes them worth reading again.
func (a *Adapter) view(ctx context.Context, entrances []shift.Entrance, attention shift.Attention) view {
	var arns, groups, objects []string
	for _, e := range entrances {
		if b := e.Balancer; b != nil {
			arns = append(arns, b.ActionARN())
			groups = append(groups, b.BlueTargetGroupARN, b.GreenTargetGroupARN)
			objects = append(objects, b.BlueTargetGroupARN, b.GreenTargetGroupARN)
			if lb := balancerOf(b.ActionARN()); lb != "" {
				objects = append(objects, lb)
			}
		}
	}
	arns, groups, objects = distinct(arns), distinct(groups), distinct(objects)
	v := view{tags: map[string]tagged{}}
	seen := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		defer close(seen)
		if attention == shift.Urgent {
			v.actions = a.remembered(entrances)
		}
		unknown := slices.DeleteFunc(slices.Clone(arns), func(arn string) bool { _, ok := v.actions[arn]; return ok })
		read := a.actionsOf(ctx, unknown, attention)
		maps.Copy(read, v.actions)
		v.actions = read
	})
	wg.Go(func() {
		if attention == shift.Resting {
			<-seen
		}
		v.tags = a.tagsOf(ctx, arns, attention)
	})
	wg.Go(func() { v.health, v.healthAt = a.healthOf(ctx, groups, attention) })
	wg.Go(func() { v.attributes = a.attributesOf(ctx, objects, attention == shift.Watching) })
	wg.Go(func() { v.groupTags = a.groupTagsOf(ctx, groups, attention == shift.Watching) })
	wg.Wait()
	return v
}

// actionsOf reads actions, and again where AWS tells of a former state: another
// of its servers may know better.
func (a *Adapter) actionsOf(ctx context.Context, arns []string, attention shift.Attention) map[string]answer[sighting] {
	old := ages{}
	if attention == shift.Resting {
		old = ages{good: a.reuse, failed: a.reuse}
	}
	got := a.actions.get(ctx, arns, old)
	for try := 1; try < staleTries; try++ {
		again := slices.DeleteFunc(slices.Clone(arns), func(arn string) bool { return got[arn].failed != nil || !got[arn].value.stale() })
		if len(again) == 0 || !awsapi.Pause(ctx, try) {
			break
		}
		maps.Copy(got, a.actions.get(ctx, again, ages{}))
	}
	return got
}

const (
	// readRemembered bounds how old an answer may be that is remembered rather than
	// asked for again while many rollbacks need all the calls that AWS grants: what
	// somebody changed of the action since would be written over.
	readRemembered = 15 * time.Second
	// writtenRemembered is the same for what we wrote.
	writtenRemembered = time.Minute
)

// remembered gives, while many rollbacks wait for their weights, what was written
// and acknowledged, and what was read and shows that something is to be written;
// the first also where a rollback still owes what follows. What is in doubt is
// read.
func (a *Adapter) remembered(entrances []shift.Entrance) map[string]answer[sighting] {
	got := map[string]answer[sighting]{}
	crowded := a.lane.crowded()
	for _, e := range entrances {
		if e.Balancer == nil || !crowded && !a.debts.owes(e.Balancer.ActionARN()) {
			continue
		}
		known, ok := a.known.newest(e.Balancer.ActionARN())
		age := a.now().Sub(known.at)
		w, _ := known.weights(*e.Balancer)
		if ok && (known.written && age <= writtenRemembered || w.Green > 0 && age <= readRemembered) {
			got[known.arn] = answer[sighting]{value: sighting{action: known.action, replaced: -1}, at: known.at}
		}
	}
	return got
}

// expect tells the lane of rollbacks that are likely to come: who looks urgently
// is about to write.
func (a *Adapter) expect(entrances []shift.Entrance, attention shift.Attention) {
	if attention != shift.Urgent {
		return
	}
	for _, e := range entrances {
		if e.Balancer != nil {
			a.lane.expect(e.Balancer.ActionARN())
		}
	}
}

// tagsOf reads the tags of actions and of what lies around them.
func (a *Adapter) tagsOf(ctx context.Context, arns []string, attention shift.Attention) map[string]tagged {
	old := ages{}
	switch attention {
	case shift.Resting:
		old = ages{good: tagsKept, failed: a.reuse}
	case shift.Urgent:
		old = ages{good: tagsKept}
		if a.lane.crowded() {
			old.good = ownersKept
		}
	case shift.Watching:
	}
	var own map[string]answer[[]types.Tag]
	var mu sync.Mutex
	all := map[string]tagged{}
	var wg sync.WaitGroup
	wg.Go(func() { own = a.tags.get(ctx, arns, old) })
	if attention != shift.Urgent { // who owns it stops no rollback
		for _, arn := range arns {
			wg.Go(func() {
				around, failed := a.ownerTags(ctx, arn)
				mu.Lock()
				defer mu.Unlock()
				all[arn] = tagged{around: around, failed: failed}
			})
		}
	}
	wg.Wait()
	for _, arn := range arns {
		t := all[arn]
		t.own = own[arn]
		all[arn] = t
	}
	return all
}

// reading turns what was looked at into one entrance's reading.
func (v view) reading(name string, e shift.BalancerEntrance) shift.EntranceReading {
	arn := e.ActionARN()
	r := shift.EntranceReading{Name: name, InSync: true}
	got, tags := v.actions[arn], v.tags[arn]
	switch {
	case got.failed != nil:
		r.Err = readError(arn, *got.failed)
		return r
	case tags.own.failed != nil:
		r.Err = tagError(arn, *tags.own.failed)
		return r
	case tags.failed != "":
		r.Err = tags.failed
		return r
	}
	seen := got.value
	blue, green := v.health[e.BlueTargetGroupARN], v.health[e.GreenTargetGroupARN]
	r.At, r.BlueTargets, r.GreenTargets = got.at, blue.Targets, green.Targets
	if (blue.Known || green.Known) && v.healthAt.Before(r.At) {
		r.At = v.healthAt
	}
	r.Token, r.Owner = seen.token(), ownerOf(tags.own.value, tags.around)
	r.Sticky = seen.sticky()
	r.Connection, r.Deregistration = connectionOf(arn), v.deregistrationOf(e)
	r.Notes = v.notes(e, seen.action)
	r.Weights, _ = seen.weights(e)
	if err := seen.usable(e); err != nil {
		r.Err = err.Error()
		return r
	}
	if seen.stale() {
		r.Err = fmt.Sprintf("AWS still answers what stood there before the newest change, which is %s old; it is asked again", seen.replaced.Round(time.Second))
		return r
	}
	mark, err := markOf(tags.own.value)
	if err != nil {
		r.Err = err.Error()
		return r
	}
	r.Mark = mark
	r.Unstuck, err = unstuckOf(tags.own.value)
	if err != nil {
		r.Notes = append(r.Notes, err.Error())
	}
	return r
}

func distinct(all []string) []string {
	all = slices.Clone(all)
	slices.Sort(all)
	return slices.Compact(all)
}
