package app

import (
	"context"
	"time"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// limitGauge asks for one number from outside.
type limitGauge struct {
	gate string
	// window is how far back a number looks, interval how often it is asked for.
	window   time.Duration
	interval time.Duration
	freshFor time.Duration
	// perStep: it is asked about a step, once the share before is reached.
	perStep bool
	ask     limitOf

	reading shift.LimitReading
}

// limitOf asks for one number of a moment, about a step. note says what is behind
// it.
type limitOf func(ctx context.Context, at time.Time, about shift.Asking) (value float64, note string, err error)

// due is one interval after the last question; at once for another step.
func (g *limitGauge) due(l gateLook, _ time.Time) (time.Time, bool) {
	if g.perStep && (l.asking.Step == 0 || l.asking.Since.IsZero()) {
		return time.Time{}, false
	}
	if g.reading.At.IsZero() || g.perStep && !g.answers(l.asking) {
		return time.Time{}, true
	}
	return g.reading.At.Add(g.interval), true
}

// answers tells whether the last question was about this step.
func (g *limitGauge) answers(about shift.Asking) bool {
	return g.reading.Attempt == about.Attempt && g.reading.Step == about.Step
}

// question asks for the number of now.
func (g *limitGauge) question(l gateLook, now time.Time) func(context.Context) func() {
	r := shift.LimitReading{
		Gate: g.gate, At: now.UTC(), From: now.Add(-g.window).UTC(), FreshFor: g.freshFor,
		Attempt: l.asking.Attempt, Step: l.asking.Step,
	}
	return func(ctx context.Context) func() {
		value, note, err := g.ask(ctx, now, l.asking)
		r.Value, r.Note = value, note
		if err != nil {
			r.Err, r.Value = err.Error(), 0
		}
		return func() { g.reading = r }
	}
}

// read gives the last answer, whatever its age: whoever reads it judges that.
func (g *limitGauge) read(_ gateLook, _ time.Time, o *shift.Observation) {
	if !g.reading.At.IsZero() {
		o.Limits = append(o.Limits, g.reading)
	}
}
