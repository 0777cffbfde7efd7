package site_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"benchbook/internal/slowtest"
	"benchbook/internal/test/must"
)

// The W3C validator finds no errors or warnings in pages of articles in every state, and in the site of real records
// that BENCHBOOK_TEST_SITE names.
func TestValid(t *testing.T) {
	t.Parallel()
	command, dir := validator(t), t.TempDir()
	build(t, samplePages(t), dir)
	pages := pagesBelow(dir)
	if report := os.Getenv("BENCHBOOK_TEST_SITE"); report != "" {
		pages = append(pages, pagesBelow(report)...)
	}
	out := must.Get(exec.Command(command[0], append(command[1:], pages...)...).Output())
	var found struct {
		Messages []struct{ Type, SubType, Message, URL, Extract string }
	}
	must.Do(json.Unmarshal(out, &found))
	for _, m := range found.Messages {
		if m.Type == "info" && m.SubType == "" || unsaid(m.Message) {
			continue
		}
		t.Errorf("%s: %s: %s at %q", m.URL, m.Type, m.Message, m.Extract)
	}
}

func validator(t *testing.T) []string {
	t.Helper()
	slowtest.SkipSequential(t)
	jar := filepath.Join(tools, "vnu-jar/build/dist/vnu.jar")
	_, err := os.Stat(jar)
	slowtest.Missing(t, "validator", "get it with make tools", err)
	java, err := exec.LookPath("java")
	slowtest.Missing(t, "validator", "it needs Java; install it with apt-get install default-jre-headless", err)
	return []string{java, "-jar", jar, "--format", "json", "--exit-zero-always", "--stdout"}
}

// unsaid lists false positives of the validator. It gives a page in a file no origin, so that the policy seems to
// forbid the site's own files. And it asks to remove the roles of tables and their parts, which screen readers need
// where the style sheet shows rows as cards.
func unsaid(message string) bool {
	return strings.HasPrefix(message, "Resource violates Content Security Policy") || tableRole.MatchString(message)
}

var tableRole = regexp.MustCompile(`^The “(table|rowgroup|row|cell|columnheader|rowheader)” role is unnecessary|` +
	`^The “role” attribute must not be used on a “(td|th|tr)” element which has a “table” ancestor`)
