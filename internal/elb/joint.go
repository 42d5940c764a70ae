package elb

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/awsapi"
)

const (
	// gatherFor is how long a look waits for others who want to know something.
	gatherFor = 5 * time.Millisecond
	// gatherUrgent bounds how long an urgent look waits for the urgent one before
	// it; one that is alone goes at once.
	gatherUrgent = 50 * time.Millisecond
	// joinWithin is how long before one asked a look may have begun whose answer
	// still counts as fresh.
	joinWithin = 20 * time.Millisecond
)

// manner says how a joint asks.
type manner bool

const (
	together  manner = false // many keys in one look
	eachAlone manner = true  // each key in a look of its own
)

// answer is what one look told of one key.
type answer[V any] struct {
	value  V
	failed *awsapi.Failure // nil: it could be read
	at     time.Time       // when the look began
	turn   int
}

// joint lets many readers share what they look at: who asks while others do is
// answered by the same calls. A reader is never answered by a look that began
// before the last touch of its key.
type joint[V any] struct {
	now    func() time.Time
	look   func(ctx context.Context, keys []string) map[string]answer[V]
	manner manner

	mu sync.Mutex
	// gathering are the looks that others may still join.
	gathering map[gate]*flight[V]
	flying    []*flight[V]
	kept      map[string]answer[V]
	turns     map[string]int // counts the touches of each key
}

// gate is where flights of one sort gather: urgent and ordinary ones, and each
// key by itself where each has a look of its own.
type gate struct {
	urgent bool
	key    string
}

// flight is one look on its way. It ends early when nobody waits for it any more.
type flight[V any] struct {
	gate    gate
	turns   map[string]int // the keys, with their turns when the look began
	began   time.Time      // zero: it still gathers
	waiting int
	end     context.CancelFunc
	done    chan struct{}
	answers map[string]answer[V]
}

func newJoint[V any](now func() time.Time, look func(context.Context, []string) map[string]answer[V], m manner) *joint[V] {
	return &joint[V]{
		now: now, look: look, manner: m,
		gathering: map[gate]*flight[V]{}, kept: map[string]answer[V]{}, turns: map[string]int{},
	}
}

// ages are how old an answer may be; zero: only one of a look that begins now
// will do.
type ages struct{ good, failed time.Duration }

// get answers for each key. A key that can't be answered before ctx ends has
// failed without an answer of AWS. Urgent contexts (awsapi.Urgent) wait for no
// ordinary look.
func (j *joint[V]) get(ctx context.Context, keys []string, old ages) map[string]answer[V] {
	answers := map[string]answer[V]{}
	if len(keys) == 0 {
		return answers
	}
	flights := map[*flight[V]][]string{}
	j.mu.Lock()
	now := j.now()
	for _, key := range keys {
		if kept, ok := j.keptWithin(key, now, old); ok {
			answers[key] = kept
			continue
		}
		f := j.board(ctx, key, now)
		flights[f] = append(flights[f], key)
	}
	for f := range flights {
		f.waiting++
	}
	j.mu.Unlock()
	for f, own := range flights {
		arrived := j.wait(ctx, f)
		for _, key := range own {
			answers[key] = answer[V]{failed: &awsapi.Failure{Class: awsapi.Unreachable, Message: "none within the time for it"}}
			if !arrived {
				continue
			}
			if got, ok := f.answers[key]; ok {
				answers[key] = got
			}
		}
	}
	return answers
}

// keptWithin gives an answer that is young enough; mu must be held.
func (j *joint[V]) keptWithin(key string, now time.Time, old ages) (answer[V], bool) {
	kept, ok := j.kept[key]
	age := old.good
	if kept.failed != nil {
		age = old.failed
	}
	return kept, ok && age > 0 && kept.turn == j.turns[key] && now.Sub(kept.at) <= age
}

// keptEver gives the last good answer, however old; false: there is none.
func (j *joint[V]) keptEver(key string) (answer[V], bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	kept, ok := j.kept[key]
	return kept, ok && kept.failed == nil
}

// board finds the flight that answers for a key, or makes one; mu must be held.
func (j *joint[V]) board(ctx context.Context, key string, now time.Time) *flight[V] {
	urgent := awsapi.IsUrgent(ctx)
	for _, f := range j.flying {
		turn, has := f.turns[key]
		if has && turn == j.turns[key] && (f.gate.urgent || !urgent) && now.Sub(f.began) <= joinWithin {
			return f
		}
	}
	at := gate{urgent: urgent}
	if j.manner == eachAlone {
		at.key = key
	}
	if f := j.gathering[at]; f != nil {
		f.turns[key] = 0
		return f
	}
	f := &flight[V]{gate: at, turns: map[string]int{key: 0}, done: make(chan struct{})}
	ctx, f.end = context.WithCancel(context.WithoutCancel(ctx))
	j.gathering[at] = f
	var ahead <-chan struct{}
	for _, other := range j.flying {
		if other.gate == at && urgent {
			ahead = other.done
		}
	}
	go j.gatherAndFly(ctx, f, ahead)
	return f
}

// wait waits for a flight. The last who gives up ends it, and waits until it has
// ended: so each look has somebody who waits for it.
func (j *joint[V]) wait(ctx context.Context, f *flight[V]) (arrived bool) {
	select {
	case <-f.done:
		return true
	case <-ctx.Done():
	}
	j.mu.Lock()
	f.waiting--
	last := f.waiting == 0
	if last { // nobody else may board it
		j.flying = slices.DeleteFunc(j.flying, func(other *flight[V]) bool { return other == f })
		if j.gathering[f.gate] == f {
			delete(j.gathering, f.gate)
		}
	}
	j.mu.Unlock()
	if last {
		f.end()
		<-f.done
	}
	return false
}

// gatherAndFly lets others join, then looks.
func (j *joint[V]) gatherAndFly(ctx context.Context, f *flight[V], ahead <-chan struct{}) {
	if !f.gate.urgent || ahead != nil {
		wait := gatherFor
		if f.gate.urgent {
			wait = gatherUrgent
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ahead: // nil for ordinary ones: never
		case <-ctx.Done():
		}
		timer.Stop()
	}
	j.mu.Lock()
	if j.gathering[f.gate] == f {
		delete(j.gathering, f.gate)
	}
	if ctx.Err() == nil {
		j.begin(f, j.now())
	}
	j.mu.Unlock()
	j.fly(ctx, f)
}

// begin closes a flight for those who come later; mu must be held.
func (j *joint[V]) begin(f *flight[V], now time.Time) {
	f.began = now
	for key := range f.turns {
		f.turns[key] = j.turns[key]
	}
	j.flying = append(j.flying, f)
}

func (j *joint[V]) fly(ctx context.Context, f *flight[V]) {
	defer f.end()
	keys := make([]string, 0, len(f.turns))
	for key := range f.turns {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	answers := j.look(withBegan(ctx, f.began), keys)
	j.mu.Lock()
	defer j.mu.Unlock()
	for key, got := range answers {
		got.at, got.turn = f.began, f.turns[key]
		answers[key] = got
		before, had := j.kept[key]
		if got.turn == j.turns[key] && !(had && before.turn == got.turn && before.at.After(got.at)) && ctx.Err() == nil {
			j.kept[key] = got
		}
	}
	j.flying = slices.DeleteFunc(j.flying, func(other *flight[V]) bool { return other == f })
	f.answers = answers
	close(f.done)
}

// touch makes every look that has begun by now too old for a key.
func (j *joint[V]) touch(key string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.turns[key]++
}

// amend touches a key and changes what is kept of it by what was just written.
func (j *joint[V]) amend(key string, change func(V) V) {
	j.mu.Lock()
	defer j.mu.Unlock()
	kept, ok := j.kept[key]
	current := ok && kept.turn == j.turns[key] && kept.failed == nil
	j.turns[key]++
	if current {
		kept.value, kept.turn = change(kept.value), j.turns[key]
		j.kept[key] = kept
	}
}

type beganKey struct{}

func withBegan(ctx context.Context, began time.Time) context.Context {
	return context.WithValue(ctx, beganKey{}, began)
}

// beganOf tells when the look began that a context is of.
func beganOf(ctx context.Context) time.Time {
	began, _ := ctx.Value(beganKey{}).(time.Time)
	return began
}
