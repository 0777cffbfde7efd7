// Package site makes a site of rendered articles: their pages, an index, tags, a feed, search, and the theme.
//
// A site is a folder of plain files. Links are relative, so it works at any address and from a disk. Pages load nothing
// from elsewhere, and their policies forbid it. Equal pages give equal files.
package site

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"fmt"
	"html/template"
	"io/fs"
	"mime"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/net/html"

	"benchbook/internal/files"
	"benchbook/notebook/source"
	"benchbook/render"
	"benchbook/site/theme"
)

// Options describes a site. The zero value works.
type Options struct {
	Title       string // "benchbook" if empty
	Description string // a sentence or two under the title of the index
	Author      string // of the feed; the title if empty
	Version     string // of benchbook, for the footer; may be empty
	BaseURL     string // the address of the site; empty if unknown. Links are relative in any case
	Style       []byte // CSS added after ours; may be empty

	// SingleFile makes one self-contained file for each article, and nothing else.
	SingleFile bool
}

const (
	indexFile   = "index.html"
	missingFile = "404.html"
)

// CheckBaseURL returns an error for an invalid address of a site.
func CheckBaseURL(address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
		return fmt.Errorf("invalid site address %q: write one such as https://example.org/benchmarks/", address)
	}
	return nil
}

// CheckSlug returns an error for a slug that is no valid folder name, or a name that the site uses itself.
func CheckSlug(slug string) error {
	switch {
	case !files.IsName(slug):
		return fmt.Errorf("%q cannot be the slug of an article: begin with a letter or a digit, and use letters, digits, - "+
			"and _", slug)
	case isReserved(slug):
		return fmt.Errorf("%q cannot be the slug of an article: the site has pages or files of its own there", slug)
	}
	return nil
}

// Build writes the site into dir, and removes files of the last build that it no longer has. It fails if dir has other
// files but no site. If pages can't be made, dir stays as it is.
func Build(pages []*render.Page, dir string, o Options) (Report, error) {
	if _, err := os.Lstat(filepath.Join(dir, indexFile)); o.SingleFile && err == nil {
		return Report{}, fmt.Errorf("there is a site in %s, which single files would replace: give them another folder, as "+
			"by -o mail", dir)
	}
	made, err := Files(pages, o)
	if err != nil {
		return Report{}, err
	}
	return update(dir, made)
}

// Files returns the files of a site by slash-separated path.
func Files(pages []*render.Page, o Options) (map[string]File, error) {
	if err := CheckBaseURL(o.BaseURL); o.BaseURL != "" && err != nil {
		return nil, err
	}
	pages = slices.Clone(pages)
	for _, p := range pages {
		if err := CheckSlug(p.Slug); err != nil {
			return nil, fmt.Errorf("%w; rename its folder", err)
		}
	}
	slices.SortFunc(pages, func(a, b *render.Page) int { // the newest of each rank first
		return cmp.Or(rank(a)-rank(b), b.Measured.Compare(a.Measured), strings.Compare(b.Date, a.Date),
			strings.Compare(a.Slug, b.Slug))
	})
	b := newBuilder(o)
	if o.SingleFile {
		b.singles(pages)
	} else {
		b.site(pages)
	}
	if b.err != nil {
		return nil, b.err
	}
	return b.files, nil
}

func (b *builder) site(pages []*render.Page) {
	for name, data := range b.assets.files {
		b.files[name] = File{Data: data}
	}
	b.search(pages) // first, as pages link its file
	b.articles(pages)
	b.index(pages)
	b.tags(pages)
	b.missing()
	b.feed(pages)
}

// rank returns 0 for an article that reproduces something, 1 for others, 2 for examples, 3 for those without results.
func rank(p *render.Page) int {
	switch {
	case p.Measured.IsZero():
		return 3
	case slices.Contains(p.Tags, "example"):
		return 2
	case p.Original == "":
		return 1
	}
	return 0
}

type builder struct {
	options   Options
	templates *template.Template
	assets    *assets
	found     string // path of the search index, which is a script
	files     map[string]File
	taken     map[string]bool // paths in lower case, as some file systems ignore case
	err       error           // the first one
}

func newBuilder(o Options) *builder {
	o.Title = cmp.Or(o.Title, "benchbook")
	o.Author = cmp.Or(o.Author, o.Title)
	if o.BaseURL != "" {
		o.BaseURL = strings.TrimSuffix(o.BaseURL, "/") + "/"
	}
	return &builder{options: o, templates: template.Must(template.ParseFS(theme.Files, "*.html")), assets: newAssets(o.Style),
		files: map[string]File{}, taken: map[string]bool{}}
}

// fail keeps the first error.
func (b *builder) fail(format string, args ...any) {
	if b.err == nil {
		b.err = fmt.Errorf(format, args...)
	}
}

// layoutView is a page with its main element.
type layoutView struct {
	Policy, Title, Description, Site, Version string
	Root                                      string // from the page to the folder of the site
	Style, Script, Search                     string // paths from there
	Canonical                                 string // address of the page; empty if unknown
	Icon                                      template.URL
	Card                                      *cardView // for links to the page; may be nil
	NoIndex, IsIndex                          bool
	Early                                     template.JS
	Main                                      template.HTML
	Inline                                    *inlineView // for single files; else nil
}

// inlineView holds the style and script of a single file, and the address of the site, which may be empty.
type inlineView struct {
	Style  template.CSS
	Script template.JS
	Home   string
}

// cardView is the preview of a link to a page; Image is an address, or empty. Source: ogp.me.
type cardView struct{ Type, Title, Says, Image string }

func (b *builder) articles(pages []*render.Page) {
	for _, p := range pages {
		card := &cardView{"article", p.Title, p.Finding, ""}
		isCard := func(f render.File) bool { return f.Path == render.CardFile }
		if b.options.BaseURL != "" && slices.ContainsFunc(p.Files, isCard) {
			card.Image = b.absolute(path.Join(p.Slug, render.CardFile))
		}
		b.page(p.Slug, layoutView{Title: p.Title + " · " + b.options.Title, Description: p.Finding, Main: p.HTML, Card: card})
		for _, f := range p.Files {
			b.below(p.Slug, f.Path, File{Data: f.Data})
		}
		for _, c := range p.Copies {
			b.below(p.Slug, c.Path, File{From: c.From, Packed: true})
		}
	}
}

// missing adds the page for unknown addresses. Their depth varies, so it links files by the address of the site.
func (b *builder) missing() {
	root := b.options.BaseURL
	b.add(missingFile, File{Data: b.layout(layoutView{Title: "Not found · " + b.options.Title, NoIndex: true, Root: root,
		Main: b.fill("missing", root)})})
}

// page adds the page of a folder; "" is the folder of the site.
func (b *builder) page(folder string, v layoutView) {
	name := path.Join(folder, indexFile)
	if folder != "" {
		v.Root = strings.Repeat("../", strings.Count(folder, "/")+1)
	}
	if b.options.BaseURL != "" {
		v.Canonical = b.absolute(name)
	}
	b.add(name, File{Data: b.layout(v)})
}

// layout renders a page that loads the files of the theme, unless the view has them inline.
func (b *builder) layout(v layoutView) []byte {
	v.Site, v.Version, v.Early = b.options.Title, b.options.Version, b.assets.early
	if v.Inline == nil {
		v.Style, v.Script, v.Search = b.assets.names[styleFile], b.assets.names[scriptFile], b.found
		v.Icon = template.URL(v.Root + b.assets.names[iconFile])
		v.Policy = policy(string(b.assets.early))
	}
	return source.PlainBytes([]byte(b.fill("layout", v))) // titles may hold control characters
}

func (b *builder) fill(name string, view any) template.HTML {
	var out strings.Builder
	if err := b.templates.ExecuteTemplate(&out, name, view); err != nil {
		b.fail("filling the template %q: %w", name, err)
	}
	return template.HTML(out.String())
}

// absolute returns the address of a file; for an index, the address of its folder.
func (b *builder) absolute(name string) string {
	return b.options.BaseURL + (&url.URL{Path: strings.TrimSuffix(name, indexFile)}).EscapedPath()
}

// below adds a file to the folder of an article. name is relative to it.
func (b *builder) below(slug, name string, f File) {
	if !fs.ValidPath(name) {
		b.fail("article %s has a file %q outside its folder", slug, name)
	}
	b.add(path.Join(slug, name), f)
}

func (b *builder) add(name string, f File) {
	if key := strings.ToLower(name); b.taken[key] {
		b.fail("the site would have the file %s twice; rename an article or a label", name)
	} else {
		b.taken[key], b.files[name] = true, f
	}
}

// singles adds a self-contained file for each article.
func (b *builder) singles(pages []*render.Page) {
	style := string(b.assets.withFonts(func(name string) string { return dataURI(name, b.assets.fonts[name]) }))
	for _, p := range pages {
		v := layoutView{Title: p.Title + " · " + b.options.Title, Description: p.Finding, Main: template.HTML(inlined(p)),
			Card:   &cardView{"article", p.Title, p.Finding, ""},
			Inline: &inlineView{template.CSS(style), template.JS(b.assets.script), b.options.BaseURL},
			Icon:   template.URL(dataURI(iconFile, b.assets.files[b.assets.names[iconFile]])),
			Policy: policyOfSingle(style, string(b.assets.early), string(b.assets.script))}
		if b.options.BaseURL != "" {
			v.Canonical = b.absolute(p.Slug + "/" + indexFile)
		}
		b.add(p.Slug+".html", File{Data: b.layout(v)})
	}
}

// inlined returns the main element of a page with its files as data URIs, and with links to the single files of other
// articles.
func inlined(p *render.Page) string {
	inside := map[string][]byte{}
	for _, f := range p.Files {
		inside[f.Path] = f.Data
	}
	z := html.NewTokenizer(strings.NewReader(string(p.HTML)))
	var out strings.Builder
	for kind := z.Next(); kind != html.ErrorToken; kind = z.Next() { // the end of the text
		raw := bytes.Clone(z.Raw())
		if token := z.Token(); (kind == html.StartTagToken || kind == html.SelfClosingTagToken) && (token.Data == "a" || token.Data == "img") &&
			inline(&token, inside) {
			out.WriteString(token.String())
			continue
		}
		out.Write(raw)
	}
	return out.String()
}

// inline rewrites the address in a tag for a single file, and reports whether it changed.
func inline(t *html.Token, inside map[string][]byte) bool {
	for i, a := range t.Attr {
		if a.Key != "href" && a.Key != "src" {
			continue
		}
		u, err := url.Parse(a.Val)
		if err != nil || u.Scheme != "" || u.Host != "" || u.Path == "" {
			return false
		}
		if data, ok := inside[u.Path]; ok {
			t.Attr[i].Val = dataURI(u.Path, data)
			for k := range t.Attr {
				if t.Attr[k].Key == "download" {
					t.Attr[k].Val = path.Base(u.Path)
				}
			}
			return true
		}
		if slug, rest, ok := strings.Cut(strings.TrimPrefix(u.Path, "../"), "/"); ok && rest == indexFile {
			u.Path = slug + ".html"
			t.Attr[i].Val = u.String()
			return true
		}
	}
	return false
}

// kinds has media types that some systems don't know.
var kinds = map[string]string{".woff2": "font/woff2", ".csv": "text/csv", ".svg": "image/svg+xml", ".png": "image/png"}

func dataURI(name string, data []byte) string {
	kind := cmp.Or(kinds[path.Ext(name)], mime.TypeByExtension(path.Ext(name)), "application/octet-stream")
	return "data:" + kind + ";base64," + base64.StdEncoding.EncodeToString(data)
}
