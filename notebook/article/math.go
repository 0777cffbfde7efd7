package article

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
)

// Math is a formula in running text, in TeX, as GitHub has it: $…$ or $`…`$ within a line, $$…$$ on a line of its own.
type Math struct {
	ast.BaseInline
	TeX     string
	Display bool // on a line of its own
}

// KindMath is the node kind of Math.
var KindMath = ast.NewNodeKind("BenchbookMath")

// Kind is part of ast.Node.
func (*Math) Kind() ast.NodeKind { return KindMath }

// Dump is part of ast.Node.
func (m *Math) Dump(source []byte, level int) { ast.DumpHelper(m, source, level, nil, nil) }

// MathParser reads formulas in running text.
type MathParser struct{}

// Trigger is part of parser.InlineParser.
func (MathParser) Trigger() []byte { return []byte{'$'} }

// Parse is part of parser.InlineParser. A dollar sign that begins no formula stays what it is.
func (MathParser) Parse(_ ast.Node, block text.Reader, _ parser.Context) ast.Node {
	if before := block.PrecendingCharacter(); before == '$' || unicode.IsLetter(before) || unicode.IsDigit(before) {
		return nil
	}
	line, _ := block.PeekLine()
	open, shut := "$", "$"
	switch {
	case bytes.HasPrefix(line, []byte("$$")):
		open, shut = "$$", "$$"
	case bytes.HasPrefix(line, []byte("$`")):
		open, shut = "$`", "`$"
	case len(line) < 2 || isSpace(line[1]):
		return nil
	}
	row, start := block.Position()
	block.Advance(len(open))
	var tex strings.Builder
	for {
		line, _ := block.PeekLine()
		if line == nil {
			block.SetPosition(row, start)
			return nil
		}
		end := mathEnd(line, shut)
		if end < 0 {
			tex.Write(line)
			block.AdvanceLine()
			continue
		}
		tex.Write(line[:end])
		block.Advance(end + len(shut))
		if strings.TrimSpace(tex.String()) == "" {
			block.SetPosition(row, start)
			return nil
		}
		return &Math{TeX: strings.TrimSpace(tex.String()), Display: open == "$$"}
	}
}

// mathEnd is where the rest of a line ends a formula; -1 if it does not. A single dollar sign is that of a price or a
// variable if there is space before it, or a letter or digit after it.
func mathEnd(line []byte, shut string) int {
	for i := 0; i < len(line); i++ {
		if line[i] == '\\' {
			i++
			continue
		}
		if !bytes.HasPrefix(line[i:], []byte(shut)) {
			continue
		}
		after, _ := utf8.DecodeRune(line[i+len(shut):])
		if shut == "$" && (i > 0 && isSpace(line[i-1]) || unicode.IsLetter(after) || unicode.IsDigit(after)) {
			continue
		}
		return i
	}
	return -1
}
