package claim

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"benchbook/internal/slice"
	"benchbook/notebook/article"
	"benchbook/notebook/dataset"
	"benchbook/notebook/expr"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
)

// forms are the ways to write a claim, in the order of docs/claims.md#forms.
var forms = []string{"a > b", "same(a, b)", "within(a, b, 10%)", "ratio(a, b) > 2", "a > 2 * b", "ratio(a, b) > ratio(c, d)",
	"about(a, b, 2)", "a < 100ms", "every(a) < 100ms", "fewer(a, b)", `every(a, "<", b)`, "geomean(a) > geomean(b)"}

// builder builds tests from expressions.
type builder struct {
	dataset.Scope
	delta float64 // the smallest effect; 0 for the metric's own
}

var errNoExpression = errors.New("the claim has no test that can be read")

// newTest returns the test of a claim, with its form and cells. The error is errNoExpression, an *expr.Error as from
// Pick, or a mistake in the form that every profile has.
func newTest(d *dataset.Dataset, c *article.Claim) (Test, error) {
	if c.Expect.Node == nil {
		return Test{}, errNoExpression
	}
	n, err := d.Expand(c.Expect.Node)
	if err != nil {
		return Test{}, err
	}
	b := builder{d.In(c.Experiment.Value), c.SmallestEffect}
	t, err := b.test(n)
	if err == nil || errors.Is(err, dataset.ErrNotMeasured) {
		return t, err
	}
	return Test{}, d.UnlessInOtherProfile(err, c.Expect.Node.Pos(), func(other *dataset.Dataset) error {
		_, err := builder{other.In(c.Experiment.Value), b.delta}.test(n)
		return err
	})
}

// test builds the test of a claim, which may have several parts joined by "and".
func (b builder) test(n expr.Node) (Test, error) {
	nodes := expr.Parts(n)
	if len(nodes) == 1 {
		return b.part(n)
	}
	all := Test{Form: All}
	for _, n := range nodes {
		part, err := b.part(n)
		if err != nil {
			return Test{}, err
		}
		all.parts = append(all.parts, part)
	}
	all.What = all.words()
	return all, nil
}

func (b builder) part(n expr.Node) (Test, error) {
	if b.delta == 0 {
		for _, metric := range expr.Names(n) {
			b.delta = max(b.delta, record.SmallestEffect(metric))
		}
	}
	t, err := b.read(n)
	if err != nil {
		return Test{}, err
	}
	return b.complete(t), nil
}

// complete sets the fields that all forms share.
func (b builder) complete(t Test) Test {
	t.delta = b.delta
	t.IsRatio = slices.Contains([]Form{Compared, Multiple, Near, Gap}, t.Form)
	t.What = t.words()
	return t
}

func (b builder) read(n expr.Node) (Test, error) {
	switch n := n.(type) {
	case *expr.Call:
		switch n.Name {
		case "same", "within", "about":
			return b.near(n)
		case "fewer":
			return b.fewer(n)
		case "every":
			return b.every(n)
		}
	case *expr.Binary:
		if n.Op.IsOrdering() {
			return b.ordering(n)
		}
	}
	return Test{}, noTest(n)
}

// ordering reads x op y, where op is < > <= or >=.
func (b builder) ordering(n *expr.Binary) (Test, error) {
	left, x := kindOf(n.X)
	right, y := kindOf(n.Y)
	switch {
	case left == "cell" && right == "cell":
		return b.compare(n, n.X, n.Y, builder.side)
	case left == "geomean" && right == "geomean":
		return b.compare(n, x[0], y[0], builder.geomean)
	case left == "ratio" && right == "ratio":
		return b.gap(n, x, y)
	case left == "ratio":
		return b.times(n, x[0], x[1], n.Y)
	case right == "product":
		if isSelector(y[0]) {
			return b.times(n, n.X, y[0], y[1])
		}
		return b.times(n, n.X, y[1], y[0])
	case left == "cell" && right == "limit":
		s, err := b.side(n.X.(*expr.Selector))
		if err != nil {
			return Test{}, err
		}
		return b.limitOf(n, s)
	case left == "every" && right == "limit":
		return b.limitOfEach(n, x)
	}
	return Test{}, noTest(n)
}

// kindOf returns what an expression is, with its operands: "cell" for one or more cells, "limit", "product", or the
// name of the function that it calls.
func kindOf(n expr.Node) (kind string, operands []expr.Node) {
	switch n := n.(type) {
	case *expr.Selector:
		return "cell", nil
	case *expr.Call:
		return n.Name, n.Args
	case *expr.Binary:
		if n.Op == expr.Mul {
			return "product", []expr.Node{n.X, n.Y}
		}
	case *expr.Quantity, *expr.Unary:
		if q, _ := limitIn(n); q != nil {
			return "limit", nil
		}
	}
	return "", nil
}

func isSelector(n expr.Node) bool {
	_, ok := n.(*expr.Selector)
	return ok
}

// noTest returns the error for an expression of no form, with a hint where the meaning is plain.
func noTest(n expr.Node) error {
	last := len(forms) - 1
	hint := fmt.Sprintf("a claim is %s or %s; with and between them", strings.Join(forms[:last], ", "), forms[last])
	if b, ok := n.(*expr.Binary); ok {
		_, isConstant := b.X.(*expr.Quantity)
		left, _ := b.X.(*expr.Binary)
		isReduced := func(n expr.Node) bool { function, _ := kindOf(n); return expr.IsReduction(function) }
		switch {
		case b.Op == expr.Same:
			hint = "two measurements are never equal: write same(a, b)"
		case b.Op == expr.Differs:
			hint = "two measurements always differ: write a > b or a < b"
		case isConstant:
			hint = "write the limit on the right: a < 100ms"
		case left != nil && left.Op == expr.Div:
			hint = fmt.Sprintf("write ratio(a, b) %s %s", b.Op, b.Y)
		case left != nil && left.Op == expr.Sub:
			hint = fmt.Sprintf("compare the two, a %s b, or their ratio, ratio(a, b) %s 1.1", b.Op, b.Op)
		case isReduced(b.X) || isReduced(b.Y):
			hint = `a claim is about single cells, or about lists by every(a, "<", b) or geomean(a) > geomean(b)`
		}
	}
	if u, ok := n.(*expr.Unary); ok && u.Op == expr.Not {
		hint = "write what you claim instead, such as a <= b"
	}
	return dataset.Mistake(n.Pos(), "no-test", hint, "no test for this form")
}

// cannotFail rejects a claim that no measurement can contradict, cannotHold one that none can support.
func cannotFail(n expr.Node, why string) error {
	return dataset.Mistake(n.Pos(), "cannot-fail", "claim something that could turn out to be wrong",
		"this claim cannot fail: %s", why)
}

func cannotHold(n expr.Node, why, hint string) error {
	return dataset.Mistake(n.Pos(), "cannot-hold", hint, "this claim can never be supported: %s", why)
}

// list reads a selector of one or more cells.
func (b builder) list(sel *expr.Selector) (Side, error) {
	p, err := b.Pick(sel)
	if err != nil {
		return Side{}, err
	}
	if p.Metric.Name == "latency.max" {
		return Side{}, dataset.Mistake(sel.Span, "no-claim-of-max", "claim a percentile, such as latency.p99",
			"the longest latency depends on a single request, so no claim can rest on it")
	}
	return Side{Metric: p.Metric, Cells: p.Cells, Written: sel}, nil
}

// side reads a selector of exactly one cell.
func (b builder) side(sel *expr.Selector) (Side, error) {
	s, err := b.list(sel)
	if n := len(s.Cells); err == nil && n > 1 {
		return s, dataset.Mistake(sel.Span, "several-cells",
			`say every(a) < 100ms of all of them, compare lists by every(a, "<", b), or pick one cell in braces`,
			"%s selects %d cells, but one is needed", sel, n)
	}
	return s, err
}

// two reads two sides, which must be comparable.
func (b builder) two(n, x, y expr.Node, read func(builder, *expr.Selector) (Side, error)) (sides []Side, err error) {
	if !isSelector(x) || !isSelector(y) {
		return nil, noTest(n)
	}
	for _, operand := range []expr.Node{x, y} {
		s, err := read(b, operand.(*expr.Selector))
		if err != nil {
			return nil, err
		}
		sides = append(sides, s)
	}
	return sides, comparable(n, sides[0], sides[1])
}

// comparable rejects sides of unlike metrics, and equal sides.
func comparable(n expr.Node, a, b Side) error {
	// Units that programs made up are compared by name.
	if a.Metric.Unit != "" && b.Metric.Unit != "" && a.Metric.Unit != b.Metric.Unit {
		return dataset.Mistake(n.Pos(), "unlike-units", "compare metrics of one unit", "%s is in %s and %s in %s",
			a.Metric.Name, a.Metric.Unit, b.Metric.Name, b.Metric.Unit)
	}
	if a.isSearched() != b.isSearched() {
		return dataset.Mistake(n.Pos(), "no-test", "compare two of the same kind",
			"a search finds one value of a cell and repetitions have several, so no test compares %s with %s",
			a.Metric.Name, b.Metric.Name)
	}
	if a.equals(b) {
		names := slice.Map(a.Cells, func(c *dataset.Cell) string { return dataset.NameOf(c) })
		return dataset.Mistake(n.Pos(), "same-cells", "compare two different cells", "both sides are the same: %s",
			strings.Join(names, ", "))
	}
	return nil
}

func isMore(op expr.Op) bool { return op == expr.Greater || op == expr.GreaterEqual }

// compared returns the region of the ratio of a to b for "a op b": more or less than 1 by the smallest effect.
func (b builder) compared(op expr.Op) stats.Region {
	region := stats.Greater(b.delta)
	if op == expr.LessEqual || op == expr.GreaterEqual {
		region = stats.NotLess(b.delta)
	}
	if !isMore(op) {
		region = stats.Below(1 / region.Lo)
	}
	return region
}

// compare builds the test a > b, of cells or geometric means.
func (b builder) compare(n *expr.Binary, x, y expr.Node, read func(builder, *expr.Selector) (Side, error)) (Test, error) {
	sides, err := b.two(n, x, y, read)
	return Test{Form: Compared, Op: n.Op, Sides: sides, Region: b.compared(n.Op)}, err
}

// geomean reads a side of geomean(list) > geomean(list).
//
// Source: docs/method.md#claims-as-regions.
func (b builder) geomean(sel *expr.Selector) (Side, error) {
	s, err := b.list(sel)
	if err == nil && s.isSearched() {
		err = dataset.Mistake(sel.Span, "no-test", `compare lists by every(a, "<", b)`,
			"a search finds one value of each cell, which is not repeated, so no test compares geometric means of %s",
			s.Metric.Name)
	}
	s.Geomean = true
	return s, err
}

// near builds the test same(a, b), within(a, b, 10%), about(a, b, 2), or about(a, b, 2, 25%) with its own margin.
func (b builder) near(n *expr.Call) (Test, error) {
	k, w := 1.0, b.delta
	var err error
	switch n.Name {
	case "within":
		w, err = margin(n.Args[2])
	case "about":
		k, err = constant(n.Args[2])
		if w = stats.DefaultNear; err == nil && len(n.Args) > 3 {
			w, err = margin(n.Args[3])
		}
	}
	switch {
	case err != nil:
		return Test{}, err
	case n.Name == "within" && w <= 0:
		return Test{}, cannotHold(n.Args[2], "no two measurements can be that close", "correct the number")
	case k <= 0 || w <= 0:
		return Test{}, cannotHold(n, "ratios are above 0, and about needs room on both sides", "correct the number")
	}
	sides, err := b.two(n, n.Args[0], n.Args[1], builder.side)
	return Test{Form: Near, Sides: sides, Region: stats.About(k, w)}, err
}

// margin reads how far apart two values may lie, as a share. It rejects 10 without %, which hardly means 1000 %.
func margin(n expr.Node) (float64, error) {
	w, err := constant(n)
	if q, ok := n.(*expr.Quantity); ok && err == nil && q.Unit.Symbol == "" && w >= 1 {
		percent := strconv.FormatFloat(100*w, 'f', -1, 64)
		return 0, dataset.Mistake(n.Pos(), "wrong-value", fmt.Sprintf("write %s%%, or %s%% if so much is meant", q, percent),
			"%s is %s%%", q, percent)
	}
	return w, err
}

// constant reads a plain number or share with its sign.
func constant(n expr.Node) (float64, error) {
	q, x := limitIn(n)
	if q == nil || !q.Unit.Dimension.Like(expr.Plain) {
		return 0, dataset.Mistake(n.Pos(), "no-test", "write a number or a percentage", "%s is not a plain number", n)
	}
	return x, nil
}

// times builds the test of the ratio of x to y against a factor, to which no smallest effect is added.
func (b builder) times(n *expr.Binary, x, y, factor expr.Node) (Test, error) {
	k, err := constant(factor)
	if err != nil {
		return Test{}, err
	}
	sides, err := b.two(n, x, y, builder.side)
	switch {
	case err != nil:
		return Test{}, err
	case k <= 0 && isMore(n.Op):
		return Test{}, cannotFail(n, "a ratio is always more than that")
	case k <= 0:
		return Test{}, cannotHold(n, "a ratio is never less than that", "correct the number")
	}
	return Test{Form: Multiple, Op: n.Op, Sides: sides, Region: beyond(n.Op, k)}, nil
}

// beyond returns the region above or below a limit.
func beyond(op expr.Op, limit float64) stats.Region {
	if isMore(op) {
		return stats.Above(limit)
	}
	return stats.Below(limit)
}

// gap builds the test ratio(a, b) > ratio(c, d): is the gap wider here than there?
//
// Source: docs/method.md#ratios and docs/method.md#claims-as-regions, with four cells.
func (b builder) gap(n *expr.Binary, x, y []expr.Node) (Test, error) {
	t := Test{Form: Gap, Op: n.Op, Region: b.compared(n.Op)}
	for i, ratio := range [][]expr.Node{x, y} {
		at := []expr.Node{n.X, n.Y}[i]
		sides, err := b.two(at, ratio[0], ratio[1], builder.side)
		if err != nil {
			return Test{}, err
		}
		if sides[0].isSearched() {
			return Test{}, dataset.Mistake(at.Pos(), "no-test", "compare the values themselves, by >",
				"a search finds one value of a cell, so no test compares ratios of %s", sides[0].Metric.Name)
		}
		t.Sides = append(t.Sides, sides...)
	}
	if slices.EqualFunc(t.Sides[:2], t.Sides[2:], Side.equals) {
		return Test{}, dataset.Mistake(n.Pos(), "same-cells", "compare the ratios of different cells",
			"both sides are the same: %s over %s", t.name(0), t.name(1))
	}
	return t, nil
}

// limitOfEach builds the test every(a) < 100ms: a limit for all cells of a list.
func (b builder) limitOfEach(n *expr.Binary, args []expr.Node) (Test, error) {
	if len(args) != 1 || !isSelector(args[0]) {
		return Test{}, noTest(n)
	}
	list, err := b.list(args[0].(*expr.Selector))
	if err != nil {
		return Test{}, err
	}
	all := Test{Form: All}
	for _, cell := range list.Cells {
		part, err := b.limitOf(n, list.of(cell))
		if err != nil {
			return Test{}, err
		}
		all.parts = append(all.parts, b.complete(part))
	}
	return all, nil
}

// of returns the side for one cell of the list.
func (s Side) of(cell *dataset.Cell) Side {
	s.Cells = []*dataset.Cell{cell}
	return s
}

func (s Side) equals(o Side) bool {
	return s.Metric.Name == o.Metric.Name && slices.Equal(s.Cells, o.Cells)
}

// limitIn reads a number with its sign, such as a limit: as written, nil if n is not a number, and in its base unit.
func limitIn(n expr.Node) (q *expr.Quantity, limit float64) {
	sign := 1.0
	if u, negated := n.(*expr.Unary); negated && u.Op == expr.Sub {
		n, sign = u.X, -1
	}
	if q, _ = n.(*expr.Quantity); q != nil {
		limit = sign * q.Value
	}
	return q, limit
}

// limitOf builds the test whether one cell lies beyond a limit.
func (b builder) limitOf(n *expr.Binary, s Side) (Test, error) {
	q, limit := limitIn(n.Y)
	if err := unlike(s.Metric, q, n.Y.Pos()); err != nil {
		return Test{}, err
	}
	if err := cannotBe(n, s.Metric, limit, isMore(n.Op)); err != nil {
		return Test{}, err
	}
	return Test{Form: Limit, Op: n.Op, Sides: []Side{s}, Region: beyond(n.Op, limit)}, nil
}

// unlike rejects a limit of another dimension than the metric.
func unlike(m record.Metric, q *expr.Quantity, at expr.Span) error {
	if d := dataset.DimensionOf(m); m.Unit != "" && !d.Like(q.Unit.Dimension) {
		return dataset.Mistake(at, "unlike-units", inUnit(d, q), "%s is a %s, and %s a %s", m.Name, d,
			q.Text, q.Unit.Dimension)
	}
	known, ok := record.LookupMetric(m.Name)
	if ok && known.Unit == "1" && !known.Share && q.Unit.Dimension == expr.Share {
		return dataset.Mistake(at, "unlike-units", "write the limit as a number", "%s is a number, and %s a share", m.Name,
			q.Text)
	}
	return nil
}

// inUnit returns a hint on how to write a limit of a dimension.
func inUnit(d expr.Dimension, q *expr.Quantity) string {
	isPlain := q.Unit.Symbol == ""
	switch {
	case isPlain && d == expr.Rate:
		return "write " + q.Text + "/s"
	case isPlain && d == expr.Time:
		return "write " + q.Text + "ms or " + q.Text + "s"
	}
	return "write the limit in " + d.Base()
}

// cannotBe rejects a limit that the metric always or never exceeds.
func cannotBe(n expr.Node, m record.Metric, limit float64, more bool) error {
	_, known := record.LookupMetric(m.Name) // only programs print metrics that may be below 0
	never, aShare := m.Name+" is never less than 0", "a share is never more than 100%"
	switch below := known && limit <= 0; {
	case below && more:
		return cannotFail(n, never)
	case below && m.Unit == "1" && !m.Share:
		return cannotHold(n, never, "write < 1 for none at all")
	case below:
		return cannotHold(n, never, "correct the number")
	case m.Share && limit >= 1 && more:
		return cannotHold(n, aShare, "correct the number")
	case m.Share && limit >= 1:
		return cannotFail(n, aShare)
	}
	return nil
}

// fewer builds the test fewer(a, b), or fewer(a, b, 0.1%) with the smallest difference that matters. By default that is
// a tenth of the published difference, or any difference.
func (b builder) fewer(n *expr.Call) (Test, error) {
	sides, err := b.two(n, n.Args[0], n.Args[1], builder.side)
	if err != nil {
		return Test{}, err
	}
	for _, s := range sides {
		if !record.CountsFailures(s.Metric.Name) {
			return Test{}, dataset.Mistake(s.Written.Span, "no-test", "write failed, failed.count or errors.KIND, or compare by <",
				"fewer is about failures, and %s counts none", s.Metric.Name)
		}
	}
	if x, y := sides[0].Metric.Name, sides[1].Metric.Name; x != y {
		return Test{}, dataset.Mistake(n.Span, "unlike-units", "name one metric twice", "%s and %s do not count the same", x, y)
	}
	by := b.publishedDifference(sides) / 10
	if len(n.Args) > 2 {
		if by, err = margin(n.Args[2]); err != nil {
			return Test{}, err
		}
		switch {
		case by <= 0:
			return Test{}, cannotHold(n.Args[2], "a difference that matters is above 0", "correct the number, or leave it out")
		case by >= 1:
			return Test{}, cannotHold(n.Args[2], "shares never differ by more than 100%", "correct the number")
		}
	}
	return Test{Form: Fewer, Sides: sides, Region: stats.Above(by)}, nil
}

// publishedDifference returns by how much the second side's published share of failures exceeds the first's; 0 if it
// does not, or if one is not published.
func (b builder) publishedDifference(sides []Side) float64 {
	if !sides[0].Metric.Share {
		return 0
	}
	x, okX := b.Data.Published(sides[0].Cells[0], sides[0].Metric.Name, "")
	y, okY := b.Data.Published(sides[1].Cells[0], sides[1].Metric.Name, "")
	if !okX || !okY {
		return 0
	}
	return max(0, y.Number-x.Number)
}

// every builds the test every(a, "<", b): all pairs of two lists.
func (b builder) every(n *expr.Call) (Test, error) {
	if len(n.Args) != 3 {
		return Test{}, dataset.Mistake(n.Span, "no-test", "write every(a) < 100ms", "every without a comparison is not a test")
	}
	op := expr.Op(n.Args[1].(*expr.String).Value)
	if !isSelector(n.Args[0]) || !isSelector(n.Args[2]) || !op.IsOrdering() {
		return Test{}, dataset.Mistake(n.Span, "no-test", `write every(a, "<", b), with two lists of cells`,
			"no test for this form")
	}
	lists, err := b.two(n, n.Args[0], n.Args[2], builder.list)
	if err != nil {
		return Test{}, err
	}
	all := Test{Form: Pairs, Op: op, Sides: lists}
	for _, x := range lists[0].Cells {
		for _, y := range lists[1].Cells {
			pair := Test{Form: Compared, Op: op, Region: b.compared(op), Sides: []Side{lists[0].of(x), lists[1].of(y)}}
			if pair.Sides[0].equals(pair.Sides[1]) {
				return Test{}, dataset.Mistake(n.Span, "same-cells", "choose lists without common cells",
					"both lists have the cell %q", x.Trial.Name)
			}
			all.parts = append(all.parts, b.complete(pair))
		}
	}
	return all, nil
}
