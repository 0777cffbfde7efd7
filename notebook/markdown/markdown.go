package article

import (
	"bytes"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// Bounds of what Markdown is made of. Some of its rules take time that grows with the square of a paragraph's length or of
// the depth of lists, and small texts can make many nodes; what goes beyond a bound is left as plain text.
const (
	maxNesting = 100         // of quotations, lists and their items
	maxInlines = 100_000     // pieces of running text that are not plain, and cells of tables
	maxEffort  = 200_000_000 // of steps from one byte, asterisk or line to the next
)

// ParseMarkdown reads the text of an article: GitHub's Markdown, with footnotes, formulas and definition lists.
func (doc *Document) ParseMarkdown() ast.Node {
	b := &bounds{doc: doc, at: -1}
	block := func(p parser.BlockParser, priority int) util.PrioritizedValue {
		return util.Prioritized(boundedBlock{p, b}, priority)
	}
	inline := func(p parser.InlineParser, e effort, priority int) util.PrioritizedValue {
		return util.Prioritized(boundedInline{p, e, b}, priority)
	}
	// The priorities are those of goldmark and of its extensions.
	p := parser.NewParser(
		parser.WithBlockParsers(
			util.Prioritized(parser.NewSetextHeadingParser(), 100),
			util.Prioritized(extension.NewDefinitionListParser(), 101),
			util.Prioritized(extension.NewDefinitionDescriptionParser(), 102),
			util.Prioritized(parser.NewThematicBreakParser(), 200),
			block(parser.NewListParser(), 300),
			util.Prioritized(parser.NewListItemParser(), 400),
			util.Prioritized(parser.NewCodeBlockParser(), 500),
			util.Prioritized(parser.NewATXHeadingParser(), 600),
			util.Prioritized(parser.NewFencedCodeBlockParser(), 700),
			block(parser.NewBlockquoteParser(), 800),
			util.Prioritized(parser.NewHTMLBlockParser(), 900),
			block(extension.NewFootnoteBlockParser(), 999),
			util.Prioritized(parser.NewParagraphParser(), 1000),
		),
		parser.WithInlineParsers(
			inline(extension.NewTaskCheckBoxParser(), constant, 0),
			inline(parser.NewCodeSpanParser(), searches, 100),
			inline(extension.NewFootnoteParser(), searches, 101),
			inline(parser.NewLinkParser(), searches, 200),
			inline(parser.NewAutoLinkParser(), searches, 300),
			inline(parser.NewRawHTMLParser(), searches, 400),
			inline(parser.NewEmphasisParser(), pairs, 500),
			inline(extension.NewStrikethroughParser(), pairs, 500),
			inline(extension.NewLinkifyParser(), constant, 999),
		),
		parser.WithParagraphTransformers(
			util.Prioritized(boundedDefinitions{parser.LinkReferenceParagraphTransformer, b}, 100),
			util.Prioritized(boundedTable{extension.NewTableParagraphTransformer(), b}, 200),
		),
		parser.WithASTTransformers(
			util.Prioritized(extension.NewTableASTTransformer(), 0),
			util.Prioritized(extension.NewFootnoteASTTransformer(), 999),
		),
		parser.WithAutoHeadingID(),
	)
	tree := p.Parse(text.NewReader(doc.Text))
	if b.at >= 0 {
		doc.Problems.Add("too-large", doc.Source.Pos(b.at, min(b.at+1, len(doc.Text))), "%s", b.message).Hint = b.hint
	}
	return tree
}

// effort is what a parser of running text may have to look at.
type effort int

const (
	constant effort = iota
	pairs           // all of its kind that stand before in the paragraph
	searches        // the whole paragraph
)

// bounds counts what an article has of that which is bounded.
type bounds struct {
	doc             *Document
	inlines, effort int

	paragraph ast.Node // that is read
	paired    int      // pieces in it that want to be paired

	at            int // where a bound was first met; -1 if none was
	message, hint string
}

func (b *bounds) exceeded(at int, message, hint string) {
	if b.at < 0 {
		b.at, b.message, b.hint = at, message, hint
	}
}

// add counts pieces of running text that are not plain, and says whether there may be as many.
func (b *bounds) add(n, at int) bool {
	if n > maxInlines-b.inlines {
		b.exceeded(at, "the article has too many links, pieces of code, emphasised words and cells of tables", "divide it")
		return false
	}
	b.inlines += n
	return true
}

// boundedBlock is a parser of blocks that hold others.
type boundedBlock struct {
	parser.BlockParser
	*bounds
}

func (p boundedBlock) Open(parent ast.Node, reader text.Reader, pc parser.Context) (ast.Node, parser.State) {
	depth := 0
	for n := parent; n != nil; n = n.Parent() {
		depth++
	}
	if depth > maxNesting {
		_, at := reader.Position()
		p.exceeded(at.Start, "quotations and lists are nested too deeply", "write it with fewer levels")
		return nil, parser.NoChildren
	}
	return p.BlockParser.Open(parent, reader, pc)
}

// boundedInline is a parser of running text.
type boundedInline struct {
	parser.InlineParser
	needs effort
	*bounds
}

func (p boundedInline) Parse(parent ast.Node, block text.Reader, pc parser.Context) ast.Node {
	_, at := block.PeekLine()
	if parent != p.paragraph {
		p.paragraph, p.paired = parent, 0
	}
	switch p.needs {
	case pairs:
		p.paired++
		p.effort += p.paired
	case searches:
		lines := parent.Lines()
		p.effort += lines.At(lines.Len()-1).Stop - lines.At(0).Start
	}
	if p.effort > maxEffort {
		p.exceeded(at.Start, "the paragraph has too many brackets, backticks, asterisks and the like",
			"divide it, or write them in a block of code")
		return nil
	}
	if !p.add(1, at.Start) {
		return nil
	}
	n := p.InlineParser.Parse(parent, block, pc)
	if n == nil {
		p.inlines--
	}
	return n
}

// CloseBlock is part of parser.CloseBlocker: goldmark asks for it at the end of every block.
func (p boundedInline) CloseBlock(parent ast.Node, block text.Reader, pc parser.Context) {
	if c, ok := p.InlineParser.(parser.CloseBlocker); ok {
		c.CloseBlock(parent, block, pc)
	}
}

// boundedDefinitions takes the destinations of links, [word]: destination, out of paragraphs, one after the other.
type boundedDefinitions struct {
	parser.ParagraphTransformer
	*bounds
}

func (d boundedDefinitions) Transform(node *ast.Paragraph, reader text.Reader, pc parser.Context) {
	lines := node.Lines()
	first := lines.At(0)
	if bytes.HasPrefix(bytes.TrimLeft(first.Value(reader.Source()), " "), []byte("[")) {
		if d.effort += lines.Len() * lines.Len(); d.effort > maxEffort {
			d.exceeded(first.Start, "the paragraph has too many lines that begin with a bracket", "divide it by empty lines")
			return
		}
	}
	d.ParagraphTransformer.Transform(node, reader, pc)
}

// boundedTable makes tables of paragraphs.
type boundedTable struct {
	parser.ParagraphTransformer
	*bounds
}

func (t boundedTable) Transform(node *ast.Paragraph, reader text.Reader, pc parser.Context) {
	lines, columns := node.Lines(), 0
	for i := range lines.Len() {
		line := lines.At(i)
		if row := line.Value(reader.Source()); bytes.Contains(row, []byte("-")) && len(bytes.Trim(row, " \t\r\n|:-")) == 0 {
			columns = max(columns, bytes.Count(row, []byte("|"))+1)
		}
	}
	if columns == 0 || t.add(columns*lines.Len(), lines.At(0).Start) {
		t.ParagraphTransformer.Transform(node, reader, pc)
	}
}
