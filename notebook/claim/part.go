package claim

import (
	"slices"

	"benchbook/notebook/article"
	"benchbook/notebook/conditional"
	"benchbook/notebook/dataset"
	"benchbook/notebook/stats"
)

// Applies reports whether a part of the text is for what was measured, and so are those around it. What stands in no
// part, nil, always is. A test that is not measured is not fulfilled.
//
// Source: docs/article.md#parts-for-one-outcome.
func Applies(d *dataset.Dataset, p *conditional.Part) bool {
	type key struct{}
	applies := dataset.Once(d, key{}, func() map[*conditional.Part]bool {
		verdicts := map[string]stats.Verdict{}
		for _, j := range Judgements(d) {
			verdicts[j.Claim.Name.Value] = j.Verdict
		}
		return partsFor(d, verdicts)
	})
	return p == nil || applies[p]
}

// partsFor says of all parts of an article whether they apply if claims have the verdicts given.
func partsFor(d *dataset.Dataset, verdicts map[string]stats.Verdict) map[*conditional.Part]bool {
	applies := map[*conditional.Part]bool{nil: true}
	for _, p := range d.Doc.Parts { // each after those around it
		holds := slices.Contains(p.Verdicts, verdicts[p.Claim.Value])
		if p.Test != nil {
			holds = Judge(d, article.TestOf(p)).Verdict == stats.Supported
		}
		applies[p] = holds && applies[conditional.PartOf(p)]
	}
	return applies
}
