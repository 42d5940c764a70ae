package aws

import (
	"testing"
	"time"
)

// TestPastVersionsAreForgotten keeps a sandbox that runs for days from growing.
func TestPastVersionsAreForgotten(t *testing.T) {
	now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	s := newDNSStore(Options{Propagation: 3 * time.Second, Now: func() time.Time { return now }}, &idSource{}, nil)
	z := newHostedZone("Z1", "example.com.", xmlZoneRequest{})
	for range 100 {
		s.publishLocked(z, []string{z.name}, now.Add(s.opts.Propagation))
		now = now.Add(time.Second)
	}
	// One in force, and one for each second of the propagation.
	if n := len(s.view.Load().zones[0].versions); n != 4 {
		t.Errorf("%d versions are kept, want 4", n)
	}
}
