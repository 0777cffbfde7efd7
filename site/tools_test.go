package site_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// tools is where make tools puts what pages are examined with; .ci/tools says what that is, to the digest.
const tools = "../_tools/node_modules"

// tool gives the path of a file of the tools. Without it the test is skipped, or fails where BENCHBOOK_TEST_REQUIRE
// asks for it.
func tool(t *testing.T, name, file string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join(tools, filepath.FromSlash(file)))
	if err == nil {
		_, err = os.Stat(path)
	}
	if err != nil && strings.Contains(os.Getenv("BENCHBOOK_TEST_REQUIRE"), name) {
		t.Fatalf("BENCHBOOK_TEST_REQUIRE asks for %s: %v", name, err)
	}
	if err != nil {
		t.Skipf("there is no %s; get it with make tools", name)
	}
	return path
}

// siteOfReport is the folder of a site that was made of real records, which CI names.
func siteOfReport(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("BENCHBOOK_TEST_SITE")
	if dir == "" {
		t.Skip("BENCHBOOK_TEST_SITE names no site: make report, and set it to the folder _site")
	}
	return dir
}

// pagesBelow lists the pages of a site, relative to its folder.
func pagesBelow(t *testing.T, dir string) []string {
	t.Helper()
	var pages []string
	for name := range files(t, dir) {
		if strings.HasSuffix(name, ".html") {
			pages = append(pages, name)
		}
	}
	if len(pages) < 2 {
		t.Fatalf("%d pages in %s", len(pages), dir)
	}
	return pages
}
