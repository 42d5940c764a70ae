package facts

// Retire reads what decides whether a cluster may be deleted: its entrances, what
// exists once in the world, and the objects that name the other cluster.
const Retire Scope = "retire"

// Word is a text by which objects refer to a cluster.
type Word struct {
	// Text is in lower case. It counts as a whole word only: not within a longer
	// name.
	Text string
	// Means says what it names, as "the load balancer of Service shop/web".
	Means string
}

// Retiring is what a scope of Retire adds to a Cluster.
type Retiring struct {
	// References are objects in which a Word stands, each object once for each word:
	// at most MostReferences, the others are only counted.
	References     []Reference
	MoreReferences int
	// Searched counts the objects that were searched for words.
	Searched int
	// Addresses are those of nodes and of pods behind Services.
	Addresses map[string]struct{}
	// Pointers are addresses that EndpointSlices name which no Service's pods made.
	Pointers []Pointer
	// Volumes are PersistentVolumes whose disk is deleted with them.
	Volumes []DoomedVolume
	// Claims are StatefulSets that claim volumes.
	Claims []Object
	// Jobs are the Jobs that are not over, Owner names the CronJob of one.
	Jobs []OpenJob
	// Held are objects on which clusterswitch has left an annotation of its own.
	Held []HeldObject
}

// MostReferences bounds the References of one cluster.
const MostReferences = 1000

// Reference is an object in which a word stands.
type Reference struct {
	Object
	Word Word
	// Places are where it stands, as data.DB_HOST: the first three. Values are never
	// kept.
	Places []string
}

// Pointer is an address that an object points to.
type Pointer struct {
	Object
	Address string
}

// DoomedVolume is a PersistentVolume whose disk is deleted with it.
type DoomedVolume struct {
	Name  string
	Claim Name // empty Name: none
}

// OpenJob is a Job that is not over.
type OpenJob struct {
	Name
	// Active counts its pods.
	Active int
	// CronJob made it; empty: none did.
	CronJob string
}

// HeldObject is an object with an annotation of clusterswitch.
type HeldObject struct {
	Object
	Annotation string
}
