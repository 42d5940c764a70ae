package app

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/clusterswitch/clusterswitch/switcher"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// What blue's load was before costs a call: it is asked until green has users.
func TestWhatALoadWasBeforeIsKnownUntilTheFirstStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newLoadScene(t, answering(3, 1, nil, time.Millisecond))
		past := func() shift.LoadPast { return s.observer.loads.known()[1].Past }
		s.look(switcher.Look{Loads: true, Past: true})
		s.expect("before the first step", shift.LoadPast{Windows: 4, Least: 3, Most: 3}, past())
		time.Sleep(10 * time.Second)
		s.look(watching())
		time.Sleep(10 * time.Second)
		s.expect("after it", shift.LoadPast{}, past())
	})
}
