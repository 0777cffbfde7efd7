package render

import (
	"html/template"
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// Section is the part of a page under one heading: a result of the search.
type Section struct {
	ID    string // of the heading; empty for the text before the first one
	Title string // the heading, or the page title
	Text  string // with single spaces
}

// Sections splits a page at its headings. Folded text counts; tables of contents, buttons, drawings, tooltips and words
// for screen readers don't.
func Sections(main template.HTML) []Section {
	r := sectionReader{sections: []Section{{}}}
	if root, err := html.Parse(strings.NewReader(string(main))); err == nil {
		r.readChildren(root, &r.text)
		r.close()
	}
	return r.sections
}

type sectionReader struct {
	sections []Section
	text     strings.Builder // of the last section
}

// Elements and classes that Sections skips, elements within a line, and headings.
var (
	leftOut        = strings.Fields("button nav script style svg template")
	classesLeftOut = []string{"sr", "ref", "howto", "back"}
	inLines        = strings.Fields("a abbr b cite code data del dfn em i ins kbd mark q s samp span strong sub sup time u var wbr")
	headings       = strings.Fields("h1 h2 h3 h4 h5 h6")
)

func (r *sectionReader) read(n *html.Node, to *strings.Builder) {
	if n.Type == html.TextNode {
		to.WriteString(n.Data)
		return
	}
	attributes := map[string]string{}
	for _, a := range n.Attr {
		attributes[a.Key] = a.Val
	}
	id, class := attributes["id"], attributes["class"]
	_, isHidden := attributes["hidden"]
	isLeftOut := isHidden || slices.Contains(leftOut, n.Data) || slices.Contains(classesLeftOut, class)
	after := " "
	switch {
	case isLeftOut:
		return
	case n.Data == "h1", id != "" && slices.Contains(headings, n.Data):
		if id != "" {
			r.close()
			r.sections = append(r.sections, Section{ID: id})
		}
		var title strings.Builder
		r.readChildren(n, &title)
		r.sections[len(r.sections)-1].Title = words(title.String())
		return
	case class == "kicker":
		after = ": "
	case class == "no", class == "sub":
		to.WriteString(" ")
	case slices.Contains(inLines, n.Data):
		if after = ""; isApart(n) {
			to.WriteString(" ")
		}
	default:
		to.WriteString(" ")
	}
	r.readChildren(n, to)
	to.WriteString(after)
}

// isApart reports whether an inline element directly follows another and needs a space before it. In code it doesn't.
func isApart(n *html.Node) bool {
	before := n.PrevSibling
	return before != nil && before.Type == html.ElementNode && n.Parent.Data != "code" && n.Parent.Data != "pre"
}

func (r *sectionReader) readChildren(n *html.Node, to *strings.Builder) {
	for child := n.FirstChild; child != nil; child = child.NextSibling {
		r.read(child, to)
	}
}

func (r *sectionReader) close() {
	r.sections[len(r.sections)-1].Text = words(r.text.String())
	r.text.Reset()
}

func words(text string) string { return strings.Join(strings.Fields(text), " ") }
