//go:build e2e

package route53_test

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// The runbook's commands are run as a person would run them, by the AWS CLI.
func TestE2ETheRunbookGoesBackByHand(t *testing.T) {
	w := newWorld(t, 0)
	entrances := w.shaped(t)
	a := w.adapter()
	was := w.all(t)
	commands := w.backByHand(t, a, entrances)
	if _, err := exec.LookPath("aws"); err != nil {
		t.Skip("the AWS CLI isn't on the PATH, so nobody ran the runbook: ", err)
	}
	a.Commit(t.Context(), w.changes(t, a, entrances, 70, 2, shift.Rise))
	var said string
	for _, c := range commands {
		cmd := exec.CommandContext(t.Context(), "sh", "-c", "aws() { command aws --endpoint-url "+w.url+" \"$@\"; }\n"+c)
		cmd.Env = append(slices.DeleteFunc(os.Environ(), func(s string) bool { return strings.HasPrefix(s, "AWS_") }),
			"AWS_DEFAULT_REGION=ap-northeast-1", "AWS_ACCESS_KEY_ID=AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY=secret", "AWS_MAX_ATTEMPTS=1", "AWS_PAGER=",
			"AWS_CONFIG_FILE="+os.DevNull, "AWS_SHARED_CREDENTIALS_FILE="+os.DevNull, "AWS_EC2_METADATA_DISABLED=true", "NO_PROXY=127.0.0.1", "no_proxy=127.0.0.1")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s\n%s", c, out)
		}
		said += string(out)
	}
	for _, r := range w.adapter().Read(t.Context(), entrances, shift.Watching) {
		if !r.StandsAt(0) {
			t.Errorf("it stands at %s", r)
		}
	}
	weightsOnly(t, was, w.all(t))
	for _, want := range []string{"dual.example.com.", "alias.example.com.", `\052.example.com.`, "canary", "www.example.com."} {
		if !strings.Contains(said, want) {
			t.Errorf("the check doesn't show %s:\n%s", want, said)
		}
	}
}
