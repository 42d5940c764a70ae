package route53

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"
	"pgregory.net/rapid"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// pairOf is the entrance of pair i of a zone: names names, of A and AAAA where
// dual is set.
func pairOf(i, names int, dual bool) shift.Entrance {
	e := shift.Route53Entrance{HostedZoneID: "Z1", Types: []string{"A"}, BlueSetIdentifier: "blue", GreenSetIdentifier: "green", Mark: true}
	if dual {
		e.Types = append(e.Types, "AAAA")
	}
	for n := range names {
		e.Names = append(e.Names, fmt.Sprintf("n%d.p%d.example.com", n, i))
	}
	return shift.Entrance{Name: fmt.Sprintf("p%d", i), Route53: &e}
}

// recordsOf are the records of an entrance at a share, without marks.
func recordsOf(e shift.Entrance, at shift.Share) []types.ResourceRecordSet {
	values := map[string]string{"Ablue": "192.0.2.1", "Agreen": "192.0.2.2", "AAAAblue": "2001:db8::1", "AAAAgreen": "2001:db8::2"}
	var records []types.ResourceRecordSet
	for _, n := range e.Route53.Names {
		for _, typ := range e.Route53.Types {
			for id, weight := range map[string]int{"blue": at.Weights().Blue, "green": at.Weights().Green} {
				r := weighted(canonical(n), id, int64(weight), values[typ+id])
				r.Type = types.RRType(typ)
				records = append(records, r)
			}
		}
	}
	return records
}

// manyPairs is a zone of pairs that all stand at a share.
func manyPairs(pairs, names int, at shift.Share) (*fakeZone, []shift.Entrance) {
	z := &fakeZone{script: map[string][]fault{}}
	var entrances []shift.Entrance
	for i := range pairs {
		e := pairOf(i, names, false)
		entrances = append(entrances, e)
		z.add(recordsOf(e, at)...)
	}
	return z, entrances
}

func stands(z *fakeZone, e shift.Entrance) []shift.Weights {
	z.mu.Lock()
	defer z.mu.Unlock()
	return standsIn(z.sets, e)
}

func standsIn(sets []types.ResourceRecordSet, e shift.Entrance) []shift.Weights {
	at := map[string][]types.ResourceRecordSet{}
	for _, s := range sets {
		at[*s.Name] = append(at[*s.Name], s)
	}
	var all []shift.Weights
	for _, n := range e.Route53.Names {
		for _, typ := range e.Route53.Types {
			w, _ := groupOf(canonical(n), types.RRType(typ), at[canonical(n)]).weights(*e.Route53)
			all = append(all, w)
		}
	}
	return all
}

// drawn is a trial as it was drawn: what many pairs want, and what goes wrong.
type drawn struct {
	entrances  []shift.Entrance
	starts     []shift.Share
	to         []shift.Share
	priorities []shift.Priority
	delays     []time.Duration
	mishaps    []mishap
	terse      bool
	forbidden  bool // the policy forbids the first pair's name
}

// mishap befalls one batch: a fault of the call, or an edit of a pair by
// somebody else just before it.
type mishap struct {
	fault  fault
	victim int // -1: nobody's records are edited
}

func drawTrial(t *rapid.T) drawn {
	d := drawn{terse: rapid.Bool().Draw(t, "terse"), forbidden: rapid.IntRange(0, 3).Draw(t, "a name is forbidden") == 0}
	pairs := rapid.IntRange(2, 7).Draw(t, "pairs")
	for i := range pairs {
		d.entrances = append(d.entrances, pairOf(i, rapid.IntRange(1, 2).Draw(t, "names"), rapid.Bool().Draw(t, "dual")))
		d.starts = append(d.starts, shift.Share(rapid.IntRange(0, 100).Draw(t, "start")))
		p := rapid.SampledFrom([]shift.Priority{shift.Rise, shift.Lowering, shift.Rollback}).Draw(t, "priority")
		to := shift.Share(0)
		if p != shift.Rollback {
			to = shift.Share(rapid.IntRange(0, 100).Draw(t, "to"))
		}
		d.priorities, d.to = append(d.priorities, p), append(d.to, to)
		d.delays = append(d.delays, time.Duration(rapid.IntRange(0, 60).Draw(t, "delay"))*time.Millisecond)
	}
	for range rapid.IntRange(0, 5).Draw(t, "faults") {
		m := mishap{victim: -1}
		if rapid.IntRange(0, 2).Draw(t, "an edit") == 0 {
			m.victim = rapid.IntRange(0, pairs-1).Draw(t, "victim")
		} else {
			m.fault = rapid.SampledFrom([]fault{
				{}, {lost: true}, {mute: true}, {err: apiError("Throttling")}, {err: apiError("PriorRequestNotComplete")}, {err: apiError("AccessDenied")},
			}).Draw(t, "fault")
		}
		d.mishaps = append(d.mishaps, m)
	}
	return d
}

// trial is one run of many pairs' commits against a zone where things go wrong.
type trial struct {
	drawn
	rt       *rapid.T
	zone     *fakeZone
	adapter  *Adapter
	changes  []shift.Change
	results  []shift.Result
	begun    []time.Time // of rollbacks; zero: it hasn't begun
	answered []time.Time
	edited   []time.Time // when somebody else last edited it
	wroteFor []bool
	others   []time.Time // when batches left that were no rollbacks
}

func newTrial(rt *rapid.T, t *testing.T, d drawn) *trial {
	n := len(d.entrances)
	tr := &trial{
		drawn: d, rt: rt, zone: &fakeZone{script: map[string][]fault{}, latency: 40 * time.Millisecond, terse: d.terse},
		results: make([]shift.Result, n), begun: make([]time.Time, n), answered: make([]time.Time, n), edited: make([]time.Time, n), wroteFor: make([]bool, n),
	}
	for i, e := range d.entrances {
		tr.zone.add(recordsOf(e, d.starts[i])...)
	}
	tr.adapter = New(Options{API: tr.zone})
	for i, r := range tr.adapter.Read(t.Context(), d.entrances, shift.Watching) {
		c := wish(r, d.to[i], d.priorities[i])
		c.Entrance = d.entrances[i]
		tr.changes = append(tr.changes, c)
	}
	for _, m := range d.mishaps {
		f := m.fault
		if m.victim >= 0 {
			f.before = func(z *fakeZone) {
				tr.edited[m.victim] = time.Now()
				z.set(canonical(d.entrances[m.victim].Route53.Names[0]), "green", func(r *types.ResourceRecordSet) { r.Weight = aws.Int64((*r.Weight + 7) % 100) })
			}
		}
		tr.zone.script["change"] = append(tr.zone.script["change"], f)
	}
	tr.watch()
	return tr
}

func (tr *trial) watch() {
	tr.zone.refuse = func(changes []types.Change) error {
		for _, c := range changes {
			if tr.forbidden && *c.ResourceRecordSet.Name == canonical(tr.entrances[0].Route53.Names[0]) {
				return apiError("AccessDenied")
			}
		}
		return nil
	}
	tr.zone.sent = func(b *types.ChangeBatch) {
		if !strings.HasSuffix(*b.Comment, "rollback") {
			tr.others = append(tr.others, time.Now())
		}
	}
	tr.zone.observe = func(was, is []types.ResourceRecordSet) {
		for i, c := range tr.changes {
			before, after := standsIn(was, c.Entrance), standsIn(is, c.Entrance)
			for k := range before {
				tr.wroteFor[i] = tr.wroteFor[i] || before[k] != after[k]
				if before[k] != after[k] && after[k] != c.Wanted.Weights() {
					tr.rt.Errorf("%s went from %s to %s, though %s was wanted", c.Entrance.Name, before[k], after[k], c.Wanted)
				}
				if c.Priority != shift.Rise && moreGreen(after[k], before[k]) {
					tr.rt.Errorf("a %s raised %s from %s to %s", c.Priority, c.Entrance.Name, before[k], after[k])
				}
			}
		}
		if len(is) < len(was) {
			tr.rt.Errorf("%d records became %d", len(was), len(is))
		}
	}
}

func (tr *trial) run(t *testing.T) {
	done := make(chan struct{})
	for i, c := range tr.changes {
		go func() {
			defer func() { done <- struct{}{} }()
			time.Sleep(tr.delays[i])
			if c.Priority == shift.Rollback {
				tr.zone.mu.Lock()
				tr.begun[i] = time.Now()
				tr.zone.mu.Unlock()
			}
			tr.results[i] = tr.adapter.Commit(t.Context(), []shift.Change{c})[0]
			tr.zone.mu.Lock()
			tr.answered[i] = time.Now()
			tr.zone.mu.Unlock()
		}()
	}
	for range tr.changes {
		<-done
	}
}

// TestManyPairsOfOneZone checks, whatever befalls the batches that pairs share:
// no weight is ever written but what was wanted, nothing but a rise raises
// green, nothing leaves before a rollback that waits, answers are the truth, and
// rollbacks stand in the end.
func TestManyPairsOfOneZone(t *testing.T) {
	t.Parallel()
	trials, violations := 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		trials++
		d := drawTrial(rt)
		synctest.Test(t, func(t *testing.T) {
			tr := newTrial(rt, t, d)
			started := time.Now()
			tr.run(t)
			if took := time.Since(started); took > shift.WriteDeadline {
				rt.Errorf("it took %s", took)
			}
			for i, c := range tr.changes {
				violations += tr.judge(i, c)
			}
		})
	})
	t.Logf("%d trials, %d violations", trials, violations)
}

func (tr *trial) judge(i int, c shift.Change) (violations int) {
	r, all := tr.results[i], stands(tr.zone, c.Entrance)
	fail := func(format string, args ...any) {
		violations++
		tr.rt.Errorf("%s %s to %s: %+v; it stands at %v: "+format, append([]any{c.Entrance.Name, c.Priority, c.Wanted, r, all}, args...)...)
	}
	switch r.Outcome {
	case shift.Applied:
		asRead := c.Priority == shift.Lowering && strings.Contains(r.Note, "nothing to write") // by what was read last
		if !tr.edited[i].Before(tr.answered[i]) || asRead && !tr.edited[i].IsZero() {
			break // somebody else had the last word
		}
		for _, w := range all {
			if c.Priority == shift.Rise && w != c.Wanted.Weights() || !w.AtMost(c.Wanted) {
				fail("applied")
			}
		}
	case shift.Conflict, shift.Refused:
		if tr.wroteFor[i] {
			fail("it was written")
		}
	case shift.Unknown:
	default:
		fail("no outcome")
	}
	if c.Priority != shift.Rollback {
		return violations
	}
	if r.Outcome != shift.Applied && (i > 0 || !tr.forbidden) && !tr.denied() {
		fail("the rollback doesn't stand")
	}
	for _, left := range tr.others {
		if left.After(tr.begun[i]) && left.Before(tr.answered[i]) {
			fail("something else left %s after it began", left.Sub(tr.begun[i]))
		}
	}
	return violations
}

// denied tells whether AWS says no so often that a rollback may believe it: once
// with the mark, for the sake of another pair or not, and once without.
func (tr *trial) denied() bool {
	n := count(tr.forbidden)
	for _, m := range tr.mishaps {
		if m.fault.err != nil && m.fault.err.Error() == apiError("AccessDenied").Error() {
			n++
		}
	}
	return n > 1
}
