package site_test

import (
	"os"
	"strings"
	"testing"
)

// tools is where make tools puts what pages are examined with; .ci/tools says what that is, to the digest.
const tools = "../_tools/node_modules"

// missing ends a test for which something is missing: it fails where BENCHBOOK_TEST_REQUIRE asks for that, and is
// skipped elsewhere.
func missing(t *testing.T, what, how string, err error) {
	t.Helper()
	if err == nil {
		return
	}
	if strings.Contains(os.Getenv("BENCHBOOK_TEST_REQUIRE"), what) {
		t.Fatalf("BENCHBOOK_TEST_REQUIRE asks for %s: %v", what, err)
	}
	t.Skipf("there is no %s: %s", what, how)
}

// pagesBelow lists the pages of a site, relative to its folder.
func pagesBelow(t *testing.T, dir string) []string {
	t.Helper()
	var pages []string
	for name := range files(dir) {
		if strings.HasSuffix(name, ".html") {
			pages = append(pages, name)
		}
	}
	if len(pages) < 2 {
		t.Fatalf("%d pages in %s", len(pages), dir)
	}
	return pages
}
