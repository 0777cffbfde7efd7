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

// indexView is the list of articles.
type indexView struct {
	Title, Description string
	Entries            []entryView
	Marks              []render.Badge
	Tags               []tagLink
	Run                string // the line that repeats the first article; empty without articles
}

// entryView is an article in a list.
type entryView struct {
	*render.Page
	Date *dateView
	Href string
}

type dateView struct{ Before, ISO, Words string }

type tagLink struct{ Href, Name string }

type tagPageView struct {
	Name    string
	Entries []entryView
}

func (b *builder) index(pages []*render.Page) error {
	v := indexView{Title: b.options.Title, Description: b.options.Description, Marks: render.StandingBadges()}
	tags := tagsOf(pages)
	for _, t := range tags {
		v.Tags = append(v.Tags, t.link(""))
	}
	for _, p := range pages {
		v.Entries = append(v.Entries, entryOf(p, ""))
	}
	if len(pages) > 0 {
		v.Run = "benchbook report " + pages[0].Slug
	}
	main, err := b.fill("index", v)
	if err != nil {
		return err
	}
	return b.page("", layoutView{Title: b.options.Title, Description: b.options.Description, Main: main, IsIndex: true,
		Card: &cardView{"website", b.options.Title, b.options.Description, ""}})
}

// entryOf is an article in a list; root leads to the folder of the site.
func entryOf(p *render.Page, root string) entryView {
	return entryView{Page: p, Date: dateOf(p), Href: root + href(p)}
}

// tag is a tag of articles, with the folder of its page.
type tag struct {
	name, folder string
	pages        []*render.Page
}

func (t tag) link(root string) tagLink {
	return tagLink{root + (&url.URL{Path: t.folder + "/" + indexFile}).String(), t.name}
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
	for _, t := range tagsOf(pages) {
		v := tagPageView{Name: t.name}
		for _, p := range t.pages {
			v.Entries = append(v.Entries, entryOf(p, root))
		}
		main, err := b.fill("tag", v)
		if err != nil {
			return err
		}
		if err := b.page(t.folder, layoutView{Title: t.name + " · " + b.options.Title, Main: main,
			Description: "Articles about " + t.name + "."}); err != nil {
			return err
		}
	}
	return nil
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
