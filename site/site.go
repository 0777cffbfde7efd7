// Package site makes a site of rendered articles: a page each, an index, and the theme beside them.
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
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"path"
	"slices"
	"strings"

	"benchbook/render"
)

// Options are what a site is called and says of itself. The zero value works.
type Options struct {
	Title       string // "benchbook" if empty
	Description string // a sentence or two under the title of the index
	Version     string // of benchbook, for the foot of each page; may be empty
	Drafts      bool   // articles that are drafts are part of the site
}

const (
	defaultTitle       = "benchbook"
	defaultDescription = "Claims about databases and servers, each turned into an experiment that anyone can repeat. " +
		"Every number comes from a record, and every record names the machine."
)

// Report says what a build changed.
type Report struct {
	Files   int      // that the site has
	Written []string // new or changed, relative to the site's folder, sorted
	Removed []string // likewise
}

// assets are the files of a theme that pages load.
var assets = []string{"style.css", "benchbook.js", "fonts"}

// early is the script of a theme that stands in each page's head.
const early = "early.js"

// Build writes the site of pages into the folder dir, which is made if it is not there. It takes the look from theme, a
// folder as package theme has it.
//
// The error is one of the file system, of a theme that lacks a file, of two pages of one name, or of a folder
// that holds files which no build wrote.
func Build(pages []*render.Page, dir string, theme fs.FS, o Options) (Report, error) {
	b, err := newBuilder(theme, o)
	if err != nil {
		return Report{}, err
	}
	var shown []*render.Page
	for _, p := range pages {
		if !p.Draft || o.Drafts {
			shown = append(shown, p)
		}
	}
	slices.SortFunc(shown, func(a, b *render.Page) int {
		return cmp.Or(strings.Compare(b.Date, a.Date), strings.Compare(a.Slug, b.Slug)) // newest first
	})
	for _, p := range shown {
		if err := b.page(p); err != nil {
			return Report{}, err
		}
	}
	if err := b.index(shown); err != nil {
		return Report{}, err
	}
	return write(dir, b.files)
}

// builder gathers the files of a site.
type builder struct {
	options   Options
	templates *template.Template
	early     template.JS
	policy    string
	files     map[string][]byte // by path with slashes
}

func newBuilder(theme fs.FS, o Options) (*builder, error) {
	o.Title, o.Description = cmp.Or(o.Title, defaultTitle), cmp.Or(o.Description, defaultDescription)
	templates, err := template.New("theme").Option("missingkey=error").ParseFS(theme, "*.html")
	if err != nil {
		return nil, fmt.Errorf("reading the templates of the theme: %w", err)
	}
	script, err := fs.ReadFile(theme, early)
	if err != nil {
		return nil, fmt.Errorf("reading the theme: %w", err)
	}
	b := &builder{options: o, templates: templates, early: template.JS(bytes.TrimSpace(script)), files: map[string][]byte{}}
	b.policy = policy(string(b.early))
	for _, root := range assets {
		err := fs.WalkDir(theme, root, func(name string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			data, err := fs.ReadFile(theme, name)
			b.files[name] = data
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("reading the theme: %w", err)
		}
	}
	return b, nil
}

// policy is what a page allows a browser: files of the site, the one script in its head, and the numbers that place the
// plots in the cells of a table.
func policy(script string) string {
	sum := sha256.Sum256([]byte(script))
	return strings.Join([]string{
		"default-src 'none'",
		"script-src 'self' 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'",
		"style-src 'self'",
		"style-src-attr 'unsafe-inline'",
		"font-src 'self'",
		"img-src 'self'",
		"connect-src 'self'",
		"base-uri 'none'",
		"form-action 'none'",
	}, "; ")
}

// layoutView is a page in the template.
type layoutView struct {
	Policy, Title, Description, Site, Version string
	Root                                      string // from the page to the folder of the site
	Early                                     template.JS
	Main                                      template.HTML
	IsIndex                                   bool
}

func (b *builder) layout(v layoutView) ([]byte, error) {
	v.Policy, v.Site, v.Version, v.Early = b.policy, b.options.Title, b.options.Version, b.early
	var out bytes.Buffer
	if err := b.templates.ExecuteTemplate(&out, "layout", v); err != nil {
		return nil, fmt.Errorf("filling the template of pages: %w", err)
	}
	return out.Bytes(), nil
}

// page adds the page of an article, and its files.
func (b *builder) page(p *render.Page) error {
	if p.Slug == "" || p.Slug != path.Base(p.Slug) || strings.HasPrefix(p.Slug, ".") || p.Slug == "fonts" {
		return fmt.Errorf("an article in a folder called %q cannot have a page; rename the folder", p.Slug)
	}
	html, err := b.layout(layoutView{Title: p.Title + " · " + b.options.Title, Description: p.Description,
		Root: "../", Main: p.HTML})
	if err != nil {
		return err
	}
	for _, f := range append([]render.File{{Path: "index.html", Data: html}}, p.Files...) {
		if !fs.ValidPath(f.Path) {
			return fmt.Errorf("article %s has a file %q outside its folder", p.Slug, f.Path)
		}
		if err := b.add(path.Join(p.Slug, f.Path), f.Data); err != nil {
			return err
		}
	}
	return nil
}

func (b *builder) add(name string, data []byte) error {
	if _, twice := b.files[name]; twice {
		return errors.New("the site would have the file " + name + " twice; rename an article or a label")
	}
	b.files[name] = data
	return nil
}
