package claim

import (
	"fmt"
	"slices"

	"benchbook/internal/slice"
	"benchbook/notebook/dataset"
	"benchbook/notebook/expr"
	"benchbook/notebook/phrase"
)

// every is the form every(a, "<", b): all pairs of two lists.
func (f builder) every(n *expr.Call) (test, error) {
	op := expr.Op(n.Args[1].(*expr.String).Value)
	left, right, err := f.twoLists(n, op)
	if err != nil {
		return nil, err
	}
	all := groupTest{form: Pairs, op: op, sides: []side{left, right}}
	for _, a := range left.cells {
		for _, b := range right.cells {
			if a == b && left.metric.Name == right.metric.Name {
				return nil, dataset.Mistake(n.Span, "same-cells", "choose lists without common cells",
					"both lists have the cell %q", a.Trial.Name)
			}
			one, other := left, right
			one.cells, one.left, other.cells, other.left = []*dataset.Cell{a}, nil, []*dataset.Cell{b}, nil
			all.parts = append(all.parts, f.compare(op, one, other))
		}
	}
	for _, words := range f.Data.LeftOut(slices.Concat(left.left, right.left)) {
		all.marks = slice.Add(all.marks, words)
	}
	all.what = fmt.Sprintf("%s, %s", left.metric.InWords(), phrase.Plural(len(all.parts), "pair"))
	return all, nil
}

// twoLists finds the cells of the two lists of a call, which are of metrics that can be compared.
func (f builder) twoLists(n *expr.Call, op expr.Op) (left, right side, err error) {
	x, okX := n.Args[0].(*expr.Selector)
	y, okY := n.Args[2].(*expr.Selector)
	if !okX || !okY || !op.IsOrdering() {
		return left, right, dataset.Mistake(n.Span, "no-test", fmt.Sprintf(`write %s(a, "<", b), with two lists of cells`,
			n.Name),
			"no test for this form")
	}
	if left, err = f.list(x); err != nil {
		return left, right, err
	}
	if right, err = f.list(y); err != nil {
		return left, right, err
	}
	return left, right, comparable(n, left, right)
}
