package facts

import (
	"time"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// Traffic is what AWS tells of the pair's declared entrances.
type Traffic struct {
	// Fault says why AWS was not asked at all; empty: it was.
	Fault string
	// Gaps are what could not be read.
	Gaps []Gap
	// Begun: the shift has begun, so that green may have a share.
	Begun bool
	// Steps are those of the plan.
	Steps     []shift.Step
	Entrances []Entrance
	// Balancers are the load balancers that the entrances lead through, by ARN.
	Balancers map[string]Balancer
	// Groups are the target groups that the entrances name and those of Balancers,
	// by ARN.
	Groups map[string]TargetGroup
}

// Entrance is one declared entrance.
type Entrance struct {
	shift.Entrance
	// Reading is what the adapter says of it.
	Reading shift.EntranceReading
	// Records are those of a Route 53 entrance, of all its names and types.
	Records []Record
	// Known: Records are all that there are.
	Known bool
}

// Record is one weighted record.
type Record struct {
	// Name is in lower case, without final dot.
	Name string
	Type string
	// Side is blue or green; empty for others.
	Side          shift.Side
	SetIdentifier string
	Weight        int
	// TTL is zero for an alias.
	TTL time.Duration
	// Targets are where it leads: IP addresses, or host names in lower case without
	// final dot and without the prefix dualstack of load balancers. A name in the
	// same zone is followed to where that leads.
	Targets []string
	// Evaluates: it is an alias that evaluates its target's health.
	Evaluates bool
	// Beside: it has one of the entrance's names and another type, A, AAAA or CNAME,
	// and isn't shifted.
	Beside bool
	// Balancers are the ARNs of the load balancers that it leads to, as far as they
	// are known.
	Balancers []string
}

// Balancer is a load balancer with all that leads through it.
type Balancer struct {
	ARN string
	// DNSName is in lower case.
	DNSName  string
	Internal bool
	Network  bool
	// Addresses are its IP addresses: those that AWS tells, and those that its name
	// led to.
	Addresses []string
	Listeners []Listener
	// Groups are the ARNs of the target groups that it forwards to.
	Groups []string
	// Known: Listeners and Groups are all that there are.
	Known bool
	// Created is when it was made; zero: AWS doesn't tell.
	Created time.Time
	// RoleARN is the role that saw it; empty: the daemon's own identity.
	RoleARN string
}

// Listener is a listener with its rules.
type Listener struct {
	ARN string
	// Protocol is HTTP, HTTPS, TCP, TLS, UDP and so on.
	Protocol string
	Port     int
	// Rules are in no order; the default action is the one without conditions. A
	// network load balancer has it alone.
	Rules []ListenerRule
}

// ListenerRule is a listener rule, or a listener's default action.
type ListenerRule struct {
	// ARN is the listener's for its default action.
	ARN     string
	Default bool
	// Hosts, Paths and Headers are the patterns of hosts and paths and the names of
	// headers that its conditions name.
	Hosts   []string
	Paths   []string
	Headers []string
	// Others: it has conditions of other kinds, too.
	Others   bool
	Forwards []Forward
}

// Forward is one target group of an action.
type Forward struct {
	Group  string // ARN
	Weight int
}

// TargetGroup is a target group.
type TargetGroup struct {
	ARN  string
	Name string
	// TargetType is instance, ip, lambda or alb.
	TargetType string
	// Port is the port of targets that name none.
	Port int
	// Settings are what decides how its targets are treated, by the names of AWS:
	// health checks, and attributes. One that isn't known isn't there.
	Settings map[string]string
	// Targets are known where they were counted.
	Targets shift.Targets
	// TargetPorts are the ports of its targets, where they were counted.
	TargetPorts []int
	// Maker names the controller that made it; empty: none is known to have.
	Maker string
}
