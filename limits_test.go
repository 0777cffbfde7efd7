package benchbook

import (
	"bufio"
	"bytes"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"path"
	"strings"
	"testing"
	"unicode/utf8"
)

// How large things may become before they have to be split. Tests are not counted.
const (
	maxFuncLines  = 100 // of one function
	maxComplexity = 15  // cyclomatic, of one function; //gocyclo:ignore below a reason allows more
	maxColumns    = 120 // of one line of Go, where a tab is one column; raw strings may be wider
)

// TestLimits keeps functions and lines small enough to be read.
func TestLimits(t *testing.T) {
	eachGoFile(t, func(name string, data []byte) {
		for _, line := range wideLines(data) {
			t.Errorf("%s:%d: the line has more than %d columns", name, line, maxColumns)
		}
		if isTest(name) {
			return
		}
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, name, data, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			at := fset.Position(fn.Pos())
			if n := fset.Position(fn.End()).Line - at.Line + 1; n > maxFuncLines {
				t.Errorf("%s: %s has %d lines, and may have %d", at, fn.Name.Name, n, maxFuncLines)
			}
			if n := complexity(fn); n > maxComplexity && !isExcused(fn) {
				t.Errorf("%s: %s has a cyclomatic complexity of %d, and may have %d", at, fn.Name.Name, n, maxComplexity)
			}
		}
	})
}

// isTest tells whether a file is only for tests: by its name, or as it lies in a folder for their support.
func isTest(name string) bool {
	if strings.HasSuffix(name, "_test.go") {
		return true
	}
	for folder := range strings.SplitSeq(path.Dir(name), "/") {
		if strings.HasSuffix(folder, "test") || folder == "testdata" {
			return true
		}
	}
	return false
}

// isExcused tells whether a function says that its complexity is as it must be, and why: a directive below its comment.
func isExcused(fn *ast.FuncDecl) bool {
	return fn.Doc != nil && len(fn.Doc.List) > 1 &&
		strings.TrimSpace(fn.Doc.List[len(fn.Doc.List)-1].Text) == "//gocyclo:ignore"
}

// complexity is one more than the decisions in a function, as McCabe counts them (IEEE Transactions on Software
// Engineering SE-2, 1976) and gocyclo does.
func complexity(fn *ast.FuncDecl) int {
	n := 1
	ast.Inspect(fn, func(node ast.Node) bool {
		switch x := node.(type) {
		case *ast.IfStmt, *ast.ForStmt, *ast.RangeStmt:
			n++
		case *ast.CaseClause:
			if x.List != nil {
				n++
			}
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

// wideLines are the lines with more than maxColumns columns, but for those of raw strings.
func wideLines(data []byte) (wide []int) {
	isRaw := map[int]bool{}
	fset := token.NewFileSet()
	file := fset.AddFile("", fset.Base(), len(data))
	var s scanner.Scanner
	s.Init(file, data, nil, 0)
	for pos, tok, text := s.Scan(); tok != token.EOF; pos, tok, text = s.Scan() {
		if tok == token.STRING && text[0] == '`' {
			for i := range strings.Count(text, "\n") + 1 {
				isRaw[fset.Position(pos).Line+i] = true
			}
		}
	}
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, len(data)+1)
	for n := 1; lines.Scan(); n++ {
		if utf8.RuneCount(lines.Bytes()) > maxColumns && !isRaw[n] {
			wide = append(wide, n)
		}
	}
	return wide
}
