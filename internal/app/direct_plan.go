package app

import (
	"context"
	"sync"
	"time"

	"github.com/clusterswitch/clusterswitch/config"
	"github.com/clusterswitch/clusterswitch/internal/rehearsal"
	"github.com/clusterswitch/clusterswitch/switcher/evidence"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// PlanOptions say which shift is rehearsed.
type PlanOptions struct {
	// Pair is the name of one of the configuration's pairs.
	Pair string
	// Start is when the shift is asked for.
	Start time.Time
	// Now is the clock by which blue's past is measured; nil: time.Now.
	Now func() time.Time
}

// Plan rehearses a shift, without the daemon. It reads the entrances and what the
// gates measure of blue; what can't be read is a warning. The error is for a pair
// that isn't there.
func (d *Direct) Plan(ctx context.Context, o PlanOptions) (rehearsal.Report, error) {
	pair, err := d.pair(o.Pair)
	if err != nil {
		return rehearsal.Report{}, err
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	asked := rehearsal.Asked{
		Options: rehearsal.Options{Plan: planOf(d.config, pair), Lags: lagsOf(pair), Start: o.Start},
		Faults:  map[string]string{},
	}
	var reading sync.WaitGroup
	reading.Go(func() { asked.Entrances = d.aws.read(ctx, asked.Plan.Entrances, shift.Watching) })
	reading.Go(func() { asked.Profiles = d.profiles(ctx, pair, o.Now(), asked.Faults) })
	reading.Wait()
	return rehearsal.Reckon(asked), nil
}

// profiles measures blue's past for each request gate, side by side.
func (d *Direct) profiles(ctx context.Context, pair config.Pair, now time.Time, faults map[string]string) map[string]evidence.Profile {
	var (
		measuring sync.WaitGroup
		mu        sync.Mutex // guards both maps
	)
	profiles := map[string]evidence.Profile{}
	meter := newGateMeter(d.aws, time.Now)
	for _, spec := range specsOfGates(d.config, pair) {
		gauge, counts := meter.gaugeOf(spec).(*requestGauge)
		if !counts {
			continue
		}
		measuring.Go(func() {
			bounded, done := context.WithTimeout(ctx, answerWithin)
			defer done()
			p, err := gauge.measure(bounded, now)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				faults[spec.gate.Name] = err.Error()
				return
			}
			profiles[spec.gate.Name] = p
		})
	}
	measuring.Wait()
	return profiles
}

// lagsOf gives what the sources of gates with a window need until they can tell of
// the present share.
func lagsOf(p config.Pair) map[string]rehearsal.Lag {
	lags := map[string]rehearsal.Lag{}
	for _, g := range p.Gates {
		switch {
		case g.CloudWatch != nil:
			lags[g.Name] = rehearsal.Lag{Window: g.CloudWatch.Window, Settle: g.CloudWatch.Settle}
		case g.Prometheus != nil:
			lags[g.Name] = rehearsal.Lag{Window: g.Prometheus.Window}
		}
	}
	return lags
}
