package site

import (
	"encoding/json"
	"fmt"
	"strings"

	"benchbook/render"
)

// searchFile is the search index. It is a script because a page opened from a disk may load scripts but not read files.
const searchFile = "search.js"

// searchPage is a page in the search index. Names are short, since every reader loads them.
type searchPage struct {
	Kind    string     `json:"k,omitempty"` // of page, if it is no article
	Title   string     `json:"t"`
	Address string     `json:"u"` // from the folder of the site
	Words   string     `json:"w"` // finding, tags, host and standing
	Parts   [][]string `json:"p"` // each kind, id and words
}

func (b *builder) search(pages []*render.Page) error {
	list := []searchPage{}
	for _, p := range pages {
		if p.Draft {
			continue
		}
		words := append([]string{p.Finding, p.Description, p.Host, p.Standing.Word}, p.Tags...)
		item := searchPage{Title: p.Title, Address: href(p), Words: strings.Join(strings.Fields(strings.Join(words, " ")),
			" "), Parts: [][]string{}}
		item.add(p.Parts)
		list = append(list, item)
	}
	for _, p := range b.options.Docs {
		item := searchPage{Kind: "page", Title: p.Title, Address: docsHref(p), Words: p.Description, Parts: [][]string{}}
		item.add(p.Parts)
		list = append(list, item)
	}
	data, err := json.Marshal(list) // which escapes what could end a script
	if err != nil {
		return fmt.Errorf("writing what search finds: %w", err)
	}
	data = append(append([]byte("window.benchbookPages = "), data...), ";\n"...)
	b.found = hashed(searchFile, data)
	return b.addFile(b.found, data)
}

func (s *searchPage) add(parts []render.Part) {
	for _, part := range parts {
		s.Parts = append(s.Parts, []string{part.Kind, part.ID, part.Words})
	}
}
