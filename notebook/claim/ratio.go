package claim

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"benchbook/notebook/dataset"
	"benchbook/notebook/expr"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
)

// ratioTest asks whether the ratio of a to b lies in a region.
//
// Source: docs/method.md#ratios and docs/method.md#claims-as-regions.
type ratioTest struct {
	form   Form
	op     expr.Op // "" for Near
	a, b   side
	region stats.Region
	delta  float64
}

func (t ratioTest) judge(alpha float64) Judgement {
	j := Judgement{What: t.what(), Region: t.region}
	j.IsRatio = true
	j.compares(t.form, t.op, t.a, t.b)
	j.note(t.delta, true, t.a, t.b)
	a, ok := t.a.measured(&j)
	if !ok {
		return j
	}
	b, ok := t.b.measured(&j)
	if !ok {
		return j
	}
	if record.IsSearched(t.a.metric.Name) {
		return t.judgeSearched(j)
	}
	c, err := stats.Ratio(a, b, alpha)
	if err != nil && !errors.Is(err, stats.ErrTooFew) {
		j.Verdict, j.Reason = stats.Inconclusive, "there is no ratio: "+dataset.NoRatio(err, t.a.name(t.b), a,
			t.b.name(t.a), b)
		return j
	}
	c.Interval = c.Widen(j.Floor, alpha)
	effect := dataset.RatioOf(c, false)
	effect.What, effect.Cells = j.What, append(append(effect.Cells, t.a.cells...), t.b.cells...)
	j.Effect = &effect
	if err != nil {
		if n := len(a.Values); n < stats.MinRepetitions {
			j.tooFew(t.a.name(t.b), n)
		} else {
			j.tooFew(t.b.name(t.a), len(b.Values))
		}
		return j
	}
	j.Verdict = stats.Judge(c.Interval, t.region)
	if j.Verdict == stats.Inconclusive {
		if c.IsDisturbed() {
			j.Reason = reasonLimit
			return j
		}
		j.Undecided(stats.Needed(c, t.region, j.Floor, alpha, plannedLooks(t.a, t.b)))
	}
	return j
}

// what is the ratio in words: "throughput, async over sync".
func (t ratioTest) what() string {
	if t.a.metric.Name != t.b.metric.Name {
		return fmt.Sprintf("%s, %s over %s, %s", t.a.metric.InWords(), t.a.name(t.b), t.b.metric.InWords(), t.b.name(t.a))
	}
	return t.a.metric.InWords() + ", " + t.names()
}

// names is the ratio in words, without its metric.
func (t ratioTest) names() string { return t.a.name(t.b) + " over " + t.b.name(t.a) }

// equals reports whether two ratios are of the same cells by the same metrics.
func (t ratioTest) equals(other ratioTest) bool {
	same := func(a, b side) bool { return a.metric.Name == b.metric.Name && slices.Equal(a.cells, b.cells) }
	return same(t.a, other.a) && same(t.b, other.b)
}

// compare is the test of "a op b". That a is less is the same as that b is greater; the ratio stays that of a to b,
// as the author wrote it, and the region is turned round instead.
func (f builder) compare(op expr.Op, a, b side) test {
	return ratioTest{form: Compared, op: op, a: a, b: b, region: regionOf(op, f.delta), delta: f.delta}
}

// regionOf is where the ratio of a to b lies if "a op b" by more than the smallest effect.
func regionOf(op expr.Op, delta float64) stats.Region {
	region := stats.Greater(delta)
	if op == expr.LessEqual || op == expr.GreaterEqual {
		region = stats.NotLess(delta)
	}
	if op == expr.Less || op == expr.LessEqual {
		region = stats.Below(1 / region.Lo)
	}
	return region
}

// greater is the form a > b, with its kin.
func (f builder) greater(n *expr.Binary) (test, error) {
	_, okX := n.X.(*expr.Selector)
	_, okY := n.Y.(*expr.Selector)
	if !okX || !okY || !n.Op.IsOrdering() {
		return nil, nil
	}
	a, b, err := f.sides(n, n.X, n.Y)
	if err != nil {
		return nil, err
	}
	return f.compare(n.Op, a, b), nil
}

// same is the form same(a, b).
func (f builder) same(n *expr.Call) (test, error) { return f.near(n, 1, f.delta) }

// within is the form within(a, b, 10%).
func (f builder) within(n *expr.Call) (test, error) {
	w, err := margin(n.Args[2])
	if err != nil {
		return nil, err
	}
	if w <= 0 {
		return nil, cannotHold(n.Args[2], "no two measurements can be that close", "correct the number")
	}
	return f.near(n, 1, w)
}

// about is the form about(a, b, k) or about(a, b, k, 25%).
func (f builder) about(n *expr.Call) (test, error) {
	k, err := constant(n.Args[2])
	if err != nil {
		return nil, err
	}
	w := stats.DefaultNear
	if len(n.Args) > 3 {
		if w, err = margin(n.Args[3]); err != nil {
			return nil, err
		}
	}
	if k <= 0 || w <= 0 {
		return nil, cannotHold(n, "ratios are above 0, and about needs room on both sides", "correct the number")
	}
	return f.near(n, k, w)
}

func (f builder) near(n *expr.Call, k, w float64) (test, error) {
	a, b, err := f.sides(n, n.Args[0], n.Args[1])
	if err != nil {
		return nil, err
	}
	return ratioTest{form: Near, a: a, b: b, region: stats.About(k, w), delta: f.delta}, nil
}

// margin is a constant that says how far two values may lie apart, as a share: whoever writes 10 means 10 %, and not
// ten times as much.
func margin(n expr.Node) (float64, error) {
	w, err := constant(n)
	if q, ok := n.(*expr.Quantity); ok && err == nil && q.Unit.Symbol == "" && w >= 1 {
		return 0, dataset.Mistake(n.Pos(), "wrong-value", fmt.Sprintf("write %s%%, or %s%% if so much is meant", q,
			strconv.FormatFloat(100*w, 'f', -1, 64)),
			"%s is %s%%", q, strconv.FormatFloat(100*w, 'f', -1, 64))
	}
	return w, err
}

// constant reads a plain number or share that stands in a claim, with its sign.
func constant(n expr.Node) (float64, error) {
	x, ok := expr.Constant(n)
	if !ok {
		return 0, dataset.Mistake(n.Pos(), "no-test", "write a number or a percentage", "%s is not a plain number", n)
	}
	return x, nil
}

// beyond is the form ratio(a, b) > k, with its kin. The limit is taken as written.
func (f builder) beyond(n *expr.Binary) (test, error) {
	c, ok := n.X.(*expr.Call)
	if !ok || c.Name != "ratio" || !n.Op.IsOrdering() {
		return nil, nil
	}
	k, err := constant(n.Y)
	if err != nil {
		return nil, err
	}
	a, b, err := f.sides(n, c.Args[0], c.Args[1])
	if err != nil {
		return nil, err
	}
	return f.times(n, n.Op, a, b, k)
}

// multiple is the form a > k * b, with its kin.
func (f builder) multiple(n *expr.Binary) (test, error) {
	product, ok := n.Y.(*expr.Binary)
	if !ok || product.Op != expr.Mul || !n.Op.IsOrdering() {
		return nil, nil
	}
	factor, cell := product.X, product.Y
	if _, ok := factor.(*expr.Selector); ok {
		factor, cell = cell, factor
	}
	k, err := constant(factor)
	if err != nil {
		return nil, err
	}
	a, b, err := f.sides(n, n.X, cell)
	if err != nil {
		return nil, err
	}
	return f.times(n, n.Op, a, b, k)
}

// times is the test of a ratio against k.
func (f builder) times(n expr.Node, op expr.Op, a, b side, k float64) (test, error) {
	more := op == expr.Greater || op == expr.GreaterEqual
	switch {
	case k <= 0 && more:
		return nil, cannotFail(n, "a ratio is always more than that")
	case k <= 0:
		return nil, cannotHold(n, "a ratio is never less than that", "correct the number")
	}
	region := stats.Below(k)
	if more {
		region = stats.Above(k)
	}
	return ratioTest{form: Multiple, op: op, a: a, b: b, region: region, delta: f.delta}, nil
}
