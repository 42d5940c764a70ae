// Package route53 reads and sets the weights of weighted A records.
//
// A write is one atomic ChangeResourceRecordSets that deletes both records
// exactly as they were read and creates them with other weights: AWS refuses it
// when anything of them has changed since, so it is a compare-and-swap. The
// same batch carries the mark, a TXT record beside the group, which makes two
// states with equal weights different (A-B-A) and lets AWS tell the story when
// the journal is away.
package route53

import (
	"context"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/route53"

	"github.com/clusterswitch/clusterswitch/internal/awsapi"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// API is what the adapter needs of the Route 53 client.
type API interface {
	ListResourceRecordSets(context.Context, *route53.ListResourceRecordSetsInput, ...func(*route53.Options)) (*route53.ListResourceRecordSetsOutput, error)
	ChangeResourceRecordSets(context.Context, *route53.ChangeResourceRecordSetsInput, ...func(*route53.Options)) (*route53.ChangeResourceRecordSetsOutput, error)
	GetChange(context.Context, *route53.GetChangeInput, ...func(*route53.Options)) (*route53.GetChangeOutput, error)
}

// Options makes an Adapter.
type Options struct {
	API API
	// Now is the clock; nil: time.Now.
	Now func() time.Time
	// CallTimeout bounds one call, the SDK's repetitions of a read included;
	// zero: 4 s. A write and its reading back must fit into shift.WriteDeadline.
	CallTimeout time.Duration
	// OwnerEvery is how long the answer counts that no other controller owns a
	// name; zero: 5 min. Asking takes a call that the tick has no use for.
	OwnerEvery time.Duration
}

// commitBudget bounds a whole Commit. shift.WriteDeadline counts from the
// decision, so some of it is left for what lies between the two.
const commitBudget = shift.WriteDeadline - time.Second

const (
	defaultCallTimeout = 4 * time.Second
	defaultOwnerEvery  = 5 * time.Minute
)

// Adapter reads and swaps weighted record groups. It is safe for concurrent
// use; the swaps themselves keep concurrent writers apart.
type Adapter struct {
	api         API
	now         func() time.Time
	callTimeout time.Duration
	ownerEvery  time.Duration

	mu      sync.Mutex
	last    map[key]group      // the newest reading, until it is written over
	pending map[key]submission // writes that may not be on all of AWS's servers yet
	owners  map[key]ownership
}

// key names one group across zones.
type key struct{ zone, name string }

func keyOf(e shift.Route53Entrance) key {
	return key{zone: e.HostedZoneID, name: canonical(e.Names[0])}
}

// New makes an Adapter.
func New(o Options) *Adapter {
	a := &Adapter{
		api: o.API, now: o.Now, callTimeout: o.CallTimeout, ownerEvery: o.OwnerEvery,
		last: map[key]group{}, pending: map[key]submission{}, owners: map[key]ownership{},
	}
	if a.now == nil {
		a.now = time.Now
	}
	if a.callTimeout <= 0 {
		a.callTimeout = defaultCallTimeout
	}
	if a.ownerEvery <= 0 {
		a.ownerEvery = defaultOwnerEvery
	}
	return a
}

// once keeps the SDK from repeating a write.
func once(o *route53.Options) { o.Retryer = awsapi.Once() }

func (a *Adapter) remembered(k key) (group, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	g, ok := a.last[k]
	return g, ok
}

func (a *Adapter) remember(k key, g group) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.last[k] = g
}

// written forgets what the write made untrue and notes the change to wait for.
func (a *Adapter) written(k key, id string, at time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.last, k)
	a.pending[k] = submission{id: id, at: at}
}

// unanswered notes a write whose answer, and with it the change's ID, was lost:
// that an older change is in sync says nothing of it.
func (a *Adapter) unanswered(k key, at time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.pending[k] = submission{at: at}
}
