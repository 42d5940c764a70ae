package app

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clusterswitch/clusterswitch/switcher"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

func TestAServiceIsAskedOncePerStepAndInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked []string
		began := time.Now().Add(time.Second) // when the scene does
		g := &limitGauge{
			gate: "hook", interval: time.Minute, freshFor: time.Minute, perStep: true,
			ask: func(_ context.Context, at time.Time, about shift.Asking) (float64, string, error) {
				asked = append(asked, fmt.Sprintf("%s: %d/%d to %d", at.Sub(began), about.Attempt, about.Step, about.Share))
				return 1, "not before noon", nil
			},
		}
		s := newGateScene(t, map[string]gauge{"hook": g})
		at := shift.Asking{Attempt: 2, Step: 1, Share: 5}
		look := func() switcher.Look { return switcher.Look{Loads: true, Asking: at} }
		s.during(time.Minute, look)
		s.expect("before the share is reached", []string(nil), asked)

		at.Since = began.Add(time.Minute)
		o := s.during(90*time.Second, look)
		s.expect("the reading", []shift.LimitReading{{
			Gate: "hook", At: began.Add(2 * time.Minute).UTC(), From: began.Add(2 * time.Minute).UTC(), FreshFor: time.Minute,
			Value: 1, Note: "not before noon", Attempt: 2, Step: 1,
		}}, o.Limits)
		at.Step, at.Share, at.Since = 2, 25, time.Now()
		s.during(30*time.Second, look)
		s.expect("questions", []string{"1m0s: 2/1 to 5", "2m0s: 2/1 to 5", "2m30s: 2/2 to 25"}, asked)
	})
}

func TestANumberIsAskedOnceAnInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked, since := 0, time.Now().Add(time.Second)
		g := &limitGauge{
			gate: "p99", window: 2 * time.Minute, interval: 30 * time.Second, freshFor: time.Minute,
			ask: func(_ context.Context, at time.Time, _ shift.Asking) (float64, string, error) {
				asked++
				if at.Sub(since) > 5*time.Minute {
					return 0.2, "", errors.New("its value is NaN")
				}
				return 0.2, "", nil
			},
		}
		s := newGateScene(t, map[string]gauge{"p99": g})
		look := func() switcher.Look { return usersSince(since) }
		seen := s.during(5*time.Minute, look).Limits[0]
		s.expect("questions", 11, asked)
		s.expect("it speaks of", 2*time.Minute, seen.At.Sub(seen.From))
		s.expect("its value", 0.2, seen.Value)
		seen = s.during(time.Minute, look).Limits[0]
		s.expect("a value that is none", "its value is NaN", seen.Err)
		s.expect("its value", 0.0, seen.Value)
	})
}
