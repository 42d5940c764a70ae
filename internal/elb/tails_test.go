package elb

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

func TestDeregistrationIsTheLongerDelayOfBothGroups(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		blue, green string
		want        time.Duration
	}{
		"blue's is longer":               {"300", "30", 5 * time.Minute},
		"green's is longer":              {"0", "3600", time.Hour},
		"nothing waits":                  {"0", "0", 0},
		"AWS tells what is not a number": {"soon", "20", 20 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := webAt(25)
				f.attrs[blueTG], f.attrs[greenTG] = map[string]string{attrDrain: test.blue}, map[string]string{attrDrain: test.green}
				a := newAdapter(f)
				if got := a.Read(t.Context(), []shift.Entrance{entrance()}, shift.Resting)[0]; got.Deregistration != 0 {
					t.Errorf("at rest, where nobody asks for attributes, it is %s", got.Deregistration)
				}
				if got := readWeb(t, a); got.Deregistration != test.want || got.Connection != 0 {
					t.Errorf("got %s and connections of %s, want %s and none", got.Deregistration, got.Connection, test.want)
				}
			})
		})
	}
}

func TestOnlyConnectionsOfNetworkLoadBalancersStay(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		arn  string
		want time.Duration
	}{
		"the rule of an application load balancer":     {ruleARN, 0},
		"the listener of an application load balancer": {listenerOf(ruleARN), 0},
		"the listener of a network load balancer":      {nlbListener, shift.Endless},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := view{actions: map[string]answer[sighting]{test.arn: {}}}
			if got := v.reading("web", shift.BalancerEntrance{ListenerARN: test.arn}); got.Connection != test.want {
				t.Errorf("got %s, want %s", got.Connection, test.want)
			}
		})
	}
}
