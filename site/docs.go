package site

import (
	"net/url"
	"path"

	"benchbook/render"
)

const docsFolder = "docs"

type docsView struct {
	Href, Words string
	Here        bool // the page is one of them
}

func docsHref(p *render.DocsPage) string {
	return (&url.URL{Path: path.Join(docsFolder, p.Path, indexFile)}).String()
}

func (b *builder) docs([]*render.Page) error {
	for _, p := range b.options.Docs {
		of := pageAt{folder: path.Join(docsFolder, p.Path), title: p.Title + " · " + b.options.Title,
			description: p.Description, main: p.HTML, isDocs: true}
		if err := b.add(of, p.Files); err != nil {
			return err
		}
	}
	return nil
}
