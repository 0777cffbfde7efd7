package render

import (
	"html/template"
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// Section is a part of a page under one heading, which is what search finds.
type Section struct {
	ID    string // of the heading; empty of what stands above the first one
	Title string // the heading, or the title of the page, as text
	// Text stands below it, with one space between words. That of listings is a second line. The words that tables
	// explain, in code font in their first column, are a third, as well as where they stand.
	Text string
}

// Sections divides a page at its headings. The text is what a reader comes by on the way down, folded or not: without
// lists of contents, buttons, drawings, tooltips, and what is only for screen readers.
func Sections(main template.HTML) []Section {
	r := sectionReader{sections: []Section{{}}}
	for tokens := html.NewTokenizer(strings.NewReader(string(main))); ; {
		switch kind := tokens.Next(); kind {
		case html.ErrorToken: // the end
			r.close()
			return r.sections
		case html.TextToken:
			if r.left == "" {
				r.write(string(tokens.Text()))
			}
		case html.StartTagToken, html.EndTagToken, html.SelfClosingTagToken:
			if r.left == "" {
				r.tag(tokens.Token())
			} else if name, _ := tokens.TagName(); string(name) == r.left && kind != html.SelfClosingTagToken {
				r.nest(kind)
			}
			r.ended = kind == html.EndTagToken
		}
	}
}

type sectionReader struct {
	sections []Section
	title    strings.Builder
	text     strings.Builder
	listings strings.Builder
	terms    strings.Builder
	heading  string // that is open
	listing  bool   // is open
	apart    string // element in a line that stands apart from its words
	after    string // what follows it
	cells    int    // of the row, so far
	term     bool   // a word that a table explains is open
	left     string // element that is left out
	depth    int    // of elements of its name
	ended    bool   // the last token was the end of an element
}

func (r *sectionReader) write(text string) {
	r.ended = false
	switch {
	case r.heading != "":
		r.title.WriteString(text)
	case r.listing:
		r.listings.WriteString(text)
	default:
		r.text.WriteString(text)
	}
	if r.term {
		r.terms.WriteString(text)
	}
}

// cell counts the cells of a row, and finds the words in code font in the first.
func (r *sectionReader) cell(element string, starts bool) {
	switch element {
	case "tr", "table":
		r.cells = 0
	case "td", "th":
		if starts {
			r.cells++
		}
	case "code":
		r.term = starts && r.cells == 1
		r.terms.WriteString(" ")
	}
}

func (r *sectionReader) nest(kind html.TokenType) {
	if kind == html.StartTagToken {
		r.depth++
	} else if r.depth--; r.depth == 0 {
		r.left = ""
	}
}

// Elements by how they stand in text.
var (
	leftOut        = strings.Fields("button nav script style svg template")
	classesLeftOut = []string{"sr", "ref", "howto", "back", "fold published"}
	inLines        = strings.Fields("a abbr b cite code data del dfn em i ins kbd mark q s samp span strong sub sup " +
		"time u var wbr")
	headings = strings.Fields("h1 h2 h3 h4 h5 h6")
)

func (r *sectionReader) tag(t html.Token) {
	starts := t.Type == html.StartTagToken
	r.cell(t.Data, starts)
	id, class, hidden := "", "", false
	for _, a := range t.Attr {
		switch a.Key {
		case "id":
			id = a.Val
		case "class":
			class = a.Val
		case "hidden":
			hidden = true
		}
	}
	if starts && isLeftOut(t.Data, class, hidden) {
		r.left, r.depth = t.Data, 1
		return
	}
	if starts && r.begin(t.Data, id, class) || !starts && r.end(t.Data) {
		return
	}
	if !slices.Contains(inLines, t.Data) || starts && r.ended && !r.listing {
		r.write(" ")
	}
}

func isLeftOut(element, class string, hidden bool) bool {
	return hidden && element != "input" || slices.Contains(classesLeftOut, class) ||
		slices.Contains(leftOut, element)
}

// begin takes the start of a heading, of a listing, or of what stands apart.
func (r *sectionReader) begin(element, id, class string) bool {
	switch {
	case element == "h1", id != "" && slices.Contains(headings, element):
		if id != "" {
			r.close()
			r.sections = append(r.sections, Section{ID: id})
		}
		r.heading = element
	case class == "no", class == "sub":
		r.apart, r.after = element, " "
		r.write(" ")
	case class == "kicker":
		r.apart, r.after = element, ": "
	case element == "pre":
		r.write(" ")
		r.listing = true
		r.write(" ")
	default:
		return false
	}
	return true
}

// end takes the end of one of these.
func (r *sectionReader) end(element string) bool {
	switch element {
	case r.heading:
		r.sections[len(r.sections)-1].Title = words(&r.title)
		r.heading = ""
	case r.apart:
		r.apart = ""
		r.write(r.after)
	case "pre":
		r.listing = false
	default:
		return false
	}
	return true
}

// close ends a section.
func (r *sectionReader) close() {
	r.sections[len(r.sections)-1].Text = strings.TrimRight(words(&r.text)+"\n"+words(&r.listings)+"\n"+
		words(&r.terms), "\n")
}

func words(b *strings.Builder) string {
	defer b.Reset()
	return strings.Join(strings.Fields(b.String()), " ")
}
