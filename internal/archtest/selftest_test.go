package archtest

import (
	"go/parser"
	"go/token"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseTable(t *testing.T) {
	doc := strings.Join([]string{
		"| Other | table |", "|---|---|", "| `a` | b |", "",
		"| Package | One sentence | May import of ours |", "|---|---|---|",
		"| `config` | Loads. | – |",
		"| `switcher` | The loop. | `switcher/shift`, `probes` |",
		"", "| `later` | Not in the table. | – |",
	}, "\n")
	got, err := parseTable(doc)
	if err != nil {
		t.Fatal(err)
	}
	want := []row{
		{pkg: "config", sentence: "Loads."},
		{pkg: "switcher", sentence: "The loop.", mayImport: []string{"switcher/shift", "probes"}},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(row{})); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	if _, err := parseTable("no table"); err == nil {
		t.Error("a document without the table was taken")
	}
}

func TestCheckTableSeesBreaches(t *testing.T) {
	for name, test := range map[string]struct {
		rows []row
		want []string
	}{
		"a package that has two rows": {
			rows: []row{{pkg: "config", sentence: "A."}, {pkg: "config", sentence: "B."}},
			want: []string{"config: has two rows"},
		},
		"a name that says nothing": {
			rows: []row{{pkg: "internal/util", sentence: "All sorts."}},
			want: []string{"internal/util: a package named util says nothing of what it does"},
		},
		"an adapter that may import another": {
			rows: []row{{pkg: "internal/elb", sentence: "A.", mayImport: []string{"internal/route53"}}, {pkg: "internal/route53", sentence: "B."}},
			want: []string{"internal/elb may import internal/route53, but adapters don't know each other"},
		},
		"an adapter that may import the configuration": {
			rows: []row{{pkg: "internal/elb", sentence: "A.", mayImport: []string{"config"}}, {pkg: "config", sentence: "B."}},
			want: []string{"internal/elb may import config, but adapters know the core's values only; internal/app joins them with the rest"},
		},
		"the daemon that may import the sandbox": {
			rows: []row{{pkg: "internal/app", sentence: "A.", mayImport: []string{"internal/..."}}, {pkg: "internal/sandbox/aws", sentence: "B."}},
			want: []string{"internal/app may import internal/sandbox/aws, but the product carries nothing of the sandbox"},
		},
		"the core that may import the log's keys": {
			rows: []row{{pkg: "switcher/shift", sentence: "A.", mayImport: []string{"internal/logkey"}}, {pkg: "internal/logkey", sentence: "B."}},
			want: []string{"switcher/shift may import internal/logkey, but the core knows nothing but itself"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, checkTable(test.rows)); diff != "" {
				t.Errorf("breaches (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCheckImportsSeesBreaches(t *testing.T) {
	rows := []row{{pkg: "switcher", mayImport: []string{"switcher/shift"}}, {pkg: "gone"}}
	packages := []goPackage{
		{ImportPath: module + "/switcher", Imports: []string{"fmt", module + "/switcher/shift", module + "/config"}, XTestImports: []string{module + "/switcher", module + "/internal/sandbox/aws", module + "/internal/app"}},
		{ImportPath: module + "/stray"},
	}
	want := []string{
		"switcher: may not import config",
		"switcher: its tests may not import internal/app",
		"stray: has no row in the table",
	}
	if diff := cmp.Diff(want, checkImports(rows, packages)); diff != "" {
		t.Errorf("breaches (-want +got):\n%s", diff)
	}
	want = []string{"gone: has a row in the table, but there is no such package"}
	if diff := cmp.Diff(want, checkRows(rows, packages)); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}

func TestCheckBinarySeesBreaches(t *testing.T) {
	got := checkBinary([]goPackage{
		{ImportPath: "github.com/google/go-cmpx"}, {ImportPath: module + "/internal/sandbox/aws"}, {ImportPath: "pgregory.net/rapid"},
	})
	want := []string{
		module + "/internal/sandbox/aws is in the product's binary: it belongs to the demo",
		"pgregory.net/rapid is in the product's binary: it belongs to the tests",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("breaches (-want +got):\n%s", diff)
	}
}

func TestCheckCoreSeesBreaches(t *testing.T) {
	for name, test := range map[string]struct {
		source string
		want   []string
	}{
		"harmless": {
			source: "import \"time\"\nfunc f(now time.Time) time.Time { return now.Add(time.Second) }",
		},
		"a package that reaches outside": {
			source: "import \"context\"\nvar _ context.Context",
			want: []string{
				"core.go:2:8: the core may not import context",
				"core.go:3:1: the core keeps a variable of the package, which one decision could leave for the next",
			},
		},
		"a package under another name": {
			source: "import clock \"time\"\nfunc f() { clock.Now() }",
			want:   []string{"core.go:2:8: the core imports time under another name, which hides what it uses"},
		},
		"the clock": {
			source: "import \"time\"\nfunc f() { time.Now() }",
			want:   []string{"core.go:3:12: the core uses time.Now, which reads the clock; now is an argument"},
		},
		"the clock as a value": {
			source: "import \"time\"\nfunc f() func() time.Time { return time.Now }",
			want:   []string{"core.go:3:36: the core uses time.Now, which reads the clock; now is an argument"},
		},
		"a goroutine": {source: "func f() { go f() }", want: []string{"core.go:2:12: the core starts a goroutine"}},
		"a channel":   {source: "func f(c chan int) {}", want: []string{"core.go:2:10: the core uses a channel"}},
		"a print":     {source: "func f() { println() }", want: []string{"core.go:2:12: the core prints"}},
	} {
		t.Run(name, func(t *testing.T) {
			set := token.NewFileSet()
			file, err := parser.ParseFile(set, "core.go", "package shift\n"+test.source, 0)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, checkCore(set, file)); diff != "" {
				t.Errorf("breaches (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCheckSizeSeesBreaches(t *testing.T) {
	body := func(n int) string { return strings.Repeat("\tf()\n", n) }
	for name, test := range map[string]struct {
		before, file, source string
		want                 map[string]string
	}{
		"a function at the limit":   {source: "func f() {\n" + body(78) + "}"},
		"a function over the limit": {source: "func f() {\n" + body(79) + "}", want: map[string]string{"a.go:f": "81 lines, at most 80"}},
		"a method over the limit":   {source: "func (t *T[V]) f() {\n" + body(79) + "}", want: map[string]string{"a.go:T.f": "81 lines, at most 80"}},
		"Decide over its limit":     {source: "func Decide() {\n" + body(59) + "}", want: map[string]string{"a.go:Decide": "61 lines, at most 60"}},
		"a file over the limit":     {source: strings.Repeat("\n", 400), want: map[string]string{"a.go": "401 lines, at most 400"}},
		"a generated file":          {before: "// Code generated by x. DO NOT EDIT.\n\n", source: strings.Repeat("\n", 400)},
		"a test's table of cases":   {file: "a_test.go", source: "func f() {\n_ = []int{\n" + strings.Repeat("1,\n", 100) + "}\n}"},
		"the same outside of tests": {source: "func f() {\n_ = []int{\n" + strings.Repeat("1,\n", 100) + "}\n}", want: map[string]string{"a.go:f": "104 lines, at most 80"}},
		"an interface too wide":     {source: "type i interface { a(); b(); c(); d() }", want: map[string]string{"a.go:i": "4 methods, at most 3"}},
		"one made wide by others":   {source: "type i interface { a(); b(); c() }\ntype j interface { i; d() }", want: map[string]string{"a.go:j": "4 methods, at most 3"}},
	} {
		t.Run(name, func(t *testing.T) {
			if test.file == "" {
				test.file = "a.go"
			}
			set := token.NewFileSet()
			file, err := parser.ParseFile(set, test.file, test.before+"package shift\n"+test.source, parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			got := checkSize(test.file, set, file)
			if test.want == nil {
				test.want = map[string]string{}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("breaches (-want +got):\n%s", diff)
			}
		})
	}
}
