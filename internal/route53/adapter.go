// Package route53 reads and sets the weights of weighted records: A, AAAA and
// CNAME, with values or as aliases, for any number of names.
//
// A write is one atomic ChangeResourceRecordSets that deletes records exactly
// as they were read and creates them with other weights: AWS refuses it when
// anything of them has changed since, so it is a compare-and-swap. The same
// batch carries the mark, a TXT record beside each name, which makes two states
// with equal weights different (A-B-A) and lets AWS tell the story when the
// journal is away.
//
// All pairs share one Adapter. For each hosted zone they share the listings
// (sweep.go) and the batches (queue.go), so that what AWS is asked depends on
// the records, not on the number of pairs.
//
//	name.go, group.go, spot.go, mark.go   what is read: the shapes
//	check.go, notes.go, picture.go        what it means: refusals, notes, one reading
//	read.go, zone.go, sweep.go, sync.go   how it is read
//	owner.go, registry.go                 whether external-dns writes it, too
//	plan.go, batch.go                     what is written, and how much fits
//	queue.go, flight.go                   how changes of many pairs share batches
//	commit.go, rise.go, rollback.go       what becomes of one change
//	runbook.go                            the way back by hand
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
	// OwnerEvery is how long the answer counts which records external-dns writes;
	// zero: 5 min. Asking takes a listing of the whole zone.
	OwnerEvery time.Duration
	// Reuse is how old a listing may be when a Read asks and still answer it; for
	// an urgent Read it is no more than 250 ms. Zero: 1 s. Negative: a Read is
	// answered only by a listing that begins after it asked.
	Reuse time.Duration
	// Gather is how long Reads, rises and lowerings wait for others of the same
	// zone to share a call with; zero: 5 ms, negative: not at all. An urgent Read
	// and a first rollback never wait.
	Gather time.Duration
}

// commitBudget bounds a whole Commit. shift.WriteDeadline counts from the
// decision, so some of it is left for what lies between the two.
const commitBudget = shift.WriteDeadline - time.Second

const (
	defaultCallTimeout = 4 * time.Second
	defaultOwnerEvery  = 5 * time.Minute
	defaultReuse       = time.Second
	defaultGather      = 5 * time.Millisecond
	// urgentReuse bounds the age of a listing that answers an urgent Read. It is
	// there so that a thousand rollbacks at once read the zone, not themselves.
	urgentReuse = 250 * time.Millisecond
)

// Adapter reads and swaps weighted record groups. It is safe for concurrent
// use; the swaps themselves keep concurrent writers apart.
type Adapter struct {
	api  API
	now  func() time.Time
	opts Options // with the defaults filled in

	mu    sync.Mutex
	zones map[string]*zone // by hosted zone ID
}

// New makes an Adapter.
func New(o Options) *Adapter {
	if o.Now == nil {
		o.Now = time.Now
	}
	for _, d := range []struct {
		value    *time.Duration
		standard time.Duration
	}{
		{&o.CallTimeout, defaultCallTimeout}, {&o.OwnerEvery, defaultOwnerEvery}, {&o.Reuse, defaultReuse}, {&o.Gather, defaultGather},
	} {
		if *d.value == 0 {
			*d.value = d.standard
		}
	}
	return &Adapter{api: o.API, now: o.Now, opts: o, zones: map[string]*zone{}}
}

// zone gives what is known of a hosted zone; it is made at its first use.
func (a *Adapter) zone(id string) *zone {
	a.mu.Lock()
	defer a.mu.Unlock()
	z, ok := a.zones[id]
	if !ok {
		z = newZone(a, id)
		a.zones[id] = z
	}
	return z
}

// once keeps the SDK from repeating a write.
func once(o *route53.Options) { o.Retryer = awsapi.Once() }
