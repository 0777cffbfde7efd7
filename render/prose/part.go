package prose

import (
	"bytes"
	"fmt"
	"html/template"

	"github.com/yuin/goldmark/ast"

	"benchbook/internal/slice"
	"benchbook/notebook/article"
)

// Prose renders the document, with footnotes beside the first paragraphs that refer to them. Parts of the text that do
// not apply are left out: Others has them.
func (w *Writer) Prose() template.HTML { return flowOf(w, w.doc.Tree) }

// Other is a part of the text that does not apply.
type Other struct {
	Condition template.HTML // with which it would
	Text      template.HTML
}

// Others renders the parts of the text that Prose left out. It is called after Prose.
func (w *Writer) Others() []Other {
	w.isOther = true
	defer func() { w.isOther = false }()
	return slice.Map(w.others, func(p *article.ConditionalPart) Other {
		return Other{w.article.Condition(p), flowOf(w, p)}
	})
}

// applies reports whether a node stands in no part of the text that does not apply.
func applies(a Article, n ast.Node) bool {
	p := article.ConditionalPartOf(n)
	return p == nil || a.Applies(p)
}

// flow is the blocks in a node, one after the other.
type flow struct {
	*Writer
	written bytes.Buffer
}

func flowOf(w *Writer, parent ast.Node) template.HTML {
	f := flow{Writer: w}
	f.write(parent)
	if !w.rawHTML {
		return template.HTML(f.written.String())
	}
	balanced, err := balance(f.written.Bytes())
	if err != nil && w.err == nil {
		w.err = fmt.Errorf("balancing the raw HTML of the article: %w", err)
	}
	return template.HTML(balanced)
}

func (f *flow) write(parent ast.Node) {
	source := f.doc.Text
	for n := parent.FirstChild(); n != nil; n = n.NextSibling() {
		if n == f.Title { // which stands above
			continue
		}
		if p, ok := n.(*article.ConditionalPart); ok {
			switch {
			case !p.HasChildren(): // with it there is nothing to say
			case f.isOther:
				f.written.WriteString(string(f.page.Fill("other", Other{f.article.Condition(p), flowOf(f.Writer, p)})))
			case f.article.Applies(p):
				f.write(p)
			default:
				f.others = append(f.others, p)
			}
			continue
		}
		block := f.show(n, source)
		if notes := f.notes(n, source); len(notes) > 0 {
			block = f.page.Fill("with-notes", struct {
				Block template.HTML
				Notes []noteView
			}{block, notes})
		}
		f.written.WriteString(string(block))
	}
}
