// Package theme is how pages look: templates, style sheet, script and fonts, in one folder.
//
// The folder is whole: nothing in a page comes from anywhere else. Files that end in .html are templates, for
// render and site to fill; early.js stands in every page's head, where it must run before anything is painted; the
// rest is served as it is.
//
// A project may bring files of its own for any of these, one by one; see Open.
package theme

import "embed"

// Files is the theme's folder.
//
//go:embed *.html style.css benchbook.js early.js favicon.svg fonts
var Files embed.FS
