package prose

import (
	"bytes"
	"fmt"
	"html/template"

	"github.com/yuin/goldmark/ast"

	"benchbook/notebook/article"
)

// Prose renders the document without the parts that do not apply.
func (w *Writer) Prose() template.HTML { return flowOf(w, w.doc.Tree) }

// Answer renders the answer of the document; empty if it has none.
func (w *Writer) Answer() template.HTML {
	if w.doc.Answer == nil {
		return ""
	}
	return flowOf(w, w.doc.Answer)
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
		if n.Kind() == article.KindAnswer { // the page shows it first
			continue
		}
		if p, ok := n.(*article.ConditionalPart); ok {
			if f.article.Applies(p) {
				f.write(p)
			}
			continue
		}
		f.written.WriteString(string(f.show(n, source)))
	}
}
