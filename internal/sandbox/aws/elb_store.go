package aws

import (
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/routing"
)

// elbStore keeps the load balancers, listeners, rules and target groups.
type elbStore struct {
	opts    Options
	ids     *idSource
	hosts   hostCounter
	current atomic.Pointer[elbSnapshot]

	mu        sync.Mutex
	balancers []*loadBalancer              // guarded by mu, as all below; in the order of creation
	groups    []*targetGroup               // in the order of creation
	listeners []*listener                  // in the order of creation
	tags      map[string]map[string]string // by ARN
}

// hostCounter learns how many targets of a group are healthy, for CloudWatch.
type hostCounter interface {
	recordHosts(group, balancer string, healthy, unhealthy int)
}

type loadBalancer struct {
	arn, name, id, dnsName, scheme, address string
	subnets, securityGroups                 []string
	created                                 time.Time
}

// suffix is the part of the ARN that names the load balancer elsewhere.
func (b *loadBalancer) suffix() string { return "app/" + b.name + "/" + b.id }

type listener struct {
	arn, id, protocol, sslPolicy string
	port                         int
	certificates                 []*element
	balancer                     *loadBalancer
	rules                        []*rule // by priority; the default rule is the last
}

func (l *listener) defaultRule() *rule { return l.rules[len(l.rules)-1] }

type rule struct {
	arn        string
	priority   int // 0 for the default rule
	conditions []condition
	actions    []action
}

type targetGroup struct {
	arn, name, id, protocol, version, vpc string
	port                                  int
	check                                 healthCheck
	targets                               []*target
}

type target struct {
	address string
	port    int
	state   routing.State
	reason  string
	gone    time.Time // when a draining target disappears; zero otherwise
}

func newELBStore(opts Options, ids *idSource, hosts hostCounter) *elbStore {
	s := &elbStore{opts: opts, ids: ids, hosts: hosts, tags: map[string]map[string]string{}}
	s.current.Store(&elbSnapshot{})
	return s
}

func (s *elbStore) operations() map[string]operation {
	return map[string]operation{
		"CreateLoadBalancer":    {write: true, run: s.locked(s.createLoadBalancer)},
		"DescribeLoadBalancers": {run: s.locked(s.describeLoadBalancers)},
		"DeleteLoadBalancer":    {write: true, run: s.locked(s.deleteLoadBalancer)},
		"CreateTargetGroup":     {write: true, run: s.locked(s.createTargetGroup)},
		"DescribeTargetGroups":  {run: s.locked(s.describeTargetGroups)},
		"DeleteTargetGroup":     {write: true, run: s.locked(s.deleteTargetGroup)},
		"RegisterTargets":       {write: true, run: s.locked(s.registerTargets)},
		"DeregisterTargets":     {write: true, run: s.locked(s.deregisterTargets)},
		"DescribeTargetHealth":  {run: s.locked(s.describeTargetHealth)},
		"CreateListener":        {write: true, run: s.locked(s.createListener)},
		"DescribeListeners":     {run: s.locked(s.describeListeners)},
		"ModifyListener":        {write: true, run: s.locked(s.modifyListener)},
		"DeleteListener":        {write: true, run: s.locked(s.deleteListener)},
		"CreateRule":            {write: true, run: s.locked(s.createRule)},
		"DescribeRules":         {run: s.locked(s.describeRules)},
		"ModifyRule":            {write: true, run: s.locked(s.modifyRule)},
		"DeleteRule":            {write: true, run: s.locked(s.deleteRule)},
		"AddTags":               {write: true, run: s.locked(s.addTags)},
		"RemoveTags":            {write: true, run: s.locked(s.removeTags)},
		"DescribeTags":          {run: s.locked(s.describeTags)},
	}
}

// locked runs an operation while it holds mu: it may use what is guarded. Every
// operation checks everything before it changes anything, and calls
// changedLocked when it has changed something that the edge sees.
func (s *elbStore) locked(run func(*element) (any, error)) func(*request) (any, error) {
	return func(req *request) (any, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		return run(req.form)
	}
}

func (s *elbStore) arn(path string) string {
	return "arn:aws:elasticloadbalancing:" + s.opts.Region + ":" + s.opts.AccountID + ":" + path
}

func (s *elbStore) balancer(arn string) (*loadBalancer, error) {
	for _, b := range s.balancers {
		if b.arn == arn {
			return b, nil
		}
	}
	return nil, badRequest("LoadBalancerNotFound", "One or more load balancers not found")
}

func (s *elbStore) group(arn string) (*targetGroup, error) {
	for _, g := range s.groups {
		if g.arn == arn {
			return g, nil
		}
	}
	return nil, badRequest("TargetGroupNotFound", "One or more target groups not found")
}

func (s *elbStore) listener(arn string) (*listener, error) {
	for _, l := range s.listeners {
		if l.arn == arn {
			return l, nil
		}
	}
	return nil, badRequest("ListenerNotFound", "One or more listeners not found")
}

func (s *elbStore) rule(arn string) (*listener, *rule, error) {
	for _, l := range s.listeners {
		for _, r := range l.rules {
			if r.arn == arn {
				return l, r, nil
			}
		}
	}
	return nil, nil, badRequest("RuleNotFound", "One or more rules not found")
}

// balancerOf returns the load balancer that forwards to a group, or nil.
func (s *elbStore) balancerOf(g *targetGroup) *loadBalancer {
	for _, l := range s.listeners {
		for _, r := range l.rules {
			if slices.ContainsFunc(r.actions, func(a action) bool { return a.forwardsTo(g.arn) }) {
				return l.balancer
			}
		}
	}
	return nil
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
			return nil, "", refusal(http.StatusBadRequest, "ValidationError", "The specified marker is not valid: '%s'", marker)
		}
	}
	end := min(from+size, len(all))
	if end < len(all) {
		next = strconv.Itoa(end)
	}
	return all[from:end], next, nil
}
