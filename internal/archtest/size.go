package archtest

import (
	"fmt"
	"go/ast"
	"go/token"
	"strings"
)

// Limits of size, in lines. They are not beauty itself, but what can't be seen
// at once can't be checked at once.
const (
	maxFile    = 400
	maxFunc    = 80
	maxDecide  = 60 // Decide fits one screen
	maxMethods = 3  // of an interface
)

// checkSize finds what is too long in a file, unless it is generated. The name
// is the file's path below the repository's root. In tests the lines of
// literals don't count for a function: a table of cases is data.
func checkSize(name string, set *token.FileSet, file *ast.File) map[string]string {
	breaches := map[string]string{} // by what is too long
	if ast.IsGenerated(file) {
		return breaches
	}
	if n := set.File(file.FileStart).LineCount(); n > maxFile {
		breaches[name] = fmt.Sprintf("%d lines, at most %d", n, maxFile)
	}
	interfaces := map[string]*ast.InterfaceType{}
	for _, decl := range file.Decls {
		switch decl := decl.(type) {
		case *ast.FuncDecl:
			limit := maxFunc
			if name := decl.Name.Name; name == "Decide" && file.Name.Name == "shift" {
				limit = maxDecide
			}
			n := lines(set, decl)
			if strings.HasSuffix(name, "_test.go") {
				n -= literalLines(set, decl)
			}
			if n > limit {
				breaches[name+":"+funcName(decl)] = fmt.Sprintf("%d lines, at most %d", n, limit)
			}
		case *ast.GenDecl:
			for _, spec := range decl.Specs {
				if t, is := spec.(*ast.TypeSpec); is {
					if i, is := t.Type.(*ast.InterfaceType); is {
						interfaces[t.Name.Name] = i
					}
				}
			}
		}
	}
	for of, i := range interfaces {
		if n := methods(i, interfaces); n > maxMethods {
			breaches[name+":"+of] = fmt.Sprintf("%d methods, at most %d", n, maxMethods)
		}
	}
	return breaches
}

func lines(set *token.FileSet, n ast.Node) int {
	return set.Position(n.End()).Line - set.Position(n.Pos()).Line + 1
}

// literalLines counts the lines that lie inside of literals.
func literalLines(set *token.FileSet, decl *ast.FuncDecl) int {
	sum := 0
	ast.Inspect(decl, func(n ast.Node) bool {
		literal, is := n.(*ast.CompositeLit)
		if is {
			sum += lines(set, literal) - 1
		}
		return !is
	})
	return sum
}

// methods counts what an interface asks for, with what it embeds: all methods
// of an interface of the same file, one for a foreign one.
func methods(i *ast.InterfaceType, local map[string]*ast.InterfaceType) int {
	n := 0
	for _, field := range i.Methods.List {
		switch t := field.Type.(type) {
		case *ast.FuncType:
			n += len(field.Names)
		case *ast.Ident:
			if embedded := local[t.Name]; embedded != nil && embedded != i {
				n += methods(embedded, local)
			}
		case *ast.SelectorExpr:
			n++
		}
	}
	return n
}

// funcName is "Name", or "Receiver.Name" for a method.
func funcName(decl *ast.FuncDecl) string {
	if decl.Recv == nil || len(decl.Recv.List) == 0 {
		return decl.Name.Name
	}
	t := decl.Recv.List[0].Type
	for {
		switch of := t.(type) {
		case *ast.StarExpr:
			t = of.X
		case *ast.IndexExpr:
			t = of.X
		case *ast.Ident:
			return of.Name + "." + decl.Name.Name
		default:
			return decl.Name.Name
		}
	}
}
