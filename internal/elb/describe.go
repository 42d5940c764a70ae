package elb

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"

	"github.com/clusterswitch/clusterswitch/internal/awsapi"
)

const (
	// maxDescribed is how many ARNs one DescribeRules or DescribeListeners names.
	// The service's model (elasticloadbalancingv2 2015-12-01, shapes RuleArns and
	// ListenerArns) sets no bound, and answers come in pages.
	maxDescribed = 100
	// fewDescribed is used from the first call on that AWS finds invalid with
	// more: calls that do have a documented bound take 20.
	fewDescribed = 20
	// maxPage is the longest page. Same model, shape PageSize.
	maxPage = 400
	// fewAtOnce is how many ordinary calls go out side by side.
	fewAtOnce = 4
)

// missing remembers what AWS said was gone. It is asked for in calls of its own,
// since one ARN that is gone refuses the call for all.
type missing struct {
	mu   sync.Mutex
	arns map[string]bool
}

func (m *missing) set(arn string, gone bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if gone {
		m.arns[arn] = true
	} else {
		delete(m.arns, arn)
	}
}

func (m *missing) has(arn string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.arns[arn]
}

// lookup is one call: all rules of a listener, or what the ARNs name.
type lookup struct {
	listener string // empty: by ARNs
	arns     []string
}

// lookups plans the fewest calls that tell of all the rules or listeners: by
// ARN, so many in a call, or all rules of a listener where that saves calls.
// alone tells which ARNs must not share a call.
func lookups(arns []string, batch int, alone func(string) bool) []lookup {
	var calls []lookup
	var singly []lookup
	byListener := map[string][]string{}
	var rules, listeners []string
	for _, arn := range arns {
		switch {
		case alone(arn):
			singly = append(singly, lookup{arns: []string{arn}})
		case isListener(arn):
			listeners = append(listeners, arn)
		default:
			rules = append(rules, arn)
			if l := listenerOf(arn); l != "" {
				byListener[l] = append(byListener[l], arn)
			}
		}
	}
	needed := func(n int) int { return (n + batch - 1) / batch }
	most := slices.SortedFunc(maps.Keys(byListener), func(a, b string) int {
		return cmp.Or(cmp.Compare(len(byListener[b]), len(byListener[a])), cmp.Compare(a, b))
	})
	for _, l := range most {
		if needed(len(rules))-needed(len(rules)-len(byListener[l])) <= 1 {
			break
		}
		calls = append(calls, lookup{listener: l, arns: byListener[l]})
		rules = slices.DeleteFunc(rules, func(arn string) bool { return listenerOf(arn) == l })
	}
	for _, list := range [][]string{rules, listeners} {
		for chunk := range slices.Chunk(list, batch) {
			calls = append(calls, lookup{arns: chunk})
		}
	}
	return append(calls, singly...)
}

// lookAtActions reads rules and listeners.
func (a *Adapter) lookAtActions(ctx context.Context, arns []string) map[string]answer[sighting] {
	calls := lookups(arns, int(a.batch.Load()), a.gone.has)
	parts := make([]map[string]answer[sighting], len(calls))
	var wg sync.WaitGroup
	for i, call := range calls {
		wg.Go(func() {
			a.inTurn(ctx, func() (throttled bool) {
				parts[i] = a.carryOut(ctx, call)
				return anyThrottled(parts[i])
			})
		})
	}
	wg.Wait()
	all := map[string]answer[sighting]{}
	for _, part := range parts {
		maps.Copy(all, part)
	}
	return all
}

// inTurn makes a call that reads. Ordinary ones go out a few at a time. Urgent
// ones keep to the lane, so that they rest together with the writes of rollbacks
// when AWS throttles, and are made again for as long as somebody waits.
func (a *Adapter) inTurn(ctx context.Context, call func() (throttled bool)) {
	if !awsapi.IsUrgent(ctx) {
		select {
		case a.few <- struct{}{}:
			defer func() { <-a.few }()
			call()
		case <-ctx.Done():
		}
		return
	}
	for {
		done, ok := a.lane.slot(ctx)
		if !ok {
			return
		}
		throttled := call()
		done(throttled)
		if !throttled {
			return
		}
	}
}

// anyThrottled tells whether AWS throttled one of the answers.
func anyThrottled[V any](answers map[string]answer[V]) bool {
	for _, got := range answers {
		if got.failed != nil && got.failed.Class == awsapi.Throttled {
			return true
		}
	}
	return false
}

func (a *Adapter) carryOut(ctx context.Context, call lookup) map[string]answer[sighting] {
	var got map[string]action
	var failed map[string]awsapi.Failure
	if call.listener != "" {
		var err error
		got, err = a.describeRules(ctx, &elbv2.DescribeRulesInput{ListenerArn: &call.listener, PageSize: aws.Int32(maxPage)})
		if err != nil {
			failed = failAll(call.arns, awsapi.Classify(err))
		}
	} else {
		got, failed = bisect(call.arns, a.fewer, func(arns []string) (map[string]action, error) { return a.describe(ctx, arns) })
	}
	answers := map[string]answer[sighting]{}
	for _, arn := range call.arns {
		found, ok := got[arn]
		f, bad := failed[arn]
		switch {
		case ok:
			s, changed := a.known.seen(found, beganOf(ctx))
			if changed {
				a.tags.touch(arn) // whoever changed it may have tagged it
			}
			answers[arn] = answer[sighting]{value: s}
		case !bad:
			f = awsapi.Failure{Class: awsapi.NotFound, Message: "AWS's answer doesn't have it"}
			fallthrough
		default:
			answers[arn] = answer[sighting]{failed: &f}
		}
		a.gone.set(arn, !ok && f.Class == awsapi.NotFound)
	}
	return answers
}

// fewer remembers that AWS doesn't take so many ARNs in one call.
func (a *Adapter) fewer(n int) {
	if n > fewDescribed {
		a.batch.Store(fewDescribed)
	}
}

// bisect makes a call that AWS refuses as a whole when one key is gone, and
// finds that key by halving.
func bisect[V any](keys []string, invalid func(n int), call func(keys []string) (map[string]V, error)) (map[string]V, map[string]awsapi.Failure) {
	got, err := call(keys)
	if err == nil {
		return got, nil
	}
	f := awsapi.Classify(err)
	if f.Class == awsapi.Invalid {
		invalid(len(keys))
	}
	if len(keys) == 1 || f.Class != awsapi.NotFound && f.Class != awsapi.Invalid {
		return nil, failAll(keys, f)
	}
	all, failed := map[string]V{}, map[string]awsapi.Failure{}
	for half := range slices.Chunk(keys, (len(keys)+1)/2) {
		some, someFailed := bisect(half, invalid, call)
		maps.Copy(all, some)
		maps.Copy(failed, someFailed)
	}
	return all, failed
}

func failAll(keys []string, f awsapi.Failure) map[string]awsapi.Failure {
	failed := map[string]awsapi.Failure{}
	for _, key := range keys {
		failed[key] = f
	}
	return failed
}

// describe reads rules, or listeners, by their ARNs. All are of one kind.
func (a *Adapter) describe(ctx context.Context, arns []string) (map[string]action, error) {
	if isListener(arns[0]) {
		return a.describeListeners(ctx, arns)
	}
	return a.describeRules(ctx, &elbv2.DescribeRulesInput{RuleArns: arns})
}

func (a *Adapter) describeRules(ctx context.Context, in *elbv2.DescribeRulesInput) (map[string]action, error) {
	got := map[string]action{}
	for {
		out, err := bounded(ctx, a.callTimeout, func(ctx context.Context) (*elbv2.DescribeRulesOutput, error) {
			return a.ports.Rules.DescribeRules(ctx, in)
		})
		if err != nil {
			return nil, err
		}
		for _, r := range out.Rules {
			got[aws.ToString(r.RuleArn)] = ruleOf(r)
		}
		if aws.ToString(out.NextMarker) == "" {
			return got, nil
		}
		next := *in
		next.Marker = out.NextMarker
		in = &next
	}
}

func (a *Adapter) describeListeners(ctx context.Context, arns []string) (map[string]action, error) {
	got := map[string]action{}
	in := &elbv2.DescribeListenersInput{ListenerArns: arns}
	for {
		out, err := bounded(ctx, a.callTimeout, func(ctx context.Context) (*elbv2.DescribeListenersOutput, error) {
			return a.ports.Listeners.DescribeListeners(ctx, in)
		})
		if err != nil {
			return nil, err
		}
		for _, l := range out.Listeners {
			got[aws.ToString(l.ListenerArn)] = defaultsOf(l)
		}
		if aws.ToString(out.NextMarker) == "" {
			return got, nil
		}
		in = &elbv2.DescribeListenersInput{ListenerArns: arns, Marker: out.NextMarker}
	}
}

func readError(arn string, f awsapi.Failure) string {
	what, key, right := "rule", "ruleARN", "DescribeRules"
	if isListener(arn) {
		what, key, right = "listener", "listenerARN", "DescribeListeners"
	}
	advice := f.Remedy("elasticloadbalancing:" + right)
	if f.Class == awsapi.NotFound {
		advice = ": correct " + key
	}
	return fmt.Sprintf("reading %s %s: %s%s", what, arn, f, advice)
}
