package projects

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/yuin/goldmark/ast"

	"benchbook/files"
	"benchbook/notebook/article"
	"benchbook/notebook/markdown"
	"benchbook/notebook/source"
	"benchbook/slice"
)

// DocsIndex is the first page of a project's docs. It links all others, in the order in which they are to be read.
const DocsIndex = "README.md"

// Docs are pages of a project beside its articles, such as a manual: the files of a folder that end in .md. They are
// Markdown alone: a fence in them is a listing, whatever it is called, and nothing in them is run, measured or judged.
type Docs struct {
	Dir   string // absolute
	Pages []*DocsPage

	project  *Project
	articles map[string]map[string]bool // parts of articles that links name, by slug
}

// DocsPage is a page of Docs.
type DocsPage struct {
	*article.Document        // of which Dir, Source, Tree and Text are set
	Name              string // of the file, without .md
	Title             *ast.Heading
	Group             string // heading of the index below which it is linked; empty for the index itself

	anchors map[string]bool // ids of its headings, as goldmark makes them
}

// Bounds of what a site takes in beside articles.
const (
	maxDocs     = 500
	maxDocsFile = 8 << 20
)

// docsFiles are the kinds of files that pages may link: browsers show them as text, or offer to save them, and run
// none.
var docsFiles = []string{".csv", ".json", ".txt", ".yaml", ".yml"}

// ReadDocs reads the docs that the project names; nil if it names none, or they cannot be read.
//
// Problems are pages that cannot be read, or have no title, or are not linked from the first, and links that lead to
// nothing.
func (p *Project) ReadDocs(problems *source.Problems) *Docs {
	name := p.Docs.Value
	if name == "" {
		return nil
	}
	dir := filepath.Join(p.Dir, filepath.FromSlash(name))
	d := &Docs{Dir: dir, project: p, articles: map[string]map[string]bool{}}
	const hint = "name a folder of the project that has a " + DocsIndex + ", or remove docs"
	if clean := path.Clean(name); !filepath.IsLocal(filepath.FromSlash(name)) || clean == "." {
		problems.Add("no-docs", p.Docs.Pos, "the docs folder %q is not inside the project", name).Hint = hint
		return nil
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		problems.Add("no-docs", p.Docs.Pos, "the docs %q cannot be read: %s", name, files.Reason(err)).Hint = hint
		return nil
	}
	for _, e := range entries {
		if !e.Type().IsRegular() || path.Ext(e.Name()) != ".md" || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		if len(d.Pages) == maxDocs {
			problems.Add("too-many", p.Docs.Pos, "the docs have more than %d pages", maxDocs).Hint = "make fewer of them"
			break
		}
		if page := p.docsPage(dir, e.Name(), problems); page != nil {
			d.Pages = append(d.Pages, page)
		}
	}
	index := d.page(DocsIndex)
	if index == nil {
		problems.Add("no-docs", p.Docs.Pos, "the docs %q have no page %s", name,
			DocsIndex).Hint = "write it: it links all others, in their order"
		return nil
	}
	d.order(index)
	for _, page := range d.Pages {
		d.checkLinks(page, problems)
		if page != index && page.Group == unlisted {
			problems.Add("unlisted-page", page.Source.Pos(0, 0), "the page is not linked from %s", DocsIndex).
				Hint = "link it there, below the heading where it belongs"
		}
	}
	return d
}

// unlisted is the group of pages that the index does not link. No heading is called so.
const unlisted = "\x00"

// docsPage reads a page; nil if it cannot be read.
func (p *Project) docsPage(dir, name string, problems *source.Problems) *DocsPage {
	src, ok := source.Read(filepath.Join(dir, name), path.Join(path.Clean(p.Docs.Value), name), problems)
	if !ok || !source.Fits(src, problems) {
		return nil
	}
	if !utf8.Valid(src.Data) {
		at := source.FirstInvalid(src.Data)
		problems.Add("bad-utf8", src.Pos(at, at+1), "the file is not UTF-8 from here on").Hint = "save it as UTF-8"
		return nil
	}
	doc := &article.Document{Dir: dir, Source: src, Text: src.Data}
	doc.Tree = doc.ParseMarkdown(markdown.ForPages())
	problems.Merge(&doc.Problems)
	page := &DocsPage{Document: doc, Name: strings.TrimSuffix(name, ".md"), Group: unlisted, anchors: map[string]bool{}}
	title, ok := doc.Tree.FirstChild().(*ast.Heading)
	if !ok || title.Level != 1 {
		problems.Add("no-title", src.Pos(0, 0),
			"the page does not begin with its title").Hint = "begin it with a line # and the title"
		return nil
	}
	page.Title = title
	_ = ast.Walk(doc.Tree, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if h, ok := n.(*ast.Heading); ok && entering {
			if id, ok := h.AttributeString("id"); ok {
				page.anchors[fmt.Sprintf("%s", id)] = true
			}
		}
		return ast.WalkContinue, nil
	})
	return page
}

// page is the page of a file; nil if there is none.
func (d *Docs) page(file string) *DocsPage {
	found, _ := slice.Find(d.Pages, func(p *DocsPage) bool { return p.Name+".md" == file })
	return found
}

// order puts the pages into the order in which the index links them below its headings, each in the group of the
// heading above. Those that it links only before its first heading follow, and those that it does not link come last.
func (d *Docs) order(index *DocsPage) {
	index.Group = ""
	ordered, before := []*DocsPage{index}, []*DocsPage{}
	group, below := "", false
	_ = ast.Walk(index.Tree, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Heading:
			if n.Level == 2 {
				group, below = plainText(n, index.Text), true
			}
		case *ast.Link:
			to, _ := d.Follow(index, markdown.Resolve(n.Destination)) // what is wrong is said where all links are checked
			switch {
			case to.Page == nil || slices.Contains(ordered, to.Page):
			case !below:
				before = append(before, to.Page)
			default:
				to.Page.Group = group
				ordered = append(ordered, to.Page)
			}
		}
		return ast.WalkContinue, nil
	})
	for _, page := range before {
		if !slices.Contains(ordered, page) {
			page.Group = ""
			ordered = append(ordered, page)
		}
	}
	for _, page := range d.Pages {
		ordered = slice.Add(ordered, page)
	}
	d.Pages = ordered
}

// plainText is the text of a node.
func plainText(n ast.Node, source []byte) string {
	var b strings.Builder
	_ = ast.Walk(n, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if t, ok := n.(*ast.Text); ok && entering {
			if n.Parent().Kind() == ast.KindCodeSpan {
				b.Write(t.Segment.Value(source))
			} else {
				b.WriteString(markdown.Resolve(t.Segment.Value(source)))
			}
		}
		return ast.WalkContinue, nil
	})
	return b.String()
}

// DocsLink is where a link of a page leads: to one of these.
type DocsLink struct {
	Elsewhere string // in the web, or a mail address
	Page      *DocsPage
	Article   string // slug
	File      string // below the folder of the docs, with slashes

	Fragment string // of a page or an article, without #; may be empty
}

// Follow says where a link of a page leads. It can name a page, a file or a heading as code hosts understand it,
// counted from the page, an article by its file, or an address.
//
// The error says in words for its author why the link leads to nothing.
func (d *Docs) Follow(from *DocsPage, written string) (DocsLink, error) {
	if address, err := markdown.Elsewhere(written); address != "" || err != nil {
		return DocsLink{Elsewhere: address}, err
	}
	u, err := url.Parse(written)
	if err != nil {
		return DocsLink{}, errors.New("it is not an address")
	}
	name := path.Clean(u.Path)
	to := DocsLink{Fragment: u.Fragment}
	if u.Path == "" {
		to.Page = from
	} else {
		to.Page = d.page(name)
	}
	if to.Page != nil {
		if u.Fragment != "" && !to.Page.anchors[u.Fragment] {
			return to, fmt.Errorf("%s has no such heading", to.Page.Source.Path)
		}
		return to, nil
	}
	if path.IsAbs(name) || strings.Contains(name, `\`) {
		return DocsLink{}, errors.New("paths are counted from the page, and have slashes")
	}
	if slug, ok := d.article(name); ok {
		to.Article = slug
		return to, d.checkPart(slug, u.Fragment)
	}
	if !filepath.IsLocal(filepath.FromSlash(name)) {
		return DocsLink{}, errors.New("the site has neither a page nor an article there")
	}
	if path.Ext(name) == ".md" {
		return DocsLink{}, errors.New("there is no such page")
	}
	if !slices.Contains(docsFiles, path.Ext(name)) {
		return DocsLink{}, fmt.Errorf("the site includes only %s files", strings.Join(docsFiles, " "))
	}
	to.File, to.Fragment = name, ""
	_, err = d.ReadFile(name)
	return to, err
}

// article gives the slug of the article whose file or folder a path leads to, seen from the folder of the docs.
func (d *Docs) article(name string) (slug string, ok bool) {
	below, err := filepath.Rel(filepath.Join(d.project.Dir, "experiments"), filepath.Join(d.Dir, filepath.FromSlash(name)))
	if err != nil {
		return "", false
	}
	slug, file, _ := strings.Cut(filepath.ToSlash(below), "/")
	if slug == ".." || slug == "." || file != "" && file != article.FileName {
		return "", false
	}
	_, err = os.Lstat(filepath.Join(d.project.ArticleDir(slug), article.FileName))
	return slug, err == nil
}

// checkPart says whether an article has a part that a link names.
func (d *Docs) checkPart(slug, part string) error {
	if part == "" {
		return nil
	}
	parts, known := d.articles[slug]
	if !known {
		doc, err := d.project.Article(slug)
		if err != nil {
			return err
		}
		parts = map[string]bool{}
		d.articles[slug] = parts
		for _, t := range doc.Tables {
			parts[t.Label.Value] = true
		}
		for _, f := range doc.Figures {
			parts[f.Label.Value] = true
		}
		_ = ast.Walk(doc.Tree, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
			if id, ok := n.AttributeString("id"); ok && entering {
				parts[fmt.Sprintf("%s", id)] = true
			}
			return ast.WalkContinue, nil
		})
	}
	if !parts[part] {
		return fmt.Errorf("the article %s has no such heading, table or figure", slug)
	}
	return nil
}

// ReadFile reads a file of the folder that pages show or link.
//
// The error says in words for the author of the page why it cannot be had.
func (d *Docs) ReadFile(name string) ([]byte, error) {
	root, err := os.OpenRoot(d.Dir) // which follows no link that leads out of it
	if err != nil {
		return nil, errors.New(files.Reason(err))
	}
	defer root.Close()
	data, _, err := files.ReadIn(root, name, maxDocsFile)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, errors.New("there is no such file")
	case err != nil:
		return nil, errors.New(files.Reason(err))
	}
	return data, nil
}

// checkLinks reports the links and pictures of a page that lead to nothing.
func (d *Docs) checkLinks(page *DocsPage, problems *source.Problems) {
	dead := func(n ast.Node, destination []byte, err error) {
		at := page.Destination(n, string(destination))
		problems.Add("dead-link", at, "the link %q leads to nothing: %s", destination, err).
			Hint = "correct it, or remove it"
	}
	_ = ast.Walk(page.Tree, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Link:
			if _, err := d.Follow(page, markdown.Resolve(n.Destination)); err != nil {
				dead(n, n.Destination, err)
			}
		case *ast.Image:
			u, err := url.Parse(markdown.Resolve(n.Destination))
			switch {
			case err != nil:
				dead(n, n.Destination, errors.New("it is not an address"))
			case u.Scheme == "" && u.Host == "":
				if _, err := d.ReadFile(path.Clean(u.Path)); err != nil {
					dead(n, n.Destination, err)
				}
			}
		}
		return ast.WalkContinue, nil
	})
}
