package elb

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/clusterswitch/clusterswitch/internal/awsapi"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// maxRules is how many rules one DescribeRules asks for: few enough that one
// rule that is gone costs few calls to tell apart.
const maxRules = 20

// Read reads the entrances, each as one reading in the order given. What can't
// be read or must not be touched has its Err set to a sentence that says what
// to do. It takes one DescribeRules and one DescribeTags for every 20 rules,
// and one DescribeTargetHealth for each target group.
func (a *Adapter) Read(ctx context.Context, entrances []shift.Entrance, _ shift.Attention) []shift.EntranceReading {
	at := a.now()
	var arns, groups []string
	for _, e := range entrances {
		if e.Balancer != nil {
			arns = append(arns, e.Balancer.RuleARN)
			groups = append(groups, e.Balancer.BlueTargetGroupARN, e.Balancer.GreenTargetGroupARN)
		}
	}
	// Side by side, because a rollback waits for the slowest of them.
	var targets map[string]shift.Targets
	var tags map[string][]types.Tag
	var untagged map[string]awsapi.Failure
	var wg sync.WaitGroup
	wg.Go(func() { targets = a.targets(ctx, distinct(groups)) })
	wg.Go(func() { tags, untagged = a.tagsOf(ctx, distinct(arns)) })
	rules, failed := a.describe(ctx, distinct(arns))
	wg.Wait()

	readings := make([]shift.EntranceReading, len(entrances))
	for i, e := range entrances {
		r := shift.EntranceReading{Name: e.Name, InSync: true}
		switch {
		case e.Balancer == nil:
			r.Err = "it is not a load balancer entrance"
		case !has(rules, e.Balancer.RuleARN):
			r.Err = readError(e.Balancer.RuleARN, failed[e.Balancer.RuleARN])
		case has(untagged, e.Balancer.RuleARN):
			r.Err = tagError(e.Balancer.RuleARN, untagged[e.Balancer.RuleARN])
		default:
			r.At = at
			r.BlueTargets, r.GreenTargets = targets[e.Balancer.BlueTargetGroupARN], targets[e.Balancer.GreenTargetGroupARN]
			fill(&r, *e.Balancer, rules[e.Balancer.RuleARN], tags[e.Balancer.RuleARN])
		}
		readings[i] = r
	}
	return readings
}

func fill(r *shift.EntranceReading, e shift.BalancerEntrance, got rule, tags []types.Tag) {
	r.Token, r.Owner = got.token(), ownerOf(tags)
	if err := got.usable(e); err != nil {
		r.Err = err.Error()
		return
	}
	r.Weights, _ = got.weights(e)
	mark, err := markOf(tags)
	if err != nil {
		r.Err = err.Error()
		return
	}
	r.Mark = mark
}

// describe reads rules by their ARNs. AWS refuses the whole call when one of
// them is gone; then they are asked for one by one.
func (a *Adapter) describe(ctx context.Context, arns []string) (map[string]rule, map[string]awsapi.Failure) {
	rules, failed := map[string]rule{}, map[string]awsapi.Failure{}
	for chunk := range slices.Chunk(arns, maxRules) {
		got, err := a.describeRules(ctx, chunk)
		if err != nil {
			f := awsapi.Classify(err)
			if f.Class == awsapi.NotFound && len(chunk) > 1 {
				for _, arn := range chunk {
					one, err := a.describeRules(ctx, []string{arn})
					if err != nil {
						failed[arn] = awsapi.Classify(err)
					}
					got = append(got, one...)
				}
			} else {
				for _, arn := range chunk {
					failed[arn] = f
				}
			}
		}
		for _, r := range got {
			rules[r.arn] = r
			a.remember(r)
		}
		for _, arn := range chunk {
			if !has(rules, arn) && !has(failed, arn) {
				failed[arn] = awsapi.Failure{Class: awsapi.NotFound, Message: "AWS's answer doesn't have it"}
			}
		}
	}
	return rules, failed
}

func (a *Adapter) describeRules(ctx context.Context, arns []string) ([]rule, error) {
	ctx, cancel := context.WithTimeout(ctx, a.callTimeout)
	defer cancel()
	var got []rule
	in := &elbv2.DescribeRulesInput{RuleArns: arns}
	for {
		out, err := a.rules.DescribeRules(ctx, in)
		if err != nil {
			return nil, err
		}
		for _, r := range out.Rules {
			got = append(got, ruleOf(r))
		}
		if aws.ToString(out.NextMarker) == "" {
			return got, nil
		}
		in = &elbv2.DescribeRulesInput{RuleArns: arns, Marker: out.NextMarker}
	}
}

// targets counts the targets of groups, a few at a time. What can't be read is
// left unknown.
func (a *Adapter) targets(ctx context.Context, groups []string) map[string]shift.Targets {
	const atOnce = 4
	counts := make([]shift.Targets, len(groups))
	turn := make(chan struct{}, atOnce)
	var wg sync.WaitGroup
	for i, arn := range groups {
		turn <- struct{}{}
		wg.Go(func() {
			defer func() { <-turn }()
			counts[i] = a.count(ctx, arn)
		})
	}
	wg.Wait()
	byARN := map[string]shift.Targets{}
	for i, arn := range groups {
		byARN[arn] = counts[i]
	}
	return byARN
}

// count counts as healthy only what ELB calls healthy: a target that is
// initial, draining, unused or unavailable doesn't prove that it would answer.
func (a *Adapter) count(ctx context.Context, groupARN string) shift.Targets {
	ctx, cancel := context.WithTimeout(ctx, a.callTimeout)
	defer cancel()
	out, err := a.health.DescribeTargetHealth(ctx, &elbv2.DescribeTargetHealthInput{TargetGroupArn: &groupARN})
	if err != nil {
		return shift.Targets{}
	}
	t := shift.Targets{Known: true, Total: len(out.TargetHealthDescriptions)}
	for _, d := range out.TargetHealthDescriptions {
		if d.TargetHealth != nil && d.TargetHealth.State == types.TargetHealthStateEnumHealthy {
			t.Healthy++
		}
	}
	return t
}

func readError(arn string, f awsapi.Failure) string {
	advice := ""
	switch f.Class {
	case awsapi.Denied:
		advice = ": grant elasticloadbalancing:DescribeRules"
	case awsapi.NotFound:
		advice = ": correct ruleARN"
	case awsapi.Throttled, awsapi.Unreachable, awsapi.Invalid, awsapi.Conflict, awsapi.Other:
	}
	return fmt.Sprintf("reading rule %s: %s%s", arn, f, advice)
}

func tagError(arn string, f awsapi.Failure) string {
	advice := ""
	if f.Class == awsapi.Denied {
		advice = ": grant elasticloadbalancing:DescribeTags"
	}
	return fmt.Sprintf("reading the tags of rule %s, which tell its mark and owner: %s%s", arn, f, advice)
}

func has[V any](m map[string]V, key string) bool {
	_, ok := m[key]
	return ok
}

func distinct(all []string) []string {
	all = slices.Clone(all)
	slices.Sort(all)
	return slices.Compact(all)
}
