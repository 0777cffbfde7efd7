package site

import (
	"bytes"
	"fmt"
	"html/template"
	"maps"
	"net/url"
	"slices"
	"time"

	"benchbook/render"
)

// indexView is the list of articles in the template.
type indexView struct {
	Title, Description string
	Filters            []filterView
	Entries            []entryView
	Marks              []render.Mark
	Tags               []tagView
}

type filterView struct {
	Value, Class, Word string
	Count              int
}

type entryView struct {
	Filter         string
	Standing       render.Mark
	Date           *dateView
	Host           string
	Notice         string
	Href           string
	Title, Finding string
	Tags           []tagView
	Spark          *render.Spark
}

type dateView struct{ Before, ISO, Words string }

type tagView struct {
	ID, Name string
	Articles []articleLink
}

type articleLink struct{ Href, Title string }

// index adds the list of articles, with what the marks mean and the articles by tag.
func (b *builder) index(pages []*render.Page) error {
	v := indexView{Title: b.options.Title, Description: b.options.Description, Marks: render.Standings()}
	for _, m := range v.Marks {
		count := 0
		for _, p := range pages {
			if p.Standing.Filter == m.Filter {
				count++
			}
		}
		if count > 0 {
			v.Filters = append(v.Filters, filterView{m.Filter, m.Class, m.Word, count})
		}
	}
	tags := map[string][]articleLink{}
	for _, p := range pages {
		e := entryView{Filter: p.Standing.Filter, Standing: p.Standing, Date: dateOf(p), Host: p.Host, Notice: p.Notice,
			Href: href(p), Title: p.Title, Finding: p.Finding, Spark: p.Spark}
		for _, name := range p.Tags {
			tags[name] = append(tags[name], articleLink{href(p), p.Title})
			e.Tags = append(e.Tags, tagView{ID: tagID(name), Name: name})
		}
		v.Entries = append(v.Entries, e)
	}
	for _, name := range slices.Sorted(maps.Keys(tags)) {
		v.Tags = append(v.Tags, tagView{tagID(name), name, tags[name]})
	}
	var main bytes.Buffer
	if err := b.templates.ExecuteTemplate(&main, "index", v); err != nil {
		return fmt.Errorf("filling the template of the index: %w", err)
	}
	html, err := b.layout(layoutView{Title: b.options.Title, Description: b.options.Description,
		Main: template.HTML(main.String()), IsIndex: true})
	if err != nil {
		return err
	}
	return b.add("index.html", html)
}

func tagID(name string) string { return "tag-" + name }

// href leads from the index to a page. Its file is named, since nobody serves a folder's index from a disk.
func href(p *render.Page) string { return (&url.URL{Path: p.Slug + "/index.html"}).String() }

// dateOf is when an article was measured, else when it was written.
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
