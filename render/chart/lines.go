package chart

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"benchbook/internal/slice"
	"benchbook/notebook/article"
	"benchbook/notebook/dataset"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
	"benchbook/render/cellview"
	"benchbook/render/figure"

	"benchbook/render/wording"
)

// line is one in the making, with its cells.
type line struct {
	figure.Line
	cells []*dataset.Cell
}

// linesOf divides cells by fields, in the order of the plan. Without fields there is one line without a name.
func (p *Panel) linesOf(fields []string) []line {
	var out []line
	for _, cell := range p.Cells {
		name := ""
		if len(fields) > 0 {
			name = cellview.Name(cell, fields)
		}
		i := slices.IndexFunc(out, func(l line) bool { return l.Name == name })
		if i < 0 {
			i, out = len(out), append(out, line{Line: figure.Line{Name: name}})
		}
		out[i].cells = append(out[i].cells, cell)
	}
	return p.paint(out)
}

// cellLines are lines of one cell each, with the fields that they are named by.
func (p *Panel) cellLines() (lines []line, fields []string) {
	fields = p.lineFields()
	for _, cell := range p.Cells {
		lines = append(lines, line{figure.Line{Name: cellview.Name(cell, fields)}, []*dataset.Cell{cell}})
	}
	lines = p.paint(lines)
	for i := range lines {
		lines[i].Name = cellview.WithState(lines[i].Name, p.Cells[i])
	}
	return lines, fields
}

// paint gives lines the colours of the palette, and the second of one dashes. Lines that still look alike have
// frames of their own: a frame for each colour, or for each line of more than there are colours for.
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

// drawnLines are the lines that add can give points.
func drawnLines(lines []line, add func(l *line) bool) []figure.Line {
	var out []figure.Line
	for _, l := range lines {
		if add(&l) {
			out = append(out, l.Line)
		}
	}
	return out
}

// lineChart is a figure of lines in the making.
type lineChart struct {
	*Panel
	x       string // the parameter
	xUnit   wording.Unit
	metrics []record.Metric
	column  wording.Column // of all metrics
}

// lines draws metrics over a parameter whose values are numbers.
func (p *Panel) lines() Drawing {
	l := lineChart{Panel: p, x: p.Block.X.Value}
	var missing string
	if l.metrics, missing = p.lineMetrics(); missing != "" {
		return Drawing{Missing: missing}
	}
	var values []float64
	base := ""
	for _, cell := range p.Cells {
		q, ok := cellview.Numeric(cell, l.x)
		if !ok {
			value, _ := cell.Setting(l.x)
			return Drawing{Missing: fmt.Sprintf("lines need an axis of numbers, and %s of %s is %q",
				l.x, cell.Trial.Name, value)}
		}
		values, base = append(values, q.Value), q.Unit.Dimension.Base()
	}
	q, readings := cellview.QuantityOf(l.metrics[0], p.Cells), readingsIn(p.Cells, l.metrics)
	if len(l.metrics) > 1 {
		q.Unit = q.Unit.Column(readings...)
		q.Axis = cmp.Or(q.Unit.Symbol, wording.Lower(q.Title))
	}
	names := cellview.NamesOf(l.metrics)
	if len(readings) == 0 {
		return Drawing{Missing: wording.Capital(wording.Lower(q.Title)) + ": " + cellview.Without(p.Cells, names...)}
	}
	kinds := cellview.KindsOf(p.Cells, names...)
	p.say(kinds.HowTo("Point", "Stroke")...)
	l.xUnit, l.column = wording.UnitFor(base, false, values...), q.Unit
	fields := p.lineFields()
	spec := figure.Spec{X: axisOf(l.xUnit, base, p.scale(article.XAxis, values)),
		Y: axisOf(q.Unit.Unit, l.metrics[0].Unit, p.scale(article.YAxis, slice.Map(readings, func(r wording.Figure) float64 { return r.Value }))), Lines: l.lines(fields)}
	spec.X.Name = strings.TrimSuffix(l.x+", "+l.xUnit.Symbol, ", ")
	for _, v := range values {
		spec.X.Ticks = append(spec.X.Ticks, v/l.xUnit.Scale)
	}
	spec.Y.Zero = p.Block.Zero
	spec.Level = p.reference(q.Unit.Unit, l.metrics[0].Unit, spec.Y.Scale)
	title := q.Title + " by " + l.x
	if len(l.metrics) == 1 {
		title = rangeTitle(p.Cells, l.metrics[0], append([]string{l.x}, fields...), title)
	}
	p.say(cellview.HollowWords(p.Cells)...)
	if slices.ContainsFunc(spec.Lines, func(l figure.Line) bool { return slices.ContainsFunc(l.Points, isGap) }) {
		p.say("A gap in a line was not measured, for the reason below; hatching marks failures.")
	}
	return p.drawing(spec, title, p.description("Lines with a point for each value of "+l.x),
		Drawing{Sub: wording.Capital(q.Axis) + "; " + wording.Lower(kinds.Sub()), Metrics: l.metrics,
			Fields: cellview.Naming(p.Cells, append([]string{l.x}, fields...))})
}

// lineMetrics are those that the lines are of, or the reason why they cannot be drawn on one axis.
func (p *Panel) lineMetrics() (metrics []record.Metric, missing string) {
	for _, name := range article.Texts(p.Block.Y) {
		m, missing := p.metric("y", name)
		if missing != "" {
			return nil, missing
		}
		if len(metrics) > 0 && m.Unit != metrics[0].Unit {
			return nil, fmt.Sprintf("%s and %s have different units; draw one figure for each", metrics[0].Name, m.Name)
		}
		metrics = append(metrics, m)
	}
	if len(metrics) == 0 {
		return nil, "y names no metric"
	}
	return metrics, ""
}

// readingsIn are the estimates that there are of metrics of cells, as digits are chosen by.
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

// lines has a line for each line of cells and each metric.
func (l *lineChart) lines(fields []string) (out []figure.Line) {
	lines := l.linesOf(fields)
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
			for _, cell := range line.cells {
				c.Points = append(c.Points, l.point(c.Name, m, cell, at(cell)))
			}
			if slices.ContainsFunc(c.Points, isPoint) {
				out = append(out, c)
			}
		}
	}
	return out
}

// point is a cell on the line of a name, at a value of the parameter.
func (l *lineChart) point(name string, m record.Metric, cell *dataset.Cell, at float64) figure.Mark {
	where := name + ", " + dataset.Setting(l.x, l.xUnit.Alone(at))
	r := cell.Metric(m.Name)
	point := figure.At(at/l.xUnit.Scale, r.Estimate.Centre/l.column.Scale)
	point.Title = where + ": " + cellview.Quantity{Metric: m, Unit: l.column}.Words(r)
	if r.Missing != "" {
		point.Gap, point.Failed = true, cellview.HasFailed(r.Missing)
		l.notes = append(l.notes, "gap at "+point.Title)
	} else {
		lo, hi := cellview.Ends(r)
		point.YLo, point.YHi = lo/l.column.Scale, hi/l.column.Scale
		if state := cellview.StateOf(cell); state != "" {
			point.Title, point.Hollow = cellview.WithState(point.Title, cell), true
			l.notes = append(l.notes, state+": "+where)
		}
	}
	l.described = append(l.described, point.Title)
	return point
}

func isGap(m figure.Mark) bool { return m.Gap }

func isPoint(m figure.Mark) bool { return !m.Gap }

// latency draws the distribution of latencies: percentiles on an axis on which each further nine takes the same room.
func (p *Panel) latency() Drawing {
	const family = "latency"
	lines, fields := p.cellLines()
	p.newData("percentile", "seconds", "lo", "hi", "repetitions", "attempts")
	var pooled []float64
	for _, cell := range p.Cells {
		d, _ := cell.Percentiles(family)
		for _, q := range d.Points {
			pooled = append(pooled, q.Pooled)
		}
	}
	unit := wording.UnitFor("s", false, pooled...)
	spec := figure.Spec{X: figure.Axis{Name: "percentile of requests; each further nine has the same width", Scale: figure.Nines},
		Y: axisOf(unit, "s", figure.Log), Drops: []figure.Guide{{Value: 50, Label: "median"}, {Value: 99, Label: "p99"}}}
	var low, high int
	ended := false
	spec.Lines = drawnLines(lines, func(l *line) bool {
		d, missing := l.cells[0].Percentiles(family)
		if len(d.Points) == 0 {
			missing = cmp.Or(missing, d.End)
			p.omit(l.Name, missing)
			p.addData(l.cells[0], missing)
			return false
		}
		p.addPercentiles(l, d, unit)
		if low == 0 || d.N < low {
			low = d.N
		}
		high = max(high, d.N)
		ended = ended || d.End == "among failures"
		return true
	})
	if len(spec.Lines) == 0 {
		return Drawing{Missing: "no cell has a distribution of latencies: " + strings.Join(p.described, "; ")}
	}
	tail, _ := record.LookupMetric("latency.p99")
	repetitions := cellview.Origin{Measured: 1, Low: low, High: high}.Repetitions()
	p.say("Line: all answers of "+repetitions+", up to the last percentile with ten requests beyond it.",
		"Band: 95\u202f% interval of the same percentile over the repetitions, where all of them reach it.")
	p.say(cellview.HollowWords(p.Cells)...)
	if ended {
		p.say("A line ends where all slower requests failed.")
	}
	return p.drawing(spec, rangeTitle(p.Cells, tail, fields, "Latency by percentile"),
		p.description("Curves of latency by percentile"),
		Drawing{Sub: "Latency by percentile", Metrics: cellview.MetricsNamed("latency.p50"), Fields: fields})
}

// addPercentiles puts the percentiles of a cell on its line, and into words and data.
func (a *account) addPercentiles(l *line, d dataset.Percentiles, unit wording.Unit) {
	var named []string
	var readings []wording.Figure
	for _, q := range d.Points {
		if _, ok := namedPercentiles[percentKey(q.Percent)]; ok {
			readings = append(readings, pooledReading(q))
		}
	}
	column := unit.Column(readings...)
	for _, q := range d.Points {
		point, words := percentilePoint(l.Name, d, q, column)
		l.Plain = true
		if words != "" {
			named = append(named, words)
		}
		l.Points = append(l.Points, point)
		lo, hi := math.NaN(), math.NaN()
		if q.Estimate.N > 1 {
			lo, hi = q.Estimate.Interval.Lo, q.Estimate.Interval.Hi
		}
		a.addData(l.cells[0], "", q.Percent, q.Pooled, lo, hi, d.N, d.Attempts)
	}
	a.described = append(a.described, l.Name+": "+strings.Join(named, ", "))
}

// pooledReading is a percentile of all answers as its digits are chosen by.
func pooledReading(q dataset.PercentilePoint) wording.Figure {
	return wording.Figure{Value: q.Pooled, Lo: q.Estimate.Interval.Lo, Hi: q.Estimate.Interval.Hi,
		Step: q.Pooled * stats.MinResolution}
}

// percentilePoint is a percentile on the curve of a name; words are set for a named one.
func percentilePoint(name string, d dataset.Percentiles, q dataset.PercentilePoint,
	column wording.Column) (point figure.Mark, words string) {
	point = figure.At(q.Percent, q.Pooled/column.Scale)
	lo, hi := q.Estimate.Interval.Lo, q.Estimate.Interval.Hi
	if q.Estimate.N > 1 {
		// The pooled percentile may lie outside of what single repetitions have;
		// docs/method.md#across-repetitions marks such cells.
		point.YLo, point.YHi = min(lo, q.Pooled)/column.Scale, max(hi, q.Pooled)/column.Scale
	}
	if percentile, ok := namedPercentiles[percentKey(q.Percent)]; ok {
		words = percentile + " " + column.Quantity(q.Pooled, column.Decimals(pooledReading(q)))
		point.Title = name + ": " + words + ", of " + wording.Count(int(d.Attempts), "request") + " in " +
			wording.Count(d.N, "repetition")
	}
	return point, words
}

// namedPercentiles are those that words are made of.
var namedPercentiles = map[string]string{"50": "median", "90": "p90", "99": "p99", "99.9": "p99.9", "99.99": "p99.99",
	"99.999": "p99.999"}

// percentKey writes a percentage without what rounding left of it.
func percentKey(percent float64) string {
	return wording.Plain.ExactNumber(math.Round(percent*1e6) / 1e6)
}

// timeline draws what went on within repetitions, second by second: each of them thin, the median of each second bold.
func (p *Panel) timeline() Drawing {
	if len(p.Block.Y) != 1 {
		return Drawing{Missing: "y of a timeline must be one metric, throughput or latency.mean"}
	}
	metric := p.Block.Y[0].Value
	lines, fields := p.cellLines()
	p.newData("repetition", "second", "metric", "unit", "value")
	p.say("Bold: the median of each second. Thin: one repetition each.")
	shown, all := secondsOf(p.Cells, metric)
	unit := wording.UnitFor(shown.Unit, false, all...)
	axis := "completions per second"
	if shown.Unit == "s" {
		axis = "mean latency of a second's answers, " + unit.Symbol
	}
	spec := figure.Spec{X: figure.Axis{Name: "second of the measured window"}, Y: axisOf(unit, shown.Unit, p.scale(article.YAxis, all))}
	spec.Y.Zero = p.Block.Zero
	spec.Lines = drawnLines(lines, func(l *line) bool { return p.addSeconds(l, metric, unit) })
	if len(spec.Lines) == 0 {
		return Drawing{Missing: "nothing was recorded by second: " + strings.Join(p.described, "; ")}
	}
	spec.Level = p.reference(unit, shown.Unit, spec.Y.Scale)
	p.say(cellview.HollowWords(p.Cells)...)
	if shown.Unit != "s" {
		p.say("Completions are answers of any kind, failed ones included.")
	}
	return p.drawing(spec, rangeTitle(p.Cells, shown, fields, shown.Title)+", within a run",
		p.description("Values over time within repetitions"),
		Drawing{Sub: wording.Capital(axis), Metrics: cellview.MetricsNamed(metric), Fields: fields})
}

// addSeconds puts the repetitions of a cell on its line, and into words and data. It reports whether there is a line.
func (a *account) addSeconds(l *line, metric string, unit wording.Unit) bool {
	cell := l.cells[0]
	s, missing := cell.Seconds(metric)
	if missing != "" {
		a.omit(l.Name, missing)
		a.addData(cell, missing, nil, nil, s.Metric.Name, s.Metric.Unit)
		return false
	}
	for k, values := range s.Values {
		var trace []figure.Mark
		for second, v := range values {
			a.addData(cell, "", s.Repetitions[k], second+1, s.Metric.Name, s.Metric.Unit, v)
			if !math.IsNaN(v) {
				trace = append(trace, figure.At(float64(second+1), v/unit.Scale))
			}
		}
		if len(s.Values) > 1 {
			l.Traces = append(l.Traces, trace)
		}
	}
	var ends []string
	l.Plain = true
	l.Points, ends = secondPoints(l.Name, s.Values, unit)
	if !slices.ContainsFunc(l.Points, isPoint) {
		a.notes = append(a.notes, "not drawn: "+l.Name+": no answers")
		return false
	}
	a.described = append(a.described,
		l.Name+": "+strings.Join(ends, ", ")+", median of "+wording.Count(len(s.Values), "repetition"))
	return true
}

// secondsOf returns the value of each second of each repetition of cells, seconds without answers left out.
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

// secondPoints are the medians of each second over repetitions, and the first and the last of them in words.
func secondPoints(name string, repetitions [][]float64, unit wording.Unit) (points []figure.Mark, ends []string) {
	medians := mediansBySecond(repetitions)
	step := 1 + (len(medians)-1)/mostHits
	for second, v := range medians {
		point := figure.At(float64(second+1), v/unit.Scale)
		point.Gap = math.IsNaN(v)
		words := unit.Alone(v)
		if point.Gap {
			words = "no answers"
		}
		if second%step == 0 {
			point.Title = fmt.Sprintf("%s, second %d: %s, median of %s", name, second+1, words,
				wording.Count(len(repetitions), "repetition"))
		}
		if second == 0 || second == len(medians)-1 {
			ends = append(ends, fmt.Sprintf("%s in second %d", words, second+1))
		}
		points = append(points, point)
	}
	return points, ends
}

// mostHits is how many points of a line can be reached by the keyboard, one after the other.
const mostHits = 20

// mediansBySecond is the median over repetitions of each second that most of them have; NaN for one without any value.
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
