// Package elb reads and sets the weights of two target groups in the forward
// action of a listener rule.
//
// ELBv2 has no compare-and-swap and replaces a rule's whole list of actions. So
// a write reads the rule, compares it with what was seen when the core decided,
// writes the list back with nothing but the two weights changed, and reads it
// back. What keeps concurrent writers apart is the lease of the caller.
package elb

import (
	"context"
	"sync"
	"time"

	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"

	"github.com/clusterswitch/clusterswitch/internal/awsapi"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// Rules is what the adapter needs of the client for listener rules.
type Rules interface {
	DescribeRules(context.Context, *elbv2.DescribeRulesInput, ...func(*elbv2.Options)) (*elbv2.DescribeRulesOutput, error)
	ModifyRule(context.Context, *elbv2.ModifyRuleInput, ...func(*elbv2.Options)) (*elbv2.ModifyRuleOutput, error)
}

// Health is what the adapter needs of the client for target health.
type Health interface {
	DescribeTargetHealth(context.Context, *elbv2.DescribeTargetHealthInput, ...func(*elbv2.Options)) (*elbv2.DescribeTargetHealthOutput, error)
}

// Tags is what the adapter needs of the client for tags.
type Tags interface {
	DescribeTags(context.Context, *elbv2.DescribeTagsInput, ...func(*elbv2.Options)) (*elbv2.DescribeTagsOutput, error)
	AddTags(context.Context, *elbv2.AddTagsInput, ...func(*elbv2.Options)) (*elbv2.AddTagsOutput, error)
}

// Options makes an Adapter. One *elasticloadbalancingv2.Client serves as all
// three ports.
type Options struct {
	Rules  Rules
	Health Health
	Tags   Tags
	// Now is the clock; nil: time.Now.
	Now func() time.Time
	// CallTimeout bounds one call, the SDK's repetitions of a read included;
	// zero: 4 s. A write and its reading back must fit into shift.WriteDeadline,
	// and that into the lease which fences the writes.
	CallTimeout time.Duration
}

// commitBudget bounds a whole Commit. shift.WriteDeadline counts from the
// decision, so some of it is left for what lies between the two.
const commitBudget = shift.WriteDeadline - time.Second

const defaultCallTimeout = 4 * time.Second

// Adapter reads and writes listener rules. It is safe for concurrent use.
type Adapter struct {
	rules       Rules
	health      Health
	tags        Tags
	now         func() time.Time
	callTimeout time.Duration

	mu   sync.Mutex
	last map[string]rule // by ARN: the newest reading, until it is written over
}

// New makes an Adapter.
func New(o Options) *Adapter {
	a := &Adapter{
		rules: o.Rules, health: o.Health, tags: o.Tags,
		now: o.Now, callTimeout: o.CallTimeout, last: map[string]rule{},
	}
	if a.now == nil {
		a.now = time.Now
	}
	if a.callTimeout <= 0 {
		a.callTimeout = defaultCallTimeout
	}
	return a
}

// once keeps the SDK from repeating a write.
func once(o *elbv2.Options) { o.Retryer = awsapi.Once() }

func (a *Adapter) remember(r rule) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.last[r.arn] = r
}

func (a *Adapter) remembered(arn string) (rule, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	r, ok := a.last[arn]
	return r, ok
}

func (a *Adapter) forget(arn string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.last, arn)
}
