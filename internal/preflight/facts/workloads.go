package facts

// Workloads is what the objects that bear a deeper comparison are like.
type Workloads struct{}
