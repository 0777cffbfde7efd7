package chart

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"benchbook/notebook/article"
	"benchbook/notebook/claim"
	"benchbook/notebook/dataset"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
	"benchbook/render/cellview"
	"benchbook/render/datafile"
	"benchbook/render/figure"
	"benchbook/render/number"
	"benchbook/render/wording"
)

// scatter draws cells between two metrics.
func (p *Panel) scatter() Drawing {
	if len(p.Block.Y) != 1 {
		return Drawing{Missing: "y of a figure of scatter is one metric"}
	}
	mx, okX := cellview.MetricOf(p.Block.X.Value, p.Cells)
	my, okY := cellview.MetricOf(p.Block.Y[0].Value, p.Cells)
	if !okX || !okY {
		return Drawing{Missing: "x and y of a figure of scatter are metrics"}
	}
	x, y := cellview.QuantityOf(mx, p.All), cellview.QuantityOf(my, p.All)
	f := figure.Scatter{X: figure.Axis{Name: x.Axis, Unit: x.Unit.Scale, Zero: p.Block.Zero.V}, Y: figure.Axis{Name: y.Axis, Unit: y.Unit.Scale, Zero: p.Block.Zero.V},
		Series: p.series()}
	var xs, ys []float64
	for _, cell := range p.All {
		if a, b := cell.Metric(mx.Name), cell.Metric(my.Name); a.Missing == "" && b.Missing == "" {
			xs, ys = append(xs, a.Estimate.Centre), append(ys, b.Estimate.Centre)
		}
	}
	var howTo, more []string
	f.X.Scale, howTo = p.log(article.XAxis, xs...)
	f.Y.Scale, more = p.log(article.YAxis, ys...)
	howTo = append(howTo, more...)
	if len(p.All) > len(p.Cells) {
		f.X.Also, f.Y.Also = xs, ys
	}
	fields := cellview.Naming(p.Cells, nil)
	var described []string
	for _, cell := range p.Cells {
		a, b := cell.Metric(mx.Name), cell.Metric(my.Name)
		name := cellview.NameBy(cell, fields)
		title := fmt.Sprintf("%s: %s %s; %s %s", name, wording.Lower(mx.Title), x.Words(a), wording.Lower(my.Title), y.Words(b))
		described = append(described, cellview.WithState(title, cell))
		if a.Missing != "" || b.Missing != "" {
			f.Notes = append(f.Notes, "not drawn: "+title)
			continue
		}
		q := figure.NamedPoint{Name: cellview.WithState(name, cell), Point: figure.Point{X: a.Estimate.Centre, Y: b.Estimate.Centre, Title: cellview.WithState(title, cell), Hollow: cellview.StateOf(cell) != ""}}
		q.XLo, q.XHi = cellview.Ends(a)
		q.YLo, q.YHi = cellview.Ends(b)
		if len(f.Series) > 0 {
			value, _ := cellview.Field(cell, p.Block.Colour.Value)
			q.Series = 1 + slices.Index(f.Series, value)
		}
		f.Points = append(f.Points, q)
	}
	metrics := []record.Metric{mx, my}
	kinds := cellview.KindsOf(p.Cells, cellview.NamesOf(metrics)...)
	if len(f.Points) == 0 {
		return Drawing{Missing: "no cell has both " + wording.Lower(mx.Title) + " and " + wording.Lower(my.Title) + ": " + wording.Some(described)}
	}
	f.Reference, more = p.reference(y.Unit, my.Unit, f.Y.Scale)
	f.Head = p.head(my.Title+" against "+wording.Lower(mx.Title), "Points between two metrics: "+strings.Join(described, "; ")+".")
	howTo = append(append(append(crossWords(kinds), howTo...), more...), cellview.HollowWords(p.Cells)...)
	return Drawing{Figure: f, Sub: kinds.Sub() + ": " + x.Subject() + ", and " + y.Subject(), HowTo: howTo, Metrics: metrics, Fields: fields}
}

// crossWords say what the lines through points are.
func crossWords(k cellview.EstimateKinds) []string {
	switch {
	case k.Intervals:
		return []string{"Point: medians. Lines through it: 95\u202f% intervals over " + k.Repetitions() + "."}
	case k.Searched:
		return []string{"Point: what searches found. Lines through it: where that may lie."}
	case k.TwoRuns:
		return []string{"Point: means of two runs. Lines through it: from the smaller to the larger."}
	case k.OneRun:
		return []string{"Point: values of a single run; nothing is known of how much they vary."}
	}
	return nil
}

// agreement draws published numbers against ours: on one line if the two are equal, on another if they differ by one factor.
func (p *Panel) agreement() Drawing {
	m, known := cellview.MetricOf(p.Block.X.Value, p.Cells)
	if !known {
		return Drawing{Missing: fmt.Sprintf("%q is a parameter; x of a figure of agreement is a metric", p.Block.X.Value)}
	}
	a, cells, ok := p.Dataset.Agreement(m.Name, p.Block.Published.Name.Value)
	if !ok {
		return Drawing{Missing: "nobody published " + wording.Lower(m.Title)}
	}
	var values []float64
	for _, row := range a.Rows {
		if values = append(values, row.Published); row.Measured {
			values = append(values, row.Centre)
		}
	}
	unit := number.For(m.Unit, m.Share, values...)
	axis := cellview.QuantityWords(m, unit)
	f := figure.Scatter{X: figure.Axis{Name: "published " + axis, Unit: unit.Scale, Scale: figure.Log},
		Y: figure.Axis{Name: "measured " + axis, Unit: unit.Scale, Scale: figure.Log}, Series: p.series()}
	if len(p.All) > len(p.Cells) { // parts of a figure share their axes
		for i, row := range a.Rows {
			if row.Measured && slices.Contains(p.All, cells[i]) {
				f.X.Also, f.Y.Also = append(f.X.Also, row.Published), append(f.Y.Also, row.Centre)
			}
		}
	}
	fields := cellview.Naming(p.Cells, article.Texts(p.Block.Y))
	var described []string
	var shown []*dataset.Cell
	for i, row := range a.Rows {
		cell := cells[i]
		if cell != nil && !slices.Contains(p.Cells, cell) {
			continue // of another part, or left out by where
		}
		name := row.Name
		if cell != nil {
			name = cellview.NameBy(cell, fields)
		}
		title := name + ": published " + unit.Exact(row.Published)
		if cell == nil || !row.Measured {
			reason := "there is no such cell"
			if cell != nil {
				reason = cell.Metric(m.Name).Missing
			}
			f.Notes = append(f.Notes, "not drawn: "+title+", "+reason)
			described = append(described, title+", "+reason)
			continue
		}
		r := cell.Metric(m.Name)
		title += ", measured " + cellview.Quantity{Metric: m, Unit: unit}.Words(r) + ", " + timesWords(row.Ratio) + " as published"
		title = cellview.WithState(title, cell)
		q := figure.NamedPoint{Name: cellview.WithState(name, cell), Point: figure.Point{X: row.Published, XLo: math.NaN(), XHi: math.NaN(), Y: row.Centre, Title: title, Hollow: cellview.StateOf(cell) != ""}}
		if q.YLo, q.YHi = cellview.Ends(r); len(f.Series) > 0 {
			value, _ := cellview.Field(cell, p.Block.Colour.Value)
			q.Series = 1 + slices.Index(f.Series, value)
		}
		f.Points, shown = append(f.Points, q), append(shown, cell)
		described = append(described, title)
	}
	if len(f.Points) == 0 {
		return Drawing{Missing: "nothing that was published is measured: " + wording.Some(described)}
	}
	howTo := crossWords(cellview.KindsOf(shown, m.Name))
	for i, words := range howTo { // one of the two numbers is theirs
		howTo[i] = strings.NewReplacer("medians", "median", "means", "mean", "Lines through it", "Line through it", "95\u202f% intervals", "95\u202f% interval").Replace(words)
	}
	howTo = append(howTo, cellview.HollowWords(shown)...)
	f.Slopes = []figure.Slope{{Factor: 1, Label: "as published"}}
	const noticeable = 1.02
	if a.Measured > 1 && max(a.Factor, 1/a.Factor) > noticeable {
		f.Slopes = append(f.Slopes, figure.Slope{Factor: a.Factor, Label: timesWords(a.Factor), Dash: true})
		howTo = append(howTo, "Full line: as published. Dashed: "+timesWords(a.Factor)+", the factor by which all of this host's values differ from theirs. "+
			"Points near the dashed line agree in size, and points that rise together in order.")
	} else {
		howTo = append(howTo, "Line: as published.")
	}
	if a.Tau != nil {
		howTo = append(howTo, "Order: tau-b "+number.Plain.Number(a.Tau.Value, 2)+", where 1 is the same and −1 the reverse.")
	}
	f.Head = p.head(m.Title+", published and measured", "Points, published against measured: "+strings.Join(described, "; ")+".")
	return Drawing{Figure: f, Sub: wording.Capital(axis) + ", on log scales", HowTo: howTo, Metrics: []record.Metric{m}, Fields: fields}
}

// timesWords writes a factor with as many digits as say something.
func timesWords(factor float64) string {
	return number.Times.Quantity(factor, number.Times.Decimals(factor, math.NaN(), math.NaN()))
}

// multiverse draws one claim over every alternative that was measured.
func (p *Panel) multiverse() Drawing {
	i := slices.IndexFunc(p.Dataset.Doc.Claims, func(c *article.Claim) bool { return c.Name.Value == p.Block.Claim.Value })
	if i < 0 {
		return Drawing{Missing: fmt.Sprintf("there is no claim %q", p.Block.Claim.Value)}
	}
	m := claim.MultiverseOf(p.Dataset, p.Dataset.Doc.Claims[i])
	// Series are in the order of colours, in which those of what is decided come last: each has the colour of its
	// mark in claims. What was not measured has no mark.
	verdicts := slices.Concat(stats.Verdicts[2:], stats.Verdicts[:2])
	f := figure.Dots{Scale: figure.Log, Axis: "effect, times"}
	for _, v := range verdicts {
		f.Series = append(f.Series, string(v))
	}
	data := &datafile.Table{Columns: []string{"alternative", "verdict", "effect", "lo", "hi", "reason"}}
	var region stats.Region
	ratios := true
	for _, a := range m.Alternatives {
		if a.Effect != nil {
			for _, cell := range a.Effect.Cells {
				if !slices.Contains(p.All, cell) {
					p.All = append(p.All, cell)
				}
			}
		}
		if a.Effect != nil && (a.Effect.Unit != "1" || a.Effect.Number <= 0) {
			ratios = false
		}
		if region == (stats.Region{}) {
			region = a.Region
		}
	}
	unit := number.Times
	if !ratios {
		f.Scale = figure.Linear
		var values []float64
		base, share := "1", false
		for _, a := range m.Alternatives {
			if a.Effect != nil {
				values, base, share = append(values, a.Effect.Number), a.Effect.Unit, a.Effect.Share
			}
		}
		unit = number.For(base, share, values...)
		f.Axis, f.Unit = strings.TrimSuffix("value, "+unit.Symbol, ", "), unit.Scale
	}
	counts := map[stats.Verdict]int{}
	var described []string
	for k, a := range m.Alternatives {
		name := a.Words
		if name == "" {
			name = "as claimed"
			if k > 0 {
				name = "likewise"
			}
		}
		j := a.Judgement
		counts[j.Verdict]++
		row := figure.Row{Name: name, Published: math.NaN(), Series: 1 + slices.Index(verdicts, j.Verdict), Missing: string(j.Verdict)}
		reason := j.Reason
		if a.Effect == nil {
			if reason != "" {
				row.Missing += ": " + reason
			}
			data.Add(nil, name, string(j.Verdict), nil, nil, nil, reason)
			row.Title = name + ": " + row.Missing
		} else {
			lo, hi := math.NaN(), math.NaN()
			if a.Effect.Interval != nil {
				lo, hi = a.Effect.Interval.Lo, a.Effect.Interval.Hi
			}
			decimals := unit.Decimals(a.Effect.Number, lo, hi)
			row.Missing, row.Value, row.Lo, row.Hi = "", a.Effect.Number, lo, hi
			row.Label = unit.Quantity(a.Effect.Number, decimals)
			row.Title = name + ": " + row.Label
			if a.Effect.Interval != nil {
				row.Title += ", " + unit.Between(lo, hi, decimals)
			}
			row.Title += ", " + string(j.Verdict)
			data.Add(nil, name, string(j.Verdict), a.Effect.Number, cellview.Bound(true, lo), cellview.Bound(true, hi), reason)
		}
		described = append(described, row.Title)
		f.Rows = append(f.Rows, row)
	}
	if len(f.Rows) == 0 {
		return Drawing{Missing: "the claim has no alternatives: " + claim.Judge(p.Dataset, p.Dataset.Doc.Claims[i]).Reason}
	}
	first := f.Rows[0] // the claim as it is judged stays on top, and the others are ordered by what they come to
	slices.SortStableFunc(f.Rows[1:], func(a, b figure.Row) int {
		if a.Missing == "" && b.Missing == "" {
			return cmp.Compare(b.Value, a.Value)
		}
		return cmp.Compare(a.Missing, b.Missing) // what has an effect comes first
	})
	f.Rows[0] = first
	used := func(v stats.Verdict) bool {
		return slices.ContainsFunc(f.Rows, func(r figure.Row) bool { return r.Missing == "" && verdicts[r.Series-1] == v })
	}
	var howTo []string
	if region != (stats.Region{}) {
		f.Band = &figure.Band{Lo: region.Lo, Hi: region.Hi, Label: "supported where the whole interval is here"}
		howTo = append(howTo, "Grey: where the claim asks the effect to lie.")
	}
	if ratios {
		f.Reference = &figure.Reference{Value: 1, Label: "no difference"}
	}
	if !slices.ContainsFunc(verdicts, used) { // no row has a mark, and so no colour
		f.Series, f.Band, f.Reference = nil, nil, nil
	}
	tally := stats.VerdictsInWords(counts)
	howTo = append(howTo, "The first row is the claim as it is judged. The others differ from it in what their names say; they are ordered by their effect.")
	folded := ""
	const most = 8 // rows that a telephone shows at once, each with its name above it
	if own := m.Alternatives[0].Judgement.Verdict; len(f.Rows) > most {
		folded = fmt.Sprintf("%d of %d alternatives are %s, as the claim is", counts[own], len(f.Rows), own)
	}
	f.Head = p.head("The claim over every alternative", "One claim over every alternative measured, "+wording.List(tally)+": "+strings.Join(described, "; ")+".")
	return Drawing{Figure: f, Sub: wording.Capital(number.Count(len(f.Rows), "alternative")) + ": " + wording.List(tally) + " (" + string(m.Is) + ")", HowTo: howTo, Data: data, Folded: folded}
}
