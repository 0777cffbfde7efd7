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
	unit := unitOfRows(m, a.Rows)
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
		point, missing := p.agreeing(row, cell, fields, cellview.Quantity{Metric: m, Unit: unit})
		if missing != "" {
			f.Notes = append(f.Notes, "not drawn: "+point.Title+", "+missing)
			described = append(described, point.Title+", "+missing)
			continue
		}
		if len(f.Series) > 0 {
			value, _ := cellview.Field(cell, p.Block.Colour.Value)
			point.Series = 1 + slices.Index(f.Series, value)
		}
		f.Points, shown = append(f.Points, point), append(shown, cell)
		described = append(described, point.Title)
	}
	if len(f.Points) == 0 {
		return Drawing{Missing: "nothing that was published is measured: " + wording.Some(described)}
	}
	howTo := crossWords(cellview.KindsOf(shown, m.Name))
	for i, words := range howTo { // one of the two numbers is theirs
		howTo[i] = strings.NewReplacer("medians", "median", "means", "mean", "Lines through it", "Line through it", "95\u202f% intervals", "95\u202f% interval").Replace(words)
	}
	howTo = append(howTo, cellview.HollowWords(shown)...)
	var more []string
	f.Slopes, more = agreementLines(a)
	howTo = append(howTo, more...)
	f.Head = p.head(m.Title+", published and measured", "Points, published against measured: "+strings.Join(described, "; ")+".")
	return Drawing{Figure: f, Sub: wording.Capital(axis) + ", on log scales", HowTo: howTo, Metrics: []record.Metric{m}, Fields: fields}
}

// unitOfRows is that of the published and the measured values of a metric.
func unitOfRows(m record.Metric, rows []stats.AgreementRow) number.Unit {
	var values []float64
	for _, row := range rows {
		if values = append(values, row.Published); row.Measured {
			values = append(values, row.Centre)
		}
	}
	return number.For(m.Unit, m.Share, values...)
}

// agreementLines are the lines on which points are that agree, and what they say.
func agreementLines(a stats.Agreement) (slopes []figure.Slope, howTo []string) {
	slopes = []figure.Slope{{Factor: 1, Label: "as published"}}
	const noticeable = 1.02
	if a.Measured > 1 && max(a.Factor, 1/a.Factor) > noticeable {
		slopes = append(slopes, figure.Slope{Factor: a.Factor, Label: timesWords(a.Factor), Dash: true})
		howTo = append(howTo, "Full line: as published. Dashed: "+timesWords(a.Factor)+", the factor by which all of this host's values differ from theirs. "+
			"Points near the dashed line agree in size, and points that rise together in order.")
	} else {
		howTo = append(howTo, "Line: as published.")
	}
	if a.Tau != nil {
		howTo = append(howTo, "Order: tau-b "+number.Plain.Number(a.Tau.Value, 2)+", where 1 is the same and −1 the reverse.")
	}
	return slopes, howTo
}

// agreeing is a published number against that of its cell; without a number of ours it has a title alone, and the reason.
func (p *Panel) agreeing(row stats.AgreementRow, cell *dataset.Cell, fields []string, q cellview.Quantity) (point figure.NamedPoint, missing string) {
	name := row.Name
	if cell != nil {
		name = cellview.NameBy(cell, fields)
	}
	point.Title = name + ": published " + q.Unit.Exact(row.Published)
	switch {
	case cell == nil:
		return point, "there is no such cell"
	case !row.Measured:
		return point, cell.Metric(q.Name).Missing
	}
	r := cell.Metric(q.Name)
	point.Title += ", measured " + q.Words(r) + ", " + timesWords(row.Ratio) + " as published"
	point.Name, point.Title = cellview.WithState(name, cell), cellview.WithState(point.Title, cell)
	point.X, point.XLo, point.XHi, point.Y = row.Published, math.NaN(), math.NaN(), row.Centre
	point.YLo, point.YHi = cellview.Ends(r)
	point.Hollow = cellview.StateOf(cell) != ""
	return point, ""
}

// timesWords writes a factor with as many digits as say something.
func timesWords(factor float64) string {
	return number.Times.Quantity(factor, number.Times.Decimals(factor, math.NaN(), math.NaN()))
}

// verdictColours are the verdicts in the order of colours, so that each has the one of its marks in claims. What was not measured has no
// mark.
var verdictColours = slices.Concat(stats.Verdicts[2:], stats.Verdicts[:2])

// multiverse draws one claim over every alternative that was measured.
func (p *Panel) multiverse() Drawing {
	i := slices.IndexFunc(p.Dataset.Doc.Claims, func(c *article.Claim) bool { return c.Name.Value == p.Block.Claim.Value })
	if i < 0 {
		return Drawing{Missing: fmt.Sprintf("there is no claim %q", p.Block.Claim.Value)}
	}
	m := claim.MultiverseOf(p.Dataset, p.Dataset.Doc.Claims[i])
	if len(m.Alternatives) == 0 {
		return Drawing{Missing: "the claim has no alternatives: " + claim.Judge(p.Dataset, p.Dataset.Doc.Claims[i]).Reason}
	}
	f := figure.Dots{Scale: figure.Log, Axis: "effect, times"}
	unit, ratios := number.Times, areRatios(m.Alternatives)
	if !ratios {
		unit = unitOfEffects(m.Alternatives)
		f.Scale, f.Axis, f.Unit = figure.Linear, strings.TrimSuffix("value, "+unit.Symbol, ", "), unit.Scale
	}
	data := &datafile.Table{Columns: []string{"alternative", "verdict", "effect", "lo", "hi", "reason"}}
	var region stats.Region
	counts := map[stats.Verdict]int{}
	var described []string
	for k, a := range m.Alternatives {
		name, j := alternativeName(k, a), a.Judgement
		counts[j.Verdict]++
		if a.Effect == nil {
			data.Add(nil, name, string(j.Verdict), nil, nil, nil, j.Reason)
		} else {
			p.include(a.Effect.Cells)
			lo, hi := endsOf(a.Effect)
			data.Add(nil, name, string(j.Verdict), a.Effect.Number, cellview.Bound(true, lo), cellview.Bound(true, hi), j.Reason)
		}
		if region == (stats.Region{}) {
			region = a.Region
		}
		row := alternativeRow(name, j, a.Effect, unit)
		described = append(described, row.Title)
		f.Rows = append(f.Rows, row)
	}
	slices.SortStableFunc(f.Rows[1:], func(a, b figure.Row) int { // the claim as it is judged stays on top
		if a.Missing == "" && b.Missing == "" {
			return cmp.Compare(b.Value, a.Value)
		}
		return cmp.Compare(a.Missing, b.Missing) // what has an effect comes first
	})
	var howTo []string
	if region != (stats.Region{}) {
		howTo = append(howTo, "Grey: where the claim asks the effect to lie.")
	}
	if slices.ContainsFunc(f.Rows, func(r figure.Row) bool { return r.Missing == "" }) { // else no row has a mark, and so no colour
		for _, v := range verdictColours {
			f.Series = append(f.Series, string(v))
		}
		if region != (stats.Region{}) {
			f.Band = &figure.Band{Lo: region.Lo, Hi: region.Hi, Label: "supported where the whole interval is here"}
		}
		if ratios {
			f.Reference = &figure.Reference{Value: 1, Label: "no difference"}
		}
	}
	tally := wording.List(stats.VerdictsInWords(counts))
	howTo = append(howTo, "The first row is the claim as it is judged. The others differ from it in what their names say; they are ordered by their effect.")
	folded := ""
	const most = 8 // rows that a telephone shows at once, each with its name above it
	if own := m.Alternatives[0].Judgement.Verdict; len(f.Rows) > most {
		folded = fmt.Sprintf("%d of %d alternatives are %s, as the claim is", counts[own], len(f.Rows), own)
	}
	f.Head = p.head("The claim over every alternative", "One claim over every alternative measured, "+tally+": "+strings.Join(described, "; ")+".")
	return Drawing{Figure: f, Sub: wording.Capital(number.Count(len(f.Rows), "alternative")) + ": " + tally + " (" + string(m.Is) + ")", HowTo: howTo, Data: data, Folded: folded}
}

// include adds cells to those that the figure is of, each once.
func (p *Panel) include(cells []*dataset.Cell) {
	for _, cell := range cells {
		if !slices.Contains(p.All, cell) {
			p.All = append(p.All, cell)
		}
	}
}

// alternativeName is what an alternative differs in from the claim as it is judged, which is the first.
func alternativeName(at int, a claim.Alternative) string {
	switch {
	case a.Words != "":
		return a.Words
	case at > 0:
		return "likewise"
	}
	return "as claimed"
}

// areRatios tells whether all effects are ratios, so that they stand in equal ratios.
func areRatios(list []claim.Alternative) bool {
	return !slices.ContainsFunc(list, func(a claim.Alternative) bool {
		return a.Effect != nil && (a.Effect.Unit != "1" || a.Effect.Number <= 0)
	})
}

// unitOfEffects is the unit of effects that are no ratios.
func unitOfEffects(list []claim.Alternative) number.Unit {
	var values []float64
	base, share := "1", false
	for _, a := range list {
		if a.Effect != nil {
			values, base, share = append(values, a.Effect.Number), a.Effect.Unit, a.Effect.Share
		}
	}
	return number.For(base, share, values...)
}

// endsOf are those of the interval of an effect; NaN without one.
func endsOf(effect *dataset.Quantity) (lo, hi float64) {
	if effect.Interval == nil {
		return math.NaN(), math.NaN()
	}
	return effect.Interval.Lo, effect.Interval.Hi
}

// alternativeRow is what a claim comes to by one alternative.
func alternativeRow(name string, j claim.Judgement, effect *dataset.Quantity, unit number.Unit) figure.Row {
	row := figure.Row{Name: name, Published: math.NaN(), Series: 1 + slices.Index(verdictColours, j.Verdict)}
	if effect == nil {
		if row.Missing = string(j.Verdict); j.Reason != "" {
			row.Missing += ": " + j.Reason
		}
		row.Title = name + ": " + row.Missing
		return row
	}
	row.Value = effect.Number
	row.Lo, row.Hi = endsOf(effect)
	decimals := unit.Decimals(effect.Number, row.Lo, row.Hi)
	row.Label = unit.Quantity(effect.Number, decimals)
	row.Title = name + ": " + row.Label
	if effect.Interval != nil {
		row.Title += ", " + unit.Between(row.Lo, row.Hi, decimals)
	}
	row.Title += ", " + string(j.Verdict)
	return row
}
