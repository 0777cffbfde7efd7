// Package site makes a site of rendered articles: a page each, an index, tags, a feed, and the theme
// beside them.
//
// A site is a folder of plain files that works from any address and from none: every link is relative, nothing is
// asked of anybody else, and each page forbids its reader's browser to do otherwise. The same pages make the same
// files; files that are as they should be are left alone, so that a build that changes nothing writes nothing.
//
// Build removes what a former build wrote and this one did not, and nothing else: what it wrote stands in a manifest,
// and a folder with files but without one is refused.
package site

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"net/url"
	"os"
	"path"
	"runtime"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"benchbook/internal/files"
	"benchbook/notebook/source"
	"benchbook/render"
)

// Options describe a site. The zero value works.
type Options struct {
	Title       string // "benchbook" if empty
	Description string // a sentence or two under the title of the index
	Author      string // of the feed; the title if empty
	Version     string // of benchbook, for the foot of each page; may be empty
	Drafts      bool   // articles that are drafts are part of the site, though not of its feed, search and map
	BaseURL     string // where the site will be, an absolute URL; "" if that is not known. Links are relative in any case

	// SingleFile makes a file of each article that holds all it needs, and nothing else.
	SingleFile bool
}

const defaultTitle = "benchbook"

type Report struct {
	Files   int      // that the site has
	Written []string // new or changed, relative to the site's folder, sorted
	Removed []string // likewise
}

// CheckBaseURL returns an error for an invalid address of a site.
func CheckBaseURL(address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
		return fmt.Errorf("invalid site address %q: write one such as https://example.org/benchmarks/", address)
	}
	return nil
}

// Build writes the site into dir, which is made if needed, with a theme as in package theme. Errors are those of the
// file system, a theme without a file, two pages of one name, or a folder with files that no build wrote. After an
// error the site is as before, unless moving finished files failed.
func Build(pages []*render.Page, dir string, theme fs.FS, o Options) (Report, error) {
	w, err := newWriter(dir)
	if err != nil {
		return Report{}, err
	}
	defer w.close()
	if o.SingleFile && slices.Contains(w.old, "index.html") {
		return Report{}, fmt.Errorf("there is a site in %s, which single files would replace: give them another folder, as "+
			"by -o mail", dir)
	}
	if err := build(pages, theme, o, w.put, w.copy); err != nil {
		return Report{}, err
	}
	return w.finish()
}

// Files returns what Build writes: the contents of files by slash-separated paths.
func Files(pages []*render.Page, theme fs.FS, o Options) (map[string][]byte, error) {
	var mu sync.Mutex
	files := map[string][]byte{}
	put := func(name string, data []byte) error {
		mu.Lock()
		defer mu.Unlock()
		files[name] = data
		return nil
	}
	err := build(pages, theme, o, put, func(name, from string) error {
		data, err := os.ReadFile(from)
		if err != nil {
			return fmt.Errorf("reading what the site has a copy of: %w", err)
		}
		return put(name, data)
	})
	if err != nil {
		return nil, err
	}
	return files, nil
}

// build makes the files of a site concurrently, and puts each somewhere, or a copy of another file.
func build(pages []*render.Page, theme fs.FS, o Options, put func(name string, data []byte) error,
	copyFile func(name, from string) error) error {
	b, err := newBuilder(theme, o)
	if err != nil {
		return err
	}
	b.put, b.copyFile = put, copyFile
	pages = slices.DeleteFunc(slices.Clone(pages), func(p *render.Page) bool { return p.Draft && !o.Drafts })
	slices.SortFunc(pages, func(a, b *render.Page) int { // the newest results first
		return cmp.Or(b.Measured.Compare(a.Measured), strings.Compare(b.Date, a.Date), strings.Compare(a.Slug, b.Slug))
	})
	for _, p := range pages {
		if err := CheckSlug(p.Slug); err != nil {
			return fmt.Errorf("%w; rename its folder", err)
		}
	}
	if o.SingleFile {
		b.inlineStyle = string(b.assets.inlineStyle())
		return b.each(pages, b.single)
	}
	for name, data := range b.assets.files {
		if err := b.addFile(name, data); err != nil {
			return err
		}
	}
	if err := b.search(pages); err != nil {
		return err
	}
	if err := b.each(pages, b.article); err != nil {
		return err
	}
	for _, step := range []func([]*render.Page) error{b.index, b.tags, b.missing, b.feed, b.siteMap} {
		if err := step(pages); err != nil {
			return err
		}
	}
	return nil
}

// missing adds the page that servers show for an address that leads nowhere. It is shown at any depth, so it names
// files by the address of the site, if that is known.
func (b *builder) missing([]*render.Page) error {
	root := b.options.BaseURL
	v := layoutView{Title: "Not found · " + b.options.Title, NoIndex: true, Feed: true, Root: root,
		Style: b.assets.names[styleFile], Script: b.assets.names[scriptFile], Search: b.found,
		Icon: template.URL(root + b.assets.names[iconFile]), Policy: policy(false, []string{string(b.assets.early)}, nil)}
	var err error
	if v.Main, err = b.fill("missing", root); err != nil {
		return err
	}
	html, err := b.layout(v)
	if err != nil {
		return err
	}
	return b.addFile(missingFile, html)
}

// each runs a function for every page, concurrently.
func (b *builder) each(pages []*render.Page, do func(*render.Page) error) error {
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for _, p := range pages {
		group.Go(func() error { return do(p) })
	}
	return group.Wait()
}

// builder makes the files of a site. Pages of articles are added concurrently.
type builder struct {
	options     Options
	templates   *template.Template
	assets      *assets
	put         func(name string, data []byte) error
	copyFile    func(name, from string) error
	found       string // path of the script that search looks into
	inlineStyle string // with its fonts, for single files

	mu      sync.Mutex      // guards what follows
	names   map[string]bool // of the files so far, with slashes
	located []located       // pages that a map of the site has
}

func newBuilder(theme fs.FS, o Options) (*builder, error) {
	o.Title = cmp.Or(o.Title, defaultTitle)
	o.Author = cmp.Or(o.Author, o.Title)
	if o.BaseURL != "" {
		if err := CheckBaseURL(o.BaseURL); err != nil {
			return nil, err
		}
		o.BaseURL = strings.TrimSuffix(o.BaseURL, "/") + "/"
	}
	templates, err := template.New("theme").Option("missingkey=error").ParseFS(theme, "*.html")
	if err != nil {
		return nil, fmt.Errorf("reading the templates of the theme: %w", err)
	}
	a, err := newAssets(theme)
	if err != nil {
		return nil, err
	}
	return &builder{options: o, templates: templates, assets: a, names: map[string]bool{}}, nil
}

type layoutView struct {
	Policy, Title, Description, Site, Version string
	Root                                      string // from the page to the folder of the site
	Style, Script, Search                     string // paths from there
	Canonical                                 string // where the page will be; empty if that is not known
	Icon                                      template.URL
	Card                                      *cardView // of the page where others link it; nil for most
	Feed                                      bool
	// others should not list it, as it is not finished
	NoIndex bool
	Early   template.JS
	Main    template.HTML
	IsIndex bool

	// Inline is what a page that is a single file has in it.
	Inline *inlineView
}

type inlineView struct {
	Style  template.CSS
	Script template.JS
	Home   string // address of the site; may be empty
}

type pageAt struct {
	folder             string // of the page; "" for that of the site
	title, description string
	main               template.HTML
	unlisted           bool // a draft, which search engines are to leave out
	isIndex            bool
	changed            string       // year-month-day; empty if not known
	of                 *render.Page // nil if it is no article
}

// cardView is what services show of a page that somebody links. Source: ogp.me.
type cardView struct{ Type, Title, Says string }

// linked adds to the head of a page what others show of it.
func (v *layoutView) linked(p pageAt) {
	switch {
	case p.of != nil:
		v.Card = &cardView{"article", p.of.Title, p.of.Finding}
	case p.isIndex:
		v.Card = &cardView{"website", p.title, p.description}
	}
}

// add lays out a page and adds it to the site, with the files that it links.
func (b *builder) add(p pageAt, files []render.File) error {
	name := path.Join(p.folder, indexFile)
	v := layoutView{Title: p.title, Description: p.description, Main: p.main, IsIndex: p.isIndex, NoIndex: p.unlisted,
		Feed: true, Style: b.assets.names[styleFile], Script: b.assets.names[scriptFile], Search: b.found}
	if p.folder != "" {
		v.Root = strings.Repeat("../", strings.Count(p.folder, "/")+1)
	}
	if b.options.BaseURL != "" {
		v.Canonical = b.absolute(name)
	}
	v.Icon = template.URL(v.Root + b.assets.names[iconFile])
	v.linked(p)
	v.Policy = policy(false, []string{string(b.assets.early)}, nil)
	html, err := b.layout(v)
	if err != nil {
		return err
	}
	if !p.unlisted {
		b.locate(located{name, p.changed})
	}
	for _, f := range append([]render.File{{Path: indexFile, Data: html}}, files...) {
		if !fs.ValidPath(f.Path) {
			return fmt.Errorf("article %s has a file %q outside its folder", p.folder, f.Path)
		}
		if err := b.addFile(path.Join(p.folder, f.Path), f.Data); err != nil {
			return err
		}
	}
	return nil
}

func (b *builder) layout(v layoutView) ([]byte, error) {
	v.Site, v.Version, v.Early = b.options.Title, b.options.Version, b.assets.early
	var out bytes.Buffer
	out.Grow(len(v.Main) + len(v.Main)/8 + 4<<10) // most of it is known
	if err := b.templates.ExecuteTemplate(&out, "layout", v); err != nil {
		return nil, fmt.Errorf("filling the template of pages: %w", err)
	}
	return source.PlainBytes(out.Bytes()), nil // titles of articles, and that of the site, stand in the head too
}

func (b *builder) fill(name string, view any) (template.HTML, error) {
	var out bytes.Buffer
	if err := b.templates.ExecuteTemplate(&out, name, view); err != nil {
		return "", fmt.Errorf("filling the template %q: %w", name, err)
	}
	return template.HTML(out.String()), nil
}

// absolute returns the public address of a file. A folder stands for its index.
func (b *builder) absolute(name string) string {
	name = strings.TrimSuffix(name, indexFile)
	return b.options.BaseURL + (&url.URL{Path: name}).EscapedPath()
}

func (b *builder) article(p *render.Page) error {
	changed := ""
	if d := dateOf(p); d != nil {
		changed = d.ISO
	}
	of := pageAt{folder: p.Slug, title: p.Title + " · " + b.options.Title, description: p.Finding, main: p.HTML,
		unlisted: p.Draft, changed: changed, of: p}
	if err := b.add(of, p.Files); err != nil {
		return err
	}
	for _, c := range p.Copies {
		name := path.Join(p.Slug, c.Path)
		if err := b.reserve(name); err != nil {
			return err
		}
		if err := b.copyFile(name, c.From); err != nil {
			return err
		}
	}
	return nil
}

// CheckSlug returns an error if an article cannot have a page: its slug is not a folder name, or the site uses it.
func CheckSlug(slug string) error {
	switch {
	case !files.IsName(slug):
		return fmt.Errorf("%q cannot be the slug of an article: begin with a letter or a digit, and use letters, digits, - "+
			"and _", slug)
	case isOurs(slug):
		return fmt.Errorf("%q cannot be the slug of an article: the site has pages or files of its own there", slug)
	}
	return nil
}

func (b *builder) locate(l located) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.located = append(b.located, l)
}

func (b *builder) addFile(name string, data []byte) error {
	if err := b.reserve(name); err != nil {
		return err
	}
	return b.put(name, data)
}

func (b *builder) reserve(name string) error {
	if !b.take(name) {
		return errors.New("the site would have the file " + name + " twice; rename an article or a label")
	}
	return nil
}

// take reserves a file name; false if it is taken.
func (b *builder) take(name string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.names[name] {
		return false
	}
	b.names[name] = true
	return true
}
