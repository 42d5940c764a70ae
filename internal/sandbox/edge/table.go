package edge

import (
	"net"
	"strconv"
	"sync/atomic"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/routing"
)

// table is what requests are routed by: one consistent reading of listeners
// and target groups, never changed once it is in use.
type table struct {
	listeners map[string]routing.Listener // by address and port
	groups    map[string]*group           // by ARN
}

// newTable builds a table; the turns of groups that the one before it knows
// go on.
func newTable(listeners []routing.Listener, groups []routing.TargetGroup, before *table) *table {
	t := &table{
		listeners: make(map[string]routing.Listener, len(listeners)),
		groups:    make(map[string]*group, len(groups)),
	}
	for _, listener := range listeners {
		t.listeners[frontAddress(listener)] = listener
	}
	for _, stored := range groups {
		turn := new(atomic.Uint64)
		if before != nil {
			if known, ok := before.groups[stored.ARN]; ok {
				turn = known.turn
			}
		}
		t.groups[stored.ARN] = &group{serving: serving(stored.Targets), turn: turn}
	}
	return t
}

func frontAddress(l routing.Listener) string {
	return net.JoinHostPort(l.Address, strconv.Itoa(l.Port))
}

// group hands out the targets of one target group by turns.
type group struct {
	serving []string // address and port
	turn    *atomic.Uint64
}

// target returns the address of the target whose turn it is.
func (g *group) target() (string, bool) {
	if g == nil || len(g.serving) == 0 {
		return "", false
	}
	return g.serving[g.turn.Add(1)%uint64(len(g.serving))], true
}

// serving picks the targets that get requests: the healthy ones, or, when
// there is none, all that are registered. That last rule is how an ALB fails
// open; targets that drain or whose group is not in use stay out of it.
func serving(targets []routing.Target) []string {
	var healthy, open []string
	for _, target := range targets {
		address := targetAddress(target)
		switch target.State {
		case routing.Healthy:
			healthy = append(healthy, address)
		case routing.Initial, routing.Unhealthy, routing.Unavailable:
			open = append(open, address)
		case routing.Draining, routing.UnhealthyDraining, routing.Unused:
		}
	}
	if len(healthy) > 0 {
		return healthy
	}
	return open
}

func targetAddress(t routing.Target) string {
	return net.JoinHostPort(t.Address, strconv.Itoa(t.Port))
}
