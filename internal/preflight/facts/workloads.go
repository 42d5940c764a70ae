package facts

// Workloads is what the objects that bear a deeper comparison are like.
type Workloads struct {
	// LeftOut tells, for each object that a rule leaves out, which: its place in
	// LeftOut().
	LeftOut map[GroupKind]map[Name]uint8
	// Anyway are the objects that are there without anybody's doing: a Rule says so.
	Anyway map[Object]struct{}
	// Ended are Jobs and Pods that ran to their end.
	Ended map[Object]struct{}
	// Aspects are what is compared of an object besides that it is there. An object
	// without an entry was not looked at; an empty entry has nothing of it.
	Aspects map[GroupKind]map[Name][]Aspect
	// Scaled gives the autoscaler of each workload that has one.
	Scaled map[Object]Object
	// Volumes are the PersistentVolumeClaims, without those that live and die with
	// a pod.
	Volumes map[Name]Volume
	// Templates names the volumeClaimTemplates of each StatefulSet that has any.
	Templates map[Name][]string
	// Identities tell, for each ServiceAccount with running pods, how many of them
	// got AWS rights by an association of EKS Pod Identity.
	Identities map[Name]Identity
	// Hooks are the Services that admission webhooks call.
	Hooks map[Object][]Name
	// WithoutSelector are the Services that people give addresses to themselves, by
	// Endpoints or EndpointSlices.
	WithoutSelector map[Name]struct{}
}

// Aspect is one thing that is compared of two objects of one name.
type Aspect struct {
	// Name says what it is: image, replicas. Item tells several of one object
	// apart: a container's name.
	Name string
	Item string
	// Value is for people, or a digest where they must not or need not see it.
	Value string
	// Plain is Value with all taken out that names this cluster alone; empty:
	// there was none. Two values are alike when either is equal.
	Plain string
	// Free: clusterswitch itself sets it, so that any value is right.
	Free bool
}

// Alike tells whether two values mean the same.
func (a Aspect) Alike(b Aspect) bool {
	return a.Free || b.Free || a.Value == b.Value || a.plain() == b.plain()
}

func (a Aspect) plain() string {
	if a.Plain == "" {
		return a.Value
	}
	return a.Plain
}

// Identity counts a ServiceAccount's running pods by whether EKS Pod Identity
// gave them rights at AWS. The associations themselves are kept at EKS; what
// they did to the pods is what the cluster shows.
type Identity struct {
	With, Without int
}

// Volume is what a PersistentVolumeClaim asks for.
type Volume struct {
	// Size is its least size, such as 10Gi. Class is its StorageClass; empty: the
	// default one.
	Size  string
	Class string
}
