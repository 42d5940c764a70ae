package elb

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/clusterswitch/clusterswitch/internal/awsapi"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// Balancers is what a survey needs of the client for load balancers and their
// target groups.
type Balancers interface {
	DescribeLoadBalancers(context.Context, *elbv2.DescribeLoadBalancersInput, ...func(*elbv2.Options)) (*elbv2.DescribeLoadBalancersOutput, error)
	DescribeTargetGroups(context.Context, *elbv2.DescribeTargetGroupsInput, ...func(*elbv2.Options)) (*elbv2.DescribeTargetGroupsOutput, error)
}

// surveyKept is how old the answers of a survey may be: many pairs share load
// balancers, and what is asked here changes seldom.
const surveyKept = time.Minute

// Sought says what a survey looks for.
type Sought struct {
	// Actions are rules and listeners whose load balancers are wanted.
	Actions []string
	// Hosts are DNS names of load balancers, in lower case without final dot and
	// without the prefix dualstack; Addresses are static IP addresses of some.
	Hosts     []string
	Addresses []string
	// Groups are target groups whose attributes, tags and targets are wanted.
	// Of load balancers by Hosts and Addresses the targets of all groups are counted.
	Groups []string
}

// Survey is what was found.
type Survey struct {
	Balancers []Balancer
	Groups    []Group
	// Faults are what could not be read.
	Faults []Fault
}

// Fault is something that could not be read.
type Fault struct {
	What string // as "the rules of listener arn:…"
	Why  string // a sentence's end with what to do
}

// Balancer is a load balancer with all that leads through it.
type Balancer struct {
	ARN       string
	DNSName   string // in lower case
	Internal  bool
	Network   bool
	Addresses []string // static ones only; AWS tells no others
	Listeners []Listener
	Groups    []string // ARNs
	// Whole: listeners and groups could be read.
	Whole bool
	// Created is when it was made; zero: AWS doesn't tell.
	Created time.Time
}

// Listener is a listener with all its actions.
type Listener struct {
	ARN      string
	Protocol string
	Port     int
	Rules    []Rule
}

// Rule is a rule, or a listener's default action, which has the listener's ARN.
type Rule struct {
	ARN     string
	Default bool
	// Hosts, Paths and Headers are the patterns of hosts and paths and the names of
	// headers that its conditions name. Others: it has conditions of other kinds.
	Hosts   []string
	Paths   []string
	Headers []string
	Others  bool
	// Weights are the target groups that it forwards to, by ARN; one that it names
	// alone has 1.
	Weights map[string]int
}

// Group is a target group.
type Group struct {
	ARN        string
	Name       string
	TargetType string // instance, ip, lambda or alb
	Port       int    // of targets that name none
	// Settings are health checks and protocols by the names of the API's fields, and
	// attributes by their keys, as far as they were asked for and could be read.
	Settings map[string]string
	// Targets are known where they were counted; Ports are those of the targets.
	Targets shift.Targets
	Ports   []int
	// Maker names the controller that made it; empty: none is known to have.
	Maker string
}

// Survey looks at load balancers with all that leads through them: what a
// preflight compares. Answers may be a minute old. It returns no error: what
// can't be read is told by its faults.
func (a *Adapter) Survey(ctx context.Context, s Sought) Survey {
	var out Survey
	const all = "all"
	listed := a.lists.get(ctx, []string{all}, ages{good: surveyKept})[all]
	if listed.failed != nil {
		out.fault("the list of load balancers", *listed.failed, "DescribeLoadBalancers")
		return out
	}
	counted := map[string]bool{} // whose targets are wanted
	for _, arn := range s.Groups {
		counted[arn] = true
	}
	behind := map[string]bool{} // load balancers whose groups are all counted
	var found []types.LoadBalancer
	for _, lb := range listed.value {
		byName := s.names(lb)
		if byName || s.acts(lb) {
			found, behind[aws.ToString(lb.LoadBalancerArn)] = append(found, lb), byName
		}
	}
	arns := make([]string, len(found))
	for i, lb := range found {
		arns[i] = aws.ToString(lb.LoadBalancerArn)
	}
	fronts := a.fronts.get(ctx, arns, ages{good: surveyKept})
	for _, lb := range found {
		b := balancerAs(lb)
		got := fronts[b.ARN]
		if b.Whole = got.failed == nil; !b.Whole {
			out.fault("what load balancer "+b.ARN+" leads to", *got.failed, "DescribeListeners, DescribeRules and DescribeTargetGroups")
		}
		b.Listeners = got.value.listeners
		for _, g := range got.value.groups {
			each := groupAs(g)
			b.Groups = append(b.Groups, each.ARN)
			counted[each.ARN] = counted[each.ARN] || behind[b.ARN]
			out.Groups = append(out.Groups, each) // AWS attaches it to one load balancer alone
		}
		out.Balancers = append(out.Balancers, b)
	}
	a.detail(ctx, &out, s.Groups, counted)
	return out
}

// names tells whether a load balancer has one of the names or addresses.
func (s Sought) names(lb types.LoadBalancer) bool {
	return slices.Contains(s.Hosts, strings.ToLower(aws.ToString(lb.DNSName))) ||
		slices.ContainsFunc(addressesOf(lb), func(at string) bool { return slices.Contains(s.Addresses, at) })
}

// acts tells whether one of the actions is a load balancer's.
func (s Sought) acts(lb types.LoadBalancer) bool {
	return slices.ContainsFunc(s.Actions, func(arn string) bool { return balancerOf(arn) == aws.ToString(lb.LoadBalancerArn) })
}

func addressesOf(lb types.LoadBalancer) []string {
	var at []string
	for _, zone := range lb.AvailabilityZones {
		for _, a := range zone.LoadBalancerAddresses {
			for _, each := range []*string{a.IpAddress, a.IPv6Address, a.PrivateIPv4Address} {
				if each != nil {
					at = append(at, *each)
				}
			}
		}
	}
	return at
}

func balancerAs(lb types.LoadBalancer) Balancer {
	return Balancer{
		ARN: aws.ToString(lb.LoadBalancerArn), DNSName: strings.ToLower(aws.ToString(lb.DNSName)),
		Internal: lb.Scheme == types.LoadBalancerSchemeEnumInternal, Network: lb.Type == types.LoadBalancerTypeEnumNetwork,
		Addresses: addressesOf(lb), Created: aws.ToTime(lb.CreatedTime),
	}
}

func (s *Survey) fault(what string, f awsapi.Failure, right string) {
	s.Faults = append(s.Faults, Fault{What: what, Why: f.String() + f.Remedy("elasticloadbalancing:"+right)})
}

// detail adds attributes and makers of the named groups, and counts targets.
func (a *Adapter) detail(ctx context.Context, s *Survey, named []string, counting map[string]bool) {
	there := slices.DeleteFunc(slices.Clone(named), func(arn string) bool {
		return !slices.ContainsFunc(s.Groups, func(g Group) bool { return g.ARN == arn })
	})
	var attributes map[string]answer[map[string]string]
	var tags map[string]answer[[]types.Tag]
	var health map[string]answer[counted]
	var asking sync.WaitGroup
	asking.Go(func() { attributes = a.attributes.get(ctx, there, ages{good: surveyKept}) })
	asking.Go(func() { tags = a.tags.get(ctx, there, ages{good: surveyKept}) })
	asking.Go(func() {
		counting := slices.DeleteFunc(slices.Sorted(maps.Keys(counting)), func(arn string) bool { return !counting[arn] })
		health = a.health.get(ctx, counting, ages{good: surveyKept})
	})
	asking.Wait()
	for i := range s.Groups {
		g := &s.Groups[i]
		arn := g.ARN
		if got, asked := attributes[arn]; asked && got.failed != nil {
			s.fault("the attributes of target group "+arn, *got.failed, "DescribeTargetGroupAttributes")
		} else if asked {
			maps.Copy(g.Settings, got.value)
		}
		if got, asked := tags[arn]; asked && got.failed != nil {
			s.fault("the tags of target group "+arn, *got.failed, "DescribeTags")
		} else {
			g.Maker = controllerOf(got.value)
		}
		if got, asked := health[arn]; asked && got.failed != nil {
			s.fault("the targets of target group "+arn, *got.failed, "DescribeTargetHealth")
		} else if asked {
			g.Targets, g.Ports = got.value.Targets, got.value.ports
		}
	}
}

// lookAtLists reads all load balancers of the region.
func (a *Adapter) lookAtLists(ctx context.Context, keys []string) map[string]answer[[]types.LoadBalancer] {
	return surveyed(ctx, a, keys, func(ctx context.Context, _ string) ([]types.LoadBalancer, error) {
		return pages(func(marker *string) ([]types.LoadBalancer, *string, error) {
			out, err := bounded(ctx, a.callTimeout, func(ctx context.Context) (*elbv2.DescribeLoadBalancersOutput, error) {
				return a.ports.Balancers.DescribeLoadBalancers(ctx, &elbv2.DescribeLoadBalancersInput{Marker: marker, PageSize: aws.Int32(maxPage)})
			})
			if err != nil {
				return nil, nil, err
			}
			return out.LoadBalancers, out.NextMarker, nil
		})
	})
}

// lookAtFronts reads what lies behind load balancers.
func (a *Adapter) lookAtFronts(ctx context.Context, arns []string) map[string]answer[front] {
	return surveyed(ctx, a, arns, a.front)
}

// surveyed looks at each key in turn, and stops at the first that AWS throttles.
func surveyed[V any](ctx context.Context, a *Adapter, keys []string, look func(context.Context, string) (V, error)) map[string]answer[V] {
	answers := map[string]answer[V]{}
	a.inTurn(ctx, func() (throttled bool) {
		for _, key := range keys {
			got, err := look(ctx, key)
			if err != nil {
				f := awsapi.Classify(err)
				answers[key] = answer[V]{failed: &f}
				continue
			}
			answers[key] = answer[V]{value: got}
		}
		return anyThrottled(answers)
	})
	return answers
}
