package site

import (
	"net/url"
	"path"

	"benchbook/render"
)

// docsFolder holds the pages beside the articles.
const docsFolder = "docs"

// docsView leads to the pages beside the articles in the template.
type docsView struct {
	Href, Words string
	Here        bool // the page is one of them
}

// docsHref leads from the folder of the site to a page beside the articles.
func docsHref(p *render.DocsPage) string {
	return (&url.URL{Path: path.Join(docsFolder, p.Path, indexFile)}).String()
}

// docs adds the pages beside the articles.
func (b *builder) docs([]*render.Page) error {
	for _, p := range b.options.Docs {
		of := pageAt{folder: path.Join(docsFolder, p.Path), title: p.Title + " · " + b.options.Title, description: p.Description, main: p.HTML,
			isDocs: true}
		if err := b.add(of, p.Files); err != nil {
			return err
		}
	}
	return nil
}
