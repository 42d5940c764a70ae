package sim

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/clusterswitch/clusterswitch/switcher"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// server is the API server of the management cluster with the pair's custom
// resource. Its spec is what people ask for, its status the journal.
type server struct {
	w      *world
	made   bool
	uid    int
	rv     int // the resource version
	ask    spec
	doc    *document // nil: there is no status
	said   string
	old    []*document
	lease  leaseObject
	leases int // counts the lease's versions
}

// document is a journal as it is stored; it is never changed.
type document struct {
	state   shift.State
	schema  int
	garbled string
	// open: it tells of a rollback that is none yet for who wrote it.
	open bool
}

// held is the custom resource as a replica's journal saw it last.
type held struct {
	known   bool
	uid, rv int
	doc     *document
}

func newServer(w *world) *server {
	return &server{w: w, made: true, uid: 1, rv: 1, ask: spec{known: true}}
}

func (s *server) state() shift.State {
	if s.doc == nil || s.doc.garbled != "" {
		return shift.NewState()
	}
	return s.doc.meant()
}

func (s *server) spec() spec { return s.ask }

func (s *server) unreadable() bool { return s.doc != nil && s.doc.garbled != "" }

// mend is what people do about a journal that nobody can read: they put the
// newest readable one back.
func (s *server) mend() {
	s.doc, s.rv = nil, s.rv+1
	if n := len(s.old); n > 0 {
		s.doc = s.old[n-1]
	}
}

func (s *server) heal() {
	if !s.made {
		s.make()
	}
}

func (s *server) make() {
	s.made, s.uid, s.ask, s.doc = true, s.uid+1, spec{known: true}, nil
	s.changed()
}

// edit changes the spec and tells those who watch.
func (s *server) edit(change func(s *spec)) {
	if !s.made {
		s.make()
	}
	change(&s.ask)
	s.changed()
}

// changed tells every replica that watches, after a moment.
func (s *server) changed() {
	s.rv++
	for _, r := range s.w.replicas {
		r.watch()
	}
}

// watch brings the replica's cache up to date as soon as the network lets it.
func (r *replica) watch() {
	w := r.w
	lag := 20 * time.Millisecond
	if w.troubled() {
		lag += time.Duration(w.rng.Int64N(int64(300 * time.Millisecond)))
		if w.drawn(w.mix.call[Late]) {
			w.count(StaleCache)
			lag += time.Duration(w.rng.Int64N(int64(60 * time.Second)))
		}
		if until := max(r.cutOut[toAPI], r.cutIn[toAPI]); until > w.now+lag {
			lag = until - w.now
		}
	}
	life := r.life
	w.in(lag, func() {
		if !r.alive || r.life != life {
			return
		}
		fresh := w.api.ask
		fresh.known = fresh.known && w.api.made
		if !w.api.made {
			fresh = spec{}
		}
		if r.cache != fresh {
			r.cache = fresh
			r.wake()
		}
	})
}

var (
	errCut      = errors.New("no answer")
	errServer   = errors.New("the server answered 500")
	errNotFound = errors.New("not found")
	errRace     = errors.New("the object was modified")
)

// callAPI is one request to the API server: do happens there, if it gets there.
func (r *replica) callAPI(ctx context.Context, write bool, do func() error) error {
	p, w := r.loop, r.w
	r.boundary(p, false)
	end, ok := deadline(ctx)
	if ok && w.now >= end {
		return context.DeadlineExceeded
	}
	t := r.befalls(toAPI, write)
	takes := 3*time.Millisecond + t.delay
	var err error
	switch {
	case t.kind == LostRequest:
		p.until(end)
		return errCut
	case t.kind == ServerError || t.kind == Throttled:
		p.until(w.now + takes)
		err = errServer
	case t.delay > 0 && write:
		w.at(w.now+takes, func() { err = do() })
		p.until(min(w.now+takes+time.Millisecond, end))
		if w.now >= end {
			return errCut
		}
	default:
		p.until(min(w.now+takes, end))
		if w.now < end {
			err = do()
		}
		if t.kind == LostReply || w.now >= end {
			p.until(end)
			return errCut
		}
	}
	r.boundary(p, true)
	return err
}

// get reads the custom resource, and makes it where it isn't.
func (r *replica) get(ctx context.Context, create bool) (h held, err error) {
	s := r.w.api
	err = r.callAPI(ctx, create, func() error {
		if !s.made {
			if !create {
				return errNotFound
			}
			s.make()
		}
		h = held{known: true, uid: s.uid, rv: s.rv, doc: s.doc}
		return nil
	})
	return h, err
}

// Load is a port of the loop.
func (r *replica) Load(ctx context.Context, _ string) (shift.Found, error) {
	h, err := r.get(ctx, true)
	if err != nil {
		return shift.Found{}, fmt.Errorf("loading the journal: %w", err)
	}
	r.held = h
	found := r.decode(h.doc)
	r.garbled = found.Unreadable != ""
	return found, nil
}

// decode reads a document as the replica's binary does.
func (r *replica) decode(d *document) shift.Found {
	switch {
	case d == nil:
		return shift.Found{}
	case d.garbled != "":
		return shift.Found{Unreadable: d.garbled}
	case r.older && d.schema > shift.Schema-1:
		return shift.Found{Unreadable: fmt.Sprintf("its schema is %d, this version reads up to %d", d.schema, shift.Schema-1)}
	}
	return shift.Found{State: d.state, Present: true}
}

// Save is a port of the loop.
func (r *replica) Save(ctx context.Context, _ string, state shift.State, said shift.Said) error {
	s, last, by := r.w.api, r.held, grounds{r.rec, r.turnAt, life{r.id, r.life}}
	if !last.known {
		return errors.New("it was not loaded")
	}
	unreadable := r.decode(last.doc).Unreadable != ""
	for {
		var stored held
		err := r.callAPI(ctx, true, func() error {
			switch {
			case !s.made || s.uid != last.uid:
				return errNotFound
			case s.rv != last.rv:
				r.w.count(Conflicted)
				return errRace
			}
			if !unreadable && !said.Beside {
				s.store(r.encode(state), r, by)
			}
			s.said = string(said.Reason) + ": " + said.Message
			s.rv++
			stored = held{known: true, uid: s.uid, rv: s.rv, doc: s.doc}
			return nil
		})
		switch {
		case err == nil && unreadable:
			r.held = stored
			return errors.New("the stored journal can't be read")
		case err == nil:
			r.held = stored
			return nil
		case !errors.Is(err, errNotFound) && !errors.Is(err, errRace):
			return err
		}
		found, err := r.get(ctx, false)
		switch {
		case errors.Is(err, errNotFound):
			return fmt.Errorf("the custom resource is gone: %w", switcher.ErrConflict)
		case err != nil:
			return err
		case found.uid != last.uid:
			return fmt.Errorf("the custom resource was made anew: %w", switcher.ErrConflict)
		case !found.doc.same(last.doc):
			return fmt.Errorf("saving: %w", switcher.ErrConflict)
		}
		last = found
	}
}

// store keeps a new journal, unless it is the same again.
func (s *server) store(d *document, r *replica, by grounds) {
	if d.same(s.doc) {
		return
	}
	if s.doc != nil && s.doc.garbled == "" && d.schema < s.doc.schema {
		s.w.violate("D1", "%s, which reads schemas up to %d, writes over a journal of schema %d", r.name, d.schema, s.doc.schema)
	}
	s.w.judge.journaled(r, s.state(), d.meant(), by)
	s.doc = d
	if s.old = append(s.old, d); len(s.old) > 40 {
		s.old = s.old[20:]
	}
}
