package site

import (
	"encoding/json"
	"fmt"
	"strings"

	"benchbook/render"
)

// searchFile is the script that holds what a reader may look for. It is a script, since a page that was opened from a disk may load
// one, and may not read a file.
const searchFile = "search.js"

// searchPage is an article as the script of pages knows it. Names are short, since every reader loads them.
type searchPage struct {
	Title   string     `json:"t"`
	Address string     `json:"u"` // from the folder of the site
	Words   string     `json:"w"` // finding, tags, host and standing
	Parts   [][]string `json:"p"` // each kind, id and words
}

// search adds what a reader may look for: titles, sections, claims, tables and figures. Drafts are not in it.
func (b *builder) search(pages []*render.Page) error {
	list := []searchPage{}
	for _, p := range pages {
		if p.Draft {
			continue
		}
		words := append([]string{p.Finding, p.Description, p.Host, p.Standing.Word}, p.Tags...)
		item := searchPage{Title: p.Title, Address: href(p), Words: strings.Join(strings.Fields(strings.Join(words, " ")), " "), Parts: [][]string{}}
		for _, part := range p.Parts {
			item.Parts = append(item.Parts, []string{part.Kind, part.ID, part.Words})
		}
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
