package route53

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"

	"github.com/clusterswitch/clusterswitch/internal/awsapi"
)

// scan lists a whole zone to learn which records external-dns writes: it would
// write its own weights back at each of its turns. One scan serves all pairs of
// the zone. It goes on from where the last Read had to leave it, so that a zone
// of any size is scanned in the end.
type scan struct {
	turn chan struct{} // held by whoever scans; guards the scan under way
	// What the scan under way has found.
	next    start
	began   time.Time
	members map[string][]member // by name
	claims  []claim
	order   orderly

	// zone.mu guards the last answer and the last failure.
	last     *registry
	lastAt   time.Time
	failure  error
	failedAt time.Time
}

// scanAgain is how long a scan that failed is left alone.
const scanAgain = 5 * time.Second

// registry gives the last scan's answer; without one that is young enough, or
// with wait unset, an older one counts for one more period. The error says why
// there is none.
func (z *zone) registry(ctx context.Context, wait bool) (*registry, error) {
	last, due, err := z.scanned()
	if !due || !wait {
		return last, err
	}
	// A scan may take a Read no longer than a call: the rest is for the next.
	ctx, cancel := context.WithTimeout(ctx, z.opts.CallTimeout)
	defer cancel()
	select {
	case z.scan.turn <- struct{}{}:
		defer func() { <-z.scan.turn }()
	case <-ctx.Done():
		return last, err
	}
	if last, due, err = z.scanned(); !due {
		return last, err
	}
	z.runScan(ctx)
	last, _, err = z.scanned()
	return last, err
}

// scanned gives what is known, and whether it is time to scan.
func (z *zone) scanned() (last *registry, due bool, err error) {
	z.mu.Lock()
	defer z.mu.Unlock()
	s := &z.scan
	age := z.now().Sub(s.lastAt)
	if s.last != nil && age < z.opts.OwnerEvery {
		return s.last, false, nil
	}
	due = s.failedAt.IsZero() || z.now().Sub(s.failedAt) >= scanAgain
	if s.last != nil && age < 2*z.opts.OwnerEvery {
		return s.last, due, nil
	}
	err = s.failure
	if err == nil {
		err = fmt.Errorf("whether external-dns writes records of zone %s isn't known yet: the zone is being listed", z.id)
	}
	return nil, due, err
}

// runScan lists on until the zone ends, the context does or a call fails.
func (z *zone) runScan(ctx context.Context) {
	s := &z.scan
	if now := z.now(); s.next == (start{}) || now.Sub(s.began) >= z.opts.OwnerEvery {
		s.next, s.began, s.members, s.claims, s.order = start{}, now, map[string][]member{}, nil, orderly{}
	}
	for {
		page, err := z.page(ctx, s.next)
		if err != nil {
			z.scanFailed(ctx, err)
			return
		}
		for _, r := range page.ResourceRecordSets {
			if !s.take(r) {
				z.disorder()
			}
		}
		if !page.IsTruncated {
			break
		}
		next := nextStart(page)
		if next == s.next {
			z.scanFailed(ctx, errStuck)
			return
		}
		s.next = next
	}
	found := newRegistry(s.members, s.claims)
	z.mu.Lock()
	defer z.mu.Unlock()
	s.last, s.lastAt, s.failure, s.failedAt = found, s.began, nil, time.Time{}
	s.next, s.members, s.claims = start{}, nil, nil
}

// scanFailed remembers why, so that not every pair's Read tries again at once. A
// scan that only ran out of time goes on at the next Read.
func (z *zone) scanFailed(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return
	}
	f := awsapi.Classify(err)
	z.mu.Lock()
	defer z.mu.Unlock()
	z.scan.failure = fmt.Errorf("whether external-dns writes records of zone %s isn't known: %s%s", z.id, f,
		f.Remedy("route53:ListResourceRecordSets on hosted zone "+z.id))
	z.scan.failedAt = z.now()
}

// take keeps what a record tells; false: it isn't where it should be.
func (s *scan) take(r types.ResourceRecordSet) (inOrder bool) {
	name := canonical(aws.ToString(r.Name))
	switch r.Type {
	case types.RRTypeTxt:
		if c := claimOf(r); c != nil {
			s.claims = append(s.claims, *c)
		}
	case types.RRTypeSoa:
	default:
		s.members[name] = append(s.members[name], member{string(r.Type), aws.ToString(r.SetIdentifier)})
	}
	return s.order.take(name)
}
