package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clusterswitch/clusterswitch/internal/preflight/finding"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane/cptest"
)

// twoClusters is a blue and a green cluster, and a configuration that names
// them. There is neither a daemon nor a management cluster.
type twoClusters struct {
	*testing.T
	blue, green *controlplane.ControlPlane
	// greenPath is the kubeconfig that the configuration names for green.
	greenPath string
}

func newTwoClusters(t *testing.T) *twoClusters {
	t.Helper()
	c := &twoClusters{T: t, blue: cluster.Start(t), green: cptest.Start(t, cptest.Options{Name: "cli-green"})}
	c.greenPath = c.green.Kubeconfig()
	newZone(t) // an AWS, and a working folder
	c.configure("")
	return c
}

// configure writes the configuration; waivers are entries of YAML's list.
func (c *twoClusters) configure(waivers string) {
	c.Helper()
	written, err := os.ReadFile("clusterswitch.yaml")
	if err != nil {
		c.Fatal(err)
	}
	head := regexp.MustCompile(`(?m)^aws: .*$`).FindString(string(written))
	write(c.T, "clusterswitch.yaml", fmt.Sprintf(`apiVersion: clusterswitch.io/v1alpha1
%s
pairs:
  - name: shop
    serve: green
    blue: {kubeconfig: {path: %q}}
    green: {kubeconfig: {path: %q}}
    preflight: {waivers: [%s]}
    traffic: [{route53: {hostedZoneID: Z123, names: [shop.example.com], blueSetIdentifier: blue, greenSetIdentifier: green}}]
    steps: [{share: 100}]
    soakOnly: true
`, head, c.blue.Kubeconfig(), c.greenPath, waivers))
}

func (c *twoClusters) report(args ...string) (finding.Report, ran) {
	c.Helper()
	got := run(c.Context(), append([]string{"preflight", "shop", "-o", "json"}, args...)...)
	r, err := finding.Parse([]byte(got.out))
	if err != nil {
		c.Fatalf("%v in: %+v", err, got)
	}
	return r, got
}

// expect finds a finding; the others come and go with the checks.
func (c *twoClusters) expect(r finding.Report, id string) finding.Finding {
	c.Helper()
	at := slices.IndexFunc(r.Findings, func(f finding.Finding) bool { return f.ID == id })
	if at < 0 {
		c.Fatalf("there is no %s in %+v", id, r.Findings)
	}
	return r.Findings[at]
}

const greenGone = "ClusterUnreadable/Cluster/green"

func TestPreflightOfRealClusters(t *testing.T) {
	c := newTwoClusters(t)
	first, got := c.report()
	if first.Blue.Version == "" || first.Green.Objects == 0 || first.Scope != "full" || len(first.Checks) == 0 {
		t.Errorf("the head is %+v", first)
	}
	if wants := map[bool]int{true: 0, false: 1}[first.Clear()]; got.status != wants {
		t.Errorf("exit status %d with %s", got.status, first.Summary())
	}
	write(t, "old.json", got.out)
	second, _ := c.report("--against", "old.json")
	if !second.Same(first) || !second.Against.None() {
		t.Errorf("nothing changed, but a second run says something else: %+v", second.Against)
	}
	brief, _ := c.report("--brief", "--against", "old.json")
	if brief.Scope != "brief" || len(brief.Against.Gone) > 0 {
		t.Errorf("a brief look calls gone what it doesn't look for: %+v", brief.Against.Gone)
	}

	reachable := c.green.Kubeconfig()
	c.greenPath = filepath.Join(t.TempDir(), "nobody.yaml")
	text, err := os.ReadFile(reachable)
	if err != nil {
		t.Fatal(err)
	}
	write(t, c.greenPath, regexp.MustCompile(`server: .*`).ReplaceAllString(string(text), "server: https://127.0.0.1:1"))
	c.configure("")
	gone, got := c.report("--against", "old.json")
	if f := c.expect(gone, greenGone); f.Severity != finding.Block || got.status != 1 || !strings.Contains(got.err, "block") {
		t.Errorf("an unreachable green is %+v, exit status %d: %s", f, got.status, got.err)
	}
	if !slices.Contains(gone.Against.New, greenGone) {
		t.Errorf("it is not new: %+v", gone.Against)
	}
	c.configure(fmt.Sprintf("{id: %s, reason: it is being built, until: %q}", greenGone, time.Now().Add(48*time.Hour).UTC().Format(time.DateOnly)))
	waived, _ := c.report()
	if f := c.expect(waived, greenGone); f.Waived == nil || f.Waived.Reason != "it is being built" || f.Blocks() {
		t.Errorf("waived it is %+v", f)
	}
}

func TestPreflightRefusesWhatItCannotUse(t *testing.T) {
	for name, c := range map[string]struct {
		file string
		args []string
		says string
	}{
		"an unknown format":           {args: []string{"-o", "yaml"}, says: "-o yaml: use table, json or markdown"},
		"a brief look that is stored": {args: []string{"--stored", "--brief"}, says: "--brief is for a new look"},
		"a start that isn't stored":   {args: []string{"--at-start"}, says: "--at-start needs --stored"},
		"an absent report":            {args: []string{"--against", "none.json"}, says: "--against none.json: no such file or directory"},
		"a report that is empty":      {file: " ", args: []string{"--against", "old.json"}, says: "it is empty"},
		"a report that is a table":    {file: "Preflight of shop", args: []string{"--against", "old.json"}, says: "it is no JSON"},
		"other JSON":                  {file: `{"pairs": []}`, args: []string{"--against", "old.json"}, says: "it is JSON but no report"},
		"JSON of another shape":       {file: `{"schemaVersion": "x"}`, args: []string{"--against", "old.json"}, says: "it is no report of a preflight"},
		"a report of tomorrow":        {file: `{"schemaVersion": 2, "pair": "shop"}`, args: []string{"--against", "old.json"}, says: "its schemaVersion is 2, this program reads 1"},
		"another pair's report":       {file: `{"schemaVersion": 1, "pair": "blog"}`, args: []string{"--against", "old.json"}, says: "it is a report of pair blog, not of shop"},
	} {
		t.Run(name, func(t *testing.T) {
			alone(t)
			write(t, "clusterswitch.yaml", validConfig)
			if c.file != "" {
				write(t, "old.json", c.file)
			}
			got := run(t.Context(), append([]string{"preflight", "shop"}, c.args...)...)
			if got.status != 2 || got.out != "" || !strings.Contains(got.err, c.says) {
				t.Errorf("got %+v, want status 2 and %q", got, c.says)
			}
		})
	}
}

func TestPreflightOfAnUnknownPair(t *testing.T) {
	alone(t)
	write(t, "clusterswitch.yaml", validConfig)
	compare(t, ran{status: 2, err: "clusterswitch: clusterswitch.yaml has no pair blog; it has shop\nSee: clusterswitch preflight --help\n"},
		run(t.Context(), "preflight", "blog"))
}

// What the daemon keeps is printed without a look at any cluster, AWS or
// configuration.
func TestStoredPreflightIsThatOfTheDaemon(t *testing.T) {
	alone(t)
	w := newWorld(t)
	at := []string{"--kubeconfig", w.kubeconfig, "--namespace", w.namespace}
	ask := func(args ...string) ran {
		return run(t.Context(), append(append([]string{"preflight"}, args...), at...)...)
	}
	if got := ask("shop", "--stored"); got.status != 1 || !strings.Contains(got.err, "no report is kept for shop: ConfigMap clusterswitch-preflight-shop isn't there") {
		t.Errorf("before the first: %+v", got)
	}
	data := map[string]string{}
	newest, start := planted(), planted()
	start.Findings = start.Findings[1:]
	for key, r := range map[string]finding.Report{"report.json": newest, "start.json": start} {
		document, err := r.JSON()
		if err != nil {
			t.Fatal(err)
		}
		data[key] = string(document)
	}
	kept := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "clusterswitch-preflight-shop"}, Data: data}
	if _, err := cptest.Client(t, cluster.Start(t)).CoreV1().ConfigMaps(w.namespace).Create(t.Context(), kept, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	blocks := "clusterswitch: preflight of shop: 2 findings block, 3 warn, 1 for the record, 1 waived\n"
	compare(t, ran{status: 1, out: data["report.json"], err: blocks}, ask("shop", "--stored", "-o", "json"))
	first := ask("shop", "--stored", "--at-start", "-o", "json")
	if first.out != data["start.json"] {
		t.Errorf("the start's report is %+v", first)
	}
	write(t, "start.json", first.out)
	if got := ask("shop", "--stored", "--against", "start.json"); !strings.Contains(got.out, "1 new, 0 gone, 0 changed") {
		t.Errorf("compared with the start: %+v", got)
	}
}
