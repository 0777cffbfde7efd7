package check

import (
	_ "embed"
	"regexp"
	"strings"
)

// rulesText has a section for each rule: what it means, an article that breaks it, and what check prints of that.
//
//go:embed rules.md
var rulesText string

// Rules returns the names of all rules, in the order of their sections.
func Rules() (names []string) {
	for line := range strings.Lines(rulesText) {
		if name, ok := strings.CutPrefix(line, "### "); ok {
			names = append(names, strings.TrimSpace(name))
		}
	}
	return names
}

// linkInText matches a link of Markdown, with its words.
var linkInText = regexp.MustCompile(`\[([^][]+)\]\([^()]*\.md[^()]*\)`)

// Explain returns the section of a rule as Markdown; false for an unknown one.
func Explain(rule string) (text string, ok bool) {
	_, after, ok := strings.Cut(rulesText, "\n### "+rule+"\n")
	if !ok {
		return "", false
	}
	for _, heading := range []string{"\n### ", "\n## "} {
		after, _, _ = strings.Cut(after, heading)
	}
	return linkInText.ReplaceAllString(strings.TrimSpace(after), "$1"), true
}
