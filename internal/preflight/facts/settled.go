package facts

import "time"

// Settled is how the workloads fare: conditions, counts, pods.
type Settled struct {
	// Workloads are the Deployments, StatefulSets and DaemonSets.
	Workloads map[Object]Workload
	// Pods counts the pods that don't do what they should, by what controls them;
	// a pod of nobody stands for itself. What does well has no entry.
	Pods map[Object][]Trouble
	// Jobs are the Jobs, and the newest Job of each CronJob under the CronJob's name.
	Jobs        map[Object]Job
	Autoscalers map[Name]Autoscaler
	// Claims are the PersistentVolumeClaims that are not bound.
	Claims map[Name]Claim
	// Selecting names the Services that have a selector. Endpoints counts the
	// ready endpoints of each Service that has endpoints at all.
	Selecting map[Name]struct{}
	Endpoints map[Name]int
	// Terminating are the namespaces that are being deleted, with since when.
	Terminating map[string]time.Time
	// Unavailable are the APIServices that don't answer, with why.
	Unavailable map[string]string
}

// Workload is one Deployment, StatefulSet or DaemonSet.
type Workload struct {
	Wanted int
	Ready  int
	// NotReady says in a few words what is wrong; empty: nothing.
	NotReady string
}

// Trouble counts pods with one reason not to do what they should.
type Trouble struct {
	// Reason is Kubernetes' own word, such as CrashLoopBackOff.
	Reason string
	Count  int
	// Message is what Kubernetes says of one of them; it may be empty.
	Message string
	// Past: the pods run again, or others took their place.
	Past bool
}

// Job is how one Job ended, if it did.
type Job struct {
	Began     time.Time
	Suspended bool
	Complete  bool
	// Failed says why it failed; empty: it did not.
	Failed string
}

// Autoscaler is one HorizontalPodAutoscaler.
type Autoscaler struct {
	// Target is what it scales, in its own namespace.
	Target Object
	Min    int
	Max    int
	// Seen: its controller wrote a status.
	Seen bool
	// Broken says why it doesn't scale; empty: it does.
	Broken string
}

// Claim is one PersistentVolumeClaim that is not bound.
type Claim struct {
	Phase string // Pending, Lost
	Class string // its StorageClass; empty: none is named
	// Used: a pod wants it. One that nobody wants may wait for its first pod.
	Used bool
}
