package sim

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// cloud is AWS with the pair's entrances.
type cloud struct {
	w      *world
	groups []*group
}

// group is one entrance: two weighted records with their mark, or the action of
// a rule with its tag.
type group struct {
	w   *world
	e   shift.Entrance
	dns bool
	now content
	// was is what stood before the newest change; a late answer may tell it.
	was       content
	gone      bool // somebody deleted it
	changedAt time.Duration
	wroteAt   time.Duration // when a daemon last changed the weights
	edited    shift.Weights // what a person replaced last
	editedAt  time.Duration
	priorTill time.Duration // an earlier change of the zone is under way
	syncs     time.Duration
	ttl       time.Duration

	blueTargets, greenTargets int
	// foreign: somebody else wrote what stands there, and nobody said that it counts.
	foreign bool
	// bare: somebody took the mark away, and with it what fences late writes off.
	bare   bool
	sent   uint64 // counts writes, in the order in which they were sent
	newest uint64 // of those that arrived
}

// content is what a compare-and-swap compares: weights and mark.
type content struct {
	w      shift.Weights
	mark   shift.Mark
	marked bool
}

const allTargets = 3

func newCloud(w *world) *cloud {
	c := &cloud{w: w}
	for _, e := range w.plan.Entrances {
		g := &group{
			w: w, e: e, dns: e.Route53 != nil, now: content{w: shift.Share(0).Weights()}, changedAt: -time.Hour, wroteAt: -time.Hour,
			blueTargets: allTargets, greenTargets: allTargets,
		}
		if g.dns {
			g.syncs, g.ttl = 5*time.Second, 10*time.Second
			if !w.o.Calm {
				g.syncs, g.ttl = time.Duration(w.rng.IntN(30))*time.Second, time.Duration(w.rng.IntN(4))*10*time.Second
			}
		}
		g.was = g.now
		c.groups = append(c.groups, g)
	}
	return c
}

func (c *cloud) index(name string) int {
	if c.groups[0].e.Name == name {
		return 0
	}
	return len(c.groups) - 1
}

func (c *cloud) allAt(s shift.Share) bool {
	for _, g := range c.groups {
		if g.gone || !g.now.w.At(s) {
			return false
		}
	}
	return true
}

func (c *cloud) allBlue() bool  { return c.allAt(0) }
func (c *cloud) allGreen() bool { return c.allAt(shift.Full) }

// String says how all entrances stand.
func (c *cloud) String() string {
	var said strings.Builder
	for _, g := range c.groups {
		said.WriteString(fmt.Sprintf(" %s %s", g.e.Name, g.now))
	}
	return said.String()
}

func (c *cloud) heal() {
	for _, g := range c.groups {
		g.blueTargets, g.greenTargets = allTargets, allTargets
		if g.gone {
			g.gone, g.changedAt = false, c.w.now
		}
	}
}

// String says what stands there.
func (c content) String() string {
	if !c.marked {
		return fmt.Sprintf("%d/%d without a mark", c.w.Blue, c.w.Green)
	}
	rollback := ""
	if c.mark.Rollback {
		rollback = " rollback"
	}
	return fmt.Sprintf("%d/%d (mark %d/%d.%d %s%s)", c.w.Blue, c.w.Green, c.mark.Attempt, c.mark.Epoch, c.mark.Version, c.mark.Phase, rollback)
}

// token names the content exactly.
func (c content) token() string {
	b := make([]byte, 0, 64)
	for _, n := range [...]int{c.w.Blue, c.w.Green, c.mark.Attempt, int(c.mark.Epoch), int(c.mark.Version), int(c.mark.Share)} {
		b = append(strconv.AppendInt(b, int64(n), 10), ' ')
	}
	b = append(b, c.mark.Phase...)
	b = strconv.AppendBool(b, c.mark.Rollback)
	return string(strconv.AppendBool(b, c.marked))
}

// hand is somebody's edit, past the daemon.
func (g *group) hand(c content) {
	g.w.say("people", "%s is edited by hand: %s, was %s", g.e.Name, c, g.now)
	g.edited, g.editedAt = g.now.w, g.w.now
	g.set(c)
	g.gone = false
	g.foreign = g.w.judge.isForeign(g)
	g.bare = !c.marked
	g.w.users.follow()
}

// undoesUnseen tells whether weights at a load balancer are what stood there before a
// person's edit that no living daemon saw: to all of them nothing ever changed.
func (g *group) undoesUnseen(w shift.Weights) bool {
	saw := func(r *replica) bool { return r.alive && r.readAt[g.w.aws.index(g.e.Name)] >= g.editedAt }
	return !g.dns && w == g.edited && !slices.ContainsFunc(g.w.replicas, saw)
}

func (g *group) set(c content) {
	if g.now != c {
		g.was, g.changedAt = g.now, g.w.now
	}
	g.now = c
}

// write is one request that changes a group.
type write struct {
	g        *group
	r        *replica
	life     int
	change   shift.Change
	expected content // what Route 53 compares with
	wanted   content
	sentAt   time.Duration
	number   uint64
	part     part
	evidence *record // what the decision was made from; of rises
}

// part is what of its content a write sets: at a load balancer the mark is a tag.
type part int

const (
	whole part = iota
	weightsOnly
	markOnly
)

type answer int

const (
	applied answer = iota
	conflict
	notFound
)

// arrive lets a write take effect, if AWS takes it.
func (x *write) arrive() answer {
	g := x.g
	if x.number < g.newest {
		g.w.count(Reordered)
	}
	g.newest = max(g.newest, x.number)
	switch {
	case g.gone:
		return notFound
	case g.dns && g.now != x.expected:
		return conflict
	}
	before, after := g.now, x.wanted
	switch x.part {
	case weightsOnly:
		after.mark, after.marked = before.mark, before.marked
	case markOnly:
		after.w = before.w
	case whole:
	}
	g.set(after)
	if g.dns {
		g.priorTill = g.w.now + g.syncs/4
	}
	if g.w.o.Trace {
		g.w.say("aws", "%s: %s, was %s (sent by %s at %s as %s)", g.e.Name, g.now, before, x.r.name, stamp(x.sentAt), x.change.Priority)
	}
	if x.part != markOnly {
		g.w.judge.landed(x, before)
	}
	g.w.users.follow()
	return applied
}
