package site

import (
	"cmp"
	"fmt"
	"maps"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"
	"unicode"

	"benchbook/render"
)

const tagsFolder = "tags"

type indexView struct {
	Title, Description string
	Entries            []entryView
	Marks              []render.Badge
	Tags               []tagView
}

type entryView struct {
	*render.Page
	First bool // of an index, where it is wide
	Date  *dateView
	Href  string
	Tags  []tagLink
}

type dateView struct{ Before, ISO, Words string }

type tagLink struct{ Href, Name string }

type tagView struct {
	tagLink
	Articles []articleLink
}

type articleLink struct{ Href, Title string }

type tagPageView struct {
	Name    string
	Entries []entryView
	Others  []tagLink
}

func (b *builder) index(pages []*render.Page) error {
	v := indexView{Title: b.options.Title, Description: b.options.Description, Marks: render.StandingBadges()}
	tags := tagsOf(pages)
	for _, t := range tags {
		view := tagView{tagLink: tagLink{t.href(""), t.name}}
		for _, p := range t.pages {
			view.Articles = append(view.Articles, articleLink{href(p), p.Title})
		}
		v.Tags = append(v.Tags, view)
	}
	for _, p := range pages {
		v.Entries = append(v.Entries, entryOf(p, "", tags))
	}
	if len(v.Entries) > 0 {
		v.Entries[0].First = true
	}
	main, err := b.fill("index", v)
	if err != nil {
		return err
	}
	return b.add(pageAt{title: b.options.Title, description: b.options.Description, main: main, isIndex: true,
		changed: newest(pages)}, nil)
}

// entryOf is an article in a list; root leads to the folder of the site.
func entryOf(p *render.Page, root string, tags []tag) entryView {
	e := entryView{Page: p, Date: dateOf(p), Href: root + href(p)}
	for _, name := range p.Tags {
		for _, t := range tags {
			if t.name == name {
				e.Tags = append(e.Tags, tagLink{t.href(root), name})
			}
		}
	}
	return e
}

// tag is a tag of articles, with the folder of its page.
type tag struct {
	name, folder string
	pages        []*render.Page
}

func (t tag) href(root string) string {
	return root + (&url.URL{Path: t.folder + "/index.html"}).String()
}

func tagsOf(pages []*render.Page) []tag {
	by := map[string][]*render.Page{}
	for _, p := range pages {
		for _, name := range p.Tags {
			if list := by[name]; len(list) == 0 || list[len(list)-1] != p {
				by[name] = append(list, p)
			}
		}
	}
	taken := map[string]bool{}
	var out []tag
	for _, name := range slices.Sorted(maps.Keys(by)) {
		folder := folderOf(name)
		for n := 2; taken[folder]; n++ {
			folder = fmt.Sprintf("%s-%d", folderOf(name), n)
		}
		taken[folder] = true
		out = append(out, tag{name, path.Join(tagsFolder, folder), by[name]})
	}
	return out
}

// folderOf turns a tag into a folder: letters and digits of any script in lower case, hyphens for all else.
func folderOf(name string) string {
	const longest = 60
	out := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_' {
			return unicode.ToLower(r)
		}
		return '-'
	}, name)
	if runes := []rune(out); len(runes) > longest {
		out = string(runes[:longest])
	}
	return cmp.Or(strings.Trim(out, "-"), "tag")
}

func (b *builder) tags(pages []*render.Page) error {
	const root = "../../"
	all := tagsOf(pages)
	for _, t := range all {
		v := tagPageView{Name: t.name}
		draft := true
		for _, p := range t.pages {
			v.Entries = append(v.Entries, entryOf(p, root, all))
			draft = draft && p.Draft
		}
		for _, o := range all {
			if o.name != t.name {
				v.Others = append(v.Others, tagLink{o.href(root), o.name})
			}
		}
		main, err := b.fill("tag", v)
		if err != nil {
			return err
		}
		err = b.add(pageAt{folder: t.folder, title: t.name + " · " + b.options.Title, description: "Articles about " +
			t.name + ".", main: main, unlisted: draft, changed: newest(t.pages)}, nil)
		if err != nil {
			return err
		}
	}
	return nil
}

// newest returns the day on which the last article was measured or written; empty without one. Drafts do not count.
func newest(pages []*render.Page) string {
	day := ""
	for _, p := range pages {
		if d := dateOf(p); d != nil && !p.Draft {
			day = max(day, d.ISO)
		}
	}
	return day
}

// href links a page from the index. It names the file, since disks serve no folder's index.
func href(p *render.Page) string { return (&url.URL{Path: p.Slug + "/index.html"}).String() }

// dateOf returns when an article was measured, else when it was written.
func dateOf(p *render.Page) *dateView {
	const words = "2 Jan 2006"
	if !p.Measured.IsZero() {
		return &dateView{"", p.Measured.UTC().Format(time.DateOnly), p.Measured.UTC().Format(words)}
	}
	if d, err := time.Parse(time.DateOnly, p.Date); err == nil {
		return &dateView{"written ", p.Date, d.Format(words)}
	}
	return nil
}
