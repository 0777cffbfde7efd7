package check

import (
	_ "embed"
	"regexp"
	"strings"
)

// rulesText has a section for each rule: its meaning and, if possible, an article that breaks it with the output of
// check.
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
	// heading matches headings of rulesText itself; headings of the articles in it contain other characters.
	heading = regexp.MustCompile(`\n###? [\w -]+\n`)
	// listingOrLink matches a whole code block (group 1), or a link to another page with its words (group 2).
	listingOrLink = regexp.MustCompile("(?ms)(^````.*?^````$|^```.*?^```$)|\\[([^][]+)\\]\\([^()]*\\.md[^()]*\\)")
)

// Explain returns the section of a rule as Markdown; false if the rule is unknown.
func Explain(rule string) (text string, ok bool) {
	_, text, ok = strings.Cut(rulesText, "\n### "+rule+"\n")
	if next := heading.FindStringIndex(text); next != nil {
		text = text[:next[0]]
	}
	return withoutLinks(strings.TrimSpace(text)), ok
}

// withoutLinks replaces links to other pages, which are not at hand, by their words. It leaves code blocks alone.
func withoutLinks(text string) string { return listingOrLink.ReplaceAllString(text, "$1$2") }
