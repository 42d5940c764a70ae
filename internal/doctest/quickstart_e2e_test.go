//go:build e2e

package doctest

import (
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/aws"
)

// The quick start's second and third part do what they say, typed as they stand, but
// at a port of the test's own.
func TestE2EQuickStart(t *testing.T) {
	if _, err := exec.LookPath("aws"); err != nil {
		t.Skip("it wants the AWS CLI")
	}
	cloud := httptest.NewServer(aws.New(aws.Options{Propagation: time.Second}))
	defer cloud.Close()
	text := strings.ReplaceAll(read(t, "docs/quickstart.md"), "http://127.0.0.1:4599", cloud.URL)
	fence := func(kind string) string {
		found := regexp.MustCompile("(?s)```"+kind+"\n(.*?)```").FindAllStringSubmatch(text, -1)
		if len(found) != 1 {
			t.Fatalf("the quick start has %d blocks of %s", len(found), kind)
		}
		return found[0][1]
	}
	bin, dir := t.TempDir(), t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(bin, "clusterswitch"), "./cmd/clusterswitch")
	build.Dir, build.Env = root, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building clusterswitch: %v\n%s", err, out)
	}
	if err := os.WriteFile(filepath.Join(dir, "first.yaml"), []byte(fence("yaml")), 0o600); err != nil {
		t.Fatal(err)
	}
	script := []string{"set -eu", "clusterswitch validate --config first.yaml", fence("sh")}
	for _, line := range []string{
		"clusterswitch plan shop --config first.yaml", "weights 50 50",
		"clusterswitch rollback shop --direct --config first.yaml", "clusterswitch runbook shop --config first.yaml",
	} {
		if !strings.Contains(text, line) {
			t.Errorf("the quick start has no %q any more", line)
		}
		script = append(script, line)
	}
	cmd := exec.CommandContext(t.Context(), "bash", "-c", strings.Join(script, "\n"))
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PATH="+bin+string(filepath.ListSeparator)+os.Getenv("PATH"), "HOME="+t.TempDir(), "AWS_PAGER=")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, said := range []string{
		"StandingBy        green has all traffic", "web        50%         0%         written", "Blue has all traffic of shop.", "aws route53 change-resource-record-sets",
	} {
		if !strings.Contains(string(out), said) {
			t.Errorf("nowhere it says %q:\n%s", said, out)
		}
	}
}
