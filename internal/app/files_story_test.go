package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	r53types "github.com/aws/aws-sdk-go-v2/service/route53/types"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest"

	"github.com/clusterswitch/clusterswitch/config"
	"github.com/clusterswitch/clusterswitch/internal/api/v1alpha1"
	"github.com/clusterswitch/clusterswitch/internal/filejournal"
	"github.com/clusterswitch/clusterswitch/internal/record"
	"github.com/clusterswitch/clusterswitch/internal/runbook"
)

// configOfDaemon names the configuration for a process that is the daemon of a test.
const configOfDaemon = "CLUSTERSWITCH_TEST_DAEMON_OF"

// beDaemon is the daemon in a process of its own, so that it can be killed.
func beDaemon(file string) int {
	c, err := config.Load(config.Options{Path: file})
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, err)
		return 2
	}
	log := zap.New(zapcore.NewCore(zapcore.NewConsoleEncoder(zap.NewDevelopmentEncoderConfig()), zapcore.AddSync(os.Stderr), zap.InfoLevel))
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	daemon, err := New(ctx, Options{Config: c, Version: "v0.0.0", Logger: log})
	if err == nil {
		err = daemon.Run(ctx)
	}
	if err != nil {
		log.Error("ended by a failure", zap.Error(err))
		return 1
	}
	return 0
}

// inFiles lets the story's daemon keep its journal in a directory, and begins
// with all users on blue.
func (s *story) inFiles() (directory string) {
	s.Helper()
	s.writeName(r53types.ChangeActionUpsert, 0)
	_, err := s.rules.ModifyRule(s.Context(), &elasticloadbalancingv2.ModifyRuleInput{RuleArn: &s.rule, Actions: s.forward(0)})
	s.ok(err)
	s.readyNode()
	s.readyWorkload()
	s.configure(fmt.Sprintf("    preflight: {mode: \"off\"}\n    workloads: {namespaces: [%s]}\n", s.namespace))
	text, err := os.ReadFile(s.file)
	s.ok(err)
	directory = filepath.Join(s.TempDir(), "journal")
	lines := strings.Split(string(text), "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, "journal:") {
			lines[i] = fmt.Sprintf("journal: {directory: %q}", directory)
		}
	}
	changed := strings.Replace(strings.Join(lines, "\n"), "steps: [{share: 100}]", "steps: [{share: 50, hold: 1h}, {share: 100}]", 1)
	s.ok(os.WriteFile(s.file, []byte(changed), 0o600))
	s.serveGreen()
	return directory
}

// process runs the daemon as a process of its own, and returns when that has the
// directory: from then on it heeds signals. The returned function ends it by one, and
// waits for its end.
func (s *story) process(directory string) (end func(os.Signal)) {
	s.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), configOfDaemon+"="+s.file)
	cmd.Stdout, cmd.Stderr = s.Output(), s.Output()
	s.ok(cmd.Start())
	ended := false
	end = func(signal os.Signal) {
		s.Helper()
		if !ended {
			ended = true
			s.ok(cmd.Process.Signal(signal))
			err := cmd.Wait()
			if signal == syscall.SIGTERM {
				s.ok(err)
			}
		}
	}
	s.Cleanup(func() { end(os.Kill) })
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	holder := fmt.Sprintf(`"pid":%d,`, cmd.Process.Pid)
	for bound := time.After(3 * within); ; {
		if text, err := os.ReadFile(filepath.Join(directory, "lock")); err == nil && strings.Contains(string(text), holder) {
			return end
		}
		select {
		case <-tick.C:
		case <-bound:
			s.Fatal("the daemon didn't take the directory")
		}
	}
}

// awaitFiles reads the pair, as the commands do, until its status is as wanted.
func (s *story) awaitFiles(hand Hand, what string, wanted func(v1alpha1.TrafficSwitchStatus) bool) v1alpha1.TrafficSwitchStatus {
	s.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	bound := time.After(3 * within)
	var last v1alpha1.TrafficSwitchStatus
	for {
		object, err := hand.Get(s.Context(), "shop")
		switch {
		case errors.Is(err, v1alpha1.ErrNotFound), errors.Is(err, os.ErrNotExist): // it doesn't run yet
		case err != nil:
			s.Fatal(err)
		default:
			last = object.Status
		}
		if wanted(last) {
			return last
		}
		select {
		case <-tick.C:
		case <-bound:
			s.Fatalf("%s was not seen; the status is %s, %s: %s", what, last.Phase, last.Reason, last.Message)
		}
	}
}

func standsAt(share int) func(v1alpha1.TrafficSwitchStatus) bool {
	return func(status v1alpha1.TrafficSwitchStatus) bool {
		return status.Phase == "Shifting" && status.Share == share && (status.Reason == "Settling" || status.Reason == "Holding")
	}
}

// The whole daemon without a management cluster: it shifts, is killed, goes on
// where it was, and goes back when a person's command asks for it.
func TestADaemonWithoutAManagementCluster(t *testing.T) {
	s := newStory(t)
	directory := s.inFiles()
	hand := NewHand(directory)

	end := s.process(directory)
	before := s.awaitFiles(hand, "the first step", standsAt(50))
	s.expect("after the first step", [2]int{50, 50})
	book, err := os.ReadFile(filepath.Join(directory, runbook.FileName("shop")))
	s.ok(err)
	if !strings.Contains(string(book), "aws route53 change-resource-record-sets") {
		t.Errorf("the runbook beside the journal holds no command:\n%s", book)
	}
	c, err := config.Load(config.Options{Path: s.file})
	s.ok(err)
	if _, err := New(t.Context(), Options{Config: c, Logger: zaptest.NewLogger(t)}); !errors.Is(err, filejournal.ErrHeld) {
		t.Errorf("a second daemon of the same directory got %v, want %v", err, filejournal.ErrHeld)
	}

	kept := RecordOptions{Pair: "shop", Directory: directory}
	s.recorded("the first step", kept, func(r record.Record) bool { return tells(r, "rise", "50 %") })
	end(syscall.SIGKILL)
	s.expect("after kill -9", [2]int{50, 50})
	end = s.process(directory)
	s.awaitFiles(hand, "that the next daemon goes on", func(status v1alpha1.TrafficSwitchStatus) bool {
		return standsAt(50)(status) && status.UpdatedAt.After(before.UpdatedAt.Time) && status.Attempt == before.Attempt
	})
	s.expect("when the next daemon goes on", [2]int{50, 50})

	asked := time.Now()
	_, err = hand.PatchSpec(t.Context(), "shop", v1alpha1.SpecChange{Rollback: new(true)})
	s.ok(err)
	s.awaitFiles(hand, "the rollback that the command asked for", backBy("the request file"))
	s.wroteWithin(asked, "the command")
	s.expect("after the rollback", [2]int{0, 0})

	end(syscall.SIGTERM)
	end = s.process(directory)
	s.awaitFiles(hand, "that a restart rises nothing", func(status v1alpha1.TrafficSwitchStatus) bool {
		return status.Phase == "RolledBack" && status.UpdatedAt.After(asked.Add(time.Second))
	})
	s.expect("after a restart", [2]int{0, 0})
	end(syscall.SIGTERM)

	told := s.recorded("the attempt", kept, func(r record.Record) bool { return r.Ended() })
	killed := slices.ContainsFunc(told.Gaps, func(g record.Gap) bool { return strings.Contains(g.Why, "was restarted") })
	if !killed || !tells(told, "rise", "50 %") || !tells(told, "rollback", "the request file") || madeCalls(told, "ModifyRule") < 2 || len(told.Grants) != 1 {
		t.Errorf("the record of the attempt doesn't tell all:\n%s", told.Markdown())
	}
}
