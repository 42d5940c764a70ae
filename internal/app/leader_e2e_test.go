//go:build e2e

package app

import (
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/api/v1alpha1"
)

// leaderless is rule L4: nobody is without a leader for longer.
const leaderless = 30 * time.Second

// Two real daemons at a real API server, on the way through everything that may
// befall the one that holds the lease.
func TestE2ETwoDaemonsAreOne(t *testing.T) {
	s, first, second := twoReplicas(t)
	first.start()
	s.await("a leader", first.leads)
	second.start()
	second.standsBy()
	s.ask(`{"attempt": 1}`)
	s.pausedInALook(first, second)

	second.crash(first)
	second.start()
	second.standsBy()
	began := time.Now()
	first.signal(syscall.SIGTERM)
	s.awaitFor(within, "the takeover from one that stops", second.leads)
	t.Logf("takeover after SIGTERM: %s", time.Since(began).Round(time.Millisecond))
	s.ok(first.cmd.Wait())

	first.start()
	first.standsBy()
	first.now()
	s.deleteLease()
	s.ask(`{"attempt": 2, "rollback": false}`)
	s.awaitFor(leaderless+within, "half of the users on green although the lease was deleted", func(status v1alpha1.TrafficSwitchStatus) bool {
		return status.Attempt == 2 && status.Share == 50 && s.green() == [2]int{50, 50}
	})
	leader, standby := second, first
	if first.said(first.from, "lease won") { // it was quicker
		leader, standby = first, second
	}
	t.Logf("after the lease was deleted %s holds it", leader.name)
	s.managementAway(leader, standby)
}

// pausedInALook pauses the leader in the middle of a turn that is about to raise
// green, for longer than its lease; what it finds when it wakes is history.
func (s *story) pausedInALook(leader, standby *replica) {
	s.Helper()
	hold, held := make(chan struct{}), make(chan struct{})
	leader.aws.mu.Lock()
	leader.aws.after, leader.aws.held = hold, held
	leader.aws.mu.Unlock()
	for _, r := range []*replica{leader, standby} {
		r.configure("green", "")
	}
	select {
	case <-held:
	case <-time.After(3 * within):
		s.Fatal("the leader does not look again after its first rise")
	}
	leader.signal(syscall.SIGSTOP)
	if calls, _ := standby.aws.seen(); calls != 0 {
		s.Errorf("the standby asked AWS %d times", calls)
	}
	began := time.Now()
	s.awaitFor(leaderless, "the takeover from one that is paused", standby.leads)
	s.Logf("takeover after SIGSTOP: %s", time.Since(began).Round(time.Millisecond))
	s.awaitFor(3*within, "the successor going on", func(status v1alpha1.TrafficSwitchStatus) bool {
		return status.Share == 50 && s.green() == [2]int{50, 50}
	})
	s.ask(`{"rollback": true}`)
	s.awaitFor(3*within, "the successor's rollback", backBy("the custom resource"))
	_, before := leader.aws.seen()
	leader.now()
	leader.signal(syscall.SIGCONT)
	close(hold)
	leader.standsBy()
	s.awaitLooksOf(standby, 3)
	if _, after := leader.aws.seen(); len(after) != len(before) {
		s.Errorf("when it woke it wrote %q", after[len(before):])
	}
	s.expect("after the former leader woke", [2]int{0, 0})
}

// awaitLooksOf waits until a replica has asked AWS some more.
func (s *story) awaitLooksOf(r *replica, n int) {
	s.Helper()
	before, _ := r.aws.seen()
	s.until(within, "looks of "+r.name, func() bool { calls, _ := r.aws.seen(); return calls >= before+n })
}

// crash kills the leader, and measures how long nobody is in charge.
func (r *replica) crash(successor *replica) {
	r.Helper()
	began := time.Now()
	r.ok(r.cmd.Process.Kill())
	_ = r.cmd.Wait() // it was killed
	r.awaitFor(leaderless, "the takeover from one that crashed", successor.leads)
	r.Logf("takeover after kill -9: %s", time.Since(began).Round(time.Millisecond))
}

// managementAway takes the API server away from both at 50 %: Route 53 goes back
// without the lease, and the load balancer needs a person, who is told so.
func (s *story) managementAway(leader, standby *replica) {
	s.Helper()
	calls, _ := standby.aws.seen()
	for _, r := range []*replica{leader, standby} {
		r.api.cut(true)
	}
	s.until(leaderless, "the loss of the lease", func() bool { return leader.lost() })
	began := time.Now()
	for _, r := range []*replica{leader, standby} {
		r.configure("green", "    rollback: true\n")
	}
	s.until(within, "Route 53 back on blue", func() bool { return s.green()[0] == 0 })
	s.Logf("rollback at Route 53 without lease and API server: %s", time.Since(began).Round(time.Millisecond))
	s.awaitLooksOf(leader, 3)
	s.expect("without the lease", [2]int{0, 50})
	if !leader.said(leader.from, "weight not set", "rollback PAIR --direct") {
		s.Error("nobody is told what to do about the load balancer")
	}
	if now, _ := standby.aws.seen(); now != calls {
		s.Errorf("the standby asked AWS %d times", now-calls)
	}
	direct := exec.CommandContext(s.Context(), leader.binary, "--config", leader.file, "rollback", "shop", "--direct")
	direct.Env = os.Environ()
	if out, err := direct.CombinedOutput(); err != nil {
		s.Fatalf("%v\n%s", err, out)
	}
	s.expect("after the direct rollback", [2]int{0, 0})
	for _, r := range []*replica{leader, standby} {
		r.api.cut(false)
	}
	s.awaitFor(leaderless+within, "the end of the attempt", func(status v1alpha1.TrafficSwitchStatus) bool {
		return status.Phase == "RolledBack" && status.Attempt == 2
	})
	s.expect("in the end", [2]int{0, 0})
}

// lost tells whether the newest that a replica said of its lease is its loss.
func (r *replica) lost() bool { return r.last("lease won", "lease lost") == "lease lost" }
