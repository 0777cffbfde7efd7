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

// line is a curve in the making: the cells that agree in all but what stands on the axis.
type line struct {
	name  string
	cells []*dataset.Cell
	value string // of the parameter that gives colours
}

// linesOf divides cells by fields, in the order of the plan.
func (p *Panel) linesOf(fields []string) []line {
	var out []line
	var keys []string
	for _, cell := range p.Cells {
		var values []string
		for _, f := range fields {
			v, _ := cellview.Field(cell, f)
			values = append(values, v)
		}
		key := strings.Join(values, "\x00")
		i := slices.Index(keys, key)
		if i < 0 {
			i = len(out)
			keys = append(keys, key)
			colour, _ := cellview.Field(cell, p.Block.Colour.Value)
			out = append(out, line{name: strings.Join(slices.DeleteFunc(values, func(v string) bool { return v == "" }), " "), value: colour})
		}
		out[i].cells = append(out[i].cells, cell)
	}
	return out
}

// paint gives lines their colours: that of the parameter the author names, the second of one dashed; else each its own, or none
// if they are more than the palette has, as each is named at its end.
func (p *Panel) paint(lines []line) (series []int, dashed []bool) {
	colours := p.series()
	seen := map[int]int{}
	for i, l := range lines {
		colour := i + 1
		switch {
		case len(colours) > 0:
			colour = 1 + slices.Index(colours, l.value)
		case len(lines) > figure.MaxSeries:
			colour = 0
		}
		series = append(series, colour)
		dashed = append(dashed, seen[colour]%2 == 1)
		seen[colour]++
	}
	return series, dashed
}

// lineChart is a figure of lines in the making.
type lineChart struct {
	*Panel
	figure.Curves
	x         string // the parameter
	xUnit     number.Unit
	metrics   []record.Metric
	unit      number.Unit // of all metrics
	gaps, old []string    // points that are not there, and those of an older version
	described []string
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
	for _, cell := range p.All {
		q, ok := cellview.Numeric(cell, l.x)
		if !ok {
			value, _ := cellview.Field(cell, l.x)
			return Drawing{Missing: fmt.Sprintf("lines need an axis of numbers, and %s of %s is %q", l.x, cell.Trial.Name, value)}
		}
		values, base = append(values, q.Value), q.Unit.Dimension.Base()
	}
	q := cellview.QuantityOf(l.metrics[0], p.All)
	if len(l.metrics) > 1 {
		q.Axis = cmp.Or(q.Unit.Symbol, wording.Lower(q.Title))
	}
	names := cellview.NamesOf(l.metrics)
	centres := centresOf(p.All, names)
	if len(centres) == 0 {
		return Drawing{Missing: wording.Capital(wording.Lower(q.Title)) + ": " + cellview.Without(p.All, names...)}
	}
	l.xUnit, l.unit = number.For(base, false, values...), q.Unit
	l.Curves = figure.Curves{Dots: true, X: figure.Axis{Name: strings.TrimSuffix(l.x+", "+l.xUnit.Symbol, ", "), Unit: l.xUnit.Scale, Ticks: values},
		Y: figure.Axis{Name: q.Axis, Unit: q.Unit.Scale, Zero: p.Block.Zero.V}}
	var howTo, more []string
	l.X.Scale, howTo = p.log(article.XAxis, values...)
	l.Y.Scale, more = p.log(article.YAxis, centres...)
	howTo = append(howTo, more...)
	if len(p.All) > len(p.Cells) {
		l.Y.Also = centres
	}
	l.addLines()
	l.Reference, more = p.reference(q.Unit, l.metrics[0].Unit, l.Y.Scale)
	for _, gap := range l.gaps {
		l.Notes = append(l.Notes, "gap at "+gap)
	}
	l.Notes = append(l.Notes, l.old...)
	kinds := cellview.KindsOf(p.Cells, names...)
	l.Head = p.head(q.Title+" by "+l.x, "Lines with a point for each value of "+l.x+": "+strings.Join(l.described, "; ")+".")
	howTo = append(append(bandWords(kinds), append(howTo, more...)...), cellview.HollowWords(p.Cells)...)
	if len(l.gaps) > 0 {
		howTo = append(howTo, "A gap in a line, with the reason below, is what was not measured; hatched is what failed.")
	}
	return Drawing{Figure: l.Curves, Sub: kinds.Sub() + ": " + q.Subject(), HowTo: howTo, Metrics: l.metrics,
		Fields: cellview.Naming(p.Cells, append([]string{l.x}, p.lineFields(l.x)...))}
}

// lineMetrics are those that the lines are of, or the reason why they cannot be drawn on one axis.
func (p *Panel) lineMetrics() (metrics []record.Metric, missing string) {
	for _, name := range article.Texts(p.Block.Y) {
		m, known := cellview.MetricOf(name, p.Cells)
		if !known {
			return nil, fmt.Sprintf("%q is a parameter; y of a figure of lines is a metric", name)
		}
		if len(metrics) > 0 && m.Unit != metrics[0].Unit {
			return nil, fmt.Sprintf("%s and %s have different units; draw a figure of each", metrics[0].Name, m.Name)
		}
		metrics = append(metrics, m)
	}
	if len(metrics) == 0 {
		return nil, "y names no metric"
	}
	return metrics, ""
}

// centresOf are the estimates that there are of metrics of cells.
func centresOf(cells []*dataset.Cell, metrics []string) []float64 {
	var out []float64
	for _, cell := range cells {
		for _, m := range metrics {
			if r := cell.Metric(m); r.Missing == "" {
				out = append(out, r.Estimate.Centre)
			}
		}
	}
	return out
}

// addLines adds a curve for each line and metric.
func (l *lineChart) addLines() {
	lines := l.linesOf(l.lineFields(l.x))
	series, dashed := l.paint(lines)
	for i, line := range lines {
		slices.SortStableFunc(line.cells, func(a, b *dataset.Cell) int {
			x1, _ := cellview.Numeric(a, l.x)
			x2, _ := cellview.Numeric(b, l.x)
			return cmp.Compare(x1.Value, x2.Value)
		})
		for k, m := range l.metrics {
			name := line.name
			if len(l.metrics) > 1 || name == "" {
				name = strings.TrimSpace(name + " " + wording.Lower(m.Title))
			}
			c := figure.Curve{Name: name, Series: series[i], Dash: dashed[i]}
			switch {
			case len(l.metrics) > 1 && len(lines) == 1:
				c.Series, c.Dash = 1+k%figure.MaxSeries, k >= figure.MaxSeries
			case len(l.metrics) > 1:
				c.Dash = k%2 == 1
			}
			for _, cell := range line.cells {
				c.Points = append(c.Points, l.point(name, m, cell))
			}
			l.Curves.Curves = append(l.Curves.Curves, c)
		}
	}
}

// point is a metric of a cell on the curve of a name.
func (l *lineChart) point(name string, m record.Metric, cell *dataset.Cell) figure.CurvePoint {
	at, _ := cellview.Numeric(cell, l.x)
	where := fmt.Sprintf("%s, %s %s", name, l.x, l.xUnit.Quantity(at.Value, l.xUnit.Decimals(at.Value, math.NaN(), math.NaN())))
	r := cell.Metric(m.Name)
	title := where + ": " + cellview.Quantity{Metric: m, Unit: l.unit}.Words(r)
	point := figure.CurvePoint{Point: figure.Point{X: at.Value, Title: title}}
	if r.Missing != "" {
		point.Gap, point.Failed = true, cellview.HasFailed(r.Missing)
		l.gaps = append(l.gaps, title)
	} else {
		point.Y = r.Estimate.Centre
		point.YLo, point.YHi = cellview.Ends(r)
		if state := cellview.StateOf(cell); state != "" {
			point.Title, point.Hollow = cellview.WithState(title, cell), true
			l.old = append(l.old, state+": "+where)
		}
	}
	l.described = append(l.described, point.Title)
	return point
}

// bandWords say what bands around lines are.
func bandWords(k cellview.EstimateKinds) []string {
	switch {
	case k.Intervals:
		return []string{"Point: median. Band: 95\u202f% interval of the median over " + k.Repetitions() + "."}
	case k.Searched:
		return []string{"Point: what a search found. Band: where that may lie."}
	case k.TwoRuns:
		return []string{"Point: mean of two runs. Band: from the smaller to the larger."}
	case k.WithinRun:
		return []string{"Point: the value of a single run. Band: 95\u202f% interval within it, as if its requests were independent."}
	case k.OneRun:
		return []string{"Point: the value of a single run; nothing is known of how much it varies."}
	}
	return nil
}

// cellLines are lines of one cell each, with the fields that they are named by.
func (p *Panel) cellLines() ([]line, []string) {
	asked := slices.DeleteFunc(article.Texts(p.Block.Y), func(name string) bool {
		return !slices.ContainsFunc(p.Cells, func(cell *dataset.Cell) bool { _, ok := cellview.Field(cell, name); return ok })
	})
	fields := cellview.Naming(p.Cells, asked)
	var out []line
	for _, cell := range p.Cells {
		colour, _ := cellview.Field(cell, p.Block.Colour.Value)
		out = append(out, line{cellview.WithState(cellview.NameBy(cell, fields), cell), []*dataset.Cell{cell}, colour})
	}
	return out, fields
}

// told are the fields by which data files tell the cells of all panels apart, beside the one that they are faceted by.
func (p *Panel) told() []string {
	by := p.Block.Facet.Value
	asked := slices.DeleteFunc(append([]string{by}, article.Texts(p.Block.Y)...), func(name string) bool {
		return !slices.ContainsFunc(p.All, func(cell *dataset.Cell) bool { _, ok := cellview.Field(cell, name); return ok })
	})
	return slices.DeleteFunc(cellview.Naming(p.All, asked), func(name string) bool { return name == by })
}

// latency draws the distribution of latencies: percentiles on an axis on which each further nine takes the same room.
func (p *Panel) latency() Drawing {
	const family = "latency"
	lines, fields := p.cellLines()
	series, dashed := p.paint(lines)
	f := figure.Curves{
		X:     figure.Axis{Name: "percentile of requests; each further nine takes the same room", Scale: figure.Nines},
		Y:     figure.Axis{Scale: figure.Log},
		Drops: []figure.Reference{{Value: 50, Label: "median"}, {Value: 99, Label: "p99"}},
	}
	told := p.told()
	data := datafile.NewTable(told, "percentile", "seconds", "lo", "hi", "repetitions", "attempts", "missing", "state")
	var percents, pooled []float64
	found := map[*dataset.Cell]dataset.Percentiles{}
	for _, cell := range p.All {
		if d, missing := cell.Percentiles(family); missing == "" {
			found[cell] = d
			for _, q := range d.Points {
				percents, pooled = append(percents, q.Percent), append(pooled, q.Pooled)
			}
		}
	}
	unit := number.For("s", false, pooled...)
	f.Y.Name, f.Y.Unit = "latency, "+unit.Symbol, unit.Scale
	if len(p.All) > len(p.Cells) {
		f.X.Also, f.Y.Also = percents, pooled
	}
	var described []string
	var low, high int
	ended := false
	for i, l := range lines {
		cell := l.cells[0]
		of := cellview.FieldsOf(cell, told)
		d, ok := found[cell]
		if !ok {
			_, missing := cell.Percentiles(family)
			f.Notes = append(f.Notes, "not drawn: "+l.name+": "+missing)
			described = append(described, l.name+": "+missing)
			data.Add(of, nil, nil, nil, nil, nil, nil, missing, cellview.StateOf(cell))
			continue
		}
		c := figure.Curve{Name: l.name, Series: series[i], Dash: dashed[i]}
		var named []string
		for _, q := range d.Points {
			point, words := percentilePoint(l.name, d, q, unit)
			if words != "" {
				named = append(named, words)
			}
			c.Points = append(c.Points, point)
			lo, hi := q.Estimate.Interval.Lo, q.Estimate.Interval.Hi
			data.Add(of, q.Percent, q.Pooled, cellview.Bound(q.Estimate.N > 1, lo), cellview.Bound(q.Estimate.N > 1, hi), d.N, d.Attempts, "", cellview.StateOf(cell))
		}
		if len(c.Points) == 0 {
			f.Notes = append(f.Notes, "not drawn: "+l.name+": "+d.End)
			described = append(described, l.name+": "+d.End)
			data.Add(of, nil, nil, nil, nil, d.N, d.Attempts, d.End, cellview.StateOf(cell))
			continue
		}
		if low == 0 || d.N < low {
			low = d.N
		}
		high = max(high, d.N)
		ended = ended || d.End == "among failures"
		described = append(described, l.name+": "+strings.Join(named, ", "))
		f.Curves = append(f.Curves, c)
	}
	if len(f.Curves) == 0 {
		return Drawing{Missing: "no cell has a distribution of latencies: " + strings.Join(described, "; ")}
	}
	f.Head = p.head("Latency by percentile", "Curves of latency by percentile: "+strings.Join(described, "; ")+".")
	repetitions := cellview.Origin{Measured: 1, Low: low, High: high}.Repetitions()
	howTo := []string{"Line: the answers of " + repetitions + " together, up to the last percentile with ten requests beyond it.",
		"Band: 95\u202f% interval of the same percentile of single repetitions, as far as each of them has it."}
	howTo = append(howTo, cellview.HollowWords(p.Cells)...)
	if ended {
		howTo = append(howTo, "A line ends where the slower requests are those that failed.")
	}
	return Drawing{Figure: f, Sub: "Latency, " + unit.Symbol + ", on a log scale", HowTo: howTo, Metrics: cellview.MetricsNamed("latency.p50"), Fields: fields, Data: data}
}

// percentilePoint is a percentile on the curve of a name; words are those of one that is named.
func percentilePoint(name string, d dataset.Percentiles, q dataset.PercentilePoint, unit number.Unit) (point figure.CurvePoint, words string) {
	point = figure.CurvePoint{Point: figure.Point{X: q.Percent, Y: q.Pooled, YLo: math.NaN(), YHi: math.NaN()}}
	lo, hi := q.Estimate.Interval.Lo, q.Estimate.Interval.Hi
	if q.Estimate.N > 1 {
		// The pooled percentile may lie outside of what single repetitions have;
		// docs/method.md#across-repetitions marks such cells.
		point.YLo, point.YHi = min(lo, q.Pooled), max(hi, q.Pooled)
	}
	if percentile, ok := namedPercentiles[percentKey(q.Percent)]; ok {
		words = percentile + " " + unit.Quantity(q.Pooled, unit.Decimals(q.Pooled, lo, hi))
		point.Title = name + ": " + words + ", of " + number.Count(int(d.Attempts), "request") + " in " + number.Count(d.N, "repetition")
	}
	return point, words
}

// namedPercentiles are those that words are made of.
var namedPercentiles = map[string]string{"50": "median", "90": "p90", "99": "p99", "99.9": "p99.9", "99.99": "p99.99", "99.999": "p99.999"}

// percentKey writes a percentage without what rounding left of it.
func percentKey(percent float64) string {
	return number.Plain.ExactNumber(math.Round(percent*1e6) / 1e6)
}

// timeline draws what went on within repetitions, second by second: each of them thin, the median of each second bold.
func (p *Panel) timeline() Drawing {
	if len(p.Block.Y) != 1 {
		return Drawing{Missing: "y of a timeline is one metric, throughput or latency.mean"}
	}
	metric := p.Block.Y[0].Value
	lines, fields := p.cellLines()
	series, dashed := p.paint(lines)
	told := p.told()
	data := datafile.NewTable(told, "repetition", "second", "metric", "unit", "value", "missing", "state")
	shown, all, longest := p.seconds(metric)
	unit := number.For(shown.Unit, false, all...)
	axis := "completions per second"
	if shown.Unit == "s" {
		axis = "mean latency of a second's answers, " + unit.Symbol
	}
	f := figure.Curves{X: figure.Axis{Name: "second of the measured window"}, Y: figure.Axis{Name: axis, Unit: unit.Scale, Zero: p.Block.Zero.V}}
	var howTo []string
	f.Y.Scale, howTo = p.log(article.YAxis, all...)
	if len(p.All) > len(p.Cells) {
		f.Y.Also = all
		for second := range longest {
			f.X.Also = append(f.X.Also, float64(second+1))
		}
	}
	var described []string
	for i, l := range lines {
		cell := l.cells[0]
		s, missing := cell.Seconds(metric)
		if missing != "" {
			f.Notes = append(f.Notes, "not drawn: "+l.name+": "+missing)
			described = append(described, l.name+": "+missing)
			data.Add(cellview.FieldsOf(cell, told), nil, nil, s.Metric.Name, s.Metric.Unit, nil, missing, cellview.StateOf(cell))
			continue
		}
		c := figure.Curve{Name: l.name, Series: series[i], Dash: dashed[i]}
		for k, values := range s.Values {
			var trace []figure.Point
			for second, v := range values {
				data.Add(cellview.FieldsOf(cell, told), s.Repetitions[k], second+1, s.Metric.Name, s.Metric.Unit, cellview.Bound(true, v), "", cellview.StateOf(cell))
				if !math.IsNaN(v) {
					trace = append(trace, figure.Point{X: float64(second + 1), Y: v})
				}
			}
			if len(s.Values) > 1 {
				c.Traces = append(c.Traces, trace)
			}
		}
		var ends []string
		c.Points, ends = secondPoints(l.name, s.Values, unit)
		if !slices.ContainsFunc(c.Points, func(q figure.CurvePoint) bool { return !q.Gap }) {
			f.Notes = append(f.Notes, "not drawn: "+l.name+": no answers")
			continue
		}
		described = append(described, l.name+": "+strings.Join(ends, ", ")+", median of "+number.Count(len(s.Values), "repetition"))
		f.Curves = append(f.Curves, c)
	}
	if len(f.Curves) == 0 {
		return Drawing{Missing: "nothing was recorded by second: " + strings.Join(described, "; ")}
	}
	var notes []string
	f.Reference, notes = p.reference(unit, shown.Unit, f.Y.Scale)
	f.Head = p.head(shown.Title+" within a run", "Course within the repetitions: "+strings.Join(described, "; ")+".")
	howTo = append(append(append([]string{"Bold: the median of each second. Thin: one repetition each."}, howTo...), notes...), cellview.HollowWords(p.Cells)...)
	if shown.Unit != "s" {
		howTo = append(howTo, "Completions are answers of any kind, failed ones included.")
	}
	return Drawing{Figure: f, Sub: wording.Capital(axis), HowTo: howTo, Metrics: cellview.MetricsNamed(metric), Fields: fields, Data: data}
}

// seconds are all values that there are of a metric by the second, and the most seconds of a repetition.
func (p *Panel) seconds(metric string) (m record.Metric, values []float64, longest int) {
	for _, cell := range p.All {
		s, _ := cell.Seconds(metric)
		m = s.Metric
		for _, list := range s.Values {
			longest = max(longest, len(list))
			values = append(values, slices.DeleteFunc(slices.Clone(list), math.IsNaN)...)
		}
	}
	return m, values, longest
}

// secondPoints are the medians of each second over repetitions, and the first and the last of them in words.
func secondPoints(name string, repetitions [][]float64, unit number.Unit) (points []figure.CurvePoint, ends []string) {
	medians := mediansBySecond(repetitions)
	step := 1 + (len(medians)-1)/mostHits
	for second, v := range medians {
		point := figure.CurvePoint{Point: figure.Point{X: float64(second + 1), Y: v, YLo: math.NaN(), YHi: math.NaN()}, Gap: math.IsNaN(v)}
		words := unit.Quantity(v, unit.Decimals(v, math.NaN(), math.NaN()))
		if point.Gap {
			words = "no answers"
		}
		if second%step == 0 {
			point.Title = fmt.Sprintf("%s, second %d: %s, median of %s", name, second+1, words, number.Count(len(repetitions), "repetition"))
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
