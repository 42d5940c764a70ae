package route53

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"
)

// lane is where Reads of a zone meet: one sweep is under way, and whoever asks
// meanwhile shares the next.
type lane struct {
	gather time.Duration
	turn   chan struct{} // held by the sweep under way
	next   *round        // guarded by zone.mu
}

// round is one sweep with all who wait for it. zone.mu guards wants; failed is
// for those who saw done.
type round struct {
	wants  map[string]want
	done   chan struct{}
	failed map[string]error
}

// look gives what stands at the names, by listings that are new enough. Sweeps
// go from needed name to needed name, so they take no more calls than the pages
// of 300 that the names stand on. Whoever leads a sweep does so within its own
// context; should that end, another one leads.
func (z *zone) look(ctx context.Context, l *lane, names []string, w want) map[string]sight {
	seen := map[string]sight{}
	for {
		missing := z.seen(seen, names, w)
		if len(missing) == 0 {
			return seen
		}
		if err := ctx.Err(); err != nil {
			return z.unseen(seen, missing, err)
		}
		r := z.join(l, missing, w)
		select {
		case <-r.done:
		case l.turn <- struct{}{}:
			z.lead(ctx, l, r)
			<-l.turn
		case <-ctx.Done():
			return z.unseen(seen, missing, ctx.Err())
		}
		if failed := r.outcome(missing); len(failed) > 0 {
			for name, err := range failed {
				seen[name] = sight{err: err}
			}
			names = slices.DeleteFunc(slices.Clone(names), func(n string) bool { return failed[n] != nil })
		}
	}
}

// seen notes the names whose newest listing will do, and gives the others.
func (z *zone) seen(seen map[string]sight, names []string, w want) (missing []string) {
	z.mu.Lock()
	defer z.mu.Unlock()
	for _, n := range names {
		if k := z.names[n]; k.current(w) {
			seen[n] = sight{records: k.records, began: k.began}
		} else {
			missing = append(missing, n)
		}
	}
	return missing
}

func (z *zone) unseen(seen map[string]sight, missing []string, err error) map[string]sight {
	for _, n := range missing {
		seen[n] = sight{err: z.readError(n, err)}
	}
	return seen
}

// join asks for names in the next sweep.
func (z *zone) join(l *lane, names []string, w want) *round {
	z.mu.Lock()
	defer z.mu.Unlock()
	if l.next == nil {
		l.next = &round{wants: map[string]want{}, done: make(chan struct{}), failed: map[string]error{}}
	}
	for _, n := range names {
		had, ok := l.next.wants[n]
		if !ok {
			had = w
		}
		// The stricter of the two wishes serves both.
		l.next.wants[n] = want{after: max(had.after, w.after), since: later(had.since, w.since)}
	}
	return l.next
}

func later(a, b time.Time) time.Time {
	if a.IsZero() || b.IsZero() {
		return time.Time{}
	}
	if a.After(b) {
		return a
	}
	return b
}

// outcome gives what failed of the names, once the sweep is over.
func (r *round) outcome(names []string) map[string]error {
	select {
	case <-r.done:
	default:
		return nil
	}
	failed := map[string]error{}
	for _, n := range names {
		if err := r.failed[n]; err != nil {
			failed[n] = err
		}
	}
	return failed
}

// lead sweeps for a round, unless another one did meanwhile.
func (z *zone) lead(ctx context.Context, l *lane, r *round) {
	select {
	case <-r.done:
		return
	default:
	}
	pause(ctx, l.gather, nil)
	z.mu.Lock()
	l.next = nil
	z.mu.Unlock()
	z.sweep(ctx, r)
	close(r.done)
}

// pause waits for others; hurry ends it early.
func pause(ctx context.Context, d time.Duration, hurry <-chan struct{}) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-hurry:
	case <-ctx.Done():
	}
}

// sweep lists what a round wants. What fails because the leader's own context
// ended is left to the next leader.
func (z *zone) sweep(ctx context.Context, r *round) {
	for {
		needed := z.needed(r)
		if len(needed) == 0 {
			return
		}
		s, err := z.list(ctx, needed)
		switch {
		case err == nil:
			z.note(s)
		case errors.Is(err, errDisordered):
			z.disorder()
		case ctx.Err() != nil:
			return
		default:
			for _, n := range needed {
				r.failed[n] = z.readError(n, err)
			}
			return
		}
	}
}

// needed gives the names of a round that are not seen yet, in Route 53's order.
func (z *zone) needed(r *round) []string {
	z.mu.Lock()
	defer z.mu.Unlock()
	var names []string
	for n, w := range r.wants {
		if !z.names[n].current(w) {
			names = append(names, n)
		}
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Compare(z.names[a].key, z.names[b].key) })
	return names
}

// disorder notes that the order of listings can't be relied on, and forgets what
// was concluded from it.
func (z *zone) disorder() {
	z.mu.Lock()
	defer z.mu.Unlock()
	if z.disordered {
		return
	}
	z.disordered = true
	for _, k := range z.names {
		k.seq, k.records = 0, nil
	}
}

func (z *zone) unordered() bool {
	z.mu.Lock()
	defer z.mu.Unlock()
	return z.disordered
}
