// Package floors holds the floors of autoscalers in one cluster while a shift is
// under way, and gives them back exactly as they were. What is held is written
// on the object itself, so that whoever comes after a crash finds it there.
package floors

import (
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// Manager is the field manager of the writes, in metadata.managedFields.
const Manager = "clusterswitch"

// Annotation is where an autoscaler says what is held on it, and for whom.
const Annotation = "clusterswitch.io/held"

// Options say whose floors are held where.
type Options struct {
	// Config reaches the cluster.
	Config *rest.Config
	// Pair is who holds: what others hold is left alone.
	Pair string
	// Side tells which floors of an intent are this cluster's.
	Side shift.Side
	// Namespaces are where autoscalers are looked for; empty: everywhere.
	Namespaces []string
}

// Seen is what one round saw and did.
type Seen struct {
	// At is before the reads began whose outcome this is, and after all that was
	// written; zero: nothing could be read.
	At time.Time
	// Autoscalers are all that scale a workload, sorted by their keys.
	Autoscalers []shift.Autoscaler
	// Notes say what people should know of some of them.
	Notes []string
	// Done says what was written, in the order of the writes.
	Done []string
}

// Cluster tends the autoscalers of one cluster. One goroutine at a time may use
// it.
type Cluster struct {
	client     dynamic.Interface
	pair       string
	side       shift.Side
	namespaces []string
	// remembered is what was held by object: an object that was replaced as a
	// whole lost what was written on it.
	remembered map[string]memory
}

// New makes a Cluster. It talks to nobody yet.
func New(o Options) (*Cluster, error) {
	client, err := dynamic.NewForConfig(o.Config)
	if err != nil {
		return nil, fmt.Errorf("making a client for autoscalers: %w", err)
	}
	return &Cluster{client: client, pair: o.Pair, side: o.Side, namespaces: o.Namespaces, remembered: map[string]memory{}}, nil
}

// maxPasses bounds how often one round reads: what was written is read back, and
// what changed in between is judged anew.
const maxPasses = 3

// Tend brings the autoscalers to what is intended, and reads back what became of
// them. With an error Seen is what could be read all the same; what went wrong is
// tried again by the next call.
func (c *Cluster) Tend(ctx context.Context, i shift.ClusterIntent) (Seen, error) {
	var seen Seen
	var faults []error
	for pass := range maxPasses {
		at := time.Now()
		found, err := c.list(ctx)
		if err != nil {
			return seen, errors.Join(append(faults, err)...)
		}
		seen.At, seen.Autoscalers, seen.Notes = at, c.readings(found, i), c.notesOf(found, i)
		c.forget(found)
		if i.Leave || pass == maxPasses-1 {
			break
		}
		todo := c.plan(found, i)
		if len(todo) == 0 || pass > 0 && len(faults) > 0 {
			break
		}
		done, err := c.carryOut(ctx, todo)
		seen.Done = append(seen.Done, done...)
		if err != nil {
			faults = append(faults, err)
		}
	}
	return seen, errors.Join(faults...)
}
