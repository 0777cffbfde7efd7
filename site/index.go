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

	"benchbook/internal/slice"
	"benchbook/render"
)

const tagsFolder = "tags"

// indexView is the list of articles.
type indexView struct {
	Title, Description string
	Entries            []entryView
	Marks              []render.Badge
	Tags               []tag
	Run                string // the line that repeats the first article; empty without articles
}

// entryView is an article in a list.
type entryView struct {
	*render.Page
	Date *dateView
	Href string
}

type dateView struct{ Before, ISO, Words string }

// tag is a tag of articles, with the folder of its page.
type tag struct {
	Name, folder string
	pages        []*render.Page
}

// Href links the page of the tag from the index.
func (t tag) Href() string { return (&url.URL{Path: t.folder + "/" + indexFile}).String() }

func (b *builder) index(pages []*render.Page) {
	v := indexView{Title: b.options.Title, Description: b.options.Description, Marks: render.StandingBadges(),
		Entries: entriesOf(pages, ""), Tags: tagsOf(pages)}
	if len(pages) > 0 {
		v.Run = "benchbook report " + pages[0].Slug
	}
	b.page("", layoutView{Title: v.Title, Description: v.Description, Main: b.fill("index", v), IsIndex: true,
		Card: &cardView{"website", v.Title, v.Description, ""}})
}

// entriesOf are articles in a list; root leads to the folder of the site.
func entriesOf(pages []*render.Page, root string) []entryView {
	return slice.Map(pages, func(p *render.Page) entryView { return entryView{p, dateOf(p), root + href(p)} })
}

func tagsOf(pages []*render.Page) []tag {
	by := map[string][]*render.Page{}
	for _, p := range pages {
		for _, name := range p.Tags {
			by[name] = slice.Add(by[name], p)
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

func (b *builder) tags(pages []*render.Page) {
	for _, t := range tagsOf(pages) {
		main := b.fill("tag", struct {
			Name    string
			Entries []entryView
		}{t.Name, entriesOf(t.pages, "../../")})
		b.page(t.folder, layoutView{Title: t.Name + " · " + b.options.Title, Main: main,
			Description: "Articles about " + t.Name + "."})
	}
}

// href links a page from the index. It names the file, since disks serve no folder's index.
func href(p *render.Page) string { return (&url.URL{Path: p.Slug + "/index.html"}).String() }

// dateOf is when an article was measured, else when it was written; nil if neither is known.
func dateOf(p *render.Page) *dateView {
	at := entryTime(p)
	if at.IsZero() {
		return nil
	}
	before := ""
	if p.Measured.IsZero() {
		before = "written "
	}
	return &dateView{before, at.Format(time.DateOnly), at.Format("2 Jan 2006")}
}
