package charttest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	sigsyaml "sigs.k8s.io/yaml"
)

// buildPromtool builds Prometheus' own tool of the pinned version; Go knows what
// is up to date.
func buildPromtool(t *testing.T) string {
	t.Helper()
	into, err := filepath.Abs(filepath.Join(root, ".cache", "bin", "promtool"))
	if err != nil {
		t.Fatal(err)
	}
	build := exec.CommandContext(t.Context(), "go", "build", "-tags", "remove_all_sd", "-ldflags", "-s -w", "-o", into, "github.com/prometheus/prometheus/cmd/promtool")
	build.Dir = filepath.Join(root, "internal", "tools", "prometheus")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building promtool: %v\n%s", err, out)
	}
	return into
}

// The rules that the chart renders are taken by Prometheus, and each fires in the
// case that ci/alerts-test.yaml describes, and in no other. What they say isn't
// compared, only that it can be said: annotations are left out.
func TestAlertsFireWhenTheyMust(t *testing.T) {
	t.Parallel()
	promtool := buildPromtool(t)
	out, err := helm(t.Context(), "template", "shift", chart, "--namespace", namespace, "--values", values("least"), "--set=prometheusRule.create=true")
	if err != nil {
		t.Fatal(err)
	}
	rule := only[*unstructured.Unstructured](t, decode(t, out))
	spec, _, err := unstructured.NestedMap(rule.Object, "spec")
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	put := func(name string, spec any) {
		t.Helper()
		text, err := sigsyaml.Marshal(spec)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put("whole.yaml", spec)
	groups, _, _ := unstructured.NestedSlice(spec, "groups")
	rules, _, _ := unstructured.NestedSlice(groups[0].(map[string]any), "rules")
	tested := read(t, "charts", "clusterswitch", "ci", "alerts-test.yaml")
	for i := range rules {
		rule := rules[i].(map[string]any)
		url, _, _ := unstructured.NestedString(rule, "annotations", "runbook_url")
		if name := rule["alert"].(string); !strings.HasSuffix(url, "/docs/runbooks.md#"+strings.ToLower(name)) {
			t.Errorf("the runbook of %s is %q", name, url)
		}
		if !strings.Contains(tested, fmt.Sprintf("alertname: %s, exp_alerts: [{", rule["alert"])) {
			t.Errorf("ci/alerts-test.yaml has no case in which %s fires", rule["alert"])
		}
		delete(rule, "annotations")
	}
	groups[0].(map[string]any)["rules"] = rules
	put("rules.yaml", map[string]any{"groups": groups})
	if err := os.WriteFile(filepath.Join(folder, "tests.yaml"), []byte(tested), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"check", "rules", "--lint=all", "--lint-fatal", "whole.yaml"}, {"test", "rules", "tests.yaml"}} {
		cmd := exec.CommandContext(t.Context(), promtool, args...)
		cmd.Dir = folder
		if said, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, said)
		}
	}
}
