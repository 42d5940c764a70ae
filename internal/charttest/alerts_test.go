package charttest

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/promql/parser"
	sigsyaml "sigs.k8s.io/yaml"
)

// alert is one of files/alerts.yaml.
type alert struct {
	Alert, Expr, For    string
	Labels, Annotations map[string]string
}

func alertsOf(t *testing.T) []alert {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(chart, "files", "alerts.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var alerts []alert
	if err := sigsyaml.UnmarshalStrict(text, &alerts); err != nil {
		t.Fatal(err)
	}
	return alerts
}

// metrics are the daemon's own, by name with their labels: docs/metrics.md is
// generated from what is registered.
func metrics(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "docs", "metrics.md"))
	if err != nil {
		t.Fatal(err)
	}
	found := map[string][]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\| [a-z]+ \\| (.*?) \\| ").FindAllStringSubmatch(string(text), -1) {
		// Prometheus adds its own about the target.
		found[row[1]] = append(strings.FieldsFunc(row[2], func(r rune) bool { return strings.ContainsRune("`, ", r) }), "job", "instance", "namespace", "pod")
	}
	if len(found) < 30 {
		t.Fatalf("docs/metrics.md names %d metrics only", len(found))
	}
	return found
}

// askedFor gives what is wrong with an expression: it asks for a metric that the
// daemon doesn't have, or by a label that the metric doesn't have.
func askedFor(expr string, known map[string][]string) (faults []string) {
	parsed, err := parser.NewParser(parser.Options{}).ParseExpr(expr)
	if err != nil {
		return []string{err.Error()}
	}
	parser.Inspect(parsed, func(node parser.Node, _ []parser.Node) error {
		selector, is := node.(*parser.VectorSelector)
		if !is {
			return nil
		}
		has, exists := known[selector.Name]
		if !exists {
			faults = append(faults, "there is no metric "+selector.Name)
		}
		for _, m := range selector.LabelMatchers {
			if m.Name != "__name__" && exists && !slices.Contains(has, m.Name) {
				faults = append(faults, selector.Name+" has no label "+m.Name)
			}
		}
		return nil
	})
	return faults
}

func TestAlertsAskForMetricsThatExist(t *testing.T) {
	t.Parallel()
	known, runbooks := metrics(t), read(t, "docs", "runbooks.md")
	for _, a := range alertsOf(t) {
		for _, fault := range askedFor(a.Expr, known) {
			t.Errorf("%s: %s", a.Alert, fault)
		}
		if a.Labels["severity"] != "critical" && a.Labels["severity"] != "warning" {
			t.Errorf("%s has the severity %q", a.Alert, a.Labels["severity"])
		}
		if a.Annotations["summary"] == "" || a.Annotations["description"] == "" {
			t.Errorf("%s says nothing", a.Alert)
		}
		if !strings.Contains(runbooks, "\n## "+a.Alert+"\n") {
			t.Errorf("docs/runbooks.md has no section %s", a.Alert)
		}
	}
	for _, heading := range regexp.MustCompile(`(?m)^## (\w+)$`).FindAllStringSubmatch(runbooks, -1) {
		if !slices.ContainsFunc(alertsOf(t), func(a alert) bool { return a.Alert == heading[1] }) {
			t.Errorf("docs/runbooks.md explains the alert %s, which isn't there", heading[1])
		}
	}
	if faults := askedFor(`sum by (pair) (clusterswitch_phase{side="blue"}) + clusterswitch_nothing`, known); len(faults) != 2 {
		t.Errorf("a wrong expression has the faults %q", faults)
	}
}

func read(t *testing.T, path ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(append([]string{root}, path...)...))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Every panel of the dashboard, its variable and its annotation ask for metrics
// that the daemon has.
func TestDashboardAsksForMetricsThatExist(t *testing.T) {
	t.Parallel()
	known := metrics(t)
	var dashboard struct {
		Panels []struct {
			ID      int
			Title   string
			Targets []struct{ Expr string }
			GridPos struct{ W, H, X, Y int }
		}
		Templating  struct{ List []struct{ Definition string } }
		Annotations struct{ List []struct{ Expr string } }
	}
	if err := json.Unmarshal([]byte(read(t, "charts", "clusterswitch", "files", "dashboard.json")), &dashboard); err != nil {
		t.Fatal(err)
	}
	asked := 0
	ask := func(what, expr string) {
		asked++
		for _, fault := range askedFor(strings.ReplaceAll(expr, "$pair", ".*"), known) {
			t.Errorf("%s: %s", what, fault)
		}
	}
	ids := map[int]bool{}
	for _, p := range dashboard.Panels {
		if ids[p.ID] || p.GridPos.X+p.GridPos.W > 24 || len(p.Targets) == 0 {
			t.Errorf("panel %q has the id of another, is too wide, or asks nothing", p.Title)
		}
		ids[p.ID] = true
		for _, target := range p.Targets {
			ask(p.Title, target.Expr)
		}
	}
	for _, a := range dashboard.Annotations.List {
		ask("annotation", a.Expr)
	}
	for _, v := range dashboard.Templating.List {
		if match := regexp.MustCompile(`^label_values\((\w+), (\w+)\)$`).FindStringSubmatch(v.Definition); match != nil {
			ask("variable", match[1]+`{`+match[2]+`=""}`)
		}
	}
	if asked < 15 {
		t.Errorf("the dashboard asks %d questions only", asked)
	}
}
