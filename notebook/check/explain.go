package check

import (
	_ "embed"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// rulesText has a section for each rule: what it means, an article that breaks it, and what check prints of that.
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
	return append(names, slices.Sorted(maps.Keys(warnings))...)
}

// linkInText matches a link of Markdown, with its words.
var linkInText = regexp.MustCompile(`\[([^][]+)\]\([^()]*\.md[^()]*\)`)

// warnings are the rules that only warn: what each means, and what to do.
var warnings = map[string]string{
	"asserts-what-does-not-hold": "Words that are bound to a claim say more than the records show. Bind other words, or put " +
		"the sentence into a part for that outcome (::: when NAME supported).",
	"dead-link": "A link or picture of the article leads to nothing. Correct the path.",
	"no-headline": "The article has claims, and none of them is marked headline: true, so its page has no standing. Mark " +
		"those that answer its question.",
	"no-such-cpu":      "A cpuset names a CPU that this machine does not have. Another machine may have it.",
	"port-not-exposed": "A load goes to a port that its service does not list. Add it to expose.",
	"too-few-answers": "A percentile needs 10 answers in its smaller tail: 20 for p50, 100 for p90, 1000 for p99, 10,000 for " +
		"p99.9. The last run had fewer. Raise requests or duration, or name a lower percentile.",
	"too-few-repetitions": "With so few repetitions the claim cannot be decided, whatever they show. Raise repetitions to the " +
		"number that the warning names.",
	"unbound-finding": "The finding of the article has no link to a claim, so no verdict can change it. Write " +
		"[words](claim:NAME), or [](claim:NAME) for the sentence of the claim.",
	"unused-axis": "An axis of the matrix is used nowhere, so its cells measure the same thing several times. Use it as " +
		"${{ matrix.AXIS }}, or remove it.",
}

// Explain returns the section of a rule as Markdown, for one that only warns a paragraph; false for an unknown one.
func Explain(rule string) (text string, ok bool) {
	if words, ok := warnings[rule]; ok {
		return "A warning. " + words, true
	}
	_, after, ok := strings.Cut(rulesText, "\n### "+rule+"\n")
	if !ok {
		return "", false
	}
	for _, heading := range []string{"\n### ", "\n## "} {
		after, _, _ = strings.Cut(after, heading)
	}
	return linkInText.ReplaceAllString(strings.TrimSpace(after), "$1"), true
}
