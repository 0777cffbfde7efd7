package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"benchbook/internal/test/must"
)

// Limits of functions outside tests.
const (
	maxFuncLines  = 100
	maxComplexity = 15 // cyclomatic; a comment that ends with //gocyclo:ignore allows more
)

// TestLimits limits the length and complexity of functions.
func TestLimits(t *testing.T) {
	functions := 0
	must.Do(filepath.WalkDir(root, func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if e.IsDir() && name != root && (strings.ContainsAny(e.Name()[:1], "._") || e.Name() == "testdata" ||
			strings.HasSuffix(e.Name(), "test")) {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, name, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			functions++
			at := fset.Position(fn.Pos())
			if n := fset.Position(fn.End()).Line - at.Line + 1; n > maxFuncLines {
				t.Errorf("%s: %s has %d lines, and may have %d", at, fn.Name.Name, n, maxFuncLines)
			}
			if n := complexity(fn); n > maxComplexity && !isExcused(fn) {
				t.Errorf("%s: %s has a cyclomatic complexity of %d, and may have %d", at, fn.Name.Name, n, maxComplexity)
			}
		}
		return nil
	}))
	if functions < 1000 {
		t.Errorf("only %d functions were found", functions)
	}
}

// isExcused reports whether the comment of a function ends with //gocyclo:ignore.
func isExcused(fn *ast.FuncDecl) bool {
	return fn.Doc != nil && len(fn.Doc.List) > 1 && fn.Doc.List[len(fn.Doc.List)-1].Text == "//gocyclo:ignore"
}

// complexity returns one more than the decisions in a function, as McCabe counts them (IEEE Transactions on Software
// Engineering SE-2, 1976) and gocyclo does.
func complexity(fn *ast.FuncDecl) int {
	n := 1
	ast.Inspect(fn, func(node ast.Node) bool {
		switch x := node.(type) {
		case *ast.IfStmt, *ast.ForStmt, *ast.RangeStmt:
			n++
		case *ast.CaseClause:
			n += min(len(x.List), 1)
		case *ast.CommClause:
			if x.Comm != nil {
				n++
			}
		case *ast.BinaryExpr:
			if x.Op == token.LAND || x.Op == token.LOR {
				n++
			}
		}
		return true
	})
	return n
}
