package render

import (
	"bytes"
	"fmt"
	"html/template"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer"
	"github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"

	"benchbook/notebook/article"
	"benchbook/notebook/expr"
	"benchbook/notebook/plaintext"
	"benchbook/render/wording"
)

// markdown is how nodes of goldmark's tree become HTML, and how titles, which are single lines of Markdown in YAML, become
// such nodes.
type markdown struct {
	renderer.Renderer
	inline parser.Parser
}

func (c *composer) newMarkdown() markdown {
	return markdown{
		renderer.NewRenderer(renderer.WithNodeRenderers(
			util.Prioritized(html.NewRenderer(), 1000),
			util.Prioritized(extension.NewTableHTMLRenderer(), 500),
			util.Prioritized(extension.NewStrikethroughHTMLRenderer(), 500),
			util.Prioritized(extension.NewTaskCheckBoxHTMLRenderer(), 500),
			util.Prioritized(extension.NewDefinitionListHTMLRenderer(), 500),
			util.Prioritized(c, 100), // of two, the lower number has the last word
		)),
		parser.NewParser(
			parser.WithBlockParsers(util.Prioritized(parser.NewParagraphParser(), 100)),
			parser.WithInlineParsers(parser.DefaultInlineParsers()...),
		),
	}
}

// RegisterFuncs is part of renderer.NodeRenderer: it names the nodes that are not shown as goldmark does by itself.
func (c *composer) RegisterFuncs(reg renderer.NodeRendererFuncRegisterer) {
	whole := func(kind ast.NodeKind, show func(n ast.Node, source []byte) template.HTML) {
		reg.Register(kind, func(w util.BufWriter, source []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
			if entering {
				_, err := w.WriteString(string(show(n, source)))
				return ast.WalkSkipChildren, err
			}
			return ast.WalkContinue, nil
		})
	}
	whole(article.KindBlock, c.block)
	whole(article.KindInlineValue, c.inlineValue)
	whole(article.KindClaimLink, c.claimLink)
	whole(article.KindReference, c.reference)
	whole(ast.KindHeading, c.heading)
	whole(ast.KindFencedCodeBlock, c.code)
	whole(ast.KindCodeBlock, c.code)
	whole(ast.KindCodeSpan, c.codeSpan)
	whole(ast.KindBlockquote, c.quote)
	whole(ast.KindLink, c.link)
	whole(ast.KindAutoLink, c.autoLink)
	whole(ast.KindImage, c.image)
	whole(ast.KindHTMLBlock, c.htmlBlock)
	whole(ast.KindRawHTML, c.htmlInline)
	whole(extast.KindTable, c.markdownTable)
	whole(extast.KindFootnoteLink, c.footnoteLink)
	for _, kind := range []ast.NodeKind{extast.KindFootnoteList, extast.KindFootnoteBacklink} {
		whole(kind, func(ast.Node, []byte) template.HTML { return "" }) // notes stand beside the text
	}
}

// markup is what goldmark writes into as it is: for any other writer it makes a buffer of four kilobytes, for every node that is shown.
type markup struct{ bytes.Buffer }

// Buffered is part of util.BufWriter: nothing waits to be written.
func (*markup) Buffered() int { return 0 }

// Flush is part of util.BufWriter.
func (*markup) Flush() error { return nil }

var _ util.BufWriter = (*markup)(nil)

// show renders one node with all that is in it.
func (c *composer) show(n ast.Node, source []byte) template.HTML {
	var b markup
	if err := c.markdown.Render(&b, source, n); err != nil && c.err == nil {
		c.err = fmt.Errorf("rendering the prose: %w", err)
	}
	return template.HTML(b.String())
}

// children renders what is in a node.
func (c *composer) children(n ast.Node, source []byte) template.HTML {
	var b strings.Builder
	for child := n.FirstChild(); child != nil; child = child.NextSibling() {
		b.WriteString(string(c.show(child, source)))
	}
	return template.HTML(b.String())
}

// prose is all that the author wrote, with notes beside the paragraphs that refer to them first.
func (c *composer) prose() template.HTML {
	source := c.doc.Text
	var b bytes.Buffer
	for n := c.doc.Tree.FirstChild(); n != nil; n = n.NextSibling() {
		if c.docs != nil && n == c.docs.page.Title { // which stands above
			continue
		}
		block := c.show(n, source)
		if notes := c.notes(n, source); len(notes) > 0 {
			block = c.fill("beside", struct {
				Block template.HTML
				Notes []noteView
			}{block, notes})
		}
		b.WriteString(string(block))
	}
	if !c.rawHTML {
		return template.HTML(b.String())
	}
	balanced, err := balance(b.Bytes())
	if err != nil && c.err == nil {
		c.err = fmt.Errorf("balancing the raw HTML of the article: %w", err)
	}
	return template.HTML(balanced)
}

// inline renders a line of Markdown, such as a title; the second result is its text alone.
func (c *composer) inline(line string) (template.HTML, string) {
	source := []byte(strings.Join(strings.Fields(line), " "))
	tree := c.markdown.inline.Parse(text.NewReader(source))
	var shown template.HTML
	var words []string
	for n := tree.FirstChild(); n != nil; n = n.NextSibling() {
		shown += c.children(n, source)
		words = append(words, c.plain(n, source))
	}
	if !c.rawHTML {
		return shown, strings.Join(words, " ")
	}
	balanced, err := balance([]byte(shown))
	if err != nil && c.err == nil {
		c.err = fmt.Errorf("balancing the raw HTML of %q: %w", line, err)
	}
	return template.HTML(balanced), strings.Join(words, " ")
}

// plain is the text of a node and all in it, as a person would read it aloud.
func (c *composer) plain(n ast.Node, source []byte) string {
	return plaintext.String(c.spoken(n, source))
}

func (c *composer) spoken(n ast.Node, source []byte) string {
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
		if !n.Valid {
			return wording.NotMeasured
		}
		return c.plainValue(n.Inline)
	case *article.Reference:
		if n.FirstChild() == nil {
			return c.numbers[n.Label.Value]
		}
	case *ast.Link: // in titles, which package article does not put nodes into
		if n.FirstChild() == nil {
			return c.numbers[strings.TrimPrefix(article.Resolve(n.Destination), "#")]
		}
	case *ast.CodeSpan:
		if in, ok := c.valueIn(n, source); ok {
			return c.plainValue(in)
		}
		return codeText(n, source)
	}
	var b strings.Builder
	for child := n.FirstChild(); child != nil; child = child.NextSibling() {
		b.WriteString(c.plain(child, source))
	}
	return b.String()
}

func (c *composer) plainValue(in expr.Inline) string {
	q, err := c.d.Eval(in.Expr, "")
	switch {
	case err != nil:
		return wording.NotMeasured
	case q.Text != "":
		return q.Text
	}
	return c.writerOf(in, q).text()
}

// survey goes through the article once before anything is shown: levels and ids of headings, and what the prose says
// of each claim.
func (c *composer) survey() {
	c.anchors, c.claimWords = map[string]string{}, map[string]string{}
	source := c.doc.Text
	_ = ast.Walk(c.doc.Tree, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Heading:
			if n.Level == 1 && c.docs == nil {
				c.shift = 1
			}
			id := headingIDOf(n)
			c.anchors[id] = anchor(id)
			c.headings = append(c.headings, heading{n.Level, c.anchors[id], strings.TrimSpace(c.plain(n, source)), nil})
		case *article.ClaimLink:
			if n.Parent().Kind() == ast.KindHeading {
				h := &c.headings[len(c.headings)-1]
				h.claims = append(h.claims, n.Name.Value)
			}
			if _, seen := c.claimWords[n.Name.Value]; !seen {
				c.claimWords[n.Name.Value] = wording.Capital(strings.TrimSpace(c.plain(n, source)))
			}
		}
		return ast.WalkContinue, nil
	})
}

type heading struct {
	level     int
	id, words string
	claims    []string // that it states
}

func headingIDOf(n *ast.Heading) string {
	id, _ := n.AttributeString("id")
	switch id := id.(type) {
	case []byte:
		return string(id)
	case string:
		return id
	}
	return ""
}

// contentsEntry is a heading in the contents, with those below it.
type contentsEntry struct {
	Href, Words string
	Below       []link
}

// contents lists the headings of the two upper levels, and our own sections after them.
func (c *composer) contents() []contentsEntry {
	var out []contentsEntry
	for _, h := range c.headings {
		c.found = append(c.found, Part{SectionPart, h.id, c.stated(h.words, h.claims...)})
		switch level := h.level + c.shift; {
		case level == 2:
			out = append(out, contentsEntry{Href: "#" + h.id, Words: h.words})
		case level == 3 && len(out) > 0:
			last := &out[len(out)-1]
			last.Below = append(last.Below, link{"#" + h.id, h.words})
		}
	}
	out = append(out, contentsEntry{Href: "#method", Words: "How this was measured"})
	if len(c.values) > 0 {
		out = append(out, contentsEntry{Href: "#values", Words: "Values in the text"})
	}
	return out
}

func (c *composer) heading(n ast.Node, source []byte) template.HTML {
	h := n.(*ast.Heading)
	level := min(6, max(2, h.Level+c.shift))
	id := template.HTMLEscapeString(c.anchors[headingIDOf(h)])
	return template.HTML(fmt.Sprintf(`<h%d id="%s">%s</h%[1]d>`+"\n", level, id, c.children(n, source)))
}

// block shows one of our own blocks as what it is.
func (c *composer) block(n ast.Node, _ []byte) template.HTML {
	b := n.(*article.Block)
	var out template.HTML
	switch b.Is {
	case "experiment":
		first, _ := b.Place.Source.Position(b.Place.Start)
		lines := strings.Count(string(b.YAML), "\n")
		return c.listing(article.FileName, fmt.Sprintf("lines\u00a0%d–%d", first+1, first+lines), "yaml", c.experimentListing(b))
	case "include":
		lines := ""
		if b.Listing.First > 0 {
			lines = fmt.Sprintf("lines\u00a0%d–%d", b.Listing.First, b.Listing.First+max(0, strings.Count(string(b.Listing.Data), "\n")-1))
		}
		return c.listing(b.Listing.Path, lines, b.Listing.Language, b.Listing.Data)
	case "file":
		return c.listing(b.Listing.Path, "", b.Listing.Language, b.Listing.Data)
	case "claim":
		return c.claims(b.Claims)
	case "published":
		for _, p := range b.Published {
			out += c.published(p)
		}
	case "table":
		for _, t := range b.Tables {
			out += c.table(t)
		}
	case "figure":
		for _, f := range b.Figures {
			out += c.figure(f)
		}
	}
	return out
}

func (c *composer) inlineValue(n ast.Node, _ []byte) template.HTML {
	v := n.(*article.InlineValue)
	if !v.Valid {
		return template.HTML("<code>" + template.HTMLEscapeString(v.Written.Value) + "</code>")
	}
	shown, _ := c.value(v.Inline)
	return shown
}

func (c *composer) claimLink(n ast.Node, source []byte) template.HTML {
	return c.said(n.(*article.ClaimLink).Name.Value, c.children(n, source))
}

func (c *composer) reference(n ast.Node, source []byte) template.HTML {
	return c.referTo(n.(*article.Reference).Label.Value, c.children(n, source))
}

// referTo leads to a table or figure: by the words given, else by its number.
func (c *composer) referTo(label string, words template.HTML) template.HTML {
	no, ok := c.numbers[label]
	switch {
	case !ok && words == "":
		return template.HTML(template.HTMLEscapeString(label))
	case !ok:
		return words
	case words == "":
		words = template.HTML(template.HTMLEscapeString(no))
	}
	return template.HTML(`<a href="#` + template.HTMLEscapeString(label) + `">` + string(words) + `</a>`)
}

func (c *composer) code(n ast.Node, source []byte) template.HTML {
	var code []byte
	for i := range n.Lines().Len() {
		line := n.Lines().At(i)
		code = append(code, line.Value(source)...)
	}
	language, lines := "", ""
	if f, ok := n.(*ast.FencedCodeBlock); ok {
		language = string(f.Language(source))
		if c.docs != nil && f.Info != nil { // which shows articles, where all of these words mean something
			lines = string(f.Info.Segment.Value(source))
		}
	}
	return c.listing("", lines, language, code)
}

// codeSpan shows code, or in titles, which package article does not look into, a value.
func (c *composer) codeSpan(n ast.Node, source []byte) template.HTML {
	if in, ok := c.valueIn(n, source); ok {
		shown, _ := c.value(in)
		return shown
	}
	code, tag := codeText(n, source), "<code>"
	if isHyphenated(code) {
		tag = `<code class="hyphenated">`
	}
	return template.HTML(tag + template.HTMLEscapeString(code) + "</code>")
}

// isHyphenated says whether code is a word with a hyphen, such as the name of a flag, behind which no line should end: it would read as
// another word. A long one may have to be broken on a telephone.
func isHyphenated(code string) bool {
	const longest = 24 // letters
	return strings.Contains(code, "-") && !strings.ContainsFunc(code, unicode.IsSpace) && utf8.RuneCountInString(code) <= longest
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

// valueIn reads `{value} …` in a line of Markdown. Docs have no values.
func (c *composer) valueIn(n ast.Node, source []byte) (expr.Inline, bool) {
	rest, found := strings.CutPrefix(codeText(n, source), "{value}")
	if !found || c.docs != nil {
		return expr.Inline{}, false
	}
	in, err := expr.ParseInline(strings.TrimSpace(rest))
	return in, err == nil
}

// callouts are GitHub's, with the class that each is shown by.
var callouts = map[string]struct{ label, class string }{
	"[!NOTE]":      {"Note", "callout"},
	"[!TIP]":       {"Tip", "callout"},
	"[!IMPORTANT]": {"Important", "callout"},
	"[!WARNING]":   {"Warning", "callout validity"},
	"[!CAUTION]":   {"Caution", "callout validity"},
}

func (c *composer) quote(n ast.Node, source []byte) template.HTML {
	paragraph, ok := n.FirstChild().(*ast.Paragraph)
	if ok && paragraph.Lines().Len() > 0 {
		first := paragraph.Lines().At(0)
		if as, ok := callouts[strings.ToUpper(strings.TrimSpace(string(first.Value(source))))]; ok {
			return c.callout(as.label, as.class, paragraph, first.Stop, source)
		}
	}
	return "<blockquote>\n" + c.children(n, source) + "</blockquote>\n"
}

// callout shows a quote without its first line, which says what it is.
func (c *composer) callout(label, class string, first ast.Node, begin int, source []byte) template.HTML {
	out := template.HTML(`<aside class="` + class + `"><p class="label">` + label + "</p>\n")
	var rest template.HTML
	for child := first.FirstChild(); child != nil; child = child.NextSibling() {
		if t, ok := child.(*ast.Text); ok && t.Segment.Stop <= begin {
			continue
		}
		rest += c.show(child, source)
	}
	if rest != "" {
		out += "<p>" + rest + "</p>\n"
	}
	for n := first.NextSibling(); n != nil; n = n.NextSibling() {
		out += c.show(n, source)
	}
	return out + "</aside>\n"
}

// link shows links of the article, and in titles, which package article does not look into, claims and references.
func (c *composer) link(n ast.Node, source []byte) template.HTML {
	l := n.(*ast.Link)
	written, words := article.Resolve(l.Destination), c.children(n, source)
	if name, ok := strings.CutPrefix(written, "claim:"); ok && c.docs == nil {
		return c.said(name, words)
	}
	if label := strings.TrimPrefix(written, "#"); label != written && c.numbers[label] != "" {
		return c.referTo(label, words)
	}
	href, ok := c.destination(written)
	if !ok {
		return words
	}
	title := ""
	if len(l.Title) > 0 {
		title = ` title="` + template.HTMLEscapeString(article.Resolve(l.Title)) + `"`
	}
	return template.HTML(`<a href="` + template.HTMLEscapeString(string(href)) + `"` + title + `>` + string(words) + `</a>`)
}

func (c *composer) autoLink(n ast.Node, source []byte) template.HTML {
	l := n.(*ast.AutoLink)
	words := template.HTMLEscapeString(string(l.Label(source)))
	written := string(l.URL(source))
	if l.AutoLinkType == ast.AutoLinkEmail && !strings.HasPrefix(strings.ToLower(written), "mailto:") {
		written = "mailto:" + written
	}
	href, ok := c.destination(written)
	if !ok {
		return template.HTML(words)
	}
	return anchorTag(href, template.HTML(words))
}

func anchorTag(href template.URL, words template.HTML) template.HTML {
	return template.HTML(`<a href="`+template.HTMLEscapeString(string(href))+`">`) + words + "</a>"
}

func (c *composer) htmlBlock(n ast.Node, source []byte) template.HTML {
	var raw []byte
	for i := range n.Lines().Len() {
		line := n.Lines().At(i)
		raw = append(raw, line.Value(source)...)
	}
	if b := n.(*ast.HTMLBlock); b.HasClosure() {
		raw = append(raw, b.ClosureLine.Value(source)...)
	}
	return template.HTML(c.clean(raw))
}

func (c *composer) htmlInline(n ast.Node, source []byte) template.HTML {
	var raw []byte
	segments := n.(*ast.RawHTML).Segments
	for i := range segments.Len() {
		segment := segments.At(i)
		raw = append(raw, segment.Value(source)...)
	}
	return template.HTML(c.clean(raw))
}

// markdownTable shows a table that the author typed. It may be wider than the page, which must not be.
func (c *composer) markdownTable(n ast.Node, source []byte) template.HTML {
	var b strings.Builder
	b.WriteString(`<div class="scroll" tabindex="0" role="region" aria-label="Table"><table>` + "\n")
	for row := n.FirstChild(); row != nil; row = row.NextSibling() {
		tag, open, shut := "td", "", ""
		if _, ok := row.(*extast.TableHeader); ok {
			tag, open, shut = "th", "<thead>", "</thead><tbody>"
		}
		b.WriteString(open + "<tr>")
		for cell := row.FirstChild(); cell != nil; cell = cell.NextSibling() {
			class := ""
			if cell.(*extast.TableCell).Alignment == extast.AlignRight {
				class = ` class="n"`
			}
			b.WriteString("<" + tag + class + ">" + string(c.children(cell, source)) + "</" + tag + ">")
		}
		b.WriteString("</tr>" + shut + "\n")
	}
	b.WriteString("</tbody></table></div>\n")
	return template.HTML(b.String())
}

// noteView is a footnote in the template.
type noteView struct {
	ID, Number string
	Text       template.HTML
	Back       []backView // where the text refers to it
}

// backView leads back from a note to one of the places that refer to it.
type backView struct{ Href, Number, Label string }

// backs lead to all places that refer to a note.
func backs(l *extast.FootnoteLink) []backView {
	if l.RefCount <= 1 {
		return []backView{{Href: "#" + refIDOf(l), Label: "back to the text"}}
	}
	var out []backView
	for i := range l.RefCount {
		at := *l
		at.RefIndex = i
		no := strconv.Itoa(i + 1)
		out = append(out, backView{"#" + refIDOf(&at), no, "back to the text, place " + no + " of " + strconv.Itoa(l.RefCount)})
	}
	return out
}

// refIDOf is the id of a reference to a note.
func refIDOf(l *extast.FootnoteLink) string {
	return fmt.Sprintf("%s%s%d-%d", refID, noteID, l.Index, l.RefIndex+1)
}

func (c *composer) footnoteLink(n ast.Node, _ []byte) template.HTML {
	l := n.(*extast.FootnoteLink)
	return template.HTML(fmt.Sprintf(`<sup class="ref"><a href="#%s%d" id="%s" aria-label="note %[2]d">%[2]d</a></sup>`,
		noteID, l.Index, refIDOf(l)))
}

// notes gives the footnotes that a block is the first to refer to.
func (c *composer) notes(block ast.Node, source []byte) []noteView {
	var out []noteView
	_ = ast.Walk(block, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if _, ok := n.(*extast.FootnoteList); ok {
			return ast.WalkSkipChildren, nil
		}
		l, ok := n.(*extast.FootnoteLink)
		if !ok || !entering || c.noted[l.Index] {
			return ast.WalkContinue, nil
		}
		c.noted[l.Index] = true
		if note := c.footnote(l.Index); note != nil {
			no := strconv.Itoa(l.Index)
			out = append(out, noteView{noteID + no, no, c.noteText(note, source), backs(l)})
			// A note may refer to another.
			out = append(out, c.notes(note, source)...)
		}
		return ast.WalkContinue, nil
	})
	return out
}

func (c *composer) footnote(index int) *extast.Footnote {
	list, ok := c.doc.Tree.LastChild().(*extast.FootnoteList)
	if !ok {
		return nil
	}
	for n := list.FirstChild(); n != nil; n = n.NextSibling() {
		if f, ok := n.(*extast.Footnote); ok && f.Index == index {
			return f
		}
	}
	return nil
}

// noteText is what a note says; a single paragraph follows its number in the same line.
func (c *composer) noteText(note ast.Node, source []byte) template.HTML {
	if only := note.FirstChild(); only != nil && only == note.LastChild() && only.Kind() == ast.KindParagraph {
		return c.children(only, source)
	}
	return c.children(note, source)
}
