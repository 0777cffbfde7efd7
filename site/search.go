package site

import (
	"encoding/json"
	"slices"

	"benchbook/render"
)

// searchFile is what there is to find. It is a script because a page opened from a disk may load scripts but not read
// files.
const searchFile = "search.js"

// searchIndex is what the script looks into. Names are short, since every reader who searches loads them.
type searchIndex struct {
	Pages []searchPage `json:"pages"`
}

type searchPage struct {
	Title    string      `json:"t"`
	Address  string      `json:"u"` // from the folder of the site
	Sections [][3]string `json:"s"` // each the id and words of its heading, and the text below it
}

// search adds what there is to find.
func (b *builder) search(pages []*render.Page) {
	index := searchIndex{Pages: []searchPage{}}
	for _, p := range pages {
		found := searchPage{p.Title, href(p), [][3]string{}}
		for _, s := range p.Sections {
			found.Sections = append(found.Sections, [3]string{s.ID, s.Title, s.Text})
		}
		index.Pages = append(index.Pages, found)
	}
	data, err := json.Marshal(index) // which escapes the end of a script
	if err != nil {
		b.fail("writing the index of search: %w", err)
	}
	data = slices.Concat([]byte("window.benchbookSearch = "), data, []byte(";\n"))
	b.found = hashed(searchFile, data)
	b.add(b.found, File{Data: data})
}
