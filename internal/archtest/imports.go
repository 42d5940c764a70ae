package archtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
)

// goPackage is what "go list" tells of a package.
type goPackage struct {
	ImportPath   string
	Dir          string
	Imports      []string
	TestImports  []string // of its tests inside the package
	XTestImports []string // of its tests outside of it
}

// list asks the go tool, in the repository's root. Files behind the build tag
// of the end-to-end tests count too. A package that doesn't build is listed all
// the same (-e): to say that is the compiler's part.
func list(ctx context.Context, root string, args ...string) ([]goPackage, error) {
	args = append([]string{"list", "-e", "-tags=e2e", "-json=ImportPath,Dir,Imports,TestImports,XTestImports"}, args...)
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = root
	var complaint strings.Builder
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("running %s: %w: %s", cmd, err, complaint.String())
	}
	var packages []goPackage
	for in := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		err := in.Decode(&p)
		if errors.Is(err, io.EOF) {
			return packages, nil
		}
		if err != nil {
			return nil, fmt.Errorf("reading the answer of %s: %w", cmd, err)
		}
		packages = append(packages, p)
	}
}

// ours cuts the module from the path of one of our packages.
func ours(importPath string) (string, bool) {
	return strings.CutPrefix(importPath, module+"/")
}

// checkImports compares what packages import with what the table allows. Tests
// may import the sandbox and the simulated world besides, for that is what
// these are for.
func checkImports(rows []row, packages []goPackage) []string {
	var breaches []string
	for _, p := range packages {
		name, _ := ours(p.ImportPath)
		at := slices.IndexFunc(rows, func(r row) bool { return r.pkg == name })
		if at < 0 {
			breaches = append(breaches, fmt.Sprintf("%s: has no row in the table", name))
			continue
		}
		for _, path := range p.Imports {
			if imported, is := ours(path); is && !rows[at].allows(imported) {
				breaches = append(breaches, fmt.Sprintf("%s: may not import %s", name, imported))
			}
		}
		for _, path := range slices.Concat(p.TestImports, p.XTestImports) {
			if imported, is := ours(path); is && imported != name && !rows[at].allows(imported) && !forTests(imported) {
				breaches = append(breaches, fmt.Sprintf("%s: its tests may not import %s", name, imported))
			}
		}
	}
	return breaches
}

func forTests(pkg string) bool {
	return ofSandbox(pkg) || pkg == "internal/sim"
}

// checkRows finds rows that no package stands behind.
func checkRows(rows []row, packages []goPackage) []string {
	var breaches []string
	for _, r := range rows {
		if !slices.ContainsFunc(packages, func(p goPackage) bool { return p.ImportPath == module+"/"+r.pkg }) {
			breaches = append(breaches, fmt.Sprintf("%s: has a row in the table, but there is no such package", r.pkg))
		}
	}
	return breaches
}

// checkBinary finds what the product's binary must not carry among the packages
// that go into it.
func checkBinary(packages []goPackage) []string {
	var breaches []string
	for _, p := range packages {
		for prefix, why := range banned() {
			if p.ImportPath == prefix || strings.HasPrefix(p.ImportPath, prefix+"/") {
				breaches = append(breaches, fmt.Sprintf("%s is in the product's binary: %s", p.ImportPath, why))
			}
		}
	}
	slices.Sort(breaches)
	return breaches
}

// banned names what must not be in the product's binary, and why.
func banned() map[string]string {
	return map[string]string{
		module + "/internal/sandbox":       "it belongs to the demo",
		module + "/internal/sim":           "it belongs to the tests",
		"sigs.k8s.io/controller-runtime":   "it starts the demo's control planes; the daemon uses client-go itself",
		"pgregory.net/rapid":               "it belongs to the tests",
		"github.com/google/go-cmp":         "it belongs to the tests",
		"golang.org/x/tools":               "it belongs to the tests",
		"net/http/httptest":                "it belongs to the tests",
		"go.uber.org/zap/zaptest/observer": "it belongs to the tests",
	}
}
