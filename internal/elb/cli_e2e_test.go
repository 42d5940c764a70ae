//go:build e2e

package elb_test

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// The runbook's commands are run as a person would run them, by the AWS CLI.
func TestE2ETheRunbookTakesEverythingBackByHand(t *testing.T) {
	if _, err := exec.LookPath("aws"); err != nil {
		t.Skip("the AWS CLI isn't on the PATH: ", err)
	}
	for _, o := range []object{aRule, aDefault, ofNetwork} {
		t.Run("of "+o.String(), func(t *testing.T) {
			sticky := o != ofNetwork
			w := newWorldOf(t, o, 10, sticky)
			a := w.adapter()
			w.read(t, a)
			commands := must[[]string](t)(a.Runbook(w.entrance()))
			w.modify(t, shift.Share(75).Weights(), sticky) // the shift has gone on since
			var last string
			for _, command := range commands {
				last = w.shell(t, command)
			}
			if weights, lasts := w.routes(); weights[w.blue] != 100 || weights[w.green] != 0 || lasts != 0 {
				t.Errorf("it routes by %v, sticky for %s", weights, lasts)
			}
			if !strings.Contains(last, w.green) || !strings.Contains(last, `"Weight": 100`) {
				t.Errorf("the look at the end tells %s", last)
			}
			if stored := w.stored(t); sticky && (len(stored) != 2 || stored[0].AuthenticateOidcConfig == nil) {
				t.Errorf("it lost something: %+v", stored)
			}
		})
	}
}

// shell runs a command with made-up credentials, against the sandbox only.
func (w *world) shell(t *testing.T, command string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sh", "-c", command)
	foreign := func(setting string) bool { return strings.HasPrefix(setting, "AWS_") }
	cmd.Env = append(slices.DeleteFunc(os.Environ(), foreign),
		"AWS_ENDPOINT_URL="+w.url, "AWS_ACCESS_KEY_ID=AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY=secret", "AWS_MAX_ATTEMPTS=1", "AWS_PAGER=",
		"AWS_CONFIG_FILE="+os.DevNull, "AWS_SHARED_CREDENTIALS_FILE="+os.DevNull, "AWS_EC2_METADATA_DISABLED=true",
		"NO_PROXY=127.0.0.1", "no_proxy=127.0.0.1",
	)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", command, err, out)
	}
	return string(out)
}
