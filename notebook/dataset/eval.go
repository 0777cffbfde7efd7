package dataset

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"benchbook/internal/slice"
	"benchbook/notebook/expr"
	"benchbook/notebook/phrase"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
)

// Quantity is what an expression comes to.
type Quantity struct {
	Number   float64
	Unit     string             // base unit as in record.Metric; "1" for plain numbers and shares
	Share    bool               // to be printed as a percentage
	Interval *stats.Interval    // in Unit; nil where docs/method.md gives none; of two repetitions their range, see Kind
	Kind     stats.IntervalKind // how Interval was made
	Step     float64            // how finely Number is known, in Unit; 0 if not measured
	N        int                // repetitions behind it: the fewest of its cells
	Cells    []*Cell            // it was computed from
	Note     string             // why there is no interval, that it was not measured together, …
	What     string             // in words: "throughput, async over sync"
}

// Eval evaluates an expression over the shown records. Selectors without an experiment look in defaultExperiment, for
// which "" is the only one of the article.
//
// One cell of a metric is its estimate; ratio, change and a division of one metric of two cells is their ratio with
// its interval, not widened by a noise floor. Anything else is a number without an interval, and Note says so.
//
// The error is an *expr.Error with its place in the expression: a mistake that Check would find too, or with the
// cause ErrNotMeasured if a cell has no number.
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
	q, err := s.eval(n)
	if err != nil {
		if e, ok := errors.AsType[*expr.Error](err); ok {
			return Quantity{}, e
		}
		return Quantity{}, &expr.Error{Span: n.Pos(), Msg: err.Error(), Err: err}
	}
	return q, nil
}

func (s Scope) eval(n expr.Node) (Quantity, error) {
	switch n := n.(type) {
	case *expr.Selector:
		p, err := s.one(n)
		if err != nil {
			return Quantity{}, err
		}
		return s.Data.cellQuantity(p)
	case *expr.Call:
		switch n.Name {
		case "ratio":
			if a, b, ok := s.pair(n.Args[0], n.Args[1]); ok {
				return s.Data.ratioQuantity(n, a, b)
			}
		case "published":
			return s.published(n)
		}
	case *expr.Binary:
		if n.Op == expr.Div {
			if a, b, ok := s.pair(n.X, n.Y); ok {
				return s.Data.ratioQuantity(n, a, b)
			}
		}
	}
	return s.compute(n)
}

// pair finds the cells of two selectors of one metric, which have a ratio with an interval.
func (s Scope) pair(x, y expr.Node) (a, b Picked, ok bool) {
	sx, okX := x.(*expr.Selector)
	sy, okY := y.(*expr.Selector)
	if !okX || !okY || sx.Name != sy.Name {
		return a, b, false
	}
	a, errA := s.one(sx)
	b, errB := s.one(sy)
	return a, b, errA == nil && errB == nil
}

// cellQuantity is the estimate of one metric of one cell.
func (d *Dataset) cellQuantity(p Picked) (Quantity, error) {
	c := p.Cells[0]
	r := c.Metric(p.Metric.Name)
	if r.Missing != "" {
		return Quantity{}, d.notMeasured(p.selector.Span, c, r)
	}
	q := d.EstimateQuantity(p.Metric, c, r.Estimate)
	q.Note = strings.Join(append(d.Marks(c), r.Marks...), "; ")
	return q, nil
}

// EstimateQuantity is an estimate in the dress of a Quantity.
func (d *Dataset) EstimateQuantity(m record.Metric, c *Cell, e stats.Estimate) Quantity {
	q := Quantity{Number: e.Centre, Unit: cmp.Or(m.Unit, "1"), Share: m.Share, Kind: e.Kind, N: e.N,
		Step: c.Metric(m.Name).Step(), Cells: []*Cell{c}, What: m.InWords() + ", " + d.NameOf(c)}
	if e.Kind != stats.NoInterval && e.Kind != stats.Given && e.Kind != stats.Exact {
		q.Interval = &e.Interval
	}
	return q
}

func (d *Dataset) notMeasured(at expr.Span, c *Cell, r Result) error {
	return &expr.Error{Span: at, Msg: d.Lacks(c, r), Err: ErrNotMeasured}
}

// Lacks says of which cell a number is missing, and why.
func (d *Dataset) Lacks(c *Cell, r Result) string {
	return fmt.Sprintf("%s, %s: %s", r.Metric.InWords(), d.NameOf(c), r.Missing)
}

// ratioQuantity is the ratio of one metric of two cells.
func (d *Dataset) ratioQuantity(n expr.Node, a, b Picked) (Quantity, error) {
	ca, cb := a.Cells[0], b.Cells[0]
	ra, rb := ca.Metric(a.Metric.Name), cb.Metric(b.Metric.Name)
	if ra.Missing != "" {
		return Quantity{}, d.notMeasured(a.selector.Span, ca, ra)
	}
	if rb.Missing != "" {
		return Quantity{}, d.notMeasured(b.selector.Span, cb, rb)
	}
	nameA, nameB := d.NameOf(ca, cb), d.NameOf(cb, ca)
	if record.IsSearched(a.Metric.Name) {
		q := SearchedRatio(ra, rb, false)
		if !Finite(q.Number) {
			return Quantity{}, &expr.Error{Span: n.Pos(), Msg: "no ratio: no rate of " + nameB + " met the objective",
				Err: ErrNotMeasured}
		}
		q.Cells, q.Note = []*Cell{ca, cb}, strings.Join(slices.Concat(d.Marks(ca, cb), ra.Marks, rb.Marks), "; ")
		q.What = fmt.Sprintf("%s, %s over %s", a.Metric.InWords(), nameA, nameB)
		return q, nil
	}
	comparison, err := stats.Ratio(ra.Cell(), rb.Cell(), stats.DefaultAlpha)
	var notes []string
	switch {
	case errors.Is(err, stats.ErrTooFew):
		notes = append(notes, "no interval: fewer than 3 valid repetitions")
	case err != nil:
		why := NoRatio(err, nameA, ra.Cell(), nameB, rb.Cell())
		return Quantity{}, &expr.Error{Span: n.Pos(), Msg: "no ratio: " + why, Err: err}
	}
	notes = slices.Concat(notes, d.Marks(ca, cb), d.Lacking(a.Metric.Name, ca, cb))
	q := RatioOf(comparison, false)
	q.Step = stats.LastDigit(comparison.Ratio, max(ra.resolution(), rb.resolution()))
	q.Cells, q.Note = []*Cell{ca, cb}, strings.Join(notes, "; ")
	q.What = fmt.Sprintf("%s, %s over %s", a.Metric.InWords(), nameA, nameB)
	return q, nil
}

// compute evaluates what has no interval of its own.
func (s Scope) compute(n expr.Node) (Quantity, error) {
	e := &evaluation{Scope: s}
	v, err := expr.Eval(n, e)
	if err != nil {
		return Quantity{}, err
	}
	notes := slices.Concat(s.Data.Marks(e.cells...), e.lacking, e.sources)
	step := 0.0
	if len(e.cells) > 0 {
		notes = append(notes, "no interval: computed from "+phrase.Plural(len(e.cells), "cell"))
		step = stats.MinResolution * math.Abs(v.Number)
	}
	return Quantity{Step: step,
		Number: v.Number, Unit: v.Dimension.Base(), Share: v.Dimension == expr.Share, Kind: stats.NoInterval,
		N: e.n, Cells: e.cells, Note: strings.Join(notes, "; "), What: n.String()}, nil
}

// An evaluation is the expr.Env of one expression; it notes what was used.
type evaluation struct {
	Scope
	cells   []*Cell
	n       int
	lacking []string // sentences about repetitions and cells that are left out
	sources []string // of published numbers
}

// Select is part of expr.Env: the centres of the cells.
func (e *evaluation) Select(sel *expr.Selector) (expr.Value, error) {
	p, err := e.Pick(sel)
	if err != nil {
		return expr.Value{}, err
	}
	var values []expr.Value
	for _, c := range p.Cells {
		r := c.Metric(p.Metric.Name)
		if r.Missing != "" {
			return expr.Value{}, e.Data.notMeasured(sel.Span, c, r)
		}
		e.use(p.Metric.Name, r.Estimate.N, c)
		values = append(values, expr.NumberOf(r.Estimate.Centre, DimensionOf(p.Metric)))
	}
	e.lacking = slice.Add(e.lacking, e.Data.LeftOut(p.Left)...)
	if len(values) == 1 && len(p.Left) == 0 {
		return values[0], nil
	}
	return expr.ListOf(values...), nil
}

// use notes cells of which a metric is used, and the repetitions behind them.
func (e *evaluation) use(metric string, n int, cells ...*Cell) {
	e.lacking, e.cells = slice.Add(e.lacking, e.Data.Lacking(metric, cells...)...), slice.Add(e.cells, cells...)
	if e.n == 0 || n < e.n && n > 0 {
		e.n = n
	}
}

// Call is part of expr.Env: the functions that see cells, and the quotient of what has been computed.
func (e *evaluation) Call(c *expr.Call) (expr.Value, error) {
	switch c.Name {
	case "ratio":
		if a, b, ok := e.pair(c.Args[0], c.Args[1]); ok {
			q, err := e.Data.ratioQuantity(c, a, b)
			e.use(a.Metric.Name, q.N, q.Cells...)
			return valueOf(q), err
		}
		quotient := &expr.Binary{Span: c.Span, Op: expr.Div, X: c.Args[0], Y: c.Args[1]}
		return expr.Eval(quotient, e)
	case "published":
		p, err := e.Pick(c.Args[0].(*expr.Selector))
		if err != nil {
			return expr.Value{}, err
		}
		var values []expr.Value
		for _, cell := range p.Cells {
			q, err := e.publishedOf(c, p, cell)
			if err != nil {
				return expr.Value{}, err
			}
			e.sources = slice.Add(e.sources, q.Note)
			values = append(values, valueOf(q))
		}
		if len(values) == 1 {
			return values[0], nil
		}
		return expr.ListOf(values...), nil
	}
	return expr.Value{}, fmt.Errorf("%s has no number", c.Name)
}

func valueOf(q Quantity) expr.Value { return expr.NumberOf(q.Number, q.Dimension()) }

// Dimension says what a quantity counts.
func (q Quantity) Dimension() expr.Dimension {
	return DimensionOf(record.Metric{Unit: q.Unit, Share: q.Share})
}

// DimensionOf says what a metric counts. Units that programs made up count as none.
func DimensionOf(m record.Metric) expr.Dimension {
	if m.Share {
		return expr.Share
	}
	u, _ := expr.ParseUnit(m.Unit)
	return u.Dimension
}

// NotRanked is what has to be known of an order by values of which RateGives is true.
const NotRanked = "an open loop that keeps up has the throughput of its rate, so throughput does not rank cells"

// published evaluates published(selector).
func (s Scope) published(n *expr.Call) (Quantity, error) {
	p, err := s.one(n.Args[0].(*expr.Selector))
	if err != nil {
		return Quantity{}, err
	}
	return s.publishedOf(n, p, p.Cells[0])
}

// publishedOf is what was published of one of the cells that a call of published is about.
func (s Scope) publishedOf(n *expr.Call, p Picked, c *Cell) (Quantity, error) {
	v, ok := s.Data.Published(c, p.Metric.Name, "")
	if !ok {
		return Quantity{}, Mistake(n.Span, "not-published", "add the row to a yaml published block, or name another cell",
			"no published %s of %s", p.Metric.Name, s.Data.NameOf(c))
	}
	return Quantity{Number: v.Number, Unit: cmp.Or(p.Metric.Unit, "1"), Share: p.Metric.Share, Kind: stats.NoInterval,
		Note: "published by " + v.Block.Source.Value,
		What: "published " + p.Metric.InWords() + ", " + s.Data.NameOf(c)}, nil
}

// The marks of claims and values, in the words of pages.
const (
	markTogether  = "not measured together"
	MarkLoads     = "different loads"
	MarkNoFloor   = "noise floor not measured"
	MarkFloorPair = "noise floor not measured together"
	MarkStale     = "measured with an older version"
	markPartial   = "run not finished"
	MarkStart     = "repetitions share a start of their services"
)

// Marks says what has to be known of cells that enter one number.
func (d *Dataset) Marks(cells ...*Cell) []string {
	is := func(s State) bool { return slices.ContainsFunc(cells, func(c *Cell) bool { return c.State == s }) }
	var out []string
	if !Together(cells) {
		out = append(out, markTogether)
	}
	if is(Stale) {
		out = append(out, MarkStale)
	}
	if is(Partial) {
		out = append(out, markPartial)
	}
	return out
}

// Check finds what is wrong with an expression that is to be a value, before anything is measured; list says that it
// may be a list. It returns its type.
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

func (s Scope) checkShape(n expr.Node, list bool) error {
	switch n := n.(type) {
	case *expr.Selector:
		_, err := s.pick(n, list)
		return err
	case *expr.Call:
		return s.checkCall(n, list)
	case *expr.Unary:
		if n.Op == expr.Not {
			return noValue(n)
		}
		return s.checkShape(n.X, false)
	case *expr.Binary:
		if n.Op == expr.And || n.Op == expr.Or || n.Op.IsComparison() {
			return noValue(n)
		}
		if err := s.checkShape(n.X, false); err != nil {
			return err
		}
		return s.checkShape(n.Y, false)
	case *expr.String, *expr.Bool:
		return Mistake(n.Pos(), "not-a-number", "name a metric, such as throughput", "%s is not a number", n)
	}
	return nil
}

func noValue(n expr.Node) error {
	return Mistake(n.Pos(), "not-a-number", "make it the expect: of a claim",
		"%s is a test: it has a verdict, not a number", n)
}

func (s Scope) checkCall(n *expr.Call, list bool) error {
	switch n.Name {
	case "min", "max", "mean", "geomean", "median", "count":
		return s.checkShape(n.Args[0], true)
	case "ratio":
		if err := s.checkShape(n.Args[0], false); err != nil {
			return err
		}
		return s.checkShape(n.Args[1], false)
	case "published":
		return s.checkOfOneCell(n, list)
	case "random":
		return Mistake(n.Span, "not-a-number", "name a metric, such as throughput", "random is for loads")
	}
	return noValue(n)
}

func (s Scope) checkOfOneCell(n *expr.Call, list bool) error {
	sel, ok := n.Args[0].(*expr.Selector)
	if !ok { // a value that was named where a metric has to be
		return Mistake(n.Span, "not-a-cell", "write "+n.Name+"(throughput{…})", "%s takes one cell", n.Name)
	}
	p, err := s.pick(sel, list)
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
