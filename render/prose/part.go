package prose

import (
	"fmt"
	"html/template"

	"github.com/yuin/goldmark/ast"

	"benchbook/notebook/article"
)

// Prose renders the document without its answer and the parts that do not apply.
func (w *Writer) Prose() template.HTML { return w.balanced(w.Children(w.doc.Tree, w.doc.Text)) }

// Answer renders the answer of the document; empty if it has none.
func (w *Writer) Answer() template.HTML {
	if w.doc.Answer == nil {
		return ""
	}
	return w.balanced(w.Children(w.doc.Answer, w.doc.Text))
}

// div renders a part if it applies. The page shows the answer elsewhere.
func (w *Writer) div(n ast.Node, source []byte) template.HTML {
	d := n.(*article.Div)
	if d == w.doc.Answer || d.Part != nil && !w.page.Applies(d.Part) {
		return ""
	}
	return w.Children(n, source)
}

// balanced closes the raw HTML of the author, if there is any.
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
