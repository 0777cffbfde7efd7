package prose

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"html/template"
	"net/url"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/microcosm-cc/bluemonday"
	"github.com/yuin/goldmark/ast"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"benchbook/internal/files"
	"benchbook/notebook/article"
	"benchbook/notebook/source"
)

// rawElements has the elements that raw HTML may use, besides links.
var rawElements = strings.Fields("abbr b blockquote br cite code dd del details dfn div dl dt em hr i ins kbd li " +
	"mark ol p pre q s samp small span strong sub summary sup table tbody td tfoot th thead tr u ul var wbr")

// newPolicy returns the policy for raw HTML: formatting only. It forbids what loads or runs, and the classes, ids and
// styles that could imitate a measured value.
func newPolicy() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowElements(rawElements...)
	p.AllowAttrs("title").OnElements("abbr", "dfn")
	p.AllowAttrs("open").Matching(bluemonday.Paragraph).OnElements("details")
	p.AllowAttrs("colspan", "rowspan").Matching(bluemonday.Integer).OnElements("td", "th")
	p.AllowAttrs("lang", "dir").Globally()
	p.AllowAttrs("href").OnElements("a")
	p.AllowURLSchemes(article.Schemes...)
	p.AllowRelativeURLs(true)
	p.RequireParseableURLs(true)
	return p
}

// clean reduces a piece of raw HTML to what the policy allows. The result may be unbalanced: see balance.
func (w *Writer) clean(raw []byte) template.HTML {
	w.rawHTML = true
	return template.HTML(w.policy.SanitizeBytes(raw))
}

// balance closes open elements and drops stray end tags, so that raw HTML can't affect the rest of the page.
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

// Source resolves a link of the front matter, and warns if that fails.
func (w *Writer) Source(written string) (href template.URL, ok bool) {
	href, err := w.follow(written)
	if err != nil {
		w.page.Warnf("the link %q leads to nothing: %v", written, err)
	}
	return href, err == nil
}

// follower resolves links of an article.
type follower struct {
	articles []string
	anchors  map[string]string // our ids of headings by goldmark's
	doc      *article.Document
}

// follow returns the address of a link's target from the page. The error says why there is none.
func (f follower) follow(written string) (template.URL, error) {
	if address, err := article.Elsewhere(written); address != "" || err != nil {
		return template.URL(address), err
	}
	u, err := url.Parse(written)
	switch {
	case err != nil:
		return "", errors.New("it is not an address")
	case u.Path == "":
		return f.fragment(u.Fragment)
	}
	// Articles link others as ../SLUG/article.md, which works in any viewer of Markdown.
	parts := strings.Split(path.Clean(u.Path), "/")
	if len(parts) >= 2 && parts[0] == ".." && slices.Contains(f.articles, parts[1]) &&
		(len(parts) == 2 || len(parts) == 3 && parts[2] == article.FileName) {
		to := url.URL{Path: "../" + parts[1] + "/index.html", Fragment: u.Fragment}
		return template.URL(to.String()), nil
	}
	return "", errors.New("the site has nothing there")
}

// fragment returns the address of a heading or part of the page by its id.
func (f follower) fragment(id string) (template.URL, error) {
	ours, isHeading := f.anchors[id]
	_, isLabel := f.labelled(id)
	isClaim := func(c *article.Claim) bool { return id == ClaimID+c.Name.Value }
	switch {
	case isHeading:
		id = ours
	case !isLabel && !slices.Contains(partIDs, id) && !slices.ContainsFunc(f.doc.Claims, isClaim):
		return "", errors.New("the article has no such heading")
	}
	return template.URL((&url.URL{Fragment: id}).String()), nil
}

// labelled reports whether there is a table or figure with a label, and returns its conditional part.
func (f follower) labelled(label string) (part *article.ConditionalPart, ok bool) {
	for _, t := range f.doc.Tables {
		if t.Label.Value == label {
			return t.Part, true
		}
	}
	for _, g := range f.doc.Figures {
		if g.Label.Value == label {
			return g.Part, true
		}
	}
	return nil, false
}

// DeadLinks warns of links and pictures without a target, which become text. articles are the slugs that links may
// name. It does not check links in raw HTML.
func DeadLinks(doc *article.Document, articles []string, problems *source.Problems) {
	f := follower{articles, map[string]string{}, doc}
	_ = ast.Walk(doc.Tree, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if h, ok := n.(*ast.Heading); ok && entering {
			id := headingIDOf(h)
			f.anchors[id] = anchorOf(id)
		}
		return ast.WalkContinue, nil
	})
	for _, l := range doc.Links() {
		if name, ok := localPicture(l.Destination); ok && l.Picture {
			if _, err := readPicture(doc.Dir, name); err != nil {
				problems.Warn("dead-link", l.Pos, "the picture %q is not shown: %v", l.Destination, err).
					Hint = "correct it, or remove it"
			}
		} else if _, err := f.follow(l.Destination); err != nil {
			problems.Warn("dead-link", l.Pos, "the link %q leads to nothing: %v", l.Destination, err).
				Hint = "correct it, or remove it; an article is linked as ../SLUG/" + article.FileName
		}
	}
}

// partIDs and partPrefixes are ids of parts of pages, and how such ids begin. Headings can't have them.
var (
	partIDs      = []string{"main", "theme", "find", "found", "found-count", "method"}
	partPrefixes = []string{ClaimID, noteID, refID, ValueID, headingID, "fig-", "tbl-"}
)

// Prefixes of ids.
const (
	ClaimID   = "claim-"
	noteID    = "note-"
	refID     = "ref-"
	ValueID   = "value-"
	headingID = "section-"
)

// anchorOf returns our id of a heading for goldmark's.
func anchorOf(id string) string {
	if slices.Contains(partIDs, id) || slices.ContainsFunc(partPrefixes, func(p string) bool { return strings.HasPrefix(id, p) }) {
		return headingID + id
	}
	return id
}

// mediaFolder holds the pictures of an article, below the page's folder.
const mediaFolder = "media"

var pictures = []string{".png", ".jpg", ".jpeg", ".gif", ".webp", ".avif"}

// image renders a picture of the article's folder and adds it to the page. Pages load nothing from elsewhere, so other
// pictures become links.
func (w *Writer) image(n ast.Node, source []byte) template.HTML {
	i := n.(*ast.Image)
	written, words := article.Resolve(i.Destination), strings.TrimSpace(w.Plain(i, source))
	if name, ok := localPicture(written); ok {
		to, err := w.addPicture(name)
		if err != nil { // DeadLinks says why
			return Escaped(words)
		}
		return `<img src="` + Escaped(to) + `" alt="` + Escaped(words) + `"` + titleOf(i.Title) + ` loading="lazy">`
	}
	href, err := w.follow(written)
	words = cmp.Or(words, "picture")
	if err != nil {
		return Escaped(words)
	}
	return Link(href, i.Title, Escaped(words))
}

// localPicture returns the path of a picture below the article's folder; ok is false for other addresses.
func localPicture(written string) (name string, ok bool) {
	u, err := url.Parse(written)
	if err != nil || u.Scheme != "" || u.Host != "" || u.Path == "" {
		return "", false
	}
	return path.Clean(u.Path), true
}

// addPicture adds a picture of the article's folder to the page and returns its address.
func (w *Writer) addPicture(name string) (string, error) {
	to := path.Join(mediaFolder, name)
	if !slices.Contains(w.pictures, to) {
		data, err := readPicture(w.doc.Dir, name)
		if err != nil {
			return "", err
		}
		w.pictures = append(w.pictures, to)
		w.page.AddFile(to, data)
	}
	return (&url.URL{Path: to}).String(), nil
}

// readPicture reads a picture of an allowed type and size.
func readPicture(dir, name string) ([]byte, error) {
	const largest = 8 << 20
	if !slices.Contains(pictures, strings.ToLower(path.Ext(name))) {
		return nil, fmt.Errorf("it is not one of %s", strings.Join(pictures, " "))
	}
	// A Root does not follow symbolic links out of the folder.
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	data, _, err := files.ReadIn(root, name, largest)
	if err != nil {
		return nil, errors.New(files.Reason(err))
	}
	return data, nil
}
