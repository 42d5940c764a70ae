package shift

import "time"

// ClusterIntent is what shall hold in the clusters besides traffic. It is a
// level and not an order: whoever carries it out brings the clusters there,
// and the next observation says how far they are. It is journaled before
// anybody is told of it, as far as State has it.
type ClusterIntent struct {
	// Leave: nothing is to be written, neither held nor given back.
	Leave bool
	// Attempt is the attempt that the intent belongs to.
	Attempt int
	// Hold keeps the floors of autoscalers; false gives back whatever was held.
	Hold bool
	// Blue and Green are the least replicas of each workload.
	Blue, Green []Floor
	// Singletons are what shall hold of each; one that isn't named is left alone.
	Singletons []SingletonIntent
}

// Floor is the least that the autoscaler of one workload may scale it to.
type Floor struct {
	Workload string // its key
	Least    int    // replicas
}

// FloorsReading is what was seen of the autoscalers of both sides.
type FloorsReading struct {
	// At is when both sides were last read as a whole, after anything that was
	// written; zero: never.
	At time.Time
	// Err says why a side could not be read or written; empty: both were.
	Err string
	// Blue and Green are the autoscalers of each side that were found.
	Blue, Green []Autoscaler
}

// Autoscaler is one HorizontalPodAutoscaler or KEDA ScaledObject.
type Autoscaler struct {
	Kind      string // HorizontalPodAutoscaler, ScaledObject
	Namespace string
	Name      string
	// Workload is the key of what it scales.
	Workload string
	// Min and Max bound it now.
	Min, Max int
	// Held is the floor that this pair holds by it, or held until somebody set
	// another one; 0: there is nothing to give back.
	Held int
	// Was is what Min was before; it counts only with Held.
	Was int
	// HeldBy is who else holds it by the same means, another pair for instance: then
	// this pair leaves it alone. Empty: nobody.
	HeldBy string
	// RevertedBy names who set the floor back although it was held: a manager of
	// the object's fields; empty: nobody did.
	RevertedBy string
}

// Key names the autoscaler.
func (a Autoscaler) Key() string { return a.Kind + " " + a.Namespace + "/" + a.Name }
