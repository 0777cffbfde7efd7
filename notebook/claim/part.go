package claim

import (
	"slices"

	"benchbook/notebook/article"

	"benchbook/notebook/dataset"
	"benchbook/notebook/stats"
)

// Applies reports whether a part of the text is for what was measured, and so are those around it. What stands in no
// part, nil, always is. A test that is not measured is not fulfilled.
//
// Source: docs/article.md#parts-for-one-outcome.
func Applies(d *dataset.Dataset, p *article.ConditionalPart) bool {
	type key struct{}
	applies := dataset.Once(d, key{}, func() []bool { return partsFor(d) })
	return p == nil || applies[p.Number]
}

// partsFor says of each part of an article whether it applies.
func partsFor(d *dataset.Dataset) []bool {
	verdicts := map[string]stats.Verdict{}
	for _, j := range Judgements(d) {
		verdicts[j.Claim.Name.Value] = j.Verdict
	}
	applies := make([]bool, len(d.Doc.Parts))
	for i, p := range d.Doc.Parts { // each after those around it
		if outer := article.ConditionalPartOf(p); outer != nil && !applies[outer.Number] {
			continue
		}
		applies[i] = slices.Contains(p.Verdicts, verdicts[p.Claim.Value])
		if p.Test != nil {
			applies[i] = Judge(d, article.TestOf(p)).Verdict == stats.Supported
		}
	}
	return applies
}

// leaves are the parts of a test that are no groups.
func leaves(t test) []test {
	group, ok := t.(groupTest)
	if !ok {
		return []test{t}
	}
	var out []test
	for _, part := range group.parts {
		out = append(out, leaves(part)...)
	}
	return out
}

// sidesOf are all sides of a test.
func sidesOf(t test) []side {
	var out []side
	for _, part := range leaves(t) {
		switch part := part.(type) {
		case ratioTest:
			out = append(out, part.a, part.b)
		case ratiosTest:
			out = append(out, part.sides()...)
		case fewerTest:
			out = append(out, part.a, part.b)
		case limitTest:
			out = append(out, part.side)
		}
	}
	return out
}
