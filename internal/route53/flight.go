package route53

import (
	"context"
	"errors"
	"fmt"
	"math"
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

// flight is one batch on its way. Everybody whose part is in it waits for its
// end; when nobody does any more, it is called off.
type flight struct {
	parts []*part
	ctx   context.Context //nolint:containedctx // it ends with the last of many callers
	end   context.CancelFunc
	done  chan struct{}
	// number is unique in the zone.
	number int
	// allMarked: every part writes a mark.
	allMarked bool

	mu     sync.Mutex
	riders int // guarded by mu

	// What follows is for those who saw done.
	failure awsapi.Failure
	ok      bool
	at      time.Time // when it was answered
	named   []*part   // those of which AWS's refusal names a record
	since   want      // listings that began after it was answered
}

// margin is what a flight leaves to those who wait for it.
const margin = 100 * time.Millisecond

// newFlight makes a flight that ends in time for all who are in it.
func newFlight(ctx context.Context, parts []*part, callTimeout time.Duration) *flight {
	until := time.Now().Add(commitBudget)
	for _, p := range parts {
		if deadline, ok := p.ctx.Deadline(); ok && deadline.Before(until) {
			until = deadline
		}
	}
	until = until.Add(-margin)
	if parts[0].priority == shift.Rollback {
		ctx = awsapi.Urgent(ctx)
	} else if once := time.Now().Add(callTimeout); once.Before(until) {
		until = once
	}
	f := &flight{parts: parts, riders: len(parts), done: make(chan struct{})}
	f.allMarked = !slices.ContainsFunc(parts, func(p *part) bool { return len(p.names) == len(p.wanted) })
	f.ctx, f.end = context.WithDeadline(context.WithoutCancel(ctx), until)
	return f
}

// ride waits for the end of the flight. Whoever's context ends before gets an
// answer of its own; the last of them calls the flight off.
func (f *flight) ride(ctx context.Context) *flight {
	select {
	case <-f.done:
		return f
	case <-ctx.Done():
	}
	f.mu.Lock()
	f.riders--
	last := f.riders == 0
	f.mu.Unlock()
	if last {
		f.end()
		<-f.done
		return f
	}
	return &flight{
		parts: f.parts, since: want{after: math.MaxInt64}, // there is no time to read it back
		failure: awsapi.Failure{Class: awsapi.Unreachable, Message: "it was on its way when the time was over: " + ctx.Err().Error()},
	}
}

// fly sends the batch. AWS's refusals for now are answered to a rise and met
// with patience for a rollback. The parts keep together while it waits.
func (z *zone) fly(f *flight) {
	defer close(f.done)
	defer f.end()
	for try := 1; ; try++ {
		out, err := z.send(f)
		f.at = z.now()
		names := f.names()
		if err == nil {
			id := ""
			if out.ChangeInfo != nil {
				id = aws.ToString(out.ChangeInfo.Id)
			}
			f.ok = true
			z.wrote(names, id, f.at)
			break
		}
		f.failure, f.named = classify(err), f.blamed(err)
		if f.failure.Class == awsapi.Unreachable { // it may have been carried out, or still will be
			z.wrote(names, "", f.at)
		}
		back := f.parts[0].priority == shift.Rollback
		if !back || !f.failure.Passing() || !awsapi.Pause(f.ctx, try) || f.failure.Class == awsapi.Unreachable {
			break
		}
	}
	f.since = z.afresh()
	q := &z.queue
	q.mu.Lock()
	q.busy = false
	q.wake()
	q.mu.Unlock()
	z.readBack(f)
}

// readBack lists for all who share a batch that must be read back, so that they
// go on together.
func (z *zone) readBack(f *flight) {
	if f.ok || len(f.parts) == 1 || f.failure.Class != awsapi.Conflict && f.failure.Class != awsapi.Unreachable {
		return
	}
	var names []string
	for _, p := range f.parts {
		names = append(names, p.reads...)
	}
	l := &z.calm
	if awsapi.IsUrgent(f.ctx) {
		l = &z.urgent
	}
	z.look(f.ctx, l, names, f.since)
}

func (z *zone) send(f *flight) (*route53.ChangeResourceRecordSetsOutput, error) {
	var changes []types.Change
	for _, p := range f.parts {
		changes = append(changes, p.changes...)
	}
	ctx, cancel := context.WithTimeout(f.ctx, z.opts.CallTimeout)
	defer cancel()
	return z.api.ChangeResourceRecordSets(ctx, &route53.ChangeResourceRecordSetsInput{
		HostedZoneId: &z.id,
		ChangeBatch:  &types.ChangeBatch{Comment: aws.String("clusterswitch " + f.parts[0].priority.String()), Changes: changes},
	}, once)
}

func (f *flight) names() []string {
	var names []string
	for _, p := range f.parts {
		names = append(names, p.names...)
	}
	return names
}

// classify adds to awsapi.Classify what only this service has: the reasons of
// an InvalidChangeBatch stand in a list of their own.
func classify(err error) awsapi.Failure {
	f := awsapi.Classify(err)
	if invalid, ok := errors.AsType[*types.InvalidChangeBatch](err); ok && len(invalid.Messages) > 0 {
		f.Message = strings.Join(invalid.Messages, "; ")
	}
	return f
}

// blamed finds the parts of which AWS's refusal of a batch names a record, as in
// "[name='shop.example.com.', type='A', …]". The wording isn't documented, so it
// only decides in which order things are tried.
func (f *flight) blamed(err error) []*part {
	text := err.Error()
	if invalid, ok := errors.AsType[*types.InvalidChangeBatch](err); ok {
		text += strings.Join(invalid.Messages, " ")
	}
	words := map[string]bool{}
	for word := range strings.FieldsFuncSeq(text, func(r rune) bool { return strings.ContainsRune(` '",;()[]`, r) }) {
		words[canonical(word)] = true
	}
	var named []*part
	for _, p := range f.parts {
		if slices.ContainsFunc(p.names, func(n string) bool { return words[n] }) {
			named = append(named, p)
		}
	}
	return named
}

// others tells whether AWS's refusal names records of others, and none of this
// part's.
func (f *flight) others(p *part) bool { return len(f.named) > 0 && !slices.Contains(f.named, p) }

// half is the group in which a part of a divided batch goes on.
func (f *flight) half(p *part) string {
	return fmt.Sprintf("%d/%t", f.number, slices.Index(f.parts, p) < len(f.parts)/2)
}

// cleared is the group of those whom a refusal doesn't name.
func (f *flight) cleared() string { return fmt.Sprintf("%d/cleared", f.number) }
