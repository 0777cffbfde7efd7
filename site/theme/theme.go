// Package theme is how pages look: templates, style sheet, scripts and fonts.
//
// Files that end in .html are templates, for render and site to fill; early.js is in every page's head, where it runs
// before anything is painted; the rest is served as it is. A project may add a style sheet of its own.
package theme

import (
	"embed"
	"path/filepath"

	"benchbook/internal/files"
	"benchbook/notebook/article"
	"benchbook/notebook/source"
)

// Files are the files of the theme.
//
//go:embed *.html style.css benchbook.js early.js favicon.svg fonts
var Files embed.FS

const maxStyle = 1 << 20 // bytes

// Style returns the style sheet of a project, which follows ours; nil for none. A file that cannot be read is a problem.
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
