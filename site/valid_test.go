package site_test

import (
	"encoding/json"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Every page is HTML as its standard has it, by the validator of the W3C, which warns of nothing either.
func TestValid(t *testing.T) {
	t.Parallel()
	validator := validator(t)
	dir := t.TempDir()
	build(t, append(samplePages(t), longWords(t)), dir)
	validate(t, validator, dir)
}

// The same holds for a site that was made of real records.
func TestValidOnReport(t *testing.T) {
	t.Parallel()
	dir := siteOfReport(t)
	validate(t, validator(t), dir)
}

func validator(t *testing.T) []string {
	t.Helper()
	if testing.Short() {
		t.Skip("a validator takes its time; run without -short")
	}
	jar := tool(t, "validator", "vnu-jar/build/dist/vnu.jar")
	java, err := exec.LookPath("java")
	if err != nil && strings.Contains(os.Getenv("BENCHBOOK_TEST_REQUIRE"), "validator") {
		t.Fatal("there is no Java for the validator, and BENCHBOOK_TEST_REQUIRE asks for it")
	}
	if err != nil {
		t.Skip("the validator needs Java; install it with apt-get install default-jre-headless")
	}
	return []string{java, "-jar", jar, "--format", "json", "--exit-zero-always", "--stdout"}
}

// unsaid are what the validator says of pages that are as they should be: it takes a page in a file to come from
// nowhere, so that nothing of the site comes from where it does; and it asks to leave out the roles of tables and their
// parts, which keep them tables to those who hear them where the style sheet shows rows as cards.
func unsaid(message string) bool {
	return strings.HasPrefix(message, "Resource violates Content Security Policy") || tableRole.MatchString(message)
}

var tableRole = regexp.MustCompile(`^The “(table|rowgroup|row|cell|columnheader|rowheader)” role is unnecessary|` +
	`^The “role” attribute must not be used on a “(td|th|tr)” element which has a “table” ancestor`)

func validate(t *testing.T, command []string, dir string) {
	t.Helper()
	arguments := command[1:]
	for _, page := range pagesBelow(t, dir) {
		arguments = append(arguments, filepath.Join(dir, page))
	}
	out, err := exec.Command(command[0], arguments...).Output()
	if err != nil {
		t.Fatalf("running the validator: %v", err)
	}
	var found struct {
		Messages []struct{ Type, SubType, Message, URL, Extract string }
	}
	if err := json.Unmarshal(out, &found); err != nil {
		t.Fatalf("reading what the validator says: %v", err)
	}
	for _, m := range found.Messages {
		if m.Type == "info" && m.SubType == "" || unsaid(m.Message) {
			continue
		}
		page := m.URL
		if u, err := url.Parse(m.URL); err == nil {
			if relative, err := filepath.Rel(dir, u.Path); err == nil {
				page = relative
			}
		}
		t.Errorf("%s: %s: %s at %q", page, m.Type, m.Message, m.Extract)
	}
}
