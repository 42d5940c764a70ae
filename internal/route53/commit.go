package route53

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"

	"github.com/clusterswitch/clusterswitch/internal/awsapi"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// maxBatch is how many groups go into one call: each takes up to 6 of the 1,000
// records that Route 53 allows.
const maxBatch = 100

// swap is one change on its way.
type swap struct {
	shift.Change
	result *shift.Result

	base *group // what the swap is made from; nil: it must be read
	// withoutMark says why the mark is left out; empty: it goes with the weights.
	withoutMark string
	// refused is the token of a base whose swap AWS refused as a conflict.
	refused string
	// outdated: what the adapter remembers of the group doesn't stand any more.
	outdated bool
	// unsure: a write was sent and its answer lost.
	unsure bool
}

func (s *swap) entrance() shift.Route53Entrance { return *s.Entrance.Route53 }
func (s *swap) key() key                        { return keyOf(s.entrance()) }

func (s *swap) answer(o shift.Outcome, at time.Time, format string, args ...any) {
	s.result.Outcome, s.result.At, s.result.Note = o, at, fmt.Sprintf(format, args...)
}

// marked tells whether this swap writes the mark.
func (s *swap) marked() bool { return s.entrance().Mark && s.withoutMark == "" }

// Commit carries changes out and answers each, in the order given: one atomic
// batch for each hosted zone and priority, rollbacks first.
//
// A rise or planned lowering is written only onto exactly what Expected names,
// and at most once. A rollback reads and writes again until it stands or its
// tries are used up. Where green has no more than a lowering or rollback wants,
// nothing is written. All of it ends within shift.WriteDeadline. Result.At is when AWS acknowledged the write, or when it
// was read back if the acknowledgement was lost.
func (a *Adapter) Commit(ctx context.Context, changes []shift.Change) []shift.Result {
	ctx, cancel := context.WithTimeout(ctx, commitBudget)
	defer cancel()
	results := make([]shift.Result, len(changes))
	for _, priority := range []shift.Priority{shift.Rollback, shift.Lowering, shift.Rise} {
		zones := map[string][]*swap{}
		for i, c := range changes {
			if c.Priority != priority {
				continue
			}
			results[i].Entrance = c.Entrance.Name
			s := &swap{Change: c, result: &results[i]}
			if c.Entrance.Route53 == nil || !c.Wanted.Valid() {
				s.answer(shift.Refused, time.Time{}, "%s of %s is not a change of a Route 53 entrance", c.Wanted, c.Entrance.Name)
				continue
			}
			zone := c.Entrance.Route53.HostedZoneID
			zones[zone] = append(zones[zone], s)
		}
		a.commitZones(ctx, zones, priority)
	}
	return results
}

func (a *Adapter) commitZones(ctx context.Context, zones map[string][]*swap, priority shift.Priority) {
	var wg sync.WaitGroup
	for zone, swaps := range zones {
		wg.Go(func() {
			for batch := range slices.Chunk(swaps, maxBatch) {
				if priority == shift.Rollback {
					a.rollBack(ctx, zone, batch)
				} else {
					a.swapExpected(ctx, zone, batch)
				}
			}
		})
	}
	wg.Wait()
}

// swapExpected writes a batch once, onto exactly what was expected.
func (a *Adapter) swapExpected(ctx context.Context, zone string, swaps []*swap) {
	var going []*swap
	for _, s := range swaps {
		if a.asExpected(ctx, s) {
			going = append(going, s)
		}
	}
	if len(going) == 0 {
		return
	}
	f, ok := a.write(ctx, zone, going)
	if ok {
		return
	}
	for _, s := range going {
		if f.Class == awsapi.Conflict || f.Class == awsapi.Unreachable {
			a.resolve(ctx, s, f, len(going) > 1)
		} else {
			s.answer(shift.Refused, time.Time{}, "nothing was written: %s", refusal(f, zone))
		}
	}
}

// asExpected finds the base of a swap and answers the change if it isn't what
// was expected.
func (a *Adapter) asExpected(ctx context.Context, s *swap) bool {
	e := s.entrance()
	g, ok := a.remembered(s.key())
	if !ok {
		var err error
		if g, err = a.fetch(ctx, e); err != nil {
			s.answer(shift.Refused, time.Time{}, "nothing was written: %s", err)
			return false
		}
	}
	if s.Expected.Token == "" || g.token() != s.Expected.Token {
		s.answer(shift.Conflict, time.Time{}, "%s changed since it was read: %s", e.Names[0], g.found(e))
		return false
	}
	if err := g.usable(e); err != nil {
		s.answer(shift.Refused, time.Time{}, "nothing was written: %s", err)
		return false
	}
	// Only the epoch fences: within one epoch there is one daemon, whose order
	// the token keeps, and a person may let a journal of an older attempt go on.
	if m, err := g.readMark(); err == nil && m != nil && m.Epoch > s.Control.Epoch {
		s.answer(shift.Conflict, time.Time{}, "%s was written by a daemon that took charge later: %s", e.Names[0], g.found(e))
		return false
	}
	if w, _ := g.weights(e); s.Priority == shift.Lowering && w.AtMost(s.Wanted) {
		s.answer(shift.Applied, a.now(), "nothing to write: %s", g.found(e))
		return false
	}
	s.base = &g
	return true
}

// write sends the swaps as one batch. The failure, if any, is for the caller to
// judge; on success all swaps are answered.
func (a *Adapter) write(ctx context.Context, zone string, swaps []*swap) (awsapi.Failure, bool) {
	var changes []types.Change
	for _, s := range swaps {
		planned, err := s.plan()
		if err != nil {
			return awsapi.Failure{Class: awsapi.Invalid, Message: err.Error()}, false
		}
		changes = append(changes, planned...)
	}
	ctx, cancel := context.WithTimeout(ctx, a.callTimeout)
	defer cancel()
	out, err := a.api.ChangeResourceRecordSets(ctx, &route53.ChangeResourceRecordSetsInput{
		HostedZoneId: &zone,
		ChangeBatch: &types.ChangeBatch{
			Comment: aws.String(fmt.Sprintf("clusterswitch %s", swaps[0].Priority)),
			Changes: changes,
		},
	}, once)
	at := a.now()
	if err != nil {
		f := classify(err)
		if f.Class == awsapi.Unreachable { // it may have been carried out, or still will be
			for _, s := range swaps {
				a.unanswered(s.key(), at)
			}
		}
		return f, false
	}
	id := ""
	if out.ChangeInfo != nil {
		id = aws.ToString(out.ChangeInfo.Id)
	}
	for _, s := range swaps {
		a.written(s.key(), id, at)
		s.answer(shift.Applied, at, "%s", s.left())
	}
	return awsapi.Failure{}, true
}

func (s *swap) plan() ([]types.Change, error) {
	e, w := s.entrance(), s.Wanted.Weights()
	weights := map[string]int64{e.BlueSetIdentifier: int64(w.Blue), e.GreenSetIdentifier: int64(w.Green)}
	var mark *types.ResourceRecordSet
	if s.marked() {
		mark = new(markRecord(s.key().name, s.Control))
	}
	planned, err := planSwap(s.base.members, weights, s.base.mark, mark)
	if err != nil {
		return nil, fmt.Errorf("planning the swap of %s: %w", e.Names[0], err)
	}
	return planned, nil
}

// left says what an applied swap left out or passed over.
func (s *swap) left() string {
	var notes []string
	if s.withoutMark != "" && s.entrance().Mark {
		notes = append(notes, "without the mark: "+s.withoutMark)
	}
	for _, m := range s.base.members {
		if id := aws.ToString(m.SetIdentifier); id != s.entrance().BlueSetIdentifier && id != s.entrance().GreenSetIdentifier {
			notes = append(notes, fmt.Sprintf("the record %q with weight %d was left as it is", id, aws.ToInt64(m.Weight)))
		}
	}
	return strings.Join(notes, "; ")
}

// shows tells whether a reading is what the swap wanted, its own mark included.
func (s *swap) shows(g group) bool {
	w, ok := g.weights(s.entrance())
	if !ok || w != s.Wanted.Weights() {
		return false
	}
	if !s.marked() {
		return true
	}
	m, err := g.readMark()
	return err == nil && m != nil && *m == s.Control
}

// resolve finds out by reading what became of a swap whose answer was lost or
// a conflict. A conflict may be the echo of the same swap sent before.
func (a *Adapter) resolve(ctx context.Context, s *swap, f awsapi.Failure, batched bool) {
	e := s.entrance()
	g, err := a.fetch(ctx, e)
	if err != nil {
		s.answer(shift.Unknown, time.Time{}, "%s; reading it back: %s", f, err)
		return
	}
	unchanged := g.token() == s.Expected.Token
	switch {
	case s.shows(g):
		s.answer(shift.Applied, a.now(), "the answer was lost; it reads back as written")
	case !unchanged:
		s.answer(shift.Conflict, time.Time{}, "%s changed since it was read: %s", e.Names[0], g.found(e))
	case f.Class == awsapi.Unreachable:
		s.answer(shift.Unknown, time.Time{}, "%s; it reads back unchanged so far", f)
	case batched:
		s.answer(shift.Conflict, time.Time{}, "nothing was written: refused together with other records of the zone: %s", f)
	default:
		s.answer(shift.Refused, time.Time{}, "nothing was written, though %s is as expected: %s", e.Names[0], f)
	}
}

func refusal(f awsapi.Failure, zone string) string {
	if f.Class == awsapi.Denied {
		return fmt.Sprintf("%s: grant route53:ChangeResourceRecordSets with CREATE and DELETE of A and TXT on hosted zone %s", f, zone)
	}
	return f.String()
}
