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
	"benchbook/render/figure"

	"benchbook/render/wording"
)

// tuningChart is a figure of tuning in the making.
type tuningChart struct {
	*Panel
	name   string // of the setting
	metric record.Metric
	unit   wording.Unit
}

// tuning draws what searches for a value tried: the median of the probes of each candidate, and the one that was
// chosen.
func (p *Panel) tuning() Drawing {
	name := strings.TrimPrefix(p.Block.X.Value, "tune.")
	if len(p.Block.Y) != 1 {
		return Drawing{Missing: "y of a tuning figure must be one metric"}
	}
	m, missing := p.metric("y", p.Block.Y[0].Value)
	if missing != "" {
		return Drawing{Missing: missing}
	}
	lines, fields := p.cellLines()
	candidates, values := tried(p.Cells, name, m.Name)
	if len(values) == 0 {
		return Drawing{Missing: "no search for " + name + " has been recorded yet"}
	}
	t := tuningChart{Panel: p, name: name, metric: m, unit: wording.UnitFor(m.Unit, m.Share, values...)}
	p.newData(name, "metric", "unit", "probe", "value", "invalid", "chosen")
	p.say("Point: median of the probes of a candidate; stroke: from the smallest to the largest. Large open mark: chosen, " +
		"the smallest that is as good as the best. Probes are short; the chosen value is then measured in full.")
	q := cellview.Quantity{Metric: m, Unit: t.unit.Column(), Axis: cellview.QuantityWords(m, t.unit)}
	spec := figure.Spec{X: figure.Axis{Name: name, Ticks: candidates, Scale: p.scale(article.XAxis, candidates)},
		Y: axisOf(t.unit, m.Unit, p.scale(article.YAxis, values))}
	spec.Y.Zero = p.Block.Zero
	spec.Lines = drawnLines(lines, t.addPoints)
	if len(spec.Lines) == 0 {
		return Drawing{Missing: "no attempt of the search for " + name + " can be drawn: " + strings.Join(p.described, "; ")}
	}
	chosen, _ := record.LookupMetric("tune." + name)
	p.say(cellview.HollowWords(p.Cells)...)
	return p.drawing(spec, rangeTitle(p.Cells, chosen, fields, m.Title+" by "+name),
		p.description("What the search for "+name+" tried"), Drawing{Sub: wording.Capital(q.Axis) + ", as the search for " + name + " found them",
			Metrics: cellview.MetricsNamed(m.Name), Fields: slices.DeleteFunc(fields, func(f string) bool { return f == m.Name })})
}

// tried are the candidates of all searches for a setting, and the medians of a metric of those that have any.
func tried(cells []*dataset.Cell, name, metric string) (candidates, medians []float64) {
	for _, cell := range cells {
		s := cell.Search(name)
		if s == nil {
			continue
		}
		for _, c := range s.Candidates() {
			candidates = append(candidates, c.Value)
			if v := probesOf(c, metric, s); len(v) > 0 {
				medians = append(medians, stats.Median(v))
			}
		}
	}
	return candidates, medians
}

// addPoints puts the candidates of a cell on its line, and into words and data. It reports whether there is a line.
func (t *tuningChart) addPoints(l *line) bool {
	cell := l.cells[0]
	s := cell.Search(t.name)
	if s == nil {
		const words = "not searched yet"
		t.omit(l.Name, words)
		t.addData(cell, words, nil, t.metric.Name, t.metric.Unit, nil, nil, "")
		return false
	}
	for _, candidate := range s.Candidates() {
		isChosen := candidate.Value == float64(s.Chosen)
		for k, probe := range candidate.Probes {
			t.addData(cell, "", candidate.Value, t.metric.Name, t.metric.Unit, k+1, probeValue(probe, t.metric.Name, s),
				probe.WhyNot(), isChosen)
		}
		point := t.point(l.Name, candidate, s)
		if point.Gap {
			t.notes = append(t.notes, "gap at "+point.Title)
		} else if isChosen {
			l.Chosen = len(l.Points) + 1
			point.Title += "; chosen"
		}
		l.Points = append(l.Points, point)
	}
	if !slices.ContainsFunc(l.Points, isPoint) {
		t.omit(l.Name, searchWords(s))
		return false
	}
	t.described = append(t.described, l.Name+": "+searchWords(s))
	return true
}

// point is a candidate on the curve of a name.
func (t *tuningChart) point(name string, candidate record.Candidate, s *record.Search) figure.Mark {
	at := dataset.Setting(t.name, wording.Plain.Exact(candidate.Value))
	point := figure.At(candidate.Value, 0)
	probes := probesOf(candidate, t.metric.Name, s)
	if len(probes) == 0 {
		point.Gap = true
		point.Failed = slices.ContainsFunc(candidate.Probes, func(q record.Probe) bool { return q.Failure != "" })
		point.Title = name + ", " + at + ": no valid probe"
		if slices.ContainsFunc(candidate.Probes, func(q record.Probe) bool { return q.WhyNot() == "" }) {
			point.Title += " has a value for " + wording.Lower(t.metric.Title)
		}
		return point
	}
	median := stats.Median(probes)
	point.Y = median / t.unit.Scale
	if len(probes) > 1 {
		point.YLo, point.YHi = slices.Min(probes)/t.unit.Scale, slices.Max(probes)/t.unit.Scale
	}
	point.Title = name + ", " + at + ": " + t.unit.Alone(median)
	return point
}

// probesOf are the values that the probes of a candidate have of a metric, the valid ones.
func probesOf(c record.Candidate, metric string, s *record.Search) []float64 {
	var out []float64
	for _, p := range c.Probes {
		if v := probeValue(p, metric, s); v != nil && p.WhyNot() == "" {
			out = append(out, v.(float64))
		}
	}
	return out
}

// probeValue is what a probe has of a metric; nil for nothing.
func probeValue(p record.Probe, metric string, s *record.Search) any {
	if metric == s.Metric && p.Has(metric) {
		return p.Value
	}
	for _, sample := range p.Samples {
		if sample.Metric == metric {
			return sample.Value
		}
	}
	return nil
}

// perSecond is the unit of rates.
var perSecond = wording.Unit{Symbol: "/s", Scale: 1}

// searchWords say what a search came to.
func searchWords(s *record.Search) string {
	switch {
	case s.Reason != "":
		return "no value found: " + s.Reason
	case s.Kind == record.SearchCapacity:
		hi := s.Hi
		if hi == 0 {
			hi = math.Inf(1) // the highest rate that may be tried was met
		}
		return perSecond.Capacity(s.Lo, hi)
	}
	if s.Stop == record.StopOnly {
		return fmt.Sprintf("%d, the only one allowed", s.Chosen)
	}
	words := fmt.Sprintf("chosen %d", s.Chosen)
	if s.Matters > 0 {
		words += ", which is " + wording.Times.Alone(s.Matters) + " of the worst"
	}
	return words
}

// capacity draws what searches for the highest rate tried, and the bounds that they found.
func (p *Panel) capacity() Drawing {
	fields := cellview.Naming(p.Cells, article.Texts(p.Block.Y))
	spec := figure.Spec{X: figure.Axis{Scale: figure.Log}, Key: keyOf(p.series(fields))}
	p.newData("probe", "rate", "phase", "met", "invalid")
	objective, tried := "", false
	for i, cell := range byCapacity(p.Cells) {
		row, marks := capacityRow(cellview.Name(cell, fields), cell, i, p.Palette.Cell(cell, p.by))
		if s := cell.Search(""); s != nil {
			objective, tried = s.Objective, tried || len(s.Probes) > 0
			for k, q := range s.Probes {
				p.addData(cell, row.Missing, k+1, q.Candidate, q.Phase, q.Passed, q.WhyNot())
			}
		}
		if s := cell.Search(""); s == nil || len(s.Probes) == 0 {
			p.addData(cell, row.Missing, nil, nil, nil, nil, "")
		}
		p.described = append(p.described, row.Title)
		spec.Rows, spec.Marks = append(spec.Rows, row), append(spec.Marks, marks...)
	}
	if !tried && len(spec.Marks) == 0 {
		return Drawing{Missing: "no search for a capacity has been recorded yet"}
	}
	rate, _ := record.LookupMetric("capacity.rate")
	sub := "Requests per second: the highest rate that meets the objective"
	if objective != "" {
		sub = "Requests per second: the highest rate at which " + objective
	}
	p.say("Large dot: the highest rate that met the objective. Bar: from there to the lowest that did not. Small dots: " +
		"the rates that were tried, open where they did not meet it.")
	return p.drawing(spec, rangeTitle(p.Cells, rate, fields, "Capacity by "+wording.List(fields)),
		p.description("Searches for the highest rate that meets the objective"),
		Drawing{Sub: sub, Metrics: cellview.MetricsNamed("capacity.rate"), Fields: fields})
}

// byCapacity orders cells by the rate that was found, the highest first.
func byCapacity(cells []*dataset.Cell) []*dataset.Cell {
	found := func(cell *dataset.Cell) float64 {
		if s := cell.Search(""); s != nil && s.Reason == "" {
			return s.Lo
		}
		return -1
	}
	order := slices.Clone(cells)
	slices.SortStableFunc(order, func(a, b *dataset.Cell) int { return cmp.Compare(found(b), found(a)) })
	return order
}

// capacityRow is what the search of a cell found, as the i-th row.
func capacityRow(name string, cell *dataset.Cell, i, series int) (row figure.Row, marks []figure.Mark) {
	row.Name = name
	s := cell.Search("")
	switch {
	case s == nil:
		row.Missing = wording.NotMeasured
	case s.Reason != "" || s.Lo == 0:
		row.Missing, row.Failed = searchWords(s), s.Reason == ""
	}
	if row.Missing != "" {
		row.Title = name + ": " + row.Missing
		return row, nil
	}
	mark := figure.At(s.Lo, float64(i))
	mark.Series, mark.AtLeast, mark.XLo, mark.XHi = series, s.Hi == 0, s.Lo, s.Hi
	mark.Hollow = cellview.StateOf(cell) != ""
	if mark.AtLeast {
		row.Value, mark.XLo, mark.XHi = "≥ ", math.NaN(), math.NaN()
	}
	row.Value += perSecond.Number(s.Lo, perSecond.Decimals(wording.Figure{Value: s.Lo, Lo: s.Lo, Hi: cmp.Or(s.Hi, math.Inf(1))}))
	row.Value = cellview.WithState(row.Value, cell)
	row.Title = cellview.WithState(name+": "+searchWords(s)+"; "+wording.Count(len(s.Probes), "probe"), cell)
	for _, q := range s.Probes {
		if q.WhyNot() == "" && q.Candidate > 0 { // records may be mistaken
			probe := figure.At(q.Candidate, float64(i))
			probe.Shape, probe.Series, probe.Hollow = figure.Small, series, !q.Passed
			marks = append(marks, probe)
		}
	}
	return row, append(marks, mark)
}
