package check

import (
	_ "embed"
	"regexp"
	"strings"
)

// rulesText has a section for each rule: what it means and, where an article can show it, an article that breaks it with
// what check prints of that.
//
//go:embed rules.md
var rulesText string

// Rules returns the names of all rules.
func Rules() (names []string) {
	for line := range strings.Lines(rulesText) {
		if name, ok := strings.CutPrefix(line, "### "); ok {
			names = append(names, strings.TrimSpace(name))
		}
	}
	return names
}

var (
	// heading matches a heading of rulesText. Headings of articles in it have other characters.
	heading = regexp.MustCompile(`\n###? [\w -]+\n`)
	// listingOrLink matches a listing of code, whole, or a link of Markdown to another page, with its words.
	listingOrLink = regexp.MustCompile("(?ms)(^````.*?^````$|^```.*?^```$)|\\[([^][]+)\\]\\([^()]*\\.md[^()]*\\)")
)

// Explain returns the section of a rule as Markdown; false for an unknown one.
func Explain(rule string) (text string, ok bool) {
	_, text, ok = strings.Cut(rulesText, "\n### "+rule+"\n")
	if next := heading.FindStringIndex(text); next != nil {
		text = text[:next[0]]
	}
	return withoutLinks(strings.TrimSpace(text)), ok
}

// withoutLinks leaves the words of links to other pages, which are not there; listings stay as they are.
func withoutLinks(text string) string { return listingOrLink.ReplaceAllString(text, "$1$2") }
