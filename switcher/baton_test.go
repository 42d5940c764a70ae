package switcher_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/switcher"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// batonSide is a daemon whose pair has a singleton, off in both clusters as far
// as is read, and who is told what shall hold of it.
type batonSide struct {
	*daemon
	told []shift.SingletonIntent
}

func (b *batonSide) Observe(ctx context.Context, look switcher.Look) shift.Observation {
	o := b.daemon.Observe(ctx, look)
	off := shift.SingletonSide{At: b.w.clock()}
	o.Singletons = []shift.SingletonReading{{Key: "Deployment shop/mailer", Blue: off, Green: off}}
	return o
}

func (b *batonSide) Intend(i shift.ClusterIntent) { b.told = i.Singletons }

// Green was told to take it, and doesn't yet. Whoever tends green goes by that
// until it is told otherwise, which takes a journal: so that a rollback without one
// must not take for proven that green is off.
func TestSingletonsGoNoFurtherThanTheJournal(t *testing.T) {
	w := newWorld()
	b := &batonSide{daemon: at25(t, w)}
	w.plan.Singletons = shift.SingletonPolicy{At: 25}
	s := w.journaled(t)
	s.Baton = []shift.BatonState{{Key: "Deployment shop/mailer", Stage: shift.BatonTaking, Side: shift.Green, Since: w.clock(), OffSince: w.clock()}}
	w.write(s, shift.Said{})
	b.daemon = w.daemon()
	b.Switcher = switcher.New(switcher.Options{
		Plan: w.plan, Observer: b, Journal: b.daemon, Committer: b.daemon, Steward: b, Reporter: b.daemon, Logger: w.core,
	})
	w.step(t, b.daemon)
	taking := []shift.SingletonIntent{{Key: "Deployment shop/mailer", Blue: shift.SwitchOff, Green: shift.SwitchOn}}
	if diff := cmp.Diff(taking, b.told); diff != "" {
		t.Fatal(diff)
	}
	rollBack(w)
	w.book.saveErr = errors.New("etcd is full")
	w.steps(t, b.daemon, 3*w.plan.Interval)
	if diff := cmp.Diff(taking, b.told); diff != "" || w.shares() != [2]shift.Share{} {
		t.Fatalf("AWS shows %v; without a journal it was told\n%s", w.shares(), diff)
	}
	w.book.saveErr = nil
	w.step(t, b.daemon)
	off := []shift.SingletonIntent{{Key: "Deployment shop/mailer", Blue: shift.SwitchOff, Green: shift.SwitchOff}}
	if diff := cmp.Diff(off, b.told); diff != "" {
		t.Errorf("before blue takes it green must be told to stop:\n%s", diff)
	}
}
