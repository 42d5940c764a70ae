package iam

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// root is the repository's top folder, as seen from this package's.
const root = "../.."

const (
	sdk      = "github.com/aws/aws-sdk-go-v2/"
	services = sdk + "service/"
)

// TestEveryCallHasItsRow finds every operation of AWS that the product's code
// can call, and compares them with the table: none is missing there, and none
// is there that nobody calls.
func TestEveryCallHasItsRow(t *testing.T) {
	called := map[string]bool{}
	for _, file := range productFiles(t) {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		found, unclear := callsIn(parsed)
		for _, what := range unclear {
			t.Errorf("%s: %s: this test doesn't know which operations that calls", file, what)
		}
		for _, call := range found {
			called[call] = true
		}
	}
	rows := map[string]bool{}
	for _, o := range Operations() {
		rows[o.Service+" "+o.Name] = true
		if o.For == "" || !strings.HasSuffix(o.For, ".") {
			t.Errorf("%s isn't explained by a sentence", o.Action())
		}
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(called)), slices.Sorted(maps.Keys(rows))); diff != "" {
		t.Errorf("Operations has other rows than the code calls (-code +rows):\n%s", diff)
	}
	if !called["route53 ChangeResourceRecordSets"] || !called["sts AssumeRole"] {
		t.Errorf("only these calls were found, so the test looks at the wrong place: %v", slices.Sorted(maps.Keys(called)))
	}
}

// productFiles are the Go files of the product: no tests, and nothing of the
// sandbox, which calls what it likes.
func productFiles(t *testing.T) []string {
	t.Helper()
	var files []string
	for _, top := range []string{"cmd/clusterswitch", "config", "internal", "probes", "switcher"} {
		err := filepath.WalkDir(filepath.Join(root, top), func(name string, entry fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case entry.IsDir() && (entry.Name() == "sandbox" || entry.Name() == "testdata" || entry.Name() == "tools"):
				return filepath.SkipDir
			case !entry.IsDir() && strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go"):
				files = append(files, name)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return files
}

// callsIn finds the operations that a file can call, as "route53 GetChange".
// Every way to call one names the type of its input: a method of an interface
// over the client, a call of the client itself, a paginator. What calls one
// without that is either known here, or unclear.
func callsIn(file *ast.File) (calls, unclear []string) {
	imported := map[string]string{} // by the name in this file
	for _, spec := range file.Imports {
		from := strings.Trim(spec.Path.Value, `"`)
		if !strings.HasPrefix(from, sdk) {
			continue
		}
		name := path.Base(from)
		if spec.Name != nil {
			name = spec.Name.Name
		}
		imported[name] = strings.TrimPrefix(from, sdk)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		selector, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		pkg, ok := selector.X.(*ast.Ident)
		if !ok || imported[pkg.Name] == "" {
			return true
		}
		service, isService := strings.CutPrefix(imported[pkg.Name], strings.TrimPrefix(services, sdk))
		operation, isInput := strings.CutSuffix(selector.Sel.Name, "Input")
		made := strings.HasPrefix(selector.Sel.Name, "New")
		switch {
		case isService && !strings.Contains(service, "/") && isInput:
			calls = append(calls, service+" "+operation)
		case imported[pkg.Name] == "credentials/stscreds" && selector.Sel.Name == "NewAssumeRoleProvider":
			calls = append(calls, "sts AssumeRole")
		case isService && made && strings.HasSuffix(selector.Sel.Name, "Waiter"),
			strings.HasPrefix(imported[pkg.Name], "credentials/") && made,
			strings.HasPrefix(imported[pkg.Name], "feature/") && made:
			unclear = append(unclear, imported[pkg.Name]+"."+selector.Sel.Name)
		}
		return true
	})
	return calls, unclear
}

func TestCallsAreFoundInCode(t *testing.T) {
	const imports = `package x
import (
	r53 "github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"example.com/other"
)
`
	for name, test := range map[string]struct {
		code           string
		calls, unclear []string
	}{
		"an interface over the client": {code: "type api interface { GetChange(context.Context, *r53.GetChangeInput) error }", calls: []string{"route53 GetChange"}},
		"a call of the client":         {code: "func f(c *eks.Client) { c.DescribeCluster(nil, &eks.DescribeClusterInput{}) }", calls: []string{"eks DescribeCluster"}},
		"a signed URL":                 {code: "func f(c *sts.PresignClient) { c.PresignGetCallerIdentity(nil, &sts.GetCallerIdentityInput{}) }", calls: []string{"sts GetCallerIdentity"}},
		"a paginator":                  {code: "func f(c *r53.Client) { r53.NewListHostedZonesPaginator(c, &r53.ListHostedZonesInput{}) }", calls: []string{"route53 ListHostedZones"}},
		"an assumed role":              {code: "func f() { stscreds.NewAssumeRoleProvider(nil, `x`) }", calls: []string{"sts AssumeRole"}},
		"a role by another way":        {code: "func f() { stscreds.NewWebIdentityRoleProvider(nil, `x`, nil) }", unclear: []string{"credentials/stscreds.NewWebIdentityRoleProvider"}},
		"a waiter":                     {code: "func f() { r53.NewResourceRecordSetsChangedWaiter(nil) }", unclear: []string{"service/route53.NewResourceRecordSetsChangedWaiter"}},
		"inputs of others":             {code: "func f() { _ = other.GetChangeInput{}; _ = types.LocationInput{} }"},
	} {
		t.Run(name, func(t *testing.T) {
			file, err := parser.ParseFile(token.NewFileSet(), "x.go", imports+test.code, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			calls, unclear := callsIn(file)
			if diff := cmp.Diff([][]string{test.calls, test.unclear}, [][]string{calls, unclear}); diff != "" {
				t.Errorf("calls and unclear (-want +got):\n%s", diff)
			}
		})
	}
}
