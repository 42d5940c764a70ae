package route53

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"

	"github.com/clusterswitch/clusterswitch/internal/awsapi"
)

// propagation is the time after which a change whose ID is lost counts as in
// sync. Route 53 propagates within 60 s in normal conditions; this is twice that.
const propagation = 2 * time.Minute

// submission is a batch that may not have reached all of AWS's servers. All names
// that it wrote share it, so that AWS is asked once for all of them.
type submission struct {
	id   string // of the change; empty when the answer with it was lost
	at   time.Time
	turn chan struct{} // held by whoever asks
	// zone.mu guards the last answer.
	began time.Time
	seq   int64
	done  bool
	err   error
}

// wrote notes a batch that was or may have been carried out: id is its change's,
// empty when the answer was lost. That an older change is in sync says nothing of
// it.
func (z *zone) wrote(names []string, id string, at time.Time) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.seq++
	s := &submission{id: id, at: at, turn: make(chan struct{}, 1)}
	for _, n := range names {
		z.names[n].written, z.names[n].pending = z.seq, s
	}
}

// heard tells whether a change of a name is one of this process's own, which it can
// ask AWS about.
func (z *zone) heard(name string) bool {
	z.mu.Lock()
	defer z.mu.Unlock()
	return z.names[name] != nil && z.names[name].written > 0
}

// unsynced asks which pending changes are in sync by now, each change once for
// all who ask, and returns the names whose change is still under way, with an
// error where that can't be told for a reason that a person must mend.
func (z *zone) unsynced(ctx context.Context, names []string, w want) map[string]error {
	z.mu.Lock()
	pending := map[string]*submission{}
	for _, n := range names {
		if s := z.names[n].pending; s != nil {
			pending[n] = s
		}
	}
	z.mu.Unlock()
	waiting := map[string]error{}
	for n, s := range pending {
		done, err := z.synced(ctx, s, w)
		if !done {
			waiting[n] = err
			continue
		}
		z.mu.Lock()
		if z.names[n].pending == s {
			z.names[n].pending = nil
		}
		z.mu.Unlock()
	}
	return waiting
}

// synced tells whether a write is on all servers, by an answer that is new
// enough.
func (z *zone) synced(ctx context.Context, s *submission, w want) (bool, error) {
	if s.id == "" {
		return z.now().Sub(s.at) >= propagation, nil
	}
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return false, nil
	}
	defer func() { <-s.turn }()
	z.mu.Lock()
	if s.done || w.met(s.seq, s.began) {
		defer z.mu.Unlock()
		return s.done, s.err
	}
	z.seq++
	seq, began := z.seq, z.now()
	z.mu.Unlock()
	done, err := z.ask(ctx, s)
	z.mu.Lock()
	defer z.mu.Unlock()
	s.seq, s.began, s.done, s.err = seq, began, done, err
	return done, err
}

func (z *zone) ask(ctx context.Context, s *submission) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, z.opts.CallTimeout)
	defer cancel()
	out, err := z.api.GetChange(ctx, &route53.GetChangeInput{Id: &s.id})
	if err == nil {
		return out.ChangeInfo != nil && out.ChangeInfo.Status == types.ChangeStatusInsync, nil
	}
	switch f := awsapi.Classify(err); f.Class {
	case awsapi.NotFound: // AWS forgets changes, but only long after they are through
		return z.now().Sub(s.at) >= propagation, nil
	case awsapi.Denied:
		return false, fmt.Errorf("asking whether the last change is in sync: %s%s", f, f.Remedy("route53:GetChange on arn:aws:route53:::change/*"))
	case awsapi.Throttled, awsapi.Unreachable, awsapi.Invalid, awsapi.Conflict, awsapi.Other:
	}
	return false, nil
}
