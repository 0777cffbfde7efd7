package check

import (
	"slices"

	"benchbook/notebook/article"
	"benchbook/notebook/source"
)

// Headlines warns of an article none of whose claims is a headline: they have no say in its standing, which is
// "measured" whatever they come to.
func Headlines(doc *article.Document, problems *source.Problems) {
	if len(doc.Claims) == 0 || slices.ContainsFunc(doc.Claims, func(c *article.Claim) bool { return c.Headline.V }) {
		return
	}
	problems.Warn("no-headline", doc.Claims[0].Name.Pos, "no claim is a headline, so no verdict counts for the article's "+
		"standing").Hint = "add headline: true to the claims that the article is about"
}
