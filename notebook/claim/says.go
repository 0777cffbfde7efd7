package claim

import (
	"regexp"
	"slices"
	"strings"

	"benchbook/notebook/article"
	"benchbook/notebook/source"
)

// placeholders are what may stand in braces in article.Says, for what was measured.
var placeholders = []string{"effect", "verdict", "repetitions", "a", "b", "published"}

// Placeholder is a word in its braces.
var Placeholder = regexp.MustCompile(`\{[A-Za-z_]+\}`)

// IsPlaceholder reports whether a word in braces stands for something.
func IsPlaceholder(word string) bool { return slices.Contains(placeholders, word) }

// FollowsOutcome reports whether a sentence of article.Says has a placeholder that differs from one outcome to the
// next.
func FollowsOutcome(sentence string) bool {
	return strings.Contains(sentence, "{effect}") || strings.Contains(sentence, "{verdict}")
}

// code is a span of code, where braces are those of its author: `{value} speedup`.
var code = regexp.MustCompile("`[^`]*`")

// CheckSays reports words in braces that stand for nothing.
func CheckSays(s *article.Says, problems *source.Problems) {
	for _, t := range s.All() {
		spans := code.FindAllStringIndex(t.Value, -1)
		for _, m := range Placeholder.FindAllStringIndex(t.Value, -1) {
			name := t.Value[m[0]+1 : m[1]-1]
			isIn := func(span []int) bool { return span[0] < m[0] && m[1] <= span[1] }
			if IsPlaceholder(name) || slices.ContainsFunc(spans, isIn) {
				continue
			}
			problems.Add("unknown-placeholder", t.At(m[0], m[1]), "nothing is known for {%s}", name).
				Hint = source.Suggest(name, placeholders)
		}
	}
}
