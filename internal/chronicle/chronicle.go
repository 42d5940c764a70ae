package chronicle

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/api/v1alpha1"
	"github.com/clusterswitch/clusterswitch/switcher"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// What is remembered of one pair, at most.
const (
	maxShares  = 400
	maxEvents  = 200
	maxText    = 600 // bytes of one sentence, in an event half as many
	maxList    = 50  // entries of each list of a document
	maxResults = 30  // of one probe
)

// Options are what a Chronicle is made of.
type Options struct {
	// Version is that of the binary, Identity the replica's name; empty: it has none.
	Version, Identity string
	// Namespace holds the TrafficSwitches; commands to copy name it.
	Namespace string
	// Directory is the journal's where there is no management cluster; commands to copy
	// name it instead. Empty: there is one.
	Directory string
	// Leader tells who leads, from memory; nil: there is no leader election.
	Leader func() (holder string, mine bool)
	Now    func() time.Time
}

// Chronicle remembers of each pair what its documents are made of. It is a
// switcher.Reporter and safe for concurrent use.
type Chronicle struct {
	options Options
	reasons map[shift.Reason]shift.ReasonDoc

	mu        sync.Mutex // guards all below
	pairs     map[string]*chapter
	listeners map[*Listener]struct{}
}

// New makes a Chronicle that knows no pair yet.
func New(o Options) *Chronicle {
	c := &Chronicle{options: o, reasons: map[shift.Reason]shift.ReasonDoc{}, pairs: map[string]*chapter{}, listeners: map[*Listener]struct{}{}}
	for _, doc := range shift.Reasons() {
		c.reasons[doc.Reason] = doc
	}
	return c
}

// chapter is what is known of one pair.
type chapter struct {
	// detail is without what is made when it is asked for.
	detail Detail
	// following: the pair is another daemon's by its last turn here; followed: what
	// that one wrote down was read.
	following, followed bool
	turned              bool // it had a turn here
	revision            int64
	history             history
}

// Expect announces a pair; what is told of others is ignored.
func (c *Chronicle) Expect(pair string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.pairs[pair] != nil {
		return
	}
	c.pairs[pair] = &chapter{detail: Detail{Summary: Summary{Pair: pair, Source: "none", Severity: severityOf(shift.Normal)}}}
	c.touch(pair)
}

// Forget is for a pair that is gone.
func (c *Chronicle) Forget(pair string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.pairs, pair)
	c.touch(pair)
}

// Report notes a turn.
func (c *Chronicle) Report(t switcher.Turn) {
	following := t.Superseded || t.Decision.Reason == shift.NotLeader
	detail := c.ofTurn(t)
	c.mu.Lock()
	defer c.mu.Unlock()
	ch := c.pairs[t.Plan.Pair]
	if ch == nil {
		return
	}
	ch.following, ch.turned = following, true
	if following && ch.followed {
		return // what the daemon in charge says is truer
	}
	ch.followed = false
	ch.history.turn(t, detail)
	ch.detail = detail
	c.touch(t.Plan.Pair)
}

// Follow takes over what the daemon in charge wrote down, for a pair that isn't
// this one's.
func (c *Chronicle) Follow(object *v1alpha1.TrafficSwitch) {
	detail, state := c.ofStatus(object)
	c.mu.Lock()
	defer c.mu.Unlock()
	ch := c.pairs[object.Name]
	if ch == nil || object.Status.UpdatedAt.IsZero() || ch.turned && !ch.following {
		return
	}
	if before := ch.detail.Summary; before.Source == detail.Summary.Source && before.UpdatedAt != nil && before.UpdatedAt.Equal(object.Status.UpdatedAt.Time) {
		return
	}
	ch.followed = true
	ch.history.status(object.Status.UpdatedAt.Time, state, detail)
	ch.detail = detail
	c.touch(object.Name)
}

// Follows tells whether any pair is another daemon's, or had no turn here yet.
func (c *Chronicle) Follows() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, ch := range c.pairs {
		if ch.following || !ch.turned {
			return true
		}
	}
	return false
}

// Daemon is this process.
func (c *Chronicle) Daemon() Daemon {
	d := Daemon{Version: c.options.Version, Identity: c.options.Identity}
	if c.options.Leader != nil {
		holder, mine := c.options.Leader()
		d.Leader, d.Leads = holder, &mine
	}
	return d
}

// Overview gives all pairs at a glance.
func (c *Chronicle) Overview() Overview {
	o := Overview{SchemaVersion: Schema, At: c.options.Now().UTC(), Daemon: c.Daemon(), Pairs: []Summary{}}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, ch := range c.pairs {
		o.Pairs = append(o.Pairs, ch.summary())
	}
	slices.SortFunc(o.Pairs, func(a, b Summary) int { return cmp.Compare(a.Pair, b.Pair) })
	return o
}

// Summary gives one pair at a glance; false: there is no such pair.
func (c *Chronicle) Summary(pair string) (Summary, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	ch := c.pairs[pair]
	if ch == nil {
		return Summary{}, false
	}
	return ch.summary(), true
}

// Detail gives one pair whole, without the preflight's findings; false: there is
// no such pair.
func (c *Chronicle) Detail(pair string) (Detail, bool) {
	daemon := c.Daemon()
	c.mu.Lock()
	defer c.mu.Unlock()
	ch := c.pairs[pair]
	if ch == nil {
		return Detail{}, false
	}
	d := ch.detail
	d.SchemaVersion, d.At, d.Daemon, d.Summary = Schema, c.options.Now().UTC(), daemon, ch.summary()
	d.Shares, d.Timeline = ch.history.sharesNow(), slices.Clone(ch.history.events)
	d.Actions = c.commands(pair).fitting(d)
	if d.Preflight != nil {
		d.Preflight = new(*d.Preflight) // findings are put into it
	}
	return d.lists(), true
}

func (ch *chapter) summary() Summary {
	s := ch.detail.Summary
	s.Revision = ch.revision
	return s
}

// touch tells listeners that a pair is not what it was. The caller holds mu.
func (c *Chronicle) touch(pair string) {
	if ch := c.pairs[pair]; ch != nil {
		ch.revision++
	}
	for l := range c.listeners {
		l.dirty[pair] = struct{}{}
		select {
		case l.wake <- struct{}{}:
		default: // it will see all that changed
		}
	}
}

// Listener is told which pairs changed. However slow its owner is, it remembers
// one name a pair.
type Listener struct {
	chronicle *Chronicle
	wake      chan struct{}
	dirty     map[string]struct{} // guarded by the chronicle's mu
}

// Listen begins to tell. The owner closes the Listener.
func (c *Chronicle) Listen() *Listener {
	l := &Listener{chronicle: c, wake: make(chan struct{}, 1), dirty: map[string]struct{}{}}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.listeners[l] = struct{}{}
	return l
}

// Changed receives when there is something to Take.
func (l *Listener) Changed() <-chan struct{} { return l.wake }

// Take gives the names of the pairs that changed, or are gone, since the last Take.
func (l *Listener) Take() []string {
	l.chronicle.mu.Lock()
	defer l.chronicle.mu.Unlock()
	names := slices.Sorted(maps.Keys(l.dirty))
	clear(l.dirty)
	return names
}

// Close ends the telling.
func (l *Listener) Close() {
	l.chronicle.mu.Lock()
	defer l.chronicle.mu.Unlock()
	delete(l.chronicle.listeners, l)
}
