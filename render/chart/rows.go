package chart

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"benchbook/notebook/article"
	"benchbook/notebook/dataset"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
	"benchbook/render/cellview"
	"benchbook/render/figure"

	"benchbook/render/wording"
)

// rows is a figure of a row for each cell, with what the page says about it.
type rows struct {
	figure.Rows
	metric cellview.Quantity
	cells  []*dataset.Cell
	kinds  cellview.EstimateKinds
	pooled bool    // shares over all repetitions
	factor float64 // that published values are drawn times
}

// The kinds that are rows: dots, bars and distribution.

func (p *Panel) dots() Drawing { return p.rows(figure.Dots, "Dots", "Dot", "Box") }

func (p *Panel) bars() Drawing { return p.rows(figure.Bars, "Bars", "Bar", "Line") }

func (p *Panel) distribution() Drawing {
	out := p.rows(figure.Distribution, "Repetitions as small dots", "Vertical line", "Box")
	if out.Figure == nil {
		return out
	}
	p.say("Small dot: one repetition. Those that are not valid are left out.")
	m := out.Metrics[0]
	hasStalled := func(c *dataset.Cell) bool { return slices.Contains(c.Stalled(c.Metric(m.Name)), true) }
	if slices.ContainsFunc(p.Cells, hasStalled) {
		p.say("Open small dot: a repetition in which a request lost a second or more to the network.")
	}
	isDisturbed := func(c *dataset.Cell) bool { return slices.Contains(c.Metric(m.Name).Disturbed(), true) }
	if slices.ContainsFunc(p.Cells, isDisturbed) {
		p.say("Open small dot: a disturbed repetition.")
	}
	p.newData("metric", "unit", "repetition", "value")
	for _, cell := range p.Cells {
		r := cell.Metric(m.Name)
		for i, v := range r.Values {
			p.addData(cell, "", m.Name, m.Unit, r.Repetition(i), v)
		}
		if len(r.Values) == 0 {
			p.addData(cell, r.Missing, m.Name, m.Unit)
		}
	}
	return out
}

// rows draws a metric of cells, one below the other. The words are what is drawn, what stands for the estimate, and
// what for its interval.
func (p *Panel) rows(marks figure.Marks, drawnAs, estimateMark, intervalMark string) Drawing {
	m, missing := p.metric("x", p.Block.X.Value)
	if missing != "" {
		return Drawing{Missing: missing}
	}
	r := p.newRows(m, marks)
	p.howTo = append(r.howTo(estimateMark, intervalMark), p.howTo...)
	r.Head = p.head(rangeTitle(p.Cells, m, p.fields(), m.Title+" by "+wording.List(p.fields())),
		p.description(drawnAs+", one row each, in this order"))
	return Drawing{Figure: r.Rows, Sub: r.Sub(), Metrics: []record.Metric{m}, Fields: p.fields()}
}

// fields are those by which rows are named.
func (p *Panel) fields() []string { return cellview.Naming(p.Cells, article.Texts(p.Block.Y)) }

// newRows makes rows of cells, in the order of compare.
func (p *Panel) newRows(m record.Metric, marks figure.Marks) *rows {
	r := &rows{Rows: figure.Rows{Marks: marks}, metric: cellview.QuantityOf(m, p.Cells), cells: p.Cells,
		kinds: cellview.KindsOf(p.Cells, m.Name)}
	r.X = figure.Axis{Name: r.metric.Axis, Unit: r.metric.Unit.Scale, Zero: p.Block.Zero.V}
	fields := p.fields()
	r.Series = p.series(fields)
	p.layAxis(r)
	order := slices.Clone(p.Cells)
	numbers := slices.DeleteFunc(slices.Clone(fields), func(f string) bool { return !areNumbers(p.Cells, f) })
	slices.SortStableFunc(order, func(a, b *dataset.Cell) int { return p.compare(m, numbers, a, b) })
	for _, cell := range order {
		row := r.row(cell.Metric(m.Name), cell.Name(fields...))
		if row.Missing == "" {
			row.Hollow = cellview.StateOf(cell) != ""
			row.Label, row.Title = cellview.WithState(row.Label, cell), cellview.WithState(row.Title, cell)
		}
		row.Series = p.Palette.Cell(cell, p.by)
		row.Open = cell.Stalled(cell.Metric(m.Name))
		for i, disturbed := range cell.Metric(m.Name).Disturbed() {
			row.Open[i] = row.Open[i] || disturbed
		}
		if value, ok := cellview.PublishedOf(p.Dataset, cell, m.Name, p.Block.Published); ok {
			r.Published = "published"
			if row.Published = value.Number * r.factor; r.factor != 1 {
				r.Published += " × " + wording.Plain.Number(r.factor, 2)
			}
			row.Title += "; published " + r.metric.Unit.Exact(value.Number)
		}
		p.described = append(p.described, row.Title)
		r.Rows.Rows = append(r.Rows.Rows, row)
	}
	r.Reference = p.reference(r.metric.Unit.Unit, m.Unit, r.X.Scale)
	p.say(cellview.HollowWords(p.Cells)...)
	p.floorBand(r)
	return r
}

// layAxis chooses the scale of the axis, and what it has to show beside the rows.
func (p *Panel) layAxis(r *rows) {
	var values, published []float64
	for _, cell := range p.Cells {
		if shown := cell.Metric(r.metric.Name); shown.Missing == "" {
			values = append(values, shown.Estimate.Centre)
			if p.Block.Kind.Value == "distribution" {
				values = append(values, shown.Values...)
			}
			r.pooled = r.pooled || shown.Estimate.Kind == stats.ClopperPearson
		}
		if value, ok := cellview.PublishedOf(p.Dataset, cell, r.metric.Name, p.Block.Published); ok {
			published = append(published, value.Number)
		}
	}
	r.X.Scale = p.scale(article.XAxis, slices.Concat(values, published))
	r.factor = 1
	if a, ok := p.Dataset.Agreement(r.metric.Name, p.Block.Published.Name.Value); ok && a.Factor > 0 &&
		crush(published, values, r.X.Scale, r.Marks == figure.Bars || r.X.Zero) {
		r.factor = a.Factor
	}
}

// crush tells whether published values leave ours less than half of an axis. Machines differ: then the ticks are drawn
// times the factor by which this one does.
//
// Source: docs/figures.md#published-values.
func crush(published, ours []float64, scale figure.Scale, fromZero bool) bool {
	if len(published) == 0 || len(ours) == 0 {
		return false
	}
	length := func(values []float64) float64 {
		low, high := slices.Min(values), slices.Max(values)
		switch {
		case scale == figure.Log:
			return math.Log(high / low)
		case fromZero:
			return high
		}
		return high - low
	}
	return length(ours) < length(slices.Concat(ours, published))/2
}

// floorBand marks how far from the reference, or else from the best row, values lie that the noise alone sets apart.
//
// Source: docs/method.md#the-noise-floor.
func (p *Panel) floorBand(r *rows) {
	if len(p.Cells) == 0 || r.metric.Better == "" {
		return
	}
	floor := p.Dataset.Floor(r.metric.Name)
	if floor.F <= 0 {
		return
	}
	centre, around := p.best(r), "the best value"
	if r.Reference != nil {
		centre, around = r.Reference.Value, "the reference"
	}
	if !(centre > 0) {
		return
	}
	reach := floor.Reach(stats.DefaultAlpha)
	r.Band = &figure.Band{Lo: centre / (1 + reach), Hi: centre * (1 + reach), Label: "noise floor"}
	p.say(fmt.Sprintf("Grey band (if wide enough to see): what the noise floor alone may set apart from %s, %s either "+
		"way, as measured by A/A pairs.", around, wording.PercentUnit.Alone(reach)))
}

// best is the best value of the rows; NaN if there is none, as where each cell has the rate that it was given.
func (p *Panel) best(r *rows) float64 {
	best := math.NaN()
	if !slices.ContainsFunc(p.Cells, func(c *dataset.Cell) bool { return !c.RateGives(r.metric.Name) }) {
		return best
	}
	for _, v := range centresOf(p.Cells, []string{r.metric.Name}) {
		if math.IsNaN(best) || v != best && v > best == (r.metric.Better == "higher") {
			best = v
		}
	}
	return best
}

// areNumbers tells whether all cells have numbers of a parameter or label, so that it has an order of its own.
func areNumbers(cells []*dataset.Cell, field string) bool {
	return !slices.ContainsFunc(cells, func(c *dataset.Cell) bool { _, ok := cellview.Numeric(c, field); return !ok })
}

// compare orders rows: by the metric that the author sorts by, or else by numbers that name them and then by the metric
// that is drawn; by a parameter in the order of the plan, in which cells are.
func (p *Panel) compare(m record.Metric, numbers []string, a, b *dataset.Cell) int {
	switch by := p.Block.Sort.Value; {
	case by == "":
		for _, field := range numbers {
			x, _ := cellview.Numeric(a, field)
			y, _ := cellview.Numeric(b, field)
			if x.Value != y.Value {
				return cmp.Compare(x.Value, y.Value)
			}
		}
	case by != m.Name:
		other, isMetric := cellview.MetricOf(by, p.Cells)
		if !isMetric {
			return 0
		}
		m = other
	}
	return byMetric(m, a, b)
}

// byMetric orders cells by a metric, the better first and missing ones last. Of times and sizes without a direction the
// smaller are taken for better, and of others the larger.
func byMetric(m record.Metric, a, b *dataset.Cell) int {
	x, y := a.Metric(m.Name), b.Metric(m.Name)
	switch {
	case x.Missing != "" && y.Missing != "":
		return 0
	case x.Missing != "":
		return 1
	case y.Missing != "":
		return -1
	case m.Better == "lower", m.Better == "" && (m.Unit == "s" || m.Unit == "B"):
		return cmp.Compare(x.Estimate.Centre, y.Estimate.Centre)
	}
	return cmp.Compare(y.Estimate.Centre, x.Estimate.Centre)
}

// row is a result as a figure draws it.
func (r *rows) row(shown dataset.Result, name string) figure.Row {
	v := cellview.Estimate(shown)
	row := figure.Row{Name: name, Series: 1, Value: v.Centre, Lo: v.Lo, Hi: v.Hi,
		Range: shown.Estimate.Kind == stats.RangeOfTwo, Values: shown.Values, Missing: v.Missing,
		Failed: cellview.HasFailed(v.Missing), Published: math.NaN(), Title: name + ": " + r.metric.Words(shown)}
	if v.Missing != "" {
		return row
	}
	if v.AtLeast {
		row.Lo, row.Hi, row.AtLeast = v.Centre, math.Inf(1), true
	} else if row.Range = row.Range || shown.Estimate.Kind == stats.WithinRun; math.IsInf(v.Lo, 0) || math.IsInf(v.Hi, 0) {
		row.Lo, row.Hi = math.NaN(), math.NaN() // a line without an end is none; the words say what is known
	}
	if row.Label = r.metric.Unit.Aligned(v.Reading()); v.Few != "" {
		row.Label += ", " + v.Few
	}
	return row
}

// isMeasured tells whether a row has a value.
func isMeasured(r figure.Row) bool { return r.Missing == "" }

// Sub says what the marks are, and in which unit.
func (r *rows) Sub() string {
	words := r.metric.Subject()
	switch {
	case !slices.ContainsFunc(r.Rows.Rows, isMeasured):
		return wording.Capital(words) + "; " + cellview.Without(r.cells, r.metric.Name)
	case r.pooled:
		return "Share over all repetitions with 95\u202f% interval: " + words
	}
	return r.kinds.Sub() + ": " + words
}

// howTo says how to read the figure.
func (r *rows) howTo(estimateMark, intervalMark string) []string {
	var out []string
	mark, measured := wording.Lower(estimateMark), slices.ContainsFunc(r.Rows.Rows, isMeasured)
	add := func(holds bool, words string) {
		if holds {
			out = append(out, words)
		}
	}
	switch {
	case !measured:
		out = append(out, "One row for each cell of the experiment: "+cellview.Without(r.cells, r.metric.Name)+".")
	case r.pooled:
		out = append(out, estimateMark+": failed of attempted over "+r.kinds.Repetitions()+". "+intervalMark+
			": 95\u202f% interval, widened to the smallest and largest share of one repetition.")
	case r.kinds.Intervals:
		out = append(out, estimateMark+": pseudo-median. "+intervalMark+": 95\u202f% interval over "+
			r.kinds.Repetitions()+".")
	}
	add(r.kinds.Searched, estimateMark+": value found by a search. "+intervalMark+": its range.")
	add(r.kinds.TwoRuns, r.few(estimateMark+": centre of two runs. Line: the smaller and the larger.",
		"For two runs the "+mark+" is their centre, the line the smaller and the larger."))
	add(r.kinds.OneRun, r.few(estimateMark+": the value of a single run; its variation is unknown.",
		"For a single run the "+mark+" is its value; its variation is unknown."))
	add(r.kinds.OneRun && r.kinds.WithinRun,
		"Line for a single run: 95\u202f% interval within the run, as if its requests were independent.")
	add(r.Published != "" && r.factor == 1,
		"Grey tick: published value, measured elsewhere; compare the order, not the distance.")
	add(r.Published != "" && r.factor != 1, "Grey tick: published value, measured elsewhere, times the factor by which "+
		"this machine differs; compare how rows lie to each other.")
	add(measured && slices.ContainsFunc(r.Rows.Rows, func(r figure.Row) bool { return !isMeasured(r) }),
		"A row without a mark gives the reason in words.")
	return out
}

// few chooses words for a kind that is alone in the figure, or beside others.
func (r *rows) few(alone, beside string) string {
	if r.kinds.Intervals || r.kinds.TwoRuns && r.kinds.OneRun {
		return beside
	}
	return alone
}
