package config

import "time"

// LeaderElection says how daemons with the same configuration agree on the one that writes. The others stand by: they watch
// the clusters and run the probes, ask AWS nothing and write nothing, until one of them takes over.
type LeaderElection struct {
	// Enabled keeps a Lease in the journal's namespace. Without it exactly one daemon may run.
	Enabled bool `yaml:"enabled" default:"true"`

	// Name is the name of the Lease. Daemons with other pairs in the same namespace need a name of their own.
	Name string `yaml:"name" default:"clusterswitch"`

	// LeaseDuration is how long the others wait after the last renewal that they saw, in whole seconds. Nine tenths of it are
	// sure for the one that holds it: a write to AWS must fit into what is left of that.
	LeaseDuration time.Duration `yaml:"leaseDuration" default:"15s" range:"15s..26s"`

	// RenewDeadline is how long a renewal is tried before the daemon campaigns anew.
	RenewDeadline time.Duration `yaml:"renewDeadline" default:"10s" range:"2s..25s"`

	// RetryPeriod is the time between renewals, and between the tries of those who stand by.
	RetryPeriod time.Duration `yaml:"retryPeriod" default:"2s" range:"1s..3s"`
}

const (
	// leaderless is the longest that the pairs may be without a leader.
	leaderless = 30 * time.Second
	// leaseJitter is by how many retry periods, at most, client-go spreads the tries of those who stand by.
	leaseJitter = 2.2
)

// leaderElection checks what the ranges of its keys do not show.
func (c *checker) leaderElection(path string, e LeaderElection) {
	c.label(path+".name", e.Name)
	if c.faulty[path+".leaseDuration"] || c.faulty[path+".renewDeadline"] || c.faulty[path+".retryPeriod"] {
		return
	}
	without := e.LeaseDuration + time.Duration(leaseJitter*float64(e.RetryPeriod))
	switch {
	case e.LeaseDuration%time.Second != 0:
		c.faultf(path+".leaseDuration", "%s is not whole seconds, which a Lease counts in", e.LeaseDuration)
	case e.RenewDeadline >= e.LeaseDuration:
		c.faultf(path+".renewDeadline", "%s does not end before the lease of %s; use less", e.RenewDeadline, e.LeaseDuration)
	case e.RenewDeadline < 2*e.RetryPeriod:
		c.faultf(path+".renewDeadline", "%s leaves no time for a second try after %s; use at least twice the retryPeriod", e.RenewDeadline, e.RetryPeriod)
	case without > leaderless:
		c.faultf(path+".leaseDuration", "%s with a retryPeriod of %s leaves the pairs without a leader for up to %s; use less, so that it is at most %s",
			e.LeaseDuration, e.RetryPeriod, without, leaderless)
	}
}
