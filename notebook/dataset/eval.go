package dataset

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"benchbook/internal/phrase"
	"benchbook/internal/slice"
	"benchbook/notebook/expr"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
)

// Quantity is the value of an expression.
type Quantity struct {
	Number   float64
	Unit     string             // base unit as in record.Metric; "1" for plain numbers and shares
	Share    bool               // to be printed as a percentage
	Interval *stats.Interval    // in Unit; nil if docs/method.md defines none
	Kind     stats.IntervalKind // how Interval was made
	Step     float64            // resolution of Number, in Unit; 0 if not measured
	N        int                // the fewest repetitions of any cell
	Cells    []*Cell            // that it was computed from
	Note     string             // caveats: "not measured together", "no interval: computed from 3 cells"
	What     string             // in words: "throughput, async over sync"
}

// Dimension returns the dimension of the quantity.
func (q Quantity) Dimension() expr.Dimension {
	return DimensionOf(record.Metric{Unit: q.Unit, Share: q.Share})
}

// DimensionOf returns the dimension of a metric. Units that programs made up count as plain numbers.
func DimensionOf(m record.Metric) expr.Dimension {
	if m.Share {
		return expr.Share
	}
	u, _ := expr.ParseUnit(m.Unit)
	return u.Dimension
}

// Eval evaluates an expression over the shown records. Selectors that name no experiment look in defaultExperiment; ""
// means the only one of the article.
//
// A metric of one cell gives its estimate. A ratio of one metric between two cells has the interval by which claims
// about it are judged. Any other number has no interval, and Note says so.
//
// The error is an *expr.Error with its place in the expression: a mistake that Check finds too, or with the cause
// ErrNotMeasured if a cell has no number.
//
// Source: docs/expressions.md#grammar; docs/method.md#one-cell and docs/method.md#ratios.
func (d *Dataset) Eval(n expr.Node, defaultExperiment string) (Quantity, error) {
	n, err := d.Expand(n)
	if err != nil {
		return Quantity{}, err
	}
	s := Scope{d, defaultExperiment}
	if _, err := s.Check(n, false); err != nil {
		return Quantity{}, err
	}
	return s.eval(n)
}

func (s Scope) eval(n expr.Node) (Quantity, error) {
	if sel, ok := n.(*expr.Selector); ok {
		p, err := s.pickFor(sel, false)
		if err != nil {
			return Quantity{}, err
		}
		return p.quantity(p.Cells[0])
	}
	if a, b, ok := s.pair(n); ok {
		return s.ratio(n, a, b)
	}
	if c, ok := n.(*expr.Call); ok && c.Name == "published" {
		p, err := s.pickFor(c.Args[0].(*expr.Selector), false)
		if err != nil {
			return Quantity{}, err
		}
		return s.publishedOf(c, p, p.Cells[0])
	}
	return s.compute(n)
}

// pair returns the two cells of a ratio by one metric, which has an interval; false for other expressions.
func (s Scope) pair(n expr.Node) (a, b Picked, ok bool) {
	var left, right expr.Node
	switch n := n.(type) {
	case *expr.Binary:
		if n.Op == expr.Div {
			left, right = n.X, n.Y
		}
	case *expr.Call:
		if n.Name == "ratio" {
			left, right = n.Args[0], n.Args[1]
		}
	}
	x, okX := left.(*expr.Selector)
	y, okY := right.(*expr.Selector)
	if !okX || !okY || x.Name != y.Name {
		return a, b, false
	}
	a, errA := s.pickFor(x, false)
	b, errB := s.pickFor(y, false)
	return a, b, errA == nil && errB == nil
}

// quantity returns the estimate of one cell of a selector.
func (p Picked) quantity(c *Cell) (Quantity, error) {
	r, err := p.result(c)
	if err != nil {
		return Quantity{}, err
	}
	q := EstimateQuantity(p.Metric, c, r.Estimate)
	q.Note = strings.Join(append(Marks(c), r.Marks...), "; ")
	return q, nil
}

// result returns the metric of one cell of a selector, or an error with the cause ErrNotMeasured.
func (p Picked) result(c *Cell) (Result, error) {
	r := c.Metric(p.Metric.Name)
	if r.Missing != "" {
		return r, &expr.Error{Span: p.selector.Span, Msg: WhyMissing(c, r), Err: ErrNotMeasured}
	}
	return r, nil
}

// EstimateQuantity returns the estimate of a metric of a cell as a Quantity.
func EstimateQuantity(m record.Metric, c *Cell, e stats.Estimate) Quantity {
	q := Quantity{Number: e.Centre, Unit: cmp.Or(m.Unit, "1"), Share: m.Share, Kind: e.Kind, N: e.N,
		Step: c.Metric(m.Name).Step(), Cells: []*Cell{c}, What: m.InWords() + ", " + NameOf(c)}
	if e.Kind != stats.NoInterval && e.Kind != stats.Given && e.Kind != stats.Exact {
		q.Interval = &e.Interval
	}
	return q
}

// ratio returns the ratio of two cells by one metric, with the interval that claims use: between sessions if there are
// enough, else widened by the noise floor.
//
// Source: docs/method.md#sessions and docs/method.md#the-noise-floor.
func (s Scope) ratio(n expr.Node, a, b Picked) (Quantity, error) {
	q, effect, err := s.ratioQuantity(n, a, b)
	if err != nil || q.Kind == stats.BySearch || q.N < stats.MinRepetitions {
		return q, err
	}
	effects := []stats.SessionEffect{effect}
	for _, session := range s.Data.OtherSessions(q.Cells) {
		a.Cells, b.Cells = []*Cell{session[q.Cells[0]]}, []*Cell{session[q.Cells[1]]}
		if q, effect, err := s.ratioQuantity(n, a, b); err == nil && q.N >= stats.MinRepetitions {
			effects = append(effects, effect)
		}
	}
	number, interval, err := stats.RatioBetween(effects, stats.DefaultAlpha)
	floor := s.Data.Floor(a.Metric.Name).F
	switch {
	case err == nil:
		q.Number, q.Interval, q.Kind, q.N = number, &interval, stats.OverSessions, len(effects)
		q.Step = stats.LastDigit(number, stats.MinResolution)
	case floor > 0 && q.Interval != nil:
		q.Note = strings.TrimPrefix(q.Note+"; widened by the noise floor of "+phrase.Percent(floor), "; ")
	}
	return q, nil
}

// ratioQuantity returns the ratio of two cells in one session, as readers see it and as an effect to compare between
// sessions.
func (s Scope) ratioQuantity(n expr.Node, a, b Picked) (q Quantity, effect stats.SessionEffect, err error) {
	ca, cb := a.Cells[0], b.Cells[0]
	ra, err := a.result(ca)
	if err != nil {
		return q, effect, err
	}
	rb, err := b.result(cb)
	if err != nil {
		return q, effect, err
	}
	names := []string{NameOf(ca, cb), NameOf(cb, ca)}
	var notes []string
	if record.IsSearched(a.Metric.Name) {
		if q = SearchedRatio(ra, rb); !Finite(q.Number) {
			return q, effect, &expr.Error{Span: n.Pos(), Msg: "no ratio: no rate of " + names[1] + " met the objective",
				Err: ErrNotMeasured}
		}
		notes = slices.Concat(Marks(ca, cb), ra.Marks, rb.Marks)
	} else {
		cells := []stats.Cell{ra.Cell(), rb.Cell()}
		comparison, err := stats.Ratio(cells[0], cells[1], stats.DefaultAlpha)
		isExact := ra.Estimate.Kind == stats.Exact && rb.Estimate.Kind == stats.Exact
		switch {
		case errors.Is(err, stats.ErrTooFew) && isExact:
		case errors.Is(err, stats.ErrTooFew):
			notes = append(notes, "no interval: fewer than 3 valid repetitions")
		case err != nil:
			why := NoRatio(err, cells, func(i int) string { return names[i] })
			return q, effect, &expr.Error{Span: n.Pos(), Msg: "no ratio: " + why, Err: err}
		}
		comparison.Interval = comparison.Widen(s.Data.Floor(a.Metric.Name).F, stats.DefaultAlpha)
		q = RatioOf(comparison)
		effect = stats.SessionEffect{Effect: comparison.Ratio, SE: comparison.SE, Range: comparison.Range()}
		q.Step = stats.LastDigit(comparison.Ratio, max(ra.resolution(), rb.resolution()))
		if isExact {
			q.Kind, q.Interval, effect = stats.Exact, nil, stats.SessionEffect{Effect: comparison.Ratio}
		}
		notes = slices.Concat(notes, Marks(ca, cb), LeftOutOf(a.Metric.Name, ca, cb))
	}
	q.Cells, q.Note = []*Cell{ca, cb}, strings.Join(notes, "; ")
	q.What = fmt.Sprintf("%s, %s over %s", a.Metric.InWords(), names[0], names[1])
	return q, effect, nil
}

// RatioOf returns the ratio of a comparison as a Quantity.
//
// Source: docs/method.md#definitions.
func RatioOf(c stats.Comparison) Quantity {
	q := Quantity{Number: c.Ratio, Unit: "1", Kind: c.Kind(), N: min(c.NA, c.NB),
		Step: stats.LastDigit(c.Ratio, stats.MinResolution)}
	if q.Kind != stats.NoInterval {
		q.Interval = &c.Interval
	}
	return q
}

// SearchedRatio returns the ratio of two values found by searches. It is not finite if no rate met the objective of b.
func SearchedRatio(a, b Result) Quantity {
	interval := a.Estimate.Interval.Over(b.Estimate.Interval)
	return Quantity{Number: a.Estimate.Centre / b.Estimate.Centre, Unit: "1", Kind: stats.BySearch, N: 1,
		Interval: &interval}
}

// Change turns a ratio into a relative difference.
func (q Quantity) Change() Quantity {
	q.Number, q.Share = q.Number-1, true
	if q.Interval != nil {
		q.Interval = &stats.Interval{Lo: q.Interval.Lo - 1, Hi: q.Interval.Hi - 1}
	}
	return q
}

// NoRatio returns why cells have no ratio: the first cell with a value of zero, as failures may have, else the error.
func NoRatio(err error, cells []stats.Cell, name func(int) string) string {
	if errors.Is(err, stats.ErrNotPositive) {
		for i, c := range cells {
			if smallest := slices.Min(c.Values); smallest <= 0 {
				return fmt.Sprintf("the smallest value of %s is %v", name(i), smallest)
			}
		}
	}
	return err.Error()
}

// Finite reports whether x is neither infinite nor NaN.
func Finite(x float64) bool { return !math.IsInf(x, 0) && !math.IsNaN(x) }

// compute evaluates an expression that has no interval.
func (s Scope) compute(n expr.Node) (Quantity, error) {
	e := &evaluation{Scope: s}
	v, err := expr.Eval(n, e)
	if err != nil {
		return Quantity{}, err
	}
	notes := slices.Concat(Marks(e.cells...), e.lacking, e.sources)
	step := 0.0
	if len(e.cells) > 0 {
		notes = append(notes, "no interval: computed from "+phrase.Count(len(e.cells), "cell"))
		step = stats.MinResolution * math.Abs(v.Number)
	}
	return Quantity{Number: v.Number, Unit: v.Dimension.Base(), Share: v.Dimension == expr.Share, Step: step,
		Kind: stats.NoInterval, N: e.n, Cells: e.cells, Note: strings.Join(notes, "; "), What: n.String()}, nil
}

// evaluation is the expr.Env of one expression; it collects the cells used.
type evaluation struct {
	Scope
	cells   []*Cell
	n       int      // the fewest repetitions of any cell
	lacking []string // sentences about repetitions and cells that are left out
	sources []string // of published numbers
}

// Select implements expr.Env: it returns the centres of the cells.
func (e *evaluation) Select(sel *expr.Selector) (expr.Value, error) {
	return e.each(sel, func(p Picked, c *Cell) (Quantity, error) {
		q, err := p.quantity(c)
		if err == nil {
			e.use(p.Metric.Name, q.N, c)
		}
		return q, err
	})
}

// each returns the numbers of a selector's cells: a list if there are several.
func (e *evaluation) each(sel *expr.Selector, number func(Picked, *Cell) (Quantity, error)) (expr.Value, error) {
	p, err := e.Pick(sel)
	if err != nil {
		return expr.Value{}, err
	}
	var values []expr.Value
	for _, c := range p.Cells {
		q, err := number(p, c)
		if err != nil {
			return expr.Value{}, err
		}
		values = append(values, valueOf(q))
	}
	if len(values) == 1 {
		return values[0], nil
	}
	return expr.ListOf(values...), nil
}

// use notes cells that were used by a metric with n repetitions each.
func (e *evaluation) use(metric string, n int, cells ...*Cell) {
	e.lacking, e.cells = slice.Add(e.lacking, LeftOutOf(metric, cells...)...), slice.Add(e.cells, cells...)
	if e.n == 0 || n < e.n && n > 0 {
		e.n = n
	}
}

// Call implements expr.Env for ratio and published, which need cells.
func (e *evaluation) Call(c *expr.Call) (expr.Value, error) {
	switch c.Name {
	case "ratio":
		if a, b, ok := e.pair(c); ok {
			q, err := e.ratio(c, a, b)
			e.use(a.Metric.Name, q.N, q.Cells...)
			return valueOf(q), err
		}
		return expr.Eval(&expr.Binary{Span: c.Span, Op: expr.Div, X: c.Args[0], Y: c.Args[1]}, e)
	case "published":
		return e.each(c.Args[0].(*expr.Selector), func(p Picked, cell *Cell) (Quantity, error) {
			q, err := e.publishedOf(c, p, cell)
			e.sources = slice.Add(e.sources, q.Note)
			return q, err
		})
	}
	return expr.Value{}, fmt.Errorf("%s has no number", c.Name)
}

func valueOf(q Quantity) expr.Value { return expr.NumberOf(q.Number, q.Dimension()) }

func (s Scope) publishedOf(n *expr.Call, p Picked, c *Cell) (Quantity, error) {
	v, ok := s.Data.Published(c, p.Metric.Name, "")
	if !ok {
		return Quantity{}, Mistake(n.Span, "not-published", "add the row to a yaml published block, or name another cell",
			"no published %s of %s", p.Metric.Name, NameOf(c))
	}
	return Quantity{Number: v.Number, Unit: cmp.Or(p.Metric.Unit, "1"), Share: p.Metric.Share, Kind: stats.NoInterval,
		Note: "published by " + v.Block.Source.Value, What: "published " + p.Metric.InWords() + ", " + NameOf(c)}, nil
}

// Check finds mistakes in a value expression without records, and returns its type. List says whether it may be a list.
func (s Scope) Check(n expr.Node, list bool) (expr.Type, error) {
	if err := s.checkShape(n, list); err != nil {
		return expr.Type{}, err
	}
	return expr.Check(n, func(sel *expr.Selector) (expr.Type, error) {
		p, err := s.Pick(sel)
		if err != nil {
			return expr.Type{}, err
		}
		if p.Metric.Unit == "" {
			return expr.Type{Kind: expr.KindAny}, nil
		}
		return expr.Type{Kind: expr.KindNumber, Dimension: DimensionOf(p.Metric)}, nil
	})
}

// checkShape rejects tests and texts, and lists where one number is needed.
func (s Scope) checkShape(n expr.Node, list bool) (err error) {
	mayBeList := map[expr.Node]bool{n: list}
	expr.Walk(n, func(n expr.Node) bool {
		if err != nil {
			return false
		}
		isTest := false
		switch n := n.(type) {
		case *expr.Selector:
			_, err = s.pickFor(n, mayBeList[n])
		case *expr.Call:
			switch {
			case expr.IsReduction(n.Name):
				mayBeList[n.Args[0]] = true
			case n.Name == "ratio":
			case n.Name == "published":
				err = s.checkPublished(n, mayBeList[n])
				return false
			default:
				isTest = true
			}
		case *expr.Unary:
			isTest = n.Op == expr.Not
		case *expr.Binary:
			isTest = n.Op == expr.And || n.Op == expr.Or || n.Op.IsComparison()
		case *expr.String, *expr.Bool:
			err = Mistake(n.Pos(), "not-a-number", "name a metric, such as throughput", "%s is not a number", n)
		}
		if isTest {
			err = Mistake(n.Pos(), "not-a-number", "make it the expect: of a claim",
				"%s is a test: it has a verdict, not a number", n)
		}
		return err == nil
	})
	return err
}

func (s Scope) checkPublished(n *expr.Call, list bool) error {
	sel, ok := n.Args[0].(*expr.Selector)
	if !ok { // a named value
		return Mistake(n.Span, "not-a-cell", "write "+n.Name+"(throughput{…})", "%s takes one cell", n.Name)
	}
	p, err := s.pickFor(sel, list)
	if err != nil {
		return err
	}
	for _, c := range p.Cells {
		if _, err := s.publishedOf(n, p, c); err != nil {
			return err
		}
	}
	return nil
}
