package site

import (
	"encoding/json"
	"fmt"

	"benchbook/render"
)

// searchFile is what there is to find. It is a script because a page opened from a disk may load scripts but not read
// files.
const searchFile = "search.js"

// searchBytes bounds the text that there is to find: compressed, as servers send it, it is less than 300 kB. Where
// there is more, of the older articles only titles, findings and headings are found.
const searchBytes = 1_000_000

// searchIndex is what the script looks into. Names are short, since every reader who searches loads them.
type searchIndex struct {
	Pages []searchPage `json:"pages"`
	Brief int          `json:"brief"` // pages without their text
}

type searchPage struct {
	Title    string      `json:"t"`
	Address  string      `json:"u"` // from the folder of the site
	Sections [][3]string `json:"s"` // each the id and words of its heading, and the text below it
}

func (b *builder) search(pages []*render.Page) error {
	index, room := searchIndex{Pages: []searchPage{}}, searchBytes
	add := func(title, address, finding string, list []render.Section) {
		p := searchPage{title, address, [][3]string{}}
		for _, s := range list {
			p.Sections = append(p.Sections, [3]string{s.ID, s.Title, s.Text})
			room -= len(s.Text)
		}
		if room < 0 && len(list) > 0 {
			index.Brief++
			for i := range p.Sections {
				p.Sections[i][2] = ""
			}
			p.Sections[0][2] = finding
		}
		index.Pages = append(index.Pages, p)
	}
	for _, p := range pages { // newest first
		if p.Draft {
			continue
		}
		add(p.Title, href(p), p.Finding, p.Sections)
	}
	data, err := json.Marshal(index) // which escapes what could end a script
	if err != nil {
		return fmt.Errorf("writing what search finds: %w", err)
	}
	data = append(append([]byte("window.benchbookSearch = "), data...), ";\n"...)
	b.found = hashed(searchFile, data)
	return b.addFile(b.found, data)
}
