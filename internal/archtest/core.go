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
	var breaches []string
	breach := func(at token.Pos, format string, args ...any) {
		breaches = append(breaches, fmt.Sprintf("%s: ", set.Position(at))+fmt.Sprintf(format, args...))
	}
	for _, spec := range file.Imports {
		path, _ := strconv.Unquote(spec.Path.Value) // the parser took it already
		switch {
		case !slices.Contains(coreMayImport(), path):
			breach(spec.Pos(), "the core may not import %s", path)
		case spec.Name != nil:
			breach(spec.Pos(), "the core imports %s under another name, which hides what it uses", path)
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			breach(n.Pos(), "the core starts a goroutine")
		case *ast.ChanType, *ast.SelectStmt, *ast.SendStmt:
			breach(n.Pos(), "the core uses a channel")
		case *ast.SelectorExpr:
			if pkg, is := n.X.(*ast.Ident); is && pkg.Obj == nil {
				if why := impure()[pkg.Name+"."+n.Sel.Name]; why != "" {
					breach(n.Pos(), "the core uses %s.%s, which %s", pkg.Name, n.Sel.Name, why)
				}
			}
		case *ast.CallExpr:
			if name, is := n.Fun.(*ast.Ident); is && name.Obj == nil && strings.HasPrefix(name.Name, "print") {
				breach(n.Pos(), "the core prints")
			}
		case *ast.GenDecl:
			if n.Tok == token.VAR && slices.Contains(file.Decls, ast.Decl(n)) {
				breach(n.Pos(), "the core keeps a variable of the package, which one decision could leave for the next")
			}
		}
		return true
	})
	return breaches
}
