package cli

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func compare(t *testing.T, want, got ran) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(ran{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestExitStatus(t *testing.T) {
	for name, c := range map[string]struct {
		args   []string
		status int
		// says is a part of standard error; it is empty when all went well.
		says string
	}{
		"nothing asked for is answered with help": {nil, 0, ""},
		"help":                              {[]string{"run", "--help"}, 0, ""},
		"version":                           {[]string{"version"}, 0, ""},
		"completion":                        {[]string{"completion", "bash"}, 0, ""},
		"a valid configuration":             {[]string{"validate"}, 0, ""},
		"an unknown command":                {[]string{"rolback", "shop"}, 2, `unknown command "rolback"`},
		"an unknown flag":                   {[]string{"status", "--nope"}, 2, "unknown flag: --nope"},
		"a flag that wants a number":        {[]string{"approve", "shop", "--step", "two"}, 2, "--step"},
		"a pair too few":                    {[]string{"start"}, 2, "start needs the name of a pair; clusterswitch status lists them"},
		"a pair too many":                   {[]string{"rollback", "shop", "api"}, 2, "rollback takes one pair, not 2"},
		"an unknown output":                 {[]string{"status", "-o", "xml"}, 2, "use table, json or yaml"},
		"a configuration that isn't there":  {[]string{"run", "--config", "nope.yaml"}, 2, "nope.yaml"},
		"a faulty configuration":            {[]string{"run", "--config", "faulty.yaml"}, 2, "faulty.yaml:1"},
		"run --rollback of no pair":         {[]string{"run", "--rollback", "api"}, 2, "it has shop"},
		"no management cluster":             {[]string{"status"}, 1, "there is no kubeconfig"},
		"a kubeconfig that isn't there":     {[]string{"status", "--kubeconfig", "nope"}, 1, "nope"},
		"a context that isn't there":        {[]string{"pause", "shop", "--context", "nope"}, 1, `"nope"`},
		"a faulty configuration on the way": {[]string{"rollback", "shop", "--config", "faulty.yaml"}, 2, "To do without it, give --namespace"},
	} {
		t.Run(name, func(t *testing.T) {
			alone(t)
			write(t, "clusterswitch.yaml", validConfig)
			write(t, "faulty.yaml", "apiVersion: v7\n")
			got := run(t.Context(), c.args...)
			if got.status != c.status || !strings.Contains(got.err, c.says) || (c.says == "") != (got.err == "") {
				t.Errorf("status %d, want %d; standard error should have %q:\n%s", got.status, c.status, c.says, got.err)
			}
			if (got.status == 0) != (got.out != "") {
				t.Errorf("status %d with standard output %q", got.status, got.out)
			}
		})
	}
}

// full is a disk without room.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func TestAFullDiskIsNoSuccess(t *testing.T) {
	var said strings.Builder
	status := Run(t.Context(), Options{Args: []string{"version"}, Out: full{}, Err: &said})
	if want := "clusterswitch: writing the output: no space left\n"; status != 1 || said.String() != want {
		t.Errorf("status %d, said %q, want 1 and %q", status, said.String(), want)
	}
}

// kubectl runs a plugin by the name of its file; what it says must be what a person
// can type.
func TestKubectlsPlugin(t *testing.T) {
	for name, want := range map[string]string{
		"": "clusterswitch", "/usr/bin/clusterswitch": "clusterswitch", "/usr/bin/kubectl-clusterswitch": "kubectl clusterswitch",
		"kubectl-clusterswitch.exe": "kubectl clusterswitch", "odd": "clusterswitch",
	} {
		if got := calledAs(name); got != want {
			t.Errorf("called %q it is %q, want %q", name, got, want)
		}
	}
	alone(t)
	var out, err strings.Builder
	if status := Run(t.Context(), Options{Name: "kubectl-clusterswitch", Args: []string{"start"}, Out: &out, Err: &err}); status != 2 ||
		!strings.Contains(err.String(), "See: kubectl clusterswitch start --help") {
		t.Errorf("status %d: %s", status, err.String())
	}
	h := hand{name: "kubectl clusterswitch", given: " --namespace shop"}
	if got, want := h.next("start shop"), "kubectl clusterswitch start shop --namespace shop"; got != want {
		t.Errorf("the next step is %q, want %q", got, want)
	}
}
