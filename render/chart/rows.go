package chart

import (
	"cmp"
	"math"
	"slices"

	"benchbook/internal/phrase"
	"benchbook/internal/slice"
	"benchbook/notebook/article"
	"benchbook/notebook/claim"
	"benchbook/notebook/dataset"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
	"benchbook/render/cellview"
	"benchbook/render/figure"
	"benchbook/render/wording"
)

// rows is a figure with a row for each cell, while it is drawn.
type rows struct {
	*Panel
	spec   figure.Spec
	shape  figure.Shape
	metric cellview.Quantity
	kinds  cellview.EstimateKinds
	pooled bool    // values are shares over all repetitions
	factor float64 // applied to published values
	own    bool    // each label has its own unit
	digits int     // after the point of all labels
}

// The kinds with rows: dots, bars and distribution.

func (p *Panel) dots() string { return p.rows(figure.Dot, "Dots", "Dot", "Box") }

func (p *Panel) bars() string { return p.rows(figure.Bar, "Bars", "Bar", "Line") }

func (p *Panel) distribution() string {
	p.rows(figure.Centre, "Repetitions as small dots", "Vertical line", "Box")
	m := p.drawing.Metrics[0]
	p.say("Small dot: one repetition. Those that are not valid are left out.")
	if slices.ContainsFunc(p.Cells, func(c *dataset.Cell) bool { return slices.Contains(c.Stalled(c.Metric(m.Name)), true) }) {
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
			p.addData(cell, "", m.Name, m.Unit, r.Repetitions[i], v)
		}
		if len(r.Values) == 0 {
			p.addData(cell, r.Missing, m.Name, m.Unit)
		}
	}
	return ""
}

// rows draws a metric with a row for each cell. The words name the marks, the mark of an estimate, and the mark of an
// interval.
func (p *Panel) rows(shape figure.Shape, drawnAs, estimateMark, intervalMark string) (missing string) {
	m, _ := cellview.MetricOf(p.Block.X.Value, p.Cells)
	fields := cellview.Naming(p.Cells, article.Texts(p.Block.Y))
	r := &rows{Panel: p, shape: shape, metric: cellview.QuantityOf(m, p.Cells), kinds: cellview.KindsOf(p.Cells, m.Name),
		factor: 1}
	r.spec.Key = p.key(fields)
	r.setAxis()
	bands, bandName := p.bands(m.Name, fields)
	order := slices.Clone(p.Cells)
	if len(bands) == 0 || p.Block.Sort.Value != "" { // cells claimed to agree are not ranked
		numbers := slice.Filter(fields, func(f string) bool { return areNumbers(p.Cells, f) })
		slices.SortStableFunc(order, func(a, b *dataset.Cell) int { return p.compare(m, numbers, a, b) })
	}
	isPublished := false
	for i, cell := range order {
		row := r.row(cell, cellview.Name(cell, fields), i)
		if value, ok := cellview.PublishedOf(p.Dataset, cell, m.Name, p.Block.Published); ok {
			isPublished = true
			row.Title += "; published " + r.metric.Unit.Exact(value.Number)
			tick := figure.At(r.scaled(value.Number*r.factor), float64(i))
			tick.Shape = figure.Published
			r.spec.Marks = append(r.spec.Marks, tick)
		}
		if b, ok := bands[cell]; ok {
			row.Band = &figure.Band{Lo: r.scaled(b.Lo), Hi: r.scaled(b.Hi)}
		}
		p.described = append(p.described, row.Title)
		r.spec.Rows = append(r.spec.Rows, row)
	}
	if isPublished {
		name := "published"
		if r.factor != 1 {
			name += " × " + wording.Plain.Number(r.factor, 2)
		}
		r.spec.Key = append(r.spec.Key, figure.Key{Name: name, Shape: figure.Published})
	}
	if len(bands) > 0 {
		r.spec.Key = append(r.spec.Key, figure.Key{Name: bandName, Band: true})
	}
	r.sayHow(estimateMark, intervalMark, isPublished)
	r.spec.Level = p.reference(r.metric.Unit.Unit, m.Unit, r.spec.X.Scale)
	if r.spec.Level != nil {
		r.spec.Key = append(r.spec.Key, figure.Key{Name: r.spec.Level.Label, Shape: figure.Rule})
	}
	p.draw(r.spec, rangeTitle(p.Cells, m, fields, m.Title+" by "+phrase.List(fields)), r.sub(),
		drawnAs+", one row each, in this order", fields, m)
	return ""
}

// scaled converts a value to the unit of the axis.
func (r *rows) scaled(v float64) float64 { return v / r.metric.Unit.Scale }

// setAxis chooses the scale of the axis, the factor of published values, and the digits of labels.
func (r *rows) setAxis() {
	p := r.Panel
	var values, published []float64
	for _, cell := range p.Cells {
		if shown := cell.Metric(r.metric.Name); shown.Missing == "" {
			values = append(values, shown.Estimate.Centre)
			if r.shape == figure.Centre {
				values = append(values, shown.Values...)
			}
			r.pooled = r.pooled || shown.Estimate.Kind == stats.ClopperPearson
		}
		if value, ok := cellview.PublishedOf(p.Dataset, cell, r.metric.Name, p.Block.Published); ok {
			published = append(published, value.Number)
		}
	}
	scale := p.scale(article.XAxis, slices.Concat(values, published))
	r.spec.X = axisOf(r.metric.Unit.Unit, r.metric.Metric.Unit, scale)
	r.spec.X.Zero = p.Block.Zero || r.shape == figure.Bar
	r.own = r.spec.X.Label != nil
	r.digits = sharedDigits(r.metric.Unit, readingsIn(p.Cells, []record.Metric{r.metric.Metric}))
	a, ok := p.Dataset.Agreement(r.metric.Name, p.Block.Published.Name.Value)
	if ok && a.Factor > 0 && crush(published, values, scale, r.spec.X.Zero) {
		r.factor = a.Factor
	}
}

// sharedDigits returns how many digits after the point all readings have; zeros don't count.
func sharedDigits(unit wording.Column, readings []wording.Figure) int {
	digits := math.MaxInt
	for _, reading := range readings {
		if reading.Value != 0 {
			digits = min(digits, unit.Decimals(reading))
		}
	}
	if digits == math.MaxInt {
		return 0
	}
	return digits
}

// crush reports whether published values would squeeze ours into less than half of the axis. If so, they are multiplied
// by the factor between the machines.
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

// bands returns the ranges that claims of agreement allow, by cell, and their name. If all are around the value of one
// cell, by the same margin, that cell has a band, too.
//
// Source: docs/figures.md#bands.
func (p *Panel) bands(metric string, fields []string) (bands map[*dataset.Cell]stats.Interval, name string) {
	bands = map[*dataset.Cell]stats.Interval{}
	var others []*dataset.Cell
	var regions []stats.Region
	around := func(other *dataset.Cell, region stats.Region) stats.Interval {
		centre := other.Metric(metric).Estimate.Centre
		return stats.Interval{Lo: region.Lo * centre, Hi: region.Hi * centre}
	}
	for _, j := range leaves(p.Claim) {
		isOfOne := func(side claim.Side) bool { return side.Metric.Name == metric && len(side.Cells) == 1 }
		if j.Form != claim.Near || len(j.Sides) != 2 || !isOfOne(j.Sides[0]) || !isOfOne(j.Sides[1]) {
			continue
		}
		cell, other := j.Sides[0].Cells[0], j.Sides[1].Cells[0]
		if other.Metric(metric).Missing == "" && slices.Contains(p.Cells, cell) {
			bands[cell] = around(other, j.Region)
			others, regions = slice.Add(others, other), slice.Add(regions, j.Region)
		}
	}
	if len(others) != 1 || len(regions) != 1 || math.Abs(regions[0].Lo*regions[0].Hi-1) >= 1e-9 {
		return bands, "as claimed"
	}
	bands[others[0]] = around(others[0], regions[0])
	return bands, "within " + wording.PercentUnit.Exact(regions[0].Hi-1) + " of " + cellview.Name(others[0], fields)
}

// leaves returns the parts of a judgement that have no parts themselves.
func leaves(j claim.Judgement) []claim.Judgement {
	if len(j.Parts) == 0 {
		return []claim.Judgement{j}
	}
	var out []claim.Judgement
	for _, part := range j.Parts {
		out = append(out, leaves(part)...)
	}
	return out
}

// areNumbers reports whether a parameter or label is a number in all cells.
func areNumbers(cells []*dataset.Cell, field string) bool {
	return !slices.ContainsFunc(cells, func(c *dataset.Cell) bool { _, ok := cellview.Numeric(c, field); return !ok })
}

// compare orders rows by the author's metric, or else by the given numeric fields and then by m. If the author sorts by
// a parameter, rows stay in the order of the plan.
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

// byMetric puts cells with a better value of a metric first, and missing ones last. If the metric has no direction,
// smaller times and sizes are better, and larger values of other metrics.
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

// row returns the i-th row and adds its marks to the figure.
func (r *rows) row(cell *dataset.Cell, name string, i int) figure.Row {
	shown := cell.Metric(r.metric.Name)
	v := cellview.Estimate(shown)
	row := figure.Row{Name: name, Missing: wording.WithUnsure(shown), Failed: cellview.HasFailed(v.Missing),
		Title: name + ": " + r.metric.Words(shown)}
	if v.Missing != "" {
		return row
	}
	mark := figure.At(r.scaled(v.Value), float64(i))
	mark.Shape, mark.Series = r.shape, r.Palette.Cell(cell, r.by)
	mark.Hollow, mark.AtLeast = cellview.StateOf(cell) != "", v.AtLeast
	mark.Thin = shown.Estimate.Kind == stats.RangeOfTwo
	if !math.IsInf(v.Lo, 0) && !math.IsInf(v.Hi, 0) { // unbounded intervals are only in the title
		mark.XLo, mark.XHi = r.scaled(v.Lo), r.scaled(v.Hi)
	}
	if r.shape == figure.Centre {
		stalled, disturbed := cell.Stalled(shown), shown.Disturbed()
		for k, value := range shown.Values {
			dot := figure.At(r.scaled(value), float64(i))
			dot.Shape, dot.Series = figure.Small, mark.Series
			dot.Hollow = mark.Hollow || stalled[k] || k < len(disturbed) && disturbed[k]
			r.spec.Marks = append(r.spec.Marks, dot)
		}
	}
	r.spec.Marks = append(r.spec.Marks, mark)
	row.Value = r.label(v.Figure)
	if v.AtLeast {
		row.Value = "≥ " + row.Value
	}
	if v.Few != "" {
		row.Value += ", " + v.Few
	}
	row.Value, row.Title = cellview.WithState(row.Value, cell), cellview.WithState(row.Title, cell)
	return row
}

// label writes the value of a row, with its own unit or the digits of all rows.
func (r *rows) label(reading wording.Figure) string {
	if r.own {
		unit := wording.UnitFor(r.metric.Metric.Unit, false, reading.Value)
		return unit.Quantity(reading.Value, unit.Readable(reading))
	}
	unit := r.metric.Unit
	if own := unit.Decimals(reading); r.digits < own && math.Abs(reading.Value/unit.Scale) < math.Pow10(1-r.digits) {
		return unit.Number(reading.Value, own)
	}
	return unit.Number(reading.Value, r.digits)
}

// sub returns the subtitle: the quantity and the kind of estimates.
func (r *rows) sub() string {
	quantity := wording.Capital(r.metric.Axis)
	if r.own {
		quantity = wording.Capital(wording.Lower(r.metric.Title))
	}
	switch {
	case r.isNoneMeasured():
		return quantity + "; " + cellview.Without(r.Cells, r.metric.Name)
	case r.pooled:
		return quantity + ": share over all repetitions with 95\u202f% interval"
	}
	return quantity + "; " + wording.Lower(r.kinds.Sub())
}

func (r *rows) isNoneMeasured() bool {
	return !slices.ContainsFunc(r.spec.Rows, func(row figure.Row) bool { return row.Missing == "" })
}

func (r *rows) sayHow(estimateMark, intervalMark string, isPublished bool) {
	isMeasured := !r.isNoneMeasured()
	switch {
	case !isMeasured:
		r.say("One row for each cell of the experiment: " + cellview.Without(r.Cells, r.metric.Name) + ".")
	case r.pooled:
		r.say(estimateMark + ": failed of attempted over " + r.kinds.Repetitions() + ". " + intervalMark +
			": 95\u202f% interval, widened to the smallest and largest share of one repetition.")
	default:
		r.say(r.kinds.HowTo(estimateMark, intervalMark)...)
	}
	switch {
	case isPublished && r.factor == 1:
		r.say("Grey tick: published value, measured elsewhere; compare the order, not the distance.")
	case isPublished:
		r.say("Grey tick: published value, measured elsewhere, times the factor by which this machine differs; compare " +
			"how rows lie to each other.")
	}
	if isMeasured && slices.ContainsFunc(r.spec.Rows, func(row figure.Row) bool { return row.Missing != "" }) {
		r.say("A row without a mark gives the reason in words.")
	}
}
