package doctest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/config"
	"github.com/clusterswitch/clusterswitch/internal/cli"
)

// root is the repository's top folder, as seen from this package's.
const root = "../.."

// Every configuration shown in a document is one that the daemon loads.
func TestConfigurationsInDocumentsLoad(t *testing.T) {
	block := regexp.MustCompile("(?s)```yaml\n(apiVersion: clusterswitch.io/v1alpha1\n.*?)```")
	found := map[string]int{}
	for name, doc := range documents(t) {
		for _, match := range block.FindAllStringSubmatch(doc, -1) {
			if strings.Contains(match[1], "\nkind:") {
				continue // a resource, not a configuration
			}
			found[name]++
			if _, err := config.Parse(name, []byte(match[1]), nil); err != nil {
				t.Errorf("%v\nin:\n%s", err, match[1])
			}
		}
	}
	if found["README.md"] == 0 {
		t.Error("README.md shows no configuration")
	}
}

// Every command in a document is one of the program's.
func TestCommandsInDocumentsExist(t *testing.T) {
	command := regexp.MustCompile("`clusterswitch ([a-z-]+)")
	asked := map[string]bool{}
	for name, doc := range documents(t) {
		for _, match := range command.FindAllStringSubmatch(doc, -1) {
			asked[match[1]] = true
			var out, complaint bytes.Buffer
			status := cli.Run(t.Context(), cli.Options{Args: []string{match[1], "--help"}, Out: &out, Err: &complaint})
			if status != 0 || !strings.Contains(out.String(), "clusterswitch "+match[1]) {
				t.Errorf("%s: clusterswitch has no command %s: %s", name, match[1], complaint.String())
			}
		}
	}
	for _, want := range []string{"run", "validate", "status", "start", "rollback", "pause", "resume", "approve", "preflight", "runbook", "policy", "rbac", "version"} {
		if !asked[want] {
			t.Errorf("no document names clusterswitch %s", want)
		}
	}
}

func TestMakeTargetsInDocumentsExist(t *testing.T) {
	makefile := read(t, "Makefile")
	target := regexp.MustCompile("`make ([a-z0-9-]+)`")
	for name, doc := range documents(t) {
		for _, match := range target.FindAllStringSubmatch(doc, -1) {
			if !regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(match[1]) + `:`).MatchString(makefile) {
				t.Errorf("%s: the Makefile has no target %s", name, match[1])
			}
		}
	}
}

func TestLinksLeadSomewhere(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#]+)(#[^)]*)?\)`)
	for name, doc := range documents(t) {
		for _, match := range link.FindAllStringSubmatch(doc, -1) {
			if strings.Contains(match[1], "://") {
				continue
			}
			if _, err := os.Stat(filepath.Join(root, filepath.Dir(name), match[1])); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// A link to a section leads to a heading that is there.
func TestLinksToSectionsLeadThere(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#: ]*)#([^)]+)\)`)
	docs, sections := documents(t), map[string][]string{}
	for name, doc := range docs {
		sections[name] = anchors(doc)
	}
	followed := 0
	for name, doc := range docs {
		for _, match := range link.FindAllStringSubmatch(doc, -1) {
			to := name
			if match[1] != "" {
				to = filepath.ToSlash(filepath.Join(filepath.Dir(name), match[1]))
			}
			there, ok := sections[to]
			if !ok {
				continue // not a document: the other test looks whether it is there
			}
			followed++
			if !slices.Contains(there, match[2]) {
				t.Errorf("%s: %s has no section #%s", name, to, match[2])
			}
		}
	}
	if followed < 60 { // docs/reasons.md alone has as many
		t.Errorf("only %d links were followed", followed)
	}
}

// anchors gives the names by which GitHub lets a link lead to a document's headings.
func anchors(doc string) []string {
	heading := regexp.MustCompile("(?m)^#{1,6} (.+)$")
	left := regexp.MustCompile(`[^\p{L}\p{N} _-]`)
	var names []string
	times := map[string]int{}
	for _, match := range heading.FindAllStringSubmatch(doc, -1) {
		name := strings.ReplaceAll(left.ReplaceAllString(strings.ToLower(match[1]), ""), " ", "-")
		if times[name]++; times[name] > 1 {
			name = fmt.Sprintf("%s-%d", name, times[name]-1)
		}
		names = append(names, name)
	}
	return names
}

// docs/rules.md names the tests that check a rule as `package.TestName`.
func TestTestsInDocumentsExist(t *testing.T) {
	test := regexp.MustCompile("`([a-z0-9/]+)\\.((?:Test|Fuzz|Benchmark)[A-Za-z0-9]+)`")
	named := 0
	for name, doc := range documents(t) {
		for _, match := range test.FindAllStringSubmatch(doc, -1) {
			named++
			files, err := filepath.Glob(filepath.Join(root, match[1], "*_test.go"))
			if err != nil {
				t.Fatal(err)
			}
			if !slices.ContainsFunc(files, func(file string) bool {
				content, err := os.ReadFile(file)
				return err == nil && bytes.Contains(content, []byte("\nfunc "+match[2]+"("))
			}) {
				t.Errorf("%s: %s has no %s", name, match[1], match[2])
			}
		}
	}
	if named == 0 {
		t.Error("no document names a test")
	}
}

// What the code imports is what go.mod requires directly: "make lint" sees to
// that with go mod tidy.
func TestDependenciesAreAllExplained(t *testing.T) {
	var got []string
	explained := regexp.MustCompile("(?m)^\\| `([^`]+)` \\| [^|]*[a-z][^|]*\\. \\|$")
	for _, match := range explained.FindAllStringSubmatch(read(t, "docs/dependencies.md"), -1) {
		got = append(got, match[1])
	}
	slices.Sort(got)
	if diff := cmp.Diff(imported(t), got); diff != "" {
		t.Errorf("docs/dependencies.md explains other modules than the code imports (-code +document):\n%s", diff)
	}
}

// imported gives the modules that our own packages and tests import.
func imported(t *testing.T) []string {
	t.Helper()
	type goPackage struct {
		ImportPath string
		Module     *struct {
			Path string
			Main bool
		}
		Imports []string
	}
	cmd := exec.CommandContext(t.Context(), "go", "list", "-e", "-tags=e2e", "-test", "-deps", "-json=ImportPath,Module,Imports", "./...")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var imports []string
	modules := map[string]string{} // of packages; ours and the standard library's have none
	for in := json.NewDecoder(bytes.NewReader(out)); ; {
		var p goPackage
		err := in.Decode(&p)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case p.Module == nil:
		case p.Module.Main:
			imports = append(imports, p.Imports...)
		default:
			modules[p.ImportPath] = p.Module.Path
		}
	}
	var direct []string
	for _, path := range imports {
		if module := modules[path]; module != "" {
			direct = append(direct, module)
		}
	}
	slices.Sort(direct)
	return slices.Compact(direct)
}

// documents gives every Markdown file that people read, by its path.
func documents(t *testing.T) map[string]string {
	t.Helper()
	docs := map[string]string{}
	for _, pattern := range []string{"*.md", "docs/*.md"} {
		files, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			name, err := filepath.Rel(root, file)
			if err != nil {
				t.Fatal(err)
			}
			docs[filepath.ToSlash(name)] = read(t, name)
		}
	}
	return docs
}

func read(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
