package shift

import (
	"slices"
	"time"
)

// EntranceReading is one entrance as AWS stores it.
type EntranceReading struct {
	Name string
	// At is when it was read; zero: never. All that it tells stood there at that
	// time or later, never before.
	At time.Time
	// Err says why it could not be read or must not be touched; empty: it was
	// read and is usable.
	Err string
	// Owner names another controller that writes this object; the entrance is
	// then refused.
	Owner string
	// Token names exactly what was read; a write that expects it is refused
	// when anything of it has changed since.
	Token string
	// Weights are those of the entrance's records. Where these differ, Apart has
	// all that occur, each once, and Weights are those which give green the most.
	Weights Weights
	Apart   []Weights
	// Where says which records stand at what, where they stand apart.
	Where string
	// TTL is how long resolvers may keep the old answer; zero for a load balancer.
	TTL time.Duration
	// InSync says that the last change reached all of AWS's servers. SyncUnheard: this
	// process made none here, so it has none to ask AWS about, and InSync is a guess.
	InSync      bool
	SyncUnheard bool
	// Mark is the mark beside the weights, the newest where there are several;
	// nil where there is none.
	Mark *Mark
	// BlueTargets and GreenTargets are known for load balancers only.
	BlueTargets  Targets
	GreenTargets Targets
	// Sticky is how long a load balancer keeps a client on the side that it is
	// on, whatever the weights say; zero: it doesn't.
	Sticky time.Duration
	// Unstuck is the stickiness that a rollback switched off; nil: none did.
	Unstuck *Unstuck
	// Connection is how long a client may go on over a connection that it has,
	// whatever the weights say; zero: not at all, each request is sent anew.
	// Endless: nothing ends it but the client.
	Connection time.Duration
	// Deregistration is how long a target group lets requests end that are under
	// way on a target which is taken away; zero: it isn't known.
	Deregistration time.Duration
	// Notes are sentences about what else decides where users go: other members
	// of a group, slow start, health checks.
	Notes []string
}

// Endless stands for a time that nothing bounds.
const Endless = time.Duration(1<<63 - 1)

// Unstuck is stickiness that was switched off for a rollback.
type Unstuck struct {
	At  time.Time
	For time.Duration // what was switched off: how long a cookie lives
}

// Targets counts the targets of one target group. Those that are draining count
// as none.
type Targets struct {
	Known   bool
	Healthy int
	Total   int
	// Zones has the same counts by availability zone, sorted by its name.
	Zones []ZoneTargets
	// Note says why targets that are there don't count; empty: they do.
	Note string
}

// ZoneTargets counts the targets of one availability zone.
type ZoneTargets struct {
	Zone    string
	Healthy int
	Total   int
}

// because gives the note as the end of a sentence.
func (t Targets) because() string {
	if t.Note == "" {
		return ""
	}
	return ": " + t.Note
}

// thin finds a zone that has targets, but fewer healthy ones than needed; nil:
// there is none.
func (t Targets) thin(needed int) *ZoneTargets {
	for _, z := range t.Zones {
		if z.Total > 0 && z.Healthy < needed {
			return &z
		}
	}
	return nil
}

// all gives every weights that occurs in the entrance.
func (r EntranceReading) all() []Weights {
	if len(r.Apart) > 0 {
		return r.Apart
	}
	return []Weights{r.Weights}
}

// is tells whether the condition holds for every weights of the entrance.
func (r EntranceReading) is(condition func(Weights) bool) bool {
	return !slices.ContainsFunc(r.all(), func(w Weights) bool { return !condition(w) })
}

// StandsAt tells whether the whole entrance gives green exactly the share.
func (r EntranceReading) StandsAt(s Share) bool {
	return r.is(func(w Weights) bool { return w.At(s) })
}

// atMost tells whether no part of the entrance gives green more than the share.
func (r EntranceReading) atMost(s Share) bool {
	return r.is(func(w Weights) bool { return w.AtMost(s) })
}

// green tells whether any of the weights sends users to green.
func (r EntranceReading) green() bool {
	return !r.is(func(w Weights) bool { return w.Green == 0 })
}

// Share is green's share where it has the most.
func (r EntranceReading) Share() Share {
	most := Share(0)
	for _, w := range r.all() {
		most = max(most, w.Share())
	}
	return most
}

// lowest is green's share where it has the least.
func (r EntranceReading) lowest() Share {
	lowest := Full
	for _, w := range r.all() {
		lowest = min(lowest, w.Share())
	}
	return lowest
}

// even tells whether any weights of the entrance are all zero: AWS splits its
// traffic evenly then.
func (r EntranceReading) even() bool {
	return !r.is(func(w Weights) bool { return w.Blue+w.Green > 0 })
}

// least is green's share where it has the least, rounded down.
func (r EntranceReading) least() Share {
	least := Full
	for _, w := range r.all() {
		least = min(least, w.whole())
	}
	return least
}

// ProvesBlueDead tells whether the reading proves that going back would break
// what works: blue has no healthy target, and green has some. What is unknown
// proves nothing.
func (r EntranceReading) ProvesBlueDead() bool {
	return r.BlueTargets.Known && r.BlueTargets.Healthy == 0 &&
		r.GreenTargets.Known && r.GreenTargets.Healthy > 0
}

// rival says who else writes the entrance, as far as AWS can tell.
func (r EntranceReading) rival() string {
	if r.Owner != "" {
		return "it is written by " + r.Owner
	}
	return "no tag or TXT record there names another owner, AWS CloudTrail tells who it was"
}

// String says how the entrance stands.
func (r EntranceReading) String() string {
	if len(r.Apart) > 0 {
		return r.Where
	}
	return r.Weights.String()
}
