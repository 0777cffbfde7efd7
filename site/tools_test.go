package site_test

import (
	"path/filepath"
	"strings"
)

// tools is where make tools puts what pages are examined with; .ci/tools says what that is, to the digest.
const tools = "../_tools/node_modules"

// pagesBelow lists the pages of a site.
func pagesBelow(dir string) (pages []string) {
	for name := range files(dir) {
		if strings.HasSuffix(name, ".html") {
			pages = append(pages, filepath.Join(dir, name))
		}
	}
	return pages
}
