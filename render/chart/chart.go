// Package chart turns the cells of a dataset into figures. Each kind of figure block has a function that makes a
// figure.Spec, with its captions, from the cells of a panel.
package chart

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"benchbook/internal/phrase"
	"benchbook/internal/slice"
	"benchbook/notebook/article"
	"benchbook/notebook/claim"
	"benchbook/notebook/dataset"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/render/cellview"
	"benchbook/render/figure"
	"benchbook/render/wording"
)

// Panel is a figure block with its cells, while it is drawn.
type Panel struct {
	Dataset *dataset.Dataset
	Block   *article.Figure
	Cells   []*dataset.Cell
	Palette *Palette
	Claim   claim.Judgement          // stated by the title; may be zero
	Plain   func(line string) string // converts a line of Markdown to text
	Auto    string                   // the title if the author gave none; set by Draw

	drawing    Drawing
	by         string   // the parameter or label shown by colour; may be empty
	described  []string // each mark in words
	notes      []string // omissions and their reasons, for below the figure
	dataFields []string // the fields that name cells in the data file
}

// Drawing is the result of drawing a panel.
type Drawing struct {
	Spec    *figure.Spec        // nil if there is nothing to draw
	Missing string              // why Spec is nil
	Sub     string              // the quantity and its unit
	HowTo   []string            // sentences on how to read the figure
	Metrics []record.Metric     // shown in the figure
	Fields  []string            // the fields that name its marks
	Data    *cellview.DataTable // its data, if that is more than the metrics of cells
	Warning string              // for the author; may be empty
}

// drawers has the functions for the kinds of figures of package article. Each returns why there is nothing to draw.
var drawers = map[string]func(*Panel) (missing string){
	"agreement":    (*Panel).agreement,
	"bars":         (*Panel).bars,
	"capacity":     (*Panel).capacity,
	"distribution": (*Panel).distribution,
	"dots":         (*Panel).dots,
	"latency":      (*Panel).latency,
	"lines":        (*Panel).lines,
	"scatter":      (*Panel).scatter,
	"timeline":     (*Panel).timeline,
	"tuning":       (*Panel).tuning,
}

// Draw draws the panel.
func (p *Panel) Draw() Drawing {
	p.by = p.Palette.axisOf(p)
	if own := p.Block.Colour.Value; own != "" && p.by == "" {
		p.drawing.Warning = fmt.Sprintf("%s: %q has %d values, and more than %d colours cannot be told apart; all are "+
			"drawn in one", p.Block.Label.Value, own, len(cellview.SeriesOf(p.Cells, own)), figure.MaxSeries)
	}
	if missing := drawers[p.Block.Is().Drawn](p); missing != "" {
		return Drawing{Missing: missing, Warning: p.drawing.Warning}
	}
	p.sayDisturbed()
	return p.drawing
}

// say adds sentences to HowTo.
func (p *Panel) say(words ...string) { p.drawing.HowTo = append(p.drawing.HowTo, words...) }

// sayDisturbed names the cells whose intervals a disturbance has widened.
func (p *Panel) sayDisturbed() {
	var names []string
	for _, cell := range p.Cells {
		isWide := func(m record.Metric) bool { return slices.Contains(cell.Metric(m.Name).Disturbed(), true) }
		if slices.ContainsFunc(p.drawing.Metrics, isWide) {
			names = append(names, dataset.NameOf(cell, p.Cells...))
		}
	}
	if len(names) > 0 {
		p.say("Disturbed, so that intervals reach as far as that can have slowed it: " + phrase.List(names) + ".")
	}
}

// newData starts the data file, with the given columns between the fields of a cell and its "missing" and "state".
func (p *Panel) newData(columns ...string) {
	p.dataFields = cellview.Naming(p.Cells, p.askedFields())
	p.drawing.Data = cellview.NewDataTable(p.dataFields, append(columns, "missing", "state")...)
}

// askedFields returns the parameters and labels in y of the block.
func (p *Panel) askedFields() []string {
	return slice.Filter(article.Texts(p.Block.Y), func(name string) bool {
		return slices.ContainsFunc(p.Cells, func(cell *dataset.Cell) bool { _, ok := cell.Setting(name); return ok })
	})
}

// addData adds a row to the data file. Columns without a value stay empty.
func (p *Panel) addData(cell *dataset.Cell, missing string, values ...any) {
	data := p.drawing.Data
	row := make([]any, len(data.Columns)-len(p.dataFields))
	copy(row, values)
	row[len(row)-2], row[len(row)-1] = missing, cellview.StateOf(cell)
	data.Add(cellview.FieldsOf(cell, p.dataFields), row...)
}

// draw completes the drawing. auto is its default title, sub its subtitle, and what describes its marks, which fields
// name and which show metrics.
func (p *Panel) draw(spec figure.Spec, auto, sub, what string, fields []string, metrics ...record.Metric) {
	desc := what + ": " + strings.Join(p.described, "; ") + "."
	if profile := p.Dataset.Profile; profile != "" && profile != plan.Full {
		desc += " Profile " + profile + ": not for publication."
	}
	if !p.Dataset.Own && p.Dataset.Host != "" {
		desc += " Measured on host " + p.Dataset.Host + "."
	}
	p.Auto = auto
	spec.ID, spec.Title, spec.Sub, spec.Desc = p.Block.Label.Value, cmp.Or(p.Plain(p.Block.Title.Value), auto), sub, desc
	spec.Notes = append(spec.Notes, p.notes...)
	p.drawing.Spec, p.drawing.Sub, p.drawing.Fields, p.drawing.Metrics = &spec, sub, fields, metrics
	if slices.ContainsFunc(p.Cells, func(cell *dataset.Cell) bool { return cellview.StateOf(cell) != "" }) {
		p.say("Open mark, or a note after a name: measured with an older version of the experiment, or unfinished.")
	}
}

// axisOf returns an axis in a unit. On a log axis of times or sizes, each tick gets the unit that suits it.
func axisOf(u wording.Unit, base string, scale figure.Scale) figure.Axis {
	a := figure.Axis{Scale: scale}
	if scale == figure.Log && (base == "s" || base == "B") {
		a.Label = func(v float64) string {
			v *= u.Scale * (1 + 1e-12)
			return wording.UnitFor(base, false, v).Exact(v)
		}
	}
	return a
}

// scale returns the scale of an axis: Log if the author asks for it and all values are positive, else Linear.
func (p *Panel) scale(axis string, values []float64) figure.Scale {
	if !slices.Contains(p.Block.Log, axis) {
		return figure.Linear
	}
	for _, v := range values {
		if v <= 0 {
			p.say(fmt.Sprintf("The %s axis is not logarithmic, as the article asks: a value on it is %s.",
				axis, wording.Plain.Exact(v)))
			return figure.Linear
		}
	}
	return figure.Log
}

// reference returns the author's reference line in the unit of an axis, or nil. If there is one that can't be drawn, it
// adds the reason to HowTo.
func (p *Panel) reference(unit wording.Unit, base string, scale figure.Scale) *figure.Guide {
	n := p.Block.Reference.Node
	if n == nil {
		return nil
	}
	q, err := p.Dataset.Eval(n, p.Block.Experiment.Value)
	why := ""
	switch {
	case err != nil:
		why = err.Error()
	case q.Unit != base && q.Unit != "1":
		why = "it is not of the axis's unit"
	case scale == figure.Log && q.Number <= 0:
		why = "it has no place on a log axis"
	}
	if why != "" {
		p.say(wording.Sentence("the reference line is not drawn: " + why))
		return nil
	}
	name := "reference"
	if len(q.Cells) > 0 {
		name = cmp.Or(q.What, name)
	}
	label := unit.Quantity(q.Number, unit.Decimals(wording.Reading(&q)))
	return &figure.Guide{Value: q.Number / unit.Scale, Label: name + ": " + label}
}

// key returns the key of colours; nil if the names of marks already tell them.
func (p *Panel) key(fields []string) (key []figure.Key) {
	if p.setSeries(fields); p.by == "" || slices.Contains(fields, p.by) {
		return nil
	}
	for i, name := range p.Palette.Names(cellview.SeriesOf(p.Cells, p.by)) {
		if name != "" {
			key = append(key, figure.Key{Name: name, Series: i + 1})
		}
	}
	return key
}

// setSeries colours a figure by the first parameter or label with colours, if that is a field and the author chose
// none.
func (p *Panel) setSeries(fields []string) {
	if p.by == "" {
		if by := p.Palette.Axis(p.Cells); slices.Contains(fields, by) {
			p.by = by
		}
	}
}

// lineFields returns the fields that distinguish the lines of the figure; nil for figures without lines.
func (p *Panel) lineFields() []string {
	switch p.Block.Is().Drawn {
	case "lines":
		x := p.Block.X.Value
		asked := []string{x}
		if by := p.Block.Colour.Value; by != "" && by != x {
			asked = append(asked, by)
		}
		// Cells that differ only in x are on one line.
		return slices.DeleteFunc(cellview.Naming(p.Cells, asked), func(name string) bool { return name == x })
	case "latency", "timeline", "tuning":
		return cellview.Naming(p.Cells, p.askedFields())
	}
	return nil
}

// rangeTitle returns a title with the best and the worst value of a metric over all cells; bare if none was measured.
//
// Source: docs/figures.md#figures.
func rangeTitle(all []*dataset.Cell, m record.Metric, fields []string, bare string) string {
	isMeasured := func(cell *dataset.Cell) bool { return cell.Metric(m.Name).Missing == "" }
	cells := slice.Filter(all, isMeasured)
	if len(cells) == 0 {
		return bare
	}
	slices.SortStableFunc(cells, func(a, b *dataset.Cell) int { return byMetric(m, a, b) })
	q := cellview.QuantityOf(m, cells)
	say := func(cell *dataset.Cell) string {
		reading := wording.ReadingOf(cell.Metric(m.Name))
		return q.Unit.Quantity(reading.Value, q.Unit.Decimals(reading))
	}
	first, last := cells[0], cells[len(cells)-1]
	if say(first) == say(last) {
		return m.Title + ": " + say(first)
	}
	fields = cellview.Naming(all, fields)
	return m.Title + ": from " + say(first) + " (" + cellview.Name(first, fields) + ") to " + say(last) + " (" +
		cellview.Name(last, fields) + ")"
}

// Palette gives values of parameters and labels a colour and form, the same in all figures and tables of an article:
// first to those listed in the front matter, then to those that figures colour. If all cells with a value share a
// listed value, such as the kind of a server, it gets that colour.
//
// Source: docs/figures.md#colours.
type Palette struct {
	axes   []string       // parameters and labels shown by colour
	of     map[string]int // colours by value, from 1; 0 is grey, if all are taken
	listed []string       // values in the front matter
	all    []*dataset.Cell
}

// NewPalette returns the palette of an article. cells returns the cells of a figure.
func NewPalette(d *dataset.Dataset, cells func(f *article.Figure) []*dataset.Cell) *Palette {
	p := &Palette{of: map[string]int{}, listed: article.Texts(d.Doc.Front.Colours)}
	for i, value := range p.listed {
		p.of[value] = i + 1
	}
	for _, e := range d.Experiments {
		p.all = append(p.all, e.Cells...)
		p.axes = slice.Add(p.axes, slice.Filter(e.Settings(), func(by string) bool { return p.hasAll(e.Cells, by) })...)
	}
	var sets [][]string // of values in one figure
	for _, f := range d.Doc.Figures {
		panel := &Panel{Dataset: d, Block: f, Cells: cells(f), Palette: p}
		var set []string
		if by := p.axisOf(panel); by != "" {
			set = cellview.SeriesOf(panel.Cells, by)
			p.axes = slice.Add(p.axes, by)
		} else if fields := panel.lineFields(); len(fields) > 0 {
			if panel.setSeries(fields); panel.by == "" { // each line has a colour of its own
				name := func(cell *dataset.Cell) string { return cellview.Name(cell, fields) }
				set = slice.Add(set, slice.Map(panel.Cells, name)...)
			}
		}
		if len(set) <= figure.MaxSeries {
			sets = append(sets, set)
		}
	}
	for _, set := range sets {
		for _, value := range set {
			if _, ok := p.of[value]; !ok {
				p.of[value] = cmp.Or(p.family(value), p.free(value, sets))
			}
		}
	}
	return p
}

// family returns the colour of the listed value that all cells with a value share; 0 without one.
func (p *Palette) family(value string) (colour int) {
	for _, cell := range p.all {
		settings := slices.Concat(cell.Trial.Parameters, cell.Trial.Labels)
		values := slice.Map(settings, func(s record.Parameter) string { return s.Value })
		if !slices.Contains(values, value) {
			continue
		}
		own := 1 + slices.IndexFunc(p.listed, func(listed string) bool { return slices.Contains(values, listed) })
		if own == 0 || colour != 0 && own != colour {
			return 0
		}
		colour = own
	}
	return colour
}

// free returns the first colour that no other value has, else one that no value in the same figures has, else 0.
func (p *Palette) free(value string, sets [][]string) int {
	all, near := slices.Clone(p.listed), []string{}
	for _, set := range sets {
		all = append(all, set...)
		if slices.Contains(set, value) {
			near = append(near, set...)
		}
	}
	for _, others := range [][]string{all, near} {
		for colour := 1; colour <= figure.MaxSeries; colour++ {
			if !slices.ContainsFunc(others, func(other string) bool { return p.of[other] == colour }) {
				return colour
			}
		}
	}
	return 0
}

// axisOf returns the parameter or label that the author chose for a figure's colours; "" if there is none, or too few
// colours for its values.
func (p *Palette) axisOf(panel *Panel) string {
	if own := panel.Block.Colour.Value; len(cellview.SeriesOf(panel.Cells, own)) <= figure.MaxSeries {
		return own
	}
	return ""
}

// hasAll reports whether the parameter or label has a colour for all cells.
func (p *Palette) hasAll(cells []*dataset.Cell, by string) bool {
	return !slices.ContainsFunc(cellview.SeriesOf(cells, by), func(v string) bool { return p.of[v] == 0 })
}

// Axis returns the first parameter or label that has a colour for all cells, or "".
func (p *Palette) Axis(cells []*dataset.Cell) string {
	by, _ := slice.Find(p.axes, func(axis string) bool { return p.hasAll(cells, axis) })
	return by
}

// Of returns the colour of a value, from 1; 0 is grey.
func (p *Palette) Of(value string) int { return p.of[value] }

// Cell returns the colour of a cell by a parameter or label; 0 is grey.
func (p *Palette) Cell(cell *dataset.Cell, by string) int {
	value, _ := cell.Setting(by)
	return p.of[value]
}

// Names returns values at the index of their colour minus one; "" for unused colours.
func (p *Palette) Names(values []string) []string {
	out := make([]string, figure.MaxSeries)
	for _, v := range values {
		if colour := p.of[v]; colour > len(p.listed) {
			out[colour-1] = v
		} else if colour > 0 {
			out[colour-1] = v // may share the colour of a listed value, or be in its family
			if listed := p.listed[colour-1]; v == listed || p.family(v) == colour {
				out[colour-1] = listed
			}
		}
	}
	return out
}
