package config

import (
	"fmt"
	"strings"
)

// Advice tells of what is valid and yet worth a second thought, a sentence each with what to do.
func (c *Config) Advice() []string {
	var advice []string
	for _, p := range c.Pairs {
		if limits := onlyLimits(p); len(limits) > 0 {
			advice = append(advice, fmt.Sprintf(
				"pair %s: what users feel on green is only held against a limit (%s), whatever blue has at the same time; add a requests gate, which compares both and tells a bad green from bad luck",
				p.Name, strings.Join(limits, ", ")))
		}
	}
	return advice
}

// onlyLimits names the gates on users' traffic that measure it on green alone, where no other gate judges it.
func onlyLimits(p Pair) []string {
	var limits []string
	for _, g := range p.Gates {
		switch {
		case g.CloudWatch != nil, g.Prometheus != nil && g.Prometheus.OnFail == "rollback":
			limits = append(limits, g.Name)
		case g.Requests != nil, g.Alertmanager != nil && g.Alertmanager.OnFail == "rollback", g.Webhook != nil && g.Webhook.OnFail == "rollback":
			return nil
		}
	}
	return limits
}
