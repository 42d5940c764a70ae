package app

import (
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap/zaptest"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clusterswitch/clusterswitch/config"
	"github.com/clusterswitch/clusterswitch/internal/api/v1alpha1"
	"github.com/clusterswitch/clusterswitch/internal/journal"
	"github.com/clusterswitch/clusterswitch/internal/kube"
	"github.com/clusterswitch/clusterswitch/internal/runbook"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane/cptest"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// halfway puts the story's pair where a daemon left it at 50 % in attempt 3: in
// the journal, and at AWS with the daemon's mark.
func (s *story) halfway() {
	s.Helper()
	s.serveGreen()
	c := s.config()
	plan := planOf(c, c.Pairs[0])
	state := shift.State{
		Schema: shift.Schema, Attempt: 3, Epoch: 5, Version: 10, Phase: shift.Shifting, Share: 50, Step: 1, Baseline: shift.Baseline{Ready: 4},
		Steps:     []shift.Step{{Share: 50, Hold: time.Hour}, {Share: 100}},
		StartedAt: time.Now().Add(-time.Hour), ChangedAt: time.Now().Add(-time.Hour),
	}
	for _, e := range plan.Entrances {
		state.Entrances = append(state.Entrances, shift.EntranceState{Entrance: e, Share: 50})
	}
	d, err := NewDirect(s.Context(), c)
	s.ok(err)
	ways := d.aws
	var changes []shift.Change
	for i, r := range ways.read(s.Context(), plan.Entrances, shift.Watching) {
		changes = append(changes, shift.Change{Entrance: plan.Entrances[i], Expected: r, Wanted: 50, Control: state.Mark(), Priority: shift.Rise})
	}
	for _, r := range ways.Commit(s.Context(), changes) {
		if r.Outcome != shift.Applied {
			s.Fatalf("%s was not brought to 50: %s", r.Entrance, r.Note)
		}
	}
	management, err := kube.Connect(accessOf(c.Journal.Kubeconfig, "test"))
	s.ok(err)
	kept, err := journal.New(journal.Options{Config: management, Namespace: s.namespace, Logger: zaptest.NewLogger(s)})
	s.ok(err)
	_, err = kept.Load(s.Context(), "shop")
	s.ok(err)
	s.ok(kept.Save(s.Context(), "shop", state, shift.Said{Reason: shift.Holding}))
}

func (s *story) serveGreen() {
	s.Helper()
	text, err := os.ReadFile(s.file)
	s.ok(err)
	s.ok(os.WriteFile(s.file, []byte(strings.Replace(string(text), "serve: blue", "serve: green", 1)), 0o600))
}

func (s *story) config() *config.Config {
	s.Helper()
	c, err := config.Load(config.Options{Path: s.file})
	s.ok(err)
	return c
}

// direct goes back as a person does who has the configuration and credentials.
func (s *story) direct() {
	s.Helper()
	d, err := NewDirect(s.Context(), s.config())
	s.ok(err)
	results, err := d.RollBack(s.Context(), DirectOptions{Pairs: []string{"shop"}})
	s.ok(err)
	for _, r := range results {
		if !r.Back || !r.Wrote || !r.Marked {
			s.Errorf("the direct rollback says %+v", r)
		}
	}
	s.expect("after the direct rollback", [2]int{0, 0})
}

// A rollback past the daemon ends the attempt for the daemon too, whether it
// comes back later or sees it happen.
func TestDirectRollbackEndsTheAttempt(t *testing.T) {
	byMark := func(status v1alpha1.TrafficSwitchStatus) bool {
		return backBy("the mark at AWS")(status) && status.Attempt == 3 && status.Share == 0
	}
	shifting := func(status v1alpha1.TrafficSwitchStatus) bool {
		return status.Phase == "Shifting" && status.Reason != "Holding" // the test's own word
	}
	t.Run("that was made while the daemon was away", func(t *testing.T) {
		s := newStory(t)
		s.halfway()
		s.direct()
		stop := s.run()
		defer stop()
		s.awaitFor(within+shift.WriteDeadline, "the rollback that the mark tells of", byMark)
		s.awaitLooks(3)
		s.expect("some looks later", [2]int{0, 0})
	})
	t.Run("that is made while the daemon runs", func(t *testing.T) {
		s := newStory(t)
		s.halfway()
		stop := s.run()
		defer stop()
		s.await("the shift under way", shifting)
		s.direct()
		// A look may fall between the weights and their mark, and then tells of green
		// set to 0 by hand. That is as true, and who asked isn't corrected later: the
		// mark that follows can look just like one of the daemon's own.
		s.awaitFor(within+shift.WriteDeadline, "the rollback that was made past it", func(status v1alpha1.TrafficSwitchStatus) bool {
			return byMark(status) || backBy("a person at AWS")(status) && status.Attempt == 3 && status.Share == 0
		})
		s.awaitLooks(3)
		s.expect("some looks later", [2]int{0, 0})
	})
}

// A daemon that finds a shift under way writes its runbook, as the command
// does that needs no daemon.
func TestRunbookOfARunningShift(t *testing.T) {
	s := newStory(t)
	s.halfway()
	d, err := NewDirect(t.Context(), s.config())
	s.ok(err)
	printed, whole, err := d.Runbook(t.Context(), "shop", "v0.0.0")
	s.ok(err)
	if !whole || !strings.Contains(printed, "For the pair shop, attempt 3.") {
		t.Errorf("whole: %t\n%s", whole, printed)
	}
	stop := s.run()
	defer stop()
	maps := cptest.Client(t, plane.Start(t)).CoreV1().ConfigMaps(s.namespace)
	watch, err := maps.Watch(t.Context(), metav1.ListOptions{FieldSelector: "metadata.name=" + runbook.ConfigMapName("shop")})
	s.ok(err)
	defer watch.Stop()
	select {
	case event := <-watch.ResultChan():
		kept, is := event.Object.(*corev1.ConfigMap)
		if !is {
			t.Fatalf("the watch tells %v", event.Object)
		}
		for _, command := range []string{"aws route53 change-resource-record-sets", "aws elbv2 --region 'ap-northeast-1' --output json modify-rule"} {
			if text := kept.Data[runbook.Key]; !strings.Contains(text, command) || !strings.Contains(printed, command) {
				t.Errorf("no command %q in\n%s\nor in\n%s", command, text, printed)
			}
		}
	case <-time.After(within):
		t.Fatalf("no runbook within %s", within)
	}
}
