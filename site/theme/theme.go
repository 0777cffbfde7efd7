// Package theme has the templates, style sheet, scripts and fonts of pages.
//
// Files that end in .html are templates for packages render and site. early.js is in every page's head, to run before
// anything is painted. The rest is served as it is. A project may add a style sheet.
package theme

import (
	"embed"
	"path/filepath"

	"benchbook/internal/files"
	"benchbook/notebook/article"
	"benchbook/notebook/source"
)

// Files holds the files of the theme.
//
//go:embed *.html style.css benchbook.js early.js favicon.svg fonts
var Files embed.FS

const maxStyle = 1 << 20 // bytes

// Style returns the style sheet of a project, or nil. It adds a problem if the file can't be read.
func Style(p *article.Project, problems *source.Problems) []byte {
	if p.Theme.Value == "" {
		return nil
	}
	data, _, err := files.Read(filepath.Join(p.Dir, filepath.FromSlash(p.Theme.Value)), maxStyle)
	if err != nil {
		problems.Add("no-theme", p.Theme.Pos, "the style sheet %q cannot be read: %s", p.Theme.Value,
			files.Reason(err)).Hint = "name a CSS file of the project, or remove theme"
	}
	return data
}
