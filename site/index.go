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
	"benchbook/slice"
)

const tagsFolder = "tags"

type indexView struct {
	Title, Description string
	News               []newsView
	Quiet              int // articles whose newest run has turned nothing
	Filters            []filterView
	Entries            []entryView
	Marks              []render.Badge
	Tags               []tagView
}

// newsView is what the newest run of an article changed.
type newsView struct {
	render.News
	ISO, Words string // of the time
	Title      string
	Href       string // of the article
	Compared   string // of the comparison with the run before; may be empty
}

type filterView struct {
	Value, Class, Word string
	Count              int
}

type entryView struct {
	Filter         string
	Standing       render.Badge
	Date           *dateView
	Host           string
	Notice         string
	Draft          bool
	Href           string
	Title, Finding string
	Tags           []tagLink
	Runs           string // in words; empty if there are none
	History        string
	Spark          *render.Spark
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
	v := indexView{Title: b.options.Title, Description: b.options.Description, Marks: render.Standings()}
	v.News, v.Quiet = newsOf(pages)
	for _, m := range v.Marks {
		if count := slice.Count(pages, func(p *render.Page) bool { return p.Standing.Filter == m.Filter }); count > 0 {
			v.Filters = append(v.Filters, filterView{m.Filter, m.Class, m.Word, count})
		}
	}
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
	main, err := b.fill("index", v)
	if err != nil {
		return err
	}
	return b.add(pageAt{title: b.options.Title, description: b.options.Description, main: main, isIndex: true,
		changed: newest(pages)}, nil)
}

const maxNews = 6

// newsOf lists what the newest runs changed, newest first, and counts those that changed nothing.
func newsOf(pages []*render.Page) (news []newsView, quiet int) {
	for _, p := range pages {
		n := p.News
		switch {
		case n == nil:
			continue
		case !n.First && !n.StandingTurned && len(n.Claims) == 0 && n.NewlyMeasured == 0:
			quiet++
			continue
		}
		view := newsView{News: *n, ISO: n.When.Format(time.RFC3339), Words: n.When.Format("2 Jan 2006"), Title: p.Title,
			Href: href(p)}
		if n.Comparison != "" {
			view.Compared = (&url.URL{Path: path.Join(p.Slug, n.Comparison)}).String()
		}
		news = append(news, view)
	}
	slices.SortStableFunc(news, func(a, b newsView) int { return cmp.Compare(b.Run, a.Run) })
	return news[:min(len(news), maxNews)], quiet
}

// entryOf is an article in a list; root leads to the folder of the site.
func entryOf(p *render.Page, root string, tags []tag) entryView {
	e := entryView{Filter: p.Standing.Filter, Standing: p.Standing, Date: dateOf(p), Host: p.Host, Notice: p.Notice,
		Draft: p.Draft, Href: root + href(p), Title: p.Title, Finding: p.Finding, Spark: p.Spark}
	if p.Runs > 0 {
		e.Runs = fmt.Sprintf("%d runs", p.Runs)
		if p.Runs == 1 {
			e.Runs = "1 run"
		}
		e.History = root + (&url.URL{Path: path.Join(p.Slug, p.Subpages[0].Path, indexFile)}).String()
	}
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
