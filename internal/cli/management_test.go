package cli

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWhereTheManagementClusterIs(t *testing.T) {
	withKubeconfig := strings.Replace(validConfig, "namespace: clusterswitch",
		"namespace: hub\n  kubeconfig: {path: hub.yaml, context: hub}", 1)
	for name, c := range map[string]struct {
		document string
		flags    place
		want     place
	}{
		"nothing is said: as kubectl finds it": {
			want: place{namespace: "clusterswitch"},
		},
		"the configuration says all": {
			document: withKubeconfig,
			want:     place{kubeconfig: "hub.yaml", context: "hub", namespace: "hub"},
		},
		"the daemon uses the cluster that it runs in, a person a kubeconfig": {
			document: strings.Replace(validConfig, "namespace: clusterswitch", "namespace: hub", 1),
			want:     place{namespace: "hub"},
		},
		"a context alone is looked for in the person's kubeconfig, not in the daemon's": {
			document: withKubeconfig, flags: place{context: "mine"},
			want: place{context: "mine", namespace: "hub"},
		},
		"a kubeconfig takes its own current context": {
			document: withKubeconfig, flags: place{kubeconfig: "mine.yaml"},
			want: place{kubeconfig: "mine.yaml", namespace: "hub"},
		},
		"a namespace alone stays in the configuration's cluster": {
			document: withKubeconfig, flags: place{namespace: "mine"},
			want: place{kubeconfig: "hub.yaml", context: "hub", namespace: "mine"},
		},
		"a configuration that the daemon would refuse says it all the same": {
			document: strings.Replace(withKubeconfig, "share: 25", "share: 250", 1) + "tomorrow: true\n",
			want:     place{kubeconfig: "hub.yaml", context: "hub", namespace: "hub"},
		},
		"a configuration with faults isn't needed when flags say all": {
			document: "nonsense", flags: place{context: "mine", namespace: "mine"},
			want: place{context: "mine", namespace: "mine"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			alone(t)
			if c.document != "" {
				write(t, "clusterswitch.yaml", c.document)
			}
			got, err := (&program{}).find(c.flags)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(place{})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestTheNextStepCanBePasted gives flags to a command and finds them in what it
// tells to type next.
func TestTheNextStepCanBePasted(t *testing.T) {
	w := newWorld(t)
	w.pair("shop")
	dir := alone(t)
	content, err := os.ReadFile(w.kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	kubeconfig := filepath.Join(dir, "my kubeconfig")
	write(t, kubeconfig, string(content))

	got := run(t.Context(), "pause", "shop", "--kubeconfig", kubeconfig, "--namespace", w.namespace)
	want := "Go on: clusterswitch resume shop --kubeconfig '" + kubeconfig + "' --namespace " + w.namespace + "\n"
	if !strings.HasSuffix(got.out, want) {
		t.Errorf("it says %+v, which should end with %q", got, want)
	}
	got = run(t.Context(), "rollback", "shop", "--kubeconfig", kubeconfig, "--namespace", w.namespace)
	want = "Watch it: kubectl --kubeconfig '" + kubeconfig + "' -n " + w.namespace + " get trafficswitch shop --watch\n"
	if !strings.HasSuffix(got.out, want) {
		t.Errorf("it says %+v, which should end with %q", got, want)
	}
}

func TestTheAuthorOfAChangeIsNoted(t *testing.T) {
	w := newWorld(t)
	w.pair("shop")
	alone(t)
	if got := run(t.Context(), "pause", "shop", "--kubeconfig", w.kubeconfig, "--namespace", w.namespace); got.status != 0 {
		t.Fatalf("%+v", got)
	}
	var authors []string
	for _, f := range w.object("shop").ManagedFields {
		authors = append(authors, f.Manager)
	}
	if !strings.Contains(strings.Join(authors, " "), "clusterswitch-cli") {
		t.Errorf("the authors are %q", authors)
	}
}

func TestNamesOfPairsAreCompleted(t *testing.T) {
	w := newWorld(t)
	w.pair("shop")
	w.pair("api")
	alone(t)
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"the pair":          {[]string{"rollback", ""}, "api\nshop\n:4\n"},
		"only one pair":     {[]string{"rollback", "shop", ""}, ":4\n"},
		"without a cluster": {[]string{"rollback", "--context", "nope", ""}, ":4\n"},
	} {
		t.Run(name, func(t *testing.T) {
			args := append([]string{"__complete", c.args[0], "--kubeconfig", w.kubeconfig, "--namespace", w.namespace}, c.args[1:]...)
			if got := run(t.Context(), args...); got.out != c.want {
				t.Errorf("completed %q, want %q", got.out, c.want)
			}
		})
	}
}

// serverOf writes a kubeconfig for a server that isn't a management cluster.
func serverOf(t *testing.T, answer http.HandlerFunc) (kubeconfig string) {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	kubeconfig = filepath.Join(t.TempDir(), "kubeconfig")
	write(t, kubeconfig, `{apiVersion: v1, kind: Config, current-context: it,
  clusters: [{name: it, cluster: {server: "`+server.URL+`"}}],
  contexts: [{name: it, context: {cluster: it, user: it}}], users: [{name: it, user: {}}]}`)
	return kubeconfig
}

func TestAnotherClusterIsToldApart(t *testing.T) {
	alone(t)
	// What an API server answers for a resource that it doesn't know.
	kubeconfig := serverOf(t, http.NotFound)
	want := ran{status: 1, err: "clusterswitch: the cluster doesn't know TrafficSwitches: is it the management cluster, and is clusterswitch installed there?\n"}
	compare(t, want, run(t.Context(), "pause", "shop", "--kubeconfig", kubeconfig))
	for pair, args := range map[string][]string{"PAIR": {"status"}, "shop": {"status", "shop"}} {
		want := want
		want.err += "Users go on where AWS's weights send them. To send all to blue without the management cluster: clusterswitch rollback " + pair + " --direct\n"
		compare(t, want, run(t.Context(), append(args, "--kubeconfig", kubeconfig)...))
	}
}

func TestARefusalIsToldWithWhatElseRollsBack(t *testing.T) {
	alone(t)
	kubeconfig := serverOf(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusForbidden)
		_, _ = w.Write([]byte(`{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Forbidden","code":403,"message":"eve may not patch trafficswitches"}`))
	})
	want := ran{status: 1, err: "clusterswitch: changing shop: eve may not patch trafficswitches\n"}
	compare(t, want, run(t.Context(), "pause", "shop", "--kubeconfig", kubeconfig))
	want.err += otherWays
	compare(t, want, run(t.Context(), "rollback", "shop", "--kubeconfig", kubeconfig))
}
