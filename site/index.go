package site

import (
	"cmp"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"maps"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/google/uuid"
	"golang.org/x/tools/blog/atom"

	"benchbook/internal/slice"
	"benchbook/notebook/source"
	"benchbook/render"
)

const tagsFolder = "tags"

type indexView struct {
	Title, Description string
	Entries            []entryView
	Marks              []render.Badge
	Tags               []tag
	Run                string // a command that repeats the first article; empty without articles
}

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

// Href returns the address of the tag's page from the index.
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

// entriesOf returns articles as entries of a list; root is the path to the folder of the site.
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

// folderOf turns a tag into a folder name: letters and digits of any script in lower case, hyphens for all else.
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

// href returns the address of a page from the index. It names the file, so that it works from a disk.
func href(p *render.Page) string { return (&url.URL{Path: p.Slug + "/index.html"}).String() }

// dateOf returns when an article was measured, else when it was written; nil if neither is known.
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

// searchFile is the search index. It is a script, as a page opened from a disk may load scripts but not read files.
const searchFile = "search.js"

// searchPage is a page in the search index. Names are short, to save bandwidth.
type searchPage struct {
	Title    string      `json:"t"`
	Address  string      `json:"u"` // from the folder of the site
	Sections [][3]string `json:"s"` // the id and text of each heading, and the text below it
}

func (b *builder) search(pages []*render.Page) {
	list := []searchPage{}
	for _, p := range pages {
		found := searchPage{p.Title, href(p), [][3]string{}}
		for _, s := range p.Sections {
			found.Sections = append(found.Sections, [3]string{s.ID, s.Title, s.Text})
		}
		list = append(list, found)
	}
	data, _ := json.Marshal(map[string][]searchPage{"pages": list}) // escapes </script>
	data = slices.Concat([]byte("window.benchbookSearch = "), data, []byte(";\n"))
	b.found = hashed(searchFile, data)
	b.add(b.found, File{Data: data})
}

const feedFile = "feed.xml"

// feed adds an Atom feed with an entry for each article that has a date: of its newest result, or of writing. Source:
// RFC 4287.
func (b *builder) feed(pages []*render.Page) {
	link := func(name string) string {
		if b.options.BaseURL == "" {
			return name
		}
		return b.absolute(name)
	}
	// Ids depend only on the site's address and title, and the slug, so they are stable.
	id := func(words ...string) string {
		seed := strings.Join(append([]string{b.options.BaseURL, b.options.Title}, words...), "\n")
		return uuid.NewSHA1(uuid.NameSpaceURL, []byte(seed)).URN()
	}
	f := atom.Feed{Title: b.options.Title, ID: id(), Author: &atom.Person{Name: b.options.Author},
		Updated: atom.Time(time.Unix(0, 0).UTC()), // without entries
		Link: []atom.Link{{Rel: "self", Href: link(feedFile), Type: "application/atom+xml"},
			{Rel: "alternate", Href: link(indexFile), Type: "text/html"}}}
	dated := slices.DeleteFunc(slices.Clone(pages), func(p *render.Page) bool { return entryTime(p).IsZero() })
	slices.SortStableFunc(dated, func(a, b *render.Page) int { return entryTime(b).Compare(entryTime(a)) })
	for _, p := range dated {
		at := atom.Time(entryTime(p))
		f.Updated = max(f.Updated, at)
		f.Entry = append(f.Entry, &atom.Entry{Title: p.Standing.Word + ": " + p.Title, ID: id(p.Slug), Published: at,
			Updated: at, Link: []atom.Link{{Rel: "alternate", Href: link(p.Slug + "/" + indexFile), Type: "text/html"}},
			Summary: &atom.Text{Type: "text", Body: p.Finding}})
	}
	data, _ := xml.MarshalIndent(f, "", " ") // never fails for texts and times
	b.add(feedFile, File{Data: slices.Concat([]byte(xml.Header), source.PlainBytes(data), []byte("\n"))})
}

// entryTime returns when an article was last measured, else when it was written; zero if neither is known.
func entryTime(p *render.Page) time.Time {
	if !p.Measured.IsZero() {
		return p.Measured.UTC()
	}
	at, _ := time.Parse(time.DateOnly, p.Date)
	return at
}
