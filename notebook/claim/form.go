package claim

import (
	"benchbook/internal/slice"
	"benchbook/notebook/dataset"
	"benchbook/notebook/expr"
	"benchbook/notebook/record"
)

// Form is what kind of test a claim is.
//
// Source: docs/claims.md#forms.
type Form string

const (
	Compared Form = "compared" // a > b; also the geometric means of two lists
	Multiple Form = "multiple" // ratio(a, b) > k, a > k * b
	Near     Form = "near"     // same(a, b), within(a, b, 10%), about(a, b, k)
	Gap      Form = "gap"      // ratio(a, b) > ratio(c, d): four sides
	Limit    Form = "limit"    // a < 100ms: one side
	Fewer    Form = "fewer"    // fewer(a, b)
	Pairs    Form = "pairs"    // every: two sides, which are lists; a part for each pair
	All      Form = "all"      // and: what is compared is in the parts
)

// Side is one side of a claim: a metric of a cell or of a list of them.
type Side struct {
	Metric  record.Metric
	Cells   []*dataset.Cell
	Written *expr.Selector // by which the claim names the cells
	Geomean bool           // the geometric mean of the cells
}

// compares notes what is compared, and how.
func (j *Judgement) compares(form Form, op expr.Op, sides ...side) {
	j.Form, j.Op = form, op
	j.Sides = slice.Map(sides, func(s side) Side { return Side{s.metric, s.cells, s.at, s.geomean} })
}
