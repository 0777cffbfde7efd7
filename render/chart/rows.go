package chart

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"benchbook/notebook/article"
	"benchbook/notebook/dataset"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
	"benchbook/render/cellview"
	"benchbook/render/datafile"
	"benchbook/render/figure"
	"benchbook/render/number"
	"benchbook/render/wording"
)

// rows is a figure of a row for each cell, with what the page says about it.
type rows struct {
	figure.Dots
	metric cellview.Quantity
	cells  []*dataset.Cell
	kinds  cellview.EstimateKinds
	pooled bool // shares over all repetitions
	notes  []string
}

// The kinds that are rows: dots, bars and distribution.

func (p *Panel) dots() Drawing {
	return p.rows("Dots", "Dot", "Box", func(r *rows) figure.Figure { return r.Dots })
}

func (p *Panel) bars() Drawing {
	return p.rows("Bars", "Bar", "Line", func(r *rows) figure.Figure { return figure.Bars(r.Dots) })
}

func (p *Panel) distribution() Drawing {
	out := p.rows("Repetitions as small dots", "Upright line", "Box", func(r *rows) figure.Figure {
		r.notes = append(r.notes, "Small dot: one repetition. Those that are not valid are left out.")
		return figure.Distribution(r.Dots)
	})
	if out.Figure == nil {
		return out
	}
	m := out.Metrics[0]
	told := p.told()
	out.Data = datafile.NewTable(told, "metric", "unit", "repetition", "value", "missing", "state")
	for _, cell := range p.Cells {
		r := cell.Metric(m.Name)
		for i, v := range r.Values {
			out.Data.Add(cellview.FieldsOf(cell, told), m.Name, m.Unit, r.Repetition(i), v, "", cellview.StateOf(cell))
		}
		if len(r.Values) == 0 {
			out.Data.Add(cellview.FieldsOf(cell, told), m.Name, m.Unit, nil, nil, r.Missing, cellview.StateOf(cell))
		}
	}
	return out
}

// rows draws a metric of cells, one below the other. The words are what is drawn, what stands for the estimate, and what for
// its interval.
func (p *Panel) rows(drawnAs, estimateMark, intervalMark string, build func(*rows) figure.Figure) Drawing {
	m, known := cellview.MetricOf(p.Block.X.Value, p.Cells)
	if !known {
		return Drawing{Missing: fmt.Sprintf("%q is a parameter; x of a figure of %s is a metric", p.Block.X.Value, p.Block.Kind.Value)}
	}
	r := p.newRows(m)
	f := build(r)
	out := Drawing{Sub: r.Sub(), HowTo: append(r.howTo(estimateMark, intervalMark), r.notes...), Metrics: []record.Metric{m}, Fields: p.fields()}
	head := p.head(m.Title+" by "+wording.List(p.fields()), drawnAs+", one row each, in this order: "+r.description()+".")
	switch f := f.(type) {
	case figure.Dots:
		f.Head = head
		out.Figure = f
	case figure.Bars:
		f.Head = head
		out.Figure = f
	case figure.Distribution:
		f.Head = head
		out.Figure = f
	}
	return out
}

// fields are those by which rows are named.
func (p *Panel) fields() []string { return cellview.Naming(p.Cells, article.Texts(p.Block.Y)) }

// newRows makes rows of cells, ordered by value unless the article sorts them otherwise.
func (p *Panel) newRows(m record.Metric) *rows {
	r := &rows{metric: cellview.QuantityOf(m, p.All), cells: p.Cells, kinds: cellview.KindsOf(p.Cells, m.Name)}
	r.Axis, r.Unit, r.Zero = r.metric.Axis, r.metric.Unit.Scale, p.Block.Zero.V
	r.Series = p.series()
	fields := p.fields()
	var values []float64
	for _, cell := range p.All {
		shown := cell.Metric(m.Name)
		if shown.Missing == "" {
			values = append(values, shown.Estimate.Centre)
			if p.Block.Kind.Value == "distribution" {
				values = append(values, shown.Values...)
			}
			r.pooled = r.pooled || shown.Estimate.Kind == stats.ClopperPearson
			if len(p.All) > len(p.Cells) {
				lo, hi := cellview.Ends(shown)
				r.also(lo, hi)
			}
		}
		if value, ok := cellview.PublishedOf(p.Dataset, cell, m.Name, p.Block.Published); ok {
			values = append(values, value.Number)
		}
	}
	r.Scale, r.notes = p.log(article.XAxis, values...)
	if len(p.All) > len(p.Cells) {
		r.also(values...)
	}
	if r.Scale == figure.Log {
		r.Also = slices.DeleteFunc(r.Also, func(v float64) bool { return v <= 0 })
	}
	order := slices.Clone(p.Cells)
	slices.SortStableFunc(order, func(a, b *dataset.Cell) int { return p.compare(m, a, b) })
	for _, cell := range order {
		row := r.row(cell.Metric(m.Name), cellview.NameBy(cell, fields))
		if row.Missing == "" {
			row.Hollow, row.Label, row.Title = cellview.StateOf(cell) != "", cellview.WithState(row.Label, cell), cellview.WithState(row.Title, cell)
		}
		if len(r.Series) > 0 {
			value, _ := cellview.Field(cell, p.Block.Colour.Value)
			row.Series = 1 + slices.Index(r.Series, value)
		}
		if value, ok := cellview.PublishedOf(p.Dataset, cell, m.Name, p.Block.Published); ok {
			r.Published = "published"
			row.Published = value.Number
			row.Title += "; published " + r.metric.Unit.Exact(value.Number)
		}
		r.Rows = append(r.Rows, row)
	}
	var notes []string
	r.Reference, notes = p.reference(r.metric.Unit, m.Unit, r.Scale)
	r.notes = append(append(r.notes, notes...), cellview.HollowWords(p.Cells)...)
	p.floorBand(r)
	return r
}

// also puts further values on the axis.
func (r *rows) also(values ...float64) {
	for _, v := range values {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			r.Also = append(r.Also, v)
		}
	}
}

// floorBand marks how far from the reference, or else from the best row, values lie that the noise alone sets apart.
//
// Source: docs/method.md#the-noise-floor.
func (p *Panel) floorBand(r *rows) {
	if len(p.Cells) == 0 || r.metric.Better == "" {
		return
	}
	if r.Reference == nil && !slices.ContainsFunc(p.Cells, func(c *dataset.Cell) bool { return !c.RateGives(r.metric.Name) }) {
		return // none of them is the best
	}
	floor, missing := p.Dataset.Floor(p.Cells[0].Experiment.Plan.Name, r.metric.Name)
	if missing != "" || floor.F <= 0 {
		return
	}
	centre, around := math.NaN(), "the best value"
	if r.Reference != nil {
		centre, around = r.Reference.Value, "the reference"
	} else {
		for _, cell := range p.Cells {
			if shown := cell.Metric(r.metric.Name); shown.Missing == "" {
				v := shown.Estimate.Centre
				if better := v > centre == (r.metric.Better == "higher"); math.IsNaN(centre) || better && v != centre {
					centre = v
				}
			}
		}
	}
	if !(centre > 0) {
		return
	}
	r.Band = &figure.Band{Lo: centre / (1 + floor.F), Hi: centre * (1 + floor.F), Label: "noise floor"}
	r.notes = append(r.notes, fmt.Sprintf("Grey band, if it is wide enough to be seen: the noise floor around %s, %s either way, by which the same cell differs under two names.",
		around, number.Percent.Quantity(floor.F, number.Percent.Decimals(floor.F, math.NaN(), math.NaN()))))
}

// compare orders rows: by the metric that the author sorts by, or the one that is drawn, the better first and missing ones last;
// by a parameter in the order of the plan, in which cells are.
func (p *Panel) compare(drawn record.Metric, a, b *dataset.Cell) int {
	m := drawn
	if by := p.Block.Sort.Value; by != "" && by != drawn.Name {
		other, isMetric := cellview.MetricOf(by, p.Cells)
		if !isMetric {
			return 0
		}
		m = other
	}
	x, y := a.Metric(m.Name), b.Metric(m.Name)
	switch {
	case x.Missing != "" && y.Missing != "":
		return 0
	case x.Missing != "":
		return 1
	case y.Missing != "":
		return -1
	case m.Better == "lower":
		return cmp.Compare(x.Estimate.Centre, y.Estimate.Centre)
	}
	return cmp.Compare(y.Estimate.Centre, x.Estimate.Centre)
}

// row is a result as a figure draws it.
func (r *rows) row(shown dataset.Result, name string) figure.Row {
	v := cellview.Estimate(shown)
	row := figure.Row{Name: name, Series: 1, Value: v.Centre, Lo: v.Lo, Hi: v.Hi, Range: shown.Estimate.Kind == stats.RangeOfTwo,
		Values: shown.Values, Missing: v.Missing, Failed: cellview.HasFailed(v.Missing), Published: math.NaN(), Title: name + ": " + r.metric.Words(shown)}
	if v.Missing != "" {
		return row
	}
	if v.AtLeast {
		row.Lo, row.Hi, row.AtLeast = v.Centre, math.Inf(1), true
	} else if row.Range = row.Range || shown.Estimate.Kind == stats.WithinRun; math.IsInf(v.Lo, 0) || math.IsInf(v.Hi, 0) {
		row.Lo, row.Hi = math.NaN(), math.NaN() // a line without an end is none; the words say what is known
	}
	if row.Label = r.metric.Unit.Number(v.Centre, r.metric.Unit.Decimals(v.Centre, v.Lo, v.Hi)); v.Few != "" {
		row.Label += ", " + v.Few
	}
	return row
}

func (r *rows) measured() bool {
	return slices.ContainsFunc(r.Rows, func(r figure.Row) bool { return r.Missing == "" })
}

// Sub says what the marks are, and in which unit.
func (r *rows) Sub() string {
	words := r.metric.Subject()
	switch {
	case !r.measured():
		return wording.Capital(words) + "; " + cellview.Without(r.cells, r.metric.Name)
	case r.pooled:
		return "Share over all repetitions with 95\u202f% interval: " + words
	}
	return r.kinds.Sub() + ": " + words
}

// howTo says how to read the figure.
func (r *rows) howTo(estimateMark, intervalMark string) []string {
	var out []string
	switch {
	case !r.measured():
		out = append(out, "There is a row for every cell of the experiment: "+cellview.Without(r.cells, r.metric.Name)+".")
	case r.pooled:
		out = append(out, estimateMark+": failed of attempted over "+r.kinds.Repetitions()+". "+
			intervalMark+": 95\u202f% interval, widened to the smallest and largest share of one repetition.")
	case r.kinds.Intervals:
		out = append(out, estimateMark+": median. "+intervalMark+": 95\u202f% interval of the median over "+r.kinds.Repetitions()+".")
	}
	mark := wording.Lower(estimateMark)
	if r.kinds.Searched {
		out = append(out, estimateMark+": what a search found. "+intervalMark+": where that may lie.")
	}
	if r.kinds.TwoRuns {
		out = append(out, r.few(estimateMark+": mean of two runs. Line: the smaller and the larger.",
			"Of two runs the "+mark+" is the mean, the line the smaller and the larger."))
	}
	if r.kinds.OneRun {
		out = append(out, r.few(estimateMark+": the value of a single run; nothing is known of how much it varies.",
			"Of a single run the "+mark+" is its value; nothing is known of how much it varies."))
		if r.kinds.WithinRun {
			out = append(out, "Line of a single run: 95\u202f% interval within it, as if its requests were independent.")
		}
	}
	if r.Published != "" {
		out = append(out, "Grey tick: published value, measured elsewhere; compare the order, not the distance.")
	}
	if r.measured() && slices.ContainsFunc(r.Rows, func(r figure.Row) bool { return r.Missing != "" }) {
		out = append(out, "A row without a mark says in words why it has none.")
	}
	return out
}

// few chooses words for a kind that is alone in the figure, or beside others.
func (r *rows) few(alone, beside string) string {
	if r.kinds.Intervals || r.kinds.TwoRuns && r.kinds.OneRun {
		return beside
	}
	return alone
}

// description is every row in words.
func (r *rows) description() string {
	var out []string
	for _, row := range r.Rows {
		out = append(out, row.Title)
	}
	return strings.Join(out, "; ")
}
