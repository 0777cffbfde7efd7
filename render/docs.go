package render

import (
	"cmp"
	"fmt"
	"html/template"
	"net/url"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/yuin/goldmark/ast"

	"benchbook/notebook/projects"
	"benchbook/render/prose"
	"benchbook/render/sections"
)

// DocsPage is a rendered page of a project's docs.
type DocsPage struct {
	Path        string // of its folder below that of the docs; "" for the first
	Title       string // as text
	Description string // as text: how it begins
	HTML        template.HTML
	Files       []File             // that it links, relative to its own folder
	Sections    []sections.Section // what search finds in it
	Warnings    []string           // what its author should look at
}

// docsFolder holds the files that a page of docs links, below its own folder.
const docsFolder = "files"

// Docs renders the pages of docs in order. Links to nothing, or to articles that are not in Options.Articles, become
// text. The error is one of a template.
func (r *Renderer) Docs(docs *projects.Docs, o Options) ([]*DocsPage, error) {
	var writers []*docsWriter
	var links []docsLink
	for _, page := range docs.Pages {
		c := &docsWriter{Renderer: r, docs: docs, page: page, articles: o.Articles}
		c.prose = r.prose.Writer(page.Document, c, nil, prose.Options{Title: page.Title, Destination: c.destination})
		c.prose.Survey()
		writers = append(writers, c)
		links = append(links, docsLink{words: strings.TrimSpace(c.prose.Plain(page.Title, page.Text)), page: page})
	}
	var out []*DocsPage
	for i, c := range writers {
		page, err := c.write(links, i)
		if err != nil {
			return nil, err
		}
		out = append(out, page)
	}
	return out, nil
}

type docsWriter struct {
	*Renderer
	docs     *projects.Docs
	page     *projects.DocsPage
	articles []string // that the site has
	prose    *prose.Writer
	files    []File
	warnings []string
	err      error
}

func (c *docsWriter) Fill(name string, data any) template.HTML {
	filled, err := c.fill(name, data)
	c.err = cmp.Or(c.err, err)
	return filled
}

func (c *docsWriter) Warnf(format string, args ...any) {
	c.warnings = append(c.warnings, fmt.Sprintf(format, args...))
}

type docsLink struct {
	words string
	page  *projects.DocsPage
}

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

func (c *docsWriter) write(all []docsLink, at int) (*DocsPage, error) {
	here := all[at]
	title := c.prose.Children(here.page.Title, c.page.Text)
	v := docsView{Name: all[0].words, Title: title, Groups: c.groups(all, at)}
	if at > 0 {
		v.Before = &link{c.href(all[at-1].page), all[at-1].words}
	}
	if at+1 < len(all) {
		v.After = &link{c.href(all[at+1].page), all[at+1].words}
	}
	v.Prose = c.prose.Prose()
	page := &DocsPage{Path: docsPath(here.page, all[0].page), Title: here.words, Description: c.beginning(),
		HTML: c.Fill("docs", v), Files: c.allFiles()}
	page.Sections = sections.Of(page.HTML)
	for _, w := range c.warnings {
		page.Warnings = append(page.Warnings, here.page.Source.Path+": "+w)
	}
	if err := cmp.Or(c.err, c.prose.Err()); err != nil {
		return nil, fmt.Errorf("rendering %s: %w", here.page.Source.Path, err)
	}
	return page, nil
}

func (c *docsWriter) groups(all []docsLink, at int) []docsGroup {
	var groups []docsGroup
	for i, of := range all {
		e := docsEntry{link: link{c.href(of.page), of.words}, Here: i == at}
		if e.Here && i > 0 { // those of the first are the groups
			for _, h := range c.prose.Headings[1:] {
				if h.Level == 2 {
					e.Contents = append(e.Contents, link{"#" + h.ID, h.Words})
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

// beginning returns the first paragraph, cut to the length of a description.
func (c *docsWriter) beginning() string {
	const enough = 200
	for n := c.page.Tree.FirstChild(); n != nil; n = n.NextSibling() {
		if n.Kind() != ast.KindParagraph {
			continue
		}
		text := strings.Join(strings.Fields(c.prose.Plain(n, c.page.Text)), " ")
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

func docsPath(page, index *projects.DocsPage) string {
	if page == index {
		return ""
	}
	return page.Name
}

func (c *docsWriter) href(to *projects.DocsPage) string {
	index := c.docs.Pages[0]
	from := ""
	if c.page != index {
		from = "../"
	}
	return (&url.URL{Path: from + path.Join(docsPath(to, index), "index.html")}).String()
}

// destination resolves a link of the page; ok is false if it leads to nothing on the site.
func (c *docsWriter) destination(written string) (href template.URL, ok bool) {
	to, err := c.docs.Follow(c.page, written)
	switch {
	case err != nil:
		return "", false // which is a problem of the project
	case to.Elsewhere != "":
		return template.URL(to.Elsewhere), true
	case to.Page != nil:
		address := ""
		if to.Page != c.page || to.Fragment == "" {
			address = c.href(to.Page)
		}
		if to.Fragment != "" {
			address += (&url.URL{Fragment: prose.Anchor(to.Fragment)}).String()
		}
		return template.URL(address), true
	case to.Article != "":
		up := "../../"
		if c.page == c.docs.Pages[0] {
			up = "../"
		}
		if !slices.Contains(c.articles, to.Article) {
			c.Warnf("the link to the article %s is shown as text, since the site does not have it", to.Article)
			return "", false
		}
		return template.URL((&url.URL{Path: up + to.Article + "/index.html", Fragment: prose.Anchor(to.Fragment)}).String()),
			true
	}
	name := path.Join(docsFolder, to.File)
	if !slices.ContainsFunc(c.files, func(f File) bool { return f.Path == name }) {
		data, err := c.docs.ReadFile(to.File)
		if err != nil {
			return "", false
		}
		c.files = append(c.files, File{name, data})
	}
	return template.URL((&url.URL{Path: name}).String()), true
}

func (c *docsWriter) allFiles() []File {
	files := slices.Clone(c.files)
	for _, p := range c.prose.Pictures {
		files = append(files, File(p))
	}
	return files
}
