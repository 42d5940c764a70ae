package switcher

import (
	"github.com/clusterswitch/clusterswitch/probes"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// ProbeReadings puts what the probes saw into the core's words.
func ProbeReadings(readings []probes.Reading) []shift.ProbeReading {
	mapped := make([]shift.ProbeReading, len(readings))
	for i, r := range readings {
		mapped[i] = shift.ProbeReading{
			Name: r.Name, Needed: r.Needed, FreshFor: r.FreshFor, Passing: r.State == probes.Passing,
		}
		for _, h := range r.History {
			mapped[i].Results = append(mapped[i].Results, shift.ProbeResult{At: h.At, Err: h.Err})
		}
	}
	return mapped
}
