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
	fields = slices.DeleteFunc(fields, func(f string) bool { return f == m.Name })
	series, dashed := p.paint(lines)
	var values, candidates []float64
	for _, cell := range p.All {
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
		return Drawing{Missing: "no search for " + name + " has been recorded yet"}
	}
	unit := number.For(m.Unit, m.Share, values...)
	axis := cellview.QuantityWords(m, unit)
	f := figure.Curves{Dots: true, X: figure.Axis{Name: name, Ticks: candidates}, Y: figure.Axis{Name: axis, Unit: unit.Scale, Zero: p.Block.Zero.V}}
	var howTo, more []string
	f.X.Scale, howTo = p.log(article.XAxis, candidates...)
	f.Y.Scale, more = p.log(article.YAxis, values...)
	howTo = append(howTo, more...)
	if len(p.All) > len(p.Cells) {
		f.Y.Also = values
	}
	told := p.told()
	data := datafile.NewTable(told, name, "metric", "unit", "probe", "value", "invalid", "chosen", "missing", "state")
	var described []string
	for i, l := range lines {
		cell := l.cells[0]
		s := cell.Search(name)
		if s == nil {
			f.Notes = append(f.Notes, "not drawn: "+l.name+": not searched yet")
			described = append(described, l.name+": not searched yet")
			data.Add(cellview.FieldsOf(cell, told), nil, m.Name, m.Unit, nil, nil, "", nil, "not searched yet", cellview.StateOf(cell))
			continue
		}
		c := figure.Curve{Name: l.name, Series: series[i], Dash: dashed[i]}
		for _, candidate := range s.Candidates() {
			probes := probesOf(candidate, m.Name, s)
			for k, probe := range candidate.Probes {
				data.Add(cellview.FieldsOf(cell, told), candidate.Value, m.Name, m.Unit, k+1, probeValue(probe, m.Name, s), probe.WhyNot(),
					candidate.Value == float64(s.Chosen), "", cellview.StateOf(cell))
			}
			at := name + " " + number.Plain.Exact(candidate.Value)
			point := figure.CurvePoint{Point: figure.Point{X: candidate.Value, YLo: math.NaN(), YHi: math.NaN()}}
			if len(probes) == 0 {
				point.Gap = true
				point.Failed = slices.ContainsFunc(candidate.Probes, func(q record.Probe) bool { return q.Failure != "" })
				point.Title = l.name + ", " + at + ": no valid probe"
				if slices.ContainsFunc(candidate.Probes, func(q record.Probe) bool { return q.WhyNot() == "" }) {
					point.Title += " has a value of " + wording.Lower(m.Title)
				}
				f.Notes = append(f.Notes, "gap at "+point.Title)
				c.Points = append(c.Points, point)
				continue
			}
			point.Y = stats.Median(probes)
			if len(probes) > 1 {
				point.YLo, point.YHi = slices.Min(probes), slices.Max(probes)
			}
			point.Title = fmt.Sprintf("%s, %s: %s, median of %s", l.name, at, unit.Quantity(point.Y, unit.Decimals(point.Y, math.NaN(), math.NaN())),
				number.Count(len(probes), "probe"))
			if candidate.Value == float64(s.Chosen) {
				c.Chosen = &figure.Choice{At: len(c.Points), Label: "chosen: " + number.Plain.Exact(candidate.Value)}
				point.Title += "; chosen"
			}
			c.Points = append(c.Points, point)
		}
		described = append(described, l.name+": "+searchWords(s))
		if !slices.ContainsFunc(c.Points, func(q figure.CurvePoint) bool { return !q.Gap }) {
			f.Notes = append(f.Notes, "not drawn: "+l.name+": "+searchWords(s))
			continue
		}
		f.Curves = append(f.Curves, c)
	}
	if len(f.Curves) > maxChoicesNamed { // a ring tells which, and the title of its point too
		for i := range f.Curves {
			if chosen := f.Curves[i].Chosen; chosen != nil {
				chosen.Label = ""
			}
		}
	}
	if len(f.Curves) == 0 {
		return Drawing{Missing: "nothing that the search for " + name + " tried can be drawn: " + strings.Join(described, "; ")}
	}
	f.Head = p.head(m.Title+" by "+name, "What the search for "+name+" tried: "+strings.Join(described, "; ")+".")
	howTo = append([]string{"Point: median of the probes of a candidate; band: from the smallest to the largest. Ring: chosen, the smallest that is as good as the best. " +
		"Probes are short; the chosen value is measured afresh."}, append(howTo, cellview.HollowWords(p.Cells)...)...)
	return Drawing{Figure: f, Sub: "What the search for " + name + " tried: " + cellview.Quantity{Metric: m, Unit: unit, Axis: axis}.Subject(), HowTo: howTo,
		Metrics: cellview.MetricsNamed(m.Name), Fields: fields, Data: data}
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
	objective := ""
	order := slices.Clone(p.Cells)
	found := func(cell *dataset.Cell) float64 {
		if s := cell.Search(""); s != nil && s.Reason == "" {
			return s.Lo
		}
		return -1
	}
	slices.SortStableFunc(order, func(a, b *dataset.Cell) int { return cmp.Compare(found(b), found(a)) })
	for _, cell := range p.All {
		if s := cell.Search(""); s != nil && len(p.All) > len(p.Cells) {
			for _, q := range s.Probes {
				f.Also = append(f.Also, q.Candidate)
			}
		}
	}
	var described []string
	some, tried := false, false
	for _, cell := range order {
		name := cellview.NameBy(cell, fields)
		row := figure.Row{Name: name, Series: 1, Lo: math.NaN(), Hi: math.NaN(), Published: math.NaN()}
		if len(f.Series) > 0 {
			value, _ := cellview.Field(cell, p.Block.Colour.Value)
			row.Series = 1 + slices.Index(f.Series, value)
		}
		s := cell.Search("")
		switch {
		case s == nil:
			row.Missing = wording.NotMeasured
			if cell.Trial.Unavailable != "" {
				row.Missing = "unavailable: " + cell.Trial.Unavailable
			}
			row.Title = name + ": " + row.Missing
		case s.Reason != "" || s.Lo == 0:
			row.Missing = searchWords(s)
			row.Failed = s.Reason == ""
			row.Title = name + ": " + row.Missing
		default:
			row.Value, row.Lo, row.Hi = s.Lo, s.Lo, s.Hi
			if s.Hi == 0 {
				row.Hi, row.AtLeast = math.Inf(1), true
			}
			row.Label = perSecond.Number(s.Lo, perSecond.Decimals(s.Lo, row.Lo, row.Hi))
			row.Label = cellview.WithState(row.Label, cell)
			row.Title = cellview.WithState(name+": "+searchWords(s)+"; "+number.Count(len(s.Probes), "probe"), cell)
			some = true
		}
		if s != nil {
			objective = s.Objective
			for k, q := range s.Probes {
				data.Add(cellview.FieldsOf(cell, told), k+1, q.Candidate, q.Phase, q.Passed, q.WhyNot(), row.Missing, cellview.StateOf(cell))
				if q.WhyNot() == "" && row.Missing == "" && q.Candidate > 0 { // the axis has no place for none
					row.Probes = append(row.Probes, figure.Probe{Value: q.Candidate, Met: q.Passed})
				}
			}
		}
		if s == nil || len(s.Probes) == 0 {
			data.Add(cellview.FieldsOf(cell, told), nil, nil, nil, nil, "", row.Missing, cellview.StateOf(cell))
		}
		tried = tried || s != nil && len(s.Probes) > 0
		described = append(described, row.Title)
		f.Rows = append(f.Rows, row)
	}
	if !some && !tried {
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
