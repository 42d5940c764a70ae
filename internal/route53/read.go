package route53

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"

	"github.com/clusterswitch/clusterswitch/internal/awsapi"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// Read reads the entrances, each as one reading in the order given. What can't
// be read or must not be touched has its Err set to a sentence that says what
// to do.
//
// It takes one listing for each name in most zones: Route 53 sorts by reversed
// labels, so the mark (_clusterswitch.NAME) follows its name within the same
// page of 300 unless very many names stand below it; then a second listing
// starts at the mark. Listing whole zones instead would cost one call for each
// 300 records of them, and narrower listings always two.
func (a *Adapter) Read(ctx context.Context, entrances []shift.Entrance, _ shift.Attention) []shift.EntranceReading {
	waiting := a.unsynced(ctx, entrances)
	readings := make([]shift.EntranceReading, len(entrances))
	var wg sync.WaitGroup
	for i, e := range entrances {
		wg.Go(func() { readings[i] = a.readOne(ctx, e, waiting) })
	}
	wg.Wait()
	return readings
}

func (a *Adapter) readOne(ctx context.Context, e shift.Entrance, waiting map[key]error) shift.EntranceReading {
	r := shift.EntranceReading{Name: e.Name}
	if e.Route53 == nil {
		r.Err = "it is not a Route 53 entrance"
		return r
	}
	at := a.now()
	g, err := a.fetch(ctx, *e.Route53)
	if err != nil {
		r.Err = err.Error()
		return r
	}
	r.At, r.Token = at, g.token()
	if err := g.usable(*e.Route53); err != nil {
		r.Err = err.Error()
		return r
	}
	r.Weights, _ = g.weights(*e.Route53)
	r.Mark, _ = g.readMark()
	r.TTL = g.ttl()
	syncErr, pending := waiting[keyOf(*e.Route53)]
	r.InSync = !pending
	if syncErr != nil {
		r.Err = syncErr.Error()
	}
	if owner, err := a.owner(ctx, *e.Route53); err != nil {
		r.Err = err.Error()
	} else {
		r.Owner = owner
	}
	return r
}

// fetch reads one group and remembers it.
func (a *Adapter) fetch(ctx context.Context, e shift.Route53Entrance) (group, error) {
	ctx, cancel := context.WithTimeout(ctx, a.callTimeout)
	defer cancel()
	k := keyOf(e)
	g, err := a.list(ctx, e, k)
	if err != nil {
		return group{}, err
	}
	slices.SortFunc(g.members, func(x, y types.ResourceRecordSet) int {
		return cmp.Compare(aws.ToString(x.SetIdentifier), aws.ToString(y.SetIdentifier))
	})
	a.remember(k, g)
	return g, nil
}

// list pages from the name's A records to their end, and on to the mark if it
// doesn't come with them.
func (a *Adapter) list(ctx context.Context, e shift.Route53Entrance, k key) (group, error) {
	g := group{name: k.name}
	from := start{name: k.name, typ: types.RRTypeA}
	for {
		page, err := a.page(ctx, e, from)
		if err != nil {
			return group{}, err
		}
		for _, r := range page.ResourceRecordSets {
			g.take(r, e.Mark)
		}
		next := start{name: aws.ToString(page.NextRecordName), typ: page.NextRecordType, id: aws.ToString(page.NextRecordIdentifier)}
		inGroup := canonical(next.name) == k.name && next.typ == types.RRTypeA
		atMark := from.name == markName(k.name)
		switch {
		case !page.IsTruncated || !inGroup && (g.mark != nil || !e.Mark || atMark):
			return g, nil
		case inGroup:
			if next == from {
				return group{}, fmt.Errorf("reading %s: the listing doesn't move on from %q", plain(k.name), next.id)
			}
			from = next
		default:
			from = start{name: markName(k.name), typ: types.RRTypeTxt}
		}
	}
}

// start is where a listing begins.
type start struct {
	name string
	typ  types.RRType
	id   string
}

func (a *Adapter) page(ctx context.Context, e shift.Route53Entrance, from start) (*route53.ListResourceRecordSetsOutput, error) {
	in := &route53.ListResourceRecordSetsInput{
		HostedZoneId: &e.HostedZoneID, StartRecordName: &from.name, StartRecordType: from.typ,
	}
	if from.id != "" {
		in.StartRecordIdentifier = &from.id
	}
	out, err := a.api.ListResourceRecordSets(ctx, in)
	if err != nil {
		return nil, readError(e, err)
	}
	return out, nil
}

// take keeps a listed record if it belongs to the group.
func (g *group) take(r types.ResourceRecordSet, withMark bool) {
	switch name := canonical(aws.ToString(r.Name)); {
	case name == g.name && r.Type == types.RRTypeA:
		g.members = append(g.members, r)
	case withMark && name == markName(g.name) && r.Type == types.RRTypeTxt:
		g.mark = &r
	}
}

func readError(e shift.Route53Entrance, err error) error {
	f := awsapi.Classify(err)
	advice := ""
	switch f.Class {
	case awsapi.Denied:
		advice = fmt.Sprintf(": grant route53:ListResourceRecordSets on hosted zone %s", e.HostedZoneID)
	case awsapi.NotFound:
		advice = ": correct hostedZoneID"
	case awsapi.Throttled, awsapi.Unreachable, awsapi.Invalid, awsapi.Conflict, awsapi.Other:
	}
	return &awsapi.Error{
		Failure:  f,
		Sentence: fmt.Sprintf("reading %s in hosted zone %s: %s%s", e.Names[0], e.HostedZoneID, f, advice),
	}
}

// submission is a write that may not have reached all of AWS's servers.
type submission struct {
	id string // of the change; empty when the answer with it was lost
	at time.Time
}

// propagation is the time after which a change whose ID is lost counts as in
// sync. Route 53 propagates within 60 s in normal conditions; this is twice that.
const propagation = 2 * time.Minute

// unsynced asks which pending changes are in sync by now, each change once, and
// returns the groups whose change is still under way, with an error where that
// can't be told for a reason that a person must mend.
func (a *Adapter) unsynced(ctx context.Context, entrances []shift.Entrance) map[key]error {
	type answer struct {
		done bool
		err  error
	}
	asked, waiting := map[string]answer{}, map[key]error{}
	for _, e := range entrances {
		if e.Route53 == nil {
			continue
		}
		k := keyOf(*e.Route53)
		a.mu.Lock()
		s, pending := a.pending[k]
		a.mu.Unlock()
		if !pending {
			continue
		}
		got, known := asked[s.id]
		if !known || s.id == "" {
			got.done, got.err = a.inSync(ctx, s)
			asked[s.id] = got
		}
		if !got.done {
			waiting[k] = got.err
			continue
		}
		a.mu.Lock()
		if a.pending[k] == s {
			delete(a.pending, k)
		}
		a.mu.Unlock()
	}
	return waiting
}

func (a *Adapter) inSync(ctx context.Context, s submission) (bool, error) {
	old := a.now().Sub(s.at) >= propagation
	if s.id == "" {
		return old, nil
	}
	ctx, cancel := context.WithTimeout(ctx, a.callTimeout)
	defer cancel()
	out, err := a.api.GetChange(ctx, &route53.GetChangeInput{Id: &s.id})
	if err == nil {
		return out.ChangeInfo != nil && out.ChangeInfo.Status == types.ChangeStatusInsync, nil
	}
	switch f := awsapi.Classify(err); f.Class {
	case awsapi.NotFound: // AWS forgets changes, but only long after they are through
		return old, nil
	case awsapi.Denied:
		return false, fmt.Errorf("asking whether the last change is in sync: %s: grant route53:GetChange on arn:aws:route53:::change/*", f)
	case awsapi.Throttled, awsapi.Unreachable, awsapi.Invalid, awsapi.Conflict, awsapi.Other:
	}
	return false, nil
}
