package awscontract

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// leader is one daemon's writer, which writes shares of its own choice.
type leader struct {
	run   *attempt
	epoch int64
	dice  *rand.Rand
	// landed are when the commits began that AWS carried out.
	landed []time.Time
}

// reign reads and writes for some rounds, and for more until something landed.
func (l *leader) reign(t *testing.T, rounds int, shares []shift.Share) {
	for round := 0; round < rounds || len(l.landed) == 0 && round < 4*rounds; round++ {
		time.Sleep(time.Duration(l.dice.IntN(2000)) * time.Millisecond)
		if l.run.look(t.Context()) != "" {
			continue
		}
		reading := l.run.readings[0]
		to := shares[l.dice.IntN(len(shares))]
		priority := shift.Rise
		if reading.Share() > to {
			priority = shift.Lowering
		}
		time.Sleep(time.Duration(l.dice.IntN(1500)) * time.Millisecond)
		began := time.Now()
		result := l.run.a.Commit(t.Context(), []shift.Change{{
			Entrance: l.run.subjects[0].Entrance, Expected: reading, Wanted: to, Priority: priority,
			Control: shift.Mark{Attempt: 1, Epoch: l.epoch, Version: int64(10 + round), Phase: phaseOf(priority), Share: to},
		}})[0]
		if result.Outcome != shift.Conflict && result.Outcome != shift.Refused && result.Note == "" {
			l.landed = append(l.landed, began)
		}
	}
}

// rivalry is an older and a newer leader at one entrance. Every write takes its
// time on its way, and lands though nobody waits for it any more.
type rivalry struct {
	*scene

	mu       sync.Mutex // guards all below
	marks    []marking  // each time that the mark's epoch changed
	reverted int        // marks of the older leader in place of the newer's
	split    int        // sights whose mark and weights are of different writes
	earlier  int        // commits of the older leader that landed
	faults   []string
}

// marking is a mark's epoch, and since when AWS had it.
type marking struct {
	at    time.Time
	epoch int64
}

// markedAt gives the epoch of AWS's mark at a time.
func (r *rivalry) markedAt(at time.Time) (epoch int64) {
	for _, m := range r.marks {
		if m.at.Before(at) {
			epoch = m.epoch
		}
	}
	return epoch
}

func (r *rivalry) watch() {
	now, err := r.look()
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		r.faults = append(r.faults, err.Error())
		return
	}
	mark, err := shift.ParseMark(now.marks["shop"])
	if err != nil {
		r.faults = append(r.faults, err.Error())
		return
	}
	if before := r.markedAt(time.Now()); mark.Epoch != before {
		r.marks = append(r.marks, marking{time.Now(), mark.Epoch})
		if mark.Epoch < before {
			r.reverted++
		}
	}
	for group, w := range now.weights {
		if !w.At(mark.Share) {
			r.split++
		}
		if w.Blue+w.Green <= 0 {
			r.faults = append(r.faults, group+": all weights are zero")
		}
	}
}

// fight lets both write at the same time, and returns what was wrong.
func (r *rivalry) fight(t *testing.T, seed uint64) []string {
	dice := rand.New(rand.NewPCG(seed, 7)) //nolint:gosec // the same interleavings each time
	var at sync.Mutex
	r.whenArriving(func(string) {
		at.Lock()
		delay := time.Duration(dice.IntN(5000)) * time.Millisecond
		at.Unlock()
		time.Sleep(delay)
	})
	r.whenLeft(func(string) { r.watch() })
	older := &leader{run: &attempt{scene: r.scene, a: r.adapter()}, epoch: ourEpoch, dice: rand.New(rand.NewPCG(seed, 1))}   //nolint:gosec // as above
	newer := &leader{run: &attempt{scene: r.scene, a: r.adapter()}, epoch: newerEpoch, dice: rand.New(rand.NewPCG(seed, 2))} //nolint:gosec // as above
	var both sync.WaitGroup
	both.Go(func() { older.reign(t, 8, []shift.Share{10, 20, 30}) })
	both.Go(func() {
		time.Sleep(time.Duration(newer.dice.IntN(8000)) * time.Millisecond)
		newer.reign(t, 5, []shift.Share{40, 60, 80})
	})
	both.Wait()
	time.Sleep(time.Minute)
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(newer.landed) == 0 {
		r.faults = append(r.faults, "the newer leader never wrote")
	}
	r.earlier = len(older.landed)
	for _, began := range older.landed {
		if r.markedAt(began) == newerEpoch {
			r.faults = append(r.faults, "the older leader wrote though it could see the newer one's mark")
		}
	}
	return r.faults
}

// runs gives how many seeds are tried: of all, with the race detector, one in
// twenty-five.
func runs(all int) uint64 {
	if thinned {
		return uint64(max(1, all/25))
	}
	return uint64(all)
}

// Between an older and a newer leader a zone's swap decides, and nothing of the
// older one lands once the newer has written. A load balancer has no swap: there
// what the older one had sent before may still land, and nothing else.
func TestAnOlderLeaderHasNoEffect(t *testing.T) {
	t.Parallel()
	for place, scene := range map[string]func(t *testing.T) *scene{
		"Route 53": func(t *testing.T) *scene {
			return newZone(t, shapeOf("A and AAAA"), true, (journey{"", shift.Rise, 25, 50}).subject("shop"))
		},
		"a load balancer": func(t *testing.T) *scene {
			return newBalancer(t, forms()[0], (journey{"", shift.Rise, 25, 50}).subject("shop"))
		},
	} {
		t.Run(place, func(t *testing.T) {
			t.Parallel()
			violations, late, earlier := 0, 0, 0
			for seed := range runs(100) {
				synctest.Test(t, func(t *testing.T) {
					s := scene(t)
					s.subjects[0].others = nil
					r := &rivalry{scene: s}
					wrong := r.fight(t, seed)
					if place == "Route 53" && r.reverted+r.split > 0 {
						wrong = append(wrong, fmt.Sprintf("%d writes of the older leader after the newer's, %d weights without their mark", r.reverted, r.split))
					}
					late, earlier = late+r.reverted, earlier+r.earlier
					violations += len(wrong)
					for _, w := range wrong {
						t.Errorf("seed %d: %s", seed, w)
					}
				})
			}
			if earlier == 0 {
				t.Error("the older leader never wrote anything, so nothing was tried")
			}
			tell(t, "an older and a newer leader at %s: %d runs, %d violations; %d commits of the older one, of which %d marks landed after the newer's",
				place, runs(100), violations, earlier, late)
		})
	}
}
