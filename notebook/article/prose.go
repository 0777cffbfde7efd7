package article

import (
	"bytes"
	"strings"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"

	"benchbook/notebook/expr"
	"benchbook/notebook/source"
)

// The kinds of benchbook's inline nodes.
var (
	KindInlineValue = ast.NewNodeKind("BenchbookValue")
	KindClaimLink   = ast.NewNodeKind("BenchbookClaim")
	KindReference   = ast.NewNodeKind("BenchbookReference")
)

// InlineValue is `{value} …` in prose.
type InlineValue struct {
	ast.BaseInline
	Inline  expr.Inline
	Written source.Text // after {value}
	Valid   bool        // the expression could be parsed
}

func (*InlineValue) Kind() ast.NodeKind              { return KindInlineValue }
func (v *InlineValue) Dump(source []byte, level int) { ast.DumpHelper(v, source, level, nil, nil) }

// ClaimLink is [words](claim:NAME); the words are its children.
type ClaimLink struct {
	ast.BaseInline
	Name source.Text
}

func (*ClaimLink) Kind() ast.NodeKind              { return KindClaimLink }
func (l *ClaimLink) Dump(source []byte, level int) { ast.DumpHelper(l, source, level, nil, nil) }

// Reference is [words](#fig-x) or [](#tbl-x); the words, if any, are its children.
type Reference struct {
	ast.BaseInline
	Label source.Text
}

func (*Reference) Kind() ast.NodeKind              { return KindReference }
func (r *Reference) Dump(source []byte, level int) { ast.DumpHelper(r, source, level, nil, nil) }

// A prose is Markdown whose values and links are decoded: an article's text, or a line of its YAML.
type prose struct {
	doc  *Document
	tree ast.Node
	text []byte
	at   func(start, end int) source.Pos // returns the place of bytes of text
}

func (doc *Document) prose() prose { return prose{doc, doc.Tree, doc.Text, doc.Source.Pos} }

// inlines replaces inline values, claim links and references by nodes of their types. Links come first: their places
// are found after the text in them.
func (p prose) inlines() {
	for _, n := range nodesOf[*ast.Link](p.tree) {
		if to := p.linkTo(n); to != nil {
			for child := n.FirstChild(); child != nil; child = n.FirstChild() {
				to.AppendChild(to, child)
			}
			n.Parent().ReplaceChild(n.Parent(), n, to)
		} else if written := string(n.Destination); n.FirstChild() == nil && strings.HasPrefix(written, "#") {
			p.doc.Problems.Add("unknown-label", p.destination(n, written),
				"%q is not the label of a table or figure, and the link has no text", written[1:]).
				Hint = "labels begin with fig- or tbl-; write words for a link to a heading"
		}
	}
	for _, n := range nodesOf[*ast.CodeSpan](p.tree) {
		if v := p.value(n); v != nil {
			n.Parent().ReplaceChild(n.Parent(), n, v)
		}
	}
}

// topics derives the id of a heading with a topic and a claim from the topic only, so that it does not change with the
// verdict.
func (doc *Document) topics() {
	ids := parser.NewContext().IDs()
	for _, h := range nodesOf[*ast.Heading](doc.Tree) {
		id, _ := h.AttributeString("id")
		if claim := FindingOf(h, doc.Text); claim != nil {
			topic := doc.Text[h.Lines().At(0).Start:claim.PreviousSibling().(*ast.Text).Segment.Stop]
			h.SetAttributeString("id", ids.Generate(topic, h.Kind()))
		} else if id, ok := id.([]byte); ok {
			ids.Put(id)
		}
	}
}

// nodesOf returns the nodes of a type, in text order.
func nodesOf[T ast.Node](tree ast.Node) (out []T) {
	_ = ast.Walk(tree, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if one, ok := n.(T); ok && entering {
			out = append(out, one)
		}
		return ast.WalkContinue, nil
	})
	return out
}

// FindingOf returns the claim link of a heading "Topic: [](claim:NAME)"; nil for other headings.
func FindingOf(h *ast.Heading, source []byte) *ClaimLink {
	l, ok := h.LastChild().(*ClaimLink)
	if !ok || l.FirstChild() != nil || h.Lines().Len() == 0 {
		return nil
	}
	before, ok := l.PreviousSibling().(*ast.Text)
	if !ok || !bytes.HasSuffix(bytes.TrimSpace(before.Segment.Value(source)), []byte(":")) {
		return nil
	}
	return l
}

// SentenceOf returns the name of a claim if a title or caption is the claim's sentence: claim:NAME.
func SentenceOf(line string) (claim string, ok bool) { return strings.CutPrefix(line, "claim:") }

// value decodes `{value} …`; nil for other code.
func (p prose) value(n *ast.CodeSpan) *InlineValue {
	var words strings.Builder
	var all text.Segment
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		t, ok := c.(*ast.Text)
		if !ok {
			return nil
		}
		if c == n.FirstChild() {
			all.Start = t.Segment.Start
		}
		all.Stop = t.Segment.Stop
		words.Write(t.Segment.Value(p.text))
	}
	code := source.Text{Value: strings.ReplaceAll(words.String(), "\n", " "), Pos: p.at(all.Start, all.Stop)}
	rest, ok := strings.CutPrefix(code.Value, "{value}")
	if !ok {
		return nil
	}
	expression := strings.Trim(rest, " \t")
	start := len(code.Value) - len(strings.TrimLeft(rest, " \t"))
	v := &InlineValue{Written: code.Part(start, start+len(expression))}
	inline, err := expr.ParseInline(expression)
	if err != nil {
		AddExprError(v.Written, err, &p.doc.Problems)
	} else {
		v.Inline, v.Valid = inline, true
	}
	p.doc.Values = append(p.doc.Values, v)
	return v
}

// linkTo returns the node of a link to a claim, a table or a figure; nil for other links.
func (p prose) linkTo(n *ast.Link) ast.Node {
	destination := p.doc.resolve(n.Destination)
	name := func(word string) source.Text {
		written := string(n.Destination)
		if strings.HasSuffix(written, word) { // otherwise it is written with escapes
			written = word
		}
		return source.Text{Value: word, Pos: p.destination(n, written)}
	}
	if claim, ok := strings.CutPrefix(destination, "claim:"); ok {
		l := &ClaimLink{Name: name(claim)}
		p.doc.ClaimLinks = append(p.doc.ClaimLinks, l)
		return l
	}
	if label, ok := strings.CutPrefix(destination, "#"); ok && (strings.HasPrefix(label, "fig-") ||
		strings.HasPrefix(label, "tbl-")) {
		r := &Reference{Label: name(label)}
		p.doc.References = append(p.doc.References, r)
		return r
	}
	return nil
}

// destination finds the place of a link's destination, of which goldmark keeps the words' place only.
func (p prose) destination(n ast.Node, want string) source.Pos {
	from := 0
	for c := n; c != nil; c = c.LastChild() {
		if t, ok := c.(*ast.Text); ok {
			from = t.Segment.Stop
		}
	}
	for b := n; b != nil && from == 0; b = b.Parent() { // no words: search from the start of the paragraph
		if b.Type() == ast.TypeBlock && b.Lines().Len() > 0 {
			from = b.Lines().At(0).Start
		}
	}
	if i := bytes.Index(p.text[from:], []byte(want)); i >= 0 {
		return p.at(from+i, from+i+len(want))
	}
	return p.at(from, from)
}

// A ProseLink is a link or picture in the author's text, except for links to claims, tables and figures.
type ProseLink struct {
	Destination string
	Pos         source.Pos // of the destination
	Picture     bool       // an image
}

// Links returns the links and pictures of the prose, then those of titles, captions and other lines in YAML. It does
// not look into raw HTML.
func (doc *Document) Links() []ProseLink { return append(doc.prose().links(), doc.lineLinks...) }

func (p prose) links() (out []ProseLink) {
	_ = ast.Walk(p.tree, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		var l ProseLink
		var words []byte // as the author wrote the destination
		switch n := n.(type) {
		case *ast.Link:
			l.Destination, words = p.doc.resolve(n.Destination), n.Destination
		case *ast.Image:
			l.Destination, l.Picture, words = p.doc.resolve(n.Destination), true, n.Destination
		case *ast.AutoLink:
			if n.AutoLinkType == ast.AutoLinkEmail {
				return ast.WalkContinue, nil
			}
			l.Destination, words = string(n.URL(p.text)), n.Label(p.text)
		default:
			return ast.WalkContinue, nil
		}
		l.Pos = p.destination(n, string(words))
		out = append(out, l)
		return ast.WalkContinue, nil
	})
	return out
}

// resolve caches Resolve by the first byte of destination: the uses of a link definition share its bytes.
func (doc *Document) resolve(destination []byte) string {
	if len(destination) == 0 {
		return ""
	}
	resolved, ok := doc.resolved[&destination[0]]
	if !ok {
		resolved = Resolve(destination)
		doc.resolved[&destination[0]] = resolved
	}
	return resolved
}

// A line is a line of Markdown in YAML: a title, a caption and the like.
type line struct {
	*source.Text
	kind string           // "title", "caption" and the like; empty for the words of a claim
	part *ConditionalPart // the part that contains it; nil outside of parts
}

// lines parses the lines of Markdown in YAML, such as titles and captions, so that their values and links are checked
// like those of the text.
func (doc *Document) lines() {
	for _, list := range [][]source.Text{doc.Front.Authors, doc.Front.Tags} {
		for i := range list {
			list[i] = list[i].OneLine()
		}
	}
	for _, w := range append([]*Work{doc.Front.Reproduces}, doc.Front.Related...) {
		if w != nil {
			w.Title, w.Author, w.Year = w.Title.OneLine(), w.Author.OneLine(), w.Year.OneLine()
		}
	}
	for _, c := range doc.Claims {
		if q := c.Quote; q != nil {
			q.Text, q.Section = q.Text.OneLine(), q.Section.OneLine()
		}
	}
	parser := ForLines()
	for _, l := range doc.writtenLines() {
		*l.Text = l.OneLine()
		p := prose{doc, nil, []byte(l.Value), l.At}
		p.tree = parser.Parse(p.text)
		if at, message, hint := parser.Exceeded(); at >= 0 {
			doc.Problems.Add("too-large", l.Pos, "%s", message).Hint = hint
			return
		}
		p.inlines()
		doc.lineTrees[l.Value] = p.tree
		for _, c := range nodesOf[*ClaimLink](p.tree) {
			if l.kind != "" && c.HasChildren() {
				doc.stated = append(doc.stated, Statement{c.Name, l.kind, l.part})
			}
		}
		doc.lineLinks = append(doc.lineLinks, p.links()...)
	}
}

// Line returns the tree of a line of Markdown in YAML, such as a title; nil for other text.
func (doc *Document) Line(written string) ast.Node { return doc.lineTrees[written] }

func (doc *Document) writtenLines() []line {
	list := []line{{&doc.Front.Title, "title", nil}, {&doc.Front.Description, "description", nil},
		{&doc.Front.Finding, "finding", nil}}
	for i := range doc.Front.Cautions {
		list = append(list, line{&doc.Front.Cautions[i], "caution", nil})
	}
	for _, c := range doc.Claims {
		for _, words := range append(c.Says.All(), &c.Text, &c.Derived) {
			list = append(list, line{words, "", nil})
		}
	}
	for _, t := range doc.Tables {
		list = append(list, line{&t.Title, "title", t.Part}, line{&t.Caption, "caption", t.Part})
	}
	for _, f := range doc.Figures {
		list = append(list, line{&f.Title, "title", f.Part}, line{&f.Caption, "caption", f.Part})
	}
	return list
}
