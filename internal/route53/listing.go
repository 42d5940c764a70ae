package route53

import (
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"
)

// stretch is a part of a zone, listed without a gap: from a name on, up to but
// not including a key. Of every name it has all records or none.
type stretch struct {
	from    string
	low, to string // keys between which a name that isn't there doesn't exist
	open    bool   // there is no to: the listing went to the zone's end
	exact   bool   // nothing is known of names that aren't there, but of from
	began   time.Time
	seq     int64
	records map[string][]types.ResourceRecordSet
}

// listingError is a fault of a listing that no call reported.
type listingError string

func (e listingError) Error() string { return string(e) }

const (
	errStuck      listingError = "the listing doesn't move on"
	errDisordered listingError = "the listing is not in the documented order"
)

// list lists from the first needed name to the end of a page, and on for as long
// as a page ends within a needed name.
//
// A name that isn't there is only known to be missing by its place between two
// that are. So the order is checked, here and over the whole zone by the scan
// (owner.go). Where it contradicts, and for names whose place isn't documented,
// nothing is concluded but from a listing that began at the name.
func (z *zone) list(ctx context.Context, needed []string) (stretch, error) {
	s := z.begin(needed[0])
	at := start{name: s.from}
	var order orderly
	for {
		page, err := z.page(ctx, at)
		if err != nil {
			return s, err
		}
		for _, r := range page.ResourceRecordSets {
			name := canonical(aws.ToString(r.Name))
			s.records[name] = append(s.records[name], r)
			if !s.exact && !order.take(name) {
				return s, errDisordered
			}
		}
		s.low = order.first
		if !page.IsTruncated {
			s.open = true
			return s, nil
		}
		next := nextStart(page)
		split := len(s.records[next.name]) > 0
		switch {
		case next == at:
			return s, errStuck
		case split && slices.Contains(needed, next.name):
			at = next
			continue
		case split:
			delete(s.records, next.name)
		}
		s.to = order.upTo(next.name)
		return s, nil
	}
}

func (z *zone) begin(from string) stretch {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.seq++
	return stretch{from: from, began: z.now(), seq: z.seq, exact: z.disordered, records: map[string][]types.ResourceRecordSet{}}
}

// orderly watches the order of the names whose place is documented.
type orderly struct{ first, last string }

// take tells whether the name comes where it should.
func (o *orderly) take(name string) bool {
	if escaped(name) {
		return true
	}
	key := sortKey(name)
	if key < o.last {
		return false
	}
	if o.first == "" {
		o.first = key
	}
	o.last = key
	return true
}

// upTo is the key before which the listing is complete when it goes on with next.
func (o *orderly) upTo(next string) string {
	if escaped(next) {
		return o.last
	}
	return sortKey(next)
}

// note keeps what a stretch tells of the names that are known.
func (z *zone) note(s stretch) {
	z.mu.Lock()
	defer z.mu.Unlock()
	s.exact = s.exact || z.disordered
	for name, k := range z.names {
		if k.seq > s.seq {
			continue
		}
		records, there := s.records[name]
		if there || name == s.from || s.misses(name, k.key) {
			k.records, k.began, k.seq = records, s.began, s.seq
		}
	}
}

// misses tells whether a name that isn't in the stretch isn't in the zone.
func (s stretch) misses(name, key string) bool {
	if s.exact || escaped(name) || s.low == "" || key < s.low {
		return false
	}
	return s.open || key < s.to
}

// start is where a page of a listing begins.
type start struct {
	name string // empty: at the zone's beginning
	typ  types.RRType
	id   string
}

func (z *zone) page(ctx context.Context, from start) (*route53.ListResourceRecordSetsOutput, error) {
	ctx, cancel := context.WithTimeout(ctx, z.opts.CallTimeout)
	defer cancel()
	in := &route53.ListResourceRecordSetsInput{HostedZoneId: &z.id}
	if from.name != "" {
		in.StartRecordName, in.StartRecordType = &from.name, from.typ
	}
	if from.id != "" {
		in.StartRecordIdentifier = &from.id
	}
	return z.api.ListResourceRecordSets(ctx, in)
}

func nextStart(page *route53.ListResourceRecordSetsOutput) start {
	return start{name: canonical(aws.ToString(page.NextRecordName)), typ: page.NextRecordType, id: aws.ToString(page.NextRecordIdentifier)}
}
