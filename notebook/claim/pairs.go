package claim

import (
	"fmt"
	"slices"
	"strings"

	"benchbook/notebook/dataset"
	"benchbook/notebook/expr"
	"benchbook/notebook/phrase"
	"benchbook/slice"
)

// every is the form every(a, "<", b): all pairs of two lists.
func (f builder) every(n *expr.Call) (test, error) {
	return f.pairs(n, func(_, _ *dataset.Cell) bool { return true }, nil)
}

// each is the form each(a, "<", b): the pairs of cells that agree on the other axes, those that no selector matches.
func (f builder) each(n *expr.Call) (test, error) {
	matched := map[string]bool{}
	for _, i := range []int{0, 2} {
		if sel, ok := n.Args[i].(*expr.Selector); ok {
			for _, m := range sel.Matches {
				matched[m.Name] = true
			}
		}
	}
	var others []string
	agree := func(a, b *dataset.Cell) bool {
		for _, e := range []*dataset.Experiment{a.Experiment, b.Experiment} {
			for _, name := range e.Plan.Parameters {
				if matched[name] {
					continue
				}
				others = slice.Add(others, name)
				x, _ := a.Setting(name)
				y, _ := b.Setting(name)
				if x != y {
					return false
				}
			}
		}
		return true
	}
	return f.pairs(n, agree, &others)
}

// pairs is the claim that all pairs of two lists that belong together compare as the call says.
func (f builder) pairs(n *expr.Call, belong func(a, b *dataset.Cell) bool, others *[]string) (test, error) {
	op := expr.Op(n.Args[1].(*expr.String).Value)
	left, right, err := f.twoLists(n, op)
	if err != nil {
		return nil, err
	}
	all := groupTest{all: true, form: Pairs, op: op, sides: []side{left, right}}
	used := map[*dataset.Cell]bool{}
	for _, a := range left.cells {
		for _, b := range right.cells {
			if !belong(a, b) {
				continue
			}
			if a == b && left.metric.Name == right.metric.Name {
				return nil, dataset.Mistake(n.Span, "same-cells", "choose lists without common cells",
					"both lists have the cell %q", a.Trial.Name)
			}
			used[a], used[b] = true, true
			one, other := left, right
			one.cells, one.left, other.cells, other.left = []*dataset.Cell{a}, nil, []*dataset.Cell{b}, nil
			all.parts = append(all.parts, f.compare(op, one, other))
		}
	}
	if len(all.parts) == 0 {
		return nil, dataset.Mistake(n.Span, "no-cell", `compare all of them by every, or match those axes too`,
			"no two cells of the lists agree on %s", strings.Join(*others, ", "))
	}
	for _, c := range append(slices.Clone(left.cells), right.cells...) {
		if !used[c] {
			all.marks = append(all.marks, fmt.Sprintf("left out, without a counterpart: %s", f.Data.NameOf(c)))
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
