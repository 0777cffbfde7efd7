package render

import (
	"net/url"
	"slices"
	"strings"

	"benchbook/notebook/article"
	"benchbook/render/cellview"
	"benchbook/render/wording"
)

// about is what the SVG of a figure says of it, under the title that it has away from its page. The claim is the one
// that it states, if any.
//
// Source: docs/results.md#provenance-of-files.
func (c *composer) about(label, title, claim string, o cellview.Origin) [][2]string {
	finding := ""
	if claim != "" {
		finding = c.Finding(claim)
	}
	_, source := c.prose.Inline(c.doc.Front.Title.Value)
	return [][2]string{{"title", title}, {"finding", finding}, {"source", source},
		{"run", strings.Join(o.Runs, ", ")}, {"host", strings.Join(o.Hosts, ", ")},
		{"revision", strings.Join(o.Revisions, ", ")}, {"address", c.address() + "#" + label},
		{"licence", c.options.Licence}}
}

// sourceLine is the line below a figure outside of its page.
func (c *composer) sourceLine(o cellview.Origin) string {
	_, title := c.prose.Inline(c.doc.Front.Title.Value)
	measured := "not measured"
	if o.Measured > 0 {
		measured = "measured " + wording.ShortDate(o.Last)
	}
	parts := slices.DeleteFunc([]string{title, measured, c.options.Licence}, func(s string) bool { return s == "" })
	line := "Source: " + strings.Join(parts, ", ")
	if c.options.Address != "" {
		line += ", " + c.address()
	}
	return line
}

// statedBy returns the claim that a figure states; empty if it states none.
func statedBy(f *article.Figure) string {
	if name, ok := article.SentenceOf(f.Title.Value); ok {
		return name
	}
	return ""
}

// address is where the page is: below the folder of the site where nobody has said where that will be.
func (c *composer) address() string {
	slug := url.PathEscape(c.doc.Slug)
	if c.options.Address == "" {
		return slug + "/index.html"
	}
	return strings.TrimSuffix(c.options.Address, "/") + "/" + slug + "/"
}

// addFile adds a file with data of a table or figure, and returns a link to it.
func (c *composer) addFile(name, words string, data []byte) link {
	c.AddFile(dataFolder+"/"+name, data)
	return link{dataFolder + "/" + name, words}
}
