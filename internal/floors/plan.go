package floors

import (
	"fmt"

	"k8s.io/apimachinery/pkg/types"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// memory is what this process knows of one autoscaler that it held.
type memory struct {
	uid      types.UID
	attempt  int
	reverted int
}

// maxReverted is how often a floor that somebody set back is held again.
const maxReverted = 1

// intended are the floors of an intent in this cluster, by workload; none where
// nothing is to be held.
func (c *Cluster) intended(i shift.ClusterIntent) map[string]int {
	least := map[string]int{}
	if !i.Hold {
		return least
	}
	all := i.Blue
	if c.side == shift.Green {
		all = i.Green
	}
	for _, f := range all {
		least[f.Workload] = max(least[f.Workload], f.Least)
	}
	return least
}

// todo is one thing to write.
type todo struct {
	autoscaler
	act act
	// next is what is to be held.
	next held
}

type act string

const (
	toHold     act = "hold"
	toGiveBack act = "give back"
	toDrop     act = "drop" // what stands is somebody else's: only our traces go
)

// plan gives what is to be written, for what was read.
func (c *Cluster) plan(found []autoscaler, i shift.ClusterIntent) []todo {
	var all []todo
	least := c.intended(i)
	for _, a := range found {
		if t, needed := c.judge(a, min(least[a.workload], a.most), i.Attempt); needed {
			all = append(all, t)
		}
	}
	return all
}

// judge gives what is to be written of one autoscaler whose floor shall be at
// least want.
func (c *Cluster) judge(a autoscaler, want, attempt int) (t todo, needed bool) {
	t.autoscaler = a
	if a.made {
		want = 0
	}
	switch {
	case a.heldBy != "":
		return t, false
	case a.held == nil:
		known := c.known(a, attempt)
		if want <= a.floor() || known.reverted > maxReverted {
			return t, false
		}
		t.act, t.next = toHold, c.hold(a, want, attempt, known.reverted)
	case a.owned || a.held.Returning && want > a.was():
		switch {
		case want <= a.was():
			t.act = toGiveBack
			return t, true
		case want == a.floor() && !a.held.Returning:
			return t, false
		}
		t.act, t.next = toHold, *a.held
		t.next.Held, t.next.Attempt, t.next.Returning = want, attempt, false
	case want <= a.floor():
		t.act = toDrop
	default:
		reverted := a.held.Reverted
		if a.held.Attempt != attempt {
			reverted = 0
		}
		if reverted >= maxReverted {
			return t, false
		}
		// Who changed it may have meant it: that is what is given back in the end.
		t.act, t.next = toHold, c.hold(a, want, attempt, reverted+1)
	}
	return t, true
}

// hold is what is written down where a floor that isn't ours is to be held.
func (c *Cluster) hold(a autoscaler, want, attempt, reverted int) held {
	return held{
		Pair: c.pair, Attempt: attempt, Field: "spec." + a.min, Was: a.least, Held: want,
		Owners: others(ownersOf(a.Unstructured, a.min)), Bare: len(a.GetManagedFields()) == 0, Reverted: reverted,
	}
}

// known is what is remembered of an autoscaler without an annotation, with how
// often it was replaced as a whole.
func (c *Cluster) known(a autoscaler, attempt int) memory {
	m, found := c.remembered[a.key()]
	if !found || m.uid != a.GetUID() || m.attempt != attempt {
		return memory{}
	}
	m.reverted++
	return m
}

// forget drops what is remembered of autoscalers that are gone.
func (c *Cluster) forget(found []autoscaler) {
	there := map[string]bool{}
	for _, a := range found {
		there[a.key()] = true
	}
	for key := range c.remembered {
		if !there[key] {
			delete(c.remembered, key)
		}
	}
}

// readings tell the core what was read.
func (c *Cluster) readings(found []autoscaler, i shift.ClusterIntent) []shift.Autoscaler {
	least := c.intended(i)
	var all []shift.Autoscaler
	for _, a := range found {
		if a.made && a.held == nil {
			continue
		}
		r := shift.Autoscaler{
			Kind: a.name, Namespace: a.GetNamespace(), Name: a.GetName(), Workload: a.workload, Min: a.floor(), Max: a.most, HeldBy: a.heldBy,
		}
		want := min(least[a.workload], a.most)
		if a.held != nil {
			r.Held, r.Was = a.held.Held, a.was()
			if !i.Hold {
				want = a.held.Held
			}
		}
		lost := a.held != nil && !a.owned && !a.held.Returning || a.held == nil && c.known(a, i.Attempt).reverted > 0
		if lost && a.floor() < want {
			r.RevertedBy = setBy(a.Unstructured, a.min)
		}
		all = append(all, r)
	}
	return all
}

// maxNotes bounds the sentences about one cluster.
const maxNotes = 5

// notesOf says what people should know of the autoscalers of intended floors.
func (c *Cluster) notesOf(found []autoscaler, i shift.ClusterIntent) []string {
	least := c.intended(i)
	var notes []string
	note := func(a autoscaler, format string, args ...any) {
		notes = append(notes, a.key()+" "+fmt.Sprintf(format, args...))
	}
	for _, a := range found {
		want := least[a.workload]
		if want == 0 || a.made {
			continue
		}
		if a.heldBy != "" {
			note(a, "is held by %s, its floor is left as it is", a.heldBy)
		}
		if want > a.most {
			note(a, "may scale to %d replicas at most, %d are needed", a.most, want)
		}
		if idle := number(a.Unstructured, "idleReplicaCount"); a.name == scaledObject && idle != nil && *idle < want {
			note(a, "scales to %d replicas while it is idle, whatever its floor", *idle)
		}
		if how := paused(a); how != "" {
			note(a, "is paused (%s), so its floor has no effect", how)
		}
	}
	if n := len(notes); n > maxNotes {
		notes = append(notes[:maxNotes], fmt.Sprintf("and %d more about autoscalers", n-maxNotes))
	}
	return notes
}

// paused tells by which annotation KEDA pauses an autoscaler; empty: by none.
func paused(a autoscaler) string {
	if a.name != scaledObject {
		return ""
	}
	if n, has := a.GetAnnotations()["autoscaling.keda.sh/paused-replicas"]; has {
		return "autoscaling.keda.sh/paused-replicas: " + n
	}
	if a.GetAnnotations()["autoscaling.keda.sh/paused"] == "true" {
		return "autoscaling.keda.sh/paused"
	}
	return ""
}
