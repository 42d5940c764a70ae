package route53

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/route53/types"

	"github.com/clusterswitch/clusterswitch/internal/awsapi"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// zone is a hosted zone with all that its pairs share. Names that a
// configuration no longer has stay known: they are few, and a restart forgets
// them.
type zone struct {
	*Adapter
	id string

	calm, urgent lane // Reads that share sweeps
	scan         scan // who else writes the zone's records
	queue        queue

	mu sync.Mutex // guards what follows, and the lanes' rounds
	// seq counts the beginnings of listings and the ends of writes, so that which
	// came first doesn't depend on a clock.
	seq   int64
	names map[string]*known
	// disordered: a listing was not in the order that Route 53 documents, so each
	// name is listed by itself.
	disordered bool
}

// known is what is known of one name.
type known struct {
	key     string // sortKey
	records []types.ResourceRecordSet
	began   time.Time // when the listing began that showed the records
	seq     int64     // the same as a count; 0: it was never listed
	written int64     // when a write of ours that touched the name last ended
	// pending is the write that may not be on all of AWS's servers yet.
	pending *submission
}

// sight is what a Read is answered with for one name.
type sight struct {
	records []types.ResourceRecordSet
	began   time.Time
	err     error
}

func newZone(a *Adapter, id string) *zone {
	return &zone{
		Adapter: a, id: id, names: map[string]*known{},
		calm:   lane{turn: make(chan struct{}, 1), gather: a.opts.Gather},
		urgent: lane{turn: make(chan struct{}, 1)},
		scan:   scan{turn: make(chan struct{}, 1)},
		queue:  queue{gather: a.opts.Gather, changed: make(chan struct{}), hurry: make(chan struct{})},
	}
}

// want says which listings are new enough: those that began after the count, or
// since the time. A zero time stands for none.
type want struct {
	after int64
	since time.Time
}

// fresh is what a Read wants that asks now.
func (z *zone) fresh(attention shift.Attention) want {
	w := z.afresh()
	if reuse := z.opts.Reuse; reuse > 0 {
		if attention == shift.Urgent {
			reuse = min(reuse, urgentReuse)
		}
		w.since = z.now().Add(-reuse)
	}
	return w
}

// afresh wants a listing that begins from now on.
func (z *zone) afresh() want {
	z.mu.Lock()
	defer z.mu.Unlock()
	return want{after: z.seq}
}

func (w want) met(seq int64, began time.Time) bool {
	return seq > w.after || seq > 0 && !w.since.IsZero() && !began.Before(w.since)
}

// current tells whether the listing may answer: no listing does that began
// before a write of ours to the name ended.
func (k *known) current(w want) bool { return k.seq > k.written && w.met(k.seq, k.began) }

// register makes names known, so that whoever lists past them notes them.
func (z *zone) register(names []string) {
	z.mu.Lock()
	defer z.mu.Unlock()
	for _, n := range names {
		if z.names[n] == nil {
			z.names[n] = &known{key: sortKey(n)}
		}
	}
}

// remembered is the newest picture, however old, unless something of it was
// written since.
func (z *zone) remembered(e shift.Route53Entrance) (picture, bool) {
	z.mu.Lock()
	defer z.mu.Unlock()
	seen := map[string]sight{}
	for _, n := range namesOf(e) {
		k := z.names[n]
		if k == nil || k.seq <= k.written {
			return picture{}, false
		}
		seen[n] = sight{records: k.records, began: k.began}
	}
	p, err := pictureOf(e, seen)
	return p, err == nil
}

// fetch reads an entrance anew, with whoever else is about to list.
func (z *zone) fetch(ctx context.Context, e shift.Route53Entrance, w want) (picture, error) {
	names := namesOf(e)
	z.register(names)
	l := &z.calm
	if awsapi.IsUrgent(ctx) {
		l = &z.urgent
	}
	return pictureOf(e, z.look(ctx, l, names, w))
}

// readError is the sentence for a listing that failed.
func (z *zone) readError(name string, err error) error {
	f := awsapi.Classify(err)
	advice := f.Remedy("route53:ListResourceRecordSets on hosted zone " + z.id)
	if f.Class == awsapi.NotFound {
		advice = ": correct hostedZoneID"
	}
	return &awsapi.Error{
		Failure:  f,
		Sentence: fmt.Sprintf("reading %s in hosted zone %s: %s%s", plain(name), z.id, f, advice),
	}
}
