package site_test

import (
	"path/filepath"
	"strings"
)

// tools is the folder in which make tools installs the tools listed in .ci/tools, which examine pages.
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
