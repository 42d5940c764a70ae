package route53

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"
	"github.com/aws/smithy-go"
)

// fakeZone is one hosted zone with AWS's rules: atomic batches, exact DELETE,
// CREATE only of what isn't there, listings sorted by reversed labels.
type fakeZone struct {
	mu       sync.Mutex
	sets     []types.ResourceRecordSet
	pageSize int
	pending  bool                                    // GetChange answers PENDING
	calls    []string                                // every call with its main argument
	script   map[string][]fault                      // by operation: what happens to its next calls
	refuse   func([]types.Change) error              // a standing rule, as an IAM policy
	observe  func(was, is []types.ResourceRecordSet) // sees every batch that was carried out
	sent     func(*types.ChangeBatch)                // sees every batch as it is sent
	latency  time.Duration                           // how long each call takes
	terse    bool                                    // refusals name no record
	accepted int
}

// takeTime lets a call last.
func (z *fakeZone) takeTime(ctx context.Context) {
	if z.latency <= 0 {
		return
	}
	select {
	case <-time.After(z.latency):
	case <-ctx.Done():
	}
}

// withinLimits counts a batch as Route 53 does, by its own reading of the rules.
func withinLimits(changes []types.Change) error {
	records, characters := 0, 0
	for _, c := range changes {
		for _, r := range c.ResourceRecordSet.ResourceRecords {
			records++
			characters += len(*r.Value)
		}
		if c.ResourceRecordSet.AliasTarget != nil {
			records++
		}
	}
	if records > 1000 || characters > 32000 {
		return &types.InvalidChangeBatch{Messages: []string{"Number of records or value size limit exceeded"}}
	}
	return nil
}

// fault is what happens to one call.
type fault struct {
	err    error           // answered instead
	lost   bool            // not carried out, no answer
	mute   bool            // carried out, no answer
	before func(*fakeZone) // somebody else acts first
}

var errCut = errors.New("read tcp: connection reset by peer")

func apiError(code string) error { return &smithy.GenericAPIError{Code: code, Message: "as told"} }

// meet takes the next fault of an operation.
func (z *fakeZone) meet(op string) fault {
	queue := z.script[op]
	if len(queue) == 0 {
		return fault{}
	}
	z.script[op] = queue[1:]
	if queue[0].before != nil {
		queue[0].before(z)
	}
	return queue[0]
}

func (z *fakeZone) ListResourceRecordSets(ctx context.Context, in *route53.ListResourceRecordSetsInput, _ ...func(*route53.Options)) (*route53.ListResourceRecordSetsOutput, error) {
	z.takeTime(ctx)
	z.mu.Lock()
	defer z.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	z.calls = append(z.calls, "list "+aws.ToString(in.StartRecordName)+" "+string(in.StartRecordType))
	if f := z.meet("list"); f.err != nil {
		return nil, f.err
	}
	if *in.HostedZoneId != "Z1" {
		return nil, apiError("NoSuchHostedZone")
	}
	z.sort()
	from := []string{"", string(in.StartRecordType), aws.ToString(in.StartRecordIdentifier)}
	if in.StartRecordName != nil {
		from[0] = reversed(*in.StartRecordName)
	}
	first, _ := slices.BinarySearchFunc(z.sets, from, func(s types.ResourceRecordSet, from []string) int { return slices.Compare(recordKey(s), from) })
	rest := slices.Clone(z.sets[first:])
	size := cmp.Or(z.pageSize, 300)
	out := &route53.ListResourceRecordSetsOutput{ResourceRecordSets: rest}
	if len(rest) > size {
		next := rest[size]
		out.ResourceRecordSets, out.IsTruncated = rest[:size], true
		out.NextRecordName, out.NextRecordType, out.NextRecordIdentifier = next.Name, next.Type, next.SetIdentifier
	}
	return out, nil
}

// sort puts the records into Route 53's order.
func (z *fakeZone) sort() {
	if slices.IsSortedFunc(z.sets, func(a, b types.ResourceRecordSet) int { return slices.Compare(recordKey(a), recordKey(b)) }) {
		return
	}
	slices.SortFunc(z.sets, func(a, b types.ResourceRecordSet) int { return slices.Compare(recordKey(a), recordKey(b)) })
}

func (z *fakeZone) ChangeResourceRecordSets(ctx context.Context, in *route53.ChangeResourceRecordSetsInput, opts ...func(*route53.Options)) (*route53.ChangeResourceRecordSetsOutput, error) {
	z.mu.Lock()
	if z.sent != nil {
		z.sent(in.ChangeBatch)
	}
	z.mu.Unlock()
	z.takeTime(ctx)
	z.mu.Lock()
	defer z.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	z.calls = append(z.calls, fmt.Sprintf("change %d", len(in.ChangeBatch.Changes)))
	var o route53.Options
	for _, opt := range opts {
		opt(&o)
	}
	if o.Retryer == nil || o.Retryer.MaxAttempts() != 1 {
		return nil, errors.New("a write that the SDK may repeat")
	}
	f := z.meet("change")
	switch {
	case f.err != nil:
		return nil, f.err
	case f.lost:
		return nil, errCut
	}
	if err := withinLimits(in.ChangeBatch.Changes); err != nil {
		return nil, err
	}
	if z.refuse != nil {
		if err := z.refuse(in.ChangeBatch.Changes); err != nil {
			return nil, err
		}
	}
	next, err := apply(z.sets, in.ChangeBatch.Changes)
	if err != nil {
		if z.terse {
			return nil, &types.InvalidChangeBatch{Messages: []string{"the batch is refused"}}
		}
		return nil, err
	}
	if z.observe != nil {
		z.observe(z.sets, next)
	}
	z.sets = next
	if f.mute {
		return nil, errCut
	}
	z.accepted++
	id := fmt.Sprintf("/change/C%d", z.accepted)
	return &route53.ChangeResourceRecordSetsOutput{ChangeInfo: &types.ChangeInfo{Id: &id, Status: types.ChangeStatusPending}}, nil
}

func (z *fakeZone) GetChange(ctx context.Context, in *route53.GetChangeInput, _ ...func(*route53.Options)) (*route53.GetChangeOutput, error) {
	z.takeTime(ctx)
	z.mu.Lock()
	defer z.mu.Unlock()
	z.calls = append(z.calls, "get "+*in.Id)
	if f := z.meet("get"); f.err != nil {
		return nil, f.err
	}
	status := types.ChangeStatusInsync
	if z.pending {
		status = types.ChangeStatusPending
	}
	return &route53.GetChangeOutput{ChangeInfo: &types.ChangeInfo{Id: in.Id, Status: status}}, nil
}

// apply carries a batch out whole or not at all.
func apply(sets []types.ResourceRecordSet, changes []types.Change) ([]types.ResourceRecordSet, error) {
	next := slices.Clone(sets)
	at := map[string]int{}
	for i, r := range next {
		at[flatKey(r)] = i
	}
	var faults []string
	for _, c := range changes {
		r := *c.ResourceRecordSet
		i, there := at[flatKey(r)]
		switch {
		case c.Action == types.ChangeActionDelete && (!there || !reflect.DeepEqual(next[i], r)):
			faults = append(faults, fmt.Sprintf("Tried to delete %s %s but the values provided do not match the current values", *r.Name, r.Type))
		case c.Action == types.ChangeActionDelete:
			delete(at, flatKey(r))
			next[i].Name = nil // taken out below, so that the places stay
		case there:
			faults = append(faults, fmt.Sprintf("Tried to create %s %s but it already exists", *r.Name, r.Type))
		default:
			at[flatKey(r)] = len(next)
			next = append(next, r)
		}
	}
	if len(faults) > 0 {
		return nil, &types.InvalidChangeBatch{Messages: faults}
	}
	return slices.DeleteFunc(next, func(r types.ResourceRecordSet) bool { return r.Name == nil }), nil
}

func flatKey(r types.ResourceRecordSet) string {
	return *r.Name + " " + string(r.Type) + " " + aws.ToString(r.SetIdentifier)
}

func recordKey(r types.ResourceRecordSet) []string {
	return []string{reversed(*r.Name), string(r.Type), aws.ToString(r.SetIdentifier)}
}

func reversed(name string) string {
	labels := strings.Split(strings.TrimSuffix(name, "."), ".")
	slices.Reverse(labels)
	return strings.Join(labels, ".") + "."
}

// set changes one stored record by hand, as a person at AWS would.
func (z *fakeZone) set(name, id string, edit func(*types.ResourceRecordSet)) {
	for i, s := range z.sets {
		if *s.Name == name && aws.ToString(s.SetIdentifier) == id {
			edit(&z.sets[i])
		}
	}
}

func (z *fakeZone) get(name string, typ types.RRType, id string) (types.ResourceRecordSet, bool) {
	z.mu.Lock()
	defer z.mu.Unlock()
	for _, s := range z.sets {
		if *s.Name == name && s.Type == typ && aws.ToString(s.SetIdentifier) == id {
			return s, true
		}
	}
	return types.ResourceRecordSet{}, false
}

// add puts records there by hand.
func (z *fakeZone) add(records ...types.ResourceRecordSet) { z.sets = append(z.sets, records...) }

func (z *fakeZone) count(prefix string) int {
	z.mu.Lock()
	defer z.mu.Unlock()
	n := 0
	for _, c := range z.calls {
		if strings.HasPrefix(c, prefix) {
			n++
		}
	}
	return n
}

func weighted(name, id string, weight int64, value string) types.ResourceRecordSet {
	return types.ResourceRecordSet{
		Name: aws.String(name), Type: types.RRTypeA, SetIdentifier: aws.String(id), Weight: aws.Int64(weight), TTL: aws.Int64(30),
		ResourceRecords: []types.ResourceRecord{{Value: aws.String(value)}}, HealthCheckId: aws.String("hc-" + id),
	}
}

func text(name string, values ...string) types.ResourceRecordSet {
	r := types.ResourceRecordSet{Name: aws.String(name), Type: types.RRTypeTxt, TTL: aws.Int64(300)}
	for _, v := range values {
		r.ResourceRecords = append(r.ResourceRecords, types.ResourceRecord{Value: aws.String(`"` + v + `"`)})
	}
	return r
}
