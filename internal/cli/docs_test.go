package cli

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

const regenerate = "go test ./internal/cli -run TestDocs -update"

// TestDocs makes docs/cli.md from the commands themselves.
func TestDocs(t *testing.T) {
	var b strings.Builder
	b.WriteString("<!-- Generated from the commands by \"" + regenerate + "\". Do not edit. -->\n\n# Commands\n\n")
	root := (&program{out: &paper{w: &bytes.Buffer{}}, err: &paper{w: &bytes.Buffer{}}}).root()
	root.InitDefaultCompletionCmd("status")
	b.WriteString(root.Long + "\n\nEvery command takes:\n\n")
	flags(&b, root.PersistentFlags(), nil)
	b.WriteString("The commands that speak with the management cluster also take:\n\n")
	common := handFlags(root)
	flags(&b, common, nil)
	for _, c := range withSubcommands(root.Commands()) {
		fmt.Fprintf(&b, "## %s\n\n%s.\n\n```\n%s\n```\n\n", c.CommandPath(), c.Short, c.UseLine())
		if c.Name() == "completion" {
			b.WriteString(completionDocs)
			continue
		}
		if c.Long != "" {
			b.WriteString(c.Long + "\n\n")
		}
		flags(&b, c.LocalNonPersistentFlags(), common)
		if c.Name() == "status" {
			statusShape(t, &b)
			b.WriteString("\n")
		}
	}
	golden(t, "../../docs/cli.md", strings.TrimRight(b.String(), "\n")+"\n")
}

// withSubcommands puts each command's own behind it, but for those of completion,
// which cobra makes.
func withSubcommands(commands []*cobra.Command) []*cobra.Command {
	var all []*cobra.Command
	for _, c := range commands {
		all = append(all, c)
		if c.Name() != "completion" {
			all = append(all, withSubcommands(c.Commands())...)
		}
	}
	return all
}

const completionDocs = "Shells are bash, zsh, fish and powershell. Names of pairs are completed too,\nfrom the management cluster. " +
	"`clusterswitch completion SHELL --help` says how to load it.\n\n"

// handFlags are the flags that say where the management cluster is.
func handFlags(root *cobra.Command) *pflag.FlagSet {
	set := pflag.NewFlagSet("hand", pflag.ContinueOnError)
	for _, c := range root.Commands() {
		c.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) {
			switch f.Name {
			case "kubeconfig", "context", "namespace":
				if set.Lookup(f.Name) == nil {
					set.AddFlag(f)
				}
			}
		})
	}
	return set
}

// flags writes a table of the flags that aren't told of elsewhere.
func flags(b *strings.Builder, set, elsewhere *pflag.FlagSet) {
	begun := false
	set.VisitAll(func(f *pflag.Flag) {
		if f.Name == "help" || elsewhere != nil && elsewhere.Lookup(f.Name) != nil {
			return
		}
		if !begun {
			b.WriteString("| flag | meaning |\n|---|---|\n")
			begun = true
		}
		value, usage := pflag.UnquoteUsage(f)
		name := strings.TrimSpace("--" + f.Name + " " + value)
		if f.Shorthand != "" {
			name = "-" + f.Shorthand + ", " + name
		}
		if f.DefValue != "" && f.DefValue != "false" && f.DefValue != "0" && f.DefValue != "[]" {
			usage += " (default " + f.DefValue + ")"
		}
		fmt.Fprintf(b, "| `%s` | %s |\n", name, usage)
	})
	if begun {
		b.WriteString("\n")
	}
}

// statusShape documents what `status -o json` prints: an example, and every
// field with its comment.
func statusShape(t *testing.T, b *strings.Builder) {
	t.Helper()
	fmt.Fprintf(b, "### The JSON of status\n\n```json\n%s```\n\n| field | type | meaning |\n|---|---|---|\n", exampleJSON(t))
	fields(t, b, comments(t), reflect.TypeFor[report](), "")
}

func fields(t *testing.T, b *strings.Builder, comments map[string]string, kind reflect.Type, prefix string) {
	t.Helper()
	for f := range kind.Fields() {
		path, of := prefix+f.Tag.Get("json"), f.Type
		var name string
		if of.Kind() == reflect.Slice {
			of, path = of.Elem(), path+"[]"
		}
		if of.Kind() == reflect.Pointer {
			of = of.Elem()
		}
		switch {
		case of.Name() == "Time":
			name = "time"
		case of.Kind() == reflect.Struct:
			name = "object"
		default:
			name = of.String()
		}
		object := name == "object"
		if f.Type.Kind() == reflect.Pointer {
			name += " or null"
		}
		comment := comments[kind.Name()+"."+f.Name]
		if comment == "" {
			t.Errorf("%s.%s has no comment", kind.Name(), f.Name)
		}
		fmt.Fprintf(b, "| `%s` | %s | %s |\n", path, name, comment)
		if object {
			fields(t, b, comments, of, path+".")
		}
	}
}

// comments gives the comments of the fields in report.go, without the name that
// each begins with.
func comments(t *testing.T) map[string]string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "report.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.TypeSpec)
		if !ok {
			return true
		}
		for _, f := range spec.Type.(*ast.StructType).Fields.List {
			text := strings.Join(strings.Fields(f.Doc.Text()), " ")
			_, said, _ := strings.Cut(text, " ")
			said = strings.TrimPrefix(strings.TrimPrefix(said, "is "), "are ")
			found[spec.Name.Name+"."+f.Names[0].Name] = said
		}
		return true
	})
	return found
}

// TestHelp keeps what a person reads first.
func TestHelp(t *testing.T) {
	asked := run(t.Context(), "--help")
	if unasked := run(t.Context()); unasked != asked {
		t.Errorf("without arguments it says %+v, with --help %+v", unasked, asked)
	}
	var all strings.Builder
	for _, args := range [][]string{
		{"--help"},
		{"run", "--help"},
		{"validate", "--help"},
		{"preflight", "--help"},
		{"status", "--help"},
		{"start", "--help"},
		{"rollback", "--help"},
		{"pause", "--help"},
		{"resume", "--help"},
		{"approve", "--help"},
		{"retire-check", "--help"},
		{"runbook", "--help"},
		{"policy", "--help"},
		{"rbac", "--help"},
		{"debug", "bundle", "--help"},
		{"version", "--help"},
	} {
		got := run(t.Context(), args...)
		if got.status != 0 || got.err != "" {
			t.Errorf("%s: %+v", args, got)
		}
		fmt.Fprintf(&all, "$ clusterswitch %s\n%s\n", strings.Join(args, " "), got.out)
	}
	golden(t, "testdata/help.txt", all.String())
}

// TestEveryCommandHelps finds commands that a person couldn't understand from
// their help alone.
func TestEveryCommandHelps(t *testing.T) {
	for _, c := range withSubcommands((&program{out: &paper{}, err: &paper{}}).root().Commands()) {
		if c.Short == "" || strings.HasSuffix(c.Short, ".") || !c.Runnable() {
			t.Errorf("%s: short help %s, runnable %t", c.Name(), strconv.Quote(c.Short), c.Runnable())
		}
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if f.Usage == "" {
				t.Errorf("%s --%s has no help", c.Name(), f.Name)
			}
		})
		for line := range strings.Lines(c.Long) {
			if len(line) > 81 { // with its end
				t.Errorf("%s: a line of its help is longer than 80 letters: %s", c.Name(), line)
			}
		}
	}
}
