package edge_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/backend"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/edge"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/routing"
)

// checked is a group that is checked every few milliseconds.
func checked(arn string, targets ...string) routing.TargetGroup {
	g := group(arn, routing.Initial, targets...)
	g.HealthCheck.Interval, g.HealthCheck.Timeout = 5*time.Millisecond, 100*time.Millisecond
	g.HealthCheck.StatusFrom, g.HealthCheck.StatusTo = 200, 299
	return g
}

func TestChecksReportWhatIsWrongAndThatItIsOver(t *testing.T) {
	tests := map[string]struct {
		breaks func(*world)
		mend   func(*world)
		reason string
	}{
		"the health page answers an error": {
			func(w *world) { w.setFaults(w.green, backend.Faults{Unhealthy: true}) },
			func(w *world) { w.setFaults(w.green, backend.Faults{}) },
			"Target.ResponseCodeMismatch",
		},
		"the health page takes too long": {
			func(w *world) { w.setFaults(w.green, backend.Faults{Latency: time.Hour}) },
			func(w *world) { w.setFaults(w.green, backend.Faults{}) },
			"Target.Timeout",
		},
		"the port is closed": {
			func(w *world) { w.setFaults(w.green, backend.Faults{Refuse: true}) },
			func(w *world) { w.setFaults(w.green, backend.Faults{}) },
			"Target.FailedHealthChecks",
		},
		"the network is cut": {
			func(w *world) { w.network.Cut(netip.MustParsePrefix("10.30.0.0/16")) },
			func(w *world) { w.network.Heal(netip.MustParsePrefix("10.30.0.0/16")) },
			"Target.FailedHealthChecks",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, func(o *edge.Options) { o.Refresh = time.Millisecond })
			w.control.SetGroups(checked(blueGroup, bluePod), checked(greenGroup, greenPod))
			w.awaitHealth(greenGroup, greenPod, routing.Healthy, "")
			test.breaks(w)
			w.awaitHealth(greenGroup, greenPod, routing.Unhealthy, test.reason)
			w.awaitHealth(blueGroup, bluePod, routing.Healthy, "")
			test.mend(w)
			w.awaitHealth(greenGroup, greenPod, routing.Healthy, "")
		})
	}
}

func TestAnErrorRatioLeavesTheHealthPageAlone(t *testing.T) {
	w := newWorld(t, nil)
	w.setFaults(w.green, backend.Faults{ErrorRatio: 1})
	w.control.SetGroups(checked(greenGroup, greenPod))
	w.sync()
	w.awaitHealth(greenGroup, greenPod, routing.Healthy, "")
}

func TestATargetIsInitialUntilItsFirstCheckEnds(t *testing.T) {
	w := newWorld(t, nil)
	w.setFaults(w.green, backend.Faults{Latency: time.Hour})
	w.control.SetGroups(checked(greenGroup, greenPod))
	w.sync()
	w.awaitHealth(greenGroup, greenPod, routing.Initial, "Elb.InitialHealthChecking")
}

func TestTargetsThatDrainOrAreNotInUseAreNotChecked(t *testing.T) {
	tests := map[string]func(*routing.TargetGroup){
		"a group that no rule names": func(g *routing.TargetGroup) { g.Attached = false },
		"a target that drains":       func(g *routing.TargetGroup) { g.Targets[0].State = routing.Draining },
		"a target that is gone":      func(g *routing.TargetGroup) { g.Targets = nil },
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, nil)
			w.control.SetGroups(checked(blueGroup, bluePod), checked(greenGroup, greenPod))
			w.sync()
			w.awaitHealth(greenGroup, greenPod, routing.Healthy, "")
			changed := checked(greenGroup, greenPod)
			change(&changed)
			w.control.SetGroups(checked(blueGroup, bluePod), changed)
			w.sync()
			before := w.control.Reports(greenGroup)
			if err := w.control.AwaitReports(t.Context(), blueGroup, 20); err != nil {
				t.Fatal(err)
			}
			// One report may have been on its way.
			if more := w.control.Reports(greenGroup) - before; more > 1 {
				t.Errorf("%d checks of green, while blue had 20", more)
			}
		})
	}
}

func TestOtherSettingsOfACheckTakeEffect(t *testing.T) {
	w := newWorld(t, nil)
	strict := checked(greenGroup, greenPod)
	strict.HealthCheck.StatusFrom, strict.HealthCheck.StatusTo = 204, 204
	w.control.SetGroups(strict)
	w.sync()
	w.awaitHealth(greenGroup, greenPod, routing.Unhealthy, "Target.ResponseCodeMismatch")
	w.control.SetGroups(checked(greenGroup, greenPod))
	w.sync()
	w.awaitHealth(greenGroup, greenPod, routing.Healthy, "")
}
