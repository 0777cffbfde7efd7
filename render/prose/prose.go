// Package prose renders the author's Markdown: articles, and single lines such as titles.
//
// Only what is known to be harmless becomes markup: raw HTML is reduced to formatting, and links lead to the web, to a
// mail address or within the site. All else is text.
package prose

import (
	"bytes"
	"fmt"
	"html/template"
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/alecthomas/chroma/v2"
	"github.com/microcosm-cc/bluemonday"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/renderer"
	"github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/util"

	"benchbook/notebook/article"
	"benchbook/notebook/expr"
	"benchbook/notebook/source"
	"benchbook/render/wording"
)

// Page renders the parts of an article that are not prose.
type Page interface {
	Fill(template string, data any) template.HTML
	AddFile(path string, data []byte) // path is relative to the folder of the page, with slashes
	Warnf(format string, args ...any)

	Block(b *article.Block) template.HTML
	Value(in expr.Inline) template.HTML
	ValueText(in expr.Inline) string
	// Claim renders words bound to a claim, or its sentence if there are none. The sentence has no full stop if goesOn:
	// punctuation follows.
	Claim(name string, words template.HTML, goesOn bool) template.HTML
	Finding(name string) string // the sentence of a claim for headings, as text
	// Applies reports whether a part suits the measured outcome; nil always does.
	Applies(p *article.ConditionalPart) bool
}

// Renderer holds what all pages share. It is safe for concurrent use.
type Renderer struct {
	policy   *bluemonday.Policy
	lexers   *chroma.LexerRegistry
	listings sync.Map // from code to template.HTML: a cache for the next preview
}

func NewRenderer() *Renderer { return &Renderer{policy: newPolicy(), lexers: newLexers()} }

// Writer writes the prose of one document, and single lines of Markdown.
type Writer struct {
	*Renderer
	follower
	Headings   []Heading
	Shift      int               // added to the level of headings, so that only the title is h1
	ClaimWords map[string]string // the words of the first link to a claim, by its name

	page     Page
	numbers  map[string]string // of tables and figures by label, such as "Figure 2"
	markdown renderer.Renderer
	pictures []string        // shown so far
	rawHTML  bool            // the prose has raw HTML
	noted    map[string]bool // ids of notes that the text refers to, and of the references
	err      error
}

// Writer returns a Writer for a document. articles are the slugs that it may link, and numbers the numbers of tables
// and figures by label.
func (r *Renderer) Writer(doc *article.Document, page Page, articles []string, numbers map[string]string) *Writer {
	w := &Writer{Renderer: r, follower: follower{articles, map[string]string{}, doc}, page: page, numbers: numbers,
		ClaimWords: map[string]string{}, noted: map[string]bool{}}
	w.markdown = renderer.NewRenderer(renderer.WithNodeRenderers(
		util.Prioritized(html.NewRenderer(), 1000),
		util.Prioritized(extension.NewStrikethroughHTMLRenderer(), 500),
		util.Prioritized(extension.NewDefinitionListHTMLRenderer(), 500),
		util.Prioritized(w, 100), // the lowest number wins
	))
	return w
}

// Err returns the first error of a template or listing.
func (w *Writer) Err() error { return w.err }

// RegisterFuncs registers the nodes that are rendered differently than in goldmark.
func (w *Writer) RegisterFuncs(reg renderer.NodeRendererFuncRegisterer) {
	whole := func(kind ast.NodeKind, show func(n ast.Node, source []byte) template.HTML) {
		reg.Register(kind, func(out util.BufWriter, source []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
			if entering {
				_, err := out.WriteString(string(show(n, source)))
				return ast.WalkSkipChildren, err
			}
			return ast.WalkContinue, nil
		})
	}
	whole(article.KindBlock, func(n ast.Node, _ []byte) template.HTML { return w.page.Block(n.(*article.Block)) })
	whole(article.KindDiv, w.div)
	whole(article.KindInlineValue, func(n ast.Node, _ []byte) template.HTML {
		return w.page.Value(n.(*article.InlineValue).Inline)
	})
	whole(article.KindClaimLink, w.claimLink)
	whole(article.KindReference, w.reference)
	whole(ast.KindHeading, w.heading)
	whole(ast.KindFencedCodeBlock, w.code)
	whole(ast.KindCodeBlock, w.code)
	whole(ast.KindCodeSpan, w.codeSpan)
	whole(ast.KindLink, w.link)
	whole(ast.KindAutoLink, w.autoLink)
	whole(ast.KindImage, w.image)
	whole(ast.KindHTMLBlock, w.htmlBlock)
	whole(ast.KindRawHTML, w.htmlInline)
	whole(extast.KindTable, w.markdownTable)
	whole(extast.KindTaskCheckBox, w.taskBox)
	whole(extast.KindFootnoteLink, w.footnoteLink)
	whole(extast.KindFootnoteList, w.footnotes)
	whole(extast.KindFootnoteBacklink, w.footnoteBacklink)
}

func (w *Writer) show(n ast.Node, source []byte) template.HTML {
	var b bytes.Buffer
	if err := w.markdown.Render(&b, source, n); err != nil && w.err == nil {
		w.err = fmt.Errorf("rendering the prose: %w", err)
	}
	return template.HTML(b.String())
}

func (w *Writer) Children(n ast.Node, source []byte) template.HTML {
	var b strings.Builder
	for child := n.FirstChild(); child != nil; child = child.NextSibling() {
		b.WriteString(string(w.show(child, source)))
	}
	return template.HTML(b.String())
}

// Inline renders a line of Markdown, such as a title, as HTML and as text.
func (w *Writer) Inline(line string) (shown template.HTML, words string) {
	markdown, tree := []byte(line), w.doc.Line(line)
	if tree == nil {
		return Escaped(line), source.Plain(line)
	}
	for n := tree.FirstChild(); n != nil; n = n.NextSibling() {
		shown += w.Children(n, markdown)
		words += w.Plain(n, markdown)
	}
	return w.balanced(shown), words
}

// Plain returns the text of a node without markup.
func (w *Writer) Plain(n ast.Node, markdown []byte) string {
	return source.Plain(w.spoken(n, markdown))
}

// spoken is Plain before active characters are made visible.
//
//gocyclo:ignore
func (w *Writer) spoken(n ast.Node, source []byte) string {
	switch n := n.(type) {
	case *ast.Text:
		words := article.Resolve(n.Value(source))
		if n.Parent() != nil && n.Parent().Kind() == ast.KindCodeSpan {
			words = string(n.Value(source))
		}
		if n.SoftLineBreak() || n.HardLineBreak() {
			words += " "
		}
		return words
	case *ast.String:
		return string(n.Value)
	case *ast.AutoLink:
		return string(n.Label(source))
	case *ast.RawHTML, *extast.FootnoteLink:
		return ""
	case *article.InlineValue:
		return w.page.ValueText(n.Inline)
	case *article.ClaimLink:
		if n.FirstChild() == nil {
			return w.page.Finding(n.Name.Value)
		}
	case *article.Reference:
		if n.FirstChild() == nil {
			return w.numbers[n.Label.Value]
		}
	case *ast.CodeSpan:
		return codeText(n, source)
	}
	var b strings.Builder
	for child := n.FirstChild(); child != nil; child = child.NextSibling() {
		b.WriteString(w.Plain(child, source))
	}
	return b.String()
}

// Survey sets Headings, Shift and ClaimWords, and must precede rendering. Headings of parts that don't apply are left
// out.
func (w *Writer) Survey() {
	source := w.doc.Text
	_ = ast.Walk(w.doc.Tree, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Heading:
			if n.Level == 1 {
				w.Shift = 1
			}
			if w.page.Applies(article.ConditionalPartOf(n)) {
				id := headingIDOf(n)
				w.anchors[id] = anchorOf(id)
				w.Headings = append(w.Headings, w.headingOf(n, source))
			}
		case *article.ClaimLink:
			if _, seen := w.ClaimWords[n.Name.Value]; !seen && n.FirstChild() != nil {
				w.ClaimWords[n.Name.Value] = wording.Capital(strings.TrimSpace(w.Plain(n, source)))
			}
		}
		return ast.WalkContinue, nil
	})
}

type Heading struct {
	Level int
	ID    string
	Topic string // the text, without a claim whose outcome the heading states
}

func (w *Writer) headingOf(h *ast.Heading, source []byte) Heading {
	out := Heading{Level: h.Level, ID: w.anchors[headingIDOf(h)], Topic: strings.TrimSpace(w.Plain(h, source))}
	if claim := article.FindingOf(h, source); claim != nil {
		out.Topic = topicOf(h, claim, func(n ast.Node) string { return w.Plain(n, source) })
	}
	return out
}

// topicOf returns the text before the claim in a heading.
func topicOf(h *ast.Heading, claim ast.Node, show func(ast.Node) string) string {
	var b strings.Builder
	for n := h.FirstChild(); n != claim; n = n.NextSibling() {
		b.WriteString(show(n))
	}
	return strings.TrimSuffix(strings.TrimSpace(b.String()), ":")
}

func headingIDOf(n *ast.Heading) string {
	attribute, _ := n.AttributeString("id")
	id, _ := attribute.([]byte)
	return string(id)
}

func (w *Writer) heading(n ast.Node, source []byte) template.HTML {
	h := n.(*ast.Heading)
	level := min(6, max(2, h.Level+w.Shift))
	id := Escaped(w.anchors[headingIDOf(h)])
	words := w.Children(n, source)
	if claim := article.FindingOf(h, source); claim != nil {
		topic := topicOf(h, claim, func(n ast.Node) string { return string(w.show(n, source)) })
		words = `<span class="kicker">` + template.HTML(topic) + "</span>" + Escaped(w.page.Finding(claim.Name.Value))
	}
	return template.HTML(fmt.Sprintf(`<h%d id="%s">%s</h%[1]d>`+"\n", level, id, words))
}

func (w *Writer) claimLink(n ast.Node, source []byte) template.HTML {
	next, ok := n.NextSibling().(*ast.Text)
	goesOn := ok && bytes.IndexAny(next.Value(source), ".,;:!?)") == 0
	return w.page.Claim(n.(*article.ClaimLink).Name.Value, w.Children(n, source), goesOn)
}

// reference links to a table or figure with the author's words or its number.
func (w *Writer) reference(n ast.Node, source []byte) template.HTML {
	label, words := n.(*article.Reference).Label.Value, w.Children(n, source)
	if words == "" {
		words = Escaped(w.numbers[label])
	}
	if part, ok := w.labelled(label); !ok || !w.page.Applies(part) {
		return words
	}
	return `<a href="#` + Escaped(label) + `">` + words + `</a>`
}

func (w *Writer) code(n ast.Node, source []byte) template.HTML {
	language := ""
	if f, ok := n.(*ast.FencedCodeBlock); ok {
		language = article.Resolve(f.Language(source))
	}
	return w.Listing(language, n.Lines().Value(source))
}

func (w *Writer) codeSpan(n ast.Node, source []byte) template.HTML {
	code := codeText(n, source)
	const longest = 24 // runes; shorter words, such as flags, don't break at a hyphen
	if strings.Contains(code, "-") && !strings.ContainsFunc(code, unicode.IsSpace) &&
		utf8.RuneCountInString(code) <= longest {
		return `<code class="hyphenated">` + Escaped(code) + "</code>"
	}
	return "<code>" + Escaped(code) + "</code>"
}

func codeText(n ast.Node, source []byte) string {
	var b strings.Builder
	for child := n.FirstChild(); child != nil; child = child.NextSibling() {
		if t, ok := child.(*ast.Text); ok {
			b.WriteString(strings.ReplaceAll(string(t.Value(source)), "\n", " "))
		}
	}
	return b.String()
}

func (w *Writer) link(n ast.Node, source []byte) template.HTML {
	l := n.(*ast.Link)
	written, words := article.Resolve(l.Destination), w.Children(n, source)
	href, err := w.follow(written)
	if err != nil { // DeadLinks says why
		return words
	}
	return Link(href, l.Title, words)
}

// Escaped returns text as HTML.
func Escaped(text string) template.HTML { return template.HTML(template.HTMLEscapeString(text)) }

// titleOf returns the title attribute of a link or picture, or "".
func titleOf(written []byte) template.HTML {
	if len(written) == 0 {
		return ""
	}
	return ` title="` + Escaped(article.Resolve(written)) + `"`
}

// Link returns words as a link; title may be empty.
func Link(href template.URL, title []byte, words template.HTML) template.HTML {
	return `<a href="` + Escaped(string(href)) + `"` + titleOf(title) + `>` + words + "</a>"
}

func (w *Writer) autoLink(n ast.Node, source []byte) template.HTML {
	l := n.(*ast.AutoLink)
	words := Escaped(string(l.Label(source)))
	written := string(l.URL(source))
	if l.AutoLinkType == ast.AutoLinkEmail && !strings.HasPrefix(strings.ToLower(written), "mailto:") {
		written = "mailto:" + written
	}
	href, err := w.follow(written)
	if err != nil {
		return words
	}
	return Link(href, nil, words)
}

func (w *Writer) htmlBlock(n ast.Node, source []byte) template.HTML {
	raw := n.Lines().Value(source)
	if b := n.(*ast.HTMLBlock); b.HasClosure() {
		raw = append(raw, b.ClosureLine.Value(source)...)
	}
	return w.clean(raw)
}

func (w *Writer) htmlInline(n ast.Node, source []byte) template.HTML {
	return w.clean(n.(*ast.RawHTML).Segments.Value(source))
}

// alignments has the classes of cells that are not aligned left.
var alignments = map[extast.Alignment]string{extast.AlignRight: ` class="n"`, extast.AlignCenter: ` class="centre"`}

// markdownTable renders a table in a region that scrolls if it is wider than the page.
func (w *Writer) markdownTable(n ast.Node, source []byte) template.HTML {
	var b strings.Builder
	b.WriteString(`<div class="scroll" tabindex="0" role="region" aria-label="Table"><table>` + "\n")
	for row := n.FirstChild(); row != nil; row = row.NextSibling() {
		tag, open, shut := "td", "", ""
		if _, ok := row.(*extast.TableHeader); ok {
			tag, open, shut = "th", "<thead>", "</thead>"
		} else if row.PreviousSibling() == n.FirstChild() {
			open = "<tbody>"
		}
		if tag == "td" && row.NextSibling() == nil {
			shut = "</tbody>"
		}
		b.WriteString(open + "<tr>")
		for cell := row.FirstChild(); cell != nil; cell = cell.NextSibling() {
			class := alignments[cell.(*extast.TableCell).Alignment]
			b.WriteString("<" + tag + class + ">" + string(w.Children(cell, source)) + "</" + tag + ">")
		}
		b.WriteString("</tr>" + shut + "\n")
	}
	b.WriteString("</table></div>\n")
	return template.HTML(b.String())
}

// taskBox renders the check box of a task, which readers can't change.
func (w *Writer) taskBox(n ast.Node, _ []byte) template.HTML {
	if n.(*extast.TaskCheckBox).IsChecked {
		return `<input type="checkbox" aria-label="Done" checked disabled> `
	}
	return `<input type="checkbox" aria-label="To do" disabled> `
}

// footnoteLink renders a reference to a note, and has footnotes show that note.
func (w *Writer) footnoteLink(n ast.Node, _ []byte) template.HTML {
	l := n.(*extast.FootnoteLink)
	note, ref := noteIDs(l.Index, l.RefIndex)
	w.noted[note], w.noted[ref] = true, true
	return template.HTML(fmt.Sprintf(`<sup class="ref"><a href="#%s" id="%s" aria-label="note %d">%[3]d</a></sup>`, note, ref,
		l.Index))
}

// noteIDs returns the ids of a note and of a reference to it.
func noteIDs(note, ref int) (id, refers string) {
	id = noteID + strconv.Itoa(note)
	return id, fmt.Sprintf("%s%s-%d", refID, id, ref+1)
}

// footnotes renders the notes that the rendered text refers to.
func (w *Writer) footnotes(list ast.Node, source []byte) (notes template.HTML) {
	for n := list.FirstChild(); n != nil; n = n.NextSibling() {
		note := n.(*extast.Footnote)
		if id, _ := noteIDs(note.Index, 0); w.noted[id] {
			notes += template.HTML(fmt.Sprintf(`<li id="%s" value="%d">%s</li>`+"\n", id, note.Index, w.Children(note, source)))
		}
	}
	if notes == "" {
		return ""
	}
	return `<ol class="notes" aria-label="Notes">` + "\n" + notes + "</ol>\n"
}

func (w *Writer) footnoteBacklink(n ast.Node, _ []byte) template.HTML {
	l := n.(*extast.FootnoteBacklink)
	_, ref := noteIDs(l.Index, l.RefIndex)
	if !w.noted[ref] {
		return ""
	}
	return template.HTML(` <a rev="footnote" href="#` + ref + `" aria-label="back to the text">↩</a>`)
}

// Prose renders the document without its answer and the parts that don't apply.
func (w *Writer) Prose() template.HTML { return w.balanced(w.blocks(w.doc.Tree, w.doc.Text)) }

// blocks renders the blocks of the document or of a part. Without an empty line between them, a paragraph or part
// continues the paragraph above.
func (w *Writer) blocks(n ast.Node, source []byte) template.HTML {
	const begin, end = "<p>", "</p>\n"
	var out []byte
	isApart := true
	for child := n.FirstChild(); child != nil; child = child.NextSibling() {
		isApart = isApart || isBelowEmptyLine(child, source)
		shown := w.show(child, source)
		if shown == "" { // a part that does not apply
			continue
		}
		if more, ok := strings.CutPrefix(string(shown), begin); ok && !isApart && bytes.HasSuffix(out, []byte(end)) {
			out = append(append(out[:len(out)-len(end)], ' '), more...)
		} else {
			out = append(out, shown...)
		}
		isApart = false
	}
	return template.HTML(out)
}

// Answer renders the answer of the document, or returns "".
func (w *Writer) Answer() template.HTML {
	if w.doc.Answer == nil {
		return ""
	}
	return w.balanced(w.blocks(w.doc.Answer, w.doc.Text))
}

// div renders a part if it applies, but not the answer, which the page shows elsewhere.
func (w *Writer) div(n ast.Node, source []byte) template.HTML {
	d := n.(*article.Div)
	if d == w.doc.Answer || d.Part != nil && !w.page.Applies(d.Part) {
		return ""
	}
	return w.blocks(n, source)
}

// isBelowEmptyLine reports whether a block can't continue the paragraph above: it is below an empty line, or neither a
// paragraph nor a part. (goldmark's own flag is set for every block after a closed one.)
func isBelowEmptyLine(n ast.Node, source []byte) bool {
	var start int
	switch n := n.(type) {
	case *article.Div:
		start = n.Fence.Start
	case *ast.Paragraph:
		start = n.Lines().At(0).Start
	default:
		return true
	}
	above := source[:bytes.LastIndexByte(source[:start], '\n')+1]
	above = bytes.TrimSuffix(above, []byte("\n"))
	return len(bytes.TrimSpace(above[bytes.LastIndexByte(above, '\n')+1:])) == 0
}

// balanced balances the tags of the author's raw HTML, if there is any.
func (w *Writer) balanced(shown template.HTML) template.HTML {
	if !w.rawHTML {
		return shown
	}
	whole, err := balance([]byte(shown))
	if err != nil && w.err == nil {
		w.err = fmt.Errorf("balancing raw HTML: %w", err)
	}
	return template.HTML(whole)
}
