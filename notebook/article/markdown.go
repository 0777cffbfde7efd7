package article

import (
	"bytes"
	"errors"
	"html"
	"regexp"
	"slices"
	"strings"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// Bounds of Markdown. Some rules of the parser take time that grows with the square of a paragraph's length or of the
// depth of lists, and small texts can make many nodes. Text beyond a bound stays as it is.
const (
	maxNesting = 100         // depth of quotations, lists and their items
	maxInlines = 100_000     // inline nodes that are not plain text, and cells of tables
	maxEffort  = 200_000_000 // steps of the parser, about one per byte that it looks at
)

// A Parser parses Markdown. Its bounds apply to all texts together.
type Parser struct {
	parser parser.Parser
	bounds *bounds
}

// Parse parses a text.
func (p Parser) Parse(source []byte) ast.Node { return p.parser.Parse(text.NewReader(source)) }

// Exceeded returns where a bound was first exceeded, with a message and hint; at is -1 if none was.
func (p Parser) Exceeded() (at int, message, hint string) {
	return p.bounds.at, p.bounds.message, p.bounds.hint
}

// ForArticles returns a parser for the Markdown of ForPages, with Divs.
func ForArticles() Parser {
	b := &bounds{at: -1}
	return b.pages(parser.WithBlockParsers(util.Prioritized(boundedBlock{divParser{}, b}, 50)))
}

// ForPages returns a parser for GitHub's Markdown, with footnotes and definition lists.
func ForPages() Parser { return (&bounds{at: -1}).pages() }

// ForLines returns a parser for lines of running text, such as captions.
func ForLines() Parser {
	b := &bounds{at: -1}
	return Parser{parser.NewParser(
		parser.WithBlockParsers(util.Prioritized(parser.NewParagraphParser(), 100)),
		parser.WithInlineParsers(b.inlines(parser.DefaultInlineParsers()...)...),
	), b}
}

// pages is ForPages with further options. Priorities are those of goldmark and its extensions.
func (b *bounds) pages(more ...parser.Option) Parser {
	return Parser{parser.NewParser(append(more,
		parser.WithBlockParsers(b.blocks(append(parser.DefaultBlockParsers(),
			util.Prioritized(extension.NewDefinitionListParser(), 101),
			util.Prioritized(extension.NewDefinitionDescriptionParser(), 102),
			util.Prioritized(extension.NewFootnoteBlockParser(), 999),
		)...)...),
		parser.WithInlineParsers(b.inlines(append(parser.DefaultInlineParsers(),
			util.Prioritized(extension.NewTaskCheckBoxParser(), 0),
			util.Prioritized(extension.NewFootnoteParser(), 101),
			util.Prioritized(extension.NewStrikethroughParser(), 500),
			util.Prioritized(extension.NewLinkifyParser(), 999),
		)...)...),
		parser.WithParagraphTransformers(
			util.Prioritized(boundedDefinitions{parser.LinkReferenceParagraphTransformer, b}, 100),
			util.Prioritized(boundedTable{extension.NewTableParagraphTransformer(), b}, 200),
		),
		parser.WithASTTransformers(
			util.Prioritized(extension.NewTableASTTransformer(), 0),
			util.Prioritized(extension.NewFootnoteASTTransformer(), 999),
		),
		parser.WithAutoHeadingID(),
	)...), b}
}

// blocks bounds the parsers of lists, quotations and footnotes, which may be nested.
func (b *bounds) blocks(list ...util.PrioritizedValue) []util.PrioritizedValue {
	for i, v := range list {
		if v.Priority == 300 || v.Priority == 800 || v.Priority == 999 {
			list[i].Value = boundedBlock{v.Value.(parser.BlockParser), b}
		}
	}
	return list
}

// inlines bounds inline parsers.
func (b *bounds) inlines(list ...util.PrioritizedValue) []util.PrioritizedValue {
	for i, v := range list {
		list[i].Value = boundedInline{v.Value.(parser.InlineParser), v.Priority, b}
	}
	return list
}

type bounds struct {
	pieces, effort int

	paragraph ast.Node // of the inline parser that ran last
	paired    int      // number of emphasis and strikethrough marks in it

	at            int // offset where a bound was first exceeded; -1 if none was
	message, hint string
}

func (b *bounds) exceeded(at int, message, hint string) {
	if b.at < 0 {
		b.at, b.message, b.hint = at, message, hint
	}
}

// add counts inline nodes and table cells. It returns false, without counting, if they would exceed the bound.
func (b *bounds) add(n, at int) bool {
	if n > maxInlines-b.pieces {
		b.exceeded(at, "the article has too many links, pieces of code, emphasised words and cells of tables", "divide it")
		return false
	}
	b.pieces += n
	return true
}

// boundedBlock bounds the nesting of a block parser.
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
		p.exceeded(at.Start, "quotations, lists and parts are nested too deeply", "write it with fewer levels")
		return nil, parser.NoChildren
	}
	return p.BlockParser.Open(parent, reader, pc)
}

// boundedInline bounds the effort and nodes of an inline parser.
type boundedInline struct {
	parser.InlineParser
	priority int
	*bounds
}

func (p boundedInline) Parse(parent ast.Node, block text.Reader, pc parser.Context) ast.Node {
	_, at := block.PeekLine()
	if parent != p.paragraph {
		p.paragraph, p.paired = parent, 0
	}
	switch p.priority {
	case 0, 999: // check boxes and bare addresses
	case 500: // emphasis and strikethrough scan all earlier ones in the paragraph
		p.paired++
		p.effort += p.paired
	default: // others may scan the whole paragraph
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
		p.pieces--
	}
	return n
}

// CloseBlock implements parser.CloseBlocker, which goldmark looks for at the end of every block.
func (p boundedInline) CloseBlock(parent ast.Node, block text.Reader, pc parser.Context) {
	if c, ok := p.InlineParser.(parser.CloseBlocker); ok {
		c.CloseBlock(parent, block, pc)
	}
}

// boundedDefinitions bounds the effort of link reference definitions, [word]: destination.
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

// boundedTable bounds the cells of tables.
type boundedTable struct {
	parser.ParagraphTransformer
	*bounds
}

func (t boundedTable) Transform(node *ast.Paragraph, reader text.Reader, pc parser.Context) {
	lines, columns := node.Lines(), 0
	for i := range lines.Len() {
		line := lines.At(i)
		row := line.Value(reader.Source())
		if i > 0 && len(bytes.Trim(row, "-\r\n")) == 0 {
			return // dashes that underline no heading, because they continue a list item
		}
		if bytes.Contains(row, []byte("-")) && len(bytes.Trim(row, " \t\r\n|:-")) == 0 {
			columns = max(columns, bytes.Count(row, []byte("|"))+1)
		}
	}
	if columns == 0 || t.add(columns*lines.Len(), lines.At(0).Start) {
		t.ParagraphTransformer.Transform(node, reader, pc)
	}
}

// meansCharacter matches a backslash escape of punctuation, or a character reference.
var meansCharacter = regexp.MustCompile(
	"\\\\[!-/:-@\\[-`{-~]|&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]*);")

// Resolve replaces backslash escapes and character references in a destination, title or text by their characters,
// which goldmark does not do in its tree.
//
// Source: CommonMark 0.31, sections 2.4 and 2.5.
func Resolve(written []byte) string {
	return meansCharacter.ReplaceAllStringFunc(string(written), func(s string) string {
		if s[0] == '\\' {
			return s[1:]
		}
		c := html.UnescapeString(s)
		if strings.HasSuffix(c, ";") && s[1] != '#' && s != "&semi;" {
			return s // not a known name, or only its beginning is
		}
		return c
	})
}

// Schemes are the URL schemes that links on pages may have.
var Schemes = []string{"http", "https", "mailto"}

var leadsElsewhere = regexp.MustCompile(`^(?:([A-Za-z][A-Za-z0-9+.-]*):|//)`)

// Elsewhere returns the address of a resolved destination outside the site, escaped for an HTML attribute; empty for
// one within it. It returns an error for schemes that pages do not link to.
//
// Source: CommonMark 0.31, section 6.3, on what is escaped in an address.
func Elsewhere(destination string) (address string, err error) {
	m := leadsElsewhere.FindStringSubmatch(destination)
	switch {
	case m == nil:
		return "", nil
	case m[1] == "":
		destination = "https:" + destination
	case !slices.Contains(Schemes, strings.ToLower(m[1])):
		return "", errors.New("pages can link by http, https and mailto only")
	}
	return string(util.URLEscape([]byte(destination), false)), nil
}
