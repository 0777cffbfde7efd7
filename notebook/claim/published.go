package claim

import (
	"math"
	"regexp"
	"slices"
	"strings"

	"benchbook/internal/phrase"
	"benchbook/notebook/article"
	"benchbook/notebook/dataset"
	"benchbook/notebook/expr"
	"benchbook/notebook/source"
)

// Published returns what the original found, according to the author: a ratio, a value in base units for a limit, a
// share for failures, or a count of pairs or parts. It is false if the author names none, or one that does not fit.
func (j *Judgement) Published() (float64, bool) {
	if j.Claim == nil || j.Claim.Published.Node == nil || j.Form == "" {
		return 0, false
	}
	x, err := j.readPublished(j.Claim.Published.Node)
	return x, err == nil
}

// CheckPublished returns the mistake in the published number of a valid claim, or nil.
func CheckPublished(d *dataset.Dataset, c *article.Claim) error {
	j := Judge(d, c)
	if c.Published.Node == nil || j.Form == "" {
		return nil
	}
	_, err := j.readPublished(c.Published.Node)
	return err
}

// readPublished returns a published number as the claim measures it.
func (j *Judgement) readPublished(n expr.Node) (float64, error) {
	q, x := limitIn(n)
	switch {
	case q == nil:
		return 0, dataset.Mistake(n.Pos(), "wrong-value", "write one number, such as 1.26, 26% or 130ms",
			"what the original found is not a number")
	case j.IsRatio:
		return publishedRatio(n, x, q.Unit)
	case j.Form == Limit:
		m := j.Sides[0].Metric
		if d := dataset.DimensionOf(m); m.Unit != "" && !d.Like(q.Unit.Dimension) {
			return 0, wrongUnit(n, "a "+d.String(), "write it in "+d.Base())
		}
	case j.Form == Fewer:
		if q.Unit.Symbol != "%" {
			return 0, wrongUnit(n, "a difference of shares", "write it in %: by how much smaller the first share was")
		}
	case q.Unit.Symbol != "" || x != math.Trunc(x) || x < 0 || x > float64(len(j.Parts)):
		return 0, dataset.Mistake(n.Pos(), "wrong-value", "write how many of them came out as claimed",
			"the claim has %s, and %s is not a number of them", phrase.Count(len(j.Parts), "comparison"), n)
	}
	return x, nil
}

func publishedRatio(n expr.Node, x float64, unit expr.Unit) (float64, error) {
	const hint = "write it as 1.26, or as 26% for the difference"
	switch unit.Symbol {
	case "":
	case "%":
		x++
	default:
		return 0, wrongUnit(n, "a ratio", hint)
	}
	if x <= 0 {
		return 0, dataset.Mistake(n.Pos(), "wrong-value", hint, "a ratio is more than 0, and %s is not", n)
	}
	return x, nil
}

func wrongUnit(n expr.Node, what, hint string) error {
	return dataset.Mistake(n.Pos(), "wrong-unit", hint, "the claim is about %s, and %s is not one", what, n)
}

// placeholders are the words in braces that article.Says may use.
var placeholders = []string{"effect", "verdict", "repetitions", "a", "b", "published"}

// Placeholder matches a word in braces.
var Placeholder = regexp.MustCompile(`\{[A-Za-z_]+\}`)

// IsPlaceholder reports whether article.Says may use a word in braces.
func IsPlaceholder(word string) bool { return slices.Contains(placeholders, word) }

// FollowsOutcome reports whether a sentence of article.Says has a placeholder that depends on the outcome.
func FollowsOutcome(sentence string) bool {
	return strings.Contains(sentence, "{effect}") || strings.Contains(sentence, "{verdict}")
}

// code matches a span of code, whose braces belong to the author: `{value} speedup`.
var code = regexp.MustCompile("`[^`]*`")

// CheckSays reports unknown words in braces.
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
