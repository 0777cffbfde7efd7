package chart

import (
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

// scatter draws cells between two metrics.
func (p *Panel) scatter() Drawing {
	if len(p.Block.Y) != 1 {
		return Drawing{Missing: "y of a scatter figure must be one metric"}
	}
	mx, okX := cellview.MetricOf(p.Block.X.Value, p.Cells)
	my, okY := cellview.MetricOf(p.Block.Y[0].Value, p.Cells)
	if !okX || !okY {
		return Drawing{Missing: "x and y of a scatter figure must be metrics"}
	}
	x, y := cellview.QuantityOf(mx, p.Cells), cellview.QuantityOf(my, p.Cells)
	metrics := []record.Metric{mx, my}
	kinds := cellview.KindsOf(p.Cells, cellview.NamesOf(metrics)...)
	p.say(kinds.HowTo("Point", "Lines through it")...)
	var xs, ys []float64
	for _, cell := range p.Cells {
		if a, b := cell.Metric(mx.Name), cell.Metric(my.Name); a.Missing == "" && b.Missing == "" {
			xs, ys = append(xs, a.Estimate.Centre), append(ys, b.Estimate.Centre)
		}
	}
	axis := func(name string, q cellview.Quantity, values []float64) figure.Axis {
		a := axisOf(q.Unit.Unit, q.Metric.Unit, p.scale(name, values))
		a.Name, a.Zero = q.Axis, p.Block.Zero
		if a.Label != nil {
			a.Name = wording.Lower(q.Title)
		}
		return a
	}
	fields := cellview.Naming(p.Cells, nil)
	spec := figure.Spec{X: axis(article.XAxis, x, xs), Y: axis(article.YAxis, y, ys), Key: keyOf(p.series(fields))}
	for _, cell := range p.Cells {
		a, b := cell.Metric(mx.Name), cell.Metric(my.Name)
		name := cellview.Name(cell, fields)
		title := fmt.Sprintf("%s: %s %s; %s %s",
			name, wording.Lower(mx.Title), x.Words(a), wording.Lower(my.Title), y.Words(b))
		p.described = append(p.described, cellview.WithState(title, cell))
		if a.Missing != "" || b.Missing != "" {
			p.notes = append(p.notes, "not drawn: "+title)
			continue
		}
		spec.Marks = append(spec.Marks, p.point(name, title, cell, endsOf(a, x.Unit.Scale), endsOf(b, y.Unit.Scale)))
	}
	if len(spec.Marks) == 0 {
		return Drawing{Missing: "no cell has both " + wording.Lower(mx.Title) + " and " + wording.Lower(my.Title) + ": " +
			wording.Some(p.described)}
	}
	spec.Level = p.reference(y.Unit.Unit, my.Unit, spec.Y.Scale)
	p.say(cellview.HollowWords(p.Cells)...)
	return p.drawing(spec, rangeTitle(p.Cells, my, nil, my.Title)+", against "+wording.Lower(mx.Title),
		p.description("Points between two metrics"), Drawing{Sub: kinds.Sub(), Metrics: metrics, Fields: fields})
}

// ends are an estimate and its interval in the unit of an axis.
type ends struct{ v, lo, hi float64 }

func endsOf(r dataset.Result, scale float64) ends {
	lo, hi := cellview.Ends(r)
	return ends{r.Estimate.Centre / scale, lo / scale, hi / scale}
}

// point is the point of a cell.
func (p *Panel) point(name, title string, cell *dataset.Cell, x, y ends) figure.Mark {
	return figure.Mark{X: x.v, XLo: x.lo, XHi: x.hi, Y: y.v, YLo: y.lo, YHi: y.hi, Series: p.Palette.Cell(cell, p.by),
		Name: cellview.WithState(name, cell), Title: cellview.WithState(title, cell), Hollow: cellview.StateOf(cell) != ""}
}

// agreement draws published numbers against ours: on one line if the two are equal, on another if they differ by one
// factor.
func (p *Panel) agreement() Drawing {
	m, missing := p.metric("x", p.Block.X.Value)
	if missing != "" {
		return Drawing{Missing: missing}
	}
	a, ok := p.Dataset.Agreement(m.Name, p.Block.Published.Name.Value)
	if !ok {
		return Drawing{Missing: "nobody has published " + wording.Lower(m.Title)}
	}
	q := cellview.Quantity{Metric: m, Unit: columnOfRows(m, a.Rows, a.Cells)}
	axis := cellview.QuantityWords(m, q.Unit.Unit)
	fields := cellview.Naming(p.Cells, nil)
	spec := figure.Spec{X: axisOf(q.Unit.Unit, m.Unit, figure.Log), Y: axisOf(q.Unit.Unit, m.Unit, figure.Log),
		Key: keyOf(p.series(fields))}
	spec.X.Name, spec.Y.Name = "published", "measured here"
	var shown []*dataset.Cell
	for i, row := range a.Rows {
		cell := a.Cells[i]
		if cell != nil && !slices.Contains(p.Cells, cell) {
			continue // of another part, or left out by where
		}
		point, missing := p.agreeing(row, cell, fields, q)
		if missing != "" {
			p.notes = append(p.notes, "not drawn: "+point.Title+", "+missing)
			p.described = append(p.described, point.Title+", "+missing)
			continue
		}
		spec.Marks, shown = append(spec.Marks, point), append(shown, cell)
		p.described = append(p.described, point.Title)
	}
	if len(spec.Marks) == 0 {
		return Drawing{Missing: "no published value was measured here: " + wording.Some(p.described)}
	}
	p.say(cellview.KindsOf(shown, m.Name).HowTo("Point", "Line through it")...)
	p.say(cellview.HollowWords(shown)...)
	spec.Slopes = p.agreementLines(a.Agreement)
	return p.drawing(spec, m.Title+": "+wording.Times.Alone(a.Factor)+" as published",
		p.description("Points, published against measured"),
		Drawing{Sub: wording.Capital(axis), Metrics: []record.Metric{m}, Fields: fields})
}

// columnOfRows has the unit of the published and the measured values of a metric, and the digits of the measured ones.
func columnOfRows(m record.Metric, rows []stats.AgreementRow, cells []*dataset.Cell) wording.Column {
	var values []float64
	var readings []wording.Figure
	for i, row := range rows {
		if values = append(values, row.Published); row.Measured {
			values = append(values, row.Centre)
			readings = append(readings, wording.ReadingOf(cells[i].Metric(m.Name)))
		}
	}
	return wording.UnitFor(m.Unit, m.Share, values...).Column(readings...)
}

// agreementLines are the lines on which points are that agree.
func (a *account) agreementLines(g stats.Agreement) []figure.Guide {
	slopes := []figure.Guide{{Value: 1, Label: "as published"}}
	const noticeable = 1.02
	if g.Measured > 1 && max(g.Factor, 1/g.Factor) > noticeable {
		times := wording.Times.Alone(g.Factor)
		slopes = append(slopes, figure.Guide{Value: g.Factor, Label: times, Dash: true})
		a.say("Full line: as published. Dashed: " + times +
			", the common factor between this host's values and the published ones. " +
			"Points near the dashed line agree in size, and points that rise together agree in order.")
	} else {
		a.say("Line: as published.")
	}
	return slopes
}

// agreeing is a published number against the number of its cell; without a number of ours it has a title alone, and the
// reason.
func (p *Panel) agreeing(row stats.AgreementRow, cell *dataset.Cell, fields []string,
	q cellview.Quantity) (point figure.Mark, missing string) {
	name := row.Name
	if cell != nil {
		name = cellview.Name(cell, fields)
	}
	title := name + ": published " + q.Unit.Exact(row.Published)
	point.Title = title
	switch {
	case cell == nil:
		return point, "no such cell"
	case !row.Measured:
		return point, cell.Metric(q.Name).Missing
	}
	r := cell.Metric(q.Name)
	title += ", measured " + q.Words(r) + ", " + wording.Times.Alone(row.Ratio) + " as published"
	published := ends{row.Published / q.Unit.Scale, math.NaN(), math.NaN()}
	return p.point(name, title, cell, published, endsOf(r, q.Unit.Scale)), ""
}
