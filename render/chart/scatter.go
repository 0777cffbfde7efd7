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

func (p *Panel) scatter() (missing string) {
	mx, _ := cellview.MetricOf(p.Block.X.Value, p.Cells)
	my, _ := cellview.MetricOf(p.Block.Y[0].Value, p.Cells)
	x, y := cellview.QuantityOf(mx, p.Cells), cellview.QuantityOf(my, p.Cells)
	kinds := cellview.KindsOf(p.Cells, mx.Name, my.Name)
	p.say(kinds.HowTo("Point", "Lines through it")...)
	fields := cellview.Naming(p.Cells, nil)
	spec := figure.Spec{Key: p.key(fields)}
	var xs, ys []float64
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
		xs, ys = append(xs, a.Estimate.Centre), append(ys, b.Estimate.Centre)
		spec.Marks = append(spec.Marks, p.point(name, title, cell, endsOf(a, x.Unit.Scale), endsOf(b, y.Unit.Scale)))
	}
	if len(spec.Marks) == 0 {
		return "no cell has both " + wording.Lower(mx.Title) + " and " + wording.Lower(my.Title) + ": " + wording.Some(p.described)
	}
	axis := func(name string, q cellview.Quantity, values []float64) figure.Axis {
		a := axisOf(q.Unit.Unit, q.Metric.Unit, p.scale(name, values))
		a.Name, a.Zero = q.Axis, p.Block.Zero
		if a.Label != nil {
			a.Name = wording.Lower(q.Title)
		}
		return a
	}
	spec.X, spec.Y = axis(article.XAxis, x, xs), axis(article.YAxis, y, ys)
	spec.Level = p.reference(y.Unit.Unit, my.Unit, spec.Y.Scale)
	p.draw(spec, rangeTitle(p.Cells, my, nil, my.Title)+", against "+wording.Lower(mx.Title), kinds.Sub(),
		"Points between two metrics", fields, mx, my)
	return ""
}

// ends holds an estimate and its interval in the unit of an axis.
type ends struct{ v, lo, hi float64 }

func endsOf(r dataset.Result, scale float64) ends {
	v := cellview.Estimate(r)
	return ends{v.Value / scale, v.Lo / scale, v.Hi / scale}
}

func (p *Panel) point(name, title string, cell *dataset.Cell, x, y ends) figure.Mark {
	return figure.Mark{X: x.v, XLo: x.lo, XHi: x.hi, Y: y.v, YLo: y.lo, YHi: y.hi, Series: p.Palette.Cell(cell, p.by),
		Name: cellview.WithState(name, cell), Title: cellview.WithState(title, cell), Hollow: cellview.StateOf(cell) != ""}
}

// agreement draws measured against published values. One line marks equal values, another values that differ by the
// common factor.
func (p *Panel) agreement() (missing string) {
	m, _ := cellview.MetricOf(p.Block.X.Value, p.Cells)
	a, ok := p.Dataset.Agreement(m.Name, p.Block.Published.Name.Value)
	if !ok {
		return "nobody has published " + wording.Lower(m.Title)
	}
	q := cellview.Quantity{Metric: m, Unit: columnOfRows(m, a.Rows, a.Cells)}
	fields := cellview.Naming(p.Cells, nil)
	axis := axisOf(q.Unit.Unit, m.Unit, figure.Log)
	spec := figure.Spec{X: axis, Y: axis, Key: p.key(fields)}
	spec.X.Name, spec.Y.Name = "published", "measured here"
	var shown []*dataset.Cell
	for i, row := range a.Rows {
		cell := a.Cells[i]
		if cell != nil && !slices.Contains(p.Cells, cell) {
			continue // excluded by where
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
		return "no published value was measured here: " + wording.Some(p.described)
	}
	p.say(cellview.KindsOf(shown, m.Name).HowTo("Point", "Line through it")...)
	spec.Slopes = p.agreementLines(a.Agreement)
	p.draw(spec, m.Title+": "+wording.Times.Alone(a.Factor)+" as published", wording.Capital(cellview.QuantityWords(m, q.Unit.Unit)),
		"Points, published against measured", fields, m)
	return ""
}

// columnOfRows returns a column with a unit that suits published and measured values, and digits for measured ones.
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

// agreementLines returns the lines for equal values and for the common factor, and explains them.
func (p *Panel) agreementLines(g stats.Agreement) []figure.Guide {
	slopes := []figure.Guide{{Value: 1, Label: "as published"}}
	const noticeable = 1.02
	if g.Measured > 1 && max(g.Factor, 1/g.Factor) > noticeable {
		times := wording.Times.Alone(g.Factor)
		slopes = append(slopes, figure.Guide{Value: g.Factor, Label: times, Dash: true})
		p.say("Full line: as published. Dashed: " + times +
			", the common factor between this host's values and the published ones. " +
			"Points near the dashed line agree in size, and points that rise together agree in order.")
	} else {
		p.say("Line: as published.")
	}
	return slopes
}

// agreeing returns the point of a published value and its cell. Without a measured value, the point has only a title,
// and missing is the reason.
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
