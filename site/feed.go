package site

import (
	"encoding/xml"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"golang.org/x/tools/blog/atom"

	"benchbook/notebook/source"
	"benchbook/render"
)

const (
	feedFile = "feed.xml"
	mapFile  = "sitemap.xml"
)

// feed adds an Atom feed with an entry for each article, at its newest result or its date of writing, without
// drafts and articles that have no date. Source: RFC 4287.
func (b *builder) feed(pages []*render.Page) error {
	link := func(name string) string {
		if b.options.BaseURL == "" {
			return name
		}
		return b.absolute(name)
	}
	// Ids stay what they are wherever the site moves from here, and wherever readers found it.
	id := func(words ...string) string {
		seed := strings.Join(append([]string{b.options.BaseURL, b.options.Title}, words...), "\n")
		return uuid.NewSHA1(uuid.NameSpaceURL, []byte(seed)).URN()
	}
	f := atom.Feed{Title: b.options.Title, ID: id(), Author: &atom.Person{Name: b.options.Author},
		Link: []atom.Link{{Rel: "self", Href: link(feedFile), Type: "application/atom+xml"},
			{Rel: "alternate", Href: link(indexFile), Type: "text/html"}}}
	var newest time.Time
	type dated struct {
		at    time.Time
		entry *atom.Entry
	}
	var entries []dated
	for _, p := range pages {
		at := entryTime(p)
		if p.Draft || at.IsZero() {
			continue
		}
		if at.After(newest) {
			newest = at
		}
		words := p.Standing.Word + ": " + p.Title
		entries = append(entries, dated{at, &atom.Entry{Title: words, ID: id(p.Slug), Published: atom.Time(at),
			Updated: atom.Time(at), Link: []atom.Link{{Rel: "alternate", Href: link(p.Slug + "/index.html"), Type: "text/html"}},
			Summary: &atom.Text{Type: "text", Body: p.Finding}}})
	}
	slices.SortStableFunc(entries, func(a, b dated) int { return b.at.Compare(a.at) })
	for _, e := range entries {
		f.Entry = append(f.Entry, e.entry)
	}
	if newest.IsZero() {
		newest = time.Unix(0, 0).UTC() // there is nothing yet, and no clock is read
	}
	f.Updated = atom.Time(newest)
	return b.addXML(feedFile, f)
}

// entryTime returns when an article was measured last, else when it was written.
func entryTime(p *render.Page) time.Time {
	if !p.Measured.IsZero() {
		return p.Measured.UTC()
	}
	at, _ := time.Parse(time.DateOnly, p.Date) // else it is zero
	return at
}

// located is the path of a page, and the day on which it changed, if known.
type located struct{ name, changed string }

// siteMap adds the list of pages for search engines, which needs absolute addresses. Source: sitemaps.org, protocol
// 0.9.
func (b *builder) siteMap([]*render.Page) error {
	if b.options.BaseURL == "" {
		return nil
	}
	type entry struct {
		Location string `xml:"loc"`
		Changed  string `xml:"lastmod,omitempty"`
	}
	var m struct {
		XMLName xml.Name `xml:"http://www.sitemaps.org/schemas/sitemap/0.9 urlset"`
		URLs    []entry  `xml:"url"`
	}
	for _, l := range b.located {
		m.URLs = append(m.URLs, entry{b.absolute(l.name), l.changed})
	}
	slices.SortFunc(m.URLs, func(a, b entry) int { return strings.Compare(a.Location, b.Location) })
	return b.addXML(mapFile, m)
}

func (b *builder) addXML(name string, v any) error {
	data, err := xml.MarshalIndent(v, "", " ")
	if err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	return b.addFile(name, append([]byte(xml.Header), append(source.PlainBytes(data), '\n')...))
}
