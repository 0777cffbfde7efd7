package render

import (
	"fmt"
	"html/template"
	"net/url"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/yuin/goldmark/ast"

	"benchbook/notebook/article"
	"benchbook/notebook/plaintext"
)

// DocsPage is a page of a project's docs, as it is shown.
type DocsPage struct {
	Path        string // of its folder below that of the docs; "" for the first
	Title       string // as text
	Description string // as text: how it begins
	HTML        template.HTML
	Files       []File   // that it links, relative to its own folder
	Parts       []Part   // what a reader may look for in it
	Warnings    []string // what its author should look at
}

// docsFolder is where a page of docs keeps files that it links, below its own folder.
const docsFolder = "files"

// Docs renders the pages of docs, in their order. Links to articles that the site does not have, see Options.Articles, are shown as
// text, and so are links that lead to nothing.
//
// The error is one of the theme's templates.
func (r *Renderer) Docs(docs *article.Docs, o Options) ([]*DocsPage, error) {
	var composers []*composer
	var links []docsLink
	for _, page := range docs.Pages {
		c := &composer{Renderer: r, doc: page.Document, options: o, up: "../../", noted: map[int]bool{}, numbers: map[string]string{},
			docs: &docsPlace{docs, page}}
		if page == docs.Pages[0] {
			c.up = "../"
		}
		c.markdown = c.newMarkdown()
		c.survey()
		composers = append(composers, c)
		links = append(links, docsLink{words: strings.TrimSpace(c.plain(page.Title, page.Text)), page: page})
	}
	var out []*DocsPage
	for i, c := range composers {
		page, err := c.docsPage(links, i)
		if err != nil {
			return nil, err
		}
		out = append(out, page)
	}
	return out, nil
}

// docsLink is a page in the list of all.
type docsLink struct {
	words string
	page  *article.DocsPage
}

// docsView is a page of docs in the template.
type docsView struct {
	Name          string // of the docs: the title of their first page
	Title         template.HTML
	Groups        []docsGroup
	Prose         template.HTML
	Before, After *link
}

type docsGroup struct {
	Words string // the heading of the first page below which it links these; may be empty
	Pages []docsEntry
}

type docsEntry struct {
	link
	Here     bool
	Contents []link // its sections, if it is the page itself
}

// docsPage renders the page at a place in the list of all.
func (c *composer) docsPage(all []docsLink, at int) (*DocsPage, error) {
	here := all[at]
	title := c.children(here.page.Title, c.doc.Text)
	v := docsView{Name: all[0].words, Title: title, Groups: c.docsGroups(all, at)}
	if at > 0 {
		v.Before = &link{c.docs.href(all[at-1].page), all[at-1].words}
	}
	if at+1 < len(all) {
		v.After = &link{c.docs.href(all[at+1].page), all[at+1].words}
	}
	v.Prose = c.prose()
	page := &DocsPage{Path: docsPath(here.page, all[0].page), Title: here.words, Description: c.beginning(), HTML: c.fill("docs", v), Files: c.files}
	for _, h := range c.headings[1:] {
		page.Parts = append(page.Parts, Part{SectionPart, h.id, h.words})
	}
	here.page.Terms(func(id, word string) {
		page.Parts = append(page.Parts, Part{TermPart, c.anchors[id], plaintext.String(word)})
	})
	for _, w := range c.warnings {
		page.Warnings = append(page.Warnings, here.page.Source.Path+": "+w)
	}
	if c.err != nil {
		return nil, fmt.Errorf("rendering %s: %w", here.page.Source.Path, c.err)
	}
	return page, nil
}

// docsGroups lists all pages, those of a group together.
func (c *composer) docsGroups(all []docsLink, at int) []docsGroup {
	var groups []docsGroup
	for i, of := range all {
		e := docsEntry{link: link{c.docs.href(of.page), of.words}, Here: i == at}
		if e.Here && i > 0 { // those of the first are the groups
			for _, h := range c.headings[1:] {
				if h.level == 2 {
					e.Contents = append(e.Contents, link{"#" + h.id, h.words})
				}
			}
		}
		k := slices.IndexFunc(groups, func(g docsGroup) bool { return g.Words == of.page.Group })
		if k < 0 {
			k = len(groups)
			groups = append(groups, docsGroup{Words: of.page.Group})
		}
		groups[k].Pages = append(groups[k].Pages, e)
	}
	return groups
}

// beginning is the first paragraph of the page, or as many of its words as say what it is about.
func (c *composer) beginning() string {
	const enough = 200
	for n := c.doc.Tree.FirstChild(); n != nil; n = n.NextSibling() {
		if n.Kind() != ast.KindParagraph {
			continue
		}
		text := strings.Join(strings.Fields(c.plain(n, c.doc.Text)), " ")
		if utf8.RuneCountInString(text) <= enough {
			return text
		}
		text = string([]rune(text)[:enough])
		if i := strings.LastIndex(text, ". "); i > 0 {
			return text[:i+1]
		}
		return text[:max(strings.LastIndexByte(text, ' '), 0)] + " …"
	}
	return ""
}

// docsPlace is the place of a page among its docs.
type docsPlace struct {
	docs *article.Docs
	page *article.DocsPage
}

// docsPath is the folder of a page below that of the docs.
func docsPath(page, index *article.DocsPage) string {
	if page == index {
		return ""
	}
	return page.Name
}

// href leads from the page to another.
func (d *docsPlace) href(to *article.DocsPage) string {
	index := d.docs.Pages[0]
	from := ""
	if d.page != index {
		from = "../"
	}
	return (&url.URL{Path: from + path.Join(docsPath(to, index), "index.html")}).String()
}

// destination is where a link of the page leads on the site; ok is false if it leads to nothing that the site has.
func (d *docsPlace) destination(c *composer, written string) (href template.URL, ok bool) {
	to, err := d.docs.Follow(d.page, written)
	switch {
	case err != nil:
		return "", false // which is a problem of the project
	case to.Elsewhere != "":
		return template.URL(to.Elsewhere), true
	case to.Page != nil:
		address := ""
		if to.Page != d.page || to.Fragment == "" {
			address = d.href(to.Page)
		}
		if to.Fragment != "" {
			address += (&url.URL{Fragment: anchor(to.Fragment)}).String()
		}
		return template.URL(address), true
	case to.Article != "":
		if !slices.Contains(c.options.Articles, to.Article) {
			c.warnf("the link to the article %s is shown as text, since the site does not have it", to.Article)
			return "", false
		}
		return template.URL((&url.URL{Path: c.up + to.Article + "/index.html", Fragment: anchor(to.Fragment)}).String()), true
	}
	name := path.Join(docsFolder, to.File)
	if !slices.ContainsFunc(c.files, func(f File) bool { return f.Path == name }) {
		data, err := d.docs.ReadFile(to.File)
		if err != nil {
			return "", false
		}
		c.files = append(c.files, File{name, data})
	}
	return template.URL((&url.URL{Path: name}).String()), true
}
