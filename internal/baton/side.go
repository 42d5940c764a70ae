package baton

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/kubernetes"

	"github.com/clusterswitch/clusterswitch/internal/lend"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// Options describe one cluster's side.
type Options struct {
	// Client reaches the cluster, and bounds each request.
	Client kubernetes.Interface
	// Pair is whose singletons they are: what another pair has set is left alone.
	Pair string
	// Now is the clock; nil: time.Now.
	Now func() time.Time
}

// Side is one cluster's side of the singletons. It is used by one goroutine.
type Side struct {
	read reader
	pair string
	now  func() time.Time
	// known are the keys of each place that were found when it was last read.
	known map[string][]string
	// done is what was written to each object by this process.
	done map[string]deed
}

// deed is what is remembered of the writes to an object. Nothing that must outlive
// the process is among it.
type deed struct {
	attempt int
	to      shift.Switch
	again   bool
	// unclear: the last write has no answer, and may still land.
	unclear bool
	// changedBy is who changed what was given back.
	changedBy string
	// refused says why the last write was not made.
	refused string
}

// New makes a side. It asks nobody anything yet.
func New(o Options) *Side {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Side{read: reader{o.Client, o.Now}, pair: o.Pair, now: o.Now, known: map[string][]string{}, done: map[string]deed{}}
}

// Order is what is to be read, and what is to hold.
type Order struct {
	// Leave: nothing is written.
	Leave    bool
	Attempt  int
	Patterns Patterns
	// Wishes are for those objects that shall be something; all others are only
	// read.
	Wishes []Wish
}

// Wish is what one object shall be in this cluster.
type Wish struct {
	// Key is as in shift.SingletonReading.
	Key string
	// Switch is what it shall be; empty: as it is.
	Switch shift.Switch
	// Replicas are what a workload wants where it is switched on and has none; less
	// than 1: what it had before, at least one.
	Replicas int
	// LastRun is from where a CronJob goes on that is switched on; zero: from where
	// it stands.
	LastRun time.Time
}

// WishesOf are the wishes of an intent for one cluster.
func WishesOf(i shift.ClusterIntent, side shift.Side) []Wish {
	wishes := make([]Wish, 0, len(i.Singletons))
	for _, s := range i.Singletons {
		w := Wish{Key: s.Key, Switch: s.Blue, Replicas: s.Replicas, LastRun: s.LastRun}
		if side == shift.Green {
			w.Switch = s.Green
		}
		wishes = append(wishes, w)
	}
	return wishes
}

// rounds is how often at most the cluster is read in one Settle: somebody may
// write in between, and what then is to be done may be another thing.
const rounds = 3

// Settle reads the cluster, writes what isn't as wished, and reads again what it
// wrote. Whatever it tells was read after its last write. It may be cut short, and
// called again, at any moment.
func (s *Side) Settle(ctx context.Context, o Order) Reading {
	for round := 1; ; round++ {
		reading, all := s.look(ctx, o)
		if o.Leave || round == rounds || !s.bring(ctx, o, all) {
			return s.tell(reading, all)
		}
	}
}

// look reads all that the order names.
func (s *Side) look(ctx context.Context, o Order) (Reading, []found) {
	reading := Reading{}
	var all []found
	keys := o.keys()
	for _, k := range keys {
		place := k.place()
		if _, read := reading[place]; !read {
			at := s.now()
			here, err := s.lookAt(ctx, k)
			if err != nil {
				s.unknown(reading, place, err)
				continue
			}
			reading[place] = shift.SingletonSide{At: at, Absent: true}
			here = slices.DeleteFunc(here, func(f found) bool { return !named(keys, f.key) })
			s.known[place] = nil
			for _, f := range here {
				s.known[place] = append(s.known[place], f.key.String())
			}
			all = append(all, here...)
		}
		if _, known := reading[k.String()]; !known {
			reading[k.String()] = reading[place]
		}
	}
	return reading, all
}

// named tells whether one of the keys means an object.
func named(keys []key, k key) bool {
	return slices.Contains(keys, k) || slices.Contains(keys, key{k.kind, k.namespace, anyName})
}

func (s *Side) lookAt(ctx context.Context, k key) ([]found, error) {
	if k.kind == kindCronJob {
		return s.read.cronJobs(ctx, k.namespace)
	}
	w, err := s.read.workload(ctx, k)
	if w == nil {
		return nil, err
	}
	return []found{*w}, err
}

// unknown says of all that was at a place that it could not be read.
func (s *Side) unknown(r Reading, place string, err error) {
	r[place] = shift.SingletonSide{Err: err.Error()}
	for _, name := range s.known[place] {
		r[name] = r[place]
	}
}

// bring writes what isn't as wished, and tells whether that may have changed
// anything.
func (s *Side) bring(ctx context.Context, o Order, all []found) (changed bool) {
	for _, f := range all {
		name := f.key.String()
		i := slices.IndexFunc(o.Wishes, func(w Wish) bool { return w.Key == name })
		if i < 0 {
			continue
		}
		wrote, err := s.bringOne(ctx, o.Attempt, o.Wishes[i], f.object)
		d := s.done[name]
		d.refused = ""
		if err != nil {
			d.refused = err.Error()
		}
		if wrote {
			d.unclear = unclear(err)
			changed = changed || err == nil || d.unclear || apierrors.IsConflict(err)
		}
		s.done[name] = d
	}
	return changed
}

// unclear tells whether a write may land later although it has failed.
func unclear(err error) bool {
	var answered apierrors.APIStatus
	return err != nil && (!errors.As(err, &answered) || apierrors.IsTimeout(err) || apierrors.IsServerTimeout(err) || apierrors.IsInternalError(err))
}

// bringOne makes one object what is wished.
func (s *Side) bringOne(ctx context.Context, attempt int, w Wish, object *object) (wrote bool, err error) {
	r, err := object.record()
	switch {
	case w.Switch == shift.SwitchLeave:
		return false, nil
	case err != nil:
		return false, err
	case r != nil && r.Pair != s.pair:
		return false, fmt.Errorf("pair %s has set it, so it is left alone", r.Pair)
	case w.Switch == shift.SwitchBack:
		return s.back(ctx, w, object, r)
	}
	return s.turn(ctx, attempt, w, object, r)
}

// turn switches one object on or off.
func (s *Side) turn(ctx context.Context, attempt int, w Wish, object *object, r *record) (wrote bool, err error) {
	on, name := w.Switch == shift.SwitchOn, object.key.String()
	d, differs := s.done[name], object.on(object.value) != on
	if !differs && !d.unclear {
		// A write without an answer may still land. It is for the object as it was
		// then: it fails once that is written again, though nothing changes by it.
		return false, nil
	}
	next := record{Pair: s.pair, Attempt: attempt, Field: object.field, Was: object.value, Set: object.wanted(w, r), At: s.now()}
	var twice bool
	if r != nil {
		next.Was, next.Owners, next.Bare = r.Was, r.Owners, r.Bare
		next.Again = differs && r.Attempt == attempt && object.on(r.Set) == on
		twice = next.Again && r.Again
	} else { // it was never set, or whoever set it back took the annotation away too
		next.Owners, next.Bare = lend.OwnersOf(object, object.field), len(object.GetManagedFields()) == 0
		next.Again = differs && d.attempt == attempt && d.to == w.Switch
		twice = next.Again && d.again
	}
	if twice {
		return false, nil // who sets it back once more is named, not fought
	}
	if object, err = object.goOn(ctx, on, w.LastRun); err != nil {
		return true, err
	}
	if _, err = object.set(ctx, next); err != nil {
		return true, fmt.Errorf("switching it %s: %w", w.Switch, err)
	}
	s.done[name] = deed{attempt: attempt, to: w.Switch, again: next.Again}
	return true, nil
}

// goOn notes on a CronJob that is to be switched on from where it goes on.
func (o *object) goOn(ctx context.Context, on bool, last time.Time) (*object, error) {
	if !on || o.field != suspend || o.on(o.value) || !last.After(o.last) {
		return o, nil
	}
	o, err := o.setLastRun(ctx, last)
	if err != nil {
		return nil, fmt.Errorf("setting its last run: %w", err)
	}
	return o, nil
}

// wanted is the value of a wish.
func (o *object) wanted(w Wish, r *record) json.RawMessage {
	on := w.Switch == shift.SwitchOn
	switch {
	case o.field == suspend:
		return json.RawMessage(strconv.FormatBool(!on))
	case !on:
		return json.RawMessage("0")
	case o.on(o.value): // it is on: with as many as somebody wants
		return o.value
	}
	was := 0
	if r != nil {
		was, _ = strconv.Atoi(string(r.Was)) // what was absent is no number
	}
	return json.RawMessage(strconv.Itoa(max(cmp.Or(max(w.Replicas, 0), was), 1)))
}

// back gives one object back.
func (s *Side) back(ctx context.Context, w Wish, o *object, r *record) (wrote bool, err error) {
	if r == nil && !lend.Traced(o) {
		return false, nil
	}
	if o, err = o.goOn(ctx, r != nil && o.on(r.Was), w.LastRun); err != nil {
		return true, err
	}
	by, err := o.giveBack(ctx, r)
	if err != nil {
		return true, fmt.Errorf("giving it back: %w", err)
	}
	s.done[o.key.String()] = deed{changedBy: by}
	return true, nil
}

// tell gives the reading with what is found, and what was seen of others' writes.
func (s *Side) tell(r Reading, all []found) Reading {
	for _, f := range all {
		name, side := f.key.String(), f.side
		d := s.done[name]
		side.ChangedBy, side.Refused = d.changedBy, d.refused
		set, err := f.record()
		ours := err == nil && set != nil && set.Pair == s.pair
		side.Handed = ours || set == nil && err == nil && lend.Traced(f)
		off := time.Time{}
		if ours {
			off = set.At
		}
		if !side.On && side.Running == 0 && f.mayStart(off) {
			side.Running, side.EndsBy = 1, time.Time{}
		}
		switch {
		case ours && f.on(f.value) != f.on(set.Set), // somebody changed it since
			!ours && d.to != shift.SwitchLeave && side.On != (d.to == shift.SwitchOn):
			side.ChangedBy = cmp.Or(lend.LastWriter(f, f.field), "somebody who can't be told from metadata.managedFields")
		}
		r[name] = side
	}
	return r
}
