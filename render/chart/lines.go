package chart

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"benchbook/internal/phrase"
	"benchbook/internal/slice"
	"benchbook/notebook/article"
	"benchbook/notebook/dataset"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
	"benchbook/render/cellview"
	"benchbook/render/figure"
	"benchbook/render/wording"
)

// line is a line with its cells.
type line struct {
	figure.Line
	cells []*dataset.Cell
}

// linesOf groups the cells of the figure into lines by name, in the order of the plan.
func (p *Panel) linesOf(name func(cell *dataset.Cell) string) []line {
	var out []line
	for _, cell := range p.Cells {
		l := slice.FindOrAdd(&out, func(l line) bool { return l.Name == name(cell) },
			line{Line: figure.Line{Name: name(cell)}})
		l.cells = append(l.cells, cell)
	}
	return p.paint(out)
}

// cellLines returns a line for each cell, with points from add, and the fields that name lines. If add returns a
// reason, the cell has a note instead.
func (p *Panel) cellLines(add func(l *line, cell *dataset.Cell) (missing string)) (out []figure.Line, fields []string) {
	fields = p.lineFields()
	for _, l := range p.linesOf(func(cell *dataset.Cell) string { return cellview.Name(cell, fields) }) {
		l.Name = cellview.WithState(l.Name, l.cells[0])
		if missing := add(&l, l.cells[0]); missing != "" {
			p.notes = append(p.notes, "not drawn: "+l.Name+": "+missing)
			p.described = append(p.described, l.Name+": "+missing)
			continue
		}
		out = append(out, l.Line)
	}
	return out, fields
}

// paint colours lines and dashes every second one of a colour. If some still look alike, each colour has a frame, or
// each line if there are more lines than colours.
func (p *Panel) paint(lines []line) []line {
	p.setSeries(p.lineFields())
	seen := map[int]int{}
	for i := range lines {
		l := &lines[i]
		switch {
		case p.by != "":
			l.Series = p.Palette.Cell(l.cells[0], p.by)
		case len(lines) <= figure.MaxSeries && l.Name != "":
			l.Series = p.Palette.Of(l.Name)
		}
		seen[l.Series]++
		l.Dash = seen[l.Series]%2 == 0
	}
	isCrowded := len(lines) > figure.MaxSeries
	isShared := p.by != "" && slices.Max(slices.Collect(maps.Values(seen))) > 2
	for i := range lines {
		l := &lines[i]
		switch {
		case isCrowded:
			l.Panel, l.Dash = l.Name, false
		case isShared:
			l.Panel, _ = l.cells[0].Setting(p.by)
		}
	}
	return lines
}

type lineChart struct {
	*Panel
	x       string // the parameter
	xUnit   wording.Unit
	metrics []record.Metric
	column  wording.Column // of all metrics
}

// lines draws metrics over a numeric parameter.
func (p *Panel) lines() (missing string) {
	l := lineChart{Panel: p, x: p.Block.X.Value}
	for _, name := range article.Texts(p.Block.Y) {
		m, _ := cellview.MetricOf(name, p.Cells)
		if l.metrics = append(l.metrics, m); m.Unit != l.metrics[0].Unit {
			return fmt.Sprintf("%s and %s have different units; draw one figure for each", l.metrics[0].Name, m.Name)
		}
	}
	var values []float64
	base := ""
	for _, cell := range p.Cells {
		q, ok := cellview.Numeric(cell, l.x)
		if !ok {
			return fmt.Sprintf("%s of %s is not a number, which an axis of lines needs", l.x, cell.Trial.Name)
		}
		values, base = append(values, q.Value), q.Unit.Dimension.Base()
	}
	names, readings := cellview.NamesOf(l.metrics), readingsIn(p.Cells, l.metrics)
	if len(readings) == 0 {
		return phrase.List(names) + ": " + cellview.Without(p.Cells, names...)
	}
	q := cellview.QuantityOf(l.metrics[0], p.Cells)
	if len(l.metrics) > 1 {
		q.Unit = q.Unit.Column(readings...)
		q.Axis = cmp.Or(q.Unit.Symbol, wording.Lower(q.Title))
	}
	kinds := cellview.KindsOf(p.Cells, names...)
	p.say(kinds.HowTo("Point", "Stroke")...)
	l.xUnit, l.column = wording.UnitFor(base, false, values...), q.Unit
	fields := p.lineFields()
	spec := figure.Spec{X: figure.Axis{Scale: p.scale(article.XAxis, values)}, Lines: l.lines(fields)}
	ys := slice.Map(readings, func(r wording.Figure) float64 { return r.Value })
	spec.Y = axisOf(q.Unit.Unit, q.Metric.Unit, p.scale(article.YAxis, ys))
	spec.X.Name = strings.TrimSuffix(l.x+", "+l.xUnit.Symbol, ", ")
	spec.X.Ticks = slice.Map(values, func(v float64) float64 { return v / l.xUnit.Scale })
	spec.Y.Zero = p.Block.Zero
	spec.Level = p.reference(q.Unit.Unit, q.Metric.Unit, spec.Y.Scale)
	asked := append([]string{l.x}, fields...)
	title := q.Title + " by " + l.x
	if len(l.metrics) == 1 {
		title = rangeTitle(p.Cells, q.Metric, asked, title)
	}
	if slices.ContainsFunc(spec.Lines, func(l figure.Line) bool { return slices.ContainsFunc(l.Points, isGap) }) {
		p.say("A gap in a line was not measured, for the reason below; hatching marks failures.")
	}
	if spec.Y.Label != nil { // each tick has the unit that suits it
		q.Axis = wording.Lower(q.Title)
	}
	p.draw(spec, title, wording.Capital(q.Axis)+"; "+wording.Lower(kinds.Sub()), "Lines with a point for each value of "+l.x,
		cellview.Naming(p.Cells, asked), l.metrics...)
	return ""
}

// readingsIn returns the measured metrics of cells, for choosing digits.
func readingsIn(cells []*dataset.Cell, metrics []record.Metric) (out []wording.Figure) {
	for _, cell := range cells {
		for _, m := range metrics {
			if r := cell.Metric(m.Name); r.Missing == "" {
				out = append(out, wording.ReadingOf(r))
			}
		}
	}
	return out
}

// lines returns a line for each metric of each group of cells. Without fields there is one group.
func (l *lineChart) lines(fields []string) (out []figure.Line) {
	lines := l.linesOf(func(cell *dataset.Cell) string {
		if len(fields) == 0 {
			return ""
		}
		return cellview.Name(cell, fields)
	})
	at := func(cell *dataset.Cell) float64 { q, _ := cellview.Numeric(cell, l.x); return q.Value }
	for _, line := range lines {
		slices.SortStableFunc(line.cells, func(a, b *dataset.Cell) int { return cmp.Compare(at(a), at(b)) })
		for k, m := range l.metrics {
			c := line.Line
			if len(l.metrics) > 1 || c.Name == "" {
				c.Name = strings.TrimSpace(c.Name + " " + wording.Lower(m.Title))
			}
			switch {
			case len(l.metrics) > 1 && len(lines) == 1:
				c.Series, c.Dash = 1+k%figure.MaxSeries, k >= figure.MaxSeries
			case len(l.metrics) > 1:
				c.Dash = k%2 == 1
			}
			c.Points = slice.Map(line.cells, func(cell *dataset.Cell) figure.Mark { return l.point(c.Name, m, cell, at(cell)) })
			if slices.ContainsFunc(c.Points, figure.Mark.IsDrawn) {
				out = append(out, c)
			}
		}
	}
	return out
}

// point returns the point of a cell on a named line, at a value of the parameter.
func (l *lineChart) point(name string, m record.Metric, cell *dataset.Cell, at float64) figure.Mark {
	where := name + ", " + dataset.Setting(l.x, l.xUnit.Alone(at))
	r := cell.Metric(m.Name)
	point := figure.At(at/l.xUnit.Scale, r.Estimate.Centre/l.column.Scale)
	point.Title = where + ": " + cellview.Quantity{Metric: m, Unit: l.column}.Words(r)
	if r.Missing != "" {
		point.Gap, point.Failed = true, cellview.HasFailed(r.Missing)
		l.notes = append(l.notes, "gap at "+point.Title)
	} else {
		v := cellview.Estimate(r)
		point.YLo, point.YHi = v.Lo/l.column.Scale, v.Hi/l.column.Scale
		if state := cellview.StateOf(cell); state != "" {
			point.Title, point.Hollow = cellview.WithState(point.Title, cell), true
			l.notes = append(l.notes, state+": "+where)
		}
	}
	l.described = append(l.described, point.Title)
	return point
}

func isGap(m figure.Mark) bool { return m.Gap }

// latency draws latency percentiles on an axis that gives each further nine the same width.
func (p *Panel) latency() (missing string) {
	const family = "latency"
	p.newData("percentile", "seconds", "lo", "hi", "repetitions", "attempts")
	var pooled []float64
	for _, cell := range p.Cells {
		d, _ := cell.Percentiles(family)
		pooled = append(pooled, slice.Map(d.Points, func(q dataset.PercentilePoint) float64 { return q.Pooled })...)
	}
	unit := wording.UnitFor("s", false, pooled...)
	spec := figure.Spec{X: figure.Axis{Name: "percentile of requests; each further nine has the same width", Label: percentOf},
		Y: axisOf(unit, "s", figure.Log), Drops: []figure.Guide{{Value: nines(50), Label: "median"}, {Value: nines(99), Label: "p99"}}}
	var low, high int
	last, hasEnded := 0.0, false
	lines, fields := p.cellLines(func(l *line, cell *dataset.Cell) string {
		d, missing := cell.Percentiles(family)
		if len(d.Points) == 0 {
			missing = cmp.Or(missing, d.End)
			p.addData(cell, missing)
			return missing
		}
		p.addPercentiles(l, d, unit)
		if low == 0 || d.N < low {
			low = d.N
		}
		high = max(high, d.N)
		last = max(last, l.Points[len(l.Points)-1].X)
		hasEnded = hasEnded || d.End == "among failures"
		return ""
	})
	if len(lines) == 0 {
		return "no cell has a distribution of latencies: " + strings.Join(p.described, "; ")
	}
	spec.X.Ticks = []float64{0, min(1, last)} // 0, 90, 99 and so on
	for tick := 2.0; tick <= last+1e-9; tick++ {
		spec.X.Ticks = append(spec.X.Ticks, tick)
	}
	spec.Lines = lines
	repetitions := cellview.Origin{Measured: 1, Low: low, High: high}.Repetitions()
	p.say("Line: all answers of "+repetitions+", up to the last percentile with ten requests beyond it.",
		"Band: 95\u202f% interval of the same percentile over the repetitions, where all of them reach it.")
	if hasEnded {
		p.say("A line ends where all slower requests failed.")
	}
	tail, _ := record.LookupMetric("latency.p99")
	const title = "Latency by percentile"
	p.draw(spec, rangeTitle(p.Cells, tail, fields, title), title, "Curves of latency by percentile", fields,
		cellview.BuiltIn("latency.p50")...)
	return ""
}

// nines returns the place of a percentage on the latency axis: 0, 90 and 99 are at 0, 1 and 2.
func nines(percent float64) float64 { return -math.Log10(1 - percent/100) }

// percentOf writes the percentage at a place of the latency axis.
func percentOf(nines float64) string {
	return wording.Plain.ExactNumber(math.Round(1e8*(1-math.Pow(10, -nines))) / 1e6)
}

// addPercentiles adds the percentiles of a cell to its line, the description and the data.
func (p *Panel) addPercentiles(l *line, d dataset.Percentiles, unit wording.Unit) {
	reading := func(q dataset.PercentilePoint) wording.Figure {
		return wording.Figure{Value: q.Pooled, Lo: q.Estimate.Interval.Lo, Hi: q.Estimate.Interval.Hi,
			Step: q.Pooled * stats.MinResolution}
	}
	hasName := func(q dataset.PercentilePoint) bool { return namedPercentile(q) != "" }
	column := unit.Column(slice.Map(slice.Filter(d.Points, hasName), reading)...)
	var named []string
	l.Plain = true
	for _, q := range d.Points {
		point := figure.At(nines(q.Percent), q.Pooled/column.Scale)
		lo, hi := math.NaN(), math.NaN()
		if q.Estimate.N > 1 {
			lo, hi = q.Estimate.Interval.Lo, q.Estimate.Interval.Hi
			// The pooled percentile may be outside of the interval over repetitions;
			// docs/method.md#across-repetitions marks such cells.
			point.YLo, point.YHi = min(lo, q.Pooled)/column.Scale, max(hi, q.Pooled)/column.Scale
		}
		if name := namedPercentile(q); name != "" {
			words := name + " " + column.Quantity(q.Pooled, column.Decimals(reading(q)))
			named = append(named, words)
			point.Title = l.Name + ": " + words + ", of " + wording.Count(int(d.Attempts), "request") + " in " +
				wording.Count(d.N, "repetition")
		}
		l.Points = append(l.Points, point)
		p.addData(l.cells[0], "", q.Percent, q.Pooled, lo, hi, d.N, d.Attempts)
	}
	p.described = append(p.described, l.Name+": "+strings.Join(named, ", "))
}

// namedPercentile returns the name of a percentile that the description mentions; "" for others.
func namedPercentile(q dataset.PercentilePoint) string {
	switch key := wording.Plain.ExactNumber(math.Round(q.Percent*1e6) / 1e6); key { // without rounding errors
	case "50":
		return "median"
	case "90", "99", "99.9", "99.99", "99.999":
		return "p" + key
	}
	return ""
}

// timeline draws a metric second by second: repetitions as thin lines, the median of each second bold.
func (p *Panel) timeline() (missing string) {
	if len(p.Block.Y) != 1 {
		return "y of a timeline must be one metric, " + strings.Join(dataset.BySecond, " or ")
	}
	metric := p.Block.Y[0].Value
	p.newData("repetition", "second", "metric", "unit", "value")
	p.say("Bold: the median of each second. Thin: one repetition each.")
	shown, all := secondsOf(p.Cells, metric)
	unit := wording.UnitFor(shown.Unit, false, all...)
	spec := figure.Spec{X: figure.Axis{Name: "second of the measured window"}, Y: axisOf(unit, shown.Unit, p.scale(article.YAxis, all))}
	spec.Y.Zero = p.Block.Zero
	lines, fields := p.cellLines(func(l *line, cell *dataset.Cell) string { return p.addSeconds(l, cell, metric, unit) })
	spec.Lines = lines
	if len(spec.Lines) == 0 {
		return "nothing was recorded by second: " + strings.Join(p.described, "; ")
	}
	spec.Level = p.reference(unit, shown.Unit, spec.Y.Scale)
	sub := "Mean latency of a second's answers"
	switch {
	case spec.Y.Label == nil && shown.Unit == "s":
		sub += ", " + unit.Symbol
	case shown.Unit != "s":
		sub = "Completions per second"
		p.say("Completions are answers of any kind, failed ones included.")
	}
	p.draw(spec, rangeTitle(p.Cells, shown, fields, shown.Title)+", within a run", sub, "Values over time within repetitions",
		fields, cellview.BuiltIn(metric)...)
	return ""
}

// mostHits limits the points of a line that have a tooltip.
const mostHits = 20

// addSeconds adds the repetitions of a cell to its line, the description and the data.
func (p *Panel) addSeconds(l *line, cell *dataset.Cell, metric string, unit wording.Unit) (missing string) {
	s, missing := cell.Seconds(metric)
	if missing != "" {
		p.addData(cell, missing, nil, nil, s.Metric.Name, s.Metric.Unit)
		return missing
	}
	for k, values := range s.Values {
		var trace []figure.Mark
		for second, v := range values {
			p.addData(cell, "", s.Repetitions[k], second+1, s.Metric.Name, s.Metric.Unit, v)
			if !math.IsNaN(v) {
				trace = append(trace, figure.At(float64(second+1), v/unit.Scale))
			}
		}
		if len(s.Values) > 1 {
			l.Traces = append(l.Traces, trace)
		}
	}
	l.Plain = true
	medians, of := mediansBySecond(s.Values), ", median of "+wording.Count(len(s.Values), "repetition")
	var ends []string
	for second, v := range medians {
		point := figure.At(float64(second+1), v/unit.Scale)
		words := unit.Alone(v)
		if point.Gap = math.IsNaN(v); point.Gap {
			words = "no answers"
		}
		if second%(1+(len(medians)-1)/mostHits) == 0 {
			point.Title = fmt.Sprintf("%s, second %d: %s%s", l.Name, second+1, words, of)
		}
		if second == 0 || second == len(medians)-1 {
			ends = append(ends, fmt.Sprintf("%s in second %d", words, second+1))
		}
		l.Points = append(l.Points, point)
	}
	if !slices.ContainsFunc(l.Points, figure.Mark.IsDrawn) {
		return "no answers"
	}
	p.described = append(p.described, l.Name+": "+strings.Join(ends, ", ")+of)
	return ""
}

// secondsOf returns the values of all seconds of all repetitions of cells, except seconds without answers.
func secondsOf(cells []*dataset.Cell, metric string) (m record.Metric, values []float64) {
	for _, cell := range cells {
		s, _ := cell.Seconds(metric)
		m = s.Metric
		for _, list := range s.Values {
			values = append(values, slices.DeleteFunc(slices.Clone(list), math.IsNaN)...)
		}
	}
	return m, values
}

// mediansBySecond returns the median over repetitions of each second that at least half of them reach; it may be NaN.
func mediansBySecond(repetitions [][]float64) []float64 {
	var out []float64
	for second := 0; ; second++ {
		var values []float64
		reach := 0
		for _, r := range repetitions {
			if second < len(r) {
				if reach++; !math.IsNaN(r[second]) {
					values = append(values, r[second])
				}
			}
		}
		if reach == 0 || 2*reach < len(repetitions) {
			return out
		}
		out = append(out, stats.Median(values))
	}
}
