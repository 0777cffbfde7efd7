package claim

import (
	"fmt"
	"slices"

	"benchbook/notebook/dataset"
	"benchbook/notebook/expr"
	"benchbook/notebook/source"
	"benchbook/notebook/stats"
	"benchbook/slice"
)

// isBest is the form best(list) == "async": the cell beats every other of the list by more than the smallest effect, in
// the metric's better direction.
//
// Source: docs/method.md#several-comparisons.
func (f builder) isBest(n *expr.Binary) (test, error) {
	c, okX := n.X.(*expr.Call)
	name, okY := n.Y.(*expr.String)
	if !okX || !okY || c.Name != "best" || n.Op != expr.Same {
		return nil, nil
	}
	sel, ok := c.Args[0].(*expr.Selector)
	if !ok {
		return nil, noTest(n)
	}
	s, err := f.list(sel)
	if err != nil {
		return nil, err
	}
	if s.metric.Better == "" {
		return nil, dataset.NoDirection(sel.Span, s.metric)
	}
	switch {
	case len(s.cells) == 1 && len(s.left) > 0:
		return nil, cannotFail(n, "the list has only one cell that can be measured, so it is always the best")
	case len(s.cells) == 1:
		return nil, cannotFail(n, "the list has only one cell, so it is always the best")
	}
	whole := s
	whole.cells = slices.Concat(s.cells, s.left) // one that is unavailable is a reason, and no mistake
	best, err := whole.called(name)
	if err != nil {
		return nil, err
	}
	op := expr.Greater
	if s.metric.Better == string(stats.LowerIsBetter) {
		op = expr.Less
	}
	only := s
	only.cells, only.left = []*dataset.Cell{best}, nil
	all := groupTest{all: true, form: Best, op: op, sides: []side{only, s}, marks: f.Data.LeftOut(s.left)}
	all.what = fmt.Sprintf("%s is the best of %d by %s", f.Data.NameOf(best), len(s.cells), s.metric.InWords())
	for _, other := range s.cells {
		if other != best {
			a, b := s, s
			a.left, b.left = nil, nil
			a.cells, b.cells = []*dataset.Cell{best}, []*dataset.Cell{other}
			all.parts = append(all.parts, f.compare(op, a, b))
		}
	}
	return all, nil
}

// called finds the cell of a list that a text names: by the cell's name, its parameter name, the value of the only
// axis, or a condition as in where.
func (s side) called(name *expr.String) (*dataset.Cell, error) {
	byName := slice.Filter(s.cells, func(c *dataset.Cell) bool {
		own, _ := c.Setting("name")
		return c.Trial.Name == name.Value || own == name.Value
	})
	if len(byName) == 1 {
		return byName[0], nil
	}
	if where, err := expr.Parse(name.Value); err == nil {
		found := slice.Filter(s.cells, func(c *dataset.Cell) bool {
			chosen, err := c.Experiment.Select(where)
			return err == nil && slices.Contains(chosen, c)
		})
		switch len(found) {
		case 0:
		case 1:
			return found[0], nil
		default:
			return nil, dataset.Mistake(name.Span, "several-cells", "add a condition",
				"%s matches %d cells of the list", name, len(found))
		}
	}
	names := slice.Map(s.cells, func(c *dataset.Cell) string { return c.Trial.Name })
	return nil, dataset.Mistake(name.Span, "no-cell", source.Suggest(name.Value, names),
		"no cell of the list is called %s", name)
}
