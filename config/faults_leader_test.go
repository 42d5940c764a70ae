package config_test

import "testing"

func TestFaultsOfLeaderElection(t *testing.T) {
	breakEach(t, map[string]breach{
		"a lease shorter than a write to AWS can do with": {
			"pairs:", "leaderElection: {leaseDuration: 10s} #!\npairs:", "leaderElection.leaseDuration",
			"10s is out of range; use a duration from 15s to 26s",
		},
		"a lease of half a second more": {
			"pairs:", "leaderElection: {leaseDuration: 15500ms} #!\npairs:", "leaderElection.leaseDuration", "15.5s is not whole seconds",
		},
		"renewals that outlast the lease": {
			"pairs:", "leaderElection: {renewDeadline: 15s} #!\npairs:", "leaderElection.renewDeadline", "15s does not end before the lease of 15s",
		},
		"no time for a second try": {
			"pairs:", "leaderElection: {renewDeadline: 3s} #!\npairs:", "leaderElection.renewDeadline", "3s leaves no time for a second try after 2s",
		},
		"more than half a minute without a leader": {
			"pairs:", "leaderElection: {leaseDuration: 26s} #!\npairs:", "leaderElection.leaseDuration",
			"26s with a retryPeriod of 2s leaves the pairs without a leader for up to 30.4s",
		},
		"a name that is none": {
			"pairs:", "leaderElection: {name: Shop_1} #!\npairs:", "leaderElection.name", `"Shop_1" is not a DNS label`,
		},
	})
}
