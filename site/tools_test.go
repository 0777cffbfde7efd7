package site_test

import (
	"os"
	"path/filepath"
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

// pagesBelow lists the pages of a site.
func pagesBelow(dir string) (pages []string) {
	for name := range files(dir) {
		if strings.HasSuffix(name, ".html") {
			pages = append(pages, filepath.Join(dir, name))
		}
	}
	return pages
}
