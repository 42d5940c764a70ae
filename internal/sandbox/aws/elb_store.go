package aws

import (
	"maps"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/routing"
)

// elbStore keeps the load balancers, listeners, rules and target groups of all
// accounts, and what the edge is told of them.
type elbStore struct {
	opts    Options
	ids     *idSource
	hosts   hostCounter
	current atomic.Pointer[elbSnapshot]

	mu       sync.Mutex
	accounts []*elbAccount // guarded by mu, with all below them; in the order of their first call
	stale    staleReads    // guarded by mu
}

// elbAccount is what one account has. Its methods are the operations; they are
// called with the store's mu held.
type elbAccount struct {
	*elbStore
	id        string
	balancers shelf[*loadBalancer]
	groups    shelf[*targetGroup]
	listeners shelf[*listener]
	rules     map[string]*rule             // by ARN; their order is the listener's
	tags      map[string]map[string]string // by ARN; the inner maps are replaced, never changed
}

// shelf keeps things in the order of their creation and finds them by ARN.
type shelf[T comparable] struct {
	all   []T
	byARN map[string]T
}

func newShelf[T comparable]() shelf[T] { return shelf[T]{byARN: map[string]T{}} }

func (s *shelf[T]) add(arn string, thing T) {
	s.all, s.byARN[arn] = append(s.all, thing), thing
}

func (s *shelf[T]) drop(arn string) {
	gone := s.byARN[arn]
	s.all = slices.DeleteFunc(s.all, func(thing T) bool { return thing == gone })
	delete(s.byARN, arn)
}

// hostCounter learns how many targets of a group are healthy, for CloudWatch.
type hostCounter interface {
	recordHosts(group, balancer string, healthy, unhealthy int)
}

// Types of load balancers.
const (
	applicationType = "application"
	networkType     = "network"
)

type loadBalancer struct {
	arn, name, id, kind, dnsName, scheme, address string
	subnets, securityGroups                       []string
	created                                       time.Time
	attributes                                    map[string]string // that were set; replaced, never changed
	groups                                        int               // target groups that its rules forward to
}

// suffix is the part of the ARN that names the load balancer elsewhere.
func (b *loadBalancer) suffix() string {
	prefix := "app/"
	if b.kind == networkType {
		prefix = "net/"
	}
	return prefix + b.name + "/" + b.id
}

type listener struct {
	arn, id, protocol, sslPolicy, alpn string
	port                               int
	certificates                       []*element
	balancer                           *loadBalancer
	rules                              []*rule // by priority; the default rule is the last

	edge  routing.Listener // what the edge is told, unless stale
	stale bool
}

func (l *listener) defaultRule() *rule { return l.rules[len(l.rules)-1] }

type rule struct {
	arn        string
	listener   *listener
	priority   int // 0 for the default rule
	conditions []condition
	actions    []action

	edge   routing.Rule
	usable bool // the edge can evaluate it
}

type targetGroup struct {
	arn, name, id, protocol, version, vpc string
	port                                  int
	check                                 healthCheck
	targets                               []*target
	attributes                            map[string]string // that were set; replaced, never changed
	rules                                 map[*rule]struct{}
	balancer                              *loadBalancer // of the rules; nil while there is none

	edge  routing.TargetGroup // what the edge is told, unless stale
	stale bool
	until time.Time // when its next draining target disappears; zero for never
}

type target struct {
	address, zone string
	port          int
	state         routing.State
	reason        string
	gone          time.Time // when a draining target disappears; zero otherwise
}

func newELBStore(opts Options, ids *idSource, hosts hostCounter) *elbStore {
	s := &elbStore{opts: opts, ids: ids, hosts: hosts}
	s.current.Store(&elbSnapshot{})
	return s
}

func (s *elbStore) operations() map[string]operation {
	return map[string]operation{
		"CreateLoadBalancer":             s.write((*elbAccount).createLoadBalancer),
		"DescribeLoadBalancers":          s.read((*elbAccount).describeLoadBalancers),
		"DeleteLoadBalancer":             s.write((*elbAccount).deleteLoadBalancer),
		"DescribeLoadBalancerAttributes": s.read((*elbAccount).describeLoadBalancerAttributes),
		"ModifyLoadBalancerAttributes":   s.write((*elbAccount).modifyLoadBalancerAttributes),
		"CreateTargetGroup":              s.write((*elbAccount).createTargetGroup),
		"DescribeTargetGroups":           s.read((*elbAccount).describeTargetGroups),
		"DeleteTargetGroup":              s.write((*elbAccount).deleteTargetGroup),
		"DescribeTargetGroupAttributes":  s.read((*elbAccount).describeTargetGroupAttributes),
		"ModifyTargetGroupAttributes":    s.write((*elbAccount).modifyTargetGroupAttributes),
		"RegisterTargets":                s.write((*elbAccount).registerTargets),
		"DeregisterTargets":              s.write((*elbAccount).deregisterTargets),
		"DescribeTargetHealth":           s.read((*elbAccount).describeTargetHealth),
		"CreateListener":                 s.write((*elbAccount).createListener),
		"DescribeListeners":              s.read((*elbAccount).describeListeners),
		"ModifyListener":                 s.write((*elbAccount).modifyListener),
		"DeleteListener":                 s.write((*elbAccount).deleteListener),
		"CreateRule":                     s.write((*elbAccount).createRule),
		"DescribeRules":                  s.read((*elbAccount).describeRules),
		"ModifyRule":                     s.write((*elbAccount).modifyRule),
		"DeleteRule":                     s.write((*elbAccount).deleteRule),
		"AddTags":                        s.write((*elbAccount).addTags),
		"RemoveTags":                     s.write((*elbAccount).removeTags),
		"DescribeTags":                   s.read((*elbAccount).describeTags),
	}
}

// elbCall is one operation on what the caller's account has. It checks
// everything before it changes anything, and marks as stale what the edge has to
// be told anew.
type elbCall func(*elbAccount, *element) (any, error)

func (s *elbStore) write(run elbCall) operation {
	return operation{write: true, run: func(req *request) (any, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		a := s.accountLocked(req.caller.account)
		before := s.stale.before(a)
		answer, err := run(a, req.form)
		if err == nil {
			s.publishLocked()
			s.stale.wrote(before, s.opts.Now())
		}
		return answer, err
	}}
}

func (s *elbStore) read(run elbCall) operation {
	return operation{run: func(req *request) (any, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		a := s.accountLocked(req.caller.account)
		if !req.aside {
			a = s.stale.asRead(a, req.operation, s.opts.Now())
		}
		return run(a, req.form)
	}}
}

// accountLocked returns what an account has, nothing at its first call; the
// caller holds mu.
func (s *elbStore) accountLocked(id string) *elbAccount {
	i := slices.IndexFunc(s.accounts, func(a *elbAccount) bool { return a.id == id })
	if i >= 0 {
		return s.accounts[i]
	}
	a := newELBAccount(s, id)
	s.accounts = append(s.accounts, a)
	return a
}

func newELBAccount(s *elbStore, id string) *elbAccount {
	return &elbAccount{
		elbStore: s, id: id,
		balancers: newShelf[*loadBalancer](), groups: newShelf[*targetGroup](), listeners: newShelf[*listener](),
		rules: map[string]*rule{}, tags: map[string]map[string]string{},
	}
}

// clone returns a copy that later writes don't reach, for reads only.
func (a *elbAccount) clone() *elbAccount {
	c := newELBAccount(a.elbStore, a.id)
	c.tags = maps.Clone(a.tags)
	twins := map[*loadBalancer]*loadBalancer{}
	for _, b := range a.balancers.all {
		twin := *b
		twins[b] = &twin
		c.balancers.add(b.arn, &twin)
	}
	for _, g := range a.groups.all {
		twin := *g
		twin.balancer, twin.rules = twins[g.balancer], nil
		twin.targets = nil
		for _, t := range g.targets {
			copied := *t
			twin.targets = append(twin.targets, &copied)
		}
		c.groups.add(g.arn, &twin)
	}
	for _, l := range a.listeners.all {
		twin := *l
		twin.balancer, twin.rules = twins[l.balancer], nil
		for _, r := range l.rules {
			copied := *r
			copied.listener = &twin
			twin.rules = append(twin.rules, &copied)
			c.rules[r.arn] = &copied
		}
		c.listeners.add(l.arn, &twin)
	}
	return c
}

func (a *elbAccount) arn(path string) string {
	return "arn:aws:elasticloadbalancing:" + a.opts.Region + ":" + a.id + ":" + path
}

func (a *elbAccount) balancer(arn string) (*loadBalancer, error) {
	if b, ok := a.balancers.byARN[arn]; ok {
		return b, nil
	}
	return nil, badRequest("LoadBalancerNotFound", "One or more load balancers not found")
}

func (a *elbAccount) group(arn string) (*targetGroup, error) {
	if g, ok := a.groups.byARN[arn]; ok {
		return g, nil
	}
	return nil, badRequest("TargetGroupNotFound", "One or more target groups not found")
}

func (a *elbAccount) listener(arn string) (*listener, error) {
	if l, ok := a.listeners.byARN[arn]; ok {
		return l, nil
	}
	return nil, badRequest("ListenerNotFound", "One or more listeners not found")
}

func (a *elbAccount) rule(arn string) (*rule, error) {
	if r, ok := a.rules[arn]; ok {
		return r, nil
	}
	return nil, badRequest("RuleNotFound", "One or more rules not found")
}

// page cuts one page out of a listing. Markers are positions, which is enough
// for pages that are read one after the other.
func page[T any](form *element, all []T) (part []T, next string, err error) {
	size, err := form.integer("PageSize", 400, 1, 400)
	if err != nil {
		return nil, "", err
	}
	from := 0
	if marker := form.str("Marker"); marker != "" {
		from, err = strconv.Atoi(marker)
		if err != nil || from < 0 || from > len(all) {
			return nil, "", badRequest("ValidationError", "The specified marker is not valid: '%s'", marker)
		}
	}
	end := min(from+size, len(all))
	if end < len(all) {
		next = strconv.Itoa(end)
	}
	return all[from:end], next, nil
}
