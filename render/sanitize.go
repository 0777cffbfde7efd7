package render

import (
	"bytes"
	"html/template"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/microcosm-cc/bluemonday"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// schemes are those of links that may leave the site.
var schemes = []string{"http", "https", "mailto"}

// newPolicy is what raw HTML of an author may be: formatting. It has no classes, ids or styles, so that it cannot
// pass for something that was measured, and nothing that loads or runs.
func newPolicy() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowElements("abbr", "b", "blockquote", "br", "cite", "code", "dd", "del", "details", "dfn", "div", "dl", "dt", "em",
		"hr", "i", "ins", "kbd", "li", "mark", "ol", "p", "pre", "q", "s", "samp", "small", "span", "strong", "sub", "summary",
		"sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "u", "ul", "var", "wbr")
	p.AllowAttrs("title").OnElements("abbr", "dfn")
	p.AllowAttrs("open").Matching(bluemonday.Paragraph).OnElements("details")
	p.AllowAttrs("colspan", "rowspan").Matching(bluemonday.Integer).OnElements("td", "th")
	p.AllowAttrs("lang", "dir").Globally()
	p.AllowAttrs("href").OnElements("a")
	p.AllowURLSchemes(schemes...)
	p.AllowRelativeURLs(true)
	p.RequireParseableURLs(true)
	return p
}

// clean reduces a piece of raw HTML to what the policy allows. Pieces need not be balanced: see balance.
func (c *composer) clean(raw []byte) []byte {
	c.rawHTML = true
	return c.policy.SanitizeBytes(raw)
}

// balance closes what raw HTML opened and drops what it closed but did not open, so that an author's stray tag cannot
// break out of the prose into the rest of the page.
func balance(prose []byte) ([]byte, error) {
	within := &html.Node{Type: html.ElementNode, Data: "div", DataAtom: atom.Div}
	nodes, err := html.ParseFragment(bytes.NewReader(prose), within)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	for _, n := range nodes {
		if err := html.Render(&b, n); err != nil {
			return nil, err
		}
	}
	return b.Bytes(), nil
}

// destination is where a link of the article leads on the site; ok is false if it must not or cannot be followed, and
// then only its words are shown.
func (c *composer) destination(written string) (href template.URL, ok bool) {
	if c.docs != nil {
		return c.docs.destination(c, written)
	}
	u, err := url.Parse(written)
	if err != nil {
		c.warnf("the link to %q cannot be read; correct or remove it", written)
		return "", false
	}
	switch {
	case u.Scheme != "":
		if slices.Contains(schemes, strings.ToLower(u.Scheme)) {
			return template.URL(u.String()), true
		}
		c.warnf("a page does not link to %q; use http, https or mailto", written)
		return "", false
	case u.Host != "":
		return template.URL("https:" + u.String()), true
	case u.Path == "":
		return c.fragment(u.Fragment)
	}
	// ../SLUG/article.md is how an article names another so that any viewer of Markdown finds it.
	parts := strings.Split(path.Clean(u.Path), "/")
	if len(parts) >= 2 && parts[0] == ".." && slices.Contains(c.options.Articles, parts[1]) &&
		(len(parts) == 2 || len(parts) == 3 && parts[2] == "article.md") {
		to := url.URL{Path: c.up + parts[1] + "/index.html", Fragment: u.Fragment}
		return template.URL(to.String()), true
	}
	c.warnf("the link to %q leads to nothing that the site has; link to an article as ../SLUG/article.md, or to the web",
		written)
	return "", false
}

// fragment finds a heading, or a part that we gave an id.
func (c *composer) fragment(id string) (template.URL, bool) {
	if ours, ok := c.anchors[id]; ok {
		id = ours
	} else if !c.isPart(id) {
		c.warnf("the link to %q leads to no heading of the article", "#"+id)
		return "", false
	}
	return template.URL((&url.URL{Fragment: id}).String()), true
}

// isPart tells whether we give an id to some part of the page.
func (c *composer) isPart(id string) bool {
	if _, ok := c.numbers[id]; ok {
		return true
	}
	name, found := strings.CutPrefix(id, claimID)
	if found {
		_, found = c.judgements[name]
	}
	return found || slices.Contains(partIDs, id)
}

// partIDs are the ids that every page has; headings that come out the same are given others.
var partIDs = []string{"main", "theme", "find", "found", "found-count", "method", "values"}

// partPrefixes begin the ids that we make.
var partPrefixes = []string{claimID, noteID, refID, valueID, "fig-", "tbl-"}

// Beginnings of ids.
const (
	claimID   = "claim-"
	noteID    = "note-"
	refID     = "ref-"
	valueID   = "value-"
	headingID = "section-"
)

// anchor is the id of a heading, given that of goldmark.
func anchor(id string) string {
	taken := slices.Contains(partIDs, id) ||
		slices.ContainsFunc(partPrefixes, func(p string) bool { return strings.HasPrefix(id, p) })
	if taken || strings.HasPrefix(id, headingID) {
		return headingID + id
	}
	return id
}
