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

// maxChoicesNamed is how many curves may have their chosen values written beside them; of more the words would hide the curves.
const maxChoicesNamed = 4

// tuningChart is a figure of tuning in the making.
type tuningChart struct {
	*Panel
	figure.Curves
	name      string // of the setting
	metric    record.Metric
	unit      number.Unit
	told      []string // fields by which the data tell cells apart
	data      *datafile.Table
	described []string
}

// tuning draws what searches for a value tried: the median of the probes of each candidate, and the one that was chosen.
func (p *Panel) tuning() Drawing {
	name := strings.TrimPrefix(p.Block.X.Value, "tune.")
	if len(p.Block.Y) != 1 {
		return Drawing{Missing: "y of a figure of tuning is one metric"}
	}
	m, known := cellview.MetricOf(p.Block.Y[0].Value, p.Cells)
	if !known {
		return Drawing{Missing: fmt.Sprintf("%q is a parameter; y of a figure of tuning is a metric", p.Block.Y[0].Value)}
	}
	lines, fields := p.cellLines()
	series, dashed := p.paint(lines)
	candidates, values := p.tried(name, m.Name)
	if len(values) == 0 {
		return Drawing{Missing: "no search for " + name + " has been recorded yet"}
	}
	t := tuningChart{Panel: p, name: name, metric: m, unit: number.For(m.Unit, m.Share, values...), told: p.told()}
	t.data = datafile.NewTable(t.told, name, "metric", "unit", "probe", "value", "invalid", "chosen", "missing", "state")
	axis := cellview.QuantityWords(m, t.unit)
	t.Curves = figure.Curves{Dots: true, X: figure.Axis{Name: name, Ticks: candidates}, Y: figure.Axis{Name: axis, Unit: t.unit.Scale, Zero: p.Block.Zero.V}}
	var howTo, more []string
	t.X.Scale, howTo = p.log(article.XAxis, candidates...)
	t.Y.Scale, more = p.log(article.YAxis, values...)
	howTo = append(howTo, more...)
	if len(p.All) > len(p.Cells) {
		t.Y.Also = values
	}
	for i, l := range lines {
		t.addLine(l, figure.Curve{Name: l.name, Series: series[i], Dash: dashed[i]})
	}
	if len(t.Curves.Curves) == 0 {
		return Drawing{Missing: "nothing that the search for " + name + " tried can be drawn: " + strings.Join(t.described, "; ")}
	}
	if len(t.Curves.Curves) > maxChoicesNamed { // a ring tells which, and the title of its point too
		for _, c := range t.Curves.Curves {
			if c.Chosen != nil {
				c.Chosen.Label = ""
			}
		}
	}
	t.Head = p.head(m.Title+" by "+name, "What the search for "+name+" tried: "+strings.Join(t.described, "; ")+".")
	howTo = append([]string{"Point: median of the probes of a candidate; band: from the smallest to the largest. Ring: chosen, the smallest that is as good as the best. " +
		"Probes are short; the chosen value is measured afresh."}, append(howTo, cellview.HollowWords(p.Cells)...)...)
	return Drawing{Figure: t.Curves, HowTo: howTo, Metrics: cellview.MetricsNamed(m.Name), Data: t.data,
		Sub:    "What the search for " + name + " tried: " + cellview.Quantity{Metric: m, Unit: t.unit, Axis: axis}.Subject(),
		Fields: slices.DeleteFunc(fields, func(f string) bool { return f == m.Name })}
}

// tried are the candidates of all searches for a setting, and the medians of a metric of those that have any.
func (p *Panel) tried(name, metric string) (candidates, medians []float64) {
	for _, cell := range p.All {
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

// addLine adds the curve of a cell.
func (t *tuningChart) addLine(l line, c figure.Curve) {
	cell := l.cells[0]
	s := cell.Search(t.name)
	if s == nil {
		const words = "not searched yet"
		t.Notes = append(t.Notes, "not drawn: "+l.name+": "+words)
		t.described = append(t.described, l.name+": "+words)
		t.data.Add(cellview.FieldsOf(cell, t.told), nil, t.metric.Name, t.metric.Unit, nil, nil, "", nil, words, cellview.StateOf(cell))
		return
	}
	for _, candidate := range s.Candidates() {
		isChosen := candidate.Value == float64(s.Chosen)
		for k, probe := range candidate.Probes {
			t.data.Add(cellview.FieldsOf(cell, t.told), candidate.Value, t.metric.Name, t.metric.Unit, k+1, probeValue(probe, t.metric.Name, s),
				probe.WhyNot(), isChosen, "", cellview.StateOf(cell))
		}
		point := t.point(l.name, candidate, s)
		if point.Gap {
			t.Notes = append(t.Notes, "gap at "+point.Title)
		} else if isChosen {
			c.Chosen = &figure.Choice{At: len(c.Points), Label: "chosen: " + number.Plain.Exact(candidate.Value)}
			point.Title += "; chosen"
		}
		c.Points = append(c.Points, point)
	}
	t.described = append(t.described, l.name+": "+searchWords(s))
	if !slices.ContainsFunc(c.Points, func(q figure.CurvePoint) bool { return !q.Gap }) {
		t.Notes = append(t.Notes, "not drawn: "+l.name+": "+searchWords(s))
		return
	}
	t.Curves.Curves = append(t.Curves.Curves, c)
}

// point is a candidate on the curve of a name.
func (t *tuningChart) point(name string, candidate record.Candidate, s *record.Search) figure.CurvePoint {
	at := t.name + " " + number.Plain.Exact(candidate.Value)
	point := figure.CurvePoint{Point: figure.Point{X: candidate.Value, YLo: math.NaN(), YHi: math.NaN()}}
	probes := probesOf(candidate, t.metric.Name, s)
	if len(probes) == 0 {
		point.Gap = true
		point.Failed = slices.ContainsFunc(candidate.Probes, func(q record.Probe) bool { return q.Failure != "" })
		point.Title = name + ", " + at + ": no valid probe"
		if slices.ContainsFunc(candidate.Probes, func(q record.Probe) bool { return q.WhyNot() == "" }) {
			point.Title += " has a value of " + wording.Lower(t.metric.Title)
		}
		return point
	}
	point.Y = stats.Median(probes)
	if len(probes) > 1 {
		point.YLo, point.YHi = slices.Min(probes), slices.Max(probes)
	}
	point.Title = fmt.Sprintf("%s, %s: %s, median of %s", name, at, t.unit.Quantity(point.Y, t.unit.Decimals(point.Y, math.NaN(), math.NaN())),
		number.Count(len(probes), "probe"))
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
var perSecond = number.Unit{Symbol: "/s", Scale: 1}

// searchWords say what a search came to.
func searchWords(s *record.Search) string {
	switch {
	case s.Reason != "":
		return "nothing found: " + s.Reason
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
		words += ", which is " + timesWords(s.Matters) + " of the worst"
	}
	return words
}

// capacity draws what searches for the highest rate tried, and the bounds that they found.
func (p *Panel) capacity() Drawing {
	f := figure.Probes{Unit: 1, Axis: "requests per second", Scale: figure.Log}
	f.Series = p.series()
	fields := cellview.Naming(p.Cells, article.Texts(p.Block.Y))
	told := p.told()
	data := datafile.NewTable(told, "probe", "rate", "phase", "met", "invalid", "missing", "state")
	if len(p.All) > len(p.Cells) {
		for _, cell := range p.All {
			if s := cell.Search(""); s != nil {
				for _, q := range s.Probes {
					f.Also = append(f.Also, q.Candidate)
				}
			}
		}
	}
	objective, tried := "", false
	var described []string
	for _, cell := range byCapacity(p.Cells) {
		row := capacityRow(cellview.NameBy(cell, fields), cell)
		if len(f.Series) > 0 {
			value, _ := cellview.Field(cell, p.Block.Colour.Value)
			row.Series = 1 + slices.Index(f.Series, value)
		}
		s := cell.Search("")
		if s != nil {
			objective = s.Objective
			for k, q := range s.Probes {
				data.Add(cellview.FieldsOf(cell, told), k+1, q.Candidate, q.Phase, q.Passed, q.WhyNot(), row.Missing, cellview.StateOf(cell))
			}
		}
		if s == nil || len(s.Probes) == 0 {
			data.Add(cellview.FieldsOf(cell, told), nil, nil, nil, nil, "", row.Missing, cellview.StateOf(cell))
		} else {
			tried = true
		}
		described = append(described, row.Title)
		f.Rows = append(f.Rows, row)
	}
	if !tried && !slices.ContainsFunc(f.Rows, func(r figure.Row) bool { return r.Missing == "" }) {
		return Drawing{Missing: "no search for a capacity has been recorded yet"}
	}
	f.Head = p.head("Capacity by "+wording.List(fields), "Searches for the highest rate that meets the objective: "+strings.Join(described, "; ")+".")
	sub := "Highest rate that still meets the objective, requests per second"
	if objective != "" {
		sub = "Highest rate at which " + objective + ", requests per second"
	}
	howTo := []string{"Small mark: a rate that was tried, filled where it met the objective and open where it did not. Box: from the highest rate that was " +
		"confirmed to the lowest that was refuted."}
	return Drawing{Figure: f, Sub: sub, HowTo: howTo, Metrics: cellview.MetricsNamed("capacity.rate"), Fields: fields, Data: data}
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

// capacityRow is what the search of a cell found and tried.
func capacityRow(name string, cell *dataset.Cell) figure.Row {
	row := figure.Row{Name: name, Series: 1, Lo: math.NaN(), Hi: math.NaN(), Published: math.NaN()}
	s := cell.Search("")
	switch {
	case s == nil && cell.Trial.Unavailable != "":
		row.Missing = "unavailable: " + cell.Trial.Unavailable
	case s == nil:
		row.Missing = wording.NotMeasured
	case s.Reason != "" || s.Lo == 0:
		row.Missing, row.Failed = searchWords(s), s.Reason == ""
	}
	if row.Missing != "" {
		row.Title = name + ": " + row.Missing
		return row
	}
	row.Value, row.Lo, row.Hi = s.Lo, s.Lo, s.Hi
	if s.Hi == 0 {
		row.Hi, row.AtLeast = math.Inf(1), true
	}
	row.Label = cellview.WithState(perSecond.Number(s.Lo, perSecond.Decimals(s.Lo, row.Lo, row.Hi)), cell)
	row.Title = cellview.WithState(name+": "+searchWords(s)+"; "+number.Count(len(s.Probes), "probe"), cell)
	for _, q := range s.Probes {
		if q.WhyNot() == "" && q.Candidate > 0 { // the axis has no place for none
			row.Probes = append(row.Probes, figure.Probe{Value: q.Candidate, Met: q.Passed})
		}
	}
	return row
}
