package elb

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/smithy-go"
)

// fakeELB keeps rules with AWS's semantics: ModifyRule replaces the whole list
// of actions, an OIDC secret is never answered, one unknown ARN refuses the call.
type fakeELB struct {
	mu      sync.Mutex
	rules   map[string][]types.Action
	deflt   map[string]bool
	secrets map[string]string            // of OIDC actions, by rule
	tags    map[string]map[string]string // by any resource
	attrs   map[string]map[string]string // by target group or load balancer
	// former are the actions before the newest write; so many answers still show them.
	former  map[string][]types.Action
	stale   int
	lied    bool // one did
	health  map[string][]types.TargetHealthStateEnum
	single  bool // one rule a page
	pinned  bool // target groups have stickiness of their own: the rule's can't go
	calls   []string
	observe func(arn string)   // told of every write that was carried out
	script  map[string][]fault // by operation
	takes   time.Duration      // of each look at rules
}

// fault is what happens to one call.
type fault struct {
	err    error          // answered instead
	lost   bool           // not carried out, no answer
	mute   bool           // carried out, no answer
	before func(*fakeELB) // somebody else acts first
	after  func(*fakeELB) // somebody else acts right after
}

var errCut = errors.New("read tcp: connection reset by peer")

func apiError(code string) error { return &smithy.GenericAPIError{Code: code, Message: "as told"} }

func (f *fakeELB) meet(op string) fault {
	f.calls = append(f.calls, op)
	queue := f.script[op]
	if len(queue) == 0 {
		return fault{}
	}
	f.script[op] = queue[1:]
	if queue[0].before != nil {
		queue[0].before(f)
	}
	return queue[0]
}

// shown gives the actions as AWS answers them now.
func (f *fakeELB) shown(arn string) []types.Action {
	if f.stale > 0 && f.former[arn] != nil {
		f.stale--
		f.lied = true
		return f.former[arn]
	}
	return f.rules[arn]
}

func (f *fakeELB) DescribeRules(ctx context.Context, in *elbv2.DescribeRulesInput, _ ...func(*elbv2.Options)) (*elbv2.DescribeRulesOutput, error) {
	time.Sleep(f.takes)
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if what := f.meet("DescribeRules"); what.err != nil {
		return nil, what.err
	}
	arns := in.RuleArns
	if in.ListenerArn != nil {
		for arn := range f.rules {
			if listenerOf(arn) == *in.ListenerArn {
				arns = append(arns, arn)
			}
		}
		slices.Sort(arns)
	}
	out := &elbv2.DescribeRulesOutput{}
	for i, arn := range arns {
		if f.rules[arn] == nil {
			return nil, apiError("RuleNotFound")
		}
		if f.single && strconv.Itoa(i) != cmp.Or(aws.ToString(in.Marker), "0") {
			continue
		}
		if f.single && i+1 < len(arns) {
			out.NextMarker = aws.String(strconv.Itoa(i + 1))
		}
		out.Rules = append(out.Rules, types.Rule{RuleArn: aws.String(arn), IsDefault: aws.Bool(f.deflt[arn]), Actions: f.shown(arn)})
	}
	return out, nil
}

func (f *fakeELB) DescribeListeners(ctx context.Context, in *elbv2.DescribeListenersInput, _ ...func(*elbv2.Options)) (*elbv2.DescribeListenersOutput, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if what := f.meet("DescribeListeners"); what.err != nil || ctx.Err() != nil {
		return nil, cmp.Or(what.err, ctx.Err())
	}
	out := &elbv2.DescribeListenersOutput{}
	for _, arn := range in.ListenerArns {
		if f.rules[arn] == nil {
			return nil, apiError("ListenerNotFound")
		}
		out.Listeners = append(out.Listeners, types.Listener{ListenerArn: aws.String(arn), DefaultActions: f.shown(arn)})
	}
	return out, nil
}

func (f *fakeELB) ModifyRule(ctx context.Context, in *elbv2.ModifyRuleInput, opts ...func(*elbv2.Options)) (*elbv2.ModifyRuleOutput, error) {
	return &elbv2.ModifyRuleOutput{}, f.modify(ctx, "ModifyRule", *in.RuleArn, in.Actions, opts)
}

func (f *fakeELB) ModifyListener(ctx context.Context, in *elbv2.ModifyListenerInput, opts ...func(*elbv2.Options)) (*elbv2.ModifyListenerOutput, error) {
	return &elbv2.ModifyListenerOutput{}, f.modify(ctx, "ModifyListener", *in.ListenerArn, in.DefaultActions, opts)
}

func (f *fakeELB) modify(ctx context.Context, op, arn string, actions []types.Action, opts []func(*elbv2.Options)) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if !singleTry(opts) {
		return errors.New("a write that the SDK may repeat")
	}
	what := f.meet(op)
	switch {
	case what.err != nil:
		return what.err
	case what.lost:
		return errCut
	case f.rules[arn] == nil:
		return apiError("RuleNotFound")
	}
	stored, err := f.store(arn, actions)
	if err != nil {
		return err
	}
	f.former[arn] = f.rules[arn]
	f.rules[arn] = stored
	if f.observe != nil {
		f.observe(arn)
	}
	if what.after != nil {
		what.after(f)
	}
	if what.mute {
		return errCut
	}
	return nil
}

// store checks actions as AWS does and gives them as they are answered later.
func (f *fakeELB) store(arn string, actions []types.Action) ([]types.Action, error) {
	stored := slices.Clone(actions)
	for i, a := range stored {
		if o := a.AuthenticateOidcConfig; o != nil {
			if !aws.ToBool(o.UseExistingClientSecret) && o.ClientSecret == nil {
				return nil, apiError("ValidationError")
			}
			if o.ClientSecret != nil {
				f.secrets[arn] = *o.ClientSecret
			}
			kept := *o
			kept.ClientSecret, kept.UseExistingClientSecret = nil, nil
			stored[i].AuthenticateOidcConfig = &kept
		}
		if c := a.ForwardConfig; c != nil && c.TargetGroupStickinessConfig != nil {
			if f.pinned && !aws.ToBool(c.TargetGroupStickinessConfig.Enabled) {
				return nil, apiError("InvalidConfigurationRequest")
			}
		}
	}
	return stored, nil
}

func (f *fakeELB) DescribeTargetHealth(_ context.Context, in *elbv2.DescribeTargetHealthInput, _ ...func(*elbv2.Options)) (*elbv2.DescribeTargetHealthOutput, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if what := f.meet("DescribeTargetHealth"); what.err != nil {
		return nil, what.err
	}
	states, ok := f.health[*in.TargetGroupArn]
	if !ok {
		return nil, apiError("TargetGroupNotFound")
	}
	out := &elbv2.DescribeTargetHealthOutput{}
	for i, s := range states {
		zone := []string{"eu-west-1a", "eu-west-1b"}[i%2]
		out.TargetHealthDescriptions = append(out.TargetHealthDescriptions, types.TargetHealthDescription{
			TargetHealth: &types.TargetHealth{State: s}, Target: &types.TargetDescription{AvailabilityZone: &zone},
		})
	}
	return out, nil
}

func (f *fakeELB) DescribeTags(_ context.Context, in *elbv2.DescribeTagsInput, _ ...func(*elbv2.Options)) (*elbv2.DescribeTagsOutput, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if what := f.meet("DescribeTags"); what.err != nil {
		return nil, what.err
	}
	if len(in.ResourceArns) == 0 || len(in.ResourceArns) > 20 {
		return nil, apiError("ValidationError")
	}
	out := &elbv2.DescribeTagsOutput{}
	for _, arn := range in.ResourceArns {
		if !f.has(arn) {
			return nil, apiError("RuleNotFound")
		}
		d := types.TagDescription{ResourceArn: aws.String(arn)}
		for k, v := range f.tags[arn] {
			d.Tags = append(d.Tags, types.Tag{Key: aws.String(k), Value: aws.String(v)})
		}
		out.TagDescriptions = append(out.TagDescriptions, d)
	}
	return out, nil
}

func (f *fakeELB) AddTags(_ context.Context, in *elbv2.AddTagsInput, opts ...func(*elbv2.Options)) (*elbv2.AddTagsOutput, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !singleTry(opts) {
		return nil, errors.New("a write that the SDK may repeat")
	}
	if what := f.meet("AddTags"); what.err != nil {
		return nil, what.err
	}
	for _, arn := range in.ResourceArns {
		if f.tags[arn] == nil {
			f.tags[arn] = map[string]string{}
		}
		for _, t := range in.Tags {
			f.tags[arn][*t.Key] = *t.Value
		}
	}
	return &elbv2.AddTagsOutput{}, nil
}

func (f *fakeELB) RemoveTags(_ context.Context, in *elbv2.RemoveTagsInput, opts ...func(*elbv2.Options)) (*elbv2.RemoveTagsOutput, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !singleTry(opts) {
		return nil, errors.New("a write that the SDK may repeat")
	}
	if what := f.meet("RemoveTags"); what.err != nil {
		return nil, what.err
	}
	for _, arn := range in.ResourceArns {
		for _, key := range in.TagKeys {
			delete(f.tags[arn], key)
		}
	}
	return &elbv2.RemoveTagsOutput{}, nil
}

func (f *fakeELB) DescribeTargetGroupAttributes(_ context.Context, in *elbv2.DescribeTargetGroupAttributesInput, _ ...func(*elbv2.Options)) (*elbv2.DescribeTargetGroupAttributesOutput, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if what := f.meet("DescribeTargetGroupAttributes"); what.err != nil {
		return nil, what.err
	}
	out := &elbv2.DescribeTargetGroupAttributesOutput{}
	for k, v := range f.attrs[*in.TargetGroupArn] {
		out.Attributes = append(out.Attributes, types.TargetGroupAttribute{Key: aws.String(k), Value: aws.String(v)})
	}
	return out, nil
}

func (f *fakeELB) DescribeLoadBalancerAttributes(_ context.Context, in *elbv2.DescribeLoadBalancerAttributesInput, _ ...func(*elbv2.Options)) (*elbv2.DescribeLoadBalancerAttributesOutput, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if what := f.meet("DescribeLoadBalancerAttributes"); what.err != nil {
		return nil, what.err
	}
	out := &elbv2.DescribeLoadBalancerAttributesOutput{}
	for k, v := range f.attrs[*in.LoadBalancerArn] {
		out.Attributes = append(out.Attributes, types.LoadBalancerAttribute{Key: aws.String(k), Value: aws.String(v)})
	}
	return out, nil
}

// has tells whether the resource is there: what a rule's ARN names is.
func (f *fakeELB) has(arn string) bool {
	if f.rules[arn] != nil || f.health[arn] != nil {
		return true
	}
	for rule := range f.rules {
		if listenerOf(rule) == arn || balancerOf(rule) == arn {
			return true
		}
	}
	return false
}

func singleTry(opts []func(*elbv2.Options)) bool {
	var o elbv2.Options
	for _, opt := range opts {
		opt(&o)
	}
	return o.Retryer != nil && o.Retryer.MaxAttempts() == 1
}

func (f *fakeELB) count(op string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, c := range f.calls {
		if strings.HasPrefix(c, op) {
			n++
		}
	}
	return n
}

const (
	blueTG  = "arn:aws:elasticloadbalancing:eu-west-1:1:targetgroup/blue/1"
	greenTG = "arn:aws:elasticloadbalancing:eu-west-1:1:targetgroup/green/2"
	ruleARN = "arn:aws:elasticloadbalancing:eu-west-1:1:listener-rule/app/web/a/b/c"
)

func forwardTo(weights map[string]int32, sticky bool) types.Action {
	config := &types.ForwardActionConfig{TargetGroupStickinessConfig: &types.TargetGroupStickinessConfig{Enabled: aws.Bool(sticky)}}
	if sticky {
		config.TargetGroupStickinessConfig.DurationSeconds = aws.Int32(3600)
	}
	for _, arn := range []string{blueTG, greenTG, "arn:third"} {
		if w, ok := weights[arn]; ok {
			config.TargetGroups = append(config.TargetGroups, types.TargetGroupTuple{TargetGroupArn: aws.String(arn), Weight: aws.Int32(w)})
		}
	}
	return types.Action{Type: types.ActionTypeEnumForward, Order: aws.Int32(2), ForwardConfig: config}
}

func oidc() types.Action {
	return types.Action{
		Type: types.ActionTypeEnumAuthenticateOidc, Order: aws.Int32(1),
		AuthenticateOidcConfig: &types.AuthenticateOidcActionConfig{
			Issuer: aws.String("https://id.example.com"), ClientId: aws.String("shop"), AuthorizationEndpoint: aws.String("https://id.example.com/a"),
			TokenEndpoint: aws.String("https://id.example.com/t"), UserInfoEndpoint: aws.String("https://id.example.com/u"),
			AuthenticationRequestExtraParams: map[string]string{"prompt": "login"}, SessionTimeout: aws.Int64(300),
		},
	}
}

// setWeights changes the stored weights by hand, as a person at AWS would.
func setWeights(blue, green int32) func(*fakeELB) {
	return func(f *fakeELB) {
		actions := slices.Clone(f.rules[ruleARN])
		was := actions[len(actions)-1].ForwardConfig.TargetGroupStickinessConfig
		actions[len(actions)-1] = forwardTo(map[string]int32{blueTG: blue, greenTG: green}, aws.ToBool(was.Enabled))
		f.rules[ruleARN] = actions
	}
}
