package article

import (
	"bytes"
	"regexp"
	"slices"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// A Div is a fenced div of Pandoc: text between two lines of at least three colons, the first with words after them.
// Its blocks are its children. Divs are at the top level, or in each other.
type Div struct {
	ast.BaseBlock
	Is    DivState
	Fence text.Segment // the first line, without white space around it
	Words text.Segment // the words after the colons of Fence

	Part *ConditionalPart // nil for other divs
}

// DivState tells whether a line of colons begins a complete Div.
type DivState int

// The states of a Div.
const (
	DivUnclosed  DivState = iota // the Div extends to the end of the text
	DivClosed                    // complete
	DivStray                     // a closing line without an open Div; it has no children
	DivMisplaced                 // in a list, a quotation or a note; it has no children
)

// KindDiv is the kind of a Div.
var KindDiv = ast.NewNodeKind("Div")

func (*Div) Kind() ast.NodeKind              { return KindDiv }
func (d *Div) Dump(source []byte, level int) { ast.DumpHelper(d, source, level, nil, nil) }

// divLine matches a line of colons and words, as Pandoc does: colons may follow the words.
var divLine = regexp.MustCompile(`^:{3,}[ \t]*(.*?)[ \t]*:*[ \t\r\n]*$`)

type divParser struct{}

func (divParser) Trigger() []byte { return []byte{':'} }

func (divParser) Open(parent ast.Node, reader text.Reader, pc parser.Context) (ast.Node, parser.State) {
	line, segment := reader.PeekLine()
	at := pc.BlockOffset()
	if at < 0 {
		return nil, parser.NoChildren
	}
	m := divLine.FindSubmatchIndex(line[at:])
	if m == nil {
		return nil, parser.NoChildren
	}
	first := segment.Start + at - segment.Padding
	d := &Div{Words: text.NewSegment(first+m[2], first+m[3]),
		Fence: text.NewSegment(first, first+len(bytes.TrimRight(line[at:], " \t\r\n")))}
	reader.AdvanceToEOL()
	_, inDiv := parent.(*Div)
	switch {
	case !inDiv && parent.Kind() != ast.KindDocument:
		d.Is = DivMisplaced
	case d.Words.IsEmpty():
		d.Is = DivStray
	default:
		return d, parser.HasChildren
	}
	return d, parser.NoChildren
}

func (divParser) Continue(node ast.Node, reader text.Reader, pc parser.Context) parser.State {
	d := node.(*Div)
	if d.Is != DivUnclosed {
		return parser.Close
	}
	line, _ := reader.PeekLine()
	indent, at := util.IndentWidth(line, reader.LineOffset())
	if indent < 4 && at < len(line) {
		if m := divLine.FindSubmatchIndex(line[at:]); m != nil && m[2] == m[3] && closes(d, pc) {
			d.Is = DivClosed
			reader.AdvanceToEOL()
			return parser.Close
		}
	}
	return parser.Continue | parser.HasChildren
}

// closes reports whether a line of colons closes d: it is the innermost open Div, and the line is not in a code block.
func closes(d *Div, pc parser.Context) bool {
	for _, b := range slices.Backward(pc.OpenedBlocks()) {
		switch n := b.Node.(type) {
		case *ast.FencedCodeBlock:
			return false
		case *Div:
			if n.Is == DivUnclosed {
				return n == d
			}
		}
	}
	return false
}

func (divParser) Close(ast.Node, text.Reader, parser.Context) {}

func (divParser) CanInterruptParagraph() bool { return true }

func (divParser) CanAcceptIndentedLine() bool { return false }
