package article

import (
	"regexp"
	"slices"
	"strings"

	"benchbook/notebook/source"
	"benchbook/notebook/yamltext"
)

// Claim is the test of a sentence.
type Claim struct {
	Name           source.Text    `yaml:"name"`
	Experiment     source.Text    `yaml:"experiment"`
	Expect         Expression     `yaml:"expect"`
	SmallestEffect Value[Share]   `yaml:"smallest_effect"`
	Headline       Value[bool]    `yaml:"headline"`
	Text           source.Text    `yaml:"text"`
	Says           Says           `yaml:"says"`
	Published      Expression     `yaml:"published"` // what the original found, as the effect is: 1.26, 26%, 130ms
	Pos            source.Pos     `yaml:"-"`
	Tried          yamltext.Tried `yaml:"-"`
}

// Says has a sentence for each outcome of a claim; missing ones are made.
type Says struct {
	Supported    source.Text `yaml:"supported"`
	Contradicted source.Text `yaml:"contradicted"`
	Inconclusive source.Text `yaml:"inconclusive"`
}

// All are the sentences, that for the claim as it was made first; missing ones are empty.
func (s *Says) All() []*source.Text {
	return []*source.Text{&s.Supported, &s.Contradicted, &s.Inconclusive}
}

// placeholders are what may stand in braces in Says, for what was measured.
var placeholders = []string{"effect", "verdict", "repetitions", "a", "b", "published"}

// Placeholder is a word in its braces.
var Placeholder = regexp.MustCompile(`\{[A-Za-z_]+\}`)

// IsPlaceholder reports whether a word in braces stands for something.
func IsPlaceholder(word string) bool { return slices.Contains(placeholders, word) }

// FollowsOutcome reports whether a sentence of Says has a placeholder that differs from one outcome to the next.
func FollowsOutcome(sentence string) bool {
	return strings.Contains(sentence, "{effect}") || strings.Contains(sentence, "{verdict}")
}

// code is a span of code, where braces are those of its author: `{value} speedup`.
var code = regexp.MustCompile("`[^`]*`")

// checkSays reports words in braces that stand for nothing.
func (doc *checker) checkSays(s *Says) {
	for _, t := range s.All() {
		spans := code.FindAllStringIndex(t.Value, -1)
		for _, m := range Placeholder.FindAllStringIndex(t.Value, -1) {
			name := t.Value[m[0]+1 : m[1]-1]
			isIn := func(span []int) bool { return span[0] < m[0] && m[1] <= span[1] }
			if IsPlaceholder(name) || slices.ContainsFunc(spans, isIn) {
				continue
			}
			doc.Problems.Add("unknown-placeholder", t.At(m[0], m[1]), "nothing is known for {%s}", name).
				Hint = source.Suggest(name, placeholders)
		}
	}
}
