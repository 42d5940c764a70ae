package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// root is the repository's top folder, as seen from this package's.
const root = "../.."

func TestTableAllowsNothingThatMayNeverBe(t *testing.T) {
	report(t, checkTable(readTable(t)))
}

func TestPackagesImportWhatTheTableAllows(t *testing.T) {
	packages, err := list(t.Context(), root, "./...")
	if err != nil {
		t.Fatal(err)
	}
	rows := readTable(t)
	report(t, checkImports(rows, packages))
	report(t, checkRows(rows, packages))
}

// The product is every package of the table but the sandbox and the tests': so
// the check doesn't wait for a package to be wired into the binary.
func TestProductCarriesNothingOfTheSandbox(t *testing.T) {
	var product []string
	for _, r := range readTable(t) {
		if !strings.Contains(r.pkg, "sandbox") && !strings.HasPrefix(r.pkg, "internal/sim") && !strings.HasSuffix(r.pkg, "test") {
			product = append(product, "./"+r.pkg)
		}
	}
	packages, err := list(t.Context(), root, append([]string{"-deps"}, product...)...)
	if err != nil {
		t.Fatal(err)
	}
	if len(packages) < 100 {
		t.Fatalf("the product has %d packages with all that it imports; the check looked at the wrong place", len(packages))
	}
	report(t, checkBinary(packages))
}

// As the image's binary is built, gRPC's tracing page isn't in it: it executes
// templates, which makes the linker keep every method of every type, 30 MB of them.
func TestImagesBinaryHasNoTracingPage(t *testing.T) {
	dockerfile, err := os.ReadFile(root + "/Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	const tags = "-tags grpcnotrace "
	if !strings.Contains(string(dockerfile), tags) {
		t.Errorf("the Dockerfile builds without %s", tags)
	}
	packages, err := list(t.Context(), root, "-tags", "grpcnotrace", "-deps", "./cmd/clusterswitch")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range packages {
		if p.ImportPath == "golang.org/x/net/trace" {
			t.Errorf("the binary carries %s", p.ImportPath)
		}
	}
}

func TestCoreIsSilentAndTimeless(t *testing.T) {
	found := 0
	for name, file := range parseAll(t) {
		if ofCore(path.Dir(name)) && !strings.HasSuffix(name, "_test.go") {
			found++
			report(t, checkCore(file.set, file.File))
		}
	}
	if found == 0 {
		t.Fatal("no file of the core was found")
	}
}

func TestNothingIsTooLong(t *testing.T) {
	excepted := tooLong()
	for name, file := range parseAll(t) {
		for what, how := range checkSize(name, file.set, file.File) {
			if excepted[what] == "" {
				t.Errorf("%s: %s", what, how)
			}
			delete(excepted, what)
		}
	}
	for what := range excepted {
		t.Errorf("%s: needs its exception no longer", what)
	}
}

func TestDecideIsThere(t *testing.T) {
	for name, file := range parseAll(t) {
		for _, decl := range file.Decls {
			if f, is := decl.(*ast.FuncDecl); is && f.Recv == nil && f.Name.Name == "Decide" && strings.HasPrefix(name, "switcher/shift/") {
				return
			}
		}
	}
	t.Error("switcher/shift has no function Decide: the limit of its size holds nothing")
}

func readTable(t *testing.T) []row {
	t.Helper()
	doc, err := os.ReadFile(filepath.Join(root, "docs", "architecture.md"))
	if err != nil {
		t.Fatal(err)
	}
	rows, err := parseTable(string(doc))
	if err != nil {
		t.Fatalf("docs/architecture.md: %v", err)
	}
	return rows
}

type parsed struct {
	*ast.File

	set *token.FileSet
}

// parseAll parses every Go file of the repository, whatever its build tags, by
// its path below the root.
func parseAll(t *testing.T) map[string]parsed {
	t.Helper()
	files := map[string]parsed{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if hidden := strings.HasPrefix(entry.Name(), ".") && path != root; entry.IsDir() && (hidden || entry.Name() == "testdata") {
			return filepath.SkipDir
		}
		if entry.IsDir() || filepath.Ext(path) != ".go" {
			return nil
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, path, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		files[filepath.ToSlash(name)] = parsed{File: file, set: set}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatal("no Go file was found")
	}
	return files
}

func report(t *testing.T, breaches []string) {
	t.Helper()
	slices.Sort(breaches)
	for _, breach := range slices.Compact(breaches) {
		t.Error(breach)
	}
}
