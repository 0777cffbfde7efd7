package chart

import (
	"cmp"
	"math"
	"slices"

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

// rows is a figure of a row for each cell in the making.
type rows struct {
	*Panel
	spec   figure.Spec
	shape  figure.Shape
	metric cellview.Quantity
	kinds  cellview.EstimateKinds
	pooled bool    // shares over all repetitions
	factor float64 // by which published values are multiplied
	own    bool    // each label has a unit of its own
	digits int     // after the point of all labels
	missed bool    // a row has no value
}

// The kinds that are rows: dots, bars and distribution.

func (p *Panel) dots() Drawing { return p.rows(figure.Dot, "Dots", "Dot", "Box") }

func (p *Panel) bars() Drawing { return p.rows(figure.Bar, "Bars", "Bar", "Line") }

func (p *Panel) distribution() Drawing {
	out := p.rows(figure.Centre, "Repetitions as small dots", "Vertical line", "Box")
	if out.Spec == nil {
		return out
	}
	p.say("Small dot: one repetition. Those that are not valid are left out.")
	m := out.Metrics[0]
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
			p.addData(cell, "", m.Name, m.Unit, r.Repetition(i), v)
		}
		if len(r.Values) == 0 {
			p.addData(cell, r.Missing, m.Name, m.Unit)
		}
	}
	return out
}

// rows draws a metric of cells, one below the other. The words are the marks, the mark of the estimate, and the mark of
// its interval.
func (p *Panel) rows(shape figure.Shape, drawnAs, estimateMark, intervalMark string) Drawing {
	m, missing := p.metric("x", p.Block.X.Value)
	if missing != "" {
		return Drawing{Missing: missing}
	}
	fields := p.fields()
	r := &rows{Panel: p, shape: shape, metric: cellview.QuantityOf(m, p.Cells), kinds: cellview.KindsOf(p.Cells, m.Name),
		factor: 1}
	series := p.series(fields)
	r.setAxis()
	bands, bandName := p.bands(m.Name, fields)
	order := slices.Clone(p.Cells)
	if len(bands) == 0 || p.Block.Sort.Value != "" { // cells claimed to be alike are not ranked
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
	r.spec.Key = keyOf(series)
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
	r.spec.Level = p.reference(r.metric.Unit.Unit, m.Unit, r.spec.X.Scale)
	if r.spec.Level != nil {
		r.spec.Key = append(r.spec.Key, figure.Key{Name: r.spec.Level.Label, Shape: figure.Rule})
	}
	p.howTo = append(r.words(estimateMark, intervalMark, isPublished), p.howTo...)
	p.say(cellview.HollowWords(p.Cells)...)
	return p.drawing(r.spec, rangeTitle(p.Cells, m, fields, m.Title+" by "+wording.List(fields)),
		p.description(drawnAs+", one row each, in this order"),
		Drawing{Sub: r.sub(), Metrics: []record.Metric{m}, Fields: fields})
}

// fields are those by which rows are named.
func (p *Panel) fields() []string { return cellview.Naming(p.Cells, article.Texts(p.Block.Y)) }

// scaled is a value in the unit of the axis.
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

// sharedDigits are the digits after the point that all readings can have.
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

// crush reports whether published values leave ours less than half of an axis. Machines differ: then published values
// are drawn times the factor by which this one does.
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

// bands are what claims that two cells agree allow: a range of values for one of the two, by cell, and its name. Where
// it is around the value of one other cell, that has it too.
//
// Source: docs/figures.md#bands.
func (p *Panel) bands(metric string, fields []string) (bands map[*dataset.Cell]stats.Interval, name string) {
	bands = map[*dataset.Cell]stats.Interval{}
	var others []*dataset.Cell
	var regions []stats.Region
	for _, j := range leaves(p.Claim) {
		cell, other, ok := likened(j, metric)
		if !ok || !slices.Contains(p.Cells, cell) {
			continue
		}
		centre := other.Metric(metric).Estimate.Centre
		bands[cell] = stats.Interval{Lo: j.Region.Lo * centre, Hi: j.Region.Hi * centre}
		others, regions = slice.Add(others, other), slice.Add(regions, j.Region)
	}
	if len(others) != 1 || len(regions) != 1 {
		return bands, "as claimed"
	}
	other, region := others[0], regions[0]
	if math.Abs(region.Lo*region.Hi-1) < 1e-9 { // around the other cell
		centre := other.Metric(metric).Estimate.Centre
		bands[other] = stats.Interval{Lo: region.Lo * centre, Hi: region.Hi * centre}
		return bands, "within " + wording.PercentUnit.Exact(region.Hi-1) + " of " + cellview.Name(other, fields)
	}
	return bands, "as claimed"
}

// likened are the two cells of a claim that they are alike by a metric; false for another claim, or one without values.
func likened(j claim.Judgement, metric string) (cell, other *dataset.Cell, ok bool) {
	if j.Form != claim.Near || len(j.Sides) != 2 {
		return nil, nil, false
	}
	for _, side := range j.Sides {
		if side.Metric.Name != metric || len(side.Cells) != 1 {
			return nil, nil, false
		}
	}
	cell, other = j.Sides[0].Cells[0], j.Sides[1].Cells[0]
	return cell, other, other.Metric(metric).Missing == ""
}

// leaves are the parts of a judgement that have none themselves.
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

// areNumbers reports whether all cells have numbers of a parameter or label, so that it has an order of its own.
func areNumbers(cells []*dataset.Cell, field string) bool {
	return !slices.ContainsFunc(cells, func(c *dataset.Cell) bool { _, ok := cellview.Numeric(c, field); return !ok })
}

// compare orders rows: by the metric that the author sorts by, or else by numbers that name them and then by the metric
// that is drawn; by a parameter in the order of the plan.
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

// row is the i-th row, whose marks are added to the figure.
func (r *rows) row(cell *dataset.Cell, name string, i int) figure.Row {
	shown := cell.Metric(r.metric.Name)
	v := cellview.Estimate(shown)
	row := figure.Row{Name: name, Missing: wording.WithUnsure(shown), Failed: cellview.HasFailed(v.Missing),
		Title: name + ": " + r.metric.Words(shown)}
	if v.Missing != "" {
		r.missed = true
		return row
	}
	mark := figure.At(r.scaled(v.Centre), float64(i))
	mark.Shape, mark.Series = r.shape, r.Palette.Cell(cell, r.by)
	mark.Hollow, mark.AtLeast = cellview.StateOf(cell) != "", v.AtLeast
	mark.Thin = shown.Estimate.Kind == stats.RangeOfTwo || shown.Estimate.Kind == stats.WithinRun
	if !math.IsInf(v.Lo, 0) && !math.IsInf(v.Hi, 0) { // the words describe the others
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
	row.Value = r.label(v.Reading())
	if v.AtLeast {
		row.Value = "≥ " + row.Value
	}
	if v.Few != "" {
		row.Value += ", " + v.Few
	}
	row.Value, row.Title = cellview.WithState(row.Value, cell), cellview.WithState(row.Title, cell)
	return row
}

// label is a value as printed in its row: with a unit of its own, or with the digits of all.
func (r *rows) label(reading wording.Figure) string {
	if r.own {
		unit := wording.UnitFor(r.metric.Metric.Unit, false, reading.Value)
		return unit.Quantity(reading.Value, unit.Readable(reading))
	}
	unit := r.metric.Unit
	if own := unit.Decimals(reading); r.digits < own && math.Abs(reading.Value/unit.Scale) < math.Pow10(-r.digits) {
		return unit.Number(reading.Value, own)
	}
	return unit.Number(reading.Value, r.digits)
}

// sub says what the marks are, and in which unit.
func (r *rows) sub() string {
	quantity := wording.Capital(r.metric.Axis)
	if r.own {
		quantity = wording.Capital(wording.Lower(r.metric.Title))
	}
	switch {
	case len(r.spec.Marks) == 0 || r.isNoneMeasured():
		return quantity + "; " + cellview.Without(r.Cells, r.metric.Name)
	case r.pooled:
		return quantity + ": share over all repetitions with 95\u202f% interval"
	}
	return quantity + "; " + wording.Lower(r.kinds.Sub())
}

func (r *rows) isNoneMeasured() bool {
	return !slices.ContainsFunc(r.spec.Rows, func(row figure.Row) bool { return row.Missing == "" })
}

// words say how to read the figure.
func (r *rows) words(estimateMark, intervalMark string, isPublished bool) []string {
	var out []string
	measured := !r.isNoneMeasured()
	add := func(holds bool, words string) {
		if holds {
			out = append(out, words)
		}
	}
	switch {
	case !measured:
		out = append(out, "One row for each cell of the experiment: "+cellview.Without(r.Cells, r.metric.Name)+".")
	case r.pooled:
		out = append(out, estimateMark+": failed of attempted over "+r.kinds.Repetitions()+". "+intervalMark+
			": 95\u202f% interval, widened to the smallest and largest share of one repetition.")
	default:
		out = r.kinds.HowTo(estimateMark, intervalMark)
	}
	add(isPublished && r.factor == 1,
		"Grey tick: published value, measured elsewhere; compare the order, not the distance.")
	add(isPublished && r.factor != 1, "Grey tick: published value, measured elsewhere, times the factor by which "+
		"this machine differs; compare how rows lie to each other.")
	add(measured && r.missed, "A row without a mark gives the reason in words.")
	return out
}
