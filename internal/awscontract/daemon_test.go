package awscontract

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/clusterswitch/clusterswitch/switcher"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// book is a journal in memory, which outlives daemons.
type book struct {
	mu      sync.Mutex
	content []byte
	version int
}

// people are what the loop is asked for.
type people struct {
	mu   sync.Mutex
	asks shift.Request
}

func (p *people) ask(change func(*shift.Request)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(&p.asks)
}

// daemon is one life of a daemon: production's loop over production's adapters.
// It is the loop's ports itself.
type daemon struct {
	*switcher.Switcher

	dns, rules adapter
	book       *book
	people     *people
	seen       int // the journal's version that it loaded or saved last

	mu   sync.Mutex
	turn switcher.Turn // the last
}

func newDaemon(plan shift.Plan, dns, rules adapter, b *book, p *people) *daemon {
	d := &daemon{dns: dns, rules: rules, book: b, people: p}
	d.Switcher = switcher.New(switcher.Options{
		Plan: plan, Observer: d, Journal: d, Committer: d, Reporter: d, Logger: zap.NewNop(),
	})
	return d
}

// of is the adapter of an entrance.
func (d *daemon) of(e shift.Entrance) adapter {
	if e.Route53 != nil {
		return d.dns
	}
	return d.rules
}

func (d *daemon) Request(shift.State, bool) shift.Request {
	d.people.mu.Lock()
	defer d.people.mu.Unlock()
	return d.people.asks
}

func (d *daemon) Observe(ctx context.Context, look switcher.Look) shift.Observation {
	now := time.Now()
	o := shift.Observation{Blue: wellCluster(now), Green: wellCluster(now), Entrances: make([]shift.EntranceReading, len(look.Entrances))}
	var all sync.WaitGroup
	for i, e := range look.Entrances {
		all.Go(func() { o.Entrances[i] = d.of(e).Read(ctx, []shift.Entrance{e}, look.Attention)[0] })
	}
	all.Wait()
	if look.Attention != shift.Urgent && !look.MeasureFrom.IsZero() {
		r := shift.TrafficReading{Gate: "errors", At: now, FreshFor: time.Minute}
		if look.MeasureFrom.Before(now) {
			r.From, r.To, r.Requests = look.MeasureFrom, now, 1000
		}
		o.Traffic = append(o.Traffic, r)
	}
	return o
}

func wellCluster(now time.Time) shift.ClusterReading {
	web := shift.Workload{Kind: "Deployment", Namespace: "shop", Name: "web", Wanted: 4, Ready: 4}
	return shift.ClusterReading{At: now, Nodes: 1, NodesReady: 1, Workloads: []shift.Workload{web}}
}

func (d *daemon) Commit(ctx context.Context, changes []shift.Change) []shift.Result {
	results := make([]shift.Result, len(changes))
	var all sync.WaitGroup
	for i, c := range changes {
		all.Go(func() { results[i] = d.of(c.Entrance).Commit(ctx, []shift.Change{c})[0] })
	}
	all.Wait()
	return results
}

func (d *daemon) Report(t switcher.Turn) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.turn = t
}

func (d *daemon) last() switcher.Turn {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.turn
}

func (d *daemon) Load(context.Context, string) (shift.Found, error) {
	d.book.mu.Lock()
	defer d.book.mu.Unlock()
	d.seen = d.book.version
	if d.book.content == nil {
		return shift.Found{}, nil
	}
	found := shift.Found{Present: true}
	return found, json.Unmarshal(d.book.content, &found.State)
}

func (d *daemon) Save(_ context.Context, _ string, s shift.State, _ shift.Said) error {
	content, err := json.Marshal(s)
	if err != nil {
		return err
	}
	d.book.mu.Lock()
	defer d.book.mu.Unlock()
	if d.seen != d.book.version {
		return fmt.Errorf("saving: %w", switcher.ErrConflict)
	}
	d.book.version++
	d.book.content, d.seen = content, d.book.version
	return nil
}

// state is what the journal holds.
func (b *book) state(t *testing.T) shift.State {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := shift.NewState()
	if b.content != nil {
		if err := json.Unmarshal(b.content, &s); err != nil {
			t.Fatal(err)
		}
	}
	return s
}
