package chart

import (
	"cmp"
	"fmt"
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

type tuningChart struct {
	*Panel
	name   string // of the tuned setting
	metric record.Metric
	unit   wording.Unit
}

// tuning draws the searches for a setting: the median of each candidate's probes, and the chosen candidate.
func (p *Panel) tuning() (missing string) {
	name := strings.TrimPrefix(p.Block.X.Value, "tune.")
	if len(p.Block.Y) != 1 {
		return "y of a tuning figure must be one metric"
	}
	m, _ := cellview.MetricOf(p.Block.Y[0].Value, p.Cells)
	var candidates, values []float64 // all tried, and the medians of those with valid probes
	for _, cell := range p.Cells {
		if s := cell.Search(name); s != nil {
			for _, c := range s.Candidates() {
				candidates = append(candidates, c.Value)
				if v := probesOf(c, m.Name, s); len(v) > 0 {
					values = append(values, stats.Median(v))
				}
			}
		}
	}
	if len(values) == 0 {
		return "no search for " + name + " has been recorded yet"
	}
	t := tuningChart{Panel: p, name: name, metric: m, unit: wording.UnitFor(m.Unit, m.Share, values...)}
	p.newData(name, "metric", "unit", "probe", "value", "invalid", "chosen")
	p.say("Point: median of the probes of a candidate; stroke: from the smallest to the largest. Large open mark: chosen, " +
		"the smallest that is as good as the best. Probes are short; the chosen value is then measured in full.")
	spec := figure.Spec{X: figure.Axis{Name: name, Ticks: candidates, Scale: p.scale(article.XAxis, candidates)},
		Y: axisOf(t.unit, m.Unit, p.scale(article.YAxis, values))}
	spec.Y.Zero = p.Block.Zero
	lines, fields := p.cellLines(t.addPoints)
	spec.Lines = lines
	if len(spec.Lines) == 0 {
		return "no attempt of the search for " + name + " can be drawn: " + strings.Join(p.described, "; ")
	}
	chosen, _ := record.LookupMetric("tune." + name)
	p.draw(spec, rangeTitle(p.Cells, chosen, fields, m.Title+" by "+name),
		wording.Capital(cellview.QuantityWords(m, t.unit))+", as the search for "+name+" found them",
		"What the search for "+name+" tried", fields, cellview.BuiltIn(m.Name)...)
	return ""
}

// addPoints adds the candidates of a cell to its line, the description and the data.
func (t *tuningChart) addPoints(l *line, cell *dataset.Cell) (missing string) {
	s := cell.Search(t.name)
	if s == nil {
		const words = "not searched yet"
		t.addData(cell, words, nil, t.metric.Name, t.metric.Unit, nil, nil, "")
		return words
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
	if !slices.ContainsFunc(l.Points, figure.Mark.IsDrawn) {
		return searchWords(s)
	}
	t.described = append(t.described, l.Name+": "+searchWords(s))
	return ""
}

// point returns the point of a candidate on a named line.
func (t *tuningChart) point(name string, candidate record.Candidate, s *record.Search) figure.Mark {
	point := figure.At(candidate.Value, 0)
	point.Title = name + ", " + dataset.Setting(t.name, wording.Plain.Exact(candidate.Value)) + ": "
	probes := probesOf(candidate, t.metric.Name, s)
	if len(probes) == 0 {
		point.Gap = true
		point.Failed = slices.ContainsFunc(candidate.Probes, func(q record.Probe) bool { return q.Failure != "" })
		point.Title += "no valid probe"
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
	point.Title += t.unit.Alone(median)
	return point
}

// probesOf returns the values of a metric in the valid probes of a candidate.
func probesOf(c record.Candidate, metric string, s *record.Search) []float64 {
	var out []float64
	for _, p := range c.Probes {
		if v := probeValue(p, metric, s); v != nil && p.WhyNot() == "" {
			out = append(out, v.(float64))
		}
	}
	return out
}

// probeValue returns the value of a metric in a probe, or nil.
func probeValue(p record.Probe, metric string, s *record.Search) any {
	if metric == s.Metric && p.Has(metric) {
		return p.Value
	}
	if sample, ok := slice.Find(p.Samples, func(sample record.Sample) bool { return sample.Metric == metric }); ok {
		return sample.Value
	}
	return nil
}

var perSecond = wording.Unit{Symbol: "/s", Scale: 1}

// searchWords writes the result of a search.
func searchWords(s *record.Search) string {
	switch {
	case s.Reason != "":
		return "no value found: " + s.Reason
	case s.Kind == record.SearchCapacity:
		hi := s.Hi
		if hi == 0 {
			hi = math.Inf(1) // even the highest rate allowed met the objective
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

// capacity draws the searches for the highest rate: their probes and the bounds they found.
func (p *Panel) capacity() (missing string) {
	fields := cellview.Naming(p.Cells, article.Texts(p.Block.Y))
	spec := figure.Spec{X: figure.Axis{Scale: figure.Log}, Key: p.key(fields)}
	p.newData("probe", "rate", "phase", "met", "invalid")
	found := func(cell *dataset.Cell) float64 {
		if s := cell.Search(""); s != nil && s.Reason == "" {
			return s.Lo
		}
		return -1
	}
	order := slices.Clone(p.Cells)
	slices.SortStableFunc(order, func(a, b *dataset.Cell) int { return cmp.Compare(found(b), found(a)) })
	objective, isTried := "", false
	for i, cell := range order {
		row, marks := p.capacityRow(cellview.Name(cell, fields), cell, i)
		var probes []record.Probe
		if s := cell.Search(""); s != nil {
			objective, probes = s.Objective, s.Probes
		}
		for k, q := range probes {
			p.addData(cell, row.Missing, k+1, q.Candidate, q.Phase, q.Passed, q.WhyNot())
		}
		if isTried = isTried || len(probes) > 0; len(probes) == 0 {
			p.addData(cell, row.Missing, nil, nil, nil, nil, "")
		}
		p.described = append(p.described, row.Title)
		spec.Rows, spec.Marks = append(spec.Rows, row), append(spec.Marks, marks...)
	}
	if !isTried && len(spec.Marks) == 0 {
		return "no search for a capacity has been recorded yet"
	}
	rate, _ := record.LookupMetric("capacity.rate")
	sub := "Requests per second: the highest rate that meets the objective"
	if objective != "" {
		sub = "Requests per second: the highest rate at which " + objective
	}
	p.say("Large dot: the highest rate that met the objective. Bar: from there to the lowest that did not. Small dots: " +
		"the rates that were tried, open where they did not meet it.")
	p.draw(spec, rangeTitle(p.Cells, rate, fields, "Capacity by "+phrase.List(fields)), sub,
		"Searches for the highest rate that meets the objective", fields, rate)
	return ""
}

// capacityRow returns the i-th row, with the result of a cell's search, and its marks.
func (p *Panel) capacityRow(name string, cell *dataset.Cell, i int) (row figure.Row, marks []figure.Mark) {
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
	mark.Series, mark.Hollow, mark.AtLeast = p.Palette.Cell(cell, p.by), cellview.StateOf(cell) != "", s.Hi == 0
	if mark.AtLeast {
		row.Value = "≥ "
	} else {
		mark.XLo, mark.XHi = s.Lo, s.Hi
	}
	row.Value += perSecond.Number(s.Lo, perSecond.Decimals(wording.Figure{Value: s.Lo, Lo: s.Lo, Hi: cmp.Or(s.Hi, math.Inf(1))}))
	row.Value = cellview.WithState(row.Value, cell)
	row.Title = cellview.WithState(name+": "+searchWords(s)+"; "+wording.Count(len(s.Probes), "probe"), cell)
	for _, q := range s.Probes {
		if q.WhyNot() == "" && q.Candidate > 0 { // a log axis has no zero, which a faulty record may have
			probe := figure.At(q.Candidate, float64(i))
			probe.Shape, probe.Series, probe.Hollow = figure.Small, mark.Series, !q.Passed
			marks = append(marks, probe)
		}
	}
	return row, append(marks, mark)
}
