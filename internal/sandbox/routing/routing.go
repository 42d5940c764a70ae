// Package routing holds the values that the embedded AWS hands to the edge:
// what the stored records, listeners, rules and target groups mean for a
// request. The API side (package aws) produces them, the data plane (package
// edge) consumes them; neither knows the other.
package routing

import "time"

// RecordSet is one published resource record set, as an authoritative name
// server would answer it (that is, after the change became INSYNC).
type RecordSet struct {
	Name          string // fully qualified, lower case, final dot
	Type          string // A, TXT, ...
	SetIdentifier string // empty for a simple record
	Weighted      bool
	Weight        int64 // 0..255
	MultiValue    bool  // up to eight healthy members are answered together
	Secondary     bool  // of a failover pair: answered when the primary is unhealthy
	Unhealthy     bool  // its health check fails now, or the target of an alias that evaluates it
	TTL           time.Duration
	Values        []string
	// Alias means that one of Targets is answered in its place, under its name; no
	// targets mean no answer. It has no TTL and no values of its own.
	Alias   bool
	Targets []RecordSet
}

// Listener is one listener of a load balancer with its rules in the order in
// which they are tried; the default rule comes last.
type Listener struct {
	ARN             string
	LoadBalancerARN string
	Address         string // virtual address of the load balancer, without port
	Port            int
	// TCP listeners, of network load balancers, forward whole connections by the
	// default rule, the only one that they have.
	TCP   bool
	Rules []Rule
}

// Rule forwards the requests that match it. Empty condition lists match all.
type Rule struct {
	ARN   string
	Hosts []string // host-header conditions, with * and ? wildcards
	Paths []string // path-pattern conditions, with * and ? wildcards
	// Forward lists the weighted target groups; weights 0..999.
	Forward []WeightedGroup
	// Stickiness is how long a client is kept on its target group; 0 = off.
	Stickiness time.Duration
	// FixedStatus answers without forwarding when it isn't 0.
	FixedStatus int
	// Redirect is the Location that goes with a FixedStatus of 301 or 302, with
	// the placeholders of ALB: #{protocol}, #{host}, #{port}, #{path}, #{query}.
	Redirect string
}

// WeightedGroup is one target group of a forward action.
type WeightedGroup struct {
	TargetGroupARN string
	Weight         int
}

// HealthCheck tells how the targets of one group are checked.
type HealthCheck struct {
	Interval, Timeout  time.Duration
	Path               string
	Healthy, Unhealthy int // consecutive results that change the state
	StatusFrom         int // matcher, inclusive
	StatusTo           int
	TCP                bool // a connection that opens is enough; no path and no status
}

// Target is one registered target of a group.
type Target struct {
	Address string // IP address
	Port    int
	State   State
}

// State is a target health state as ELB names it.
type State string

// The states that the sandbox uses. ELBv2 API, TargetHealthStateEnum.
const (
	Initial           State = "initial"
	Healthy           State = "healthy"
	Unhealthy         State = "unhealthy"
	UnhealthyDraining State = "unhealthy.draining" // network load balancers only
	Unused            State = "unused"
	Draining          State = "draining"
	Unavailable       State = "unavailable" // its health isn't known
)

// TargetGroup is one target group with its targets.
type TargetGroup struct {
	ARN         string
	HealthCheck HealthCheck
	Attached    bool // some listener or rule forwards to it, weight 0 included
	Targets     []Target
}

// Request is one request that a load balancer answered; CloudWatch counts it.
type Request struct {
	At              time.Time
	LoadBalancerARN string
	TargetGroupARN  string // empty when no target group was chosen
	Status          int
	FromTarget      bool // the target answered; false: the load balancer did (502, 503, 504)
	Duration        time.Duration
	// Unreached: no connection to the chosen target could be made.
	Unreached bool
}
