package cli

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/api/v1alpha1"
)

// otherWays is what a rollback that nobody may have heard of says besides.
const otherWays = `Nothing is known to be asked for. What works all the same:
  clusterswitch rollback shop --direct   writes at AWS itself; needs the configuration file and AWS credentials
  clusterswitch runbook shop   prints the AWS CLI commands that do it by hand
The daemon also obeys rollback: true for shop in its configuration, and run --rollback shop.
`

func TestARollbackThatIsNotHeardSaysWhatWorksAllTheSame(t *testing.T) {
	for name, args := range map[string][]string{
		"there is no kubeconfig":                {},
		"the kubeconfig isn't where it was":     {"--kubeconfig", "nowhere"},
		"the context has another name":          {"--context", "nope"},
		"the API server is away":                {"--kubeconfig", "away"},
		"the configuration can't be used":       {"--config", "faulty.yaml"},
		"the configuration isn't where it is":   {"--config", "nowhere.yaml"},
		"its kubeconfig is in the daemon's pod": {"--config", "'the daemon.yaml'"},
	} {
		t.Run(name, func(t *testing.T) {
			alone(t)
			write(t, "clusterswitch.yaml", validConfig)
			write(t, "faulty.yaml", strings.Replace(validConfig, "share: 25", "share: 250", 1))
			write(t, "away", `{apiVersion: v1, kind: Config, current-context: it,
  clusters: [{name: it, cluster: {server: "https://127.0.0.1:1"}}], contexts: [{name: it, context: {cluster: it, user: it}}], users: [{name: it}]}`)
			write(t, "the daemon.yaml", strings.Replace(validConfig, "journal:\n", "journal:\n  kubeconfig: {path: /nowhere/management.kubeconfig}\n", 1))
			want := otherWays
			if args := strings.Join(args, " "); strings.HasPrefix(args, "--config") {
				want = strings.NewReplacer("--direct   ", "--direct "+args+"   ", "runbook shop   ", "runbook shop "+args+"   ").Replace(otherWays)
			}
			for i, arg := range args {
				args[i] = strings.Trim(arg, "'") // as a shell does
			}
			got := run(t.Context(), append([]string{"rollback", "shop"}, args...)...)
			if got.status == 0 || got.out != "" || !strings.HasSuffix(got.err, "\n"+want) {
				t.Errorf("status %d, standard output %q, standard error:\n%s\nwhich should end with\n%s", got.status, got.out, got.err, want)
			}
		})
	}
}

func TestRollbackDirectTakesAConfigurationThatTheDaemonRefuses(t *testing.T) {
	z := newZone(t)
	z.put("shop", 50)
	z.put("blog", 25)
	// The program of whoever is on call is of the version before.
	written, err := os.ReadFile("clusterswitch.yaml")
	if err != nil {
		t.Fatal(err)
	}
	write(t, "clusterswitch.yaml", strings.Replace(string(written), "    soakOnly: true\n", "    soakOnly: true\n    tomorrow: true\n", 1))
	got := run(t.Context(), "rollback", "shop", "--direct")
	warning := "WARNING: the daemon would refuse this configuration, for faults that don't keep anybody from going back:\n" +
		"clusterswitch.yaml:16: pairs[0].tomorrow: is not a known key; "
	if got.status != 0 || !strings.HasPrefix(got.err, warning) || !strings.Contains(got.out, "Blue has all traffic of shop.") {
		t.Errorf("%+v\nwant a warning first:\n%s", got, warning)
	}
	if got := z.green(); got["shop"] != 0 || got["blog"] != 25 {
		t.Errorf("green's weights are %v", got)
	}
	if got := run(t.Context(), "validate"); got.status != 2 {
		t.Errorf("the daemon takes it: %+v", got)
	}
}

// TestOnlyTheWayBackTakesAConfigurationThatTheDaemonRefuses: a rehearsal of steps that can't be read tells nobody anything.
func TestOnlyTheWayBackTakesAConfigurationThatTheDaemonRefuses(t *testing.T) {
	for name, document := range map[string]string{"it has a fault": strings.Replace(validConfig, "share: 25", "share: 250", 1), "there is none": ""} {
		t.Run(name, func(t *testing.T) {
			alone(t)
			if document != "" {
				write(t, "clusterswitch.yaml", document)
			}
			for _, args := range [][]string{{"plan", "shop"}, {"preflight", "shop"}, {"retire-check", "shop-v134"}} {
				if got := run(t.Context(), args...); got.status != 2 || strings.Contains(got.err, "WARNING") || strings.Contains(got.err, "AWS's console") {
					t.Errorf("%q: status %d, standard error:\n%s", args, got.status, got.err)
				}
			}
		})
	}
}

func TestWithoutAConfigurationTheWayByHandIsTold(t *testing.T) {
	const byHand = "\nWithout it: the runbook that the daemon wrote when the shift started (ConfigMap clusterswitch-runbook-shop, " +
		"and the folder of runbook.dir), or AWS's console: all weight to blue, 0 to green, at each entrance.\n"
	for name, c := range map[string]struct{ document, says string }{
		"there is none":               {"", "Give your copy of it by --config. From values of the chart:\n  helm template clusterswitch"},
		"its entrance can't be read":  {strings.Replace(validConfig, "Z123", "zone", 1), "Mend these lines in a copy of it: "},
		"it is the chart's values":    {"config: {}\n" + validConfig[strings.Index(validConfig, "pairs:"):], "is a file of values for the chart; "},
		"it is the ConfigMap of them": {"kind: ConfigMap\napiVersion: v1\ndata: {clusterswitch.yaml: x}\n", "is a ConfigMap with a configuration in it; "},
	} {
		t.Run(name, func(t *testing.T) {
			alone(t)
			if c.document != "" {
				write(t, "clusterswitch.yaml", c.document)
			}
			for _, args := range [][]string{{"rollback", "shop", "--direct"}, {"runbook", "shop"}} {
				got := run(t.Context(), args...)
				if got.status != 2 || !strings.Contains(got.err, c.says) || !strings.HasSuffix(got.err, byHand) {
					t.Errorf("status %d, standard error:\n%s\nwhich should have %q and end with %q", got.status, got.err, c.says, byHand)
				}
			}
		})
	}
}

func TestWhatEverybodyTriesFirst(t *testing.T) {
	alone(t)
	compare(t, run(t.Context(), "version"), run(t.Context(), "--version"))
	compare(t, ran{status: 2, err: "clusterswitch: validate takes no arguments, and my.yaml is one; the configuration's file is given by --config\n" +
		"See: clusterswitch validate --help\n"}, run(t.Context(), "validate", "my.yaml"))
}

func TestExpiredCredentialsForTheManagementClusterAreRenewed(t *testing.T) {
	alone(t)
	kubeconfig := serverOf(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = w.Write([]byte(`{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Unauthorized","code":401,"message":"Unauthorized"}`))
	})
	for _, args := range [][]string{{"status"}, {"status", "shop"}, {"rollback", "shop"}, {"start", "shop"}} {
		got := run(t.Context(), append(args, "--kubeconfig", kubeconfig)...)
		if got.status != 1 || !strings.Contains(got.err, ": Unauthorized: these credentials don't count there, or no longer; log in again, or choose another --context\n") {
			t.Errorf("%q: %+v", args, got)
		}
	}
}

// TestAStatusThatIsBrokenOffIsNoIncident: whoever ends it needs no advice.
func TestAStatusThatIsBrokenOffIsNoIncident(t *testing.T) {
	alone(t)
	asked := make(chan struct{})
	kubeconfig := serverOf(t, func(_ http.ResponseWriter, r *http.Request) {
		close(asked)
		<-r.Context().Done()
	})
	ctx, stop := context.WithCancel(t.Context())
	go func() { <-asked; stop() }()
	if got := run(ctx, "status", "--kubeconfig", kubeconfig); got.status != 1 || strings.Contains(got.err, "--direct") {
		t.Errorf("%+v", got)
	}
}

// slowSwitches answer late, as an API server behind a black hole doesn't at all.
type slowSwitches struct {
	switches
	after time.Duration
}

func (s slowSwitches) PatchSpec(context.Context, string, v1alpha1.SpecChange) (*v1alpha1.TrafficSwitch, error) {
	time.Sleep(s.after)
	return nil, errors.New("context deadline exceeded")
}

func TestARollbackWithoutAnAnswerSaysSoonWhatElseThereIs(t *testing.T) {
	for name, c := range map[string]struct {
		after time.Duration
		says  string
	}{
		"a quick answer":  {slowAfter - time.Millisecond, ""},
		"none for a time": {requestTimeout, "No answer for 3s yet; still trying. Without one, from another terminal: clusterswitch rollback shop --direct --config it.yaml\n"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var out, said bytes.Buffer
				h := &hand{out: &paper{w: &out}, err: &paper{w: &said}, client: slowSwitches{after: c.after}, config: " --config it.yaml", now: time.Now}
				began := time.Now()
				if err := h.rollback(t.Context(), "shop", false); err == nil || time.Since(began) != c.after {
					t.Errorf("it ended after %s with %v, want the error after %s", time.Since(began), err, c.after)
				}
				if got := out.String() + said.String(); got != c.says {
					t.Errorf("it says %q, want %q", got, c.says)
				}
			})
		})
	}
}
