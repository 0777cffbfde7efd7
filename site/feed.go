package site

import (
	"encoding/xml"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"golang.org/x/tools/blog/atom"

	"benchbook/notebook/source"
	"benchbook/render"
)

const feedFile = "feed.xml"

// feed adds an Atom feed with an entry for each article, at its newest result or its date of writing, without
// articles that have no date. Source: RFC 4287.
func (b *builder) feed(pages []*render.Page) {
	link := func(name string) string {
		if b.options.BaseURL == "" {
			return name
		}
		return b.absolute(name)
	}
	// Ids depend on the site's address and title alone, so they are the same in every copy.
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
	data, err := xml.MarshalIndent(f, "", " ")
	if err != nil {
		b.fail("writing the feed: %w", err)
	}
	b.add(feedFile, File{Data: slices.Concat([]byte(xml.Header), source.PlainBytes(data), []byte("\n"))})
}

// entryTime returns when an article was measured last, else when it was written; zero if neither is known.
func entryTime(p *render.Page) time.Time {
	if !p.Measured.IsZero() {
		return p.Measured.UTC()
	}
	at, _ := time.Parse(time.DateOnly, p.Date)
	return at
}
