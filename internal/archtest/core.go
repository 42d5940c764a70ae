package archtest

import (
	"fmt"
	"go/ast"
	"go/token"
	"slices"
	"strconv"
	"strings"
)

// coreMayImport is all that the pure core may import: nothing that reaches
// outside, keeps time, draws lots or needs a lock.
func coreMayImport() []string {
	return []string{
		module + "/switcher/evidence",
		"bytes", "cmp", "encoding", "encoding/json", "errors", "fmt", "iter", "maps", "math", "reflect",
		"slices", "strconv", "strings", "time", "unicode", "unicode/utf8",
	}
}

// impure are the functions of allowed packages that the core may not use.
func impure() map[string]string {
	return map[string]string{
		"time.Now": "reads the clock; now is an argument", "time.Since": "reads the clock; now is an argument",
		"time.Until": "reads the clock; now is an argument", "time.Sleep": "waits", "time.After": "waits",
		"time.AfterFunc": "waits", "time.Tick": "waits", "time.NewTimer": "waits", "time.NewTicker": "waits",
		"time.LoadLocation": "reads files", "time.Local": "depends on the machine",
		"fmt.Print": "writes", "fmt.Printf": "writes", "fmt.Println": "writes",
		"fmt.Scan": "reads", "fmt.Scanf": "reads", "fmt.Scanln": "reads",
	}
}

// checkCore finds what a file of the pure core may not do.
func checkCore(set *token.FileSet, file *ast.File) []string {
	c := coreCheck{set: set, file: file}
	for _, spec := range file.Imports {
		c.imported(spec)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		c.node(n)
		return true
	})
	return c.breaches
}

type coreCheck struct {
	set      *token.FileSet
	file     *ast.File
	breaches []string
}

func (c *coreCheck) breach(at ast.Node, format string, args ...any) {
	c.breaches = append(c.breaches, fmt.Sprintf("%s: ", c.set.Position(at.Pos()))+fmt.Sprintf(format, args...))
}

func (c *coreCheck) imported(spec *ast.ImportSpec) {
	path, _ := strconv.Unquote(spec.Path.Value) // the parser took it already
	switch {
	case !slices.Contains(coreMayImport(), path):
		c.breach(spec, "the core may not import %s", path)
	case spec.Name != nil:
		c.breach(spec, "the core imports %s under another name, which hides what it uses", path)
	}
}

func (c *coreCheck) node(n ast.Node) {
	switch n := n.(type) {
	case *ast.GoStmt:
		c.breach(n, "the core starts a goroutine")
	case *ast.ChanType, *ast.SelectStmt, *ast.SendStmt:
		c.breach(n, "the core uses a channel")
	case *ast.SelectorExpr:
		c.used(n)
	case *ast.CallExpr:
		if name, is := n.Fun.(*ast.Ident); is && name.Obj == nil && strings.HasPrefix(name.Name, "print") {
			c.breach(n, "the core prints")
		}
	case *ast.GenDecl:
		if n.Tok == token.VAR && slices.Contains(c.file.Decls, ast.Decl(n)) {
			c.breach(n, "the core keeps a variable of the package, which one decision could leave for the next")
		}
	}
}

// used looks at a name of a package. One that is declared in the file is a
// variable's field or method.
func (c *coreCheck) used(n *ast.SelectorExpr) {
	pkg, is := n.X.(*ast.Ident)
	if !is || pkg.Obj != nil {
		return
	}
	if why := impure()[pkg.Name+"."+n.Sel.Name]; why != "" {
		c.breach(n, "the core uses %s.%s, which %s", pkg.Name, n.Sel.Name, why)
	}
}
