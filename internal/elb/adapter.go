// Package elb reads and sets the weights of two target groups in a forward
// action: of a listener rule, or the default one of a listener, of application
// and network load balancers.
//
// ELBv2 has no compare-and-swap and replaces the whole list of actions. So a
// write reads the actions, compares them with what was seen when the core
// decided, writes the list back with nothing but the two weights changed, and
// reads it back until it shows. What keeps concurrent writers apart is the lease
// of the caller.
//
// Its readings are eventually consistent, too: an answer may tell what stood
// before the newest write. The adapter remembers what it wrote and saw, and
// knows such an answer for what it is (ledger.go).
//
// One Adapter serves all pairs of one account and region. Their readings are
// joined (joint.go, describe.go), and of their rollbacks all weights go first
// (lane.go). action.go has the shapes of actions, plan.go what is written,
// commit.go and rollback.go how, stickiness.go what is done about cookies, tags.go
// mark and owner, targets.go, attributes.go and notes.go what else decides where
// users go, survey.go what a preflight wants to know, runbook.go the way back by
// hand.
package elb

import (
	"context"
	"sync/atomic"
	"time"

	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/clusterswitch/clusterswitch/internal/awsapi"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// Rules is what the adapter needs of the client for listener rules.
type Rules interface {
	DescribeRules(context.Context, *elbv2.DescribeRulesInput, ...func(*elbv2.Options)) (*elbv2.DescribeRulesOutput, error)
	ModifyRule(context.Context, *elbv2.ModifyRuleInput, ...func(*elbv2.Options)) (*elbv2.ModifyRuleOutput, error)
}

// Listeners is what the adapter needs of the client for default actions.
type Listeners interface {
	DescribeListeners(context.Context, *elbv2.DescribeListenersInput, ...func(*elbv2.Options)) (*elbv2.DescribeListenersOutput, error)
	ModifyListener(context.Context, *elbv2.ModifyListenerInput, ...func(*elbv2.Options)) (*elbv2.ModifyListenerOutput, error)
}

// Health is what the adapter needs of the client for target health.
type Health interface {
	DescribeTargetHealth(context.Context, *elbv2.DescribeTargetHealthInput, ...func(*elbv2.Options)) (*elbv2.DescribeTargetHealthOutput, error)
}

// Tags is what the adapter needs of the client for tags.
type Tags interface {
	DescribeTags(context.Context, *elbv2.DescribeTagsInput, ...func(*elbv2.Options)) (*elbv2.DescribeTagsOutput, error)
	AddTags(context.Context, *elbv2.AddTagsInput, ...func(*elbv2.Options)) (*elbv2.AddTagsOutput, error)
	RemoveTags(context.Context, *elbv2.RemoveTagsInput, ...func(*elbv2.Options)) (*elbv2.RemoveTagsOutput, error)
}

// Attributes is what the adapter needs of the client for attributes.
type Attributes interface {
	DescribeTargetGroupAttributes(context.Context, *elbv2.DescribeTargetGroupAttributesInput, ...func(*elbv2.Options)) (*elbv2.DescribeTargetGroupAttributesOutput, error)
	DescribeLoadBalancerAttributes(context.Context, *elbv2.DescribeLoadBalancerAttributesInput, ...func(*elbv2.Options)) (*elbv2.DescribeLoadBalancerAttributesOutput, error)
}

// Options makes an Adapter. One *elasticloadbalancingv2.Client serves as all
// six ports.
type Options struct {
	Rules      Rules
	Listeners  Listeners
	Health     Health
	Tags       Tags
	Attributes Attributes
	// Balancers is needed by Survey alone.
	Balancers Balancers
	// Now is the clock; nil: time.Now.
	Now func() time.Time
	// CallTimeout bounds one call, the SDK's repetitions of a read included;
	// zero: 4 s. A write and its reading back must fit into shift.WriteDeadline,
	// and that into the lease which fences the writes.
	CallTimeout time.Duration
	// Reuse is how old an answer may be that a Read with shift.Resting is given;
	// zero: 1 s.
	Reuse time.Duration
}

// commitBudget bounds a whole Commit. shift.WriteDeadline counts from the
// decision, so some of it is left for what lies between the two.
const commitBudget = shift.WriteDeadline - time.Second

const (
	defaultCallTimeout = 4 * time.Second
	defaultReuse       = time.Second
)

// Adapter reads and writes actions. It is safe for concurrent use, and meant to
// be shared by all pairs of one account and region.
type Adapter struct {
	ports       Options
	now         func() time.Time
	callTimeout time.Duration
	reuse       time.Duration

	actions    *joint[sighting]
	tags       *joint[[]types.Tag]
	health     *joint[counted]
	attributes *joint[map[string]string]
	lists      *joint[[]types.LoadBalancer]
	fronts     *joint[front]

	known ledger
	lane  *lane
	debts debts
	gone  missing
	few   chan struct{} // held by calls that go out a few at a time
	// urgentGroups counts the target groups whose health is asked for urgently.
	urgentGroups atomic.Int32
	// batch is how many ARNs one call of describe names; lower once AWS refused it.
	batch atomic.Int32
}

// New makes an Adapter.
func New(o Options) *Adapter {
	a := &Adapter{ports: o, now: o.Now, callTimeout: o.CallTimeout, reuse: o.Reuse, lane: newLane(), few: make(chan struct{}, fewAtOnce)}
	if a.now == nil {
		a.now = time.Now
	}
	if a.callTimeout <= 0 {
		a.callTimeout = defaultCallTimeout
	}
	if a.reuse <= 0 {
		a.reuse = defaultReuse
	}
	a.batch.Store(maxDescribed)
	a.known = ledger{now: a.now, entries: map[string]*entry{}}
	a.debts = debts{of: map[string]debt{}}
	a.gone = missing{arns: map[string]bool{}}
	a.actions = newJoint(a.now, a.lookAtActions, together)
	a.tags = newJoint(a.now, a.lookAtTags, together)
	a.health = newJoint(a.now, a.lookAtHealth, eachAlone)
	a.attributes = newJoint(a.now, a.lookAtAttributes, eachAlone)
	a.lists = newJoint(a.now, a.lookAtLists, eachAlone)
	a.fronts = newJoint(a.now, a.lookAtFronts, eachAlone)
	return a
}

// once keeps the SDK from repeating a write.
func once(o *elbv2.Options) { o.Retryer = awsapi.Once() }
