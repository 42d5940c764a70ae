//go:build e2e

package app

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/clusterswitch/clusterswitch/internal/api/v1alpha1"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// The runbook, run by the AWS CLI as it stands while the daemon runs: both ways
// in go back to blue, and the daemon takes it for a person's rollback.
func TestE2ERunbookTakesAPairBackByHand(t *testing.T) {
	if out, err := exec.CommandContext(t.Context(), "aws", "--version").CombinedOutput(); err != nil {
		t.Skipf("the AWS CLI isn't here, so nobody runs the runbook: %v %s", err, out)
	}
	s := newStory(t)
	s.halfway()
	d, err := NewDirect(t.Context(), s.config())
	s.ok(err)
	text, whole, err := d.Runbook(t.Context(), "shop", "v0.0.0")
	s.ok(err)
	if !whole {
		t.Fatalf("commands are missing:\n%s", text)
	}
	stop := s.run()
	defer stop()
	s.await("the shift under way", func(status v1alpha1.TrafficSwitchStatus) bool {
		return status.Phase == "Shifting" && status.Reason != "Holding"
	})
	blocks := regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(text, -1)
	if len(blocks) != 2 {
		t.Fatalf("%d blocks of commands, want one for each entrance:\n%s", len(blocks), text)
	}
	for _, block := range blocks {
		shell := exec.CommandContext(t.Context(), "sh", "-eu")
		shell.Stdin = strings.NewReader(block[1])
		shell.Env = append(os.Environ(), "AWS_ENDPOINT_URL="+s.url, "AWS_DEFAULT_REGION=ap-northeast-1", "AWS_PAGER=", "AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null")
		if out, err := shell.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s\nof\n%s", err, out, block[1])
		}
	}
	s.expect("after the runbook", [2]int{0, 0})
	s.awaitFor(within+shift.WriteDeadline, "a person's rollback", backBy("a person at AWS"))
	s.awaitLooks(3)
	s.expect("some looks later", [2]int{0, 0})
}
