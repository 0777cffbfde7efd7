package check

import (
	"github.com/yuin/goldmark/ast"

	"benchbook/notebook/article"
	"benchbook/notebook/claim"
	"benchbook/notebook/dataset"
	"benchbook/notebook/source"
	"benchbook/notebook/stats"
)

// Asserted warns of words in the text that are bound to a claim which the records do not support.
//
// Source: docs/claims.md#sentences.
func Asserted(d *dataset.Dataset, problems *source.Problems) {
	verdicts := map[string]stats.Verdict{}
	for _, j := range claim.Judgements(d) {
		verdicts[j.Claim.Name.Value] = j.Verdict
	}
	_ = ast.Walk(d.Doc.Tree, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		l, ok := n.(*article.ClaimLink)
		if !ok || !entering || l.FirstChild() == nil {
			return ast.WalkContinue, nil
		}
		if verdict, ok := verdicts[l.Name.Value]; ok && verdict != stats.Supported {
			problems.Warn("asserts-what-does-not-hold", l.Name.Pos, "these words state a claim that is %s here", verdict).
				Hint = "write [](claim:" + l.Name.Value + ") for the sentence of what was measured, and says: in the claim " +
				"for one of yours"
		}
		return ast.WalkContinue, nil
	})
}
